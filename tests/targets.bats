#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "Targets": which words name a target, and which are wrong.

setup() {
	load lib
}

# finds LABEL WORD...: the peer is found open by these words, and shown as LABEL, a regular expression for HOST:PORT.
finds() {
	face 'tcpprobe -v "$@"' "${@:2}"
	assert_state open
	# An address and a time follow, unless the wrapper's tool does not tell them.
	assert_line --regexp "^$1 open( |\$)"
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
	need all encoded
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
	for form in '127.0.0.1 %s' '/dev/tcp/127.0.0.1/%s'; do
		# shellcheck disable=SC2059,SC2046 # the form is the format, and may be two words
		face 'tcpprobe "$@"' $(printf "$form" 1,3-5,rdp,etcd)
		assert_equal "$(refused_ports)" '1 3 4 5 3389 2379'
	done
	for word in 127.0.0.1:1,3-5,9 tcp://127.0.0.1:1,3-5,9/path; do
		face 'tcpprobe "$@"' "$word"
		assert_equal "$(refused_ports)" '1 3 4 5 9'
	done
	for word in 127.0.0.1:etcd tcp://127.0.0.1:etcd 127.0.0.1:2379/tcp; do
		face 'tcpprobe "$@"' "$word"
		assert_equal "$(refused_ports)" 2379
	done
}

@test "several port words belong to the first host" {
	face 'tcpprobe "$@"' 127.0.0.1 1 2-3 4,5
	assert_equal "$(grep -c '127.0.0.1:[1-5]: Connection refused' <<<"$stderr")" 5
}

@test "behind a host and its port one more host is told how to be written" {
	for word in 127.0.0.1 db.test localhost:2 '[::1]:2'; do
		face 'tcpprobe "$@"' localhost 1 "$word"
		assert_state usage
		assert_message_has "'$word': no port: of several targets each is HOST:PORT"
	done
}

@test "everyday services are known where the system lists none" {
	need_lab
	within=(unshare --mount)
	face '[[ ! -e /etc/services ]] || mount --bind /dev/null /etc/services; tcpprobe 127.0.0.1 https,postgres,redis,mongodb'
	assert_equal "$(refused_ports)" '443 5432 6379 27017'
	mkdir "$BATS_TEST_TMPDIR/etc"
	printf '%s\n' 'web		80/tcp		www	w3	# the web' 'tele 23/tcp # no alias' >"$BATS_TEST_TMPDIR/etc/services"
	face 'mount --bind "$1" /etc; tcpprobe 127.0.0.1 tele,w3,www,web' "$BATS_TEST_TMPDIR/etc"
	assert_equal "$(refused_ports)" '23 80 80 80'
}

# Settings as people have them: the word, and each HOST:PORT that is probed for it. Nobody listens on these ports of
# this host.
good_settings() {
	cat <<-'END'
		:7002|localhost:7002
		127.0.0.1:7002/tcp|127.0.0.1:7002
		127.0.0.1:7002,127.0.0.2:7003|127.0.0.1:7002 127.0.0.2:7003
		127.0.0.1:7002,127.0.0.2:7003/chroot|127.0.0.1:7002 127.0.0.2:7003
		127.0.0.1:7002,7003,127.0.0.2:7004|127.0.0.1:7002 127.0.0.1:7003 127.0.0.2:7004
		rabbit://u:p@127.0.0.1:7002,u:p@127.0.0.2:7003//|127.0.0.1:7002 127.0.0.2:7003
		http://127.0.0.1:7002,http://127.0.0.2:7003|127.0.0.1:7002 127.0.0.2:7003
		amqp://u:p@127.0.0.1:7002/a;amqp://127.0.0.2:7003/b|127.0.0.1:7002 127.0.0.2:7003
		SASL_SSL://127.0.0.1:7002,SASL_SSL://127.0.0.2:7003|127.0.0.1:7002 127.0.0.2:7003
		jdbc:postgresql://127.0.0.1:7002/db?user=u&password=s3cret|127.0.0.1:7002
		jdbc:sqlserver://127.0.0.1:7002;user=u;password=s3cret|127.0.0.1:7002
		jdbc:oracle:thin:scott/s3cret@//127.0.0.1:7002/svc|127.0.0.1:7002
		git+https://127.0.0.1/x|127.0.0.1:443
		amqp+ssl://127.0.0.1|127.0.0.1:5671
		postgresql+psycopg2://u:s3cret@127.0.0.1/db|127.0.0.1:5432
		mysql2://127.0.0.1/db|127.0.0.1:3306
		bolt://127.0.0.1|127.0.0.1:7687
		pulsar://127.0.0.1|127.0.0.1:6650
		tcp4://localhost:7002|localhost:7002
		10.2.0.0/30:7002|10.2.0.1:7002 10.2.0.2:7002
		10.2.0.4/31:7002,7003|10.2.0.4:7002 10.2.0.4:7003 10.2.0.5:7002 10.2.0.5:7003
		10.2.0.9/32:7002|10.2.0.9:7002
		[::1]/128:7002|[::1]:7002
		::1/128:7002|[::1]:7002
	END
}

