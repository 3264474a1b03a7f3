/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process that asks. It calls getaddrinfo(3), one question after the other, until its channel is closed or it is
 * killed.
 */
#ifndef TP_HELPER_H
#define TP_HELPER_H

#include <sys/types.h>

#include "tp_lookup.h"

/*
 * The reply of a helper: this head, then count addresses. There is no padding, because it would carry bytes of the
 * helper's stack.
 */
struct tp_reply {
	int64_t duration_us;
	int eai, error;
	uint64_t count;
};

/* A helper is idle if lookup is NULL and stale is false. If fd is -1, it was killed and is to be reaped. */
struct tp_helper {
	pid_t pid;
	int fd;
	struct tp_lookup *lookup;
	enum tp_question question;
	bool stale;       /* nobody waits for its answer any more; once that has come, the helper is idle */
	int64_t stale_us; /* since this time */
	bool ready;       /* poll(2) found something to read */
	struct tp_reply reply;
	union tp_address *addresses;
	size_t received;        /* bytes of the reply and, behind it, of the addresses */
	struct tp_helper *idle; /* the next idle helper */
};

/* In the helper, which the caller has just forked with all signals blocked: answers requests from fd. Never returns. */
_Noreturn void tp_helper_serve(int fd, struct tp_helper_hook hook, unsigned limit_s);

/* Asks a question about a lookup, whose helpers[question] answers it then. False: the helper is of no more use. */
bool tp_helper_ask(struct tp_helper *helper, struct tp_lookup *lookup, enum tp_question question);

/*
 * Reads on in the reply. Returns 0: it is complete; EAGAIN: more is to come; another value: the helper is of no more
 * use.
 */
int tp_helper_hear(struct tp_helper *helper);

/*
 * getaddrinfo(3) itself, here: the addresses in its order, ports 0, the caller's to free. Returns 0 or EAI_..., with
 * the errno value beside EAI_SYSTEM.
 */
int tp_get_addresses(const char *host, int family, int flags, union tp_address **addresses, size_t *count, int *error);

#endif
