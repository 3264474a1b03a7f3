#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "Time": lookups of names, as RFC 8305 has them; name servers, name services and files that are slow, dead,
# broken or huge.

setup() {
	load lib
	need engine
	need_lab
}

# resolvers WORDS [TEXT]: sets the name servers, one for each word, which is dead or alive. TEXT is the rest of
# resolv.conf.
resolvers() {
	local server text=''

	for server in $1; do
		[[ $server == dead ]] && server=$TP_SILENT || server=$TP_DNS
		text+="nameserver $server"$'\n'
	done
	own_file /etc/resolv.conf "$text${2-}"
}

# -- Servers

@test "a dead first name server with a live second one costs less than two seconds, whatever resolv.conf says" {
	peer -a 127.0.0.1 open
	for options in '' 'options timeout:30' 'options timeout:30 attempts:5 rotate'; do
		within=()
		resolvers 'dead alive' "$options"
		for wait in '' '-r 31'; do
			face 'tcpprobe $1 "$2" "$3"' "$wait" 127-0-0-1.ip.test "$port"
			assert_state open
			assert_took_less 2000
		done
	done
}

@test "with a dead first name server a name that the second one denies is unresolved when time is up" {
	resolvers 'dead alive'
	face 'tcpprobe -t "$@"' "$(patient 2)" no.nx.test 1
	assert_state unresolved
	assert_message 'no.nx.test:1: Name or service not known'
}

@test "slow name servers are waited for" {
	peer -a 127.0.0.1 open
	resolvers 'alive alive'
	face 'tcpprobe -t 5 "$@"' 3000ms.127-0-0-1.ip.test "$port"
	assert_state open
	assert_took_about 3000
}

@test "under -r a slow lookup goes on from try to try" {
	peer -a 127.0.0.1 open
	face 'tcpprobe -r 10 -t 0.5 -i 0.1 "$@"' 2000ms.127-0-0-1.ip.test "$port"
	assert_state open
	assert_took_less 2500
}

# -- Answers

@test "one family's answer is enough where the other's is lost" {
	peer -a 127.0.0.1 open
	face 'tcpprobe "$@"' x.lost6.test "$port"
	assert_state open
	assert_took_less 500
	face 'tcpprobe -F "%a %s" "$@"' x.lost4.test 1
	assert_output '::1 refused'
	peer -a ::1 open
	face 'tcpprobe "$@"' x.lost4.test "$port"
	assert_state open
	assert_took_less 500
}

@test "an answer that comes late joins the race" {
	peer -a ::1 open
	face 'tcpprobe -F "%a %s" -t 5 "$@"' x.late6.test "$port"
	assert_output '::1 open'
	peer -a 127.0.0.1 open
	face 'tcpprobe -F "%a %s" "$@"' x.late6.test "$port"
	assert_output '127.0.0.1 open'
	assert_took_less 500
}

@test "-a waits half of the deadline for the rest of the addresses" {
	peer -a 127.0.0.1 open
	face 'tcpprobe -a -F "%a %s" -t 2 "$@"' x.lost6.test "$port"
	assert_output '127.0.0.1 open'
	assert_took_about 1000
	face 'tcpprobe -a -F "%a" -t 8 "$@"' x.late6.test "$port"
	assert_output $'::1\n127.0.0.1'
	# Without one, half of the wait.
	face 'tcpprobe -a -F "%a %s" -t 0 -r 2 "$@"' x.lost6.test "$port"
	assert_output '127.0.0.1 open'
}

@test "a family that is denied or refused takes nothing from the other" {
	need dns
	peer -a 127.0.0.1 open
	for kind in fail6 nx6; do
		face 'tcpprobe "$@"' "x.$kind.test" "$port"
		assert_state open
		assert_took_less 500
	done
}

@test "a name server that fails is a temporary failure, and no silence" {
	face 'tcpprobe -t "$1" x.fail.test 1' "$(patient 1)"
	assert_message 'x.fail.test:1: Temporary failure in name resolution'
	assert_state unresolved
}

@test "nonsense, answers to other questions and answers that come twice are no answers" {
	need dns
	peer -a 127.0.0.1 open
	for name in a b c d e; do
		face 'tcpprobe -F "%a %s" "$@"' "$name.noisy.test" "$port"
		assert_output '127.0.0.1 open'
	done
}

@test "a name server that sends no DNS is a temporary failure" {
	need dns
	face 'tcpprobe "$@"' x.short.test 1
	assert_message 'x.short.test:1: Temporary failure in name resolution'
	assert_state unresolved
}

@test "a name has as many addresses as its answer" {
	questions 'tcpprobe -a -q -F %a -t "$@"' "$(patient 1)" x.flood.test 1
	assert_equal "${#lines[@]}" "$(getent ahostsv4 x.flood.test | grep -c STREAM)"
}

# -- One lookup a name

@test "a name is looked up once, however the targets are sorted" {
	seq 1 400 | awk '{ for (i = 1; i <= 3; i++) print "20ms.n" i ".127-0-0-1.ip.test:" $1 }' >"$BATS_TEST_TMPDIR/list"
	questions 'tcpprobe -q -f "$1"' "$BATS_TEST_TMPDIR/list"
	assert_state refused
	assert_equal "$asked" 6
	((slack_ms > 0)) || assert_took_less 500
}

