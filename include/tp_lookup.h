/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names to addresses. getaddrinfo(3) cannot be given a deadline, so names that
 * may need the network are looked up in helper processes, a few at a time, each
 * reused until a lookup is given up. NSS stays in charge: what `getent ahosts`
 * finds is found here.
 *
 * From the first helper to tp_resolver_free() SIGCHLD is blocked, so that no
 * handler of the program's reaps a helper; whoever waits meanwhile leaves it so.
 */
#ifndef TP_LOOKUP_H
#define TP_LOOKUP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"

/* How many names are looked up at once, at most. */
#define TP_HELPERS 32

enum tp_lookup_phase { TP_LOOKUP_NEW, TP_LOOKUP_RUNNING, TP_LOOKUP_DONE };

/* One name and what became of it. Shared by the probes of a target, which count themselves. */
struct tp_lookup {
	enum tp_lookup_phase phase;
	unsigned users;
	unsigned waiting;    /* the users that wait for it to be DONE: the engine's to count */
	bool needs_helper;   /* it is known that it cannot be done at once */
	int family;          /* asked for */
	int eai;             /* 0, or EAI_... */
	int error;           /* the errno value beside EAI_SYSTEM */
	int64_t started_us;  /* when it began to run */
	int64_t duration_us; /* -1: not measured, the host is numeric */
	size_t count;
	union tp_address *addresses; /* without duplicates, in getaddrinfo's order, ports 0; owned */
	union tp_address numeric;    /* what addresses points to where the host is one */
	char host[];
};

/* A new lookup with one user, or NULL where memory is out. */
struct tp_lookup *tp_lookup_new(const char *host, int family);

/* One user less; the last frees it. It must not be running then. */
void tp_lookup_release(struct tp_lookup *lookup);

/* A numeric host to its address, without any lookup. Returns 0 or EAI_.... */
int tp_lookup_numeric(const char *host, int family, union tp_address *address);

/* Does a NEW lookup here and now where it needs no network: the host is numeric, or the hosts file answers. */
bool tp_lookup_at_once(struct tp_lookup *lookup);

/* Of the caller's: what a helper does after the fork and before it looks up. */
struct tp_helper_hook {
	void (*run)(void *context);
	void *context;
};

struct tp_resolver;

/* NULL where memory is out. limit_us: when a helper that nobody ended gives up by itself; 0: never. */
struct tp_resolver *tp_resolver_new(struct tp_helper_hook hook, int64_t limit_us);

/* Ends and reaps all helpers. Lookups still running stay RUNNING. */
void tp_resolver_free(struct tp_resolver *resolver);

/*
 * Hands a NEW lookup to a helper: it is RUNNING. Returns 0; EBUSY where all
 * helpers are busy; or another errno value where none can be made. fds are
 * descriptors of ours that a new helper must not keep.
 */
int tp_resolver_begin(struct tp_resolver *resolver, struct tp_lookup *lookup, const struct pollfd *fds, size_t count);

/* Gives a RUNNING lookup up: its helper is ended. It is NEW again. */
void tp_resolver_abandon(struct tp_resolver *resolver, struct tp_lookup *lookup);

/* Fills in what to wait for, and returns how many: poll(2) refuses more than may be open, even if they are -1. */
size_t tp_resolver_watch(const struct tp_resolver *resolver, struct pollfd fds[TP_HELPERS]);

/* Takes in what poll(2) found of them. Lookups become DONE. True: at least one did. */
bool tp_resolver_collect(struct tp_resolver *resolver, const struct pollfd fds[TP_HELPERS]);

/* Kinds of addresses in the hosts file: 127.0.0.1, ::1, any other. */
enum { TP_HOSTS_LOOPBACK = 1, TP_HOSTS_LOOPBACK6 = 2, TP_HOSTS_OTHER = 4 };

/*
 * The kinds of addresses, together, that the hosts file has for this name and family. 0: the
 * network may be asked. Only where NSS asks that file first and takes its answer as the last word.
 */
unsigned tp_hosts_file_answers(const char *host, int family);

#endif