@test "each host of a setting is probed, and none more" {
	need engine
	need_lab
	while IFS='|' read -r word wanted; do
		face 'tcpprobe "$@"' "$word"
		assert_equal "$word: $(grep -o '[^ ]*: Connection refused' <<<"$stderr" | sed 's/: Conn.*//' | xargs)" "$word: $wanted"
	done < <(good_settings)
}

@test "a network is as many targets as it has hosts, in order, and read as it is needed" {
	need engine
	need_lab
	face 'tcpprobe "$@" -F "%h:%p"' 10.2.0.0/30 7002-7003
	assert_equal "${lines[*]}" "$(echo 10.2.0.{1,2}:700{2,3})"
	face 'tcpprobe -q -F %h 10.2.0.0/16 7002'
	assert_equal "${#lines[@]} ${lines[0]} ${lines[65533]}" '65534 10.2.0.1 10.2.255.254'
	face 'tcpprobe -q -F %h 10.2.0.0/16 7002 | head -2'
	assert_equal "${lines[*]}" '10.2.0.1 10.2.0.2'
}

@test "a name beyond ASCII is looked up as IDNA has it, whatever the locale" {
	need engine idn
	need_lab
	cp /etc/hosts "$BATS_TEST_TMPDIR/hosts"
	echo 127.0.0.1 xn--bcher-kva.test xn--mller-kva.test xn--wgv71a.test a.xn--p1ai >>"$BATS_TEST_TMPDIR/hosts"
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c 'mount --bind "$0" /etc/hosts; exec "$@"' "$BATS_TEST_TMPDIR/hosts")
	for word in bücher.test BÜCHER.test http://b%C3%BCcher.test http://u:p@bücher.test xn--bcher-kva.test \
		müller.test http://müller.test 日本.test http://%e6%97%a5%e6%9c%ac.test a.рф jdbc:postgresql://müller.test; do
		face 'tcpprobe "$@"; LC_ALL=C.UTF-8 tcpprobe "$@"' "$word:7002"
		assert_equal "$word: $(grep -c ':7002: Connection refused' <<<"$stderr")" "$word: 2"
	done
}

@test "a link-local address without a zone is unreachable, and the words say what is missing" {
	need ipv6
	need_lab
	for word in 'fe80::1 80' '[fe80::1]:80' 'fe80::1 80-81' /dev/tcp/fe80::1/80 'http://[fe80::1]/' 'febf:ffff::1 80' \
		'FE80::A 80' '-a fe80::1 80' "-r $(patient 0.2) -i 0 fe80::2 80" 'fe80::/127 80' '-f /dev/stdin'; do
		# The wrapper has no networks, no -a and no -f.
		[[ $face_name != wrapper || $word != *@(-[af]|/127)\ * ]] || continue
		# shellcheck disable=SC2086 # words
		face 'tcpprobe "$@" <<<"fe80::1 80"' $word
		[[ $word == -r* ]] || assert_state unreachable
		assert_message_has 'fe80::1%eth0'
	done
}

