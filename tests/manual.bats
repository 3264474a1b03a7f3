#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The manual: it has all that the code has, both formatters take it, and its examples run as they stand.

setup() {
	load lib
	load servers
	manual=$tree/doc/tcpprobe.1
	cd "$BATS_TEST_TMPDIR" || return
}

need_command() {
	command -v "$1" >/dev/null || skip "there is no $1"
}

# rendered COLUMNS: sets output and lines to the manual as a reader sees it, this wide, in plain letters, and with no
# word hyphenated
rendered() {
	need_command mandoc
	output=$(mandoc -T ascii -O width="$1" "$manual" 2>/dev/null | sed "s/.$(printf '\b')//g")
	mapfile -t lines <<<"$output"
}

# section NAME: sets output and lines to the lines of this section
section() {
	rendered 200
	output=$(awk -v name="$1" '/^ *[A-Z]/ && !/^     / { inside = $0 ~ "^ *" name "$" } inside' <<<"$output")
	mapfile -t lines <<<"$output"
	((${#lines[@]} > 1)) || fail "no section $1"
}

# has_item TEXT: a line of output begins with TEXT.
has_item() {
	[[ $'\n'$output$'\n' =~ $'\n'\ *"$1"[[:space:],] ]] || fail "the manual lacks '$1'"
}

# -- Its form

@test "mandoc finds nothing to complain about" {
	need_command mandoc
	# The manual is not to blame for manuals of other programs that this system lacks.
	run bash -c 'mandoc -T lint -W style "$1" 2>/dev/null | grep -v "referenced manual not found"' bash "$manual"
	assert_output ''
}

@test "groff finds nothing to complain about" {
	need_command groff
	run groff -mdoc -ww -z -Tutf8 "$manual"
	assert_output ''
	assert_equal "$status" 0
}

@test "no line of it is longer than 80 columns" {
	rendered 80
	((${#lines[@]} > 100))
	for line in "${lines[@]}"; do
		((${#line} <= 80)) || fail "$line"
	done
}

@test "its version is that of the program" {
	rendered 80
	assert_equal "${lines[-1]##* }" "$("$TP_BUILD/tcpprobe" -V | cut -d ' ' -f 2)"
}

# -- What is in it

@test "every option that the help has is in the manual, with what it takes" {
	section OPTIONS
	count=0
	while read -r letter name value; do
		has_item "-$letter${value:+ $value}, --$name${value:+ $value}"
		((++count))
	done < <("$TP_BUILD/tcpprobe" -h | sed -nE 's/^  -(.), --([a-z0-9-]+)( [A-Z]+)?( .*|$)/\1 \2\3/p')
	((count > 15))
}

@test "every state and every status is in the manual" {
	section 'EXIT STATUS'
	count=0
	while IFS=, read -r status word; do
		assert_output --regexp $'(^|\n) *'"$status +$word: "
		((++count))
	done < <(sed -nE 's/^TP_STATE\([A-Z]+, ([0-9]+), [0-9]+, "([a-z]+)".*/\1,\2/p' "$tree/include/tcpprobe.def")
	while read -r status; do
		has_item "$status"
	done < <(sed -nE 's/^TP_STATUS\([A-Z]+, [0-9]+, "([^"]+)".*/\1/p' "$tree/include/tcpprobe.def")
	((count > 5))
}

# has_items LEAST: each line of standard input is an item of the manual, and there are more than LEAST.
has_items() {
	local item count=0

	while read -r item; do
		has_item "$item"
		((++count))
	done
	((count > $1))
}

@test "every letter of a format is in the manual" {
	section Formats
	has_items 12 < <(sed -n '/^static bool put_conversion/,/^}/s/.*case .\(.\).:.*/%\1/p
		/^static bool put_escape/,/^}/s/.*case .\\*\(.\).:.*/\\\1/p' "$tree/builtin/command/report.c")
}

@test "every key of the JSON is in the manual" {
	section JSON
	has_items 10 < <("$TP_BUILD/tcpprobe" -qj 127.0.0.1 1 | jq -r 'keys[]')
}

@test "every key of a hop's JSON is in the manual" {
	need_lab
	section JSON
	for key in $("$TP_BUILD/tcpprobe" -Tj 10.20.3.2 80 | jq -r 'select(.hop) | keys[]' | sort -u); do
		assert_output --regexp "With -T .*$key"
	done
}

@test "what the wrapper has, and which tools it may be told to use, is in the manual" {
	section 'THE THREE FACES'
	# Not that of an installed program, to which the wrapper would hand over.
	has=$(TCPPROBE_BACKEND=bash dash "$tree/shell/tcpprobe.sh" -h | sed -nE 's/^  -(.), --.*/-\1/p' | paste -sd , | sed 's/,/, /g')
	assert_output --partial "The wrapper has $has and --."
	run --separate-stderr env PATH=/nowhere "$(type -P dash)" "$tree/shell/tcpprobe.sh" 127.0.0.1 1
	looked_for=${stderr##*looked for }
	section ENVIRONMENT
	for tool in $looked_for; do
		assert_output --regexp "[ ,]$tool,"
	done
	((${#looked_for} > 40))
}

@test "every message of the table of evidence is in the manual, with what to look at next" {
	section 'What a message means, and what to look at next'
	count=0
	while IFS='`' read -r _ message _; do
		assert_output --partial "$message"
		((++count))
	done < <(awk '/^\| you see/ { table = 1; next } !/^\|/ { table = 0 } table && /`/' "$tree/README.md")
	((count >= 12))
	assert_equal "$(grep -c 'Look at: ' <<<"$output")" "$count"
}

# -- Its examples

# example WORD: prints the example that contains the word
example() {
	awk -v word="$1" '
		/^\.Sh / { examples = $2 == "EXAMPLES" }
		/^\.Ed/ && inside { if (index(block, word)) printf "%s", block; inside = 0 }
		inside { block = block $0 "\n" }
		/^\.Bd/ && examples { inside = 1; block = "" }' "$manual" | sed 's/\\e/\\/g'
}

# need_db: makes "db" the host behind the two routers of the lab; nobody listens on its port 5432
need_db() {
	need_lab
	printf '%s\n' '127.0.0.1 localhost' '10.20.3.2 db' >hosts
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$PWD/hosts")
}

@test "every example is run here" {
	assert_equal "$(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$manual" | grep -c '^\.Bd')" \
		"$(grep -cE '^	script=\$\(example' "$BATS_TEST_FILENAME")"
}

@test "example: is it there?" {
	need_db
	script=$(example status)
	face "$script"
	assert_output 'status 1'
	assert_message_has 'db:5432: Connection refused'
}

@test "example: wait, then become the server" {
	printf '%s\n' '#!/bin/sh' 'echo "I serve as $$"' >server
	chmod +x server
	peer open
	script=$(example ./server)
	TP_FACE=program
	load lib
	face "DATABASE_URL=postgres://user:secret@127.0.0.1:$port/app; $script"
	assert_output --regexp '^I serve as [0-9]+$'
	assert_equal "$status" 0
}

@test "example: which ports are open" {
	script=$(example 1-1023)
	face "$script"
	assert_state refused
	assert_equal "$(grep -v '^localhost:[0-9]* open ' <<<"$output")$stderr" ''
}

@test "example: the rules of a firewall" {
	peer open
	printf '%s\n' '# rules' "127.0.0.1 $port" '127.0.0.1:1' >rules
	script=$(example rules)
	face "$script"
	assert_line $'127.0.0.1\t'"$port"$'\topen\t-'
	assert_line $'127.0.0.1\t1\trefused\tConnection refused'
	assert_line 127.0.0.1
	assert_equal "${#lines[@]}" 3
}

@test "example: where on the way" {
	need_db
	script=$(example 'tcpprobe -T')
	face "$script"
	assert_line --index 1 --partial ' 2  10.20.2.2'
	assert_line --index 3 --partial 'db:5432 refused: a TCP reset, at hop 3'
}

@test "example: in bash, without a fork" {
	script=$(example 'echo "${states')
	BASH_LOADABLES_PATH=$TP_BUILD run "$shell" --norc -c "$script"
	assert_output --regexp '^(open|refused)( (open|refused)){2}$'
}

@test "example: speak to an open port" {
	if why=$(server_missing nginx); then skip "$why"; fi
	server_start nginx
	script=$(example HTTP_PORT)
	face "HTTP_PORT=$port; $script"
	assert_output --regexp '^HTTP/1\.1 [0-9]+ '
}

@test "example: from another host" {
	need_db
	# An ssh for which "host" is this machine
	printf '%s\n' '#!/bin/sh' '[ "$1" = host ] && shift && exec "$@"' >ssh
	chmod +x ssh
	cp "$tree/shell/tcpprobe.sh" .
	script=$(example ssh)
	PATH=$PWD:$PATH TCPPROBE_BACKEND=bash face "$script"
	assert_equal "$status" 1
	assert_output ''
	assert_message_has 'db:5432: Connection refused'
}
