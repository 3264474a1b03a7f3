#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Living inside bash: signals, jobs, traps, and what is left behind. The builtin only.

setup() {
	load lib
	need inside
}

# -- Signals

@test "SIGINT ends a script at once, mid-handshake and mid-lookup" {
	need_lab
	for target in "$TP_SILENT" no.dead.test; do
		interrupted INT 'tcpprobe -t 60 "$1" 80; echo not reached' "$target"
		assert_equal "$status $output" '130 '
		((elapsed_ms < 100 + late_ms)) || fail "took $elapsed_ms ms"
		until_no_helper
	done
}

@test "SIGINT ends a script that has traps: the trap of EXIT runs, and no command after it" {
	need_lab
	interrupted INT 'trap "echo bye" EXIT; tcpprobe -t 60 "$1" 80; echo not reached' no.dead.test
	assert_equal "$status $output" '130 bye'
	no_helper_left
}

@test "SIGTERM ends the shell, and no helper is left" {
	need_lab
	interrupted TERM 'trap : EXIT; tcpprobe -t 60 "$1" 80; echo not reached' no.dead.test
	assert_equal "$status $output" '143 '
	no_helper_left
}

@test "SIGKILL of the shell leaves no helper" {
	need_lab
	interrupted KILL 'tcpprobe -t 60 "$1" 80' no.dead.test
	assert_equal "$status" 137
	until_no_helper
}

@test "a trapped signal ends it with 128+n, and the trap runs right after" {
	need_lab
	for target in "$TP_SILENT" no.dead.test; do
		interrupted USR1 'trap "echo trapped" USR1; tcpprobe -t 60 "$1" 80; echo "status $?"' "$target"
		assert_output $'trapped\nstatus 138'
		((elapsed_ms < 100 + late_ms)) || fail "took $elapsed_ms ms"
		no_helper_left
	done
}

@test "a trapped SIGINT is 130, and the script goes on" {
	need_lab
	interrupted INT 'trap "echo trapped" INT; tcpprobe -t 60 "$1" 80; echo "status $?"' "$TP_SILENT"
	assert_output $'trapped\nstatus 130'
}

@test "an ignored signal does not end it" {
	need_lab
	interrupted USR1 'trap "" USR1; tcpprobe -t 0.5 "$1" 80; echo "status $?"' "$TP_SILENT"
	assert_output --partial "status $(status_of timeout)"
}

@test "a probe inside a trap runs to its end" {
	need_lab
	interrupted USR1 'trap "tcpprobe -q -t 0.2 $1 80; echo inner \$?" USR1; tcpprobe -t 60 "$1" 80; echo "status $?"' "$TP_SILENT"
	assert_output $'inner 124\nstatus 138'
}

