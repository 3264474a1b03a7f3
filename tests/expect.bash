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

# side_by_side COMMAND FOLDER NAME...: `COMMAND NAME` for each, one a processor at a time: they mostly wait. What each has
# said, to FOLDER/NAME.tap, is shown in this order when all have ended, and the sum last; it ends the script.
side_by_side() {
	local name line begun=0 p f

	for name in "${@:3}"; do
		((begun++ < $(nproc))) || wait -n
		"$1" "$name" >"$2/$name.tap" 2>&1 </dev/null &
	done
	wait
	for name in "${@:3}"; do
		while IFS= read -r line; do
			case $line in
				*' passed, '*) read -r p _ f _ <<<"$line" && ((passed += p, failed += f)) ;;
				'ok - '*) ((++passed)) ;;
				'not ok - '*) ((++failed)) ;;
			esac
			[[ $line == *' passed, '* ]] || echo "$line"
		done <"$2/$name.tap"
	done
	echo "$passed passed, $failed failed"
	exit $((failed > 0 || passed == 0))
}
