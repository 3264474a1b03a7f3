#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job on real servers: they are open while they run, and refused afterwards.

setup() {
	load lib
	load servers
}

# open_then_refused NAME TARGET-FORMAT: the format is printf's, its argument the port.
open_then_refused() {
	local target

	if why=$(server_missing "$1"); then skip "$why"; fi
	server_start "$1"
	# shellcheck disable=SC2059
	printf -v target "$2" "$port"
	face 'tcpprobe -v "$1"' "$target"
	assert_state open
	assert_output --regexp "^(127\.0\.0\.1|localhost):$port open"
	server_stop "$1"
	face 'tcpprobe "$1"' "$target"
	assert_state refused
}

@test "sshd is open while it runs, and refused after" {
	open_then_refused sshd '127.0.0.1:%s'
}

@test "nginx is open while it runs, and refused after" {
	open_then_refused nginx 'http://127.0.0.1:%s/index.html'
}

@test "redis is open while it runs, and refused after" {
	open_then_refused redis 'redis://:secret@localhost:%s/0'
}

@test "PostgreSQL is open while it runs, and refused after" {
	open_then_refused postgres 'postgres://postgres@localhost:%s/postgres'
}

# held NAME BANNER: BANNER is a regular expression for what the server says by itself; '-': it is silent
held() {
	need engine
	if why=$(server_missing "$1"); then skip "$why"; fi
	if [[ $1 == vsftpd ]]; then
		# vsftpd makes namespaces and roots of its own.
		server_start "$1" || skip "contract: vsftpd does not run where it may not do that"
	else
		server_start "$1"
	fi
	face 'tcpprobe -k "$1" -F "%s %b" 127.0.0.1 "$2"' "$([[ $2 == - ]] && echo 0.5 || echo 4)" "$port"
	assert_output --regexp "^open $2\$"
	[[ $2 == - ]] || assert_took_less 4000
	server_stop "$1"
}

@test "sshd shows its version when it is held" {
	held sshd 'SSH-2\.0-OpenSSH_[0-9.]+p[0-9].*'
}

@test "MariaDB shows its version when it is held" {
	held mariadb '.\?\?\?\?(5\.5\.5-)?[0-9.]+-MariaDB.*'
}

@test "Exim greets when it is held" {
	held exim '220 mail\.test ESMTP Exim [0-9.]+ .*'
}

@test "vsftpd greets when it is held" {
	held vsftpd '220 \(vsFTPd [0-9.]+\)'
}

@test "Dovecot greets when it is held" {
	held dovecot '\* OK \[CAPABILITY IMAP4rev1 .*\] Dovecot .*ready\.'
}

@test "nginx is silent when it is held, and open" {
	held nginx -
}

@test "redis is silent when it is held, and open" {
	held redis -
}

@test "PostgreSQL is silent when it is held, and open" {
	held postgres -
}

@test "HAProxy is open without its backend, too; with -k it hangs up, and is open once the backend is there" {
	need engine
	for name in nginx haproxy; do
		if why=$(server_missing "$name"); then skip "$why"; fi
	done
	server_start nginx
	server_backend=$port
	server_stop nginx
	server_start haproxy
	server_await 5 grep -q 'has no server available' "$server_log"
	front=$port
	face 'tcpprobe 127.0.0.1 "$1"' "$front"
	assert_state open
	face 'tcpprobe -k 0.5 127.0.0.1 "$1"' "$front"
	assert_state hangup
	server_start nginx "$server_backend"
	face 'tcpprobe -r 10 -k 0.5 127.0.0.1 "$1" && tcpprobe -k 0.5 -F %s 127.0.0.1 "$1"' "$front"
	assert_output open
	server_stop nginx
	face 'tcpprobe -R 10 -k 0.5 127.0.0.1 "$1" && tcpprobe -qk 0.5 -F %s 127.0.0.1 "$1"' "$front"
	assert_output hangup
	server_stop haproxy
}

# client NAME SERVER: sets client to the words that run the program of this name that came with the server. It is looked
# for beside the server first: the psql on Debian's PATH is a script that looks for the real one.
client() {
	local program folder dir=$BATS_TEST_TMPDIR environment

	folder=$(dirname "$(readlink -f "$(server_path "$2")")")
	program=$(PATH=$folder:$PATH server_path "$1") || skip "no $1 here (.ci/deps server brings it)"
	server_environment
	client=("${environment[@]}" "$program")
}