@test "return and exit in a trap leave nothing behind" {
	need_lab
	interrupted USR1 'f() { trap "return 7" USR1; tcpprobe -t 60 "$1" 80; echo not reached; }
		count() { local fds=(/proc/$$/fd/*); echo "${#fds[@]} descriptors"; }
		count; f "$1"; echo "status $?"; count' no.dead.test
	assert_line --index 1 'status 7'
	assert_equal "${lines[0]}" "${lines[2]}"
	interrupted USR1 'trap "exit 9" USR1; tcpprobe -t 60 "$1" 80; echo not reached' no.dead.test
	assert_equal "$status $output" '9 '
	no_helper_left
}

# shows TEXT: waits until the terminal of the test has shown it.
shows() {
	until grep -qasF -- "$1" "$BATS_TEST_TMPDIR/screen"; do
		kill -0 "$terminal_pid" || fail "the terminal never showed $1"
	done
}

@test "Ctrl-C at a prompt gives the prompt back within 100 ms, and \$? is 130" {
	need_lab
	mkfifo "$BATS_TEST_TMPDIR/keys"
	script -qfec "exec $shell --norc --noprofile -i" "$BATS_TEST_TMPDIR/screen" \
		<"$BATS_TEST_TMPDIR/keys" >/dev/null 2>&1 3>&- &
	terminal_pid=$!
	exec {keys}>"$BATS_TEST_TMPDIR/keys"
	# The prompt counts the commands.
	echo "PS1='<\#>'; enable -f $so tcpprobe" >&"$keys"
	for target in "$TP_SILENT" no.dead.test; do
		shows "<$((number += 2))>"
		# The shell also waits in poll at its prompt, and a Ctrl-C there would throw away what was typed. So see
		# the command begin first.
		echo "echo begun\$((++begun)); tcpprobe -t 60 $target 80" >&"$keys"
		shows "begun$((++begun))"
		until_waiting "$(pgrep -P "$terminal_pid")"
		begin=${EPOCHREALTIME/./}
		printf '\003' >&"$keys"
		shows "<$((number + 1))>"
		((${EPOCHREALTIME/./} - begin < 100000)) || fail 'the prompt came late'
		echo 'echo "status $?"' >&"$keys"
		refute pgrep -P "$(pgrep -P "$terminal_pid")"
	done
	shows "<$((number + 2))>"
	echo exit >&"$keys"
	wait "$terminal_pid"
	assert_equal "$(grep -ac 'status 130' "$BATS_TEST_TMPDIR/screen")" 2
}

# -- Jobs

@test "background jobs, wait, \$! and a CHLD trap do not notice it" {
	need_lab
	face 'trap "((chld++))" CHLD
		(exit 7) & job=$!
		tcpprobe -t 1 20ms.127-0-0-1.ip.test 1 2>/dev/null
		tcpprobe -t 0.1 no.dead.test 1 2>/dev/null
		[[ $! == $job ]] || echo "job $job became $!"
		wait $job; echo "job $? chld $chld"'
	assert_output 'job 7 chld 1'
}

@test "the same under set -m, with wait -n, and where SIGCHLD is ignored" {
	need_lab
	face 'set -m; (exit 7) & tcpprobe -q -t 0.1 no.dead.test 1; wait -n; echo "job $?"'
	assert_output 'job 7'
	face 'trap "" CHLD; (exit 7) & job=$!; tcpprobe -q -t 0.1 no.dead.test 1; echo "status $?"; wait $job; echo "job $?"'
	assert_output $'status 124\njob 7'
}

@test "it works in subshells, pipes, substitutions and under set -e" {
	peer open
	face 'set -e; (tcpprobe 127.0.0.1 "$1"); x=$(tcpprobe -v 127.0.0.1 "$1"); echo "$x" | grep -c open
		if tcpprobe -q 127.0.0.1 1; then echo wrong; fi; tcpprobe -q 127.0.0.1 1; echo not reached' "$port"
	assert_state refused
	assert_output 1
}

@test "variables that the script exports reach the resolver" {
	need dns
	need_lab
	face 'tcpprobe -q nx.test 80; export RES_OPTIONS="timeout:1 attempts:1"; tcpprobe -t 4 no.dead.test 80'
	assert_state unresolved
	assert_took_less 2500
}

# -- What is left

@test "after 100,000 probes there is no descriptor and no child more than after the first tenth, and no memory" {
	need_lab
	peer open
	face 'port=$1
		count() { local fds=(/proc/$$/fd/*) key value
			while read -r key value _; do [[ $key == RssAnon: ]] && echo "${#fds[@]} $value"; done </proc/$$/status; }
		round() { for ((i = 0; i < $1; i++)); do tcpprobe -q 127.0.0.1 "1-9,$port"; done
			for ((i = 0; i < 300; i++)); do tcpprobe -q 127-0-0-1.ip.test 1; done; }
		# Twice before: what bash itself needs for it is there then.
		count; count; round 1000; count; round 9000; count
		read -r children </proc/$$/task/$$/children; echo "children $children"' "$port"
	assert_equal "${lines[3]% *} ${lines[4]}" "${lines[2]% *} children "
	# A few pages may be bash's own. malloc(3) gives 16 bytes or more, so a leak in each call would be 148 kB.
	((${lines[3]#* } - ${lines[2]#* } <= 64)) || fail "grew from ${lines[2]#* } to ${lines[3]#* } kB"
}

@test "where standard descriptors are closed, nothing of the shell's goes to a peer" {
	need plain alone
	need_lab
	peer open
	within=(strace -f -qq -yy -e 'trace=write,sendto,sendmmsg' -o "$BATS_TEST_TMPDIR/trace")
	face 'exec 0<&- 1>&- 2>&-; tcpprobe -v -t 0.3 "$@"; :' "$TP_SILENT:1-20" "$TP_FAR.0.1:80" "127.0.0.1:$port" \
		50ms.127-0-0-1.ip.test:"$port" 127.0.0.1:1
	refute grep -E '^[0-9]+ +(write|send[a-z]*)\(([0-2]<|[0-9]+<TCP)' "$BATS_TEST_TMPDIR/trace"
}

@test "valgrind finds no error and no leak of ours" {
	need_lab
	peer open
	# valgrind takes over only the C library's malloc. If bash has one of its own, valgrind would see only half of
	# its calls.
	run -0 valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
		--errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes \
		--soname-synonyms=somalloc=nouserintercepts \
		"$shell" --norc -c "$face_prelude"'
		tcpprobe -v 127.0.0.1:$1 localhost:$1 [::1]:$1 two-faced:$1 10ms.127-0-0-1.ip.test:$1 no.nx.test:1
		tcpprobe -a -t 0.5 three-silent $1
		tcpprobe -t 0.2 no.dead.test 1-3 -q; tcpprobe -q -t 0.2 no.dead.test 1-3
		tcpprobe 127.0.0.1 99999; tcpprobe "postgres://a,b:x@c,d:0"; tcpprobe -t x a 1
		true' script "$port"
}

@test "signal dispositions, mask, options, variables and descriptors are as they were" {
	need_lab
	# /proc is read without a fork: while bash waits for a child, its mask and its handlers change from moment to
	# moment.
	face 'state() { mapfile -t status </proc/$$/status; printf "%s\n" "${status[@]}" | grep -E "^Sig(Blk|Ign|Cgt)"
			unset status; declare -p | grep -vE " (_|BASH_.*|S?RANDOM|SECONDS|EPOCH.*|LINENO|PIPESTATUS|FUNCNAME)="
			set -o; shopt; ls -l /proc/$$/fd | awk "{ print \$9, \$10, \$11 }" | grep -vE "pipe|before|after|^ *\$"; ulimit -a; }
		state >"$1/before"
		tcpprobe -q -t 0.2 two-faced:1 no.dead.test:1; tcpprobe -q -t 0.2 127.0.0.1:1 no.dead.test:1 no.nx.test:2
		state >"$1/after"; diff "$1/before" "$1/after"' "$BATS_TEST_TMPDIR"
	assert_output ''
	assert_state open
}

@test "no shell of a test has the history or the home of whoever runs the tests" {
	assert_equal "${HISTFILE-unset}" ''
	assert_equal "$HOME" "$TP_BUILD/home"
}
