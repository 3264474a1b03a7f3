#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# CONTRACT "States and exit status": each way that a probe can end, met in the lab.

setup() {
	load lib
}

@test "a listener is open, and nothing is printed" {
	peer open
	face 'tcpprobe "$@"' 127.0.0.1 "$port"
	assert_state open
	assert_equal "$output$stderr" ''
}

@test "a peer that hangs up at once was open" {
	peer close
	face 'for ((i = 0; i < $1; i++)); do tcpprobe 127.0.0.1 "$2" || exit; done' "$often" "$port"
	assert_state open
}

@test "a peer that resets at once was open" {
	peer reset
	face 'for ((i = 0; i < $1; i++)); do tcpprobe 127.0.0.1 "$2" || exit; done' "$often" "$port"
	assert_state open
}

@test "a far peer that resets after the handshake was open" {
	need_lab
	face 'tcpprobe "$@"' "$TP_FAR.0.1" "$(far_port hang-up)"
	assert_state open
}

@test "a port that nobody listens on is refused, at once and by name" {
	peer closed
	face 'tcpprobe "$@"' 127.0.0.1 "$port"
	assert_state refused
	assert_message "127.0.0.1:$port: Connection refused"
	assert_took_less 100
}

@test "a connection to itself is refused" {
	need self
	need_lab
	# The first port that connect() chooses there is the target itself. /dev/tcp takes that for open.
	own_network net/ipv4/ip_local_port_range=40000,40001
	face ': </dev/tcp/127.0.0.1/40000'
	assert_equal "$status" 0
	face 'tcpprobe 127.0.0.1 40000'
	assert_state refused
	assert_message '127.0.0.1:40000: Connection refused'
}

# state_of STATE ADDRESS...: a probe of each address ends in this state, before its deadline of three seconds.
state_of() {
	local address

	for address in "${@:2}"; do
		face 'tcpprobe -t 3 "$@"' "$address" 80
		assert_state "$1"
		assert_equal "${#stderr_lines[@]}" 1
	done
}

@test "a firewall's TCP reset is refused" {
	need ipv6
	need_lab
	state_of refused "$TP_RESET" "$TP_RESET6"
}

@test "routes that prohibit, blackhole, end nowhere or do not exist are unreachable" {
	need ipv6
	need_lab
	state_of unreachable "$TP_PROHIBIT" "$TP_BLACKHOLE" "$TP_UNREACHABLE" "$TP_NOROUTE" \
		"$TP_PROHIBIT6" "$TP_BLACKHOLE6" "$TP_UNREACHABLE6" "$TP_NOROUTE6"
}

@test "ICMP errors from the way are unreachable, but port unreachable is refused" {
	need ipv6
	need_lab
	for kind in net-unreachable host-unreachable source-route-failed net-prohibited host-prohibited \
		admin-prohibited ttl-exceeded; do
		face 'tcpprobe "$@"' "$TP_FAR.0.1" "$(far_port $kind)"
		assert_state unreachable
	done
	for kind in no-route6 admin-prohibited6 address-unreachable6 policy-failed6 reject-route6 hop-limit-exceeded6; do
		face 'tcpprobe "$@"' "$TP_FAR6:1" "$(far_port $kind)"
		assert_state unreachable
	done
	face 'tcpprobe "$@"' "$TP_FAR.0.1" "$(far_port port-unreachable)"
	assert_state refused
	face 'tcpprobe "$@"' "$TP_FAR6:1" "$(far_port port-unreachable6)"
	assert_state refused
}

@test "silence is a timeout" {
	need_lab
	face 'tcpprobe -t 0.3 "$@"' "$TP_SILENT" 80
	assert_state timeout
	assert_message "$TP_SILENT:80: Connection timed out"
}

@test "where the error queue answers 0 for ever, as in qemu-user, a refusal is one at once" {
	need engine kernel
	peer closed
	within=(strace -f -qq -o /dev/null -e trace=recvmsg -e inject=recvmsg:retval=0)
	face 'tcpprobe -t 3 127.0.0.1 '"$port"
	assert_state refused
	assert_took_less 2000
}

@test "a full backlog is a timeout" {
	peer full
	face 'tcpprobe -t 0.3 "$@"' 127.0.0.1 "$port"
	assert_state timeout
}

@test "a family that this host lacks decides nothing while another address says anything" {
	need engine
	need_lab
	own_network net/ipv6/conf/all/disable_ipv6=1
	face 'tcpprobe -F "%a %e" localhost 1'
	assert_state refused
	assert_output '127.0.0.1 Connection refused'
	# Here no local port is left for IPv4. That is an error, which tells less than any other state; but it decides,
	# and not the family that is missing.
	own_network net/ipv6/conf/all/disable_ipv6=1 net/ipv4/ip_local_port_range=40000,40000
	face 'exec 3<>/dev/tcp/127.0.0.1/"$1"; tcpprobe -F "%a %s" localhost 1' "$(peer open && echo "$port")"
	refute_output --partial ::1
}

@test "the kernel's own timeout is one too, where the deadline is none of ours" {
	need_lab
	own_network net/ipv4/tcp_syn_retries=1 net/ipv4/tcp_syn_linear_timeouts=1
	face 'tcpprobe -t 0 "$@"' "$TP_SILENT" 80
	assert_state timeout
	assert_took_less 10000
}

