/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many results in few words. */
#ifndef TP_TALLY_H
#define TP_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_engine.h"
#include "tp_text.h"

/* The results so far. Zeroed it is empty. */
struct tp_tally {
	size_t count, states[TP_STATES];
	int status; /* the exit status of all: that of the first result that was not as wanted, else 0 */

	/*
	 * An outage lasts from a probe that was not open to the next one that was, or to the last one. Times are those
	 * that tp_tally_add() was given, except began_us and longest_began_us, which are since the Epoch.
	 */
	bool out; /* an outage is under way */
	int64_t since_us, began_us, longest_us, longest_began_us;

	/* About the handshakes that were measured, in microseconds. */
	size_t measured;
	int64_t min_us, max_us;
	double mean_us, squares; /* squares: the sum of the squared distances from the mean (Welford) */
};

/* now_us: tp_os_now_us(), when the result came. */
void tp_tally_add(struct tp_tally *tally, const struct tp_result *result, int64_t now_us);

/* Each puts text without a newline: "3 probes: 2 open, 1 refused" */
void tp_put_tally(struct tp_text *text, const struct tp_tally *tally);

/*
 * The same of one target's rounds, with the share that was open and the longest outage, if it was open at all:
 * "100 probes: 73 open (73 %), 27 timeout, longest outage 12.4 s from 2026-11-29T14:03:05Z"
 */
void tp_put_rounds(struct tp_text *text, const struct tp_tally *tally);

/* "rtt min/avg/max/mdev = 0.301/0.402/0.511/0.070 ms", as ping(8) has it; nothing where nothing was measured. */
void tp_put_rtt(struct tp_text *text, const struct tp_tally *tally);

#endif
