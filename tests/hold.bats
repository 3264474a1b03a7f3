#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "-k": accepted is not served. How a peer is judged by what it does with a connection that is held, and what
# -r -c and -c make of that.

setup() {
	load lib
	need engine
}

@test "a peer that closes or resets is a hangup, every time" {
	for mood in close reset; do
		peer "$mood"
		face 'for ((i = 0; i < $1; i++)); do tcpprobe -q -k 3 127.0.0.1 "$2"; echo $?; done | sort | uniq -c' "$often" "$port"
		assert_output --regexp "^ *$often $(status_of hangup)\$"
	done
	face 'tcpprobe -k 3 127.0.0.1 "$1"' "$port"
	assert_state hangup
	assert_message "127.0.0.1:$port: the peer hung up: nobody serves there"
	assert_took_less 100
}

# seen_late WAY MS CLIENT: runs CLIENT against the hangups that tests/lab/hangup.c makes. Prints how many it saw; within
# how many microseconds after they were made it saw half of them, 99 of 100, and all; and late_ms.
seen_late() {
	local port fd pid

	exec {fd}< <(exec "$TP_BUILD/lab/hangup" "$1" "$2" 3>&-)
	pid=$!
	read -r port <&"$fd"
	begin_time
	"$3" >"$BATS_TEST_TMPDIR/seen"
	end_time
	kill "$pid"
	awk 'NR == FNR { made[$1] = $2; next } $1 in made { printf "%d\n", ($2 - made[$1]) * 1e6 }' \
		- "$BATS_TEST_TMPDIR/seen" <&"$fd" | sort -n | awk -v late_ms="$late_ms" '{ late[NR] = $1 }
		END { print NR, late[int(NR / 2)], late[int(NR * 0.99)], late[NR], late_ms }'
}

by_a_plain_reader() {
	"$TP_BUILD/lab/hangup" see "$port" 10000 "$parallel"
}

by_tcpprobe() {
	awk -v port="$port" 'BEGIN { for (i = 0; i < 10000; i++) printf "127.1.%d.%d:%d\n", i / 256, i % 256, port }' \
		>"$BATS_TEST_TMPDIR/list"
	face 'ulimit -n 4096; tcpprobe -q -k 4 -n "$1" -F "%a %T %s" -f "$2"' "$parallel" "$BATS_TEST_TMPDIR/list"
	grep ' hangup$' <<<"$output"
}

@test "10,000 hangups, one after the other and 1,000 in flight, are 10,000, seen as soon as a plain reader sees them" {
	for way in fin rst; do
		for row in '1 0' '1000 100'; do
			read -r parallel ms <<<"$row"
			read -r _ half most all _ < <(seen_late "$way" "$ms" by_a_plain_reader)
			read -r count our_half our_most our_all late_ms < <(seen_late "$way" "$ms" by_tcpprobe)
			echo "$way, $parallel at once: half within $our_half us, 99 % $our_most, all $our_all; a plain reader $half, $most, $all; late $late_ms ms"
			assert_equal "$count" 10000
			((our_half < 1000 * (1 + late_ms) + 10 * half && our_most < 1000 * (5 + late_ms) + 10 * most)) || fail 'late'
		done
	done
}

@test "a hangup that comes later is seen when it comes" {
	peer leave 0.3
	face 'tcpprobe -k 3 127.0.0.1 "$1"' "$port"
	assert_state hangup
	assert_took_about 300
}

@test "a peer that is silent is open when the hold is over" {
	peer open
	face 'tcpprobe -k 0.3 -F "%s %b" 127.0.0.1 "$1"' "$port"
	assert_output 'open -'
	assert_took_about 300
}

@test "a peer that speaks is open at once, with its first line" {
	peer say 'SSH-2.0-Test\x0d\x0amore'
	face 'tcpprobe -v -k 4 127.0.0.1 "$1"; tcpprobe -j -k 4 127.0.0.1 "$1" | jq -r .banner' "$port"
	assert_line --index 0 --regexp "^127\.0\.0\.1:$port open 127\.0\.0\.1 [0-9.]+ ms SSH-2\.0-Test\$"
	assert_line --index 1 SSH-2.0-Test
	assert_took_less 1000
}

