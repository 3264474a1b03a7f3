// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_trace_report.h"

#include "tp_report.h"
#include "tp_state.h"

void tp_put_hop(struct tp_text *text, const struct tp_hop *hop)
{
	tp_put(text, hop->hop < 10 ? " " : "");
	tp_put_number(text, hop->hop);
	tp_put(text, "  ");
	if (hop->us < 0) {
		tp_put(text, "*");
		return;
	}
	tp_put_address(text, &hop->address);
	tp_put(text, "  ");
	tp_put_ms(text, hop->us, "");
	tp_put(text, " ms");
}

void tp_put_hop_json(struct tp_text *text, const struct tp_hop *hop)
{
	tp_put(text, "{\"hop\":");
	tp_put_number(text, hop->hop);
	tp_put(text, ",\"address\":");
	tp_put_json_address(text, &hop->address);
	tp_put(text, ",\"ms\":");
	tp_put_ms(text, hop->us, "null");
	tp_put(text, "}");
}

/* "hop 2 (10.20.2.2)", or only the address if the hop is not known. */
static void put_place(struct tp_text *text, const struct tp_hop *hop)
{
	if (hop->hop == 0) {
		tp_put_address(text, &hop->address);
		return;
	}
	tp_put(text, "hop ");
	tp_put_number(text, hop->hop);
	tp_put(text, " (");
	tp_put_address(text, &hop->address);
	tp_put(text, ")");
}

/* It cannot be proved who sent a TCP reset: any router on the way can send it in the host's name. */
static void put_answer(struct tp_text *text, const struct tp_verdict *verdict)
{
	bool open = verdict->result.state == TP_OPEN;

	if (verdict->hop.hop > 0)
		tp_put(text, open ? "answered at " : "a TCP reset, at ");
	else
		tp_put(text, open ? "over silent hops, by " : "a TCP reset, over silent hops, by ");
	put_place(text, &verdict->hop);
}

static void put_silence(struct tp_text *text, const struct tp_verdict *verdict)
{
	if (verdict->hop.hop == 0) {
		tp_put(text, "silent from the first hop");
		return;
	}
	tp_put(text, "answered up to ");
	put_place(text, &verdict->hop);
	tp_put(text, ", silent beyond");
}

static void put_loop(struct tp_text *text, const struct tp_verdict *verdict)
{
	if (verdict->hop.hop == 0) {
		tp_put(text, "still on the way after hop ");
		tp_put_number(text, verdict->again);
		return;
	}
	tp_put(text, "a routing loop, hop ");
	tp_put_number(text, verdict->again);
	tp_put(text, " is ");
	put_place(text, &verdict->hop);
	tp_put(text, " again");
}

void tp_put_verdict(struct tp_text *text, const struct tp_verdict *verdict)
{
	tp_put_label(text, &verdict->result);
	tp_put(text, " ");
	tp_put(text, tp_state_word(verdict->result.state));
	tp_put(text, ": ");
	switch (verdict->kind) {
	case TP_VERDICT_ANSWERED:
		put_answer(text, verdict);
		break;
	case TP_VERDICT_REJECTED:
		tp_put_icmp(text, &verdict->result.evidence);
		tp_put(text, ", says ");
		put_place(text, &verdict->hop);
		break;
	case TP_VERDICT_SILENT:
		put_silence(text, verdict);
		break;
	case TP_VERDICT_LOOP:
		put_loop(text, verdict);
		break;
	case TP_VERDICT_LOCAL:
		tp_put_cause(text, &verdict->result);
		break;
	}
}
