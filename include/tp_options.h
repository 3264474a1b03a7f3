/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words to options: usage.def lists them. */
#ifndef TP_OPTIONS_H
#define TP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"
#include "tp_engine.h"
#include "tp_text.h"

/* Semantic versioning; CHANGELOG.md says what each brought. */
#define TP_VERSION "0.1.0"

/* "tcpprobe [-46a...] [-s source] ... target ..." */
extern const char tp_synopsis[];

/* The usage text, its lines but the first indented by four blanks, as bash's help(1) shows it. */
extern const char tp_usage[];

struct tp_options {
	int family; /* AF_UNSPEC, AF_INET or AF_INET6 */
	bool each_address;
	bool first_open;
	bool half_open;
	bool help;
	bool json;
	bool quiet;
	bool trace;
	bool verbose;
	bool version;
	int64_t timeout_us; /* of one probe; 0: none */
	struct tp_source source;
	size_t limit; /* probes in flight */

	enum tp_until until;
	int64_t wait_us;     /* of the wait for what until says; 0: for ever */
	int64_t interval_us; /* between tries or rounds */
	bool repeat;
	size_t rounds; /* with repeat; 0: until interrupted */

	/* Words as given, or NULL. */
	const char *file;
	const char *format;
	const char *reports_name;
	const char *descriptor_name;
};

/* What holds where no option says otherwise. */
void tp_options_init(struct tp_options *options);

/*
 * Takes the options at the front of the words, up to "--" (swallowed) or the
 * first word that is none; *used counts the words taken. As POSIX utilities do:
 * "-qv", "-t5", "-t 5"; the last of two values holds.
 * Returns 0, or EINVAL with the reason in *why.
 */
int tp_options_parse(struct tp_options *options, char *const words[], size_t count, size_t *used, struct tp_why *why);

#endif
