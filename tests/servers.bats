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
