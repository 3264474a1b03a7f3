/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How to probe: the options say it, the engine and the trace obey it. */
#ifndef TP_PLAN_H
#define TP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"

/* How often a target is tried. */
enum tp_until { TP_ONCE, TP_UNTIL_OPEN, TP_UNTIL_CLOSED };

struct tp_plan {
	int family;         /* AF_UNSPEC, AF_INET or AF_INET6 */
	bool each_address;  /* a result for each address of a name */
	bool first_open;    /* the first open probe is the last result; probes under way then have none */
	bool half_open;     /* the handshake is not finished; tp_os_half_open() */
	bool keep;          /* the connection that opened is the caller's */
	size_t limit;       /* probes in flight, at least 1 */
	int64_t timeout_us; /* of a try, or a trace, its lookup included; 0: none */
	struct tp_source source;

	/*
	 * 0: the handshake is enough. Else the connection is held this long after it. A peer that hangs up meanwhile is
	 * TP_HANGUP; one that speaks is open at once, and its first line is the banner; one that is silent is open when
	 * the time is over. Shorter than timeout_us: a try whose deadline comes first is a timeout, because the peer
	 * might have hung up a moment later.
	 */
	int64_t hold_us;

	/*
	 * Not TP_ONCE: each target is tried again, interval_us after a try has ended, until it is open or, with
	 * TP_UNTIL_CLOSED, until it is closed: refused, unreachable, silent. A name is looked up anew each time. A
	 * target that is not as wanted after wait_us (0: never), counted from tp_engine_new(), is a timeout. An error
	 * of this host ends its tries at once, unless the error may pass: tp_may_pass().
	 */
	enum tp_until until;
	int64_t wait_us, interval_us;

	/*
	 * With TP_UNTIL_OPEN: this many tries in a row must be open; any other outcome begins the count anew. 0 counts
	 * as 1.
	 */
	size_t in_a_row;
};

#endif