@test "a name that does not exist, has no address, or cannot be looked up now is unresolved, each in its words" {
	need why dns
	need_lab
	face 'tcpprobe "$@"' no.nx.test:80 no.empty.test:80 no.fail.test:80
	assert_state unresolved
	assert_message_has 'no.nx.test:80: Name or service not known'
	assert_message_has 'no.empty.test:80: No address associated with hostname'
	assert_message_has 'no.fail.test:80: Temporary failure in name resolution'
}

@test "what a host is called tells nothing" {
	need_lab
	for host in refused unreachable not-known timeout no-route; do
		face 'tcpprobe -q "$@"' "$host.nx.test" 80
		assert_state unresolved
		face 'tcpprobe -q "$@"' "$host.127-0-0-1.ip.test" 1
		assert_state refused
	done
}

@test "a lookup that ends with the deadline is a timeout that says so" {
	need late
	need_lab
	face 'tcpprobe -t 0.3 "$@"' no.dead.test 80
	assert_state timeout
	assert_message 'no.dead.test:80: Name lookup timed out'
}

@test "without descriptors the probe is an error" {
	need inside
	peer open
	face 'ulimit -n 4; exec 3</dev/null; tcpprobe 127.0.0.1 '"$port"
	assert_state error
}

@test "from a foreign address the probe is an error" {
	need engine
	peer open
	face 'tcpprobe -s 192.0.2.77 127.0.0.1 '"$port"
	assert_state error
	assert_message "127.0.0.1:$port: Cannot assign requested address"
}

@test "a name whose lookup cannot be begun is an error" {
	need inside
	need_lab
	face 'ulimit -n 4; exec 3</dev/null; tcpprobe no.nx.test 80'
	assert_state error
}

@test "with few descriptors every target is still probed, and every state right" {
	need engine quick
	need_lab
	need all
	peer open
	# The lowest limit leaves room for the two ends of one helper's channel, beside what the shell has open.
	limits=(6 8 20 36) deadline=1
	for limit in "${limits[@]}"; do
		face "exec 3>&- 4>&-; ulimit -n $limit; tcpprobe -v -t $deadline"' "$@"' \
			"$TP_SILENT:1-5" {1..20}.5ms.127-0-0-1.ip.test:"$port" "two-faced:$port" "127.0.0.1:1-5"
		assert_equal "${lines[-1]}" '--- 31 probes: 21 open, 5 refused, 5 timeout'
	done
}

@test "a name whose helper cannot be forked is an error" {
	need inside kernel
	need_lab
	within=(strace -f -qq -o /dev/null -e 'trace=clone,clone3,fork' -e 'inject=clone,clone3,fork:error=EAGAIN')
	face 'tcpprobe -t 5 10ms.127-0-0-1.ip.test 1'
	assert_state error
	assert_message_has 'Name lookup failed: Resource temporarily unavailable'
}

@test "a helper that takes no request is an error, not a loop" {
	need inside
	need_lab
	within=(strace -f -qq -o /dev/null -e trace=sendto -e inject=sendto:error=EPERM)
	face 'tcpprobe -t 5 10ms.127-0-0-1.ip.test 1'
	assert_state error
}

@test "an ICMP parameter problem is unreachable" {
	need engine plain kernel
	command -v strace || skip 'no strace'
	within=(strace -f -qq -o /dev/null -e trace=connect -e inject=connect:error=EPROTO)
	face 'tcpprobe 127.0.0.1 1'
	assert_state unreachable
	assert_message '127.0.0.1:1: Protocol error'
}

@test "a connect(2) that says at once that the peer has reset is an error, not an open port" {
	need engine plain kernel
	command -v strace || skip 'no strace'
	for error in ECONNRESET EPIPE; do
		within=(strace -f -qq -o /dev/null -e trace=connect -e "inject=connect:error=$error")
		face 'tcpprobe 127.0.0.1 1'
		assert_state error
	done
}

@test "a large hosts file delays nothing" {
	need engine hosts
	need_lab
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c '{ cat /etc/hosts; seq -f "10.9.9.9 h%.0f" 200000; } >"$0"
		mount --bind "$0" /etc/hosts; exec "$@"' "$BATS_TEST_TMPDIR/hosts")
	peer open
	# The C library reads the file for each name. How long that takes is measured here, on the machine as it is.
	# shellcheck disable=SC2016
	face 'begin=$(date +%s%3N); getent ahosts nx.test; took=$(($(date +%s%3N) - begin))
		tcpprobe -v -t $((1000 + 40 * took))ms "$@" | tail -n 1' "$TP_SILENT:1" {1..40}.10ms.127-0-0-1.ip.test:"$port"
	assert_output '--- 41 probes: 40 open, 1 timeout'
}

@test "of several addresses, none open, the most telling decides" {
	need all
	need_lab
	face 'tcpprobe all-dead 80'
	assert_state refused
}

@test "of several probes the first that was not open gives the status" {
	need_lab
	peer open
	face 'tcpprobe -t "$@"' "$(patient 1)" "127.0.0.1:$port" "$TP_UNREACHABLE:80" "$TP_SILENT:80" "$TP_RESET:80"
	assert_state unreachable
	face 'tcpprobe -t "$@"' "$(patient 1)" "$TP_SILENT:80" "127.0.0.1:$port" "$TP_RESET:80"
	assert_state timeout
}

@test "the table of statuses is the contract's" {
	run awk -F'[(,]' '/^TP_STAT(E|US)\(/ { print $3 + 0 $5 }' "$tree/include/tcpprobe.def"
	assert_output --partial '0 "open"'
}
