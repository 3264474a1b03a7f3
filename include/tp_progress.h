/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress of many probes, for a terminal: one line that is rewritten in place. */
#ifndef TP_PROGRESS_H
#define TP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "tp_engine.h"
#include "tp_text.h"

/* Times are tp_os_now_us()'s. */
struct tp_progress {
	int64_t begin_us;
	int64_t due_us; /* when the line is written next; TP_NEVER: not at all */
	int64_t end_us; /* all is done by then at the latest; TP_NEVER: not known */
	uint64_t total; /* probes; 0: not known */
	size_t width;   /* the width of the line on the terminal now; 0: there is none */
};

void tp_progress_begin(struct tp_progress *progress, uint64_t total, int64_t now_us, int64_t end_us);

/* Puts the bytes that write the line over the one before: "\r1200/65535 done, 3 open, 4 s left". */
void tp_put_progress(struct tp_text *text, struct tp_progress *progress, struct tp_engine_counts counts,
		     int64_t now_us);

/* Puts the bytes that take the line away; there is none where progress->width is 0. */
void tp_put_no_progress(struct tp_text *text, struct tp_progress *progress);

#endif
