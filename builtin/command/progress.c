// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_progress.h"

#define FIRST_US 1000000
#define EVERY_US 200000

void tp_progress_begin(struct tp_progress *progress, uint64_t total, int64_t now_us, int64_t end_us)
{
	*progress = (struct tp_progress){
		.begin_us = now_us,
		.due_us = now_us + FIRST_US,
		.end_us = end_us,
		.total = total,
	};
}

static void put_spaces(struct tp_text *text, size_t count)
{
	while (count-- > 0)
		tp_put(text, " ");
}

/* The time that is left; TP_NEVER: it is not known. */
static int64_t left_us(const struct tp_progress *progress, uint64_t done, int64_t now_us)
{
	int64_t most_us = progress->end_us == TP_NEVER ? TP_NEVER : progress->end_us - now_us, left;

	if (done == 0 || progress->total == 0)
		return most_us;
	if (progress->total <= done)
		return TP_NEVER;
	left = (int64_t)((double)(now_us - progress->begin_us) / (double)done * (double)(progress->total - done));
	return left < most_us ? left : most_us;
}

void tp_put_progress(struct tp_text *text, struct tp_progress *progress, struct tp_engine_counts counts, int64_t now_us)
{
	int64_t left = left_us(progress, counts.done, now_us);
	size_t begin, width;

	tp_put(text, "\r");
	begin = text->length;
	tp_put_number(text, counts.done);
	if (progress->total > 0) {
		tp_put(text, "/");
		tp_put_number(text, progress->total);
	}
	tp_put(text, " done, ");
	tp_put_number(text, counts.open);
	tp_put(text, " open");
	if (left >= 0 && left != TP_NEVER) {
		tp_put(text, ", ");
		tp_put_number(text, (uint64_t)(left + 500000) / 1000000);
		tp_put(text, " s left");
	}
	/* Blanks over the rest of the line before. An escape sequence may be unknown to the terminal. */
	width = text->length - begin;
	if (width < progress->width)
		put_spaces(text, progress->width - width);
	progress->width = width;
	progress->due_us = now_us + EVERY_US;
}

void tp_put_no_progress(struct tp_text *text, struct tp_progress *progress)
{
	tp_put(text, "\r");
	put_spaces(text, progress->width);
	tp_put(text, "\r");
	progress->width = 0;
}
