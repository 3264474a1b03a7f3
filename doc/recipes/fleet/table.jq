# SPDX-License-Identifier: 0BSD
#
# The lines of matrix.sh or ansible.sh as a table: a row for each target, a column for each host of the file HOSTS. A cell is
# the state, and who said no, if that is known; "-" where a host did not tell.
#
#	sh matrix.sh HOSTS TARGETS | jq -rs --rawfile hosts HOSTS -f table.jq | column -t -s "$(printf '\t')"

($hosts | split("\n") | map(select(. != ""))) as $from
| INDEX("\(.from) \(.host) \(.port)") as $probes
| ["target", $from[]],
  (unique_by([.host, .port])[] | [
    "\(.host):\(.port)",
    ($probes["\($from[]) \(.host) \(.port)"] | (.state // "-") + if .icmp then " by \(.reporter)" else "" end)
  ])
| @tsv
