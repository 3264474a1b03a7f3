# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# For scripts whose tests are commands. Counts the tests in passed and failed. If part is set, each test's sentence
# begins with it.

passed=0 failed=0

# expect SENTENCE COMMAND...: runs the command as a test; shows the end of its output if it fails.
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

# says TEXT: prints the reason of a failure, and returns false.
says() {
	printf '%s\n' "$1"
	return 1
}

# side_by_side COMMAND FOLDER NAME...: runs `COMMAND NAME` for each NAME, as many at a time as there are processors:
# they mostly wait. Their output goes to FOLDER/NAME.tap. When all have ended, it is shown in the order of the NAMEs,
# with the totals last. Then the script exits.
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
