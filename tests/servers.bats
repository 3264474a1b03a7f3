#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job on real servers: found open while they run, refused after.

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
	assert_output --regexp "^(127\.0\.0\.1|localhost):$port open 127\.0\.0\.1 "
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

# waited_for NAME TARGET-FORMAT: the wait begins a while before the server does.
waited_for() {
	local target port pid begin_ms

	if why=$(server_missing "$1"); then skip "$why"; fi
	# What it sets up once is no part of a start.
	server_start "$1"
	server_stop "$1"
	# shellcheck disable=SC2059
	printf -v target "$2" "$port"
	"$shell" --norc -c "$face_prelude"'tcpprobe -r 30 "$1"; echo "$? ${EPOCHREALTIME/./}"' script "$target" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	until_waiting "$pid"
	server_start "$1" "$port"
	begin_ms=$((${EPOCHREALTIME/./} / 1000))
	wait "$pid"
	read -r status end_us <"$BATS_TEST_TMPDIR/out"
	server_stop "$1"
	assert_equal "$status" 0
	((end_us / 1000 - begin_ms < 500)) || fail "seen $((end_us / 1000 - begin_ms)) ms after it accepted"
}

@test "PostgreSQL is waited for" {
	waited_for postgres 'postgres://postgres:secret@localhost:%s/postgres'
}

@test "redis is waited for" {
	waited_for redis 'redis://localhost:%s'
}

@test "nginx is waited for" {
	waited_for nginx 'http://127.0.0.1:%s/'
}

# unseen_by NAME: half-open probes leave no line in its log at its most talkative.
unseen_by() {
	need engine
	local before

	if why=$(server_missing "$1"); then skip "$why"; fi
	server_start "$1"
	before=$(wc -l <"$server_log")
	face 'tcpprobe -zqv -c 100 -i 0 127.0.0.1 "$1" | grep -- ---' "$port"
	assert_output "--- 127.0.0.1:$port: 100 probes: 100 open"
	assert_equal "$(wc -l <"$server_log")" "$before"
	# The log would have shown it.
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
