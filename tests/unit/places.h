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

/* SOMAXCONN is 128 in musl; more wait here for nobody. */
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
/* Linux drops a SYN without a word where more wait to be accepted than the backlog, which is 0, says: one does. */
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

/* How many descriptors it closed. */
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

/* False: not to be had here. */
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

/* Lets the filler in, once, for another accept(2) would wait; it is open then. */
static inline void let_in(struct place *place)
{
	if (place->filler >= 0 && !place->let_in)
		close(accept(place->fd, NULL, NULL));
	place->let_in = true;
}

/* Several places with one port, as the addresses of one name have it. */
static inline bool make_all(struct place *places, size_t count, const enum kind *kinds, const char *const *addresses)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		size_t made = 0;

		while (made < count &&
		       make(&places[made], kinds[made], addresses[made], made == 0 ? 0 : places[0].port))
			made++;
		if (made == count)
			return true;
		/* The port is somebody's at one of the other addresses: another try has another port. */
		while (made > 0)
			unmake(&places[--made]);
	}
	return false;
}

#endif
