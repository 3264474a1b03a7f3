// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

socklen_t tp_address_size(const union tp_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->ipv6) : sizeof(address->ipv4);
}

bool tp_address_equal(const union tp_address *a, const union tp_address *b, bool ports)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return memcmp(&a->ipv6.sin6_addr, &b->ipv6.sin6_addr, sizeof(a->ipv6.sin6_addr)) == 0 &&
		       a->ipv6.sin6_scope_id == b->ipv6.sin6_scope_id &&
		       (!ports || a->ipv6.sin6_port == b->ipv6.sin6_port);
	return a->ipv4.sin_addr.s_addr == b->ipv4.sin_addr.s_addr && (!ports || a->ipv4.sin_port == b->ipv4.sin_port);
}

void tp_address_unmap(union tp_address *address)
{
	struct in_addr mapped;

	if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->ipv6.sin6_addr))
		return;
	memcpy(&mapped, &address->ipv6.sin6_addr.s6_addr[12], sizeof(mapped));
	*address = (union tp_address){ .ipv4 = { .sin_family = AF_INET, .sin_addr = mapped } };
}

uint16_t tp_address_port(const union tp_address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->ipv6.sin6_port : address->ipv4.sin_port);
}

void tp_address_set_port(union tp_address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET6)
		address->ipv6.sin6_port = htons(port);
	else
		address->ipv4.sin_port = htons(port);
}

void tp_address_text(const union tp_address *address, char text[TP_ADDRESS_TEXT])
{
	if (address->any.sa_family == AF_UNSPEC ||
	    getnameinfo(&address->any, tp_address_size(address), text, TP_ADDRESS_TEXT, NULL, 0, NI_NUMERICHOST) != 0)
		strcpy(text, "-");
}
