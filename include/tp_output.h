/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes to standard output and standard error, in one order, and the
 * progress line between the two. Nothing waits for a slow reader in here: what
 * cannot be written at once is kept, and the loop waits for the reader beside
 * everything else. Their files stay blocking, because other programs share
 * them; so each is asked by poll(2) first, and gets no more than fits a pipe
 * that is ready (PIPE_BUF).
 */
#ifndef TP_OUTPUT_H
#define TP_OUTPUT_H

#include <stdbool.h>

#include "tp_face.h"
#include "tp_engine.h"
#include "tp_progress.h"
#include "tp_text.h"

struct tp_output {
	const struct tp_face *face;
	struct tp_text text; /* not yet written: bytes for standard output, and each message between two NUL bytes */
	int blocked_fd;      /* the descriptor whose reader is slow; -1: none is known to be */
	struct tp_progress progress;
	int error;        /* errno value of a write that failed: nothing more is written to standard output */
	unsigned refused; /* how many writes in a row have written nothing, though the reader was said to be ready */
	bool last_words;  /* text is written even after a signal */
};

/* Writes what can be written without waiting. */
void tp_output_flush(struct tp_output *output);

/*
 * Writes everything, and waits for the readers. Returns 0, or why the rest is dropped: EINTR (a signal), or
 * output->error.
 */
int tp_output_finish(struct tp_output *output);

/* Is so much kept that no more should be put before the loop has waited for output->blocked_fd and flushed? */
bool tp_output_is_full(const struct tp_output *output);

/* Ends a line in output->text; it is written when there is much, or at the next flush. */
void tp_output_end_line(struct tp_output *output);

/* A message on standard error, in order with what was put before it. what: the thing that it is about, or NULL. */
void tp_output_complain(struct tp_output *output, const char *what, const char *why);

/* The second line of a usage error, which was the last message. */
void tp_output_hint(struct tp_output *output);

/* Brings the progress line up to date if that is due, or takes it away. */
void tp_output_show_progress(struct tp_output *output, struct tp_engine_counts counts);
void tp_output_hide_progress(struct tp_output *output);

#endif
