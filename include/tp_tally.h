/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many results in few words. */
#ifndef TP_TALLY_H
#define TP_TALLY_H

#include "tp_engine.h"
#include "tp_text.h"

/* The results so far. Zeroed it is empty. */
struct tp_tally {
	size_t count, states[TP_STATES];
	int status; /* of the whole: that of the first result that was not as wanted, else 0 */

	/* Of the handshakes that were measured, in microseconds. */
	size_t measured;
	int64_t min_us, max_us;
	double mean_us, squares; /* squares: the sum of the squared distances from the mean (Welford) */
};

void tp_tally_add(struct tp_tally *tally, const struct tp_result *result);

/* Each puts text without a newline: "3 probes: 2 open, 1 refused" */
void tp_put_tally(struct tp_text *text, const struct tp_tally *tally);

/* "rtt min/avg/max/mdev = 0.301/0.402/0.511/0.070 ms", as ping(8) has it; nothing where nothing was measured. */
void tp_put_rtt(struct tp_text *text, const struct tp_tally *tally);

#endif
