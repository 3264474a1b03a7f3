/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The race of one try (RFC 8305, section 5): attempts at its addresses begin
 * 250 ms apart, or at once when one fails, until the first is open or all have
 * failed. Where none is open the most telling failure is the outcome.
 * With plan->hold_us a connection is held after its handshake, and open only
 * when the peer spoke or the hold is over; while one is held no further attempt
 * begins, unless the peer hangs up.
 */
#ifndef TP_RACE_H
#define TP_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"
#include "tp_attempts.h"
#include "tp_finish.h"
#include "tp_lookup.h"
#include "tp_plan.h"

struct tp_race {
	struct tp_attempt *attempts; /* the attempts under way, the oldest first */
	size_t held;                 /* how many of them are held */
	struct tp_lookup *lookup; /* its addresses are read when their turn comes; more may come while it is RUNNING */
	struct tp_walk walk;      /* the way through the addresses that have had their attempt */
	const union tp_address *only; /* the address that takes part; NULL: all of them */
	uint16_t port;
	bool finished; /* finish holds an outcome: that of the open address, or the most telling one so far */
	struct tp_finish finish;
	int64_t due_us; /* when the next attempt begins */
};

/* On: it goes on. Over: race->finish is its outcome. Short: there is no descriptor or memory for the next attempt. */
enum tp_race_news { TP_RACE_ON, TP_RACE_OVER, TP_RACE_SHORT };

/* Begins the attempts that are due. After TP_RACE_SHORT the same attempt is due still. */
enum tp_race_news tp_race_go_on(struct tp_race *race, struct tp_probe *probe, const struct tp_plan *plan,
				struct tp_attempts *attempts, int64_t now_us);

/* Takes in the outcome of an attempt of this race that poll(2) found ready. Never TP_RACE_SHORT. */
enum tp_race_news tp_race_collect(struct tp_race *race, const struct tp_plan *plan, struct tp_attempts *attempts,
				  struct tp_attempt *attempt);

/* When the next attempt begins, or a hold is over; TP_NEVER: no address is left, as far as is known. */
int64_t tp_race_due_us(const struct tp_race *race);

/*
 * Time is up. If no address has told anything, the attempt under way has timed out. A held connection tells most:
 * somebody accepted, and it is not known whether the peer would have hung up.
 */
void tp_race_expire(struct tp_race *race);

/* Closes its attempts, so that it can begin from the start. */
void tp_race_reset(struct tp_race *race, struct tp_attempts *attempts);

/*
 * The race holds all descriptors that there are, and needs one more: it gives up its oldest attempt when that has had
 * its share of the time, and tries again then.
 */
void tp_race_make_way(struct tp_race *race, struct tp_attempts *attempts, int64_t deadline_us, int64_t now_us);

#endif
