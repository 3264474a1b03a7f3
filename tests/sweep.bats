#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "Targets" -f, "Time" -n, "What is printed": many targets in one command.

setup() {
	load lib
	list=$BATS_TEST_TMPDIR/list
}

# -- Reports

@test "-F prints every probe, whatever its state, in the words of the format, and nothing on stderr" {
	need engine
	need_lab
	face 'tcpprobe -t 0.3 -F "%h|%p|%a|%s|%x|%e|%r|%n|%%|\\t" "$@"' "127.0.0.1:1" "$TP_SILENT:80" no.nx.test:80
	assert_line --index 0 $'127.0.0.1|1|127.0.0.1|refused|1|Connection refused|127.0.0.1|1|%|\t'
	assert_line --index 1 "$TP_SILENT|80|$TP_SILENT|timeout|124|Connection timed out|-|1|%|"$'\t'
	assert_line --index 2 'no.nx.test|80|-|unresolved|4|Name or service not known|-|1|%|'$'\t'
	assert_equal "${#lines[@]} $stderr" '3 '
	assert_state refused
}

@test "-F's times are milliseconds with three decimals, and the time of day is now" {
	need engine
	need time
	need_lab
	face 'date +%s; tcpprobe -F "%t %l %T" "$@"; date +%s' "20ms.127-0-0-1.ip.test:$(peer open && echo "$port")" "$TP_FAR.0.1:80"
	[[ ${lines[1]} =~ ^(-|[0-9]+\.[0-9]{3})\ ([0-9]+)\.[0-9]{3}\ ([0-9]+)\.[0-9]{6}$ ]] || fail "${lines[1]}"
	((BASH_REMATCH[2] >= 20 && BASH_REMATCH[2] < 200 + late_ms)) || fail "lookup: ${lines[1]}"
	((BASH_REMATCH[3] >= lines[0] && BASH_REMATCH[3] <= lines[3])) || fail "time of day: $output"
	[[ ${lines[2]} =~ ^[0-9]+\.[0-9]{3}\ -\  ]] || fail "a numeric host has no lookup: ${lines[2]}"
}

@test "what is no format is named, status 2, and nothing is sent" {
	need engine
	peer open
	for format in '%z' 'x%' '\q' 'x\' '%5h'; do
		face 'tcpprobe -F "$1" 127.0.0.1 "$2"' "$format" "$port"
		assert_state usage
		assert_message_has "is no part of a format"
	done
	assert_equal "$(peer_accepted)" 0
}

@test "-j prints a JSON object a probe, null where there is nothing" {
	need engine icmp
	need_lab
	peer open
	face 'tcpprobe -j -t 0.3 "$@"' "127.0.0.1:$port" "$TP_SILENT:80" no.nx.test:80 "$TP_FAR.0.1:$(far_port admin-prohibited)"
	assert_equal "$stderr" ''
	run jq -c '[.host, .address, .state, .status, .error, .reporter, .icmp, .try, (.connect_ms | type), (.lookup_ms | type), (.time | type)]' <<<"$output"
	assert_line --index 0 '["127.0.0.1","127.0.0.1","open",0,null,null,null,1,"number","null","number"]'
	assert_line --index 1 "[\"$TP_SILENT\",\"$TP_SILENT\",\"timeout\",124,\"Connection timed out\",null,null,1,\"null\",\"null\",\"number\"]"
	assert_line --index 2 '["no.nx.test",null,"unresolved",4,"Name or service not known",null,null,1,"null","number","number"]'
	assert_line --index 3 "[\"$TP_FAR.0.1\",\"$TP_FAR.0.1\",\"unreachable\",3,\"No route to host (administratively prohibited, says $TP_ROUTER)\",\"$TP_ROUTER\",[3,13],1,\"null\",\"null\",\"number\"]"
}

