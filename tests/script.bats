#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "Time" and "How it connects": waiting, draining, rounds, the kept connection (-u), and probes that leave no
# trace (-z).

setup() {
	load lib
}

# -- Waiting

@test "-r waits until a server listens, and sees it within an interval" {
	need soon
	peer late 0.6
	face 'tcpprobe -v -r 10 127.0.0.1 "$1"' "$port"
	assert_state open
	assert_output --partial "127.0.0.1:$port open"
	((elapsed_ms >= 500 && elapsed_ms < 600 + 250 + 20 + 60 + late_ms)) || fail "took $elapsed_ms ms"
}

@test "-r says what the last try met when the time is up, status 124" {
	need_lab
	face 'tcpprobe -r 0.6 127.0.0.1 1'
	assert_equal "$status" 124
	assert_message '127.0.0.1:1: not open after 0.6s: Connection refused'
	assert_took_about 600
	face 'tcpprobe -r 1 -t 0.3 "$1" 80' "$TP_SILENT"
	assert_message "$TP_SILENT:80: not open after 1s: Connection timed out"
}

@test "-r says why a name had no address when the time is up" {
	need why
	need_lab
	face 'tcpprobe -r "$@"' "$(patient 0.4)" no.nx.test 80
	assert_message "no.nx.test:80: not open after $(patient 0.4)s: Name or service not known"
}

@test "-r is one deadline, for a try that hangs" {
	need_lab
	face 'tcpprobe -r 0.4 "$1" 80' "$TP_SILENT"
	assert_equal "$status" 124
	assert_message "$TP_SILENT:80: not open after 0.4s: Connection timed out"
	assert_took_about 400
}

@test "-r is one deadline, for a lookup that hangs too" {
	need late
	need_lab
	face 'tcpprobe -r 0.4 no.dead.test 80'
	assert_equal "$status" 124
	# On a slow machine the tool may begin too late to tell where it was when the time was up.
	((slack_ms > 0)) || assert_message 'no.dead.test:80: not open after 0.4s: Name lookup timed out'
	assert_message_has 'no.dead.test:80: not open after 0.4s: '
	assert_took_about 400
	no_helper_left
}

@test "a name that does not resolve yet is waited for, and looked up anew each time" {
	need engine
	need_lab
	peer open
	cp /etc/hosts "$BATS_TEST_TMPDIR/hosts"
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c 'mount --bind "$0" /etc/hosts; exec "$@"' "$BATS_TEST_TMPDIR/hosts")
	face '(read -r _ <"$2"; echo "127.0.0.1 late-name" >>/etc/hosts) & tcpprobe -v -F "%s %n" -i 0.1 -r 5 late-name "$1"' \
		"$port" <(
			timeout "$(printf '%d.350' $((slack_ms / 1000)))" tail -f /dev/null
			echo now
		)
	assert_state open
	[[ $output =~ ^open\ ([0-9]+)$ ]] && ((BASH_REMATCH[1] >= 2 && BASH_REMATCH[1] <= 6 + slack_ms / 100)) || fail "$output"
}

@test "-i is the pause between tries, and 0 is allowed" {
	need engine
	least=(5 500)
	face 'tcpprobe -F %n -r "$1" -i 0.1 127.0.0.1 1; tcpprobe -F %n -r "$1" -i 0 127.0.0.1 1' "$(patient 0.5)"
	most=$(patient 0.5)
	[[ $most == 0.5 ]] && most=5 || most=${most}0
	((lines[0] >= least[0] && lines[0] <= most)) || fail "$output"
	((lines[1] >= least[1])) || fail "$output"
}

@test "-r 0 waits for ever" {
	need inside
	need_lab
	interrupted TERM 'trap : EXIT; tcpprobe -r 0 -i 0.01 127.0.0.1 1'
	assert_equal "$status" 143
}

