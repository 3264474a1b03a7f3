#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# How the builtin is loaded: into which shells, from where, again and again, and how it is unloaded. The builtin only.

setup() {
	load lib
	need inside
	# Each test loads the builtin by itself.
	face_prelude=
}

# -- What is loaded

@test "help shows its usage" {
	face 'enable -f "$1" tcpprobe && help tcpprobe' "$so"
	assert_line --index 0 --partial 'tcpprobe: tcpprobe [OPTION]'
	assert_output --partial 'deadline of a probe'
}

@test "it is listed and called as every builtin is" {
	peer open
	face 'enable -f "$1" tcpprobe && enable -p && type -t tcpprobe
		tcpprobe() { echo function; }; tcpprobe; builtin tcpprobe -o state 127.0.0.1 "$2"; echo "$state"
		unset -f tcpprobe; command tcpprobe -o state 127.0.0.1 1 2>/dev/null; echo "$state"' "$so" "$port"
	assert_line 'enable tcpprobe'
	assert_equal "${lines[*]: -4}" 'builtin function open refused'
}

@test "it exports nothing but its struct" {
	need plain alone
	run nm -D --defined-only "$so"
	assert_output --regexp '^[0-9a-f]+ D tcpprobe_struct$'
}

@test "it imports only what every bash has, and an old glibc" {
	need plain alone
	run -0 "$tree/tests/imports" "$so"
}

# lacking NAME...: makes lacking.so, a copy of the .so in which each NAME has another last letter: no shell has such a
# name.
lacking() {
	local name edit=()

	for name; do
		edit+=(-e "s/\x00$name\x00/\x00${name%?}X\x00/g")
	done
	LC_ALL=C sed "${edit[@]}" "$so" >"$BATS_TEST_TMPDIR/lacking.so"
	! cmp -s "$so" "$BATS_TEST_TMPDIR/lacking.so"
}

@test "in a shell that lacks a function or, as bash 4.2, a variable, the load fails and names it, and the shell lives" {
	need loader
	for name in maybe_make_export_env trapped_signal_received; do
		lacking "$name"
		face 'enable -f "$1" tcpprobe; echo "status $?"' "$BATS_TEST_TMPDIR/lacking.so"
		assert_output 'status 1'
		assert_message_has "undefined symbol: ${name%?}X"
	done
}

@test "what only some shells have may be missing" {
	peer open
	# shellcheck disable=SC2046
	lacking $(nm -D --undefined-only "$so" | sed -n 's/.* w \([A-Za-z_]*\).*/\1/p')
	face 'enable -f "$1" tcpprobe; tcpprobe -u kept -t 1 127.0.0.1 "$2" && tcpprobe -v -c 1 -t 1 127.0.0.1 "$2"' \
		"$BATS_TEST_TMPDIR/lacking.so" "$port"
	assert_state open
	refute [ -z "$output" ]
	need_lab
	interrupted USR1 'enable -f "$1" tcpprobe && trap "echo trapped" USR1; tcpprobe -t 60 "$2" 80; echo "status $?"' \
		"$BATS_TEST_TMPDIR/lacking.so" "$TP_SILENT"
	assert_output $'trapped\nstatus 138'
}

# -- In and out

@test "it loads, loads again, unloads and loads once more, and works each time" {
	peer open
	face 'enable -f "$1" tcpprobe && tcpprobe 127.0.0.1 "$2" && enable -f "$1" tcpprobe && tcpprobe 127.0.0.1 "$2" &&
		enable -d tcpprobe && enable -f "$1" tcpprobe && tcpprobe 127.0.0.1 "$2"' "$so" "$port"
	assert_state open
	assert_equal "$(peer_accepted)" 3
}

@test "unloaded, it is no command, and cannot be unloaded again" {
	face 'PATH=/none; enable -f "$1" tcpprobe && enable -d tcpprobe && tcpprobe 127.0.0.1 1; echo "status $?"
		type -t tcpprobe; enable -d tcpprobe; echo "status $?"' "$so"
	assert_output $'status 127\nstatus 1'
	assert_message_has 'tcpprobe: command not found'
	assert_message_has 'enable: tcpprobe: not a shell builtin'
}

@test "loaded and unloaded 100 times, it leaves no mapping and no descriptor" {
	need loader
	face 'count() { mapfile maps </proc/$$/maps; local fds=(/proc/$$/fd/*); echo "${#fds[@]}"; }
		for ((i = 0; i < 100; i++)); do enable -f "$1" tcpprobe; tcpprobe -q localhost 1; enable -d tcpprobe; ((i > 0)) || count; done; count
		[[ ${maps[*]} != *"$1"* ]]; echo "unmapped $?"' "$so"
	assert_output "${lines[0]}"$'\n'"${lines[0]}"$'\nunmapped 0'
}

