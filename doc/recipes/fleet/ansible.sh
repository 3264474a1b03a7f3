#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# ansible.sh HOSTS TARGETS [MODULE]: the same by Ansible. MODULE is `script` (the default), which copies the static tcpprobe
# of this folder to each host, runs it and removes it; or `command`, where tcpprobe is installed. It knows who said no.
results=$(mktemp -d) || exit
trap 'rm -rf "$results"' EXIT
ansible all --inventory "$1" --forks 100 --tree "$results" --module-name "${3:-script}" \
	--args "tcpprobe -j -t 1 $(paste -s -d ' ' "$2")" >/dev/null
jq -c '(input_filename | sub(".*/"; "")) as $from | .stdout // "" | split("\n")[] | fromjson? | {from: $from} + .' "$results"/*
