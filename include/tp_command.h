/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One call of tcpprobe: words in, lines on standard output and standard error, an outcome back. It knows no shell. */
#ifndef TP_COMMAND_H
#define TP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "tp_face.h"
#include "tp_options.h"
#include "tp_text.h"

/* What became of a call. All that is in it is the caller's. */
struct tp_outcome {
	int status;
	const char *reports_name;    /* -o, or NULL: the variable that gets the reports */
	const char *descriptor_name; /* -u, or NULL: the variable that gets the descriptor */
	struct tp_text reports;      /* each with its NUL; tp_text_free() frees it */
	size_t reports_count;
	int fd;         /* the connection that was kept, or -1 */
	size_t command; /* the index in words where COMMAND begins; 0: there is none */
};

/*
 * words is put into another order: the operands move to the front. The names in
 * the outcome point into it, and are NULL where nothing was probed: then the
 * variables stay as they are.
 */
void tp_command(const struct tp_face *face, char *words[], size_t count, struct tp_outcome *outcome);

#endif