@test "enable -n hides it, and enable brings it back" {
	face 'PATH=/none; enable -f "$1" tcpprobe && enable -n tcpprobe; tcpprobe -q 127.0.0.1 1; echo "status $?"
		enable tcpprobe; tcpprobe -q 127.0.0.1 1; echo "status $?"; enable -n tcpprobe; enable -d tcpprobe; echo "status $?"' "$so"
	assert_output $'status 127\nstatus 1\nstatus 0'
}

@test "two copies under different paths: the one that was loaded last works, also when the other is gone" {
	mkdir "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	cp "$so" "$BATS_TEST_TMPDIR/a"
	cp "$so" "$BATS_TEST_TMPDIR/b"
	peer open
	face 'use() { tcpprobe 127.0.0.1 "$port"; echo "status $?"; }; PATH=/none port=$3
		enable -f "$1" tcpprobe; use; enable -f "$2" tcpprobe; use; enable -f "$1" tcpprobe; use
		enable -d tcpprobe; use; enable -f "$2" tcpprobe; use' \
		"$BATS_TEST_TMPDIR/a/tcpprobe.so" "$BATS_TEST_TMPDIR/b/tcpprobe.so" "$port"
	assert_output $'status 0\nstatus 0\nstatus 0\nstatus 127\nstatus 0'
	assert_equal "$(peer_accepted)" 4
}

@test "a load that fails leaves the one that is there" {
	face 'enable -f "$1" tcpprobe; enable -f /none/tcpprobe.so tcpprobe; echo "status $?"; enable -f "$1" none; echo "status $?"
		tcpprobe -q 127.0.0.1 1; echo "status $?"' "$so"
	assert_output $'status 1\nstatus 1\nstatus 1'
	assert_message_has 'cannot open shared object /none/tcpprobe.so'
	assert_message_has 'cannot find none_struct'
}

# -- From where

@test "a bare name is looked for in BASH_LOADABLES_PATH" {
	face 'BASH_LOADABLES_PATH=/none:$1; enable -f tcpprobe.so tcpprobe && tcpprobe -q 127.0.0.1 1; echo "status $?"' "${so%/*}"
	assert_output 'status 1'
	assert_equal "$stderr" ''
	face 'BASH_LOADABLES_PATH=/none; enable -f tcpprobe.so tcpprobe; echo "status $?"; type -P tcpprobe.so' "${so%/*}"
	assert_output 'status 1'
	assert_message_has 'enable: cannot open shared object tcpprobe.so'
}

@test "it loads from a folder with blanks in its name, and by a relative path" {
	mkdir "$BATS_TEST_TMPDIR/a folder's \$name"
	cp "$so" "$BATS_TEST_TMPDIR/a folder's \$name/tcp probe.so"
	face 'enable -f "$1/tcp probe.so" tcpprobe && enable -d tcpprobe && cd "$1" && enable -f "./tcp probe.so" tcpprobe && tcpprobe -q 127.0.0.1 1' \
		"$BATS_TEST_TMPDIR/a folder's \$name"
	assert_state refused
	assert_equal "$stderr" ''
}

# mounted OPTIONS: from now on shells see the test's folder mounted with these options.
mounted() {
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c 'mount --bind "$0" "$0" && mount -o "remount,bind,$1" "$0" && shift && exec "$@"' "$BATS_TEST_TMPDIR" "$1")
}

@test "it loads from a folder that nobody can write to" {
	need_lab
	cp "$so" "$BATS_TEST_TMPDIR"
	chmod 444 "$BATS_TEST_TMPDIR/tcpprobe.so"
	mounted ro
	face '(: >"$1/new") 2>/dev/null && echo writable; enable -f "$1/tcpprobe.so" tcpprobe && tcpprobe -q 127.0.0.1 1' "$BATS_TEST_TMPDIR"
	assert_state refused
	assert_equal "$output$stderr" ''
}

@test "from a folder that is mounted noexec the load fails, with a reason, and the shell lives" {
	need kernel
	need_lab
	cp "$so" "$BATS_TEST_TMPDIR"
	mounted noexec
	face 'enable -f "$1/tcpprobe.so" tcpprobe; echo "status $?"' "$BATS_TEST_TMPDIR"
	assert_output 'status 1'
	assert_message_has 'cannot open shared object'
}

# -- Into which shells

@test "a load in a subshell stays there, one in a function does not" {
	face 'PATH=/none; (enable -f "$1" tcpprobe && tcpprobe -q 127.0.0.1 1; echo "subshell $?"); type -t tcpprobe
		echo "substitution $(enable -f "$1" tcpprobe && tcpprobe -o state -q 127.0.0.1 1; echo "$state")"; type -t tcpprobe
		f() { enable -f "$1" tcpprobe; }; f "$1"; tcpprobe -q 127.0.0.1 1; echo "after $?"
		(enable -d tcpprobe; type -t tcpprobe); (tcpprobe -q 127.0.0.1 1; echo "inherited $?")' "$so"
	assert_output $'subshell 1\nsubstitution refused\nafter 1\ninherited 1'
	assert_equal "$stderr" ''
}

