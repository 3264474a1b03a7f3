#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# matrix.sh HOSTS TARGETS [WAY]: who reaches what. Each host of the file HOSTS probes each target of the file TARGETS,
# HOST:PORT. Nothing is installed there: tcpprobe.sh, which is in this folder, comes on standard input. WAY is how a host is
# reached: 'ssh {}' (the default), 'kubectl exec -i {} --' or 'docker exec -i {}'. Prints a JSON object for each host and target.
way=${3:-ssh -o BatchMode=yes -o ConnectTimeout=10 {\}}
parallel --jobs 100 --timeout 300 --tag --arg-file "$1" "$way sh -s -- -j -t 1 $(paste -s -d ' ' "$2") <tcpprobe.sh" |
	jq -Rc 'split("\t") | {from: .[0]} + (.[1] | fromjson?)'
