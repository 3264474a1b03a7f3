/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Places to connect to, on addresses of this host: open, closed, and silent. */
#ifndef TP_UNIT_PLACES_H
#define TP_UNIT_PLACES_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addresses.h"

enum kind { OPEN, CLOSED, SILENT };

/* SOMAXCONN is 128 in musl, but more connections wait here, which nobody accepts. */
#define BACKLOG 4096

struct place {
	enum kind kind;
	const char *address;
	uint16_t port;
	int fd;
	int filler; /* the connection that fills the backlog; -1: none */
	bool let_in;
};

static bool bind_place(struct place *place, uint16_t port)
{
	union tp_address address = address_of(place->address, port);
	socklen_t size = sizeof(address);

	place->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (place->fd < 0)
		return false;
	if (bind(place->fd, &address.any, tp_address_size(&address)) < 0 ||
	    getsockname(place->fd, &address.any, &size) < 0) {
		close(place->fd);
		return false;
	}
	place->port = tp_address_port(&address);
	return true;
}

#ifdef __linux__
/*
 * Linux silently drops a SYN if more connections wait to be accepted than the backlog says. The backlog is 0, and one
 * connection waits.
 */
static bool fill(struct place *place)
{
	union tp_address address = { 0 };
	socklen_t size = sizeof(address);

	if (getsockname(place->fd, &address.any, &size) < 0)
		return false;
	place->filler = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return place->filler >= 0 && connect(place->filler, &address.any, tp_address_size(&address)) == 0 &&
	       poll(&(struct pollfd){ .fd = place->fd, .events = POLLIN }, 1, -1) == 1;
}
#else
static bool fill(struct place *place)
{
	(void)place;
	return false;
}
#endif

/* Returns how many descriptors it closed. */
static inline int stop_listening(struct place *place)
{
	close(place->fd);
	place->fd = -1;
	return 1;
}

static void unmake(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	if (place->filler >= 0)
		close(place->filler);
	place->filler = -1;
}

/* Returns false if this system cannot have such a place. */
static bool make(struct place *place, enum kind kind, const char *address, uint16_t port)
{
	bool made;

	memset(place, 0, sizeof(*place));
	place->filler = -1;
	place->kind = kind;
	place->address = address;
	if (!bind_place(place, port))
		return false;
	made = kind == CLOSED || (listen(place->fd, kind == OPEN ? BACKLOG : 0) == 0 && (kind == OPEN || fill(place)));
	if (!made)
		unmake(place);
	return made;
}

/* Accepts the filler, after which the place is open. Only once, because another accept(2) would wait. */
static inline void let_in(struct place *place)
{
	if (place->filler >= 0 && !place->let_in)
		close(accept(place->fd, NULL, NULL));
	place->let_in = true;
}

/* Makes several places with the same port, as the addresses of one name have it. */
static inline bool make_all(struct place *places, size_t count, const enum kind *kinds, const char *const *addresses)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		size_t made = 0;

		while (made < count &&
		       make(&places[made], kinds[made], addresses[made], made == 0 ? 0 : places[0].port))
			made++;
		if (made == count)
			return true;
		/* The port is in use at one of the other addresses. The next attempt gets another port. */
		while (made > 0)
			unmake(&places[--made]);
	}
	return false;
}

#endif
