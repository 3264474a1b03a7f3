/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes to standard output and standard error, and the progress line between the two. */
#ifndef TP_OUTPUT_H
#define TP_OUTPUT_H

#include <stdbool.h>

#include "tp_face.h"
#include "tp_engine.h"
#include "tp_progress.h"
#include "tp_text.h"

struct tp_output {
	const struct tp_face *face;
	struct tp_text text; /* for standard output, not yet written */
	struct tp_progress progress;
	int error;       /* errno value of a write that failed: nothing more is written */
	bool last_words; /* written though a signal came */
};

/* Writes what is in output->text. A failure is said once. */
void tp_output_flush(struct tp_output *output);

/* Ends a line in output->text; it is written when there is much, or at the next flush. */
void tp_output_end_line(struct tp_output *output);

/* A message on standard error, behind what was put before it. */
void tp_output_complain(struct tp_output *output, const char *message);

/* The second line of a usage error. */
void tp_output_hint(struct tp_output *output);

/* Brings the progress line up to date if that is due, or takes it away. */
void tp_output_show_progress(struct tp_output *output, struct tp_engine_counts counts);
void tp_output_hide_progress(struct tp_output *output);

#endif
