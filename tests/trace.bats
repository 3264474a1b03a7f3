#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "Who said no", and "How it connects" -T: over two routers, with no privileges at all.

setup() {
	load lib
	need engine
	load servers
	need_lab
	# shellcheck source=lab/map.sh
	. "$BATS_TEST_DIRNAME/lab/map.sh"
	within=(setpriv --bounding-set=-all --inh-caps=-all)
}

# end_peer MODE...: a peer at the end of the way; sets port.
end_peer() {
	exec {peer_fd}< <(exec nsenter --net="$TP_END_NET" "$TP_BUILD/lab/peer" "$@" 3>&-)
	peer_pid=$!
	read -r port <&"$peer_fd"
}

# icmp_words FAMILY TYPE CODE: prints the words that icmp.def has for this ICMP error.
icmp_words() {
	awk -F'[(,"]' -v family="AF_INET${1#4}" -v type="$2" -v code="$3" \
		'/^TP_ICMP/ && $2 == family && $3 + 0 == type && $4 + 0 == code { print $6 }' "$tree/include/icmp.def"
}

# for_each_reject FUNCTION: calls it for each router, family and kind of ICMP error, with the port, the router's number,
# the family, the router's address, the end's address, the type and the code.
for_each_reject() {
	local router n type4 code4 type6 code6 hop hop6

	while read -r n _ type4 code4 _ type6 code6; do
		[[ $type4 != - ]] || continue
		for router in 1 2; do
			hop=TP_HOP$router hop6=TP_HOP${router}_6
			"$1" $((8000 + router * 100 + n)) "$router" 4 "${!hop}" "$TP_END" "$type4" "$code4"
			"$1" $((8000 + router * 100 + n)) "$router" 6 "${!hop6}" "$TP_END6" "$type6" "$code6"
		done
	done < <(lab_rules)
}

# -- Who said no

reports_who() {
	local words

	words=$(icmp_words "$3" "$6" "$7")
	face 'tcpprobe -F "%r" "$1" "$2"; tcpprobe -j "$1" "$2" | jq -c "[.reporter, .icmp]"; tcpprobe "$1" "$2"' "$5" "$1"
	assert_line --index 0 "$4"
	assert_line --index 1 "[\"$4\",[$6,$7]]"
	assert_message_has " ($words, says $4)"
}

@test "an ICMP error from the way is told with its code and its sender, by each router, of both families" {
	need icmp
	for_each_reject reports_who
}

@test "a RST is the host's own word, and silence is nobody's" {
	face 'tcpprobe -F %r "$@"' "$TP_END:81" "[$TP_END6]:81" "$TP_RESET:80"
	assert_output "$TP_END
$TP_END6
$TP_RESET"
	face 'tcpprobe -t 0.2 -F "%s %r" "$@"' "$TP_END:8101" "$TP_SILENT:80"
	assert_output $'timeout -\ntimeout -'
}

@test "a firewall of this host is told at once, not after a second" {
	need icmp
	within=()
	face 'tcpprobe "$1" 80' "$TP_REJECT_PORT"
	assert_state refused
	assert_message "$TP_REJECT_PORT:80: Connection refused (port unreachable, says $TP_REJECT_PORT)"
	assert_took_less 200
	face 'tcpprobe "$1" 80' "$TP_REJECT6"
	assert_state unreachable
	assert_took_less 200
}

@test "a routing loop is unreachable, and says so" {
	need icmp
	face 'tcpprobe "$@"' "$TP_LOOP:80" "[$TP_LOOP6]:80"
	assert_state unreachable
	assert_message_has 'time exceeded in transit: a routing loop, says'
	assert_message_has 'hop limit exceeded in transit: a routing loop, says'
}

@test "of several addresses the evidence is that of the one that decided" {
	need icmp
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c '{ cat /etc/hosts; echo "$1 mixed"; echo "$2 mixed"; } >"$0"; shift 2
		mount --bind "$0" /etc/hosts; exec "$@"' "$BATS_TEST_TMPDIR/hosts" "$TP_END6" "$TP_END")
	face 'tcpprobe -F "%a %r" mixed 8112; tcpprobe -F "%s %a %r" mixed 8215'
	assert_line --index 0 --regexp "^($TP_END6 $TP_HOP1_6|$TP_END $TP_HOP1)$"
	assert_line --index 1 --regexp "^unreachable ($TP_END6 $TP_HOP2_6|$TP_END $TP_HOP2)$"
}

# -- The trace

@test "-T shows each hop, then where it is answered" {
	need icmp
	end_peer -a 0.0.0.0 open
	face 'tcpprobe -T "$1" "$2"' "$TP_END" "$port"
	assert_state open
	assert_line --index 0 --regexp "^ 1  $TP_HOP1  [0-9]+\.[0-9]{3} ms$"
	assert_line --index 1 --regexp "^ 2  $TP_HOP2  [0-9]+\.[0-9]{3} ms$"
	assert_line --index 2 --regexp "^ 3  $TP_END  [0-9]+\.[0-9]{3} ms$"
	assert_line --index 3 "$TP_END:$port open: answered at hop 3 ($TP_END)"
	assert_equal "${#lines[@]}$stderr" 4
	assert_took_less 150
	# No program at the end sees a connection.
	assert_equal "$(peer_accepted)" 0
}

