/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results to words: CONTRACT "What is printed". Each function puts text without a newline at its end. */
#ifndef TP_REPORT_H
#define TP_REPORT_H

#include "tp_engine.h"
#include "tp_text.h"

/* "db:5432"; a host with colons stands in brackets. */
void tp_put_label(struct tp_text *text, const struct tp_result *result);

/* "db:5432: Connection refused"; with the address where it was probed by itself. */
void tp_put_failure(struct tp_text *text, const struct tp_result *result);

/* "waiting for db:5432, at most 30s"; of several targets only their number is told, where it is known: 0 is not. */
void tp_put_wait(struct tp_text *text, const struct tp_plan *plan, const struct tp_endpoint *first, uint64_t count);

/* "waited 3.2s", to a tenth of a second */
void tp_put_waited(struct tp_text *text, int64_t waited_us);

/* "db:5432 open 10.0.0.5 0.412 ms", and the banner where there is one, of a result that is as it was wanted. */
void tp_put_success(struct tp_text *text, const struct tp_result *result);

/* Is it a format of -F? Returns 0, or EINVAL with the reason in *why. */
int tp_format_check(const char *format, struct tp_why *why);

/* As the format says, which has passed the check. */
void tp_put_format(struct tp_text *text, const char *format, const struct tp_result *result);

/* A JSON object (RFC 8259); bytes that are no UTF-8 become U+FFFD. */
void tp_put_json(struct tp_text *text, const struct tp_result *result);

/* -- Parts of a report */

/* The numeric address, "-" where there is none; in JSON a string, or null. */
void tp_put_address(struct tp_text *text, const union tp_address *address);
void tp_put_json_address(struct tp_text *text, const union tp_address *address);

/* Microseconds as milliseconds, "0.412"; where they are negative none were measured, and the text is none. */
void tp_put_ms(struct tp_text *text, int64_t us, const char *none);

/* "port unreachable" */
void tp_put_icmp(struct tp_text *text, const struct tp_evidence *evidence);

/* What came of the last try, without a word about the wait that it was part of. */
void tp_put_cause(struct tp_text *text, const struct tp_result *result);

#endif
