/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a face does for a command: all that differs between a builtin of a shell and a program. */
#ifndef TP_FACE_H
#define TP_FACE_H

#include <poll.h>
#include <stdint.h>

#include "tp_lookup.h"
#include "tp_options.h"
#include "tp_text.h"

struct tp_face {
	char letter;      /* in usage.def's column of faces: b or p */
	const char *name; /* for -V */
	void *context;    /* passed to each function */

	/* As in struct tp_engine_setup; EINTR once interrupted() gives a signal. */
	int (*wait)(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us);

	/* The signal that ends the call, or 0. */
	int (*interrupted)(void *context);

	/* One line on standard error, in the face's own format: "what: why", or "why" where what is NULL. */
	void (*say)(void *context, const char *what, const char *why);

	/*
	 * Called once the options are known; nothing is opened or sent yet. Returns 0, or with the reason in *why EINVAL
	 * (wrong usage) or another errno value (it cannot be done here). NULL: nothing to check.
	 */
	int (*check)(void *context, const struct tp_options *options, struct tp_why *why);

	struct tp_helper_hook helper_hook;
};

#endif
