#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2015,SC2086 # a shell may be two words; what stands between && and || cannot fail
# CONTRACT 7: what only the wrapper has, in one shell (TP_SHELL, by default dash) with one tool (TCPPROBE_BACKEND, by
# default bash).

setup() {
	load lib
	load pair
	need_pair
	cd "$BATS_TEST_TMPDIR" || return
	closed_message='tcpprobe: 127.0.0.1:1: Connection refused'
}

# Only toybox needs longer to see an open port than it takes to connect.
deadline() {
	[[ $TCPPROBE_BACKEND == toybox ]] && echo 3 || patient 2
}

assert_refused() {
	assert_equal "$status $output" "1 $closed_message"
}

# -- Every way to start it probes

@test "run by its path, or by another name, it is the program" {
	cp "$file" renamed
	run $sh "$file" 127.0.0.1 1
	assert_refused
	run $sh ./renamed 127.0.0.1 1
	assert_refused
	run $sh renamed 127.0.0.1 1
	assert_refused
}

@test "found through PATH, it is the program" {
	mkdir bin && cp "$file" bin/tcpprobe && chmod +x bin/tcpprobe
	PATH=$PWD/bin:$PATH run tcpprobe 127.0.0.1 1
	assert_refused
	# These shells look a script up on PATH by themselves.
	[[ $sh == bash* || $sh == ksh93 ]] || return 0
	cd / && PATH=$BATS_TEST_TMPDIR/bin:$PATH run $sh tcpprobe 127.0.0.1 1
	assert_refused
}

@test "fed with words, on standard input or as the text of -c, it is the program" {
	run $sh -s -- 127.0.0.1 1 <"$file"
	assert_refused
	run bash -c 'cat "$0" | exec '"$sh"' -s -- 127.0.0.1 1' "$file"
	assert_refused
	run $sh -c "$(cat "$file")" tcpprobe 127.0.0.1 1
	assert_refused
	run $sh -c "$(cat "$file")" other 127.0.0.1 1
	assert_refused
}

@test "read from a pipe that is named as the script, it is the program" {
	need named
	run $sh <(cat "$file") 127.0.0.1 1
	assert_refused
}

@test "fed and followed by a call, it is the function" {
	run bash -c '(cat "$0"; echo tcpprobe 127.0.0.1 1) | '"$sh" "$file"
	assert_refused
	run $sh -c "$(cat "$file")
		tcpprobe 127.0.0.1 1"
	assert_refused
}

@test "fed with nothing behind it, the status is not 0" {
	run $sh <"$file"
	assert_equal "$status" 2
	run $sh -c "$(cat "$file")"
	assert_equal "$status" 2
}

@test "read with ., it only defines the function, whatever words the script has" {
	printf '. "%s" && echo defined\ntcpprobe 127.0.0.1 1\n' "$file" >script
	for words in '' 'a b'; do
		run $sh ./script $words
		assert_equal "$status $output" "1 defined"$'\n'"$closed_message"
	done
	run $sh -c '. "$1" && echo defined; tcpprobe 127.0.0.1 "$2"' x "$file" 1
	assert_equal "$status $output" "1 defined"$'\n'"$closed_message"
	run $sh -s a b <script
	[[ $sh == bash* || $sh == zsh* ]] && want=$'defined\n'$closed_message || want=
	[[ $status != 0 && (-z $want || $output == "$want") ]] || fail "$status: $output"
}

@test "pasted into another script, it only defines the function" {
	(echo '#!/bin/sh' && echo 'echo before' && cat "$file" && echo 'echo "status $?"; tcpprobe 127.0.0.1 1') >script
	run $sh ./script a b
	assert_equal "$status $output" $'1 before\nstatus 0\n'"$closed_message"
}

@test "in an interactive shell it only defines the function" {
	run bash -c 'echo ". $0; tcpprobe 127.0.0.1 1; echo still \"here\"; exit" | PS1= PS2= ENV= HISTFILE= '"$sh -i" "$file"
	assert_output --partial "$closed_message"
	assert_output --partial 'still here'
}

@test "no word at all is status 2, not silence" {
	run $sh "$file"
	assert_equal "$status ${lines[0]}" "2 tcpprobe: no target: is a variable unset?"
}