@test "several targets are waited for until each was open, with -1 until one is" {
	need soon
	need_lab
	peer late 0.5
	late=$port
	peer open
	face 'tcpprobe -v -r 10 "$@"' "127.0.0.1:$port" "127.0.0.1:$late" "127.0.0.1:$port"
	assert_state open
	assert_line --index 3 '--- 3 probes: 3 open'
	face 'tcpprobe -q -r "$@"' "$(patient 0.3)" "127.0.0.1:1" "127.0.0.1:$port"
	assert_state timeout
	face 'tcpprobe -q -1 -r 10 "$@"' "127.0.0.1:1" "127.0.0.1:$port"
	assert_state open
	assert_took_less 500
}

@test "more targets are waited for than may be in flight" {
	need engine
	peer late 0.5
	face 'tcpprobe -v -n 3 -r 30 -i 0.05 "$@" | tail -n 1' "127.0.0.1:$port"{,,,,,,,,,,,}
	assert_output '--- 12 probes: 12 open'
}

@test "who is waited for in vain keeps nobody from its turns" {
	need engine
	peer late 0.3
	face 'tcpprobe -F "%p %s" -n 1 -i 0.05 -r "$@"' "$(patient 2)" 127.0.0.1 "1,$port"
	assert_state timeout
	assert_output $'1 timeout\n'"$port open"
}

@test "a wait ends for all its targets, those too that had no turn" {
	need engine
	need_lab
	face 'tcpprobe -r 0.4 -n 1 "$@"' "$TP_SILENT" 1-3
	assert_state timeout
	assert_message_has "$TP_SILENT:1: not open after 0.4s: "
	assert_message_has "$TP_SILENT:2: not open after 0.4s"
	assert_message_has "$TP_SILENT:3: not open after 0.4s"
	face 'tcpprobe -R 0.4 -n 1 "$@"' "$TP_SILENT" 1-2
	assert_state timeout
	assert_message_has "$TP_SILENT:2: not closed after 0.4s"
}

@test "what this host lacks for now is tried again until the wait is over, which names it" {
	need engine
	face 'tcpprobe -r 0.3 -s 192.0.2.77 127.0.0.1 1'
	assert_state timeout
	assert_message '127.0.0.1:1: not open after 0.3s: Cannot assign requested address'
	need_lab
	own_network
	face '(read -r -t 0.3 <>"$1"; ip address add 192.0.2.77 dev lo) & tcpprobe -R 5 -s 192.0.2.77 127.0.0.1 1; echo "$?"' \
		<(exec tail -f /dev/null)
	assert_output 0
	assert_took_less 1500
}

@test "-R waits until nobody accepts" {
	peer open
	face '(read -r _ <"$2"; kill "$3") & tcpprobe -v -i 0.05 -R 5 127.0.0.1 "$1"' "$port" \
		<(
			timeout 0.4 tail -f /dev/null
			echo now
		) "$peer_pid"
	assert_state open
	assert_output "127.0.0.1:$port refused 127.0.0.1"
	((elapsed_ms >= 350 && elapsed_ms < 700 + late_ms)) || fail "took $elapsed_ms ms"
}

@test "-R takes silence and no route for an end, but a name without an address for no answer" {
	need why
	need_lab
	face 'tcpprobe -t 0.2 -R 5 "$@"' "$TP_SILENT:80" "$TP_UNREACHABLE:80"
	assert_equal "$status$stderr" 0
	face 'tcpprobe -R "$@"' "$(patient 0.4)" no.nx.test 80
	assert_equal "$status" 124
	assert_message "no.nx.test:80: not closed after $(patient 0.4)s: Name or service not known"
}

@test "-R says so when the time is up, status 124" {
	need soon
	peer open
	face 'tcpprobe -R "$@"' "$(patient 0.4)" 127.0.0.1 "$port"
	assert_equal "$status" 124
	assert_message "127.0.0.1:$port: still open after $(patient 0.4)s"
}