# limit_routers MS: each sends one peer an ICMP error in so many ms, and some six at once, as Linux does by itself.
limit_routers() {
	local net

	for net in "$TP_HOP1_NET" "$TP_HOP2_NET"; do
		nsenter --net="$net" sh -c 'echo "$1" >/proc/sys/net/ipv4/icmp_ratelimit' sh "$1"
	done
}

@test "-T takes no retransmission for the time of a hop, where routers limit their ICMP errors" {
	need icmp
	limit_routers 1000
	face 'for ((i = 0; i < 12; i++)); do tcpprobe -T "$1" 81; done' "$TP_END"
	limit_routers 0
	assert_equal "$(grep -c ' refused: a TCP reset, at hop 3 ' <<<"$output")" 12
	assert_line --regexp '^ [12]  \*$'
	assert_equal "$(awk '/ ms$/ && $3 > 500' <<<"$output")" ''
}

@test "-T tells a refusal by the host from one by a router" {
	need icmp
	face 'tcpprobe -T "$1" 81' "$TP_END6"
	assert_state refused
	assert_line --index 3 "[$TP_END6]:81 refused: a TCP reset, at hop 3 ($TP_END6)"
	face 'tcpprobe -T "$1" 8212' "$TP_END"
	assert_state refused
	assert_line --index 2 "$TP_END:8212 refused: port unreachable, says hop 2 ($TP_HOP2)"
}

@test "-T does not say who sent a TCP reset: a router's is an earlier hop in the host's name" {
	face 'tcpprobe -T "$1" 8102' "$TP_END"
	assert_state refused
	assert_line --index 2 "$TP_END:8102 refused: a TCP reset, at hop 2 ($TP_END)"
}

names_the_hop() {
	local label=$5

	[[ $label != *:* ]] || label="[$label]"
	# 25 times for each of two routers in two families: 100 times for each kind of error.
	face 'for ((i = 0; i < 25; i++)); do tcpprobe -T "$1" "$2"; done | grep -v "^ "' "$5" "$1"
	assert_equal "$(sort -u <<<"$output" | sed 's/^[^ ]* [^ ]* //')" "$(icmp_words "$3" "$6" "$7"), says hop $2 ($4)"
	assert_equal "${#lines[@]}" 25
}

@test "-T names the hop of the firewall that rejects, whichever it is and however, each time" {
	need icmp
	for_each_reject names_the_hop
}

@test "-T finds where silence begins, and a silent end costs one deadline" {
	need icmp
	for router in 1 2; do
		hop=TP_HOP$router hop6=TP_HOP${router}_6
		face 'tcpprobe -t 0.5 -T "$1" "$2"' "$TP_END" "8${router}01"
		assert_state timeout
		assert_line --index "$router" " $((router + 1))  *"
		assert_line --index $((router + 1)) "$TP_END:8${router}01 timeout: answered up to hop $router (${!hop}), silent beyond"
		assert_took_about 500
		face 'tcpprobe -t 0.5 -T "$1" "$2"' "$TP_END6" "8${router}01"
		assert_line --index $((router + 1)) --partial "answered up to hop $router (${!hop6}), silent beyond"
	done
	face 'tcpprobe -t 0.3 -T "$1" 80' "$TP_SILENT"
	assert_output " 1  *
$TP_SILENT:80 timeout: silent from the first hop"
}

@test "-T asks a silent hop again, and goes on past it" {
	nsenter --net="$TP_HOP1_NET" nft 'add table inet mute; add chain inet mute output { type filter hook output priority 0; ip protocol icmp drop; }'
	face 'tcpprobe -T "$1" 81' "$TP_END"
	nsenter --net="$TP_HOP1_NET" nft 'delete table inet mute'
	assert_state refused
	assert_line --index 0 ' 1  *'
	assert_line --index 3 "$TP_END:81 refused: a TCP reset, at hop 3 ($TP_END)"
	assert_took_less 300
}

@test "-T sees a loop" {
	need icmp
	face 'tcpprobe -T "$1"; tcpprobe -T "$2"' "$TP_LOOP:80" "[$TP_LOOP6]:80"
	assert_state unreachable
	assert_line --partial "$TP_LOOP:80 unreachable: a routing loop, hop 3 is hop 1 ($TP_HOP1) again"
	assert_line --partial "[$TP_LOOP6]:80 unreachable: a routing loop, hop "
}

@test "-T of what cannot be sent, or has no address, says why" {
	face 'for target; do tcpprobe -t 0.3 -T "$target"; echo $?; done' "$TP_NOROUTE:80" no.nx.test:80 no.dead.test:80
	assert_line --index 0 "$TP_NOROUTE:80 unreachable: Network is unreachable"
	assert_line --index 2 'no.nx.test:80 unresolved: Name or service not known'
	assert_line --index 4 'no.dead.test:80 timeout: Name lookup timed out'
	assert_equal "${lines[1]} ${lines[3]} ${lines[5]}" '3 4 124'
	no_helper_left
}

