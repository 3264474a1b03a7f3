#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# firewall.sh RULES: does the firewall do what the file says? A line of it is a target and the state that it must be in:
#
#	db:5432 open
#	db:22 timeout
#	web:8080 unreachable
#
# Prints the rules that do not hold as diff does: < what the file says, > what is. The status is 1 then, so a CI job fails.
cut -d ' ' -f 1 "$1" | tcpprobe -q -t 2 -f - -F '%h:%p %s' | diff "$1" -
