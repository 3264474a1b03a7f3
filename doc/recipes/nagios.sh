#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# nagios.sh [OPTION]... TARGET...: a plugin for Nagios and its kin. The options and targets are those of tcpprobe.
# OK: all are open. CRITICAL: one is not, and it says which and why. UNKNOWN: nothing was probed.
tcpprobe -q -j "$@" | jq -rs '
	map(select(.state != "open")) as $bad
	| (if . == [] then ["UNKNOWN", 3] elif $bad == [] then ["OK", 0] else ["CRITICAL", 2] end) as [$word, $status]
	| "TCP \($word) - \(length - ($bad | length)) of \(length) open"
		+ ([$bad[] | "; \(.host):\(.port) \(.state): \(.error)"] | add // "")
		+ ([.[] | " \u0027\(.host):\(.port)\u0027=" + if .connect_ms then "\(.connect_ms)ms" else "U" end] | " |" + (add // empty) // ""),
	$status' | {
	IFS= read -r line && echo "$line"
	read -r status
	exit "${status:-3}"
}
