#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What only the program has: COMMAND, signal handling of its own, life as process 1, and a static file that runs in an
# empty root.

setup() {
	load lib
	program=$TP_BUILD/tcpprobe
}

# -- COMMAND

@test "it becomes COMMAND once every target is open, and not otherwise" {
	peer open
	run "$program" -r 10 "127.0.0.1:$port" -- sh -c 'echo "became $1 $$"; exit 7' x it
	assert_equal "$status" 7
	assert_output --regexp '^became it [0-9]+$'
	run "$program" -q "127.0.0.1:$port" 127.0.0.1:1 -- echo became it
	assert_equal "$status $output" '1 '
}

@test "COMMAND has the process, the descriptors, the signals and the environment that the program had" {
	peer open
	# shellcheck disable=SC2016
	begun='trap "" USR1; exec 7<<<"its own"; ulimit -n 99; echo "$BASHPID"; exec env -i A=b "$@"'
	inside=(/bin/sh -c 'echo "$$"; cat <&7; ulimit -n; echo "$A"; grep -E "^Sig(Blk|Ign)" /proc/self/status')
	run bash -c "$begun" x "${inside[@]}"
	without=${lines[*]:2}
	run bash -c "$begun" x "$program" "127.0.0.1:$port" -- "${inside[@]}"
	assert_equal "${lines[0]} ${lines[*]:2}" "${lines[1]} $without"
	assert_equal "${lines[*]:2:3}" 'its own 99 b'
}

@test "a COMMAND that is not found is 127, one that cannot be run 126, and none at all a wrong usage" {
	peer open
	run -127 "$program" "127.0.0.1:$port" -- /none/such
	assert_equal "$status $output" '127 tcpprobe: /none/such: No such file or directory'
	# A folder of PATH that may not be entered would make it 126, as of env(1).
	run -127 env PATH=/usr/bin:/bin "$program" "127.0.0.1:$port" -- PASSWORD=s3cret ./server
	assert_equal "$status $output" "127 tcpprobe: '...': No such file or directory"
	# All words in one, as some YAML files have it: only the first is shown.
	run -127 env PATH=/usr/bin:/bin "$program" "127.0.0.1:$port" -- 'mysql -ps3cret'
	assert_equal "$status $output" '127 tcpprobe: mysql ...: No such file or directory'
	run "$program" "127.0.0.1:$port" -- /
	assert_equal "$status" 126
	run "$program" "127.0.0.1:$port" --
	assert_equal "$status" 2
}

# -- Signals

# stopped_by SIGNAL WORD...: runs the program with these words, and sends it the signal once it waits. Sets status,
# elapsed_ms and late_ms.
stopped_by() {
	env --default-signal "$program" "${@:2}" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	until [[ $(<"/proc/$!/wchan") == *poll* ]]; do kill -0 $! || fail 'it ended before it waited'; done
	begin_time
	kill -"$1" $!
	status=0
	wait $! || status=$?
	end_time
}

@test "INT, TERM, HUP and QUIT end it at once with 128+n: in a handshake, a lookup, a wait, between rounds" {
	need_lab
	for signal in INT TERM HUP QUIT; do
		for words in "-t 60 $TP_SILENT 80" '-t 60 no.dead.test 80' '-r 60 -i 60 127.0.0.1 1' '-qc 0 -i 60 127.0.0.1 1'; do
			# shellcheck disable=SC2086
			stopped_by "$signal" $words
			assert_equal "$signal $words: $status" "$signal $words: $((128 + $(kill -l "$signal")))"
			((elapsed_ms < 100 + late_ms)) || fail "$signal $words: $elapsed_ms ms"
		done
	done
	refute pgrep -f '^[^ ]*tcpprobe.* no.dead.test'
}

@test "rounds that a signal ends are summed up" {
	stopped_by TERM -qvc 0 -i 60 127.0.0.1 1
	run cat "$BATS_TEST_TMPDIR/out"
	assert_line --partial '--- 127.0.0.1:1: 1 probe: 0 open (0 %), 1 refused'
}

@test "what the parent ignores stays ignored" {
	need_lab
	run bash -c 'trap "" INT; "$0" -t 0.5 "$1" 80 & sleep_until() { until [[ $(<"/proc/$!/wchan") == *poll* ]]; do :; done; }
		sleep_until; kill -INT $!; wait $!' "$program" "$TP_SILENT"
	assert_equal "$status" 124
}

@test "it works as process 1, is ended by each signal there, and leaves no child" {
	need_lab
	peer open
	run unshare --pid --fork --mount-proc "$program" -v "5ms.127-0-0-1.ip.test:$port"
	assert_output --partial ' open '
	for signal in INT TERM HUP QUIT; do
		unshare --pid --fork --kill-child --mount-proc env --default-signal "$program" -t 60 "$TP_SILENT" 80 3>&- 2>/dev/null &
		until child=$(pgrep -P $!) && [[ $(cat "/proc/$child/wchan" 2>/dev/null) == *poll* ]]; do :; done
		kill -"$signal" "$child"
		status=0
		wait $! || status=$?
		assert_equal "$signal $status" "$signal $((128 + $(kill -l "$signal")))"
	done
}

# -- The static file

# alone WORD...: runs the static program in a root that has only the program itself and what the test puts there.
alone() {
	run chroot "$BATS_TEST_TMPDIR/root" /tcpprobe "$@"
}

@test "the static file is at most 160 KiB, and runs in an empty root: open, refused, silent, a name, COMMAND" {
	need_lab
	[[ -x $TP_BUILD/static/tcpprobe ]] || skip 'no musl-gcc: make static was not run'
	(($(stat -c %s "$TP_BUILD/static/tcpprobe") <= 163840))
	mkdir -p "$BATS_TEST_TMPDIR/root/etc"
	cp "$TP_BUILD/static/tcpprobe" "$BATS_TEST_TMPDIR/root/"
	peer -a 0.0.0.0 open
	alone -v localhost "$port"
	assert_output --partial "localhost:$port open 127.0.0.1"
	alone 127.0.0.1 1
	assert_equal "$status $output" '1 tcpprobe: 127.0.0.1:1: Connection refused'
	alone -t 0.3 "$TP_SILENT" 80
	assert_equal "$status" 124
	cp /etc/resolv.conf "$BATS_TEST_TMPDIR/root/etc/"
	alone -v 127-0-0-1.ip.test "$port"
	assert_output --partial "127-0-0-1.ip.test:$port open 127.0.0.1"
	alone -t 0.3 no.dead.test 80
	assert_equal "$status $output" '124 tcpprobe: no.dead.test:80: Name lookup timed out'
	alone -r 30 "127.0.0.1:$port" -- /tcpprobe -V
	assert_output --partial '(program)'
}
