// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tp_hosts.h"

#define BUCKETS 256U

/* At most this many names are remembered. When there are more, all are forgotten, and remembered again as they come. */
#define NAMES_MOST 16384

static void forget_all(struct tp_names *names)
{
	for (size_t i = 0; names->count > 0; i++) {
		while (names->buckets[i] != NULL) {
			struct tp_lookup *lookup = names->buckets[i];

			names->buckets[i] = lookup->in_bucket;
			names->count--;
			tp_lookup_release(lookup);
		}
	}
}

static bool is_numeric(const struct tp_lookup *lookup)
{
	return lookup->phase == TP_LOOKUP_DONE && lookup->duration_us < 0;
}

static bool is_of(const struct tp_lookup *lookup, const char *host, int family)
{
	return lookup->family == family && strcmp(lookup->host, host) == 0;
}

/* May one more probe use it? */
static bool is_fresh(const struct tp_lookup *lookup, int64_t since_us)
{
	return lookup->phase != TP_LOOKUP_DONE || is_numeric(lookup) || lookup->started_us >= since_us;
}

/* Puts a lookup of a name into the buckets. If memory is out, or it is no name, it is just not remembered. */
static void remember(struct tp_names *names, struct tp_lookup *lookup)
{
	struct tp_lookup **link;

	if (names->buckets == NULL && !is_numeric(lookup))
		names->buckets = calloc(BUCKETS, sizeof(struct tp_lookup *));
	if (names->buckets == NULL || is_numeric(lookup)) {
		tp_lookup_release(lookup);
		return;
	}
	if (names->count >= NAMES_MOST)
		forget_all(names);
	link = &names->buckets[tp_hosts_hash(lookup->host) % BUCKETS];
	lookup->in_bucket = *link;
	*link = lookup;
	names->count++;
}

/* Takes the lookup of this host out of the buckets, if there is one. */
static struct tp_lookup *recall(struct tp_names *names, const char *host, int family)
{
	struct tp_lookup **link, *lookup;

	if (names->count == 0)
		return NULL;
	for (link = &names->buckets[tp_hosts_hash(host) % BUCKETS]; *link != NULL; link = &(*link)->in_bucket) {
		if (is_of(*link, host, family)) {
			lookup = *link;
			*link = lookup->in_bucket;
			names->count--;
			return lookup;
		}
	}
	return NULL;
}

struct tp_lookup *tp_names_get(struct tp_names *names, const char *host, int family, int64_t since_us)
{
	struct tp_lookup *lookup = names->latest;

	if (lookup == NULL || !is_of(lookup, host, family)) {
		if (lookup != NULL)
			remember(names, lookup);
		lookup = recall(names, host, family);
	}
	if (lookup != NULL && !is_fresh(lookup, since_us)) {
		tp_lookup_release(lookup);
		lookup = NULL;
	}
	if (lookup == NULL) {
		lookup = tp_lookup_new(host, family);
		if (lookup != NULL)
			tp_lookup_at_once(lookup);
	}
	names->latest = lookup;
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
