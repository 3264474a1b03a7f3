/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where on the way is a probe answered, refused or lost? Half-open SYNs with
 * rising TTL (hop limit), and the ICMP errors they meet: no privileges, and no
 * program at the other end sees a connection.
 */
#ifndef TP_TRACE_H
#define TP_TRACE_H

#include <poll.h>
#include <stdint.h>

#include "tp_address.h"
#include "tp_engine.h"
#include "tp_lookup.h"
#include "tp_plan.h"

/* No farther hop than this is asked. */
#define TP_HOPS 30

struct tp_hop {
	unsigned hop;             /* from 1 */
	union tp_address address; /* who answered there; AF_UNSPEC: nobody */
	int64_t us;               /* how long the answer took; -1: nobody answered */
};

enum tp_verdict_kind {
	TP_VERDICT_ANSWERED, /* by the host: open, or a RST */
	TP_VERDICT_REJECTED, /* by an ICMP error from the way */
	TP_VERDICT_SILENT,   /* beyond a hop, or from the first on */
	TP_VERDICT_LOOP,
	TP_VERDICT_LOCAL, /* nothing could be sent: no address, no route, no socket */
};

struct tp_verdict {
	enum tp_verdict_kind kind;
	struct tp_result result; /* the result, as that of a probe */
	struct tp_hop
		hop;    /* who answered or rejected; SILENT: the last that answered; LOOP: seen again. hop 0: nobody */
	unsigned again; /* LOOP: the hop as which it was seen first */
};

/* What a trace asks of its caller; as in struct tp_engine_setup, where all but hop() is described. */
struct tp_trace_setup {
	void *context;
	int (*wait)(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us);
	/* A hop, in order, as soon as it is known. */
	void (*hop)(void *context, const struct tp_hop *hop);
	struct tp_helper_hook helper_hook;
	const struct tp_plan *plan; /* its timeout_us and source count */
};

/*
 * Traces the way to the first address of the host that this host can send to.
 * verdict->result.host is the caller's. Returns 0, or EINTR, ENOMEM or what else
 * wait() said: then there is no verdict.
 */
int tp_trace(const struct tp_trace_setup *setup, const struct tp_endpoint *to, struct tp_verdict *verdict);

#endif