@test "-R takes silence for all of a wait for an end, and does not wait for -t" {
	need soon
	need_lab
	face 'tcpprobe -R 0.4 "$1" 80' "$TP_SILENT"
	assert_state open
	assert_took_about 400
	need late
	face 'tcpprobe -R 0.4 no.dead.test 80'
	assert_state timeout
}

@test "a wait is over when its time is up, whoever still writes its file, and costs no processor" {
	need engine kernel
	mkfifo "$BATS_TEST_TMPDIR/feed"
	face 'exec {feed}<>"$1"; echo 127.0.0.1:1 >&$feed; read -r before _ </proc/$$/schedstat
		tcpprobe -r "$2" -f "$1"; status=$?; read -r after _ </proc/$$/schedstat
		echo "$status $(((after - before) / 1000000))"' "$BATS_TEST_TMPDIR/feed" "$(patient 0.5)"
	((slack_ms > 0)) || assert_took_about 500
	assert_output --regexp '^124 [0-9]$'
	assert_message_has '127.0.0.1:1: not open after '"$(patient 0.5)"'s: Connection refused'
	assert_message_has 'the wait was over before the end of the file'
}

@test "options that contradict each other are refused, status 2, and nothing is sent" {
	peer open
	conflicts=('-r 1 -R 1' '-1 -R 1')
	[[ $face_name == wrapper ]] || conflicts+=('-R 1 -c 1' '-F x -j' '-4 -6')
	[[ $face_name != builtin ]] || conflicts+=('-u fd -z' '-u fd -c 2')
	for options in "${conflicts[@]}"; do
		face "tcpprobe $options 127.0.0.1 $port"
		assert_state usage
		assert_message_has 'exclude each other'
	done
	assert_equal "$(peer_accepted)" 0
}

# -- Rounds

@test "with -v a wait says for what it begins, and how long it took; a program and -q hear nothing of it" {
	need engine
	peer open
	face 'tcpprobe -v -r 30 "$@"' "127.0.0.1:$port"
	assert_equal "${stderr//script: line +([0-9]): /}" "tcpprobe: waiting for 127.0.0.1:$port, at most 30s"$'\n''tcpprobe: waited 0s'
	assert_equal "${#lines[@]}" 1
	face 'tcpprobe -v -R 1m "$@"' 127.0.0.1 1-3
	assert_message_has 'tcpprobe: waiting for 3 targets to close, at most 60s'
	face 'tcpprobe -v -r 0.2 -f - <<<127.0.0.1:1'
	assert_message_has 'tcpprobe: waiting for targets, at most 0.2s'
	[[ $stderr != *waited* ]] || fail "$stderr"
	face 'tcpprobe -qv -r 30 "$1"; tcpprobe -jv -r 30 "$1"; tcpprobe -v -F %s -r 30 "$1"' "127.0.0.1:$port"
	assert_equal "$stderr" ''
}

@test "-c probes round by round, and -v sums up each target" {
	need engine
	need time
	peer open
	face 'tcpprobe -v -c 3 -i 0.05 "$@"' "127.0.0.1:$port" 127.0.0.1:1
	assert_state refused
	assert_equal "${#lines[@]}" 6
	assert_line --index 2 --partial "127.0.0.1:$port open"
	# With -q only the sums are printed.
	face 'tcpprobe -qv -c 3 -i 0.05 "$@"' "127.0.0.1:$port" 127.0.0.1:1
	assert_equal "${#lines[@]}$stderr" 3
	assert_line --index 0 "--- 127.0.0.1:$port: 3 probes: 3 open (100 %)"
	assert_line --index 1 --regexp '^rtt min/avg/max/mdev = ([0-9]+\.[0-9]{3}/){3}[0-9]+\.[0-9]{3} ms$'
	assert_line --index 2 '--- 127.0.0.1:1: 3 probes: 0 open (0 %), 3 refused'
}

