/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets on their way to a peer. A table holds all of them without gaps, each
 * beside its pollfd, so that one poll(2) waits for all. Each probe holds the
 * list of its own attempts, the oldest first; when a try ends, its list is
 * closed at once.
 */
#ifndef TP_ATTEMPTS_H
#define TP_ATTEMPTS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"

struct tp_probe; /* the engine's */

struct tp_attempt {
	struct tp_probe *probe;
	struct tp_attempt *next;  /* of the same probe, begun later */
	struct tp_attempt **list; /* the probe's; the oldest attempt is first */
	size_t index;             /* in the table; changes when other attempts end */
	union tp_address peer;
	int64_t started_us;

	/* Once the handshake is done and the connection is held: until when, and how long the handshake took. */
	int64_t held_until_us; /* 0: not yet */
	int64_t connect_us;
};

struct tp_attempts {
	struct pollfd *fds;
	struct tp_attempt **all;
	size_t count;
	size_t room, fds_room; /* of all and of fds */
};

/* Makes room in fds for one more attempt, and for so many further pollfds behind all attempts. Returns 0 or ENOMEM. */
int tp_attempts_make_room(struct tp_attempts *attempts, size_t further);

/* Adds the attempt, which is copied, to the table and to the end of attempt->list. Returns 0 or ENOMEM. */
int tp_attempts_add(struct tp_attempts *attempts, const struct tp_attempt *attempt, int fd);

/* Takes the attempt out and frees it; the last one of the table moves to its place. Returns its socket: the caller's now. */
int tp_attempts_take(struct tp_attempts *attempts, struct tp_attempt *attempt);

/* Closes every attempt of a list. */
void tp_attempts_close(struct tp_attempts *attempts, struct tp_attempt **list);

/* Frees the table. Its lists must be closed. */
void tp_attempts_free(struct tp_attempts *attempts);

#endif
