/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far many probes are, for a terminal: one line that is rewritten in place. */
#ifndef TP_PROGRESS_H
#define TP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "tp_engine.h"
#include "tp_text.h"

/* Times are tp_os_now_us()'s. */
struct tp_progress {
	int64_t begin_us;
	int64_t due_us; /* when the line is to be written next; TP_NEVER: not at all */
	int64_t end_us; /* no later than this all is done; TP_NEVER: not known */
	uint64_t total; /* probes; 0: not known */
	size_t width;   /* of the line that is on the terminal now; 0: none is */
};

void tp_progress_begin(struct tp_progress *progress, uint64_t total, int64_t now_us, int64_t end_us);

/* Puts what writes the line, over the one before: "\r1200/65535 done, 3 open, 4 s left". */
void tp_put_progress(struct tp_text *text, struct tp_progress *progress, struct tp_engine_counts counts,
		     int64_t now_us);

/* Puts what takes the line away, if there is one. */
void tp_put_no_progress(struct tp_text *text, struct tp_progress *progress);

#endif
