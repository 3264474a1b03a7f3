#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2086 # a shell may be two words
# CONTRACT "The fallback": what only it has. Run in one shell with one tool; tests/fallback has all of them.

setup() {
	load lib
	export TCPPROBE_BACKEND=${TCPPROBE_BACKEND:-bash}
	sh=${TP_SHELL:-dash}
	file=$tree/shell/tcpprobe.sh
	command -v dash >/dev/null || skip 'no dash'
	# Where it is about the shell, tools of each kind: one that is no program, one that speaks for us, and one that is watched.
	tools=(bash perl nc.openbsd)
	[[ ${tool_name:-perl} == perl ]] || tools=("$TCPPROBE_BACKEND")
}

# none_left PATTERN, or an option of pgrep(1) and its value: no process of ours is alive 100 ms after the end.
none_left() {
	local until=$((${EPOCHREALTIME/./} + 100000 + slack_ms * 1000))

	(($# > 1)) || set -- -f "$1"
	until ! pgrep "$@" >/dev/null; do
		((${EPOCHREALTIME/./} < until)) || fail "still there: $(pgrep -a "$@")"
	done
}

@test "it works when it is fed on standard input" {
	peer open
	run bash -c '(cat "$1"; echo tcpprobe -v 127.0.0.1 "$2") | '"$sh" - "$file" "$port"
	assert_output --partial "127.0.0.1:$port open 127.0.0.1"
}

@test "read with ., it is a function, and nothing of it stays but itself" {
	peer open
	run $sh -c '. "$1"; set >"$3/before"; tcpprobe 127.0.0.1 "$2"; echo "$?"; set >"$3/after"' x "$file" "$port" "$BATS_TEST_TMPDIR"
	assert_output 0
	own='^(_|_AST_FEATURES|RANDOM|SECONDS|EPOCH[A-Z]*|LINENO)='
	run diff <(grep -vE "$own" "$BATS_TEST_TMPDIR/before") <(grep -vE "$own" "$BATS_TEST_TMPDIR/after")
	assert_output ''
}

@test "as a function it sets the variable of -o, and refuses what is none" {
	peer open
	run $sh -c '. "$1"; tcpprobe -q -o state 127.0.0.1 1,"$2"; echo "$? $state"; tcpprobe -o "a[0]" 127.0.0.1 1' x "$file" "$port"
	assert_line --index 0 '1 refused'
	assert_line --index 1 open
	assert_line --index 2 --partial "-o 'a[0]': not a variable's name"
}

@test "no variable of the environment is one of ours" {
	run env 'tp_sum_all=x[$(touch "$OURS")]' tp_sum_open='x y' tp_1_open='x y' tp_times_1=1 tp_label_3=x tp_done_1=x tp_record_1=x TMOUT=1 \
		OURS="$BATS_TEST_TMPDIR/ran" $sh "$file" -v -c 2 -i 1.2 127.0.0.1 1 2
	assert_line --index 4 '--- 127.0.0.1:1: 2 probes: 2 refused'
	assert_line --index 5 '--- 127.0.0.1:2: 2 probes: 2 refused'
	assert_equal "${#lines[@]} $(ls "$BATS_TEST_TMPDIR")" '6 '
}

@test "a long word takes no time" {
	printf -v format '%*s' 100 ''
	printf -v word '%*s' 2000 ''
	begin=${EPOCHREALTIME/./}
	for argument in "-F${format// /%%}" "-F${format// /%h}" "-t0.${word// /1}" "http://${word// /%41}" "${word// /$'\u0080'}"; do
		run $sh "$file" -t 0.1 "$argument" 127.0.0.1 1
		((status == 1 || status == 2 || status == 124)) || fail "$status: $output"
	done
	((${EPOCHREALTIME/./} - begin < 3000000 + 5 * slack_ms * 1000)) || fail "took $((${EPOCHREALTIME/./} - begin)) us"
}

@test "what is set in the shell that reads it changes nothing" {
	peer open
	[[ $sh != bash* ]] || options='shopt -s nocasematch; set -E; trap "((BASHPID == \$\$)) || echo within" ERR; '
	run $sh -c "${options-}"'(set -o pipefail) 2>/dev/null && set -o pipefail; set -eu; . "$1"; tcpprobe -1 -F "%h %s" "$2:4711" "127.0.0.1:$3"' x \
		"$file" "${TP_SILENT:-127.0.0.1}" "$port"
	assert_equal "$status $output" '0 127.0.0.1 open'
	run $sh -c "${options-}"'. "$1"; tcpprobe -q 127.0.0.1 1' x "$file"
	assert_equal "$status$output" "$(status_of refused)"
}

@test "as a program it becomes COMMAND once every target is open, and not otherwise" {
	peer open
	run $sh "$file" "127.0.0.1:$port" -- echo became it
	assert_output 'became it'
	run $sh "$file" -q "127.0.0.1:$port" 127.0.0.1:1 -- echo became it
	assert_equal "$status$output" 1
	# An open descriptor is COMMAND's too.
	run $sh "$file" "127.0.0.1:$port" -- cat /dev/fd/3 3< <(echo its own)
	assert_output 'its own'
}

@test "a tool that begins late tells what it found, though the wait is over" {
	peer open
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '%s\n' '#!/bin/sh' 'sleep 0.3' "exec $(command -v perl)"' "$@"' >"$BATS_TEST_TMPDIR/bin/perl"
	chmod +x "$BATS_TEST_TMPDIR/bin/perl"
	for wait in -R -r; do
		TCPPROBE_BACKEND=perl PATH=$BATS_TEST_TMPDIR/bin:$PATH run $sh "$file" "$wait" 0.1 127.0.0.1 "$port"
		[[ $wait == -R ]] && want="$(status_of timeout) tcpprobe: 127.0.0.1:$port: still open after 0.1s" || want='0 '
		assert_equal "$status $output" "$want"
	done
}

@test "who reads standard error no longer ends it" {
	need_shell pipe
	run timeout 10 bash -c "$sh '$file' -c 0 -i 0.01 127.0.0.1 1 2>&1 >/dev/null | head -n 1"
	assert_equal "$status $output" '0 tcpprobe: 127.0.0.1:1: Connection refused'
	run bash -c "$sh '$file' -c 2 -i 0 127.0.0.1 1 2>&-; echo \$?"
	assert_output "$(status_of refused)"
}

@test "it works within a trap, a getopts loop and POSIX mode" {
	run $sh -c '. "$1"; while getopts ab o -ab; do tcpprobe -q -t 1 127.0.0.1 1; echo "$o $?"; done' x "$file"
	assert_output $'a 1\nb 1'
	POSIXLY_CORRECT=1 run $sh "$file" 127.0.0.1 1
	assert_equal "$status $output" '1 tcpprobe: 127.0.0.1:1: Connection refused'
	run $sh -c '. "$1"; trap "tcpprobe 127.0.0.1 1; echo \$?" EXIT' x "$file"
	[[ $sh == zsh* ]] && want=$'tcpprobe: zsh cannot run it in a trap on EXIT\n5' || want=$'tcpprobe: 127.0.0.1:1: Connection refused\n1'
	assert_output "$want"
}

@test "what only the builtin has is said to be there" {
	for options in '-u fd' -T; do
		run $sh "$file" $options 127.0.0.1 1
		assert_equal "$status" 2
		assert_output --partial 'works in the builtin only'
	done
}

@test "a host that looks like an option, a command or code is a host" {
	cd "$BATS_TEST_TMPDIR" || return
	for tool in "${tools[@]}"; do
		command -v "$tool" >/dev/null || continue
		for host in '$(touch$IFS-ran)' '`touch ran`' ';touch${IFS}ran;' '-e' "';touch\${IFS}ran;'" 'x,exec=touch'; do
			[[ $host != *' '* ]] || continue
			TCPPROBE_BACKEND=$tool run $sh "$file" -q -t 2 -- "$host" 80
			assert_equal "$status" "$(status_of unresolved)"
		done
	done
	assert_equal "$(ls)" ''
}

@test "without a tool it is status 5, naming what it looked for" {
	[[ $sh != bash* && $sh != busybox* ]] || skip "contract: ${sh%% *} is a tool itself"
	mkdir "$BATS_TEST_TMPDIR/bin"
	# mksh has no printf in itself.
	ln -s "$(command -v "${sh%% *}")" "$(type -P printf)" "$BATS_TEST_TMPDIR/bin/"
	unset TCPPROBE_BACKEND
	PATH=$BATS_TEST_TMPDIR/bin run $sh "$file" 127.0.0.1 1
	assert_equal "$status" 5
	assert_output --partial 'no tool to connect with: looked for bash perl python3 nc'
}

@test "who said no is not known here" {
	run $sh "$file" -F '%s|%r' 127.0.0.1 1
	assert_output 'refused|-'
	run $sh "$file" -j 127.0.0.1 1
	assert_output --partial '"reporter":null,"icmp":null'
}

@test "an option that no tool honours is named, status 2" {
	TCPPROBE_BACKEND=bash run $sh "$file" -z 127.0.0.1 1
	assert_equal "$status" 2
	assert_output --partial '-z: no tool here can do that'
}

@test "the time of day has the fraction that date(1) tells, or none is made up" {
	[[ $sh != busybox* ]] || skip 'contract: its date is its own, without a fraction'
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '%s\n' '#!/bin/sh' 'case $1 in *N) echo "12.${N}" ;; *) echo 12 ;; esac' >"$BATS_TEST_TMPDIR/bin/date"
	chmod +x "$BATS_TEST_TMPDIR/bin/date"
	for row in 345678901:345678 %N:000000 N:000000 :000000; do
		N=${row%:*} PATH=$BATS_TEST_TMPDIR/bin:$PATH run $sh "$file" -F %T 127.0.0.1 1
		assert_output "12.${row#*:}"
	done
}

@test "it leaves no process behind: done, in vain, or ended by a signal" {
	need_lab
	for tool in "${tools[@]}"; do
		command -v "$tool" >/dev/null || continue
		export TCPPROBE_BACKEND=$tool
		run $sh "$file" -q -t 0.3 "$TP_SILENT" 4711-4713
		none_left '[ :]471[123]'
		for signal in TERM INT; do
			env --default-signal=INT $sh "$file" -t 30 "$TP_SILENT" 4711-4713 3>&- &
			pid=$!
			until pgrep -f '[ :]4713' >/dev/null; do :; done
			# In its first moment it may not hear INT.
			until
				kill -"$signal" "$pid"
				timeout 0.5 tail --pid="$pid" -f /dev/null
			do :; done
			status=0
			wait "$pid" || status=$?
			assert_equal "$status" "$((128 + $(kill -l "$signal")))"
			none_left '[ :]471[123]'
		done
	done
}

@test "Ctrl-C ends all of it, and the script too" {
	need_lab
	for tool in "${tools[@]}"; do
		command -v "$tool" >/dev/null || continue
		for command in ". '$file'; tcpprobe" "$sh '$file'"; do
			TCPPROBE_BACKEND=$tool env --default-signal=INT setsid $sh -c \
				"$command -t 30 $TP_SILENT 4711-4713; echo went on" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
			pid=$!
			until pgrep -f '[ :]4713' >/dev/null; do :; done
			# In its first moment it may not hear.
			until
				kill -INT -- "-$pid"
				timeout 0.5 tail --pid="$pid" -f /dev/null
			do :; done
			wait "$pid" || :
			assert_equal "$(cat "$BATS_TEST_TMPDIR/out")" ''
			none_left '[ :]471[123]'
		done
	done
}

@test "Ctrl-C on a terminal ends who shows progress there too" {
	need_lab
	mkfifo "$BATS_TEST_TMPDIR/keys"
	exec {keys}<>"$BATS_TEST_TMPDIR/keys"
	env --default-signal=INT TERM=dumb script -qfec "$sh '$file' -t 30 $TP_SILENT 4711-4713" /dev/null <&"$keys" >"$BATS_TEST_TMPDIR/screen" 3>&- &
	pid=$!
	until grep -q '0/3 done' "$BATS_TEST_TMPDIR/screen"; do :; done
	session=$(pgrep -P "$pid")
	begin=${EPOCHREALTIME/./}
	printf '\003' >&"$keys"
	wait "$pid" || assert_equal "$?" 130
	((${EPOCHREALTIME/./} - begin < 500000 + slack_ms * 1000)) || fail "took $((${EPOCHREALTIME/./} - begin)) us"
	none_left -s "$session"
	exec {keys}>&-
}

@test "Ctrl-C ends rounds with their sums" {
	env --default-signal=INT setsid $sh "$file" -v -c 0 -i 60 127.0.0.1 1 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	until grep -q refused "$BATS_TEST_TMPDIR/out"; do :; done
	kill -INT -- "-$pid"
	wait "$pid" || assert_equal "$?" 130
	run cat "$BATS_TEST_TMPDIR/out"
	assert_line --index 1 '--- 127.0.0.1:1: 1 probe: 1 refused'
}

@test "a file that nobody ends keeps no reader" {
	need_lab
	mkfifo "$BATS_TEST_TMPDIR/4711"
	exec {feed}<>"$BATS_TEST_TMPDIR/4711"
	echo "$TP_SILENT:4713" >&"$feed"
	$sh "$file" -t 30 -f "$BATS_TEST_TMPDIR/4711" 3>&- {feed}>&- &
	pid=$!
	until pgrep -f '[ :]4713' >/dev/null; do :; done
	kill "$pid"
	wait "$pid" || assert_equal "$?" 143
	none_left '471[13]'
}

@test "nor is anything left of what is refused at once" {
	for tool in "${tools[@]}"; do
		command -v "$tool" >/dev/null || continue
		for _ in 1 2 3 4 5 6 7 8; do TCPPROBE_BACKEND=$tool $sh "$file" -q -t 4713 127.0.0.1 1 3>&- || :; done
		none_left 'sleep 4713'
	done
}

@test "what broke off is an error, and COMMAND is not run" {
	need_lab
	export TCPPROBE_BACKEND=perl
	$sh "$file" -t 30 "$TP_SILENT" 4711 -- echo became it >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	until tool=$(pgrep -f " 4711 30000"); do :; done
	# The tool and who it is for.
	those=()
	until ((tool == pid)); do those+=("$tool") && tool=$(($(ps -o ppid= -p "$tool"))); done
	kill -KILL "${those[@]}"
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 5
	run cat "$BATS_TEST_TMPDIR/out"
	assert_output --partial 'it broke off'
	# The tool alone.
	$sh "$file" -t 30 "127.0.0.1:1" "$TP_SILENT:4711" -- echo became it >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	until tool=$(pgrep -f " 4711 30000"); do :; done
	# shellcheck disable=SC2086
	kill -KILL $tool
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 5
	run cat "$BATS_TEST_TMPDIR/out"
	assert_output --partial 'it broke off'
	refute_output --partial 'became it'
}

@test "nor where its reader is gone" {
	need_lab
	need_shell pipe
	for tool in "${tools[@]}"; do
		command -v "$tool" >/dev/null || continue
		TCPPROBE_BACKEND=$tool run bash -c "$sh '$file' -F %s -t 30 127.0.0.1:1 $TP_SILENT:4711 127.0.0.1:1 | :"
		none_left '[ :]4711'
	done
}

@test "it needs no /proc" {
	need_lab
	run unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' x $sh "$file" -r "$(patient 0.3)" 127.0.0.1 1
	assert_equal "$status" 124
	assert_output --partial "not open after $(patient 0.3)s: Connection refused"
}

@test "fifty silent ports take one deadline, not fifty" {
	need_lab
	begin=${EPOCHREALTIME/./}
	run $sh "$file" -q -t 1 "$TP_SILENT" 1-50
	assert_equal "$status" 124
	((${EPOCHREALTIME/./} - begin < 3000000 + slack_ms * 1000)) || fail "took $((${EPOCHREALTIME/./} - begin)) us"
}
