// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tp_hosts.h"

#define BUCKETS 256U

/* At most this many names are remembered. When there are more, all are forgotten, and remembered again as they come. */
#define NAMES_MOST 16384

static void forget(struct tp_names *names, struct tp_lookup **link)
{
	struct tp_lookup *lookup = *link;

	*link = lookup->in_bucket;
	names->count--;
	tp_lookup_release(lookup);
}

static void forget_all(struct tp_names *names)
{
	for (size_t i = 0; names->count > 0; i++) {
		while (names->buckets[i] != NULL)
			forget(names, &names->buckets[i]);
	}
}

/* Is this a lookup of this host, and may one more probe use it? */
static bool serves(const struct tp_lookup *lookup, const char *host, int family, int64_t since_us)
{
	bool numeric = lookup->duration_us < 0;

	return (lookup->phase != TP_LOOKUP_DONE || numeric || lookup->started_us >= since_us) &&
	       lookup->family == family && strcmp(lookup->host, host) == 0;
}

/* Remembers a lookup. If memory is out, it is just not remembered. */
static void remember(struct tp_names *names, struct tp_lookup *lookup)
{
	struct tp_lookup **link;

	if (names->buckets == NULL)
		names->buckets = calloc(BUCKETS, sizeof(struct tp_lookup *));
	if (names->buckets == NULL)
		return;
	if (names->count >= NAMES_MOST)
		forget_all(names);
	link = &names->buckets[tp_hosts_hash(lookup->host) % BUCKETS];
	lookup->in_bucket = *link;
	*link = lookup;
	lookup->users++;
	names->count++;
}

/* The remembered lookup of this host, or NULL. One that is too old is forgotten. */
static struct tp_lookup *recall(struct tp_names *names, const char *host, int family, int64_t since_us)
{
	struct tp_lookup **link;

	if (names->count == 0)
		return NULL;
	for (link = &names->buckets[tp_hosts_hash(host) % BUCKETS]; *link != NULL; link = &(*link)->in_bucket) {
		if (serves(*link, host, family, since_us))
			return *link;
		if ((*link)->family == family && strcmp((*link)->host, host) == 0) {
			forget(names, link);
			break;
		}
	}
	return NULL;
}

struct tp_lookup *tp_names_get(struct tp_names *names, const char *host, int family, int64_t since_us)
{
	struct tp_lookup *lookup = names->latest;

	if (lookup == NULL || !serves(lookup, host, family, since_us)) {
		lookup = recall(names, host, family, since_us);
		if (lookup != NULL) {
			lookup->users++;
		} else {
			lookup = tp_lookup_new(host, family);
			if (lookup != NULL && !tp_lookup_at_once(lookup))
				remember(names, lookup);
		}
		if (names->latest != NULL)
			tp_lookup_release(names->latest);
		names->latest = lookup;
	}
	if (lookup != NULL)
		lookup->users++;
	return lookup;
}

int tp_names_begin(struct tp_names *names, struct tp_lookup *lookup, bool may_ask, const struct pollfd *fds,
		   size_t count)
{
	if (names->resolver == NULL)
		names->resolver = tp_resolver_new(names->hook, names->limit_us);
	if (names->resolver == NULL)
		return ENOMEM;
	if (tp_resolver_at_once(names->resolver, lookup))
		return 0;
	return may_ask ? tp_resolver_begin(names->resolver, lookup, fds, count) : EBUSY;
}

void tp_names_free(struct tp_names *names)
{
	if (names->latest != NULL)
		tp_lookup_release(names->latest);
	forget_all(names);
	free(names->buckets);
	if (names->resolver != NULL)
		tp_resolver_free(names->resolver);
}
