#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "Targets": what names a target, and what is wrong.

setup() {
	load lib
}

# Every spelling is found open at the one peer, and shown as HOST:PORT.
finds() {
	face 'tcpprobe -v "$@"' "${@:2}"
	assert_state open
	assert_line --regexp "^$1 open "
}

@test "a host and a port are two words" {
	peer open
	finds "127.0.0.1:$port" 127.0.0.1 "$port"
}

@test "HOST:PORT is one word" {
	peer open
	finds "127.0.0.1:$port" "127.0.0.1:$port"
}

@test "bash's own /dev/tcp/HOST/PORT is one word" {
	peer open
	finds "127.0.0.1:$port" "/dev/tcp/127.0.0.1/$port"
}

@test "a URL names host and port, and its secrets are not shown" {
	peer open
	finds "127.0.0.1:$port" "postgres://me:secret@127.0.0.1:$port/db?password=secret"
	refute_output --partial secret
}

@test "a URL without a port means its scheme's service" {
	face 'tcpprobe "$@"' redis://127.0.0.1 postgres://127.0.0.1/db
	assert_message_has "127.0.0.1:6379: "
	assert_message_has "127.0.0.1:5432: "
}

@test "a URL's list of hosts is a list of targets" {
	need all
	peer open
	face 'tcpprobe -v "$@"' "postgres://u:p@127.0.0.1:$port,localhost:$port/app"
	assert_state open
	assert_line --regexp "^127.0.0.1:$port open"
	assert_line --regexp "^localhost:$port open"
}

@test "a host in a URL may be percent-encoded" {
	need all
	peer open
	finds "localhost:$port" "http://local%68ost:$port/"
}

@test "an IPv6 host stands in brackets before a port, and bare before port words" {
	need ipv6
	peer -6 -a ::1 open
	finds "\[::1]:$port" "[::1]:$port"
	finds "\[::1]:$port" ::1 "$port"
	finds "\[::1]:$port" "/dev/tcp/::1/$port"
	finds "\[::1]:$port" "http://[::1]:$port/"
	finds "\[0:0:0:0:0:0:0:1]:$port" 0:0:0:0:0:0:0:1 "$port"
	need_lab
	for host in 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1::3:4:5:6:7:8 1:2:3:4:5:6:1.2.3.4; do
		face 'tcpprobe "$@"' "$host" 1
		assert_state unreachable
	done
}

@test "hosts are what getaddrinfo takes, shortened IPv4 too" {
	peer open
	finds "127.1:$port" "127.1:$port"
	finds "0x7f.1:$port" 0x7f.1 "$port"
}

@test "several words that are each whole are several targets, in order" {
	need all
	peer open
	face 'tcpprobe -v "$@"' "localhost:$port" "/dev/tcp/127.0.0.1/$port" "tcp://127.1:$port"
	assert_line --index 0 --partial "localhost:$port open"
	assert_line --index 1 --partial "127.0.0.1:$port open"
	assert_line --index 2 --partial "127.1:$port open"
}

# The ports that the last face found refused, in order.
refused_ports() {
	grep -o ':[0-9]*: Connection refused' <<<"$stderr" | grep -o '[0-9]*' | xargs
}

@test "ports are numbers, ranges, lists and service names, in every form" {
	for form in '127.0.0.1 %s' '127.0.0.1:%s' '/dev/tcp/127.0.0.1/%s'; do
		# shellcheck disable=SC2059,SC2046 # the form is the format, and may be two words
		face 'tcpprobe "$@"' $(printf "$form" 1,3-5,rdp,etcd)
		assert_equal "$(refused_ports)" '1 3 4 5 3389 2379'
	done
	face 'tcpprobe "$@"' tcp://127.0.0.1:1,3-5,9/path
	assert_equal "$(refused_ports)" '1 3 4 5 9'
}

@test "several port words belong to the first host" {
	face 'tcpprobe "$@"' 127.0.0.1 1 2-3 4,5
	assert_equal "$(grep -c '127.0.0.1:[1-5]: Connection refused' <<<"$stderr")" 5
}