@test "open descriptors do not confuse it" {
	for fd in {4..20}; do eval "exec $fd</dev/null"; done
	run $sh "$file" 127.0.0.1 1
	assert_refused
}

# -- What surrounds it changes nothing

@test "options, IFS and traps of the script that reads it change nothing" {
	for setting in 'set -eu' 'set -f' 'set -C' 'set -a' 'IFS=.:' '(set -o pipefail) 2>/dev/null && set -o pipefail' 'trap : TERM'; do
		run $sh -c "$setting; "'. "$1"; tcpprobe 127.0.0.1 1 || echo "status $?"' x "$file"
		assert_equal "$output" "$closed_message"$'\nstatus 1'
	done
}

@test "of the function nothing stays but functions" {
	run $sh -c '. "$1"; set | grep "^tp_[a-z_]*=" >before; tcpprobe -q 127.0.0.1 1; set | grep "^tp_[a-z_]*=" >after; cmp before after' x "$file"
	assert_equal "$status$output" 0
}

@test "variables of the environment that are named like ours are harmless" {
	run env tp_flags=q tp_list=' x/1/1' tp_until=r tp_exit=7 tp_found=1 tp_program='' tp_told='a b' tp_words=x TMOUT=1 \
		$sh "$file" 127.0.0.1 1
	assert_refused
}

@test "what bash reads and imports at its start is not used" {
	echo 'echo read; tcpprobe() { return 0; }' >start
	run env BASH_ENV="$PWD/start" ENV="$PWD/start" 'BASH_FUNC_connect%%=() { :; }' "$file" 127.0.0.1 1
	assert_equal "$status $output" "1 $closed_message"
}

@test "a history file and a function of that name in BASH_ENV are left alone" {
	echo old >history
	echo 'tcpprobe() { echo started >>history; }; tp_main() { :; }' >start
	HISTFILE=$PWD/history HISTSIZE=1 BASH_ENV=$PWD/start run $sh "$file" 127.0.0.1 1
	assert_refused
	assert_equal "$(<history)" old
}

@test "a SIGALRM that its parent ignores or blocks does not cost it the deadline of a lookup" {
	need_lab
	begin_time
	run env --ignore-signal=ALRM --block-signal=ALRM $sh "$file" -t 0.5 no.dead.test 80
	end_time
	assert_equal "$status" "$(status_of timeout)"
	((elapsed_ms >= 500 && elapsed_ms < 700 + late_ms)) || fail "took $elapsed_ms ms"
}

@test "a name is left to perl or python3, which try all its addresses, and a tool that does not says so" {
	need_lab
	command -v perl || command -v python3 || skip 'no perl, no python3'
	peer -a 127.0.0.1 open
	# The first address of two-faced is silent.
	TCPPROBE_BACKEND='' run $sh "$file" -t "$(patient 2)" two-faced "$port"
	assert_equal "$status$output" 0
	TCPPROBE_BACKEND=bash run $sh "$file" localhost 1
	assert_output 'tcpprobe: localhost:1: Connection refused (bash tells about one address only)'
}

@test "POSIX mode, perl's options and a foreign locale change nothing" {
	POSIXLY_CORRECT=1 PERL5OPT=-Mnonsense LC_ALL=de_DE.UTF-8 LANGUAGE=de run $sh "$file" 127.0.0.1 1
	assert_refused
}

@test "it needs no /proc to wait" {
	need_lab
	run unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' x $sh "$file" -r 1 -i 0.1 127.0.0.1 1
	assert_equal "$status $output" '124 tcpprobe: 127.0.0.1:1: not open after 1s: Connection refused'
}

# -- The builtin and the program come first

@test "a bash that can load the builtin uses it, and unloads it again" {
	unset TCPPROBE_BACKEND
	BASH_LOADABLES_PATH=$TP_BUILD run bash --norc -c '. "$1"; tcpprobe -V; builtin tcpprobe -V' x "$file"
	assert_line --index 0 --regexp '^tcpprobe .*\(builtin\)'
	assert_line --index 1 --partial 'not a shell builtin'
}

