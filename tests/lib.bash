# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# What every test file loads: the face under test, peers to probe, and asserts in the contract's words.
#
#	TP_BUILD     where the things under test are built
#	TP_BASH      the bash that loads the builtin (default: bash)
#	TP_FACE      builtin (the default) or fallback
#	TP_SHELL     with the fallback: the shell that runs it
#	TCPPROBE_BACKEND  the tool that it connects with
#	TP_TOOL      that tool's row in include/tools.def, where the name alone does not tell
#	TP_SLACK     how many ms more all may take: on a machine that runs several suites at once (default: 0)
#	TP_WATCHED   set where what runs is watched: see need_plain
#	TP_LAB       set inside the lab (tests/lab/enter)
#	TP_LAB_LACK  where there is no lab: why

bats_require_minimum_version 1.5.0
# shellcheck source=/dev/null
source "$TP_BUILD/asserts.bash"

tree=${BATS_TEST_DIRNAME%/tests*}
so=$TP_BUILD/tcpprobe.so
shell=${TP_BASH:-bash}
tool_name=${TP_TOOL:-${TCPPROBE_BACKEND-}}
slack_ms=${TP_SLACK:-0}
export LC_ALL=C

# -- The face

# How many times to try what only sometimes happens; where each time is some processes, fewer.
[[ ${TP_FACE-builtin} == builtin ]] && often=300 || often=20

# The text that gives a script the face. One that does not load ends the test: never is another tested by accident.
if [[ ${TP_FACE-builtin} == builtin ]]; then
	face_prelude="enable -f '$so' tcpprobe || exit 99; "
else
	face_prelude="tcpprobe() { command $TP_SHELL '$tree/shell/tcpprobe.sh' \"\$@\"; }; "
fi

# What a test is about that only the builtin has, by contract or because it lives in the shell's own process.
need_builtin() {
	[[ ${TP_FACE-builtin} == builtin ]] || skip "contract: $1"
}

# A command that each shell is started by (see own_network), and options that it gets.
within=()
flags=()

# face SCRIPT [ARG...]: runs it in a fresh shell that has the face; its name is "script".
# Sets status, output and stderr (as run --separate-stderr does), and elapsed_ms.
face() {
	local begin=$EPOCHREALTIME

	run --separate-stderr "${within[@]}" "$shell" --norc "${flags[@]}" -c "$face_prelude$1" script "${@:2}"
	elapsed_ms=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
}

# need_plain WHY: skips where what runs is made to be watched (tests/sanitizers, tests/coverage), and so other than users have it.
need_plain() {
	[[ -z ${TP_WATCHED-} ]] || skip "contract: $1"
}

# What the fallback's tool can, and what not, by its row in include/tools.def.
tool_options='' tool_blind=''
if [[ ${TP_FACE-builtin} != builtin ]]; then
	IFS= read -r -d '' table <"$tree/include/tools.def" || :
	IFS='"' read -r tool_options _ tool_blind _ <<<"${table#*"TP_TOOL(\"$tool_name\", \""}"
fi

# Who is blind to "soon" is a second late, on any machine.
[[ " $tool_blind " != *' soon '* ]] || ((slack_ms += 1000))

# need_sight WORD: skips where the fallback's tool is blind to it.
need_sight() {
	[[ " $tool_blind " != *" $1 "* ]] || skip "contract: $tool_name is blind to $1"
}

# need_option LETTER...: skips where it does not honour one.
need_option() {
	local letter

	for letter; do
		[[ ${TP_FACE-builtin} == builtin || $tool_options == *"$letter"* ]] || skip "contract: $tool_name cannot do -$letter"
	done
}

# What a shell itself cannot: yash holds no byte that is no character; zsh writes to a closed standard output without an
# error where a redirection has taken its place; ksh93 sees no error where it writes to a pipe that nobody reads; mksh
# has numbers of 31 bits.
shells_cannot='yash:bytes zsh:closed ksh93:pipe mksh:squares'

# need_shell WORD: skips where the fallback's shell cannot.
need_shell() {
	[[ ${TP_FACE-builtin} == builtin || " $shells_cannot " != *" ${TP_SHELL%% *}:$1 "* ]] ||
		skip "contract: ${TP_SHELL%% *} cannot ($1)"
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
	((elapsed_ms >= $1 && elapsed_ms <= $1 + 100 + slack_ms)) || fail "took $elapsed_ms ms, not about $1"
}
assert_took_less() {
	((elapsed_ms < $1 + slack_ms)) || fail "took $elapsed_ms ms, not less than $1"
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

# The port of the far network that answers so: a word of `far -l`.
far_port() {
	"$TP_BUILD/lab/far" -l | awk -v name="$1" '$2 == name { print $1 }'
}

# -- Signals

# interrupted SIGNAL SCRIPT [ARG...]: sends it as soon as the script waits in the network, and sets status, output
# and after_ms, how long it took to end from there.
interrupted() {
	local pid begin

	# What is put in the background ignores SIGINT; the script shall not.
	env --default-signal=INT "$shell" --norc -c "$face_prelude$2" script "${@:3}" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	until_waiting "$pid"
	begin=${EPOCHREALTIME/./}
	kill -"$1" "$pid"
	status=0
	wait "$pid" || status=$?
	after_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	output=$(<"$BATS_TEST_TMPDIR/out")
	mapfile -t lines <"$BATS_TEST_TMPDIR/out"
}

# The builtin alone makes bash sleep in poll.
until_waiting() {
	until [[ $(<"/proc/$1/wchan") == *poll* ]]; do
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

need_lab() {
	[[ -n ${TP_LAB-} ]] || skip "${TP_LAB_LACK:-not in the lab}"
}
