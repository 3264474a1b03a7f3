/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results to words: CONTRACT "What is printed". Each function puts text without a newline at its end. */
#ifndef TP_REPORT_H
#define TP_REPORT_H

#include "tp_engine.h"
#include "tp_text.h"
#include "tp_trace.h"

/* "db:5432"; a host with colons stands in brackets. */
void tp_put_label(struct tp_text *text, const struct tp_result *result);

/* "Connection refused (port unreachable, says 10.0.0.1)"; nothing where the result is as it was wanted. */
void tp_put_reason(struct tp_text *text, const struct tp_result *result);

/* "db:5432: Connection refused"; with the address where it was probed by itself. */
void tp_put_failure(struct tp_text *text, const struct tp_result *result);

/* "db:5432 open 10.0.0.5 0.412 ms", of a result that is as it was wanted. */
void tp_put_success(struct tp_text *text, const struct tp_result *result);

/* Is it a format of -F? Returns 0, or EINVAL with the reason in *why. */
int tp_format_check(const char *format, struct tp_why *why);

/* As the format says, which has passed the check. */
void tp_put_format(struct tp_text *text, const char *format, const struct tp_result *result);

/* A JSON object (RFC 8259); bytes that are no UTF-8 become U+FFFD. */
void tp_put_json(struct tp_text *text, const struct tp_result *result);

/* " 1  10.20.1.2  0.310 ms" */
void tp_put_hop(struct tp_text *text, const struct tp_hop *hop);

/* {"hop":1,"address":"10.20.1.2","ms":0.310} */
void tp_put_hop_json(struct tp_text *text, const struct tp_hop *hop);

/* "db:5432 timeout: answered up to hop 2 (10.20.2.2), silent beyond" */
void tp_put_verdict(struct tp_text *text, const struct tp_verdict *verdict);

#endif
