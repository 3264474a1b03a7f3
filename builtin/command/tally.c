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

static void add_outage(struct tp_tally *tally, const struct tp_result *result, int64_t now_us)
{
	bool begins = !tally->out && result->state != TP_OPEN;

	if (begins) {
		tally->since_us = now_us;
		tally->began_us = result->time_us;
	}
	/* The first of several that are equally long counts. */
	if ((tally->out || begins) && (now_us - tally->since_us > tally->longest_us || tally->longest_began_us == 0)) {
		tally->longest_us = now_us - tally->since_us;
		tally->longest_began_us = tally->began_us;
	}
	tally->out = result->state != TP_OPEN;
}

void tp_tally_add(struct tp_tally *tally, const struct tp_result *result, int64_t now_us)
{
	add_outage(tally, result, now_us);
	tally->count++;
	tally->states[result->state]++;
	if (tally->status == 0)
		tally->status = result->status;
	if (result->connect_us >= 0)
		add_time(tally, result->connect_us);
}

/* "3 probes: 2 open (66 %), 1 refused" */
static void put_states(struct tp_text *text, const struct tp_tally *tally, bool share)
{
	const char *separator = ": ";

	tp_put_number(text, tally->count);
	tp_put(text, tally->count == 1 ? " probe" : " probes");
	for (enum tp_state state = 0; state < TP_STATES; state++) {
		if (tally->states[state] == 0 && !(share && state == TP_OPEN))
			continue;
		tp_put(text, separator);
		tp_put_number(text, tally->states[state]);
		tp_put(text, " ");
		tp_put(text, tp_state_word(state));
		if (share && state == TP_OPEN) {
			/* Rounded down: 100 % are all. */
			tp_put(text, " (");
			tp_put_number(text, (uint64_t)tally->states[state] * 100 / tally->count);
			tp_put(text, " %)");
		}
		separator = ", ";
	}
}

void tp_put_tally(struct tp_text *text, const struct tp_tally *tally)
{
	put_states(text, tally, false);
}

static bool is_leap(uint64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* A separator and a number of two digits. */
static void put_pair(struct tp_text *text, const char *before, uint64_t number)
{
	tp_put(text, before);
	tp_put(text, number < 10 ? "0" : "");
	tp_put_number(text, number);
}

/*
 * UTC, as logs have it: "2026-11-29T14:03:05Z". Not strftime(3): what the C library knows of time zones and locales would be
 * loaded into the shell for it.
 */
static void put_moment(struct tp_text *text, int64_t us)
{
	static const uint8_t days_of[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t seconds = us > 0 ? (uint64_t)us / 1000000 : 0, days = seconds / 86400, year = 1970, month = 0, length;

	for (; days >= (length = is_leap(year) ? 366 : 365); year++)
		days -= length;
	for (; days >= (length = days_of[month] + (month == 1 && is_leap(year) ? 1U : 0U)); month++)
		days -= length;
	tp_put_number(text, year);
	put_pair(text, "-", month + 1);
	put_pair(text, "-", days + 1);
	put_pair(text, "T", seconds / 3600 % 24);
	put_pair(text, ":", seconds / 60 % 60);
	put_pair(text, ":", seconds % 60);
	tp_put(text, "Z");
}

void tp_put_rounds(struct tp_text *text, const struct tp_tally *tally)
{
	put_states(text, tally, true);
	if (tally->states[TP_OPEN] == 0 || tally->states[TP_OPEN] == tally->count)
		return;
	tp_put(text, ", longest outage ");
	tp_put_decimal(text, (uint64_t)(tally->longest_us + 50000) / 100000, 1);
	tp_put(text, " s from ");
	put_moment(text, tally->longest_began_us);
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
