// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tp_says.h"

/*
 * A network may leave at most this many bits to its hosts, so that the place of a host is in the last two bytes of its
 * address.
 */
#define HOST_BITS_MAX 16

/* Reads an address into network order. Returns its size, or 0 if the text is not an address. */
static size_t address_bytes(const char *text, uint8_t bytes[sizeof(struct in6_addr)])
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return sizeof(struct in_addr);
	return inet_pton(AF_INET6, text, bytes) == 1 ? sizeof(struct in6_addr) : 0;
}

/* Writes the address that is this many places behind it; that changes only the last two bytes. */
static void put_address(const uint8_t address[], size_t size, uint16_t place, char text[INET6_ADDRSTRLEN])
{
	uint8_t bytes[sizeof(struct in6_addr)];
	unsigned number = (unsigned)(address[size - 2] << 8 | address[size - 1]) + place;

	memcpy(bytes, address, size);
	bytes[size - 2] = (uint8_t)(number >> 8);
	bytes[size - 1] = (uint8_t)number;
	inet_ntop(size == sizeof(struct in_addr) ? AF_INET : AF_INET6, bytes, text, INET6_ADDRSTRLEN);
}

const char *tp_network_check(const char *address, const char *bits, char first[INET6_ADDRSTRLEN], uint16_t *last)
{
	uint8_t bytes[sizeof(struct in6_addr)];
	size_t size = address_bytes(address, bytes), length = strspn(bits, "0123456789");
	int host_bits = (int)size * 8 - (int)strtoul(bits, NULL, 10);

	if (size == 0 || length == 0 || length > 3 || bits[length] != '\0' || host_bits < 0)
		return TP_SAYS_BAD_NETWORK;
	if (host_bits > HOST_BITS_MAX)
		return TP_SAYS_LARGE_NETWORK;
	*last = (uint16_t)((1u << host_bits) - 1);
	if (((bytes[size - 2] << 8 | bytes[size - 1]) & *last) != 0)
		return TP_SAYS_HOST_BITS;
	put_address(bytes, size, host_bits > 1, first);
	/*
	 * In networks of four addresses or more the first address belongs to the network itself, and in IPv4 the last
	 * one is the broadcast address.
	 */
	if (host_bits > 1)
		*last = (uint16_t)(*last - (size == sizeof(struct in_addr) ? 2 : 1));
	return NULL;
}

void tp_network_address(const char *first, uint16_t place, char text[INET6_ADDRSTRLEN])
{
	uint8_t bytes[sizeof(struct in6_addr)] = { 0 };

	put_address(bytes, address_bytes(first, bytes), place, text);
}
