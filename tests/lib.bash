# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# Every test file loads this: the face under test, peers to probe, and asserts in the words of the contract.
#
#	TP_BUILD     where the things under test are built
#	TP_BASH      the bash that loads the builtin (default: bash)
#	TP_FACE      builtin (the default), program or wrapper
#	TP_PROGRAM   the program (default: tcpprobe of TP_BUILD)
#	TP_SHELL     with the wrapper: the shell that runs it (default: dash)
#	TCPPROBE_BACKEND  with the wrapper: the tool that it connects with (default: bash)
#	TP_SLACK     ms that everything may take longer, for a machine that runs several suites at once (default: 0)
#	TP_AS        how the face is run, as names of rows in the table of what is lacking: watched, emulated, musl ...
#	TP_LAB       set inside the lab (tests/lab/enter)
#	TP_LAB_LACK  why there is no lab, if there is none

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

# How many times a test tries something that happens only sometimes. Fewer if each try starts processes.
[[ $face_name == builtin ]] && often=300 || often=20

# Shell code that gives a script the face. If the builtin does not load, the script exits, so that no other face is
# tested by accident.
case $face_name in
	builtin) face_prelude="enable -f '$so' tcpprobe || exit 99; " ;;
	program) face_prelude="tcpprobe() { '${TP_PROGRAM:-$TP_BUILD/tcpprobe}' \"\$@\"; }; " ;;
	wrapper)
		export TCPPROBE_BACKEND=${TCPPROBE_BACKEND:-bash}
		face_prelude="tcpprobe() { $wrapper_shell '$tree/shell/tcpprobe.sh' \"\$@\"; }; "
		# toybox notices only after a second that a port is open.
		[[ $TCPPROBE_BACKEND != toybox ]] || ((slack_ms += 1000))
		;;
	*) echo "no face $face_name" >&2 && exit 99 ;;
esac

# What each face, tool, shell and way to run them (TP_AS) lacks by contract, in the words that tests ask for:
#	inside     to run in the process of the calling shell
#	variables  -o and -u
#	engine     what is not in the wrapper's core: -4 -6 -a -c -f -F -k -n -s -T -z, and to tell who said no
#	beside     to probe targets side by side
#	encoded    a percent-encoded host in a URL
#	all        to try all addresses of a name side by side
#	time       to report the time of the handshake, and the address of a name
#	late       to tell whether time ran out in the lookup or in the handshake
#	why        to tell why a name has no address
#	self       to notice that a socket was connected to itself
#	soon       to notice within a second that a port is open
#	ipv6       IPv6
#	plain      to run as users have it (tests/sanitizers)
#	alone      to be without code that counts lines (tests/coverage)
#	bytes      to pass any bytes in an argument
#	kernel     to run right on the kernel: its system calls, time and memory are not mixed with an emulator's
#	hosts      to read a hosts file of 200,000 lines in 40 processes within a second
#	quick      to make 31 probes with six descriptors, each within a second
#	loader     glibc's loader: its messages, and that it unmaps what is unloaded
#	idn        names beyond ASCII
#	nss        name services
#	dns        to treat strange answers of a name server as glibc does
#	icmp       to tell who said no; qemu-user lacks it for 32-bit processors
#	locale     to use a locale that was made on this machine
#	closed     to fail if standard output is closed
#	term       to end at a TERM that comes while it runs a command in the foreground, any command
#	ignored    to go on after an INT that it was started to ignore
#	named      to read a script from a named pipe
#	sleep      to run the sleep that is found on PATH
#	pipe       to fail if the reader of a pipe has gone
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
	counted: alone
	emulated: plain kernel hosts quick idn
	s390x: locale
	i386: icmp
	armhf: icmp
	static: hosts nss dns
	musl: plain hosts nss dns locale loader
'

# need WORD...: skips the test if the face, or something that runs it, lacks one of these.
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

# within: a command that starts each shell (see own_network). flags: options for the shell.
within=()
flags=()