@test "a program on PATH gets all words, and the wrapper there is not mistaken for it" {
	unset TCPPROBE_BACKEND
	mkdir one two && cp "$file" one/tcpprobe
	printf '%s\n' '#!/bin/sh' '[ "$1" = -V ] && echo "tcpprobe 1 (program)" || echo "$@"' >two/tcpprobe
	chmod +x one/tcpprobe two/tcpprobe
	PATH=$PWD/one:$PWD/two:$PATH run $sh "$file" -4 db 5432
	assert_equal "$status $output" '0 -4 db 5432'
}

@test "a backend that is not here is status 5, by its name" {
	for backend in nonsense builtin program; do
		[[ $backend$sh != builtinbash* ]] || continue
		TCPPROBE_BACKEND=$backend PATH=/usr/bin:/bin run $sh "$file" 127.0.0.1 1
		assert_equal "$status" 5
		assert_output --partial "$backend"
	done
}

@test "an nc that does not know -z is no closed port" {
	mkdir bin
	printf '%s\n' '#!/bin/sh' 'echo "usage: nc [-z] host port" >&2' 'exit 1' >bin/nc && chmod +x bin/nc
	# Some builds of busybox ash prefer their own nc.
	[[ $(PATH=$PWD/bin:$PATH $sh -c nc 2>&1) == 'usage: nc [-z]'* ]] || skip 'contract: what is called nc is on PATH'
	PATH=$PWD/bin:$PATH TCPPROBE_BACKEND=nc run $sh "$file" 127.0.0.1 1
	assert_equal "$status" "$(status_of error)"
}

# -- COMMAND

@test "COMMAND runs once all is open, with its descriptors and environment, and not otherwise" {
	peer open
	TEST=x run $sh "$file" -t "$(deadline)" "127.0.0.1:$port" -- sh -c 'cat <&7; echo "$TEST ${LC_ALL-none}"' 7< <(echo seven)
	assert_equal "$status $output" $'0 seven\nx C'
	run $sh "$file" -t "$(deadline)" -q "127.0.0.1:$port" 127.0.0.1:1 -- echo ran
	assert_equal "$status$output" 1
}

@test "a COMMAND that is not there is 127, one that cannot run is 126" {
	peer open
	for row in '/none 127' '-c 127' '/etc/passwd 126'; do
		run "-${row#* }" $sh "$file" -t "$(deadline)" "127.0.0.1:$port" -- ${row% *}
		assert_equal "${row% *} $status" "$row"
	done
}

@test "a function refuses a COMMAND" {
	run $sh -c '. "$1"; tcpprobe 127.0.0.1 1 -- echo ran' x "$file"
	assert_equal "$status" 2
	refute_output ran
}

# -- Words

