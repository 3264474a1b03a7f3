/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One small record for each target, in the order of the targets, from when it
 * is given until its result is reported. A result that waits for a slow one
 * before it costs its record only: some 144 bytes and its host. Records lie in
 * blocks, which go back to the system when the last record in them is released.
 */
#ifndef TP_RESULTS_H
#define TP_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_engine.h"
#include "tp_finish.h"

struct tp_record_block;

struct tp_record {
	struct tp_record *next;   /* in the order of the targets */
	struct tp_record *behind; /* while it pauses between two tries: the record that pauses next */
	struct tp_record_block *block;
	struct tp_evidence *icmp; /* owned; NULL: no ICMP error */
	struct tp_banner *banner; /* owned; NULL: none */
	union {
		int64_t time_us; /* of the result */
		int64_t due_us;  /* while it pauses: when the next try is due */
	};
	int64_t lookup_us, connect_us;
	size_t target, try;
	union tp_address address;
	int error, eai, fd;
	uint32_t row, best_row; /* tries in a row that were open: up to now, and the most */
	uint16_t port;
	uint8_t state;
	uint8_t family; /* AF_UNSPEC, or that to which the host is looked up */
	bool done;      /* the result is final */
	bool in_lookup; /* from here on as in struct tp_result */
	bool held;
	bool expired;
	bool wanted;
	bool by_peer; /* the peer itself refused */
	char host[];
};

struct tp_results {
	struct tp_record *oldest, *newest;
	size_t count;
	struct tp_record_block *block; /* the newest one, where the next record goes */
};

/*
 * A record for a target, with no try and no result yet: behind this record, or NULL: behind all others. Returns NULL
 * where memory is out.
 */
struct tp_record *tp_results_add(struct tp_results *results, struct tp_record *behind, const struct tp_endpoint *to,
				 size_t target);

/* Puts what came of a try into the record. The banner is the record's from then on. */
void tp_record_put(struct tp_record *record, const struct tp_finish *finish);

/* Gives the record as a result of this plan. Its host, banner and fd are the record's. */
void tp_record_get(const struct tp_record *record, const struct tp_plan *plan, struct tp_result *result);

/* Is another record of the same target about this address? */
bool tp_results_share(const struct tp_results *results, const struct tp_record *record,
		      const union tp_address *address);

/* Takes the oldest record, if there is one, off the list. */
struct tp_record *tp_results_take(struct tp_results *results);

/* Frees a record that was taken; a connection that is still in it is closed. */
void tp_results_release(struct tp_results *results, struct tp_record *record);

/* Frees all records. */
void tp_results_free(struct tp_results *results);

#endif
