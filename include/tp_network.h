/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks: ADDRESS/BITS, never expanded in memory. */
#ifndef TP_NETWORK_H
#define TP_NETWORK_H

#include <netinet/in.h>
#include <stdint.h>

/*
 * Checks ADDRESS and BITS. first is the network's first host, and *last how many follow it: not the network's own address
 * and its broadcast (RFC 919), nor the anycast address of its routers (RFC 4291, section 2.6.1). All addresses are hosts
 * where there are one or two (RFC 3021, RFC 6164). Returns NULL, or what is wrong.
 */
const char *tp_network_check(const char *address, const char *bits, char first[INET6_ADDRSTRLEN], uint16_t *last);

/* The host that is this many places behind the network's first one. */
void tp_network_address(const char *first, uint16_t place, char text[INET6_ADDRSTRLEN]);

#endif