@test "of a documented connection string it probes every host, or refuses it, and shows no secret" {
	local rows wanted i
	mapfile -t rows < <(grep -v '^#' "$BATS_TEST_DIRNAME/strings" | grep .)
	printf '%s\n' "${rows[@]%%$'\t'*}" >words
	run $sh -c '. "$1"
		tp_hand_over() { :; }
		tp_probe() { tp_total=1 && echo "$1:$2"; }
		while IFS= read -r word; do
			found=$(tcpprobe "$word" 2>&1 </dev/null)
			printf "%s " $? "$found" | tr "\n" " " && echo
		done <words' sh "$file"
	assert_equal "$status ${#lines[@]}" "0 ${#rows[@]}"
	for i in "${!rows[@]}"; do
		IFS=$'\t' read -r _ wanted _ <<<"${rows[i]}"
		wanted=${wanted//[][]/}
		[[ ${lines[i]} == '2 '* || ${lines[i]} == "0 ${wanted//\/[46]/} " ]] || fail "${rows[i]}: ${lines[i]}"
		[[ ${lines[i]} != *s3cret* ]] || fail "${lines[i]}"
	done
}

@test "what only other faces have is status 2, and says who has it" {
	for option in -4 -6 -a -c1 -ffile -F%h -k1 -n1 -slo -T -z --count=1 --hold=1 --trace; do
		run $sh "$file" $option 127.0.0.1 1
		assert_equal "$option $status" "$option 2"
		assert_line --index 0 --partial 'only the builtin and the program have it'
	done
	run $sh "$file" --output=x 127.0.0.1 1
	assert_line --index 0 "tcpprobe: '-o': only the builtin has it"
	run $sh "$file" 10.0.0.0/30 80
	assert_line --index 0 "tcpprobe: '10.0.0.0/30': only the builtin and the program have it"
	run $sh "$file" http://local%68ost:80/
	assert_line --index 0 "tcpprobe: 'http://...': a host with % in it: only the builtin and the program have it"
}

@test "options stand anywhere, and long names may be cut" {
	for words in '127.0.0.1 1 -qt2' '-q --timeout 2 127.0.0.1 1' '127.0.0.1 --timeo=2 1 --quie'; do
		run $sh "$file" $words
		assert_equal "$words $status$output" "$words 1"
	done
	for option in -x --nonsense --ver --quiet=1 --timeout= '-t' '-t -1' '-t 1e3' '-t ..5' '-r 99h99' '-r 9999h' '-r1 -R1' '-1R1'; do
		run $sh "$file" 127.0.0.1 1 $option
		assert_equal "$option $status ${lines[1]}" "$option 2 Try 'tcpprobe --help'."
	done
}

@test "the help fits 80 columns, and neither it nor the version hides a target" {
	run $sh "$file" --help
	assert_success
	for line in "${lines[@]}"; do ((${#line} <= 80)) || fail "$line"; done
	run $sh "$file" -V
	assert_output --regexp '^tcpprobe [0-9.]* \(wrapper\)$'
	for option in -h -V; do
		run $sh "$file" 127.0.0.1 1 $option
		assert_equal "$status" 2
	done
}

@test "every form of a target reaches its port" {
	# refused N TARGET...: the targets are N ports, and all are refused, without a lookup
	refused() {
		run $sh "$file" -q -j "${@:2}"
		assert_equal "${*:2}: $status $(grep -c '"state":"refused"' <<<"$output")" "${*:2}: 1 $1"
	}
	refused 1 127.0.0.1 1
	refused 1 127.0.0.1:1
	refused 1 :1
	refused 1 /dev/tcp/127.0.0.1/1
	refused 4 127.0.0.1 1-3,5/tcp
	refused 2 127.0.0.1:1,127.0.0.1:2/chroot
	refused 3 127.0.0.1:1,2,127.0.0.1:3
	refused 1 jdbc:postgresql://u:p%40@127.0.0.1:1/db
	refused 2 'RABBIT+amqp://u:p@127.0.0.1:1,u:p@127.0.0.1//?x=y@z'
	refused 2 postgres://127.0.0.1:1,127.0.0.1/db
	run $sh "$file" -j git+https://127.0.0.1/x
	assert_output --partial '"port":443'
	run $sh "$file" -j 'http://[::1]:1/@x?host=/run/y'
	assert_output --partial '"host":"::1","port":1'
}

@test "each service of its own list is one port, and of amqp+ssl it is that of amqps" {
	need_lab
	list=$(sed -n "/^tp_services=/,/'\$/p" "$file" | tr "'\n" '  ')
	read -ra services <<<"${list#*=}"
	((${#services[@]} > 60))
	# without ARG...: runs the wrapper without the system's list of services. A bare system has none in the first
	# place.
	without() { run unshare --mount sh -c '[ ! -e /etc/services ] || mount --bind /dev/null /etc/services && exec "$@"' sh $sh "$file" "$@"; }
	for ((i = 0; i < ${#services[@]}; i += 2)); do
		without 127.0.0.1 "${services[i]}"
		assert_equal "$status $output" "1 tcpprobe: 127.0.0.1:${services[i + 1]}: Connection refused"
	done
	without amqp+ssl://127.0.0.1
	assert_output 'tcpprobe: 127.0.0.1:5671: Connection refused'
	without smtp+tls://127.0.0.1
	assert_equal "$status" 2
}

@test "what is no target is refused before anything is probed, and shows no secret" {
	for word in '' ' ' 127.0.0.1 127.0.0.1:0 127.0.0.1:65536 127.0.0.1:9-8 127.0.0.1:nonsense 127.0.0.1:+80 127.0.0.1:0x50 \
		127.0.0.1:1/udp udp://127.0.0.1:1 quic://127.0.0.1:1 sctp://127.0.0.1:1 '-- x' 1::2::3 'h:1:2' '[127.0.0.1]:1' '[::1:1' \
		unix:/run/x /run/x postgres:///db 'postgres://u@h/db?host=/run/x' postgresql://%2Frun/db 'a;b:1' 'a$(x):1' 'a`x`:1' "a'b:1" $'a\nb:1' \
		'127.0.0.1:1,password=s3cret' 'redis://127.0.0.1:1,password=s3cret' 'host=h password=s3cret' 'redis://u:s3cret/@127.0.0.1:1' \
		'u:s3cret@127.0.0.1:1' 'redis://u:a,s3cret@127.0.0.1:1' 'http://127.0.0.1:1,http://127.0.0.1:s3cret' 'x s3cret=://h:1'; do
		run $sh "$file" "$word"
		assert_equal "$word: $status" "$word: 2"
		refute_output --partial s3cret
	done
}

@test "a word that is shown is harmless" {
	need bytes
	run $sh "$file" $'a\033[2J\302\205b' 80
	assert_line --index 0 --regexp "^tcpprobe: 'a\?\[2J\?+b': "
}

@test "a word that is shown is short" {
	printf -v long '%*s' 3000 ''
	run $sh "$file" "${long// /_}" "${long// /x}"
	((${#lines[0]} < 250)) || fail "${lines[0]}"
}

@test "a host that is named like an answer is none" {
	for host in refused.nx.test timeout.nx.test open.nx.test; do
		run $sh "$file" -t "$(deadline)" -j "$host" 80
		refute [ "$status" = 0 ] || fail "$host: open"
		refute_output --partial '"state":"refused"'
	done
}

# -- Reports and waits

@test "-v tells what is open, and counts; -qv does not count; -j has every key" {
	peer open
	run $sh "$file" -t "$(deadline)" -v 127.0.0.1 1 "$port"
	assert_line --index 1 --partial "127.0.0.1:$port open 127.0.0.1"
	assert_line --index 2 '--- 2 probes: 1 open, 1 refused'
	run $sh "$file" -t "$(deadline)" -qv 127.0.0.1 1 "$port"
	assert_equal "${#lines[@]}" 1
	run $sh "$file" -j -q 127.0.0.1 1
	assert_output --regexp '^\{"host":"127.0.0.1","port":1,"address":"127.0.0.1","state":"refused","status":1,"error":"Connection refused","reporter":null,"icmp":null,"banner":null,"connect_ms":null,"lookup_ms":(null|[0-9.]+),"try":1,"time":[0-9]+\}$'
}

@test "a write error is status 5" {
	peer open
	run bash -c "$sh '$file' -t $(deadline) -v 127.0.0.1 $port >/dev/full"
	assert_equal "$status" 5
	assert_output --partial 'write error'
}

@test "-r ends in time, with the last reason; -R is content at once; -1 with what is open" {
	peer open
	run $sh "$file" -r 0.5 -i 0.1 127.0.0.1 1
	assert_equal "$status $output" '124 tcpprobe: 127.0.0.1:1: not open after 0.5s: Connection refused'
	run $sh "$file" -R 5 127.0.0.1 1
	assert_equal "$status$output" 0
	[[ $TCPPROBE_BACKEND != toybox ]] || return 0
	run $sh "$file" -R "$(patient 0.5)" 127.0.0.1 "$port"
	assert_equal "$status $output" "124 tcpprobe: 127.0.0.1:$port: still open after $(patient 0.5)s"
	run $sh "$file" -1 -r "$(patient 5)" 127.0.0.1 1 "$port"
	assert_equal "$status$output" 0
	run $sh "$file" -1 -r "$(patient 0.6)" -i 0.1 127.0.0.1 1 2
	assert_equal "$status" "$(status_of timeout)"
	assert_line --index 1 --regexp '^tcpprobe: 127\.0\.0\.1:2: not open after .*s: Connection refused$'
}

@test "a try that the end of a wait cuts short does not hide the reason of the one before" {
	mkdir bin
	printf '%s\n' '#!/bin/sh' 'if mkdir tried; then echo "Connection refused" >&2; exit 1; fi' 'exec sleep 60' >bin/nc.openbsd
	chmod +x bin/nc.openbsd
	PATH=$PWD/bin:$PATH TCPPROBE_BACKEND=nc.openbsd run $sh "$file" -r "$(patient 0.5)" -i 0 127.0.0.1 1
	assert_equal "$status $output" "124 tcpprobe: 127.0.0.1:1: not open after $(patient 0.5)s: Connection refused"
}

@test "a wait by the time of day ends in time, though the clock is set back" {
	need_lab
	mkdir bin
	printf '%s\n' '#!/bin/sh' 'touch tried; echo "Connection refused"; exit 1' >bin/nc.openbsd
	printf '%s\n' '#!/bin/sh' "now=\$($(command -v date) +%s)" '[ ! -e tried ] || now=$((now - 3600))' 'echo $now' >bin/date
	chmod +x bin/*
	begin_time
	PATH=$PWD/bin:$PATH TCPPROBE_BACKEND=nc.openbsd run unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		$sh "$file" -r 2 127.0.0.1 1
	end_time
	assert_equal "$status $output" '124 tcpprobe: 127.0.0.1:1: not open after 2s: Connection refused'
	((elapsed_ms >= 1000 && elapsed_ms < 4000 + late_ms)) || fail "took $elapsed_ms ms"
}

@test "a silent port takes its deadline, and no process is left of any ending" {
	need_lab
	begin_time
	run $sh "$file" -t 0.5 "$TP_SILENT" 4711
	end_time
	assert_equal "$status" "$(status_of timeout)"
	((elapsed_ms >= 500 && elapsed_ms < 700 + late_ms)) || fail "took $elapsed_ms ms"
	for _ in 1 2 3 4 5 6 7 8; do $sh "$file" -q -t 4711 127.0.0.1 1 || :; done
	none_left '4711'
}

@test "a sleep that fails is an error, never a try without a clock" {
	need_lab
	need sleep
	mkdir bin && printf '%s\n' '#!/bin/sh' 'exit 1' >bin/sleep && chmod +x bin/sleep
	PATH=$PWD/bin:$PATH run $sh "$file" -t 0.5 "$TP_SILENT" 80
	[[ $sh == ksh93 ]] && want=timeout || want=error
	assert_equal "$status" "$(status_of $want)"
}

# -- Signals

@test "Ctrl-C ends it at once, as a program and as a function, and the script too" {
	need_lab
	ended_by INT group 130 $sh "$file" -t 4713 "$TP_SILENT" 4711
	none_left '471[13]'
	ended_by INT group 130 $sh -c ". '$file'; tcpprobe -t 4713 $TP_SILENT 4711; echo went on"
	none_left '471[13]'
}

@test "TERM leaves nothing behind once the try is over" {
	need_lab
	ended_by TERM shell 143 $sh "$file" -t 1 "$TP_SILENT" 4711
	until_gone 4711
}

@test "an ignored Ctrl-C stays ignored" {
	need_lab
	need ignored
	(trap '' INT && exec setsid $sh "$file" -t 1 "$TP_SILENT" 4711 >out 2>&1 3>&-) &
	pid=$!
	until_clock_runs "$pid"
	kill -INT -- "-$pid"
	status=0
	wait "$pid" || status=$?
	assert_equal "$status $(cat out)" "$(status_of timeout) tcpprobe: $TP_SILENT:4711: Connection timed out"
}

@test "the file has at most 500 lines, and no function is longer than a screen" {
	(($(wc -l <"$file") <= 500)) || fail "$(wc -l <"$file") lines"
	run awk '/^[a-z_]*\(\) \{$/ { from = NR } /^}/ { if (NR - from > 45) print from ": " NR - from }' "$file"
	assert_output ''
}

@test "code in the current directory is not run" {
	printf '#!/bin/sh\necho run\n' >"$BATS_TEST_TMPDIR/tcpprobe"
	chmod +x "$BATS_TEST_TMPDIR/tcpprobe"
	cp "$TP_BUILD/tcpprobe.so" "$BATS_TEST_TMPDIR/"
	cd "$BATS_TEST_TMPDIR"
	run env -u TCPPROBE_BACKEND PATH=":.:$PATH" BASH_LOADABLES_PATH=:. bash --norc "$file" -V
	assert_output --regexp ' \((program|wrapper)\)$'
	refute_output --partial run
}

@test "what is called tcpprobe and is not the program is passed over" {
	printf '#!/bin/sh\nexit 0\n' >"$BATS_TEST_TMPDIR/tcpprobe"
	chmod +x "$BATS_TEST_TMPDIR/tcpprobe"
	run env -u TCPPROBE_BACKEND PATH="$BATS_TEST_TMPDIR:$PATH" $sh "$file" 127.0.0.1 1
	assert_equal "$status" 1
	printf '\177ELF' >"$BATS_TEST_TMPDIR/tcpprobe"
	run env -u TCPPROBE_BACKEND PATH="$BATS_TEST_TMPDIR:$PATH" $sh "$file" 127.0.0.1 1
	assert_equal "$status" 1
	cp "$file" "$BATS_TEST_TMPDIR/tcpprobe"
	run env -u TCPPROBE_BACKEND PATH="$BATS_TEST_TMPDIR:$PATH" $sh "$file" 127.0.0.1 1
	assert_equal "$status" 1
}

@test "as process 1 it ends by TERM and HUP once the try is over" {
	need_lab
	for signal in 'TERM 143' 'HUP 129'; do
		# No shell can trap a signal that its parent ignores, as nohup does.
		[[ $(trap -p "${signal% *}") != *"''"* ]] || continue
		unshare --pid --fork --mount-proc $sh "$file" -q -t 1 -r 60 "$TP_SILENT:4711" 3>&- &
		server_pid=$!
		# The try is under way when its clock, a sleep, runs.
		until first=$(pgrep -P $server_pid) && try=$(pgrep -P "$first") && pgrep -x -P "${try//$'\n'/,}" sleep >/dev/null; do :; done
		kill "-${signal% *}" "$first"
		status=0
		wait $server_pid || status=$?
		assert_equal "$status" "${signal#* }"
	done
}

@test "pasted into a script without its second line it defines the function" {
	{
		sed 2d "$file"
		echo 'tcpprobe 127.0.0.1 1; echo "status $? with $*"'
	} >script
	run --separate-stderr $sh script a b
	assert_output 'status 1 with a b'
}

@test "given by -c in any spelling, or with another head, it probes" {
	for option in -c -ce -cu -ec '-c -e'; do
		# shellcheck disable=SC2086 # words
		run $sh $option "$(cat "$file")" tcpprobe 127.0.0.1 1
		assert_equal "$option: $status" "$option: 1"
	done
	for edit in 1d '1i\\' '1a # licence'; do
		run $sh -c "$(sed "$edit" "$file")" tcpprobe 127.0.0.1 1
		assert_equal "-c, $edit: $status" "-c, $edit: 1"
		sed "$edit" "$file" >edited
		run $sh edited 127.0.0.1 1
		assert_equal "$edit: $status" "$edit: 1"
	done
}

@test "where it cannot know whether it was started the status is not 0" {
	need_lab
	run unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh $sh -c "$(cat "$file")" tcpprobe 127.0.0.1 1
	refute [ "$status" = 0 ]
	run $sh -is -- 127.0.0.1 1 <"$file"
	refute [ "$status" = 0 ]
}

@test "no secret is shown of a word that stands where an option's value belongs, nor of a COMMAND" {
	peer open
	for words in '-r postgres://u:s3cret@db/app' '-tpostgres://u:s3cret@db' '--timeout=h:1,password=s3cret' '-i password=s3cret' \
		'--nosuch=s3cret' "127.0.0.1 $port -- PASSWORD=s3cret" "127.0.0.1 $port -- x://u:s3cret@h"; do
		# shellcheck disable=SC2086 # words
		run ! $sh "$file" $words
		refute_output --partial s3cret
	done
	run -127 $sh "$file" 127.0.0.1 "$port" -- 'mysql -ps3cret'
	refute_output --partial s3cret
}

@test "a target that a wait left no time for says so" {
	peer closed
	run $sh "$file" -r 0.3 "127.0.0.1:$port" "127.0.0.1:$port"
	assert_line --index 0 "tcpprobe: 127.0.0.1:$port: not open after 0.3s: Connection refused"
	assert_line --index 1 "tcpprobe: 127.0.0.1:$port: not open after 0.3s: it was not tried"
}

@test "no digit of IFS changes a status" {
	run $sh -c 'IFS=0123456789; . "$1"; tcpprobe -q 127.0.0.1 1; echo "=$?"' x "$file"
	assert_output '=1'
}