@test "rounds are a second apart, and %n counts them" {
	need engine
	face 'tcpprobe -F "%p %n" -c 2 127.0.0.1 1,2'
	assert_output $'1 1\n2 1\n1 2\n2 2'
	assert_took_about 1000
}

@test "a file's targets are probed in every round" {
	need engine
	face 'printf "127.0.0.1 %s\n" 1 2 3-4 | tcpprobe -F "%p %n" -c 2 -i 0 -f -'
	assert_output $'1 1\n2 1\n3 1\n4 1\n1 2\n2 2\n3 2\n4 2'
}

@test "-c 0 goes on until SIGINT, which ends the script, and still sums up" {
	need inside
	peer open
	interrupted INT 'tcpprobe -v -c 0 -i 60 127.0.0.1 "$1"; echo not reached' "$port"
	assert_equal "$status" 130
	assert_line --index 1 "--- 127.0.0.1:$port: 1 probe: 1 open (100 %)"
	assert_line --index 2 --partial 'rtt min/avg/max/mdev'
	assert_equal "${#lines[@]}" 3
	((elapsed_ms < 100 + late_ms)) || fail "took $elapsed_ms ms"
}

@test "a trapped signal ends rounds with their sums, and the trap runs right after" {
	need inside
	peer open
	interrupted USR1 'trap "echo trapped" USR1; tcpprobe -v -c 0 -i 60 127.0.0.1 "$1"; echo "status $?"' "$port"
	assert_line --index 1 "--- 127.0.0.1:$port: 1 probe: 1 open (100 %)"
	assert_line --index 3 trapped
	assert_line --index 4 'status 138'
}

