#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The README's examples, run as they stand.

setup() {
	load lib
	load servers
	cd "$BATS_TEST_TMPDIR" || return
}

# example WORD: prints the marked block of the README that contains the word.
example() {
	awk -v word="$1" '
		/^<!-- run by tests\/readme.bats -->$/ { marked = 1; next }
		marked && /^```bash$/ { inside = 1; block = ""; next }
		inside && /^```$/ { if (index(block, word)) printf "%s", block; inside = marked = 0 }
		inside { block = block $0 "\n" }' "$tree/README.md"
}

# need_server NAME...: starts each of these servers, and sets NAME_port.
need_server() {
	local name

	for name; do
		if why=$(server_missing "$name"); then skip "$why"; fi
		server_start "$name"
		printf -v "${name}_port" %s "$port"
	done
}

@test "every marked example is run here" {
	assert_equal "$(grep -c '^<!-- run by tests/readme.bats -->$' "$tree/README.md")" \
		"$(grep -cE '^	script=\$\(example' "${BASH_SOURCE[0]:-$BATS_TEST_FILENAME}")"
}

@test "the sweep" {
	script=$(example jq)
	face "$script"
	assert_equal "$status" 0
	assert_line --partial $'localhost\t22\t'
	assert_line --regexp '^127\.0\.0\.1 800[0-3]: Connection refused$'
	assert_line 'refused refused refused'
}

@test "the wait" {
	need_server redis
	script=$(example DATABASE_URL)
	face "DATABASE_URL=redis://user:secret@127.0.0.1:$redis_port/0; $script"
	assert_equal "$status" 0
	assert_line "--- 127.0.0.1:$redis_port: 3 probes: 3 open (100 %)"
	assert_line --partial 'rtt min/avg/max/mdev = '
	refute_output --partial secret
}

@test "whether it is really up" {
	need_server sshd postgres
	# Nobody listens on this port: a peer holds it.
	peer closed
	proxy "$port"
	proxy_port=$port
	proxy "$postgres_port"
	script=$(example PROXY_PORT)
	face "PROXY_PORT=$proxy_port SSH_PORT=$sshd_port DB_PORT=$port; $script"
	assert_equal "$status" 0
	assert_message "127.0.0.1:$proxy_port: the peer hung up: nobody serves there"
	assert_output --regexp "^localhost:$sshd_port open 127\.0\.0\.1 [0-9.]+ ms SSH-2\.0-OpenSSH"
}

@test "the connection that is kept" {
	need_server nginx
	script=$(example HTTP_PORT)
	face "HTTP_PORT=$nginx_port; $script"
	assert_equal "$status" 0
	assert_output --regexp '^HTTP/1\.1 [0-9]+ '
}

# -- What was made in the lab

# normal: replaces the times, which differ with every run.
normal() {
	sed -E 's/[0-9]+\.[0-9]{3} ms/N ms/'
}

@test "the trace that finds a firewall is what the lab shows" {
	need_lab
	block=$(awk '/^<!-- made by tests\/readme.bats -->$/ { marked = 1; next } marked && /^```console$/ { inside = 1; next }
		/^```$/ { inside = marked = 0 } inside' "$tree/README.md")
	made=$(while IFS= read -r line; do
		[[ $line == '$ '* ]] || continue
		face "${line#\$ }"
		printf '%s\n' "$line" "${stderr#script: line +([0-9]): }$output"
	done <<<"$block")
	assert_equal "$(normal <<<"$made")" "$(normal <<<"$block")"
	((${#block} > 300))
}

@test "each message of the table of evidence is what the lab shows" {
	need_lab
	rows=0
	while IFS='`' read -r _ message _; do
		target=${message%%: *}
		face 'tcpprobe -t 1 "$1"' "$target"
		assert_message "$message"
		((++rows))
	done < <(awk '/^\| you see/ { table = 1; next } !/^\|/ { table = 0 } table && /`/' "$tree/README.md")
	((rows >= 12))
}

# -- The picture: doc/terminal.svg

# session: prints what the picture shows: each command as `$ COMMAND`, and behind it its output.
session() {
	local command

	for command in 'tcpprobe -v db 5432' 'tcpprobe db 6379; echo "status $?"' 'tcpprobe api 8215' 'tcpprobe -T -t 1 api 8201' \
		'tcpprobe -k 1 proxy 8080' 'tcpprobe -r 30 postgres://user:secret@db/app && echo "it is there"'; do
		face "$command"
		printf '%s\n' "$ $command" "${stderr#script: line +([0-9]): }${stderr:+${output:+$'\n'}}$output"
	done
}

# drawn: prints standard input as an SVG
drawn() {
	awk '{ gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;"); line[NR] = $0; if (length > width) width = length }
		END {
			printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"monospace\" font-size=\"14\">\n", width * 8.43 + 24, NR * 19 + 20
			print "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#16181d\"/>"
			print "<g fill=\"#b9c0cc\" xml:space=\"preserve\">"
			for (i = 1; i <= NR; i++)
				printf "<text x=\"12\" y=\"%d\"%s>%s</text>\n", i * 19 + 8, line[i] ~ /^[$] / ? " fill=\"#ffffff\" font-weight=\"bold\"" : "", line[i]
			print "</g>\n</svg>"
		}'
}

@test "the picture is what the lab shows" {
	need_lab
	own_file /etc/hosts "10.2.0.5 db
		$TP_END api
		10.2.0.8 proxy"
	peer -a 10.2.0.5 -p 5432 open
	peer -a 10.2.0.8 -p 8080 close
	session | drawn >"$BATS_TEST_TMPDIR/terminal.svg"
	diff -u <(normal <"$tree/doc/terminal.svg") <(normal <"$BATS_TEST_TMPDIR/terminal.svg") || {
		cp "$BATS_TEST_TMPDIR/terminal.svg" "$TP_BUILD/terminal.svg"
		fail 'what it shows now is build/terminal.svg'
	}
}
