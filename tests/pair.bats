#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2086 # a shell may be two words
# CONTRACT 7: what may differ between pairs of a shell and a tool. tests/wrapper runs these tests for every pair.

setup() {
	load lib
	load pair
	need_pair
	need_lab
	cd "$BATS_TEST_TMPDIR" || return
}

# probe WORD...: runs the wrapper, and sets status and output. Its deadline is 4711 s unless the words say otherwise, so
# that a clock (a sleep) that was left behind can be found by this number.
probe() {
	run $sh "$file" -t 4711 "$@"
	none_left 4711
}

# in_time WORD...: as probe, with a deadline of half a second, which must be kept within 200 ms. A shell that starts and
# a plain sleep run beside it and show how late this machine is; the probe has three processes, and each may be as late
# as that.
in_time() {
	local begin took late sleeper

	(
		begin=${EPOCHREALTIME/./}
		$sh "$file" -V >/dev/null && sleep 0.5
		echo $(((${EPOCHREALTIME/./} - begin) / 1000 - 500))
	) >late 3>&- &
	sleeper=$!
	begin=${EPOCHREALTIME/./}
	run $sh "$file" -t 0.5 "$@"
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
	wait "$sleeper"
	late=$(<late)
	((took >= 500 && took <= 700 + 3 * late)) || fail "took $took ms; a start and a sleep beside it were $late ms late"
	none_left 4711
}

# told STATE LABEL: the last probe ended in this state, and printed one line, about LABEL.
told() {
	assert_equal "$status $output" "$(status_of "$1") tcpprobe: $2: ${output#"tcpprobe: $2: "}"
	assert_equal "${#lines[@]}" 1
}

@test "an open port is open, and nothing is said" {
	peer open
	probe 127.0.0.1 "$port"
	assert_equal "$status$output" 0
}

@test "a closed port is refused" {
	probe 127.0.0.1 1
	told refused 127.0.0.1:1
	assert_output --partial 'Connection refused'
}

@test "what has no route is unreachable" {
	probe "$TP_UNREACHABLE" 80
	told unreachable "$TP_UNREACHABLE:80"
}

@test "a silent port takes its deadline" {
	in_time "$TP_SILENT" 4711
	told timeout "$TP_SILENT:4711"
}

@test "an unknown name is unresolved" {
	probe no.nx.test 80
	told unresolved no.nx.test:80
}

@test "a resolver that is dead takes the deadline" {
	in_time no.dead.test 4711
	told timeout no.dead.test:4711
}

@test "where the host lacks IPv6, the other address of localhost decides" {
	own_network net/ipv6/conf/all/disable_ipv6=1
	run "${within[@]}" $sh "$file" -t 4711 localhost 1
	none_left 4711
	told refused localhost:1
}

@test "where SIGCHLD was ignored from the start, it keeps its deadline, or says that it cannot" {
	# timeout(1) would restore SIGCHLD.
	(trap '' CHLD && exec $sh "$file" -t 0.5 "$TP_SILENT" 4711) >out 2>&1 3>&- &
	pid=$! ended=0
	for ((i = 0; i < 1000; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		moment
	done
	kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" || ended=$?
	run cat out
	status=$ended
	if [[ $sh == yash ]]; then
		told error "$TP_SILENT:4711"
		assert_output --partial 'SIGCHLD is ignored'
	else
		told timeout "$TP_SILENT:4711"
	fi
	none_left 4711
}

@test "Ctrl-C ends it at once, and no process is left" {
	ended_by INT group 130 $sh "$file" -t 4711 "$TP_SILENT" 4711
	((elapsed_ms <= 200 + late_ms)) || fail "took $elapsed_ms ms"
	none_left 4711
}

@test "TERM leaves no process, once the try is over" {
	ended_by TERM shell 143 $sh "$file" -t 0.5 "$TP_SILENT" 4711
	until_gone 4711
}

@test "TERM to a script ends its call of the function too, once the try is over" {
	need term
	ended_by TERM shell 143 $sh -c ". '$file'; tcpprobe -r 4713 -t 0.5 $TP_SILENT 4711; echo went on"
	until_gone 4711
}
