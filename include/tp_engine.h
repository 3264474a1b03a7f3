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
#include "tp_lookup.h"
#include "tp_state.h"

/* What the engine asks of its caller. */
struct tp_engine_setup {
	void *context; /* passed to each function */

	/* The next host (1 to TP_HOST_MAX bytes, copied) and port; false at the end. */
	bool (*next)(void *context, const char **host, uint16_t *port);

	/*
	 * As tp_os_poll(): waits at most timeout_us, or for ever at TP_NEVER. Returns 0 whether or
	 * not something is ready, EINTR when the engine shall stop, or another errno value.
	 * SIGCHLD, where it is blocked, stays so: see tp_lookup.h.
	 */
	int (*wait)(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us);

	struct tp_helper_hook helper_hook;

	int family;         /* AF_UNSPEC, AF_INET or AF_INET6 */
	bool each_address;  /* a result for each address of a name */
	size_t limit;       /* probes in flight, at least 1; lowered where descriptors run out */
	int64_t timeout_us; /* of a probe, its lookup included; 0: none */
	struct tp_source source;
};

/* What became of one probe. */
struct tp_result {
	const char *host; /* as given; valid until the next call */
	uint16_t port;
	enum tp_state state;
	bool in_lookup;           /* it ended while, or because, the name was looked up */
	int eai;                  /* the lookup's EAI_..., or 0 */
	int error;                /* errno value, or 0; ETIMEDOUT for a deadline too */
	union tp_address address; /* the one that decided the state; AF_UNSPEC: none */
	int64_t lookup_us;        /* -1: not measured */
	int64_t connect_us;       /* the handshake; -1: not measured */
};

struct tp_engine;

/* NULL where memory is out. */
struct tp_engine *tp_engine_new(const struct tp_engine_setup *setup);

/*
 * Runs until the next result, in the order of the targets, is there. Returns 0;
 * ENOENT after the last one; EINTR where wait() said so; ENOMEM, or what else
 * wait() said. After anything but 0 only tp_engine_free() is left.
 */
int tp_engine_next(struct tp_engine *engine, struct tp_result *result);

/* Closes every descriptor, ends every helper, gives SIGCHLD back. */
void tp_engine_free(struct tp_engine *engine);

#endif