# says BYTES SHOWN JSON: a peer sends BYTES; %b and -v show them as SHOWN, and -j as JSON.
says() {
	peer say "$1"
	face 'tcpprobe -k 4 -F "%s %b" 127.0.0.1 "$1"; tcpprobe -k 4 -j 127.0.0.1 "$1" | jq -c .banner; tcpprobe -k 4 -v 127.0.0.1 "$1"' "$port"
	assert_line --index 0 "open $2"
	assert_line --index 1 "$3"
	assert_line --index 2 --partial " ms $2"
}

@test "NULs, escape sequences and half a character reach no terminal, and JSON is valid" {
	says 'J\x00\x00\x00\x0a5.5.5-MariaDB\x00' 'J????5.5.5-MariaDB?' '"J\u0000\u0000\u0000\n5.5.5-MariaDB\u0000"'
	says '\x1b]0;owned\x07\x0a' '?]0;owned?' '"\u001b]0;owned\u0007"'
	says '\xc2\x9b31m\x7f' '?31m?' $'"\xc2\x9b31m\\u007f"'
	says 'a\xe2\x80\xaeb\xe2\x81\xa6\xe2\x82\xac' $'a?b?\xe2\x82\xac' $'"a\xe2\x80\xaeb\xe2\x81\xa6\xe2\x82\xac"'
	says 'caf\xc3' 'caf?' $'"caf\xef\xbf\xbd"'
	says '\x0d\x0a\x0d\x0alogin: ' 'login: ' '"login: "'
}

@test "where nothing may be received, a connection that is held is an error, and so it is not closed" {
	need kernel
	command -v strace || skip 'no strace'
	peer open
	within=(strace -f -qq -o /dev/null -e trace=recvfrom -e inject=recvfrom:error=EPERM)
	face 'tcpprobe -R 1 -k 0.1 127.0.0.1 "$1"' "$port"
	assert_state error
}

@test "a megabyte, and a byte a second, are open at once" {
	peer flood
	face 'tcpprobe -k 4 -F %b 127.0.0.1 "$1"' "$port"
	assert_output "$(printf 'x%.0s' {1..255})"
	peer drip 'slowly'
	face 'tcpprobe -k 4 -F "%s %b" 127.0.0.1 "$1"' "$port"
	assert_output 'open s'
	assert_took_less 500
}

@test "what was said before a reset counts" {
	peer say-reset '421 come back later\x0d\x0a'
	face 'for ((i = 0; i < $1; i++)); do tcpprobe -k 4 -F "%s %b" 127.0.0.1 "$2"; done | sort | uniq -c' "$often" "$port"
	assert_output --regexp "^ *$often open 421 come back later\$"
}

@test "with -u all that the peer said is there to be read" {
	need variables
	peer say 'one\x0atwo\x0a'
	face 'tcpprobe -k 4 -u fd 127.0.0.1 "$1" && read -r -u "$fd" one && read -r -u "$fd" two && echo "$one $two"' "$port"
	assert_output 'one two'
	peer say-reset 'J\x00\x1b[0m\xc3\x0d\x0a'
	face 'tcpprobe -k 4 -u fd 127.0.0.1 "$1" && head -c 9 <&"$fd" | od -An -tx1' "$port"
	assert_output ' 4a 00 1b 5b 30 6d c3 0d 0a'
	peer flood
	face 'tcpprobe -k 4 -u fd 127.0.0.1 "$1" && head -c 4096 <&"$fd" | wc -c' "$port"
	assert_output 4096
}

