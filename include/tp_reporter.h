/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results on their way out: which of them become lines, where, and what is counted. */
#ifndef TP_REPORTER_H
#define TP_REPORTER_H

#include <stddef.h>
#include <stdint.h>

#include "tp_engine.h"
#include "tp_options.h"
#include "tp_output.h"
#include "tp_tally.h"
#include "tp_trace.h"

struct tp_target_tally;

struct tp_reporter {
	const struct tp_options *options;
	struct tp_output *output;
	struct tp_text *reports; /* with -o: where the reports go, each with its NUL */
	size_t reports_count;
	struct tp_tally tally;           /* of all results */
	struct tp_target_tally *targets; /* one for each target, with -c and -v only */
	size_t targets_count;
	int64_t wait_began_us;
};

/*
 * With -v a wait says on standard error for what it begins, and how long it took. count: of targets, the first of which
 * is this; 0: neither is known.
 */
void tp_report_wait(struct tp_reporter *reporter, const struct tp_endpoint *first, uint64_t count);
void tp_report_waited(struct tp_reporter *reporter);

/* Takes in a result. Returns 0 or ENOMEM. */
int tp_report(struct tp_reporter *reporter, const struct tp_result *result);

/* Takes in a hop of a trace, and its verdict. */
void tp_report_hop(struct tp_reporter *reporter, const struct tp_hop *hop);
void tp_report_verdict(struct tp_reporter *reporter, const struct tp_verdict *verdict);

/* The closing lines of -v. */
void tp_report_tallies(struct tp_reporter *reporter);

void tp_reporter_free(struct tp_reporter *reporter);

#endif