@test "under -r a name is looked up anew in each try" {
	questions 'tcpprobe -q -r 0.9 -i 0.25 "$@"' 127-0-0-1.ip.test 1
	((asked >= 6 && asked <= 10)) || fail "$asked questions"
	peer -a 127.0.0.1 open
	face 'tcpprobe -r 5 -i 0.1 "$@"' "after-3.x$BATS_SUITE_TEST_NUMBER.test" "$port"
	assert_state open
	# With -a: when the name's address changes, the new address takes the place of the old one.
	name=after-3.127-0-0-2.x$BATS_SUITE_TEST_NUMBER.test
	face 'tcpprobe -v -a -r 5 -i 0.1 "$@"' "$name" "$port"
	assert_state open
	assert_output --partial "$name:$port open 127.0.0.1 "
}

@test "a quick name costs one question for each family" {
	questions 'tcpprobe -q "$@"' 127-0-0-1.ip.test 1
	assert_equal "$asked" 2
	questions 'tcpprobe -q "$@"' no.nx.test 1
	assert_equal "$asked" 2
	questions 'tcpprobe -q -4 "$@"' 127-0-0-1.ip.test 1
	assert_equal "$asked" 1
}

@test "as many names are looked up at once as -n allows" {
	# How long it takes where every answer comes at once. In turns of 32 the answers below would take 6 s more.
	seq -f 'h%.0f.127-0-0-1.ip.test 1' 10000 >"$BATS_TEST_TMPDIR/list"
	face 'tcpprobe -q -n 1024 -f "$1"' "$BATS_TEST_TMPDIR/list"
	assert_state refused
	at_once_ms=$elapsed_ms
	sed -i 's/^/20ms./' "$BATS_TEST_TMPDIR/list"
	face 'tcpprobe -q -n 1024 -f "$1"' "$BATS_TEST_TMPDIR/list"
	assert_state refused
	assert_took_less $((2 * at_once_ms + 1000))
	seq -f '50ms.h%.0f.127-0-0-1.ip.test 1' 3200 >"$BATS_TEST_TMPDIR/list"
	face 'tcpprobe -q -n 2048 -f "$1"' "$BATS_TEST_TMPDIR/list"
	assert_state refused
	assert_took_less $((at_once_ms + 1000))
}

@test "silent names beyond the helpers there may be have their turns, too" {
	need plain quick
	seq -f 'h%.0f.dead.test 80' 600 >"$BATS_TEST_TMPDIR/list"
	face 'tcpprobe -v -n 1024 -t 0.3 -f "$1" | tail -n 1' "$BATS_TEST_TMPDIR/list"
	assert_output '--- 600 probes: 600 timeout'
	assert_took_less 4000
}

@test "in a wait, silent names that hold all helpers keep none from its turn" {
	need plain quick
	peer -a 127.0.0.1 open
	face 'ulimit -n 24; port=$1; shift; tcpprobe -1v -q -t 0.3 -r 20 "$@" "127-0-0-1.ip.test:$port"' "$port" a{1..30}.dead.test:80
	assert_output --regexp '^127-0-0-1.ip.test:[0-9]+ open 127.0.0.1 '
	assert_took_less 5000
}

@test "a single free descriptor is enough for a helper to look a name up" {
	need engine kernel
	need_lab
	peer open
	face 'exec 3>&- 4>&-; ulimit -n 5; tcpprobe -t 5 127-0-0-1.ip.test "$1"' "$port"
	assert_state open
}

@test "a shortage of processes or descriptors makes lookups fewer, and none fails" {
	seq -f '50ms.h%.0f.127-0-0-1.ip.test 1' 200 >"$BATS_TEST_TMPDIR/list"
	face 'ulimit -n 20; tcpprobe -v -q -f "$1"' "$BATS_TEST_TMPDIR/list"
	assert_state refused
	face 'ulimit -n 20; tcpprobe -v -f "$1" 2>/dev/null' "$BATS_TEST_TMPDIR/list"
	assert_output '--- 200 probes: 200 refused'
}

@test "a name with thousands of addresses is ordered once for all its ports" {
	own_file /etc/hosts "$(seq 0 3999 | awk '{ print "10.2." int($1 / 250) "." $1 % 250 " big" }')"
	peer -a 0.0.0.0 open
	face 'for ((i = 0; i < 1000; i++)); do echo big:$1; done | tcpprobe -v -f - | tail -n 1' "$port"
	assert_output '--- 1000 probes: 1000 open'
	assert_took_less 1000
}

# -- The hosts file

@test "a hosts file of 100,000 lines is read in time, the last line too" {
	own_file /etc/hosts "$(seq -f '10.2.0.1 h%.0f.test' 0 99999)"
	questions 'tcpprobe -F %a "$@"' h99999.test 1
	assert_output 10.2.0.1
	assert_equal "$asked" 0
	assert_took_less 300
	face 'for ((i = 0; i < 10000; i++)); do echo "h$((i * 9)).test:1"; done | tcpprobe -q -f -'
	assert_state refused
	assert_took_less 2500
}

