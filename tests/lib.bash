# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# What every test file loads: the face under test, peers to probe, and asserts in the contract's words.
#
#	TP_BUILD     where the things under test are built
#	TP_BASH      the bash that loads the builtin (default: bash)
#	TP_FACE      builtin (the default), program or wrapper
#	TP_PROGRAM   the program (default: tcpprobe of TP_BUILD)
#	TP_SHELL     with the wrapper: the shell that runs it (default: dash)
#	TCPPROBE_BACKEND  the tool that it connects with (default: bash)
#	TP_SLACK     how many ms more all may take: on a machine that runs several suites at once (default: 0)
#	TP_AS        what runs it, or how, in words of the table of what is lacking: watched, emulated, musl ...
#	TP_LAB       set inside the lab (tests/lab/enter)
#	TP_LAB_LACK  where there is no lab: why

bats_require_minimum_version 1.5.0
# shellcheck source=/dev/null
source "$TP_BUILD/asserts.bash"

tree=${BATS_TEST_DIRNAME%/tests*}
so=$TP_BUILD/tcpprobe.so
shell=${TP_BASH:-bash}
slack_ms=${TP_SLACK:-0}
export LC_ALL=C

# -- The face

face_name=${TP_FACE:-builtin}
wrapper_shell=${TP_SHELL:-dash}

# How many times to try what only sometimes happens; where each time is some processes, fewer.
[[ $face_name == builtin ]] && often=300 || often=20

# The text that gives a script the face. One that does not load ends the test: never is another tested by accident.
case $face_name in
	builtin) face_prelude="enable -f '$so' tcpprobe || exit 99; " ;;
	program) face_prelude="tcpprobe() { '${TP_PROGRAM:-$TP_BUILD/tcpprobe}' \"\$@\"; }; " ;;
	wrapper)
		export TCPPROBE_BACKEND=${TCPPROBE_BACKEND:-bash}
		face_prelude="tcpprobe() { $wrapper_shell '$tree/shell/tcpprobe.sh' \"\$@\"; }; "
		# It sees that a port is open after a second.
		[[ $TCPPROBE_BACKEND != toybox ]] || ((slack_ms += 1000))
		;;
	*) echo "no face $face_name" >&2 && exit 99 ;;
esac

# What each face, tool and shell lacks by contract, in the words that tests ask for:
#	inside     to live in the process of the shell that calls it
#	variables  -o and -u
#	engine     all that is not the wrapper's core: -4 -6 -a -c -f -F -k -n -s -T -z, and who said no
#	beside     targets side by side
#	encoded    a percent-encoded host in a URL
#	all        a name's addresses side by side
#	time       the handshake's time, and a name's address
#	late       whether time was up in the lookup or in the handshake
#	why        why a name has no address
#	self       that a connection was one to itself
#	soon       that a port is open, before a second has passed
#	ipv6       IPv6
#	plain      to run as users have it (tests/sanitizers, tests/coverage)
#	bytes      an argument of any bytes
#	kernel     system calls that are all its own, and the kernel's word on its time and its memory
#	hosts      a hosts file of 200,000 lines, read by 40 processes in a second
#	quick      31 probes with six descriptors, each within a second
#	loader     the words of glibc's loader, and that it unmaps what is unloaded
#	idn        names beyond ASCII
#	nss        name services
#	dns        to take strange answers of a name server as glibc does
#	icmp       who said no: qemu-user, for a processor of 32 bits
#	locale     a locale that was made on this machine
#	closed     an error where standard output is closed
#	term       TERM while a command is in its foreground, any command
#	ignored    to go on when an INT comes that it was started to ignore
#	named      a script that is a named pipe
#	sleep      a sleep that is found on PATH
#	pipe       an error where the reader of a pipe has gone
lacks='
	program: inside variables
	wrapper: inside variables engine beside encoded
	bash: all time late self
	nc.openbsd: all time late self why
	nc.traditional: all time late self why ipv6
	ncat: all time late self why
	busybox: all time late self why sleep
	toybox: all time late self why soon
	yash: bytes
	zsh: closed ignored
	ksh93: pipe named
	mksh: term
	watched: plain
	emulated: plain kernel hosts quick idn
	s390x: locale
	i386: icmp
	armhf: icmp
	static: hosts nss dns
	musl: plain hosts nss dns locale loader
'

