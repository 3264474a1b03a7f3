// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_progress.h"

#define FIRST_US 1000000
#define EVERY_US 200000

void tp_progress_begin(struct tp_progress *progress, uint64_t total, int64_t now_us)
{
	*progress = (struct tp_progress){ .begin_us = now_us, .due_us = now_us + FIRST_US, .total = total };
}

static void put_spaces(struct tp_text *text, size_t count)
{
	while (count-- > 0)
		tp_put(text, " ");
}

void tp_put_progress(struct tp_text *text, struct tp_progress *progress, struct tp_engine_counts counts, int64_t now_us)
{
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
	if (counts.done > 0 && progress->total > counts.done) {
		double rate = (double)(now_us - progress->begin_us) / (double)counts.done;

		tp_put(text, ", ");
		tp_put_number(text, (uint64_t)(rate * (double)(progress->total - counts.done) / 1e6 + 0.5));
		tp_put(text, " s left");
	}
	/* Blanks over what is left of the line before, not an escape that some terminal may not know. */
	width = text->length - begin;
	if (width < progress->width)
		put_spaces(text, progress->width - width);
	progress->width = width;
	progress->due_us = now_us + EVERY_US;
}

void tp_put_no_progress(struct tp_text *text, struct tp_progress *progress)
{
	if (progress->width == 0)
		return;
	tp_put(text, "\r");
	put_spaces(text, progress->width);
	tp_put(text, "\r");
	progress->width = 0;
}
