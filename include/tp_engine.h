/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine: hosts and ports in, results out in the same order. It prints
 * nothing, never exits, keeps no global and knows no shell.
 *
 *	engine = tp_engine_new(&setup);
 *	while ((error = tp_engine_next(engine, &result)) == 0)
 *		report(&result);
 *	tp_engine_free(engine);
 */
#ifndef TP_ENGINE_H
#define TP_ENGINE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"
#include "tp_banner.h"
#include "tp_lookup.h"
#include "tp_os.h"
#include "tp_plan.h"
#include "tp_state.h"

/*
 * The most targets that the engine remembers at once: those under way, those that pause before their next try, and
 * results that wait for a slow one before them. While there are this many, no further target is asked for. So a wait
 * (-r, -R) on an endless file tries only this many of its targets, and its memory has a bound.
 */
#define TP_TARGETS_MOST 1048576

/* wait() may use this many elements of fds behind the count that it is given. */
#define TP_SPARE_FDS 2

/* What the engine asks of its caller. */
struct tp_engine_setup {
	void *context; /* passed to each function */

	/*
	 * The next endpoint; its host has 1 to TP_HOST_MAX bytes, and is copied. Returns 0; ENOENT at the end;
	 * EAGAIN where there is none yet: then *fd is what will be readable, or -1: ask again in the next turn;
	 * or another errno value.
	 */
	int (*next)(void *context, struct tp_endpoint *endpoint, int *fd);

	/*
	 * As tp_os_poll(): waits at most timeout_us, or for ever at TP_NEVER. Returns 0 whether or
	 * not something is ready, EINTR when the engine shall stop, or another errno value.
	 * SIGCHLD, where it is blocked, stays so: see tp_lookup.h. It is called at least every 10 ms, with a
	 * timeout of 0 where there is more to do at once.
	 */
	int (*wait)(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us);

	/*
	 * Has the caller no room for results at the moment? Then it gets none, and no target begins; a wait() has to
	 * end when there is room again. NULL: there is always room.
	 */
	bool (*is_full)(void *context);

	struct tp_helper_hook helper_hook;
	struct tp_plan plan;

	/*
	 * This many of the first targets have a result even if the wait was over before their turn; after that no more
	 * targets are asked for.
	 */
	size_t owed;
};

/* What became of one probe. */
struct tp_result {
	const char *host; /* as given; valid until the next call */
	uint16_t port;
	enum tp_state state;
	bool wanted;              /* the state is what was asked for: open, or what until says */
	int status;               /* the exit status of the state; 0 if the result is as wanted */
	bool in_lookup;           /* the try ended in the lookup: its deadline came, or the lookup failed */
	bool expired;             /* the wait was over; error, eai and the like are those of the last try that ended */
	bool held;                /* it ended at the deadline while the connection was held */
	bool one_address;         /* the result is about this address only (each_address) */
	int eai;                  /* the lookup's EAI_..., or 0 */
	int error;                /* errno value, or 0; ETIMEDOUT for a deadline too */
	int fd;                   /* the open connection, where it was to be kept: the caller's now; else -1 */
	size_t target;            /* the number of the target in the order of next(), from 0 */
	size_t try;               /* from 1; 0: the wait was over before its turn */
	union tp_address address; /* the address that decided the state; AF_UNSPEC: none */
	struct tp_evidence evidence;
	int64_t lookup_us;  /* -1: not measured */
	int64_t connect_us; /* the handshake; -1: not measured */
	int64_t time_us;    /* when it was known, since the Epoch */
	struct tp_banner
		*banner; /* NULL: the peer said nothing, or nobody listened; the engine's, valid until the next call */
	size_t best_row; /* the most tries in a row that were open */
	enum tp_until until;
	int64_t waited_us; /* the plan's wait_us */
	size_t in_a_row;   /* the plan's */
};

struct tp_engine;

/* NULL where memory is out. */
struct tp_engine *tp_engine_new(const struct tp_engine_setup *setup);

/*
 * Runs until the next result, in the order of the targets, is there. Returns 0;
 * ENOENT after the last one; ETIMEDOUT where the wait was over before next() had
 * given all; EINTR where wait() said so; ENOMEM, or what else wait() said. After anything but 0 only tp_engine_free() is left.
 */
int tp_engine_next(struct tp_engine *engine, struct tp_result *result);

/* How many probes have their result, reported yet or not, and how many of those are open. */
struct tp_engine_counts {
	size_t done, open;
};
struct tp_engine_counts tp_engine_counts(const struct tp_engine *engine);

/* Closes every descriptor, ends every helper, gives SIGCHLD back. */
void tp_engine_free(struct tp_engine *engine);

#endif
