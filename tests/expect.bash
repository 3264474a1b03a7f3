# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# For scripts whose tests are commands: counts in passed and failed. What a test is about stands before its sentence, if
# part is set.

passed=0 failed=0

# expect SENTENCE COMMAND...: what it prints is shown where it fails.
expect() {
	local said sentence=${part:+$part: }$1

	if said=$("${@:2}" 2>&1); then
		echo "ok - $sentence"
		((++passed))
	else
		echo "not ok - $sentence"
		tail -n 20 <<<"$said" | sed 's/^/# /'
		((++failed))
		return 1
	fi
}

# says TEXT: a reason why; it is false.
says() {
	printf '%s\n' "$1"
	return 1
}