@test "a byte order mark at the start of a file is dropped, and only there" {
	need engine
	mark='\xef\xbb\xbf'
	for bytes in 'x127.0.0.1:1' 'x127.0.0.1:1\n' 'x127.0.0.1:1\r\n' 'x127.0.0.1 1\n' 'x\n127.0.0.1:1\n' 'x# list\n127.0.0.1:1\n' \
		'x\r\n127.0.0.1:1' 'x \t127.0.0.1 1' 'xtcp://127.0.0.1:1\n' 'x127.0.0.1:1 # x\n#x'; do
		face 'printf "$1" | tcpprobe -f -' "${bytes/x/"$mark"}"
		assert_state refused
		assert_message '127.0.0.1:1: Connection refused'
	done
	face 'printf "$1" | tcpprobe -f -' "127.0.0.1:1\n$mark"
	assert_state usage
}

# -- Used wrongly

# Every bad target that CONTRACT names, and more; the second column is what the message quotes.
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
		127.0.0.1 -80|'-8'
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
		::1:x:80|'...'
		a/b 80|'...'
		user@host:80|'...
		127.0.0.1:80 localhost|'localhost'
		127.0.0.1 80 localhost:80|'localhost:80'
		nosuchscheme://127.0.0.1|'nosuchscheme://...'
		http://|'http://
		http://:80/|'http://...'
		http://127.0.0.1:99999/|'http://...'
		mongodb+srv://127.0.0.1/|'mongodb+srv://...'
		1http://127.0.0.1/|...'
		db:5432,redis|'redis'
		h1:80,h2|'h2'
		h1,h2:80|'h1'
		h1:80;h2:80|'...'
		10.2.0.1/30 80|'10.2.0.1/30'
		10.2.0.0/33:80|'10.2.0.0/33:80'
		10.0.0.0/8 80|'10.0.0.0/8'
		2001:db8::1/120:443|'2001:db8::1/120:443'
		2001:db8::/111 443|'2001:db8::/111'
		localhost/30 80|'localhost/30'
		10.2.0.0/ 80|'10.2.0.0/'
		127.0.0.1 53/udp|'53/udp'
		/dev/udp/127.0.0.1/53|'...'
		redis://::1:6379|'redis://...'
		-6 tcp4://127.0.0.1:80|'tcp4://...'
	END
}

