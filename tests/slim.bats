#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "The fallback" on systems that have next to nothing. tests/fallback makes their roots in build/slim:
# bash (dash, bash, perl, coreutils), perl (the same without bash), none (without both), busybox (one static file).

setup() {
	load lib
	need_lab
	[[ -d $TP_BUILD/slim/none && -d $TP_BUILD/slim/busybox ]] || skip 'no roots: tests/fallback makes them'
}

# fed ROOT COMMAND: fed to the sh of that root, behind the file; nothing can be written there. Sets what `face` does.
fed() {
	local begin=$EPOCHREALTIME

	# shellcheck disable=SC2016 # for the inner shell
	run --separate-stderr unshare --mount sh -c 'cd "$0" && mount --bind . . && cd "$0" && mount --bind /dev/null dev/null &&
		mount -t proc proc proc && mount -o remount,bind,ro . && (cat "$1"; printf "%s\n" "$2") |
		env -i "$(command -v chroot)" . /bin/sh -c "PATH=/bin:/usr/bin; export PATH; exec sh"' "$TP_BUILD/slim/$1" "$tree/shell/tcpprobe.sh" "$2"
	elapsed_ms=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
}

# told_right ROOT: open, refused and silence.
told_right() {
	peer open
	fed "$1" "tcpprobe -v 127.0.0.1 $port"
	assert_state open
	assert_output --partial "127.0.0.1:$port open 127.0.0.1"
	assert_equal "$stderr" ''
	fed "$1" 'tcpprobe 127.0.0.1 1'
	assert_state refused
	assert_message '127.0.0.1:1: Connection refused'
	fed "$1" "tcpprobe -t 0.5 $TP_SILENT 80"
	assert_state timeout
	assert_message "$TP_SILENT:80: Connection timed out"
	assert_took_about 500
}

@test "a minimal Debian is told right by its bash" {
	told_right bash
}

@test "a minimal Debian without bash is told right by its perl, whose modules are few" {
	told_right perl
}

@test "a minimal Debian without bash and perl is status 5, naming what was looked for" {
	fed none 'tcpprobe 127.0.0.1 1'
	assert_state error
	assert_message_has 'no tool to connect with: looked for bash perl python3 nc'
}

@test "a busybox alone, where nothing can be written, is told right by its own nc" {
	told_right busybox
}