# Sets stalled_us: how long, in us, something on this machine has waited for a processor, for memory or for a disk. The
# kernel counts it in /proc/pressure; 0 if it does not.
look_at_pressure() {
	local file some

	stalled_us=0
	for file in /proc/pressure/*; do
		some=0
		read -r some 2>/dev/null <"$file" || true
		stalled_us=$((stalled_us + ${some##*total=}))
	done
}

# begin_time, end_time: set elapsed_ms, the time between the two calls, and late_ms, by how much that may exceed the
# time on a quiet machine: as long as other processes were in the way meanwhile, but at most 3/4 of elapsed_ms; plus
# the slack.
begin_time() {
	look_at_pressure
	stalled_before_us=$stalled_us
	began_us=${EPOCHREALTIME/./}
}
end_time() {
	elapsed_ms=$(((${EPOCHREALTIME/./} - began_us) / 1000))
	look_at_pressure
	late_ms=$(((stalled_us - stalled_before_us) / 1000))
	((late_ms <= elapsed_ms * 3 / 4)) || late_ms=$((elapsed_ms * 3 / 4))
	late_ms=$((late_ms + slack_ms))
}

# face SCRIPT [ARG...]: runs SCRIPT in a fresh shell that has the face. The shell's name, $0, is "script". Sets status,
# output and stderr (as run --separate-stderr does), elapsed_ms and late_ms.
face() {
	begin_time
	run --separate-stderr "${within[@]}" "$shell" --norc "${flags[@]}" -c "$face_prelude$1" script "${@:2}"
	end_time
}

# status_of STATE: looks the status up in the one list of states, so that no test repeats it.
status_of() {
	awk -F'[(,]' -v word="\"$1\"" '/^TP_STATE\(/ && $5 ~ word { print $3 + 0 }
		/^TP_STATUS\(USAGE,/ && word == "\"usage\"" { print $3 + 0 }' "$tree/include/tcpprobe.def"
}

assert_state() {
	assert_equal "$status (stderr: $stderr)" "$(status_of "$1") (stderr: $stderr)"
}

# assert_message TEXT: the last call of face wrote only one line to stderr, with this text after the shell's own
# "script: line N: ".
assert_message() {
	assert_equal "${stderr#script: line +([0-9]): }" "tcpprobe: $1"
}
shopt -s extglob

# assert_message_has TEXT: TEXT is somewhere in stderr.
assert_message_has() {
	[[ $stderr == *"$1"* ]] || fail "stderr lacks '$1': $stderr"
}

# An expired deadline is noticed within 50 ms. The start of the shell, which is not part of the probe, may take some
# 50 ms more.
assert_took_about() {
	((elapsed_ms >= $1 && elapsed_ms <= $1 + 100 + late_ms)) || fail "took $elapsed_ms ms, not about $1 (late: $late_ms)"
}
assert_took_less() {
	((elapsed_ms < $1 + late_ms)) || fail "took $elapsed_ms ms, not less than $1 (late: $late_ms)"
}

# patient SECONDS: prints a deadline for something that must be found out: SECONDS, or with slack SECONDS plus the
# slack, in whole seconds.
patient() {
	((slack_ms == 0)) && echo "$1" || echo $((${1%.*} + (slack_ms + 999) / 1000))
}

# -- Peers

# peer MODE...: starts a peer (tests/lab/peer.c) that ends with the test, and sets port.
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

# proxy PORT: starts a userland proxy in front of this port (tests/lab/proxy.c) that ends with the test, and sets port
# to the proxy's.
proxy() {
	exec {proxy_fd}< <(exec "$TP_BUILD/lab/proxy" "$1" 3>&-)
	read -r port <&"$proxy_fd"
}

# far_port NAME: the port on which the far network answers in the way that `far -l` lists under this name.
far_port() {
	"$TP_BUILD/lab/far" -l | awk -v name="$1" '$2 == name { print $1 }'
}

# -- Signals

# interrupted SIGNAL SCRIPT [ARG...]: runs the script, and sends it SIGNAL as soon as it waits for the network. Sets
# status and output, and elapsed_ms and late_ms: how long the script took to end after the signal.
interrupted() {
	local pid

	# The shell starts a background job with SIGINT ignored; the script must not ignore it.
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

# interrupted_at_work SCRIPT [ARG...]: runs the script, which writes a line to descriptor 9 when it is at work. Some
# time later sends it USR1, which it traps. Sets status, output, elapsed_ms and late_ms, as interrupted() does.
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

# wchans PID...: where each process sleeps in the kernel
wchans() {
	local pid

	for pid; do cat "/proc/$pid/wchan" && echo; done 2>/dev/null
}

# until_waiting PID: waits until the face sleeps in poll: the builtin in the shell itself, the program in a child of the
# shell. There is no such moment with the wrapper; so it waits until the shell has a child.
until_waiting() {
	local children

	until
		read -r -a children <"/proc/$1/task/$1/children"
		[[ $face_name == wrapper && ${#children[@]} -gt 0 || $(wchans "$1" "${children[@]}") == *poll* ]]
	do
		kill -0 "$1" || fail 'it ended before it waited'
	done
}

# A helper has the same command line as its shell.
no_helper_left() {
	refute pgrep -f '^[^ ]*bash.* no.dead.test'
}

# If the shell was killed, the kernel kills the helper too, a moment later.
until_no_helper() {
	until ! pgrep -f '^[^ ]*bash.* no.dead.test' >/dev/null; do :; done
}

# -- What a test needs

# own_network SYSCTL=VALUE...: from here on each shell has a network of its own, with these settings.
own_network() {
	# shellcheck disable=SC2016 # for the inner shell
	within=(unshare --net sh -c 'ip link set lo up; ip route add local 10.1.0.1 dev lo; nft add table inet t
		nft "add chain inet t input { type filter hook input priority 0; ip daddr 10.1.0.1 drop; }"
		for setting in $0; do echo "${setting#*=}" | tr , " " >"/proc/sys/${setting%%=*}"; done; exec "$@"' "$*")
}

# own_file PATH TEXT: from here on shells see TEXT as the content of PATH. Only in the lab.
own_file() {
	local file=$BATS_TEST_TMPDIR/own${1//\//.}

	printf '%s\n' "$2" >"$file"
	# shellcheck disable=SC2016 # for the inner shell
	within+=(unshare --mount sh -c 'mount --bind "$0" "$1" && shift && exec "$@"' "$file" "$1")
}

# questions SCRIPT [ARG...]: calls face, and sets asked to the number of DNS questions that were sent. (The answers are
# datagrams of this network too, so half of the datagrams are questions.)
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
