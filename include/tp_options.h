/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words to options: usage.def lists them. */
#ifndef TP_OPTIONS_H
#define TP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_plan.h"
#include "tp_text.h"

/* Semantic versioning; CHANGELOG.md says what each brought. */
#define TP_VERSION "0.1.0"

/* "tcpprobe [OPTION]... TARGET..." */
extern const char tp_synopsis[];

/* The help below the synopsis; between its lines stands TP_USAGE_BREAK, as bash's help(1) indents. */
extern const char tp_usage[];
#define TP_USAGE_BREAK "\n    "

/* Puts the whole help, without that indentation. */
void tp_put_usage(struct tp_text *text);

struct tp_options {
	struct tp_plan plan;
	bool help;
	bool json;
	bool quiet;
	bool trace;
	bool verbose;
	bool version;
	bool repeat;   /* rounds, plan.interval_us apart */
	size_t rounds; /* with repeat; 0: until interrupted */

	/* Words as given, or NULL. */
	const char *file;
	const char *format;
	const char *reports_name;
	const char *descriptor_name;

	size_t command; /* the index of the word behind "--"; 0: there is none */
};

/* The settings if no option says otherwise. */
#define TP_OPTIONS_INIT                                                                    \
	{                                                                                  \
		.plan = {.timeout_us = INT64_C(5000000), .interval_us = -1, .limit = 256 } \
	}

/*
 * Takes the options out of the words, wherever they stand before "--", and
 * moves the other words to the front; *operands counts those. "-qv", "-t5",
 * "-t 5", "--timeout 5", "--timeout=5"; a long name may be cut while it is
 * unique. The last of two values holds. face is a letter of usage.def's column:
 * an option of other faces is refused.
 * Returns 0, or EINVAL with the reason in *why.
 */
int tp_options_parse(struct tp_options *options, char face, char *words[], size_t count, size_t *operands,
		     struct tp_why *why);

#endif
