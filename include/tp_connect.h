/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One TCP handshake on one socket: made ready, begun, and judged. */
#ifndef TP_CONNECT_H
#define TP_CONNECT_H

#include <poll.h>
#include <stdbool.h>

#include "tp_address.h"
#include "tp_os.h"

/* A socket, ready to connect from this source. Returns 0, or what kept it from being made: nothing was sent. */
int tp_connect_open(const struct tp_source *source, bool half_open, int family, int *fd);

/* Sends the SYN. Returns EINPROGRESS, or the outcome where it is known at once: see tp_connect_outcome(). */
int tp_connect_begin(int fd, const union tp_address *peer, struct tp_evidence *evidence);

/*
 * What poll(2) found of a socket under way to this peer. Returns 0: the handshake is done; EINPROGRESS: it is not,
 * and nothing was said; else the errno value of the failure, with who said so in *evidence. A connection of a socket
 * to itself is ECONNREFUSED: nobody listens there.
 */
int tp_connect_outcome(const struct pollfd *ready, const union tp_address *peer, struct tp_evidence *evidence);

/* A packet's TTL or hop limit ran out on the way: RFC 792, RFC 4443. */
bool tp_is_time_exceeded(const struct tp_evidence *evidence);

#endif