@test "JSON is valid whatever bytes a host holds" {
	need bytes
	[[ $face_name == builtin ]] && step=1 || step=7
	face 'for ((i = 0x21; i < 0x100; i += $1)); do printf -v byte "\\x%x" "$i"; printf -v byte "$byte"; tcpprobe -j -t "$2" "a${byte}b" 1; done 2>/dev/null' "$step" "$(patient 0.2)"
	run jq -r '.state' <<<"$output"
	assert_success
	((${#lines[@]} > 140 / step)) || fail "only ${#lines[@]} objects"
}

@test "-F and -j exclude each other" {
	need engine
	face 'tcpprobe -j -F %h 127.0.0.1 1'
	assert_state usage
	assert_message_has '-F and -j'
}

@test "-v's last line counts what -F printed, and no JSON reader meets it" {
	need engine
	face 'tcpprobe -v -F %s 127.0.0.1 1-3'
	assert_output $'refused\nrefused\nrefused\n--- 3 probes: 3 refused'
	face 'tcpprobe -v -j 127.0.0.1 1-3 | wc -l'
	assert_output 3
}

# -- Variables

@test "-o puts the state words into an array, and prints nothing on stdout" {
	need variables
	peer open
	face 'tcpprobe -q -o state 127.0.0.1 1,"$1"; declare -p state' "$port"
	assert_output 'declare -a state=([0]="refused" [1]="open")'
}

@test "-o takes what -F, -j and -v print, an element a probe" {
	need variables
	peer open
	face 'tcpprobe -o got -F "%p %s" 127.0.0.1 1,"$1"; declare -p got; tcpprobe -o got -qv 127.0.0.1 "$1",1; echo "${#got[@]} ${got[0]%% ms}"
		tcpprobe -o got -j 127.0.0.1 1; echo "${got[0]}"' "$port"
	assert_line --index 0 "declare -a got=([0]=\"1 refused\" [1]=\"$port open\")"
	assert_line --index 1 --regexp "^2 127\.0\.0\.1:$port open 127\.0\.0\.1 0\.[0-9]+$"
	run jq -r .state <<<"${lines[2]}"
	assert_output refused
}

@test "-o honours locals, namerefs, declare -a and what was there before" {
	need variables
	face 'f() { local state=old; tcpprobe -q -o state 127.0.0.1 1; echo "${state[@]}"; }; f; echo "${state-unset}"
		declare -n ref=target; tcpprobe -q -o ref 127.0.0.1 1,2; echo "${target[@]}"
		declare -a list=(1 2 3); tcpprobe -q -o list 127.0.0.1 1; echo "${list[@]}"
		declare -u loud; tcpprobe -q -o loud 127.0.0.1 1; echo "$loud"'
	assert_output $'refused\nunset\nrefused refused\nrefused\nREFUSED'
}

@test "-o with a name that can take no reports is refused, status 2, and no probe is made" {
	need variables
	peer open
	for setup in : 'readonly no=1' 'declare -A no' 'declare -i no' 'declare -n no="x[0]"'; do
		name=no
		[[ $setup != : ]] || name='a[0]'
		face "$setup; tcpprobe -o '$name' 127.0.0.1 $port"
		assert_state usage
		assert_message_has "-o '$name': "
	done
	assert_equal "$(peer_accepted)" 0
}

@test "a report that looks like code is a string" {
	need variables
	face 'tcpprobe -o got -F "\$(echo ran) \`echo ran\` a[\$(echo_ran)] %h" -q 127.0.0.1 1; printf "%s\n" "${got[0]}"'
	assert_output '$(echo ran) `echo ran` a[$(echo_ran)] 127.0.0.1'
}

# -- Files

@test "-f reads a target a line, in every form; comments and blank lines pass, and a trailing CR is dropped" {
	need engine
	peer open
	printf '%s\r\n' "127.0.0.1 $port" '' '  # a comment' "127.0.0.1:$port,1" "  /dev/tcp/127.0.0.1/$port  # behind it" >"$list"
	printf 'redis://user:secret@127.0.0.1:%s/0' "$port" >>"$list"
	face 'tcpprobe -F "%h %p %s" -f "$1"' "$list"
	assert_output "127.0.0.1 $port open
127.0.0.1 $port open
127.0.0.1 1 refused
127.0.0.1 $port open
127.0.0.1 $port open"
}

@test "-f - is standard input, and operands come before it" {
	need engine
	face 'echo 127.0.0.1:2 | tcpprobe -F %p -f - 127.0.0.1 1'
	assert_output $'1\n2'
}

@test "a bad line is named with file and number, the rest are probed, and the status is 2" {
	need engine
	printf '%s\n' 127.0.0.1:1 'db 99999' 'a b c' '127.0.0.1:2' >"$list"
	face 'tcpprobe -F %p -f "$1"' "$list"
	assert_state usage
	assert_output $'1\n2'
	assert_message_has "$list:2: '99999': a port is 1 to 65535"
	assert_message_has "$list:3: 'b': neither a port nor a known service"
	assert_equal "${#stderr_lines[@]}" 2
	peer open
	printf '%s\n' db "127.0.0.1:$port" >"$list"
	face 'tcpprobe -1 -f "$1"' "$list"
	assert_state usage
}

@test "a NUL byte in a file is named" {
	need engine
	printf '\0\n127.0.0.1:3\n' >"$list"
	face 'tcpprobe -F %p -f "$1"' "$list"
	assert_state usage
	assert_output 3
	assert_message_has "$list:1: a NUL byte"
}

@test "a line of a megabyte is an error of its own, and so are a directory, a missing file and a closed stdin" {
	need engine
	{
		head -c 1000000 /dev/zero | tr '\0' a
		printf '\n127.0.0.1:1\n'
	} >"$list"
	face 'tcpprobe -F %p -f "$1"' "$list"
	assert_state usage
	assert_output 1
	assert_message_has "$list:1: the line is too long"
	face 'tcpprobe -f /'
	assert_state usage
	assert_message_has '/: Is a directory'
	face 'tcpprobe -f "$1"' "$list.missing"
	assert_state usage
	assert_message_has "$list.missing: No such file or directory"
	face 'tcpprobe -f - <&-'
	assert_state usage
	assert_message_has '-: Bad file descriptor'
}

@test "what a file's name could do to a terminal, or tell, is not shown" {
	need engine
	face 'tcpprobe -f "$1"; tcpprobe -f "$2"; tcpprobe -f "$3"' $'/no\e]0;x\a' postgres://u:sekret@h/ "$list"$'\e'
	assert_state usage
	[[ $stderr != *[$'\e\a']* && $stderr != *sekret* ]] || fail "$stderr"
	echo bad >"$list"$'\e'
	face 'tcpprobe -f "$1"' "$list"$'\e'
	[[ $stderr != *$'\e'* ]] || fail "$stderr"
}

@test "a file without a target is used wrongly" {
	need engine
	face 'tcpprobe -f /dev/null'
	assert_state usage
	assert_message_has 'no target: is a variable unset?'
}

@test "a second file is refused, for the targets of the first would be lost" {
	need engine
	face 'tcpprobe -f /dev/null -f /dev/zero'
	assert_state usage
	assert_message_has "-f /dev/zero: only one file"
}

@test "a slow writer holds no probe up, and its lines are probed as they come" {
	need engine
	peer open
	face 'coproc T { tcpprobe -F "%p %s" -t "$2" -f - ; }; exec {in}>&"${T[1]}" {out}<&"${T[0]}"; exec {T[1]}>&-
		echo "127.0.0.1:1" >&$in; read -r line <&$out; echo "$line"
		printf "127.0.0.1" >&$in; printf ":$1\n" >&$in; read -r line <&$out; echo "$line"; exec {in}>&-; wait "$T_PID"; echo $?' "$port" "$(patient 0.3)"
	assert_output "1 refused
$port open
1"
}

@test "a file without end and without a target can be interrupted" {
	need inside
	face 'trap "echo trapped" USR1; (read -r -t 0.3 <>"$1"; kill -USR1 "$$") & tcpprobe -f /dev/zero; echo "$?"' <(exec tail -f /dev/null)
	assert_output $'trapped\n138'
	assert_took_less 1000
}

@test "memory does not grow with the file" {
	need inside
	need plain
	face 'rss() { while read -r key value _; do [[ $key == RssAnon: ]] && echo "$value"; done <"/proc/$$/status"; }; shopt -s lastpipe
		feed() { for ((i = 0; i < $1; i++)); do echo 127.0.0.1:1; done; }
		feed 1000 | tcpprobe -q -f -; before=$(rss); feed 100000 | tcpprobe -q -f -; echo $(($(rss) - before))'
	((output < 1024)) || fail "grew by $output KiB"
}

# -- Many at once

@test "-n takes a number of at least 1" {
	need engine
	for limit in 0 -1 x 1x '' 99999999999; do
		face 'tcpprobe -n "$1" 127.0.0.1 1' "$limit"
		assert_state usage
		assert_message_has "-n '$limit'"
	done
}

@test "-n is how many are in flight at once" {
	need engine
	need_lab
	face 'tcpprobe -q -t 0.2 -n 10 "$1" 1-30' "$TP_SILENT"
	((elapsed_ms >= 600)) || fail "10 at a time took $elapsed_ms ms"
	((elapsed_ms < 800 + late_ms)) || fail "10 at a time took $elapsed_ms ms"
	face 'ulimit -n 1024; tcpprobe -q -t 1 -n 1000 "$1" 1-1000' "$TP_SILENT"
	assert_took_less 1200
}

@test "where descriptors run out the limit falls by itself, and every state is right" {
	need engine
	need_lab
	peer open
	face 'ulimit -n 24; tcpprobe -v -n 500 -t 0.3 "$@"' "$TP_SILENT:1-60" "$TP_FAR.0.1-1:80" "127.0.0.1:$port,1-20" "$TP_FAR.0.1:80"
	assert_equal "${lines[-1]##*: }" '2 open, 20 refused, 1 unresolved, 60 timeout'
}

@test "-1 is done as soon as one is open, drops the rest, and is 0" {
	need_lab
	peer open
	face 'count() { local fds=(/proc/$$/fd/*); echo "${#fds[@]}"; }; tcpprobe -1 -v -t 30 "$@"; echo $?; count; tcpprobe -q 127.0.0.1 1; count' \
		"$TP_SILENT:1-50" no.dead.test:80 "127.0.0.1:$port" "$TP_SILENT:80"
	assert_line --index 0 --partial "127.0.0.1:$port open"
	assert_line --index 1 0
	assert_equal "${lines[2]}" "${lines[3]}"
	[[ $face_name == wrapper ]] || assert_took_less 1000
	refute pgrep -f '^[^ ]*bash.* no.dead.test'
}

@test "-1 ends each round of -c with the first that is open" {
	need engine
	need soon
	need_lab
	peer open
	for targets in "$TP_SILENT:1 127.0.0.1:$port 127.0.0.1:1" "127.0.0.1:$port $TP_SILENT:1 127.0.0.1:$port"; do
		# shellcheck disable=SC2086
		face 'tcpprobe -1 -c 3 -i 0 -F "%p %s %n" -t "$@" | grep -v refused; echo "${PIPESTATUS[0]}"' "$(patient 2)" $targets
		assert_output "$port open 1
$port open 2
$port open 3
0"
		assert_took_less 1500
	done
}

@test "-1 with none open has the status of the first" {
	need_lab
	face 'tcpprobe -q -1 -t 0.2 "$@"' "$TP_SILENT:1" 127.0.0.1:1
	assert_state timeout
}

@test "a scan of every port of this host finds what listens, and no connection to itself" {
	# Outside the lab the scan would meet the servers of other tests.
	need_lab
	need engine
	peer open
	face 'for i in 1 2 3; do tcpprobe -qv 127.0.0.1 1-65535 | grep -v -- ---; done'
	listening=$(ss -Htln 'src = 127.0.0.1 or src = 0.0.0.0' | wc -l)
	assert_equal "${#lines[@]}" $((3 * listening))
}

@test "a closed pipe behind stdout is an error, not the end of the shell" {
	need pipe
	peer open
	face 'exec {out}> >(exec true); until [[ ! -e /proc/$! ]]; do :; done; tcpprobe -v "$@" >&$out; echo "then $?"' 127.0.0.1 "$port"
	assert_output 'then 5'
	assert_message_has 'write error'
	[[ $face_name == wrapper ]] || assert_message_has ': Broken pipe'
}

# -- Under load

# The engine's loop works for at most 10 ms before it looks for signals, even if it need not wait.
heard_at_once() {
	interrupted_at_work "$1; echo \"status \$?\" >&2" "${@:2}"
	assert_equal "$(tail -n 1 "$BATS_TEST_TMPDIR/err")" "status $((128 + $(kill -l USR1)))"
	((elapsed_ms < 100 + late_ms)) || fail "heard after $elapsed_ms ms"
}

@test "a signal is heard at once, however much there is to do" {
	need inside
	need_lab
	yes 127.0.0.1:1 | head -n 300000 >"$list"
	heard_at_once 'echo >&9; tcpprobe -q -f "$1"' <(yes 127.0.0.1:1)
	heard_at_once 'echo >&9; tcpprobe -q -r 60 -f "$1"' "$list"
	heard_at_once 'echo >&9; tcpprobe -q -i 0 -r 60 127.0.0.1 10000-65535'
	heard_at_once 'echo >&9; tcpprobe -c 0 -i 0 -q 127.0.0.1 1'
	heard_at_once 'echo >&9; tcpprobe -q -f "$1"' <({ echo "$TP_SILENT:80" && yes 127.0.0.1:1; })
	heard_at_once 'echo >&9; tcpprobe -q -1 -f "$1"' <(yes 127.0.0.1:1)
}

@test "a signal is heard at once during bad lines, and while who reads stdout or stderr sleeps" {
	need inside
	heard_at_once 'echo >&9; tcpprobe -q -f "$1" 2>/dev/null' <(yes bad)
	heard_at_once 'exec 8<> <(:); echo >&9; tcpprobe -f "$1" >&8 2>&8' <(yes bad)
	heard_at_once 'exec 8<> <(:); echo >&9; tcpprobe -F %h -f "$1" >&8' <(yes 127.0.0.1:1)
	heard_at_once 'exec 8<> <(:); echo >&9; tcpprobe -f "$1" 2>&8' <(yes 127.0.0.1:1)
	heard_at_once 'exec 8<> <(:); echo >&9; tcpprobe -v -c 0 -i 0 -F %h 127.0.0.1 1-100 >&8'
}

@test "a wait ends in time, however many targets there are" {
	need engine
	need plain
	face 'tcpprobe -q -r 1 127.0.0.1 10000-65535'
	assert_state timeout
	assert_took_less 1500
	face 'tcpprobe -q -i 0 -r 1 127.0.0.1 10000-65535'
	assert_state timeout
	assert_took_less 1500
}

@test "a wait for the targets of a file without end ends in time, and says so; its memory has a bound" {
	need inside
	need plain
	face 'peak() { while read -r key value _; do [[ $key != VmHWM: ]] || echo "$value"; done <"/proc/$$/status"; }
		before=$(peak); tcpprobe -q -r 2 -f "$1"; echo $? $(($(peak) - before))' <(yes 127.0.0.1:1)
	((${output#* } < 200000)) || fail "grew by ${output#* } KiB"
	assert_equal "${output% *}" "$(status_of timeout)"
	assert_message '-f: the wait was over before the end of the file'
	assert_took_less 3000
}

@test "silent targets among many cost one deadline, wherever they stand" {
	need engine
	need plain
	need_lab
	awk -v silent="$TP_SILENT" 'BEGIN { for (i = 0; i < 100000; i++) print (i % 5000 == 2500 ? silent ":80" : "127.0.0.1:1") }' >"$list"
	face 'begin=${EPOCHREALTIME/./}; tcpprobe -q 127.0.0.1 1-50000; tcpprobe -q 127.0.0.1 1-50000; between=${EPOCHREALTIME/./}
		tcpprobe -q -t 2 -f "$1"; echo "$(((${EPOCHREALTIME/./} - between) / 1000)) $(((between - begin) / 1000))"' "$list"
	((${output% *} < 2 * ${output#* } + 2500 + late_ms)) || fail "with and without silent ones: $output ms"
}

@test "-1 finds the one that is open behind a silent target and thousands of others" {
	need engine
	need plain
	need_lab
	peer open
	{ echo "$TP_SILENT:80" && yes 127.0.0.1:1 | head -n 20000 && echo "127.0.0.1:$port"; } >"$list"
	face 'tcpprobe -q -1 -t 30 -f "$1"' "$list"
	assert_state open
	assert_took_less 10000
}

@test "what waits for a slow target costs little memory, and gives it back" {
	need inside
	need plain
	need_lab
	{ echo "$TP_SILENT:80" && yes 127.0.0.1:1 | head -n 200000; } >"$list"
	face 'memory() { while read -r key value _; do [[ $key != "$1:" ]] || echo "$value"; done <"/proc/$$/status"; }
		tcpprobe -q 127.0.0.1 1-1000; before=$(memory VmRSS); tcpprobe -q -t 4 -f "$1"
		echo "$(($(memory VmHWM) - before)) $(($(memory VmRSS) - before))"' "$list"
	# This bound would be 200 MB for a million targets.
	((${output% *} < 40000)) || fail "its peak was $output KiB above"
	((${output#* } < 2048)) || fail "it kept $output KiB"
}

@test "a reader of stdout that sleeps holds up no deadline" {
	need engine
	need_lab
	face '{ echo "$1:80"; for ((i = 0; i < 3000; i++)); do echo 127.0.0.1:1; done; read -r -t 0.3 <>"$2"; echo "$1:81"; read -r -t 2 <>"$2"; } |
		tcpprobe -t 0.6 -F "%h %T %s %e %e %e %e" -f - | { read -r -t 2 <>"$2"; grep "^$1 "; }' "$TP_SILENT" <(exec tail -f /dev/null)
	read -r _ first _ <<<"${lines[0]}"
	read -r _ second _ <<<"${lines[1]}"
	(((${second/./} - ${first/./}) / 1000 < 500 + late_ms)) || fail "noticed late: $output"
}

@test "where poll(2) is forbidden, a pause in the feed holds up no deadline" {
	need engine kernel
	need_lab
	command -v strace || skip 'no strace'
	within=(strace -f -qq -o /dev/null -e trace=poll -e inject=poll:error=EPERM)
	face '{ echo "$1:80"; read -r -t 3 <>"$2"; } | tcpprobe -t 0.2 -f - 2>&1 | {
		begin=$EPOCHREALTIME; read -r _; echo $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)); }' "$TP_SILENT" <(exec tail -f /dev/null)
	((output < 1000 + late_ms)) || fail "noticed after $output ms"
}

@test "lines keep their order where stdout and stderr go to one slow reader" {
	need engine
	peer open
	face 'for ((i = 0; i < 3000; i++)); do echo "127.0.0.1:$((i % 2 ? $1 : 1))"; done | tcpprobe -v -f - 2>&1 |
		{ read -r -t 1 <>"$2"; cut -d : -f 2 | cut -c 1-5 | uniq -d; }' "$port" <(exec tail -f /dev/null)
	assert_output ''
}

# -- Progress

# on_terminal SCRIPT [ARG...]: runs it on a terminal. Sets screen to what the terminal got, with each CR shown as ^.
on_terminal() {
	printf '%s%s\n' "$face_prelude" "$1" >"$BATS_TEST_TMPDIR/script"
	# shellcheck disable=SC2016
	TERM=dumb script -qefc "exec $shell --norc --noprofile $BATS_TEST_TMPDIR/script ${*:2}" /dev/null </dev/null >"$BATS_TEST_TMPDIR/screen" || true
	screen=$(tr '\r' '^' <"$BATS_TEST_TMPDIR/screen")
}

@test "progress appears on a terminal after a second, rewrites one line, and leaves none behind" {
	need engine
	need_lab
	on_terminal 'tcpprobe -t 1 -n 10 -F "" "$1" 1-25 >/dev/null; printf "%s" end' "$TP_SILENT"
	[[ $screen =~ \^10'/25 done, 0 open'(', '[0-9]+' s left')?\^.*\^20'/25 done, 0 open, '[0-9]' s left' ]] || fail "$screen"
	[[ ${screen##*open} =~ ^(, [0-9]+ s left)?\ *\^\ +\^end$ ]] || fail "left behind: $screen"
}

@test "a probe that takes less than a second shows no progress, nor does one alone, nor -q" {
	need soon
	need_lab
	on_terminal 'tcpprobe -t 0.5 "$1" 1-3; tcpprobe -t 1.2 "$1" 1; tcpprobe -q -t 1.2 "$1" 1-3' "$TP_SILENT"
	[[ $screen != *done,* ]] || fail "$screen"
}

@test "a wait for one target shows what is left of it" {
	need engine
	need_lab
	on_terminal 'tcpprobe -r 2.6 "$1" 1' "$TP_SILENT"
	[[ $screen == *'^0/1 done, 0 open, 2 s left^0/1 done, 0 open, 1 s left^'* ]] || fail "$screen"
}

# work SCRIPT [ARG...]: sets worked_ms, how long the shell had a processor for it.
work() {
	face "read -r before _ </proc/\$\$/schedstat; $1; read -r after _ </proc/\$\$/schedstat; echo \$(((after - before) / 1000000)) >&3" "${@:2}" 3>"$BATS_TEST_TMPDIR/work"
	worked_ms=$(<"$BATS_TEST_TMPDIR/work")
}

@test "who waits for descriptors, or for a reader when the first open one is found, costs no processor" {
	need inside kernel
	need_lab
	work 'ulimit -n 7; tcpprobe -q -t 1 "$1:1-6"' "$TP_SILENT"
	((worked_ms < 100)) || fail "$worked_ms ms for descriptors"
	peer -a 0.0.0.0 open
	work 'exec 8<> <(:); tcpprobe -1 -t 3 -n 4096 "$1.0.1:$2" 10.2.0.2:81-700 "120ms.w.10-2-0-1.ip.test:$3" \
		"100ms.x.10-5-0-1.ip.test:$2" -F "$(printf %300s) %s" > >(read -r -t 1 -u 8 _; cat >/dev/null)' \
		"$TP_FAR" "$(far_port reset)" "$port"
	((worked_ms < 300)) || fail "$worked_ms ms for a reader"
}

@test "the pause between rounds is none of progress's: it costs no processor" {
	need inside
	on_terminal 'tcpprobe -q 127.0.0.1 1; read -r before _ </proc/$$/schedstat; tcpprobe -c 2 -i 2 "$@"
		read -r after _ </proc/$$/schedstat; echo "took $(((after - before) / 1000000)) ms"' 127.0.0.1:1 127.0.0.1:2
	[[ $screen =~ took\ [0-9]{1,2}\ ms ]] || fail "$screen"
}

@test "rounds of a file that has no target are over" {
	need engine
	face 'tcpprobe -c 0 -i 0 -f /dev/null'
	assert_state usage
	assert_message_has 'no target'
}
