#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "Time": the deadline covers the whole of a probe, and the addresses of a name are raced.

setup() {
	load lib
}

@test "the deadline defaults to five seconds" {
	need_lab
	face 'tcpprobe "$@"' "$TP_SILENT" 80
	assert_state timeout
	assert_took_about 5000
}

@test "a deadline is noticed within 50 ms: silent port, dead resolver, silent first address, all in one command" {
	need beside
	need_lab
	face 'begin=${EPOCHREALTIME/./}; tcpprobe -q -t 0.4 "$@"; echo $((${EPOCHREALTIME/./} - begin))' \
		"$TP_SILENT:80" no.dead.test:80 "two-silent:80" other.dead.test:80
	((output >= 400000 && output <= 450000 + late_ms * 1000)) || fail "took $output us"
}

@test "a deadline says whether it ended a lookup or a handshake" {
	need late
	need_lab
	face 'tcpprobe -t 0.1 "$@"' "$TP_SILENT:80" no.dead.test:80 "two-silent:80" other.dead.test:80
	assert_equal "$(grep -c 'timed out$' <<<"$stderr")" 4
}

@test "durations come in seconds, fractions and units" {
	need_lab
	for duration in 0.2 .2 200ms 0.2s 0.00334m 0.00006h; do
		face 'tcpprobe -t "$@"' "$duration" "$TP_SILENT" 80
		assert_state timeout
		assert_took_about 200
	done
}

@test "what is no duration is named, status 2" {
	for duration in '' -1 +1 nan inf 1e3 0x3 1.2.3 . s 5x 5d 1,5 99999999999999999999 1e 5ss; do
		face 'tcpprobe -t "$@"' "$duration" 127.0.0.1 1
		assert_state usage
		assert_message_has "-t '$duration'"
	done
	face "tcpprobe -t '5 s' 127.0.0.1 1"
	assert_state usage
}

@test "durations and times have decimal points in every locale" {
	need time locale
	peer open
	[[ -n ${LOCPATH-} ]] || skip 'no localedef, or nothing to make a locale of'
	face 'export LC_ALL=de_DE.UTF-8; printf "%.1f " 1,5; tcpprobe -v -t 1.5 "$@"' 127.0.0.1 "$port"
	assert_state open
	assert_output --regexp '^1,5 .* [0-9]+\.[0-9]{3} ms$'
}

@test "a name whose first address is silent is found open 250 ms later" {
	need all
	need_lab
	peer -a 127.0.0.1 open
	face 'tcpprobe -v two-faced '"$port"
	assert_state open
	assert_output --partial "two-faced:$port open 127.0.0.1"
	assert_took_less 350
}

@test "an address that fails at once costs nothing" {
	need all
	need_lab
	peer -a 127.0.0.1 open
	face 'tcpprobe -v localhost '"$port"
	assert_state open
	assert_took_less 100
}

@test "families alternate" {
	need all
	need_lab
	# six-heavy has several IPv6 addresses, which are all silent, and then an IPv4 address that answers.
	peer -a 127.0.0.1 open
	face 'tcpprobe -v six-heavy '"$port"
	assert_state open
	assert_took_less 350
}

@test "-4 and -6 keep to their family" {
	need engine
	peer -a 127.0.0.1 open
	face 'tcpprobe -4 localhost '"$port"
	assert_state open
	face 'tcpprobe -6 127.0.0.1 '"$port"
	assert_state unresolved
}

@test "-4 finds a name open at once whose IPv6 address is silent" {
	need engine
	need_lab
	peer -a 127.0.0.1 open
	face 'tcpprobe -4 two-faced '"$port"
	assert_state open
	assert_took_less 100
}

@test "-a reports each address of a name by itself" {
	need engine
	need_lab
	peer -a 0.0.0.0 open
	face 'tcpprobe -a -v -t "$@"' "$(patient 0.4)" three-silent "$port"
	assert_state timeout
	assert_output --partial "three-silent:$port open $TP_MANY.0.1 "
	assert_message_has "three-silent:$port ($TP_SILENT): Connection timed out"
	assert_message_has "three-silent:$port ($TP_SILENT6): Connection timed out"
	assert_output --partial '--- 3 probes: 1 open, 2 timeout'
}

