/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses to connect to, and to connect from. */
#ifndef TP_ADDRESS_H
#define TP_ADDRESS_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An IPv4 or IPv6 socket address; any.sa_family is AF_UNSPEC where there is none. */
union tp_address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

/* Where probes start from: an address (port 0), or an interface, or neither. */
struct tp_source {
	union tp_address address;
	char interface[IF_NAMESIZE]; /* "": none */
};

/* Where a probe goes: a host, not looked up yet, and a port. */
struct tp_endpoint {
	const char *host;
	int family; /* AF_UNSPEC: the family of the call */
	uint16_t port;
};

/* The longest host taken, in bytes without NUL: what getnameinfo(3) may return (NI_MAXHOST). */
#define TP_HOST_MAX 1024

/* At most this many addresses of one name are used. */
#define TP_ADDRESSES_MAX 4096

/* Room for a numeric address with its zone, NUL included. */
#define TP_ADDRESS_TEXT (INET6_ADDRSTRLEN + 1 + IF_NAMESIZE)

/* The size that bind(2) and connect(2) want. */
socklen_t tp_address_size(const union tp_address *address);

/* Same family, address and zone; with ports, the same port too. */
bool tp_address_equal(const union tp_address *a, const union tp_address *b, bool ports);

/*
 * Turns an IPv4 address that is written as an IPv6 one (::ffff:10.0.0.1) into IPv4: its packets are IPv4 packets, with
 * IPv4's TTL and IPv4's ICMP errors.
 */
void tp_address_unmap(union tp_address *address);

uint16_t tp_address_port(const union tp_address *address);

void tp_address_set_port(union tp_address *address, uint16_t port);

/* The numeric form with zone, as getnameinfo(3) writes it; "-" where there is none. */
void tp_address_text(const union tp_address *address, char text[TP_ADDRESS_TEXT]);

#endif