@test "peers that flood it make no shell grow" {
	need inside plain
	peer flood
	face 'grown() { while read -r name kib _; do [[ $name != RssAnon: ]] || now=$kib; done </proc/$$/status; fds=(/proc/$$/fd/*); }
		flooded() { for ((i = 0; i < $1; i++)); do tcpprobe -k 4 127.0.0.1 "$2" || exit; done; grown; }
		flooded 20 "$1"; before=$now; count=${#fds[@]}; flooded 300 "$1"; echo "$((${#fds[@]} - count))"; ((now - before <= 64)) || echo "$((now - before)) KiB"' "$port"
	assert_output 0
}

@test "of the addresses of a name, one that hangs up tells less than one that refuses, and more than a silent one" {
	need_lab
	peer close
	face 'tcpprobe -k 1 localhost "$1"' "$port"
	assert_state refused
	assert_message "localhost:$port: Connection refused"
	face 'tcpprobe -4 -k 1 localhost "$1"' "$port"
	assert_state hangup
	face 'tcpprobe -t 1 -k 0.5 two-faced "$1"' "$port"
	assert_state hangup
	peer open
	face 'tcpprobe -k 0.1 -F "%a %s" localhost "$1"' "$port"
	assert_output '127.0.0.1 open'
}

@test "-r goes on after a hangup, and -R ends with one" {
	peer close
	face 'tcpprobe -r 0.5 -k 0.2 -i 0.1 127.0.0.1 "$1"' "$port"
	assert_state timeout
	assert_message "127.0.0.1:$port: not open after 0.5s: the peer hung up: nobody serves there"
	face 'tcpprobe -v -R 5 -k 0.2 127.0.0.1 "$1"' "$port"
	assert_state open
	assert_output --partial "127.0.0.1:$port hangup 127.0.0.1"
	assert_took_less 500
}

@test "-1 takes no peer that hangs up" {
	peer close
	hangs_up=$port
	peer open
	face 'tcpprobe -1v -k 0.2 127.0.0.1:"$1" 127.0.0.1:"$2"' "$hangs_up" "$port"
	assert_state open
	assert_line --index 0 --partial "127.0.0.1:$port open"
}

@test "a deadline in the middle of a hold is a timeout that says so" {
	need_lab
	within=(strace -f -qq -o /dev/null -e trace=socket -e inject=socket:delay_enter=200000)
	peer open
	face 'tcpprobe -t 0.4 -k 0.35 127.0.0.1 "$1"' "$port"
	assert_state timeout
	assert_message "127.0.0.1:$port: accepted, but time was up before the end of the hold"
}

@test "a hold that does not fit into the deadline or the wait, or goes with -z or -T, is refused" {
	peer open
	for options in '-k 5' '-t 1 -k 1' '-r 1 -k 1' '-k 1 -z' '-k 1 -T'; do
		face "tcpprobe $options 127.0.0.1 $port"
		assert_state usage
	done
	assert_equal "$(peer_accepted)" 0
}

# makes OPTIONS CALLS: a probe of an open port makes exactly these system calls, from socket(2) to close(2). Now and
# then, on a busy machine, it has to wait for the handshake, which takes further calls; but not five times in a row.
makes() {
	for _ in {1..5}; do
		face "tcpprobe $1 127.0.0.1 $port"
		run awk '{ sub(/^[0-9]+ +/, "") } /^socket\(AF_INET/ { inside = 1 } { sub(/\(.*/, "") } inside { printf "%s ", $0 } /^close$/ { inside = 0 }' "$BATS_TEST_TMPDIR/calls"
		[[ $output != "$2 " ]] || return 0
	done
	assert_output "$2 "
}

@test "-k costs what it must, and a probe without it nothing" {
	need plain
	peer open
	within=(strace -f -qq -o "$BATS_TEST_TMPDIR/calls")
	makes '' 'socket setsockopt connect getsockopt getsockopt getsockname getsockopt close'
	makes '-k 0.05' 'socket setsockopt connect getsockopt getsockopt getsockname setsockopt getsockopt rt_sigprocmask ppoll rt_sigprocmask recvfrom close'
}

@test "-r -c waits until it was open so many times in a row, and says how far it got" {
	peer open
	face 'tcpprobe -r 5 -c 4 -i 0.1 -F "%s %n" 127.0.0.1 "$1"' "$port"
	assert_output 'open 4'
	assert_took_about 300
	face 'tcpprobe -r 0.5 -c 1000 -i 0.1 127.0.0.1 "$1"' "$port"
	assert_state timeout
	assert_message_has "127.0.0.1:$port: not open after 0.5s ("
	assert_message_has ' of 1000 times in a row at most)'
	face 'tcpprobe -r 5 -c 0 127.0.0.1 "$1"' "$port"
	assert_state usage
}

@test "-c tells the share that was open, and the longest outage" {
	peer late 0.5
	face 'tcpprobe -qv -c 10 -i 0.1 127.0.0.1 "$1"' "$port"
	assert_output --regexp "--- 127\.0\.0\.1:$port: 10 probes: [1-9] open \([1-9]0 %\), [1-9] refused, longest outage 0\.[0-9] s from [0-9-]+T[0-9:]+Z"
}