@test "-a gives each address the whole deadline, side by side or one at a time" {
	need engine
	need_lab
	for options in '' '-n 1'; do
		face 'tcpprobe -a -t "$1" $2 -F "%a %s %x" silent-far "$3"' "$(patient 0.4)" "$options" "$(far_port open)"
		assert_state timeout
		assert_output "$TP_SILENT6 timeout 124
$TP_FAR.0.1 open 0"
	done
	face 'tcpprobe -a -R 0.2 -t 0.1 -F "%a %s %x" silent-far "$1"' "$(far_port open)"
	assert_state timeout
	assert_output "$TP_SILENT6 timeout 0
$TP_FAR.0.1 timeout 124"
	face 'tcpprobe -a -F "%a %s %x" -r "$@"' "$(patient 0.5)" localhost 1
	assert_output "::1 timeout 124
127.0.0.1 timeout 124"
	peer -a 127.0.0.1 open
	face 'tcpprobe -a -F "%a %s %x %e" -r "$@"' "$(patient 0.4)" localhost "$port"
	assert_state timeout
	assert_output "::1 timeout 124 not open after $(patient 0.4)s: Connection refused
127.0.0.1 open 0 -"
}

@test "-a with -1 is done with the first address to open; silent for all of a wait, each is closed" {
	need engine
	need_lab
	peer -a 0.0.0.0 open
	for wait in '' '-r 5'; do
		face 'tcpprobe -a -1 -t 5 $1 -F "%a %s" three-silent "$2"' "$wait" "$port"
		assert_state open
		assert_output "$TP_MANY.0.1 open"
		assert_took_less 500
	done
	for _ in 1 2 3 4 5; do
		face 'tcpprobe -a -R 0.2 -F %x two-silent 80'
		assert_output $'0\n0'
	done
}

@test "what getent ahosts finds, it finds" {
	need engine
	need_lab
	peer -a 0.0.0.0 open
	for name in localhost three-silent many.many.test x.both.test 127-0-0-1.ip.test four-only six-only; do
		face 'tcpprobe -a -v -t "$@" 2>&1 | grep -v ^---' "$(patient 0.1)" "$name" "$port"
		found=$(sed -E 's/.* open ([^ ]+) .*/\1/; s/.*\((.*)\): .*/\1/; s/.*: \[?(.*)\]?:[0-9]+: .*/'"$name"'/' <<<"$output" | sort)
		assert_equal "$found" "$(getent ahosts "$name" | awk '$2 == "STREAM" { print $1 }' | sort -u)"
	done
}

@test "-s connects from that address" {
	need engine
	need_lab
	peer -a 0.0.0.0 open
	face 'tcpprobe -s "$@"' "$TP_SOURCE" "$TP_FAR.0.1" "$(far_port open)"
	assert_state open
	face 'tcpprobe -s 192.0.2.77 "$@"' 127.0.0.1 1
	assert_state error
	assert_message '127.0.0.1:1: Cannot assign requested address'
}

@test "-s connects through that interface" {
	need engine
	need_lab
	peer -a 0.0.0.0 open
	face 'tcpprobe -s lo "$@"' 127.0.0.1 "$port"
	assert_state open
	face 'tcpprobe -t 0.3 -s lo "$@"' "$TP_FAR.0.1" "$(far_port open)"
	refute [ "$status" = 0 ]
}

@test "-s keeps to the family of its address" {
	need engine
	need_lab
	peer -a 127.0.0.1 open
	face 'tcpprobe -s 127.0.0.1 two-faced '"$port"
	assert_state open
	assert_took_less 100
	face 'tcpprobe -6 -s 127.0.0.1 two-faced '"$port"
	assert_state usage
}

@test "-s with what is neither address nor interface is named, status 2" {
	need engine
	face 'tcpprobe -s nosuch0 127.0.0.1 1'
	assert_state usage
	assert_message_has "-s 'nosuch0'"
}

@test "several names are looked up at once" {
	need beside
	need_lab
	# A process a probe is no light matter.
	[[ $face_name == builtin ]] && count=40 || count=8
	for ((i = 1; i <= count; i++)); do targets+=("200ms.h$i.127-0-0-1.ip.test:1"); done
	face 'tcpprobe -t 3 "$@"' "${targets[@]}"
	assert_state refused
	assert_equal "${#stderr_lines[@]}" "$count"
	assert_took_less 1000
}

@test "a slow name delays no other" {
	need_lab
	peer open
	face 'tcpprobe -v -t "$@"' "$(patient 0.5)" "127-0-0-1.ip.test:$port" no.dead.test:1 "20ms.127-0-0-1.ip.test:$port"
	assert_output --partial '2 open, 1 timeout'
	((slack_ms > 0)) || assert_took_about 500
}