@test "what is no target is named in the message, status 2" {
	while IFS='|' read -r words quoted; do
		[[ $face_name != wrapper || $words != -6* ]] || continue
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

# Settings that are refused: the word, and what the message says.
bad_settings() {
	cat <<-'END'
		|an empty word: is a variable unset?
		127.0.0.1:7001,password=s3cret,ssl=True|'...': a word with = is no target
		redis://127.0.0.1:7001,password=s3cret|'redis://...': a word with = is no target
		redis://h1,h2:6380,password=s3cret|'redis://...': a word with = is no target
		rediss://cache.test:6380,ssl=True,password=s3cret|'rediss://...': a word with = is no target
		http://h,token=s3cret|'http://...': a word with = is no target
		kafka://b1:9092,sasl.password=s3cret|'kafka://...': a word with = is no target
		amqp://h1,user=s3cret,h2|'amqp://...': a word with = is no target
		memcached://h:11211,password=s3cret/x|'memcached://...': a word with = is no target
		mongodb://h1,h2,password=s3cret/?a=b|'mongodb://...': a word with = is no target
		nats://password=s3cret,h|'nats://...': a word with = is no target
		tcp://h:1,[::1]:2,key=s3cret|'tcp://...': a word with = is no target
		postgres://h:5432,h2:5432,sslpassword=s3cret|'postgres://...': a word with = is no target
		http://h1,http://h2,password=s3cret|'http://...': a word with = is no target
		h1:1,h2:2,password=s3cret|'...': a word with = is no target
		password=s3cret@h:1|'...': a word with = is no target
		host=db password=s3cret|'...': a word with = is no target
		postgresql://%2Fvar%2Frun%2Fpostgresql/db|a Unix socket, not TCP
		postgres:///db?password=s3cret|a Unix socket, not TCP
		postgres://h/db?host=/run/x&password=s3cret|a Unix socket, not TCP
		unix:///run/s3cret.sock|a Unix socket, not TCP
		unix:/run/x.sock|a Unix socket, not TCP
		/run/x.sock|a Unix socket, not TCP
		postgres://h1/db?host=h2&password=s3cret|it seems to name one more host
		mongodb://u:s3cret@h1/db,h2/db|it seems to name one more host
		jdbc:cassandra://h1--h2:9042/s3cret|it seems to name one more host
		http://h1http://h2|it seems to name one more host
		udp://127.0.0.1:53|not TCP
		sctp://127.0.0.1:53|not TCP
		quic://127.0.0.1:443|not TCP
		mongodb+srv://u:s3cret@h/db|DNS SRV records
		redis://u:s3,cret@h:1|where does the password end?
		redis://u:s3/cret@h:1|where does the password end?
		redis://u:p s3cret@h:1|a blank or a control byte
		jdbc:oracle:thin:scott/s3cret|'jdbc:...'
		h:8080:user:s3cret|'...'
		web:80x?s3cret|'...'
		user:s3cret@tcp(h:3306)/db|'...'
	END
}

@test "a setting that is no target is refused with the reason, and no secret of it is shown" {
	need engine
	while IFS='|' read -r word why; do
		face 'tcpprobe "$@"' "$word"
		assert_state usage
		assert_message_has "$why"
		[[ $stderr != *s3* ]] || fail "$word: $stderr"
	done < <(bad_settings)
}

@test "no password is shown that stands behind an option as mysql and curl have it" {
	for word in -ps3cret -qps3cret -us3cret; do
		face 'tcpprobe "$@"' 127.0.0.1 1 "$word"
		[[ $stderr != *s3* ]] || fail "$word: $stderr"
	done
	need engine
	face 'tcpprobe "$@"' 127.0.0.1 1 -u user:s3cret
	[[ $stderr != *s3* ]] || fail "$stderr"
	face 'tcpprobe "$@"' 127.0.0.1 1 -qps3cret
	assert_state usage
	assert_message_has "'-p': invalid option"
}

@test "no part of a file's name that may be a secret is shown" {
	need engine
	for file in redis://u:s3cret@h password=s3cret u:s3cret@h 'h:80?s3cret' db:1:u:s3cret; do
		face 'tcpprobe -f "$@"' "$file"
		assert_state usage
		[[ $stderr != *s3cret* ]] || fail "$stderr"
	done
}

# Each word is answered in less than 50 ms. The shell measures that itself, because the start of a program would not be
# the word's fault.
@test "a word of a megabyte is answered within 50 ms, and nothing is looked up" {
	need inside
	need plain
	face 'for unit; do
			word=$unit
			while ((${#word} < 1048576)); do word+=$word; done
			begin=${EPOCHREALTIME/./}
			tcpprobe -t 60 "$word" no.dead.test:0 2>"$BATS_TEST_TMPDIR/why"
			echo "$? $((${EPOCHREALTIME/./} - begin)) $unit $(wc -l <"$BATS_TEST_TMPDIR/why")"
		done' @ , : [ % = / . 1 a '?' '#' ';' '|' '-' h:80 ://
	assert_equal "${#lines[@]}" 17
	for line in "${lines[@]}"; do
		read -r word_status us unit count <<<"$line"
		((word_status == 2 && count == 2 && us < 50000 + 1000 * late_ms)) || fail "$line"
	done
}

@test "a word of ten thousand hosts with a bad one at its end is refused within 50 ms" {
	need inside
	need plain
	face 'printf -v hosts "h%d.dead.test:80," {1..10000}
		for word in "${hosts}h:0" "x://${hosts}h" "http://${hosts//,/,http://}h:0"; do
			begin=${EPOCHREALTIME/./}
			tcpprobe -t 60 "$word" 2>/dev/null
			echo "$? $((${EPOCHREALTIME/./} - begin))"
		done'
	assert_equal "${#lines[@]}" 3
	for line in "${lines[@]}"; do
		((${line% *} == 2 && ${line#* } < 50000 + 1000 * late_ms)) || fail "$line"
	done
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
	need inside kernel
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
	# A word in a comment of the system's list of services is no service; tcp is such a word.
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
