# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The map of the lab: which hosts there are, and what a probe meets there. tests/lab/enter reads it and exports all of
# it; the tests read it too.

# Hosts that answer: local addresses. A port that nobody listens on is refused; `peer -a 0.0.0.0 -p 80 open` opens port
# 80 on all 65,536 hosts at once.
TP_MANY=10.2   # .0.0 to .255.255
TP_MANY6=fd02: # :0 to :ffff:ffff:ffff:ffff

# Silent: every packet to this host is dropped when it comes in. As a name server it is dead.
TP_SILENT=10.1.0.1
TP_SILENT6=2001:db8::1

# Silent too: every SYN to this host is dropped on its way out. (UDP would get EPERM; TCP just sends again. For an EPERM
# from connect(), use strace -e inject.)
TP_FORBIDDEN=10.1.0.5
TP_FORBIDDEN6=2001:db8::5

# The host's own firewall rejects: with a TCP reset; with ICMP administratively prohibited; with ICMP port unreachable,
# as iptables does. (The ICMPv6 errors reach a socket without IPV6_RECVERR only when the SYN is sent again.)
TP_RESET=10.1.0.2 # refused
TP_RESET6=2001:db8::2
TP_REJECT=10.1.0.3          # 3/13
TP_REJECT6=2001:db8::3      # 1/1
TP_REJECT_PORT=10.1.0.4     # 3/3
TP_REJECT_PORT6=2001:db8::4 # 1/4

# connect() itself fails, before anything is sent.
TP_PROHIBIT=10.3.0.1 # EACCES
TP_PROHIBIT6=fd03::1
TP_BLACKHOLE=10.3.0.2 # EINVAL
TP_BLACKHOLE6=fd03::2
TP_UNREACHABLE=10.3.0.3 # EHOSTUNREACH
TP_UNREACHABLE6=fd03::3
TP_NOROUTE=192.0.2.1 # ENETUNREACH: there is no default route
TP_NOROUTE6=fd04::1

# The far network, TP_RTT ms away. The port says how each host answers; `far -l` lists the ports. ICMP errors come from
# the router.
TP_RTT=${TP_RTT:-50}
TP_FAR=10.5   # .0.0 to .255.255
TP_FAR6=fd05: # :0 to :ffff:ffff:ffff:ffff
TP_ROUTER=10.5.255.254
TP_ROUTER6=fd05::ffff
TP_SOURCE=10.4.0.1 # the address from which the far network is reached
TP_SOURCE6=fd01::1

# The way: this host, two routers, and the end host. The firewall of a router treats packets by their port: 8100 + N on
# the first router, 8200 + N on the second; lab_rules has N. Port 80 is open at the end if a test listens in the end's
# network.
TP_WAY=10.20 # .1.1 here - .1.2 .2.1 the first router - .2.2 .3.1 the second - .3.2 the end
TP_WAY6=fd20
TP_HOP1=$TP_WAY.1.2
TP_HOP2=$TP_WAY.2.2
TP_END=$TP_WAY.3.2
TP_HOP1_6=$TP_WAY6:1::2
TP_HOP2_6=$TP_WAY6:2::2
TP_END6=$TP_WAY6:3::2
TP_LOOP=$TP_WAY.9.1 # the routers send it to each other
TP_LOOP6=$TP_WAY6:9::1

# N, what an nft rule does with IPv4, its ICMP type and code, and the same for IPv6
lab_rules() {
	cat <<-END
		1 drop - - drop - -
		2 reset - - reset - -
		10 net-unreachable 3 0 no-route 1 0
		11 host-unreachable 3 1 addr-unreachable 1 3
		12 port-unreachable 3 3 port-unreachable 1 4
		13 net-prohibited 3 9 policy-fail 1 5
		14 host-prohibited 3 10 reject-route 1 6
		15 admin-prohibited 3 13 admin-prohibited 1 1
	END
}

# The name server; dns.c has its answers for the names under .test.
TP_DNS=10.1.0.53

# The hosts file. glibc sorts the IPv6 addresses of a name first.
lab_hosts() {
	cat <<-END
		127.0.0.1 localhost
		::1 localhost
		127.0.0.1 four-only
		::1 six-only
		# the first address is silent, the second answers
		$TP_SILENT6 two-faced
		127.0.0.1 two-faced
		# one address, silent
		$TP_SILENT silent
		# three addresses: silent, silent, and one that answers
		$TP_SILENT6 three-silent
		$TP_SILENT three-silent
		$TP_MANY.0.1 three-silent
		# two addresses: the first answers, the second is silent
		::1 two-minded
		$TP_SILENT two-minded
		# two addresses: silent, and one that answers from far away
		$TP_SILENT6 silent-far
		$TP_FAR.0.1 silent-far
		# two addresses, both silent
		$TP_SILENT6 two-silent
		$TP_SILENT two-silent
		# two silent addresses of one family before one of the other that answers
		$TP_SILENT6 six-heavy
		$TP_FORBIDDEN6 six-heavy
		127.0.0.1 six-heavy
		# two addresses, neither open: reset, unreachable
		$TP_UNREACHABLE6 all-dead
		$TP_RESET all-dead
		# far away, on both families
		${TP_FAR6}:1 far
		$TP_FAR.0.1 far
	END
}
