// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_tally.h"

static void add_time(struct tp_tally *tally, int64_t us)
{
	double distance = (double)us - tally->mean_us;

	if (tally->measured == 0 || us < tally->min_us)
		tally->min_us = us;
	if (us > tally->max_us)
		tally->max_us = us;
	tally->measured++;
	tally->mean_us += distance / (double)tally->measured;
	tally->squares += distance * ((double)us - tally->mean_us);
}

void tp_tally_add(struct tp_tally *tally, const struct tp_result *result)
{
	tally->count++;
	tally->states[result->state]++;
	if (tally->status == 0)
		tally->status = result->status;
	if (result->connect_us >= 0)
		add_time(tally, result->connect_us);
}

void tp_put_tally(struct tp_text *text, const struct tp_tally *tally)
{
	const char *separator = ": ";

	tp_put_number(text, tally->count);
	tp_put(text, tally->count == 1 ? " probe" : " probes");
	for (enum tp_state state = 0; state < TP_STATES; state++) {
		if (tally->states[state] == 0)
			continue;
		tp_put(text, separator);
		tp_put_number(text, tally->states[state]);
		tp_put(text, " ");
		tp_put(text, tp_state_word(state));
		separator = ", ";
	}
}

/* Newton's, from above. Not sqrt(3): libm would be loaded into the shell for it. */
static double square_root(double square)
{
	double root = square > 1 ? square : 1, next = (root + square / root) / 2;

	if (square < 0.25)
		return 0;
	while (next < root) {
		root = next;
		next = (root + square / root) / 2;
	}
	return root;
}

void tp_put_rtt(struct tp_text *text, const struct tp_tally *tally)
{
	if (tally->measured == 0)
		return;
	tp_put(text, "rtt min/avg/max/mdev = ");
	tp_put_decimal(text, (uint64_t)tally->min_us, 3);
	tp_put(text, "/");
	tp_put_decimal(text, (uint64_t)(tally->mean_us + 0.5), 3);
	tp_put(text, "/");
	tp_put_decimal(text, (uint64_t)tally->max_us, 3);
	tp_put(text, "/");
	tp_put_decimal(text, (uint64_t)(square_root(tally->squares / (double)tally->measured) + 0.5), 3);
	tp_put(text, " ms");
}