@test "times are the handshake's, within 1 ms of the truth, and within 3 ms with 1,000 in flight" {
	need variables
	need_lab
	# The 900th of 1,000, not the slowest of all: on a busy machine the lab itself may be late.
	face 'tcpprobe -F %t "$1" 80; ulimit -n 2048; tcpprobe -F %t -n 1000 "$1" 80 "$(printf "80,%.0s" {1..999})80" | sort -n | sed -n "1p;900p"' "$TP_FAR.0.1"
	for ms in "${lines[@]}"; do
		((10#${ms/./} >= TP_RTT * 1000)) || fail "$output"
	done
	((10#${lines[0]/./} < (TP_RTT + 1 + late_ms) * 1000)) || fail "alone: $output"
	((10#${lines[2]/./} < (TP_RTT + 3 + late_ms) * 1000)) || fail "in flight: $output"
}

# -- The kept connection

@test "-u keeps the connection: at least 10, blocking, inherited, and closed like any other" {
	need variables
	peer banner hello
	face 'tcpprobe -u fd 127.0.0.1 "$1" && ((fd >= 10)) && read -r -t 5 -u "$fd" line && echo "$line"
		(echo "child: $(readlink "/proc/self/fd/$fd")") | cut -c 1-14; exec {fd}>&-; [[ ! -e /proc/$$/fd/$fd ]] && echo closed' "$port"
	assert_output $'hello\nchild: socket:\nclosed'
}

@test "-u leaves NAME as it was where nothing is open, and no descriptor" {
	need variables
	need_lab
	face 'fd=old; count() { local fds=(/proc/$$/fd/*); echo "${#fds[@]}"; }; count; tcpprobe -q -u fd 127.0.0.1 1; tcpprobe -q -t 0.1 -u fd "$1" 80; count; echo "$fd"' "$TP_SILENT"
	assert_equal "${lines[0]}" "${lines[1]}"
	assert_line --index 2 old
}

@test "-u with -1 keeps the winner's, with -r the first that opens, and nothing else stays open" {
	need variables
	need_lab
	peer late 0.3
	face 'count() { local fds=(/proc/$$/fd/*); echo "${#fds[@]}"; }; count; tcpprobe -q -r 5 -1 -u fd 127.0.0.1:1 "$1:80" "127.0.0.1:$2"; count; exec {fd}>&-; count' "$TP_SILENT" "$port"
	assert_equal "$((lines[0] + 1)) ${lines[0]}" "${lines[1]} ${lines[2]}"
}

@test "-u with a name that cannot take it, or with several targets, is refused, and nothing is sent" {
	need variables
	peer open
	for setup in 'set a[0]' 'readonly no=1; set no' 'declare -A no; set no' 'set 1x'; do
		face "port=$port; $setup"'; tcpprobe -u "$1" 127.0.0.1 "$port"'
		assert_state usage
		assert_message_has "-u '"
	done
	for targets in "127.0.0.1:$port,$port" "127.0.0.1:$port 127.0.0.1:$port" "-f /dev/null" "-a localhost $port"; do
		face "tcpprobe -u fd $targets"
		assert_state usage
		assert_message_has 'several targets need -1'
	done
	assert_equal "$(peer_accepted)" 0
}

@test "-o touches no variable before its check and the targets' have passed" {
	need variables
	face 'declare -i n=7; x=(old values); readonly r=1
		for words in "-o a-b 127.0.0.1 1" "-o n 127.0.0.1 1" "-o RANDOM 127.0.0.1 1" "-o x 127.0.0.1 99999" "-o x" "-o x -h 127.0.0.1 1" "-o r 127.0.0.1 1"; do
			tcpprobe $words; done; declare -p n x r; declare -p a-b; ((RANDOM + RANDOM + RANDOM > 0)) && echo random'
	assert_output "$(printf '%s\n' 'declare -i n="7"' 'declare -a x=([0]="old" [1]="values")' 'declare -r r="1"' random)"
	assert_equal "$(grep -c "^Try 'tcpprobe --help'" <<<"$stderr")" 7
}

@test "-u and -o want a variable each" {
	need variables
	face 'tcpprobe -o x -u x 127.0.0.1 1'
	assert_state usage
	assert_message_has 'name the same variable'
}

@test "-u honours locals, namerefs and declare -i" {
	need variables
	peer open
	face 'f() { local fd; tcpprobe -u fd 127.0.0.1 "$1"; [[ $fd == [0-9]* ]] && echo "local"; exec {fd}>&-; }; f "$1"; echo "${fd-unset}"
		declare -n ref=target; tcpprobe -u ref 127.0.0.1 "$1"; [[ $target == [0-9]* ]] && echo nameref
		declare -i number; tcpprobe -u number 127.0.0.1 "$1"; ((number > 9)) && echo integer' "$port"
	assert_output $'local\nunset\nnameref\ninteger'
}

@test "without a descriptor to hand over to, it is an error, and none stays" {
	need variables
	peer open
	face 'ulimit -n 9; count() { local fds=(/proc/$$/fd/*); echo "${#fds[@]}"; }; count; tcpprobe -u fd 127.0.0.1 "$1"; echo "$? ${fd-unset}"; count' "$port"
	assert_equal "${lines[1]}" '5 unset'
	assert_equal "${lines[0]}" "${lines[2]}"
}

# -- Without a trace

@test "-z finds every one of many open, and the server accepts none" {
	need engine
	peer open
	face 'tcpprobe -zqv -c "$2" -i 0 127.0.0.1 "$1" | grep -- ---' "$port" "$often"
	assert_output "--- 127.0.0.1:$port: $often probes: $often open (100 %)"
	assert_equal "$(peer_accepted)" 0
	face 'tcpprobe -q -c 5 -i 0 127.0.0.1 "$1"' "$port"
	assert_equal "$(peer_accepted)" 5
}

@test "-z tells refused and silent as without it" {
	need engine
	need_lab
	face 'tcpprobe -zq 127.0.0.1 1'
	assert_state refused
	face 'tcpprobe -zq -t 0.2 "$1" 80' "$TP_SILENT"
	assert_state timeout
	face 'tcpprobe -zv -n 50 "$1" 80,80,80,80,80 | tail -n 1' "$TP_FAR.0.1"
	assert_output '--- 5 probes: 5 open'
}

@test "-z finishes no handshake, though who reads stdout sleeps for a second" {
	need engine
	need_lab
	nft add table inet finished
	nft add chain inet finished output '{ type filter hook output priority 0; }'
	nft add rule inet finished output ip daddr "$TP_FAR.64.0/20" 'tcp flags & (syn | rst | fin | ack) == ack' counter
	finished() { nft list chain inet finished output | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
	face 'exec 8<> <(:); tcpprobe -zv -n 4094 -t 30 "$1" 80 | { read -r -t 1 -u 8; wc -l; }' "$TP_FAR.64.0/20"
	assert_output 4095
	assert_equal "$(finished)" 0
	face 'tcpprobe -qv "$1" 80 | wc -l' "$TP_FAR.64.0/28"
	assert_output 14
	(($(finished) >= 14)) || fail "without -z: $(finished)"
	nft delete table inet finished
}

# -- Signals, wherever it waits

@test "SIGINT ends it within 100 ms between tries, between rounds, and in a lookup that is waited for" {
	need variables
	need_lab
	for command in 'tcpprobe -r 60 -i 60 127.0.0.1 1' 'tcpprobe -c 0 -i 60 -q 127.0.0.1 1' 'tcpprobe -r 60 no.dead.test 80' \
		'tcpprobe -u fd -r 60 "$1" 80' 'tcpprobe -f - <"$2"'; do
		interrupted INT "$command; echo not reached" "$TP_SILENT" <(exec tail -f /dev/null)
		assert_equal "$status" 130
		refute_output --partial 'not reached'
		((elapsed_ms < 100 + late_ms)) || fail "$command: $elapsed_ms ms"
		until_no_helper
	done
}

@test "signals at random moments: no wrong state, nothing left behind" {
	need variables
	need_lab
	peer open
	# The sender is a process of its own; its pauses are as long as a probe.
	face 'count() { local fds=(/proc/$$/fd/*); echo "${#fds[@]}"; }; trap "((signals++))" USR1; trap : CHLD
		probe() { tcpprobe -q -t 0.01 "$@"; }
		rounds=(); count
		{ trap - USR1 CHLD; while kill -USR1 "$$"; do read -r -t "0.00$((RANDOM % 9))1" <>"$2"; done; } 2>/dev/null & sender=$!
		for ((i = 0; i < 400; i++)); do
			case $((i % 6)) in
				0) want=0; probe 127.0.0.1 "$1" ;;
				1) want=1; probe 127.0.0.1 1 ;;
				2) want=124; probe "$3" 80 ;;
				3) want=1; probe -t 5 5ms.127-0-0-1.ip.test 1 ;;
				4) want=124; probe -r 0.01 -i 0.001 127.0.0.1 1 ;;
				5) want=0; probe -u fd 127.0.0.1 "$1" && exec {fd}>&- ;;
			esac
			status=$?
			((status == want || status == 138)) || echo "round $i: $status, not $want"
			((interrupted += status == 138))
		done
		trap "" USR1; kill "$sender"; wait "$sender"; trap - USR1 CHLD; count; pgrep -P $$ || echo "no child"; ((interrupted > 0 && signals > 0)) && echo interrupted' \
		"$port" <(exec tail -f /dev/null) "$TP_SILENT"
	assert_equal "${#lines[@]} ${lines[0]}" "4 ${lines[1]}"
	assert_line --index 2 'no child'
	assert_line --index 3 interrupted
}

@test "it works as process 1" {
	need variables
	need_lab
	peer open
	within=(unshare --pid --fork --mount-proc)
	face 'tcpprobe -v 127.0.0.1 "$1" && tcpprobe -v "5ms.127-0-0-1.ip.test" "$1" && [[ $$ == 1 ]] && pgrep -P 1 || echo "no child"' "$port"
	assert_line --index 1 --partial ' open '
	assert_line --index 2 'no child'
	assert_equal "$stderr" ''
}
