/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of a call: one lookup for each, however the targets are sorted.
 * Probes of the same name share it; a further try looks the name up anew.
 */
#ifndef TP_NAMES_H
#define TP_NAMES_H

#include "tp_lookup.h"

struct tp_names {
	struct tp_helper_hook hook;
	int64_t limit_us;             /* as for tp_resolver_new() */
	struct tp_resolver *resolver; /* NULL until a name is looked up */
	struct tp_lookup *latest;     /* for the further ports of a host */
	struct tp_lookup **buckets;   /* the other lookups of names; NULL until there is one */
	size_t count;
};

/*
 * The lookup of this host and family, with one more user. A numeric host is looked up already. A lookup that is DONE is
 * used again if it began at since_us or later. NULL: memory is out.
 */
struct tp_lookup *tp_names_get(struct tp_names *names, const char *host, int family, int64_t since_us);

/*
 * Begins a NEW lookup: it is RUNNING, or DONE at once. Returns as tp_resolver_begin(); also EBUSY if it needs a helper
 * and may not have one.
 */
int tp_names_begin(struct tp_names *names, struct tp_lookup *lookup, bool may_ask, const struct pollfd *fds,
		   size_t count);

/* Ends every helper and forgets every lookup. A lookup that has other users still belongs to them. */
void tp_names_free(struct tp_names *names);

#endif
