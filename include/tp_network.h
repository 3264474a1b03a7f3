/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks: ADDRESS/BITS, never expanded in memory. */
#ifndef TP_NETWORK_H
#define TP_NETWORK_H

#include <netinet/in.h>
#include <stdint.h>

/* Checks ADDRESS and BITS; *last is how many addresses follow the first. Returns NULL, or what is wrong. */
const char *tp_network_check(const char *address, const char *bits, uint16_t *last);

/* The address so many places behind the network's first one. */
void tp_network_address(const char *first, uint16_t place, char text[INET6_ADDRSTRLEN]);

#endif
