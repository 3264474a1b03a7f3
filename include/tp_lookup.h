/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names to addresses, as RFC 8305 has it. getaddrinfo(3) cannot be given a deadline, so a name that the hosts file does
 * not answer is looked up in a helper process (tp_helper.h). NSS stays in charge: what `getent ahosts` finds is found
 * here.
 *
 * The patient question is one getaddrinfo() for both families: the C library asks for A and AAAA side by side, and sorts
 * them as RFC 6724 says. It is never given up. Where it takes long, each family is asked for by itself beside it, in a
 * hurry: one answer may be lost, or the first name server dead. The first answer begins.
 */
#ifndef TP_LOOKUP_H
#define TP_LOOKUP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"

enum tp_lookup_phase { TP_LOOKUP_NEW, TP_LOOKUP_RUNNING, TP_LOOKUP_DONE };

/* The families, as lists of addresses are numbered. */
enum { TP_IPV6, TP_IPV4, TP_FAMILIES };

/* The questions that may be open about a name at once: a hurried one for each family, and the patient one for all. */
enum tp_question { TP_ASK_IPV6 = TP_IPV6, TP_ASK_IPV4 = TP_IPV4, TP_ASK_ALL, TP_QUESTIONS };

struct tp_addresses {
	union tp_address *list; /* without duplicates, in the order to try them, ports 0; stays where it is */
	size_t count;
	bool known; /* there will be no more */
};

/* One name and what became of it. Shared by the probes of a name, which count themselves. */
struct tp_lookup {
	enum tp_lookup_phase phase;
	unsigned users;
	unsigned waiting;    /* how many of its users wait for it: the engine counts them */
	bool ready;          /* connecting may begin: it is DONE, or RUNNING with some addresses known */
	bool needs_helper;   /* it is known that it cannot be done at once */
	int family;          /* asked for */
	int eai;             /* 0, or EAI_...; final once it is DONE */
	int error;           /* the errno value beside EAI_SYSTEM */
	int64_t started_us;  /* when it began to run */
	int64_t duration_us; /* -1: not measured, the host is numeric */
	unsigned first;      /* the family to begin with */
	struct tp_addresses families[TP_FAMILIES];

	/* The resolver's, while it is RUNNING. */
	struct tp_resolver *resolver;
	struct tp_lookup *next, **link; /* in its list; the link that leads here */
	struct tp_helper *helpers[TP_QUESTIONS];
	int64_t grace_us; /* when IPv4 need not wait for IPv6 any longer */
	int64_t hurry_us; /* when to ask in a hurry next */
	bool hurried;     /* whether a hurried question was asked */
	bool sorted;      /* the resolver said which family comes first */

	struct tp_lookup *in_bucket; /* the next one: names.c */
	union tp_address numeric;    /* the only address of a numeric host */
	char host[];
};

/* A new lookup with one user, or NULL where memory is out. */
struct tp_lookup *tp_lookup_new(const char *host, int family);

/* Drops one user. The last one frees the lookup, and ends its questions. */
void tp_lookup_release(struct tp_lookup *lookup);

/* A numeric host to its address, without any lookup. Returns 0 or EAI_.... */
int tp_lookup_numeric(const char *host, int family, union tp_address *address);

/* Does a NEW lookup here and now where the host is numeric. False: it is a name. */
bool tp_lookup_at_once(struct tp_lookup *lookup);

/* How many addresses are known. */
size_t tp_lookup_count(const struct tp_lookup *lookup);

/* Is this one of them? */
bool tp_lookup_has(const struct tp_lookup *lookup, const union tp_address *address);

/*
 * Is the lookup RUNNING because one name server is silent, while another one says (eai) that there is no such name or
 * address, or that it failed?
 */
bool tp_lookup_denied(const struct tp_lookup *lookup);

/* A way through the addresses of a lookup, whose number may grow meanwhile. Zeroed, it is at the beginning. */
struct tp_walk {
	unsigned last; /* the family taken last, from 1; 0: none */
	size_t taken[TP_FAMILIES];
};

/* The next address of the walk, NULL where no further one is known. Families alternate (RFC 8305, section 4). */
const union tp_address *tp_walk_next(const struct tp_walk *walk, const struct tp_lookup *lookup);

/* Takes that address. */
void tp_walk_take(struct tp_walk *walk, const union tp_address *address);

/* How many known addresses are not taken yet. */
size_t tp_walk_left(const struct tp_walk *walk, const struct tp_lookup *lookup);

/* A function of the caller's, which a helper calls after the fork and before it looks anything up. */
struct tp_helper_hook {
	void (*run)(void *context);
	void *context;
};

struct tp_resolver;

/* NULL where memory is out. limit_us: when a helper that nobody ended gives up by itself; 0: never. */
struct tp_resolver *tp_resolver_new(struct tp_helper_hook hook, int64_t limit_us);

/* Ends and reaps all helpers. Lookups that are RUNNING are NEW again. */
void tp_resolver_free(struct tp_resolver *resolver);

/* Does a NEW lookup of a name here and now where it needs no network: the hosts file answers, or it is localhost. */
bool tp_resolver_at_once(struct tp_resolver *resolver, struct tp_lookup *lookup);

/*
 * Hands a NEW lookup to a helper: it is RUNNING then. Returns 0; EBUSY if no more helpers can be had now; or another
 * errno value if none can be made. A new helper closes the descriptors in fds.
 */
int tp_resolver_begin(struct tp_resolver *resolver, struct tp_lookup *lookup, const struct pollfd *fds, size_t count);

/* Nobody waits for this RUNNING lookup any more: its questions end. It is DONE if it has addresses, else NEW again. */
void tp_resolver_abandon(struct tp_resolver *resolver, struct tp_lookup *lookup);

/* How many pollfds tp_resolver_watch() will fill in. */
size_t tp_resolver_watched(const struct tp_resolver *resolver);

/* Fills in what to wait for, and returns how many. */
size_t tp_resolver_watch(struct tp_resolver *resolver, struct pollfd *fds);

/* When tp_resolver_collect() has something to do even if nothing is ready; TP_NEVER: not at all. */
int64_t tp_resolver_due_us(const struct tp_resolver *resolver);

/*
 * Takes in what poll(2) found, and asks what is due. fds begins with count descriptors of the caller's, as for
 * tp_resolver_begin(); those of tp_resolver_watch() follow. Returns true if at least one lookup is DONE or ready, or
 * has new addresses, or if one that found no helper may be begun again.
 */
bool tp_resolver_collect(struct tp_resolver *resolver, const struct pollfd *fds, size_t count);

#endif
