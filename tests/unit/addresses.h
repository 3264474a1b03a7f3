/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses as a test writes them. */
#ifndef TP_UNIT_ADDRESSES_H
#define TP_UNIT_ADDRESSES_H

#include <arpa/inet.h>

#include "tp_address.h"

/* The address is AF_UNSPEC if the text is none. */
static inline union tp_address address_of(const char *text, uint16_t port)
{
	union tp_address address = { 0 };

	if (inet_pton(AF_INET, text, &address.ipv4.sin_addr) == 1)
		address.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &address.ipv6.sin6_addr) == 1)
		address.any.sa_family = AF_INET6;
	tp_address_set_port(&address, port);
	return address;
}

#endif
