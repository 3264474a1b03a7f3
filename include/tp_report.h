/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results to words and to an exit status: CONTRACT "What is printed". */
#ifndef TP_REPORT_H
#define TP_REPORT_H

#include <stddef.h>

#include "tp_engine.h"

/* Room for any line that is made here, its newline and NUL included. */
#define TP_LINE_ROOM (TP_HOST_MAX + 512)

/* "db:5432: Connection refused": a result that is not open, without newline. each_address: with its address. */
void tp_failure_line(const struct tp_result *result, bool each_address, char line[TP_LINE_ROOM]);

/* "db:5432 open 10.0.0.5 0.412 ms" and a newline. */
void tp_open_line(const struct tp_result *result, char line[TP_LINE_ROOM]);

/* The results so far. Zeroed it is empty. */
struct tp_tally {
	size_t count, states[TP_STATES];
	int status; /* of the whole: that of the first result that was not open, else 0 */
};

void tp_tally_add(struct tp_tally *tally, const struct tp_result *result);

/* "--- 3 probes: 2 open, 1 refused" and a newline. */
void tp_tally_line(const struct tp_tally *tally, char line[TP_LINE_ROOM]);

#endif