@test "everyday services are known where the system lists none" {
	need_lab
	within=(unshare --mount)
	face '[[ ! -e /etc/services ]] || mount --bind /dev/null /etc/services; tcpprobe 127.0.0.1 https,postgres,redis,mongodb'
	assert_equal "$(refused_ports)" '443 5432 6379 27017'
	cp -a /etc "$BATS_TEST_TMPDIR/"
	printf '%s\n' 'web		80/tcp		www	w3	# the web' 'tele 23/tcp # no alias' >"$BATS_TEST_TMPDIR/etc/services"
	face 'mount --bind "$1" /etc; tcpprobe 127.0.0.1 tele,w3,www,web' "$BATS_TEST_TMPDIR/etc"
	assert_equal "$(refused_ports)" '23 80 80 80'
}

# -- Used wrongly

# word by word what CONTRACT names, and then some; the second column is what the message quotes.
bad_targets() {
	cat <<-'END'
		127.0.0.1 0|'0'
		127.0.0.1 65536|'65536'
		127.0.0.1 99999|'99999'
		127.0.0.1 18446744073709551617|'18446744073709551617'
		127.0.0.1 10-9|'10-9'
		127.0.0.1 1-65536|'65536'
		127.0.0.1 0-5|'0'
		127.0.0.1 80x|'80x'
		127.0.0.1 +80|'+80'
		127.0.0.1 -80|'-80'
		127.0.0.1 0x50|'0x50'
		127.0.0.1 8.0|'8.0'
		127.0.0.1 80,|'80,'
		127.0.0.1 80,,81|'80,,81'
		127.0.0.1 80-|'80-'
		127.0.0.1 nosuchservice|'nosuchservice'
		127.0.0.1:0|'0'
		127.0.0.1:|'127.0.0.1:'
		:|':'
		127.0.0.1|'127.0.0.1'
		/dev/tcp/127.0.0.1|'/dev/tcp/127.0.0.1'
		/dev/tcp//80|'/dev/tcp//80'
		[::1:80|'[::1:80'
		[::1]80|'[::1]80'
		[localhost]:80|'localhost'
		1:2:3:4:5:6:7:8:: 80|'1:2:3:4:5:6:7:8::'
		::1.2.3 80|'::1.2.3'
		::256.1.1.1 80|'::256.1.1.1'
		1:2:3:4:5:6:7:1.2.3.4 80|'1:2:3:4:5:6:7:1.2.3.4'
		::1:x:80|'::1:x:80'
		a/b 80|'a/b'
		user@host:80|'...@host:80'
		127.0.0.1:80 localhost|'localhost'
		127.0.0.1 80 localhost:80|'localhost:80'
		nosuchscheme://127.0.0.1|'nosuchscheme://...'
		http://|'http://'
		http://:80/|'http://...'
		http://127.0.0.1:99999/|'http://...'
		mongodb+srv://127.0.0.1/|'mongodb+srv://...'
		1http://127.0.0.1/|...'
	END
}

@test "what is no target is named in the message, status 2" {
	while IFS='|' read -r words quoted; do
		# shellcheck disable=SC2086 # several words
		face 'tcpprobe "$@"' $words
		assert_state usage
		assert_message_has "$quoted"
	done < <(bad_targets)
}

@test "a host that is empty, blank or has control bytes is no host, and its bytes are not shown" {
	need bytes
	for host in '' ' ' 'a b' $'a\nb' $'a\tb' $'\e[31m' $'a\x7fb' $'a\xc2\x9b31m' $'a\xc2\xa9\xc2\x9b31m'; do
		face 'tcpprobe "$@"' "$host" 80
		assert_state usage
		[[ $stderr != *[$'\e\x7f\t\x9b']* ]]
		assert_equal "${#stderr_lines[@]}" 2
	done
}

@test "a host of ten thousand bytes is refused in a short message" {
	printf -v host '%*s' 10000 ''
	face 'tcpprobe "$@"' "${host// /h}" 80
	assert_state usage
	((${#stderr} < 300))
}

@test "no part of a URL that may be a secret is in any message" {
	for url in redis://sekret redis://:sekret redis://u:sekret redis://u:sekret/x@h redis://u:p@h:sekret \
		'redis://u:p@h:99999/sekret' 'redis://u:p@h:1?sekret=1&sekret' 'sek ret://u:sekret@h' '://u:sekret@h' \
		'redis://u:sekret@' 'redis://u:sekret@h:1,:2' 'redis://u:p@[sekret]:1' 'redis:/u:sekret@h:1' \
		'u:sekret@h:99999' '//u:sekret@h' 'u:sekret@h:1/sekret' 'postgres://u:sekret@%2Fvar%2Frun/db' \
		'postgres://sekret:12/s3@h.test/db' 'postgres://u:p@sekret/w@h/db' 'redis://:p@sekret#x@h:1/'; do
		face 'tcpprobe -t 0.01 "$@"' "$url"
		if [[ $url != redis://sekret ]]; then
			[[ $stderr != *sekret* ]] || fail "$url: $stderr"
		fi
	done
}

@test "an @ in the path of a web page is no password" {
	face 'tcpprobe "$@"' http://127.0.0.1:1/@alice
	assert_state refused
}

@test "nothing is sent or looked up where any word is wrong" {
	need inside
	command -v strace || skip 'no strace'
	script=$face_prelude
	while IFS='|' read -r words _; do
		# shellcheck disable=SC2086 # several words
		script+="$(printf '%q ' tcpprobe $words); "
	done < <(bad_targets)
	run strace -f -qq -e trace=socket,sendto,fork,clone,clone3 -o "$BATS_TEST_TMPDIR/trace" "$shell" --norc -c "$script"
	refute grep -E 'AF_INET|fork|clone' "$BATS_TEST_TMPDIR/trace"
}

@test "without a target, or with an unknown option, the way to the help is shown, status 2" {
	for words in '' '-Q' '-vQ' '--nosuch' '-t' '--timeout' '--quiet=1'; do
		# shellcheck disable=SC2086
		face 'tcpprobe "$@"' $words
		assert_state usage
		assert_equal "${#stderr_lines[@]} ${stderr_lines[1]}" "2 Try 'tcpprobe --help'."
	done
}

@test "a -h that was meant for the host is no help with status 0" {
	need engine
	for words in '-h db -p 5432' '-h db' '-hq db 1' '-qh db' '-q-help db 1'; do
		# shellcheck disable=SC2086
		face 'tcpprobe "$@"' $words
		assert_state usage
		assert_output ''
	done
	face 'tcpprobe -q --help'
	assert_state open
	for words in '-V 127.0.0.1 1' '127.0.0.1 1 --version'; do
		# shellcheck disable=SC2086
		face 'tcpprobe "$@"' $words
		assert_state usage
		assert_output ''
	done
}

@test "a value that looks like an option is a value" {
	need engine
	face 'tcpprobe -F --help 127.0.0.1 1'
	assert_output -- --help
}

@test "options stand before, between and behind the targets, by letter or by name" {
	peer open
	for words in "-v -t 3 127.0.0.1 $port" "127.0.0.1 $port -vt3" "127.0.0.1 --timeout=3 $port --verbose" "127.0.0.1 --tim 3 $port -v" \
		"-w 3 127.0.0.1 $port -v" "-t 0.001 127.0.0.1 $port -t 3 -v"; do
		# shellcheck disable=SC2086
		face 'tcpprobe "$@"' $words
		assert_state open
		assert_output --partial "127.0.0.1:$port open"
	done
}

@test "a scheme without a port and an address without brackets are told as such" {
	face 'tcpprobe ::1:443'
	assert_message_has 'no port: HOST PORT, or [HOST]:PORT'
	# A word of a comment in the system's list of services is no service.
	face 'tcpprobe tcp://localhost'
	assert_state usage
	assert_message_has 'the scheme names no known service'
}

@test "a COMMAND after -- is refused by the face that cannot run it" {
	need inside
	face 'tcpprobe 127.0.0.1 1 -- true'
	assert_state usage
	assert_message_has "'--'"
}
