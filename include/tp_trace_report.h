/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trace in words. Each function puts text without a newline at its end. */
#ifndef TP_TRACE_REPORT_H
#define TP_TRACE_REPORT_H

#include "tp_text.h"
#include "tp_trace.h"

/* " 1  10.20.1.2  0.310 ms" */
void tp_put_hop(struct tp_text *text, const struct tp_hop *hop);

/* {"hop":1,"address":"10.20.1.2","ms":0.310} */
void tp_put_hop_json(struct tp_text *text, const struct tp_hop *hop);

/* "db:5432 timeout: answered up to hop 2 (10.20.2.2), silent beyond" */
void tp_put_verdict(struct tp_text *text, const struct tp_verdict *verdict);

#endif
