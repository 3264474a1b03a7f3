# shellcheck shell=bash
# SPDX-License-Identifier: 0BSD
#
# One probe by bash's /dev/tcp, for tcpprobe.sh, which says what it is given and what it prints. The coprocess stays
# when it is connected: its variables would go with it.

((${BASH_VERSINFO-0} >= 4)) || exit 97
# By KILL: right after its fork(2) it may not see another signal.
trap "kill -KILL \$COPROC_PID 2>/dev/null; exit 143" TERM USR1
coproc {
	exec 2>&1
	t=${EPOCHREALTIME-}
	exec 5<>"/dev/tcp/$2/$3" && echo "open ${t/[.,]/} ${EPOCHREALTIME/[.,]/}"
	read -r
}
((!$4)) || printf -v limit %d.%03d $(($4 / 1000)) $(($4 % 1000))
IFS= read -r ${limit:+-t "$limit"} -u "${COPROC[0]}" line || { (($? > 128)) && line=/late; }
kill -KILL "$COPROC_PID" 2>/dev/null
state="?" address=- ms=- status=1
[[ $2 != *:* && ($2 == *[!0-9.]* || $2 != *.*.*.*) ]] || address=$2
case $line in
	*"No such file or directory" | *"cannot redirect output") exit 97 ;;
	"open "*)
		read -r state t u <<<"$line"
		line="" status=0
		[[ $address == - || ! $t ]] || printf -v ms %d.%03d $(((u - t) / 1000)) $(((u - t) % 1000))
		;;
	*"eset by peer" | *"roken pipe") status=0 ;;
	*"not known" | *"mporary failure in name resolution" | *"o address associated with hostname") status=4 ;;
	/late) [[ $address != - ]] || status=4 ;;
esac
printf "%s\t%s\t%s\t%s\t-\t%s\n" "$1" "$state" "$address" "$ms" "${line##*: }"
exit "$status"