@test "-T with -j is an object a hop, then the probe's own" {
	need icmp
	face 'tcpprobe -T -j "$1" 8215' "$TP_END"
	run jq -c 'if .hop then [.hop, .address, (.ms | type)] else [.state, .reporter, .icmp] end' <<<"$output"
	assert_output "[1,\"$TP_HOP1\",\"number\"]
[2,\"$TP_HOP2\",\"number\"]
[\"unreachable\",\"$TP_HOP2\",[3,13]]"
}

@test "an answering end takes at most three round trips and 50 ms" {
	face 'begin=${EPOCHREALTIME/./}; tcpprobe -T "$1" 80 >/dev/null; echo $(((${EPOCHREALTIME/./} - begin) / 1000))' "$TP_FAR.0.1"
	((output <= 3 * TP_RTT + 50 + late_ms)) || fail "$output ms"
}

@test "-T goes with none of the options that make several probes or lines of their own" {
	need variables
	for options in -1 -a '-c 2' '-f /dev/null' '-F %h' '-o x' '-r 1' '-R 1' '-u x' -z; do
		face "tcpprobe -T $options 127.0.0.1 1"
		assert_state usage
		assert_message_has 'exclude each other'
	done
	for targets in '127.0.0.1 1,2' '127.0.0.1:1 127.0.0.1:1' '127.0.0.1 1-3'; do
		face "tcpprobe -T $targets"
		assert_state usage
		assert_message_has '-T: one target, and one port'
	done
}

@test "SIGINT ends a trace at once" {
	need inside
	within=()
	interrupted INT 'tcpprobe -T -t 60 "$1" 80; echo not reached' "$TP_SILENT"
	assert_equal "$status" 130
	((elapsed_ms < 100 + late_ms)) || fail "took $elapsed_ms ms"
}

# -- False evidence, and none

@test "forged ICMP errors, 10,000 a second, change no state and name no reporter" {
	for kind in port sequence short garbage; do
		exec {forger_fd}< <(exec "$TP_BUILD/lab/forger" "$kind" "$TP_SOURCE" "$TP_FAR.0.1" "$(far_port silent)" 3>&-)
		read -r line <&"$forger_fd"
		assert_equal "$line" ready
		within=()
		face 'for i in 1 2 3; do tcpprobe -t 0.3 -F "%s %r" "$1" "$2"; tcpprobe -F "%s %r" "$1" "$3"; done' \
			"$TP_FAR.0.1" "$(far_port silent)" "$(far_port open)"
		assert_output $'timeout -\nopen -\ntimeout -\nopen -\ntimeout -\nopen -'
		exec {forger_fd}<&-
	done
}

@test "what the forger sends would be believed if it were true" {
	need icmp
	exec {forger_fd}< <(exec "$TP_BUILD/lab/forger" true "$TP_SOURCE" "$TP_FAR.0.1" "$(far_port silent)" 3>&-)
	read -r line <&"$forger_fd"
	face 'tcpprobe -t 2 -F "%s %r" "$1" "$2"' "$TP_FAR.0.1" "$(far_port silent)"
	exec {forger_fd}<&-
	assert_output "unreachable $TP_SOURCE"
}

@test "without error queues nobody is named, and -T says where it works" {
	make -s -C "$tree" B="$BATS_TEST_TMPDIR/build" CPPFLAGS=-DTP_WITHOUT_EVIDENCE all
	face_prelude="enable -f '$BATS_TEST_TMPDIR/build/tcpprobe.so' tcpprobe || exit 99; "
	face 'tcpprobe -F "%s %r" "$1" 8215; tcpprobe -F "%s %r" 127.0.0.1 1; tcpprobe -T 127.0.0.1 1' "$TP_END"
	assert_state usage
	assert_output $'unreachable -\nrefused -'
	assert_message_has '-T: works on Linux only'
}

# unseen_by NAME: a trace leaves no line in the server's log, even when it logs as much as it can.
unseen_by() {
	local before

	if why=$(server_missing "$1"); then skip "$why"; fi
	server_start "$1"
	before=$(wc -l <"$server_log")
	within=()
	face 'for ((i = 0; i < 20; i++)); do tcpprobe -T 127.0.0.1 "$1" || exit; done | tail -n 1' "$port"
	assert_output "127.0.0.1:$port open: answered at hop 1 (127.0.0.1)"
	assert_equal "$(wc -l <"$server_log")" "$before"
	server_stop "$1"
}

@test "nginx, sshd and redis at the end of a trace do not see it" {
	unseen_by nginx
	unseen_by sshd
	unseen_by redis
}

@test "-T takes no shortage of this host's for an answer" {
	# Leave this host fewer local ports than a trace asks hops at once.
	range=/proc/sys/net/ipv4/ip_local_port_range
	read -r first last <$range
	echo 40000 40002 >$range
	face 'tcpprobe -T -t 1 "$@"' "$TP_END" 8201
	echo "$first" "$last" >$range
	[[ $output != *'host itself'* ]] || fail "$output"
	assert_state timeout
}
