/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The helpers of a call (tp_helper.h): forked as they are needed, used again, killed and reaped.
 *
 * From the first helper to tp_helpers_free() SIGCHLD is blocked, so that no handler of the program's reaps a helper;
 * whoever waits meanwhile leaves it so.
 */
#ifndef TP_HELPERS_H
#define TP_HELPERS_H

#include "tp_lookup.h"

struct tp_helpers;

/* The answer to a question. */
struct tp_answer {
	struct tp_lookup *lookup;
	enum tp_question question;
	int eai, error; /* as in struct tp_lookup */
	int64_t duration_us;
	union tp_address *addresses; /* the caller's to free */
	size_t count;
};

/* NULL where memory is out. limit_us: as for tp_resolver_new(). */
struct tp_helpers *tp_helpers_new(struct tp_helper_hook hook, int64_t limit_us);

/* Ends and reaps all of them. */
void tp_helpers_free(struct tp_helpers *helpers);

/* Asks a question about a lookup, whose helpers[question] answers it then. Returns as tp_resolver_begin(). */
int tp_helpers_ask(struct tp_helpers *helpers, struct tp_lookup *lookup, enum tp_question question,
		   const struct pollfd *fds, size_t count);

/*
 * Nobody waits for the answer any more. The helper is used again when it has answered, or is killed when its place is
 * needed.
 */
void tp_helpers_drop(struct tp_helpers *helpers, struct tp_helper *helper);

/* As tp_resolver_watched() and tp_resolver_watch(). */
size_t tp_helpers_watched(const struct tp_helpers *helpers);
size_t tp_helpers_watch(struct tp_helpers *helpers, struct pollfd *fds);

/* Notes what poll(2) found of the pollfds of tp_helpers_watch(). */
void tp_helpers_note(struct tp_helpers *helpers, const struct pollfd *fds);

/* The next answer that has come; false: there is none. */
bool tp_helpers_answer(struct tp_helpers *helpers, struct tp_answer *answer);

/* Has tp_helpers_ask() returned EBUSY since the last call? Then it is worth another try in each turn of the loop. */
bool tp_helpers_wanted(struct tp_helpers *helpers);

/* When the loop has to turn even if nothing is ready, to reap or replace helpers; TP_NEVER: it need not. */
int64_t tp_helpers_due_us(const struct tp_helpers *helpers);

#endif