# waited_for NAME TARGET COMMAND...: the wait begins before the server does, and COMMAND is served after the wait. In
# TARGET and COMMAND %s is the port. The script that calls the builtin runs COMMAND; the other faces run it themselves.
# Sets output to what COMMAND printed.
waited_for() {
	local port pid begin_us end_us begun='echo "$EPOCHREALTIME"; exec "$@"' then='--'

	if why=$(server_missing "$1"); then skip "$why"; fi
	# The first start also sets up the server's files, and shall not be timed.
	server_start "$1"
	server_stop "$1"
	[[ $face_name != builtin ]] || then='&&'
	set -- "${@//%s/$port}"
	"$shell" --norc -c "${face_prelude}tcpprobe -r 30 \"\$1\" $then \"\${@:2}\"" script "$2" \
		"$BASH" -c "$begun" begun "${@:3}" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	until_waiting "$pid"
	server_start "$1" "$port"
	begin_us=${EPOCHREALTIME/./}
	wait "$pid"
	server_stop "$1"
	{
		read -r end_us
		output=$(cat)
	} <"$BATS_TEST_TMPDIR/out"
	((${end_us/./} - begin_us < (500 + slack_ms) * 1000)) || fail "seen $((${end_us/./} - begin_us)) us after it accepted"
}

@test "PostgreSQL is waited for, and answers psql then" {
	client psql postgres
	waited_for postgres 'postgres://postgres:secret@localhost:%s/postgres' \
		"${client[@]}" -h 127.0.0.1 -p %s -U postgres -Atc 'select 6 * 7'
	assert_output 42
}

@test "redis is waited for, and answers redis-cli then" {
	client redis-cli redis
	waited_for redis 'redis://localhost:%s' "${client[@]}" -h 127.0.0.1 -p %s ping
	assert_output PONG
}

@test "sshd is waited for, and shows ssh-keyscan its key then" {
	client ssh-keyscan sshd
	waited_for sshd 'ssh://localhost:%s' "${client[@]}" -p %s 127.0.0.1
	assert_output --partial 'ssh-ed25519 '
}

@test "nginx is waited for, and serves a page then" {
	waited_for nginx 'http://127.0.0.1:%s/' \
		"$shell" -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf "GET / HTTP/1.0\r\n\r\n" >&3 && grep ok <&3' %s
	assert_output ok
}

# psql_after WAIT PORT: runs the script WAIT with the port as its argument; if it succeeds, prints what psql says then
psql_after() {
	"$shell" --norc -c "$face_prelude$1"' && shift && exec "$@"' script "$2" \
		"${client[@]}" -h 127.0.0.1 -p "$2" -U postgres -Atc 'select 6 * 7' app 2>&1
}

# first_start PORT: starts PostgreSQL as its container does for the first time: its data are made; it is up until a
# database has been created, is gone, and then is up for good.
first_start() {
	rm -rf "$BATS_TEST_TMPDIR/postgres"
	server_start postgres "$1"
	"${client[@]}" -q -h 127.0.0.1 -p "$1" -U postgres -c 'create database app'
	server_stop postgres
	server_start postgres "$1"
}

@test "through PostgreSQL's first start behind a proxy that accepts, psql is always served after the README's wait" {
	need engine
	local port backend proxy pid wait unserved=0
	if why=$(server_missing postgres); then skip "$why"; fi
	client psql postgres
	server_choose_port
	backend=$port
	proxy "$backend"
	proxy=$port
	wait=$(grep -o '^tcpprobe .* "$DB_PORT"' "$tree/README.md")
	# 20 times in all: the builtin and the program do it 10 times each.
	for _ in {1..10}; do
		psql_after "DB_PORT=\$1; $wait" "$proxy" >"$BATS_TEST_TMPDIR/out" 3>&- &
		pid=$!
		# This waits as wait-for-it does: the proxy is open at once, though the server has not even started.
		[[ $(psql_after 'until : <>"/dev/tcp/127.0.0.1/$1"; do :; done' "$proxy") == 42 ]] || ((++unserved))
		first_start "$backend"
		wait "$pid" || true
		assert_equal "$(<"$BATS_TEST_TMPDIR/out")" 42
		server_stop postgres
	done
	echo "# after a wait for the handshake alone, $unserved of 10 psql were not served" >&3
	assert_equal "$unserved" 10
}

# unseen_by NAME: half-open probes leave no line in the server's log, even when it logs as much as it can.
unseen_by() {
	need engine
	local before

	if why=$(server_missing "$1"); then skip "$why"; fi
	server_start "$1"
	before=$(wc -l <"$server_log")
	face 'tcpprobe -zqv -c 100 -i 0 127.0.0.1 "$1" | grep -- ---' "$port"
	assert_output "--- 127.0.0.1:$port: 100 probes: 100 open (100 %)"
	assert_equal "$(wc -l <"$server_log")" "$before"
	# But a probe that finishes the handshake does leave a line.
	face 'tcpprobe 127.0.0.1 "$1"' "$port"
	server_await 5 log_has_more_than "$before"
	server_stop "$1"
}

log_has_more_than() {
	(($(wc -l <"$server_log") > $1))
}

@test "nginx does not see half-open probes" {
	unseen_by nginx
}

@test "sshd does not see half-open probes" {
	unseen_by sshd
}
