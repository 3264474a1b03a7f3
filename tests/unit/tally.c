// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_tally.h"

#include "tp_progress.h"
#include "unit.h"

static void add_times(struct tp_tally *tally, const int64_t *times, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct tp_result result = { .state = TP_OPEN, .connect_us = times[i] };

		tp_tally_add(tally, &result, 0);
	}
}

static void sums_up_times(void)
{
	static const struct {
		int64_t times[5];
		size_t count;
		const char *line;
	} rows[] = {
		{ { 0 }, 0, "" },
		{ { -1, -1 }, 2, "" },
		{ { 412 }, 1, "rtt min/avg/max/mdev = 0.412/0.412/0.412/0.000 ms" },
		{ { 0, 0, 0 }, 3, "rtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms" },
		{ { 301, 511, 402, 394 }, 4, "rtt min/avg/max/mdev = 0.301/0.402/0.511/0.074 ms" },
		{ { 1000, -1, 3000 }, 3, "rtt min/avg/max/mdev = 1.000/2.000/3.000/1.000 ms" },
		{ { INT64_C(3600000000), INT64_C(3600000002) },
		  2,
		  "rtt min/avg/max/mdev = 3600000.000/3600000.001/3600000.002/0.001 ms" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_tally tally = { 0 };
		struct tp_text text = { 0 };

		unit.row = rows[i].line;
		add_times(&tally, rows[i].times, rows[i].count);
		tp_put_rtt(&text, &tally);
		CHECK_TEXT(text.bytes == NULL ? "" : text.bytes, rows[i].line);
		tp_text_free(&text);
	}
	unit.row = NULL;
}

static void tells_the_share_and_the_longest_outage(void)
{
	static const struct {
		const char *states; /* one letter a second: o open, x not */
		const char *line;
	} rows[] = {
		{ "ooo", "3 probes: 3 open (100 %)" },
		{ "xxx", "3 probes: 0 open (0 %), 3 timeout" },
		{ "oxo", "3 probes: 2 open (66 %), 1 timeout, longest outage 1.0 s from 1970-01-01T00:00:02Z" },
		{ "xooxxxoxxo", "10 probes: 4 open (40 %), 6 timeout, longest outage 3.0 s from 1970-01-01T00:00:04Z" },
		{ "oxxoxxo", "7 probes: 3 open (42 %), 4 timeout, longest outage 2.0 s from 1970-01-01T00:00:02Z" },
		{ "oxxx", "4 probes: 1 open (25 %), 3 timeout, longest outage 2.0 s from 1970-01-01T00:00:02Z" },
		{ "ox", "2 probes: 1 open (50 %), 1 timeout, longest outage 0.0 s from 1970-01-01T00:00:02Z" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_tally tally = { 0 };
		struct tp_text text = { 0 };

		for (size_t j = 0; rows[i].states[j] != '\0'; j++) {
			struct tp_result result = { .state = rows[i].states[j] == 'o' ? TP_OPEN : TP_TIMEOUT,
						    .connect_us = -1,
						    .time_us = (int64_t)(j + 1) * 1000000 };

			tp_tally_add(&tally, &result, 77000000 + result.time_us);
		}
		tp_put_rounds(&text, &tally);
		CHECK_TEXT(text.bytes, rows[i].line);
		tp_text_free(&text);
	}
}

static void tells_when_an_outage_began(void)
{
	static const struct {
		int64_t seconds;
		const char *moment;
	} rows[] = {
		{ 1, "1970-01-01T00:00:01Z" },          { 68169599, "1972-02-28T23:59:59Z" },
		{ 68169600, "1972-02-29T00:00:00Z" },   { 68256000, "1972-03-01T00:00:00Z" },
		{ 946684799, "1999-12-31T23:59:59Z" },  { 951782400, "2000-02-29T00:00:00Z" },
		{ 1796000000, "2026-11-30T00:53:20Z" }, { 4107542400, "2100-03-01T00:00:00Z" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_tally tally = { 0 };
		struct tp_text text = { 0 };
		struct tp_result open = { .state = TP_OPEN, .connect_us = -1 };
		struct tp_result closed = { .state = TP_REFUSED,
					    .time_us = rows[i].seconds * 1000000,
					    .connect_us = -1 };

		tp_tally_add(&tally, &closed, 0);
		tp_tally_add(&tally, &open, 1000000);
		tp_put_rounds(&text, &tally);
		CHECK_TEXT(strstr(text.bytes, "from ") + 5, rows[i].moment);
		tp_text_free(&text);
	}
}

static const char *progress_at(struct tp_progress *progress, size_t done, size_t open, int64_t now_us)
{
	static struct tp_text text;

	tp_text_clear(&text);
	tp_put_progress(&text, progress, (struct tp_engine_counts){ done, open }, now_us);
	return text.bytes;
}

static void shows_progress(void)
{
	struct tp_progress progress;
	struct tp_text text = { 0 };

	tp_progress_begin(&progress, 100, 5000000, TP_NEVER);
	CHECK_NUMBER(progress.due_us, 6000000);
	CHECK_TEXT(progress_at(&progress, 0, 0, 6000000), "\r0/100 done, 0 open");
	CHECK_TEXT(progress_at(&progress, 20, 3, 7000000), "\r20/100 done, 3 open, 8 s left");
	CHECK(progress.due_us > 7000000 && progress.due_us <= 8000000);
	/* A shorter line is filled up with blanks, to cover the longer one before it. */
	CHECK_TEXT(progress_at(&progress, 100, 3, 9000000), "\r100/100 done, 3 open         ");
	tp_put_no_progress(&text, &progress);
	CHECK_TEXT(text.bytes, "\r                    \r");
	CHECK_NUMBER(progress.width, 0);
	tp_text_free(&text);
	tp_progress_begin(&progress, 0, 0, TP_NEVER);
	CHECK_TEXT(progress_at(&progress, 7, 1, 2000000), "\r7 done, 1 open");
	/* The time left is never more than what is left of the wait, however slow the first targets were. */
	tp_progress_begin(&progress, 2, 0, 6000000);
	CHECK_TEXT(progress_at(&progress, 0, 0, 2000000), "\r0/2 done, 0 open, 4 s left");
	CHECK_TEXT(progress_at(&progress, 1, 0, 4000000), "\r1/2 done, 0 open, 2 s left");
	CHECK_TEXT(progress_at(&progress, 1, 0, 6500000), "\r1/2 done, 0 open          ");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "times are summed up as ping does, and those not measured are left out", sums_up_times },
		{ "of rounds the share that was open and the longest outage are told",
		  tells_the_share_and_the_longest_outage },
		{ "when it began is told, in UTC", tells_when_an_outage_began },
		{ "progress is one line that covers the one before it, and leaves none", shows_progress },
	};

	return UNIT_RUN(tests);
}
