# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# What tests of the wrapper share: one shell (TP_SHELL, dash) with one tool (TCPPROBE_BACKEND, bash), and what is left of them.

sh=${TP_SHELL:-dash}
file=$tree/shell/tcpprobe.sh
export TCPPROBE_BACKEND=${TCPPROBE_BACKEND:-bash}

need_pair() {
	command -v "${sh%% *}" "$TCPPROBE_BACKEND" >/dev/null || skip "no ${sh%% *}, or no $TCPPROBE_BACKEND"
}

# none_left PATTERN: soon there is no process of ours left.
none_left() {
	local until=$((${EPOCHREALTIME/./} + 200000 + slack_ms * 1000))

	until ! pgrep -f "$1" >/dev/null; do
		((${EPOCHREALTIME/./} < until)) || fail "still there: $(pgrep -fa "$1")"
	done
}

# ended_by SIGNAL WHOM STATUS COMMAND...: a probe of port 4711 gets the signal as soon as its clock runs; WHOM is group or
# shell. Sets after_ms, how long it took to end.
ended_by() {
	local pid begin status=0

	env --default-signal=INT setsid "${@:4}" >out 2>&1 3>&- &
	pid=$!
	until pgrep -f '[ :/]4711' >/dev/null && pgrep -x 'sleep|busybox' >/dev/null; do
		kill -0 "$pid" || fail "it ended: $(cat out)"
	done
	begin=${EPOCHREALTIME/./}
	[[ $2 == shell ]] && kill "-$1" "$pid" || kill "-$1" -- "-$pid"
	wait "$pid" || status=$?
	after_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	assert_equal "$status $(cat out)" "$3 "
}