# need WORD...: skips the test where one of these is lacking.
# shellcheck disable=SC2206 # words
need() {
	local who word row whos=("$face_name")

	[[ $face_name != wrapper ]] || whos+=("$TCPPROBE_BACKEND" "${wrapper_shell%% *}")
	whos+=(${TP_AS-})
	for who in "${whos[@]}"; do
		[[ $lacks == *$'\t'"$who:"* ]] || continue
		row=${lacks#*$'\t'"$who:"}
		for word; do
			[[ " ${row%%$'\n'*} " != *" $word "* ]] || skip "contract: $who lacks '$word'"
		done
	done
}

# A command that each shell is started by (see own_network), and options that it gets.
within=()
flags=()

# How long something on this machine has waited for a processor, for memory or for a disk, in us, as the kernel counts it
# (/proc/pressure; 0 where it does not). Sets stalled_us.
look_at_pressure() {
	local file some

	stalled_us=0
	for file in /proc/pressure/*; do
		some=0
		read -r some 2>/dev/null <"$file" || true
		stalled_us=$((stalled_us + ${some##*total=}))
	done
}

# begin_time, end_time: what is between them took elapsed_ms, and may have taken late_ms more than on a quiet machine: as
# long as others were in the way meanwhile, but not more than half of the whole.
begin_time() {
	look_at_pressure
	stalled_before_us=$stalled_us
	began_us=${EPOCHREALTIME/./}
}
end_time() {
	elapsed_ms=$(((${EPOCHREALTIME/./} - began_us) / 1000))
	look_at_pressure
	late_ms=$(((stalled_us - stalled_before_us) / 1000))
	((late_ms <= elapsed_ms / 2)) || late_ms=$((elapsed_ms / 2))
	late_ms=$((late_ms + slack_ms))
}

# face SCRIPT [ARG...]: runs it in a fresh shell that has the face; its name is "script".
# Sets status, output and stderr (as run --separate-stderr does), elapsed_ms and late_ms.
face() {
	begin_time
	run --separate-stderr "${within[@]}" "$shell" --norc "${flags[@]}" -c "$face_prelude$1" script "${@:2}"
	end_time
}

# A row of the one list of states: what it says is never typed again here.
status_of() {
	awk -F'[(,]' -v word="\"$1\"" '/^TP_STATE\(/ && $5 ~ word { print $3 + 0 }
		/^TP_STATUS\(USAGE,/ && word == "\"usage\"" { print $3 + 0 }' "$tree/include/tcpprobe.def"
}

assert_state() {
	assert_equal "$status (stderr: $stderr)" "$(status_of "$1") (stderr: $stderr)"
}

# The last face's only line on stderr, after the shell's own "script: line N: ".
assert_message() {
	assert_equal "${stderr#script: line +([0-9]): }" "tcpprobe: $1"
}
shopt -s extglob

# assert_message_has TEXT: it is somewhere in stderr.
assert_message_has() {
	[[ $stderr == *"$1"* ]] || fail "stderr lacks '$1': $stderr"
}

# An expired deadline is noticed within 50 ms. Starting the shell is not the probe's: some 50 ms more here.
assert_took_about() {
	((elapsed_ms >= $1 && elapsed_ms <= $1 + 100 + late_ms)) || fail "took $elapsed_ms ms, not about $1 (late: $late_ms)"
}
assert_took_less() {
	((elapsed_ms < $1 + late_ms)) || fail "took $elapsed_ms ms, not less than $1 (late: $late_ms)"
}

# patient SECONDS: with the slack, in whole seconds where there is some: a deadline by which something shall be found out.
patient() {
	((slack_ms == 0)) && echo "$1" || echo $((${1%.*} + (slack_ms + 999) / 1000))
}

# -- Peers

# peer MODE...: a peer of ours (tests/lab/peer.c); sets port. It ends with the test.
peer() {
	exec {peer_fd}< <(exec "$TP_BUILD/lab/peer" "$@" 3>&-)
	peer_pid=$!
	read -r port <&"$peer_fd"
}

# How many connections the last peer has accepted.
peer_accepted() {
	local word count

	kill -USR1 "$peer_pid"
	read -r word count <&"$peer_fd"
	[[ $word == accepted ]] && echo "$count"
}

# proxy PORT: a userland proxy before this port (tests/lab/proxy.c); sets port to its own. It ends with the test.
proxy() {
	exec {proxy_fd}< <(exec "$TP_BUILD/lab/proxy" "$1" 3>&-)
	read -r port <&"$proxy_fd"
}

# The port of the far network that answers so: a word of `far -l`.
far_port() {
	"$TP_BUILD/lab/far" -l | awk -v name="$1" '$2 == name { print $1 }'
}

# -- Signals

# interrupted SIGNAL SCRIPT [ARG...]: sends it as soon as the script waits in the network, and sets status, output
# elapsed_ms and late_ms: how long it took to end from there.
interrupted() {
	local pid

	# What is put in the background ignores SIGINT; the script shall not.
	env --default-signal=INT "$shell" --norc -c "$face_prelude$2" script "${@:3}" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	until_waiting "$pid"
	begin_time
	kill -"$1" "$pid"
	status=0
	wait "$pid" || status=$?
	end_time
	output=$(<"$BATS_TEST_TMPDIR/out")
	mapfile -t lines <"$BATS_TEST_TMPDIR/out"
}

# interrupted_at_work SCRIPT [ARG...]: the script writes to descriptor 9 when it is at work; some time later USR1, which it
# traps, is sent. Sets status, output, elapsed_ms and late_ms, as interrupted() does.
interrupted_at_work() {
	local pid ready

	rm -f "$BATS_TEST_TMPDIR/ready"
	mkfifo "$BATS_TEST_TMPDIR/ready"
	exec {ready}<>"$BATS_TEST_TMPDIR/ready"
	"$shell" --norc -c "trap : USR1; $face_prelude$1" script "${@:2}" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 9>&"$ready" 3>&- &
	pid=$!
	read -r -u "$ready"
	read -r -t 0.3 -u "$ready" || true
	exec {ready}>&-
	begin_time
	kill -USR1 "$pid"
	status=0
	wait "$pid" || status=$?
	end_time
	output=$(<"$BATS_TEST_TMPDIR/out")
}

# wchans PID...: where each sleeps in the kernel
wchans() {
	local pid

	for pid; do cat "/proc/$pid/wchan" && echo; done 2>/dev/null
}

# Until the face sleeps in poll, as the builtin in the shell itself, and the program as its child. The wrapper has no such
# moment: until it has a child.
until_waiting() {
	local children

	until
		read -r -a children <"/proc/$1/task/$1/children"
		[[ $face_name == wrapper && ${#children[@]} -gt 0 || $(wchans "$1" "${children[@]}") == *poll* ]]
	do
		kill -0 "$1" || fail 'it ended before it waited'
	done
}

# A helper's command line is its shell's.
no_helper_left() {
	refute pgrep -f '^[^ ]*bash.* no.dead.test'
}

# Where the kernel ended the shell, it ends the helper too, a moment later.
until_no_helper() {
	until ! pgrep -f '^[^ ]*bash.* no.dead.test' >/dev/null; do :; done
}

# -- What a test needs

# own_network SYSCTL=VALUE...: shells have a network of their own from here on, whose settings the test may turn.
own_network() {
	# shellcheck disable=SC2016 # for the inner shell
	within=(unshare --net sh -c 'ip link set lo up; ip route add local 10.1.0.1 dev lo; nft add table inet t
		nft "add chain inet t input { type filter hook input priority 0; ip daddr 10.1.0.1 drop; }"
		for setting in $0; do echo "${setting#*=}" | tr , " " >"/proc/sys/${setting%%=*}"; done; exec "$@"' "$*")
}

# own_file PATH TEXT: shells see this text there from here on. Only in the lab.
own_file() {
	local file=$BATS_TEST_TMPDIR/own${1//\//.}

	printf '%s\n' "$2" >"$file"
	# shellcheck disable=SC2016 # for the inner shell
	within+=(unshare --mount sh -c 'mount --bind "$0" "$1" && shift && exec "$@"' "$file" "$1")
}

# questions SCRIPT [ARG...]: face, and sets asked, how many DNS questions it took. (Each answer is a datagram too.)
questions() {
	local before after

	before=$(awk '/^Udp: [0-9]/ { print $5 }' /proc/net/snmp)
	face "$@"
	after=$(awk '/^Udp: [0-9]/ { print $5 }' /proc/net/snmp)
	asked=$(((after - before) / 2))
}

need_lab() {
	[[ -n ${TP_LAB-} ]] || skip "${TP_LAB_LACK:-not in the lab}"
}
