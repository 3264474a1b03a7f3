#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "The wrapper" on systems that have next to nothing. tests/wrapper makes their roots in build/slim:
# bash (dash, bash, perl, coreutils), perl (the same without bash), none (without both), busybox (one static file).

setup() {
	load lib
	need_lab
	[[ -d $TP_BUILD/slim/none && -d $TP_BUILD/slim/busybox ]] || skip 'no roots: tests/wrapper makes them'
}

teardown() {
	! mountpoint -q /etc/passwd || umount /etc/passwd
}

# shell_in ROOT OPTION: sets inside to a command that runs the sh of that root. OPTION is an option of the root's mount:
# ro or rw.
shell_in() {
	inside=$BATS_TEST_TMPDIR/shell
	cat >"$inside" <<-END
		#!/bin/sh
		exec unshare \$([ "\$(id -u)" = 0 ] || echo --map-root-user) --mount sh -c 'cd "\$0" && mount --bind . . && cd "\$0" &&
			mount --bind /dev/null dev/null && mount --rbind /proc proc && mount -o "remount,bind,$2" . && shift &&
			exec env -i $(command -v chroot) . /bin/sh -c "PATH=/bin:/usr/bin; export PATH; exec sh \"\\\$@\"" sh "\$@"' \
			'$TP_BUILD/slim/$1' x "\$@"
	END
	chmod +x "$inside"
}

# fed TEXT: gives the wrapper's file and then TEXT to the shell inside as its input. Sets what `face` sets.
fed() {
	begin_time
	run --separate-stderr bash -c '(cat "$1"; echo "$2") | "$0"' "$inside" "$tree/shell/tcpprobe.sh" "$1"
	end_time
}

# told_right ROOT: in this root, which cannot be written to, the wrapper finds open, refused and silent ports.
told_right() {
	shell_in "$1" ro
	peer open
	fed "tcpprobe -v 127.0.0.1 $port"
	assert_state open
	assert_output --partial "127.0.0.1:$port open 127.0.0.1"
	assert_equal "$stderr" ''
	fed 'tcpprobe 127.0.0.1 1'
	assert_state refused
	assert_message '127.0.0.1:1: Connection refused'
	# Begin at the start of a second, so that a clock of whole seconds cannot be right by luck.
	until ((10#${EPOCHREALTIME#*.} < 50000)); do :; done
	fed "tcpprobe -t 0.5 $TP_SILENT 80"
	assert_state timeout
	assert_message "$TP_SILENT:80: Connection timed out"
	assert_took_about 500
	fed ': >/tmp/file'
	refute [ "$status" = 0 ]
}

@test "a minimal Debian is told right by its bash" {
	told_right bash
}

@test "a minimal Debian without bash is told right by its perl, whose modules are few" {
	told_right perl
}

@test "a minimal Debian without bash and perl is status 5, naming what was looked for" {
	shell_in none ro
	fed 'tcpprobe 127.0.0.1 1'
	assert_state error
	assert_message_has 'no tool to connect with: looked for bash perl python3 nc'
}

@test "a busybox alone, where nothing can be written, is told right by its own nc" {
	told_right busybox
}

# -- Over ssh

# The files of the root, with their sizes and times of change, as one line to be compared.
files_inside() {
	find "$TP_BUILD/slim/busybox" -printf '%p %s %C@|' | sort
}

# All processes that this test can see, except for bats itself.
processes() {
	pgrep -fa . | grep -v bats
}

processes_are() {
	[[ $(processes) == "$1" ]]
}

@test "over ssh into a busybox alone the answer is right, and no file and no process stays there" {
	load servers
	if why=$(server_missing sshd); then skip "$why"; fi
	# In a chroot nobody may make a user namespace.
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare --map-root-user true ||
		skip 'contract: an ordinary user may have a user namespace'
	shell_in busybox rw
	# The ssh client may have been unpacked beside sshd, instead of installed.
	program=$(server_path ssh) dir=$BATS_TEST_TMPDIR
	server_environment
	client=("${environment[@]}")
	(cd "$BATS_TEST_TMPDIR" && "${client[@]}" "$(server_path ssh-keygen)" -q -t ed25519 -N '' -f key)
	client+=("$program")
	sed "s|^nobody:.*|nobody:x:65534:65534::/:$inside|" /etc/passwd >"$BATS_TEST_TMPDIR/passwd"
	mount --bind "$BATS_TEST_TMPDIR/passwd" /etc/passwd
	server_lines="AuthorizedKeysFile $BATS_TEST_TMPDIR/key.pub
StrictModes no"
	server_start sshd
	ssh_port=$port
	peer open
	files=$(files_inside)
	processes=$(processes)
	ssh=("${client[@]}" -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes
		-i "$BATS_TEST_TMPDIR/key" -p "$ssh_port" nobody@127.0.0.1)
	run --separate-stderr bash -c '(cat "$1"; printf "%s\n" "$2") | "${@:3}" sh' x "$tree/shell/tcpprobe.sh" \
		"tcpprobe -v 127.0.0.1 $port; tcpprobe -t 0.5 $TP_SILENT 1-5; echo \$?; ls /" "${ssh[@]}"
	assert_line --index 0 --partial "127.0.0.1:$port open 127.0.0.1"
	assert_line --index 1 124
	assert_equal "${lines[*]:2}" 'bin dev proc'
	assert_equal "${#stderr_lines[@]}" 5
	server_await 1 processes_are "$processes" || fail "$(diff <(echo "$processes") <(processes))"
	assert_equal "$(files_inside)" "$files"
}