@test "a restricted shell may not load it, and lives" {
	flags=(-r)
	face 'enable -f "$1" tcpprobe; echo "status $?"; [[ $(type -t tcpprobe) != builtin ]] || echo loaded' "$so"
	assert_output 'status 1'
	assert_message_has 'restricted'
}

@test "a shell that becomes restricted after the load may not probe, and says so" {
	peer open
	face 'enable -f "$1" tcpprobe; set -r; tcpprobe 127.0.0.1 "$2"' "$so" "$port"
	assert_state error
	assert_message 'restricted'
	for options in '-z' '-T' '-a' '-r 5' '-u fd' '-c 2' '-o state' '-f -'; do
		face 'enable -f "$1" tcpprobe; set -r; tcpprobe '"$options"' 127.0.0.1:"$2" </dev/null' "$so" "$port"
		assert_state error
	done
	assert_equal "$(peer_accepted)" 0
	face 'enable -f "$1" tcpprobe; set -r; tcpprobe -V && tcpprobe -f "$2"' "$so" "$BATS_TEST_TMPDIR/none"
	assert_state error
	refute_output --partial none
	face 'enable -f "$1" tcpprobe; set -r; enable -d tcpprobe; echo "status $?"' "$so"
	assert_output 'status 1'
}

@test "a POSIX shell has the same command" {
	flags=(--posix)
	peer open
	face 'enable -f "$1" tcpprobe && shopt -qo posix && tcpprobe -v 127.0.0.1 "$2" && tcpprobe -o state 127.0.0.1 "$2" && echo "$state"
		tcpprobe 127.0.0.1 1 99999; echo "status $?"; enable -d tcpprobe && enable -f "$1" tcpprobe && tcpprobe 127.0.0.1 1' "$so" "$port"
	assert_state refused
	assert_line --index 0 --partial "127.0.0.1:$port open"
	assert_line --index 1 open
	assert_line --index 2 'status 2'
}

@test "under nounset and errexit it works, and what is not open ends the script" {
	flags=(-o nounset -o errexit)
	peer open
	face 'enable -f "$1" tcpprobe; tcpprobe 127.0.0.1 "$2"; tcpprobe -u fd 127.0.0.1 "$2"; exec {fd}>&-; tcpprobe -o state 127.0.0.1 "$2"
		if ! tcpprobe -q 127.0.0.1 1; then echo "$state"; fi; tcpprobe 127.0.0.1 1; echo not reached' "$so" "$port"
	assert_state refused
	assert_output open
	assert_message '127.0.0.1:1: Connection refused'
	face 'enable -f /none/tcpprobe.so tcpprobe; echo not reached'
	assert_equal "$status $output" '1 '
}

@test "it can be loaded again, and unloaded, while a trap runs that ended a probe" {
	need_lab
	peer open
	for action in 'enable -f $1 tcpprobe' 'enable -d tcpprobe; enable -f $1 tcpprobe'; do
		interrupted USR1 'enable -f "$1" tcpprobe; trap "'"$action"'; tcpprobe -o state 127.0.0.1 $3; echo \$state" USR1
			tcpprobe -t 60 "$2" 80; echo "status $?"; tcpprobe 127.0.0.1 "$3"; echo "status $?"' "$so" "$TP_SILENT" "$port"
		assert_output $'open\nstatus 138\nstatus 0'
	done
	interrupted USR1 'PATH=/none; enable -f "$1" tcpprobe; trap "enable -d tcpprobe" USR1; tcpprobe -t 60 "$2" 80; echo "status $?"
		tcpprobe 127.0.0.1 1 2>/dev/null; echo "status $?"' "$so" no.dead.test
	assert_output $'status 138\nstatus 127'
	no_helper_left
}

@test "traps of DEBUG and EXIT may load it too" {
	peer open
	face 'trap "enable -d tcpprobe 2>/dev/null; enable -f $1 tcpprobe" DEBUG; tcpprobe 127.0.0.1 "$2"; trap - DEBUG; enable -d tcpprobe
		trap "enable -f $1 tcpprobe; tcpprobe 127.0.0.1 $2; echo \$?" EXIT' "$so" "$port"
	assert_output 0
	assert_equal "$(peer_accepted)" 2
}

@test "a statically linked bash cannot load it, says so, and lives" {
	# Where bash-static is a package, .ci/deps installs it or fails.
	shell=$(type -P bash-static) || skip 'contract: not every system has a static bash'
	face 'enable -f "$1" tcpprobe; echo "status $?"; [[ $(type -t tcpprobe) != builtin ]] || echo loaded' "$so"
	assert_output 'status 2'
	assert_message_has 'enable: dynamic loading not available'
}
