#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "What is printed", and what the command says about itself.

setup() {
	load lib
}

@test "what is not open is one line on stderr, with script and line, and nothing on stdout" {
	need inside
	peer closed
	face $'\n\ntcpprobe "$@"' 127.0.0.1 "$port"
	assert_equal "$stderr" "script: line 3: tcpprobe: 127.0.0.1:$port: Connection refused"
	assert_equal "$output" ''
}

@test "-v prints a line for what is open: label, state, address and milliseconds" {
	need time
	peer open
	face 'tcpprobe -v "$@"' localhost "$port"
	assert_output --regexp "^localhost:$port open (127\.0\.0\.1|::1) [0-9]+\.[0-9]{3} ms$"
}

@test "-v counts the states at the end where there was more than one probe" {
	peer open
	face 'tcpprobe -v "$@"' "127.0.0.1:$port" 127.0.0.1:1 "127.0.0.1:$port"
	assert_line --index 2 '--- 3 probes: 2 open, 1 refused'
	face 'tcpprobe -v "$@"' "127.0.0.1:$port"
	refute_output --partial '---'
}

@test "-q prints nothing about states, and -qv just what is open" {
	peer open
	face 'tcpprobe -q "$@"' 127.0.0.1:1
	assert_state refused
	assert_equal "$output$stderr" ''
	face 'tcpprobe -qv "$@"' "127.0.0.1:$port" 127.0.0.1:1
	assert_line --index 0 --partial ' open '
	assert_equal "${#lines[@]}$stderr" 1
}

@test "-q does not silence usage errors or those of this host" {
	need engine
	face 'tcpprobe -q 127.0.0.1 0'
	assert_message_has "'0'"
	face 'tcpprobe -q -s 192.0.2.77 127.0.0.1 1'
	assert_message_has 'Cannot assign requested address'
}

@test "reports come in the order of the targets, whatever came first" {
	need time
	need_lab
	peer open
	face 'tcpprobe -v -t "$@" 2>&1' "$(patient 1)" "$TP_SILENT:1" "127.0.0.1:$port" "$TP_FAR.0.1:80" "127.0.0.1:1" "two-faced:1"
	assert_line --index 0 --partial "$TP_SILENT:1: "
	assert_line --index 1 --partial "127.0.0.1:$port open"
	assert_line --index 2 --partial "$TP_FAR.0.1:80 open"
	assert_line --index 3 --partial '127.0.0.1:1: '
	assert_line --index 4 --partial 'two-faced:1: '
}

@test "a report comes as soon as the order allows" {
	need time
	need_lab
	peer open
	face 'tcpprobe -v -t "$@" | { begin=$EPOCHREALTIME; read -r line; echo "$line"
		echo $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)); }' "$(patient 1)" "127.0.0.1:$port" "$TP_SILENT:1"
	assert_line --index 0 --partial "127.0.0.1:$port open"
	((lines[1] < 500 + late_ms)) || fail "came after ${lines[1]} ms"
	need engine
	peer -6 -a ::1 open
	face 'tcpprobe -a -v -t "$1" two-minded "$2" | { begin=$EPOCHREALTIME; read -r line; echo "$line"
		echo $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)); }' "$(patient 1)" "$port"
	assert_line --index 0 --partial "two-minded:$port open ::1"
	((lines[1] < 500 + late_ms)) || fail "came after ${lines[1]} ms"
}

@test "the time shown is the handshake's" {
	need time
	need_lab
	face 'tcpprobe -v "$@"' "$TP_FAR.0.1" "$(far_port open)"
	[[ $output =~ ' '([0-9]+)\.[0-9]{3}' ms'$ ]]
	((BASH_REMATCH[1] >= TP_RTT && BASH_REMATCH[1] <= TP_RTT + 5 + late_ms)) || fail "$output"
}

@test "65,535 ports are one command, and no line is lost" {
	# Outside the lab the scan would meet the servers of other tests.
	need_lab
	need engine
	peer closed
	face 'tcpprobe 127.0.0.1 1-65535 2>&1 | grep -c " Connection refused$"'
	listening=$(ss -Htln 'src = 127.0.0.1 or src = 0.0.0.0' | wc -l)
	((output >= 65535 - listening - 1))
}

@test "-h and --help print the help on stdout, status 0, on one screen" {
	for option in -h --help; do
		face "tcpprobe $option"
		assert_state open
		assert_line --index 0 --regexp '^usage: tcpprobe \[OPTION\]'
		assert_line --regexp '^  -t, --timeout TIME  '
		# The status has a row of its own, or is part of the one sentence in the wrapper's help.
		assert_line --regexp '(^  |, )124 +timeout'
		assert_line --index -1 --partial '  tcpprobe '
		((${#lines[@]} <= 50)) || fail "${#lines[@]} lines"
		refute_line --regexp '.{81}'
		assert_equal "$stderr" ''
	done
}

@test "every option is in the help of the faces that have it, and another face says who has it" {
	peer open
	while read -r letter long faces; do
		if [[ $faces == *"${face_name:0:1}"* ]]; then
			face 'tcpprobe --help'
			assert_line --partial "  -$letter, --$long"
		else
			face 'tcpprobe "$@"' "-$letter" x 127.0.0.1 "$port"
			assert_state usage
			assert_message_has "'-$letter': only the builtin"
		fi
	done < <(sed -nE 's/^TP_(FLAG|VALUE)\((.), "([a-z0-9-]+)", .*"([bpw]+)", ".*/\2 \3 \4/p' "$tree/include/usage.def")
	assert_equal "$(peer_accepted)" 0
}

@test "-V prints name, version and face" {
	face 'tcpprobe -V'
	assert_output --regexp '^tcpprobe [0-9]+\.[0-9]+\.[0-9]+ \('"$face_name"'\)$'
}

@test "a full disk behind stdout is an error, status 5, and not printed twice" {
	peer open
	face 'tcpprobe -v "$@" >/dev/full; echo "then $?"' 127.0.0.1 "$port"
	assert_output 'then 5'
	assert_message_has 'write error'
	[[ $face_name == wrapper ]] || assert_message_has ': No space left on device'
}

@test "a closed stdout is an error" {
	need closed
	peer open
	face 'tcpprobe -v "$@" >&-' 127.0.0.1 "$port"
	assert_state error
	assert_message_has 'write error'
	[[ $face_name == wrapper ]] || assert_message_has ': Bad file descriptor'
}