@test "the deadline of a silent target is noticed in time, however many names of the hosts file come after it" {
	own_file /etc/hosts "$(seq -f '10.2.0.1 h%.0f.test' 0 59999)"
	face '{ echo "$1:80"; for ((i = 0; i < 60000; i++)); do echo "h$i.test:1"; done; } >"$2"
		begin=$EPOCHREALTIME; tcpprobe -q -t 0.2 -F "$begin %T %s" -f "$2" | head -n 1' "$TP_SILENT" "$BATS_TEST_TMPDIR/list"
	read -r begin end state <<<"$output"
	assert_equal "$state" timeout
	elapsed_ms=$(awk -v begin="$begin" -v end="$end" 'BEGIN { printf "%d", (end - begin) * 1000 }')
	assert_took_about 200
}

@test "the hosts file has comments, CRs, aliases and names on several lines" {
	own_file /etc/hosts $'# 10.2.0.9 a\n10.2.0.1 x a # b\r\n10.2.0.2\tA\r\n10.2.0.1 a\nnonsense a\n10.2.0.3'
	face 'tcpprobe -a -F %a a 1'
	assert_output $'10.2.0.1\n10.2.0.2'
	face 'tcpprobe -F "%a %s" b 1'
	assert_output -- '- unresolved'
}

@test "a family that this host lacks never decides" {
	own_file /etc/hosts $'::1 localhost\n127.0.0.1 localhost'
	own_network net/ipv6/conf/all/disable_ipv6=1 net/ipv6/conf/lo/disable_ipv6=1
	face 'tcpprobe -F "%a %s" localhost 1'
	assert_output '127.0.0.1 refused'
}

# -- Name services that hang or crash

# From now on shells see an nscd that takes connections and never answers.
hung_nscd() {
	# shellcheck disable=SC2016 # for the inner shells
	within+=(unshare --mount sh -c 'mount -t tmpfs none /run && mkdir -p /run/nscd && mount --bind /run /var/run
		perl -MIO::Socket::UNIX -e "\$s = IO::Socket::UNIX->new(Local => q(/run/nscd/socket), Listen => 99) or die \$!;
			print qq(ready\n); close STDOUT; sleep 60" 3>&- 4>&- >/run/ready &
		until [ -s /run/ready ]; do :; done; "$@"; status=$?; kill $!; exit $status' sh)
}

@test "a hung nscd keeps no deadline, and no name of the hosts file, from being kept" {
	need nss
	own_file /etc/hosts '10.2.0.1 here'
	hung_nscd
	face 'begin=${EPOCHREALTIME/./}; tcpprobe -q -t 0.5 here 1; echo "$? $((${EPOCHREALTIME/./} - begin < 450000))"'
	assert_output '1 1'
	face 'begin=${EPOCHREALTIME/./}; tcpprobe -t 0.5 127-0-0-1.ip.test 1; echo "$? $((${EPOCHREALTIME/./} - begin < '$((600000 + slack_ms * 1000))'))"'
	assert_output '124 1'
}

own_services() {
	[[ $(getconf GNU_LIBC_VERSION) == glibc* ]] || skip 'no NSS here'
	own_file /etc/nsswitch.conf 'hosts: files lab dns'
	export LD_LIBRARY_PATH=$TP_BUILD/lab
}

@test "a name service that crashes is a temporary failure, and the shell lives" {
	need nss
	own_services
	face 'tcpprobe crash.nss 1; echo "$?"; tcpprobe -q 127-0-0-1.ip.test 1; echo "$?"'
	assert_output $'4\n1'
	assert_message_has 'crash.nss:1: Temporary failure in name resolution'
}

@test "a name service that hangs keeps no deadline from being kept, and no helper is left" {
	need nss
	own_services
	face 'tcpprobe -t 0.5 hang.nss 1'
	assert_state timeout
	assert_took_about 500
	refute pgrep -f 'hang[.]nss'
}

@test "no name service is loaded into the shell" {
	need inside
	own_services
	face 'tcpprobe -q localhost 1; tcpprobe -q 127-0-0-1.ip.test 1; grep -c libnss_ /proc/$$/maps'
	assert_output 0
}

# -- What is left

@test "it is no matter whether SIGALRM is blocked or ignored" {
	within=(env --ignore-signal=ALRM --block-signal=ALRM)
	face 'tcpprobe -t 0.4 no.dead.test 1'
	assert_state timeout
	assert_took_about 400
}

@test "helpers leave neither processes nor zombies, and SIGCHLD is the shell's again" {
	need inside
	resolvers 'dead alive'
	face 'trap "((++children))" CHLD; tcpprobe -q -t 1.3 127-0-0-1.ip.test 1; tcpprobe -q -t 0.4 no.dead.test 1
		read -r left </proc/$$/task/$$/children; echo "${left:-none}"; echo "${children-0}"; /bin/true; echo "$children"'
	assert_output $'none\n0\n1'
}
