// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tp_helper.h"
#include "tp_helpers.h"
#include "tp_hosts.h"
#include "tp_os.h"

/* RFC 8305, section 3, the Resolution Delay: IPv4 addresses wait this long for those of IPv6. */
#define GRACE_US 50000

/*
 * When the hurried questions are asked: after three times what lookups usually take, within these bounds, so that a
 * slow name server gets no more questions than needed. And after how long they are asked anew.
 */
#define HURRY_FIRST_US 100000
#define HURRY_LAST_US 300000
#define HURRY_AGAIN_US 5000000

/* The hosts file is read again for a lookup that begins later than this after the last reading. */
#define HOSTS_FRESH_US 100000

struct tp_resolver {
	struct tp_helpers *helpers;
	struct tp_lookup *running;
	int64_t usual_us; /* how long lookups take: a moving mean */
	struct tp_hosts *hosts;
	int64_t hosts_us; /* when the hosts file is to be read again */
};

/* -- Lookups */

struct tp_lookup *tp_lookup_new(const char *host, int family)
{
	size_t size = strlen(host) + 1;
	struct tp_lookup *lookup = malloc(sizeof(*lookup) + size);

	if (lookup == NULL)
		return NULL;
	*lookup = (struct tp_lookup){ .users = 1, .family = family, .duration_us = -1 };
	memcpy(lookup->host, host, size);
	return lookup;
}

static void free_addresses(struct tp_lookup *lookup)
{
	for (unsigned family = 0; family < TP_FAMILIES; family++) {
		if (lookup->families[family].list != &lookup->numeric)
			free(lookup->families[family].list);
	}
}

size_t tp_lookup_count(const struct tp_lookup *lookup)
{
	return lookup->families[TP_IPV6].count + lookup->families[TP_IPV4].count;
}

const union tp_address *tp_walk_next(const struct tp_walk *walk, const struct tp_lookup *lookup)
{
	unsigned family = walk->last == 0 ? lookup->first : walk->last - 1 == TP_IPV6 ? TP_IPV4 : TP_IPV6;

	for (int i = 0; i < TP_FAMILIES; i++, family = 1 - family) {
		if (walk->taken[family] < lookup->families[family].count)
			return &lookup->families[family].list[walk->taken[family]];
	}
	return NULL;
}

static unsigned family_of(const union tp_address *address)
{
	return address->any.sa_family == AF_INET6 ? TP_IPV6 : TP_IPV4;
}

void tp_walk_take(struct tp_walk *walk, const union tp_address *address)
{
	walk->last = family_of(address) + 1;
	walk->taken[walk->last - 1]++;
}

size_t tp_walk_left(const struct tp_walk *walk, const struct tp_lookup *lookup)
{
	return tp_lookup_count(lookup) - walk->taken[TP_IPV6] - walk->taken[TP_IPV4];
}

/* The list may name an address twice; it is tried once. */
static bool has_address(const struct tp_addresses *known, const union tp_address *address)
{
	for (size_t i = 0; i < known->count; i++) {
		if (tp_address_equal(&known->list[i], address, false))
			return true;
	}
	return false;
}

#ifndef __clang__
#pragma GCC diagnostic push
/* gcc's analyzer does not see that the list belongs to the lookup now. */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
/* Takes in the addresses of a family that is not known yet. False: memory is out. */
static bool learn_family(struct tp_addresses *known, unsigned family, const union tp_address *addresses, size_t count)
{
	size_t room = 0;

	if (known->known)
		return true;
	for (size_t i = 0; i < count; i++)
		room += family_of(&addresses[i]) == family;
	if (room > 0) {
		known->list = calloc(room, sizeof(*known->list));
		if (known->list == NULL)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (family_of(&addresses[i]) == family && !has_address(known, &addresses[i]))
			known->list[known->count++] = addresses[i];
	}
	known->known = true;
	return true;
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

static bool is_known(const struct tp_lookup *lookup)
{
	return lookup->families[TP_IPV6].known && lookup->families[TP_IPV4].known;
}

bool tp_lookup_has(const struct tp_lookup *lookup, const union tp_address *address)
{
	return has_address(&lookup->families[family_of(address)], address);
}

bool tp_lookup_denied(const struct tp_lookup *lookup)
{
	return lookup->phase == TP_LOOKUP_RUNNING && tp_lookup_count(lookup) == 0 &&
	       (is_known(lookup) || lookup->eai == TP_OS_EAI_SAID);
}

static bool is_unique_local(const struct in6_addr *address)
{
	return (address->s6_addr[0] & 0xfe) == 0xfc;
}

/*
 * Which family comes first, if no getaddrinfo(3) has sorted both together. As RFC 6724 has it, IPv6 does, if this host
 * has a route to the address, and the source address of that route is of the same kind (unique local or not).
 */
static bool prefers_ipv6(const union tp_address *to)
{
	union tp_address from = { 0 };
	socklen_t size = sizeof(from);
	bool has_route;
	int fd;

	if (IN6_IS_ADDR_LOOPBACK(&to->ipv6.sin6_addr))
		return true;
	/* Without IPv6 there is no socket, and the calls on it fail: there is no route. */
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	has_route = connect(fd, &to->any, tp_address_size(to)) == 0 && getsockname(fd, &from.any, &size) == 0;
	close(fd);
	return has_route && is_unique_local(&from.ipv6.sin6_addr) == is_unique_local(&to->ipv6.sin6_addr);
}

static void choose_first(struct tp_lookup *lookup)
{
	const struct tp_addresses *ipv6 = &lookup->families[TP_IPV6], *ipv4 = &lookup->families[TP_IPV4];

	if (!lookup->sorted && ipv6->count > 0 && ipv4->count > 0)
		lookup->first = prefers_ipv6(ipv6->list) ? TP_IPV6 : TP_IPV4;
}

/* -- Without a helper */

static void finish(struct tp_lookup *lookup)
{
	lookup->phase = TP_LOOKUP_DONE;
	lookup->ready = true;
	if (tp_lookup_count(lookup) > 0)
		lookup->eai = lookup->error = 0;
	else if (lookup->eai == 0)
		lookup->eai = EAI_NONAME;
	choose_first(lookup);
}

int tp_lookup_numeric(const char *host, int family, union tp_address *address)
{
	union tp_address *list;
	struct in_addr ipv4;
	size_t count;
	int eai, error;

	/* IPv4 is the usual case, and inet_pton(3) takes a tenth of the time of getaddrinfo(3). */
	if (family != AF_INET6 && inet_pton(AF_INET, host, &ipv4) == 1) {
		address->ipv4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = ipv4 };
		return 0;
	}
	eai = tp_get_addresses(host, family, AI_NUMERICHOST, &list, &count, &error);
	if (eai == 0)
		*address = list[0];
	free(list);
	return eai;
}

/* The numeric address is the only one. */
static void take_numeric(struct tp_lookup *lookup)
{
	struct tp_addresses *known = &lookup->families[family_of(&lookup->numeric)];

	known->list = &lookup->numeric;
	known->count = 1;
}

bool tp_lookup_at_once(struct tp_lookup *lookup)
{
	lookup->eai = tp_lookup_numeric(lookup->host, lookup->family, &lookup->numeric);
	/* musl says EAI_NONAME for a numeric address of the other family. */
	if (lookup->eai == EAI_NONAME && lookup->family != AF_UNSPEC &&
	    tp_lookup_numeric(lookup->host, AF_UNSPEC, &lookup->numeric) == 0)
		lookup->eai = EAI_FAMILY;
	/* A host with a colon is no name. It is an address whose zone this host does not have. */
	if (lookup->eai == EAI_NONAME && strchr(lookup->host, ':') == NULL) {
		lookup->eai = 0;
		return false;
	}
	if (lookup->eai == 0)
		take_numeric(lookup);
	finish(lookup);
	return true;
}

/* The hosts file as it is now, or was up to HOSTS_FRESH_US ago; NULL if it does not decide. */
static const struct tp_hosts *hosts_file(struct tp_resolver *resolver, int64_t now_us)
{
	if (resolver->hosts_us <= now_us) {
		tp_hosts_free(resolver->hosts);
		resolver->hosts = tp_hosts_read();
		resolver->hosts_us = tp_os_now_us() + HOSTS_FRESH_US;
	}
	return resolver->hosts;
}

/* RFC 6761, section 6.3: no server is asked for localhost, and an image without a hosts file has it too. */
static size_t put_localhost(const struct tp_lookup *lookup, union tp_address addresses[TP_FAMILIES])
{
	size_t count = 0;

	if (strcasecmp(lookup->host, "localhost") != 0)
		return 0;
	memset(addresses, 0, TP_FAMILIES * sizeof(*addresses));
	if (lookup->family != AF_INET) {
		addresses[count].any.sa_family = AF_INET6;
		addresses[count++].ipv6.sin6_addr.s6_addr[15] = 1;
	}
	if (lookup->family != AF_INET6) {
		addresses[count].any.sa_family = AF_INET;
		addresses[count++].ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	return count;
}

bool tp_resolver_at_once(struct tp_resolver *resolver, struct tp_lookup *lookup)
{
	const struct tp_hosts *hosts;
	union tp_address loopback[TP_FAMILIES], *addresses = loopback;
	size_t count = 0;

	if (lookup->needs_helper)
		return false;
	lookup->started_us = tp_os_now_us();
	hosts = hosts_file(resolver, lookup->started_us);
	if (hosts != NULL)
		count = tp_hosts_find(hosts, lookup->host, lookup->family, NULL, 0);
	if (count == 0) {
		count = put_localhost(lookup, loopback);
	} else {
		addresses = calloc(count, sizeof(*addresses));
		if (addresses != NULL)
			tp_hosts_find(hosts, lookup->host, lookup->family, addresses, count);
	}
	lookup->needs_helper = count == 0;
	if (count == 0)
		return false;
	for (unsigned family = 0; family < TP_FAMILIES; family++) {
		if (addresses == NULL || !learn_family(&lookup->families[family], family, addresses, count))
			lookup->eai = EAI_MEMORY;
	}
	if (addresses != loopback)
		free(addresses);
	lookup->duration_us = tp_os_now_us() - lookup->started_us;
	finish(lookup);
	return true;
}

/* -- With helpers */

/* The loop may spend this long on hurried questions at a stretch: each may need a fork. */
#define SLICE_US 5000

static bool is_asked(const struct tp_lookup *lookup)
{
	for (unsigned i = 0; i < TP_QUESTIONS; i++) {
		if (lookup->helpers[i] != NULL)
			return true;
	}
	return false;
}

/* Takes the lookup off the list of running ones, and its questions off the helpers. */
static void stop(struct tp_resolver *resolver, struct tp_lookup *lookup)
{
	for (unsigned i = 0; i < TP_QUESTIONS; i++) {
		if (lookup->helpers[i] != NULL)
			tp_helpers_drop(resolver->helpers, lookup->helpers[i]);
	}
	*lookup->link = lookup->next;
	if (lookup->next != NULL)
		lookup->next->link = lookup->link;
	lookup->resolver = NULL;
}

/* As stop(); the result is final. */
static void conclude(struct tp_resolver *resolver, struct tp_lookup *lookup)
{
	stop(resolver, lookup);
	finish(lookup);
}

/* Makes a lookup NEW again. */
static void reset(struct tp_lookup *lookup)
{
	free_addresses(lookup);
	memset(lookup->families, 0, sizeof(lookup->families));
	lookup->phase = TP_LOOKUP_NEW;
	lookup->ready = lookup->sorted = lookup->hurried = false;
	lookup->eai = lookup->error = 0;
	lookup->duration_us = -1;
}

void tp_lookup_release(struct tp_lookup *lookup)
{
	if (--lookup->users > 0)
		return;
	if (lookup->resolver != NULL)
		stop(lookup->resolver, lookup);
	free_addresses(lookup);
	free(lookup);
}

void tp_resolver_abandon(struct tp_resolver *resolver, struct tp_lookup *lookup)
{
	stop(resolver, lookup);
	if (tp_lookup_count(lookup) > 0)
		finish(lookup);
	else
		reset(lookup);
}

int tp_resolver_begin(struct tp_resolver *resolver, struct tp_lookup *lookup, const struct pollfd *fds, size_t count)
{
	int error = tp_helpers_ask(resolver->helpers, lookup, TP_ASK_ALL, fds, count);
	if (error != 0)
		return error;
	lookup->phase = TP_LOOKUP_RUNNING;
	lookup->started_us = tp_os_now_us();
	lookup->grace_us = TP_NEVER;
	lookup->hurry_us = lookup->started_us + HURRY_FIRST_US;
	lookup->families[TP_IPV6].known = lookup->family == AF_INET;
	lookup->families[TP_IPV4].known = lookup->family == AF_INET6;
	lookup->resolver = resolver;
	lookup->link = &resolver->running;
	lookup->next = resolver->running;
	if (lookup->next != NULL)
		lookup->next->link = &lookup->next;
	resolver->running = lookup;
	return 0;
}

/*
 * Asks the hurried questions: for each family that is not known yet, by itself. In their helpers the C library goes on
 * to the next name server after one second, whatever resolv.conf says. Addresses that come this way are taken, but a
 * failure decides nothing while the patient question is open. A hurried question that is still open is dropped and
 * asked anew, because the server may be back.
 */
static void hurry(struct tp_resolver *resolver, struct tp_lookup *lookup, const struct pollfd *fds, size_t count)
{
	lookup->hurried = true;
	lookup->hurry_us = TP_NEVER;
	if (tp_lookup_count(lookup) > 0)
		return;
	lookup->hurry_us = tp_os_now_us() + HURRY_AGAIN_US;
	for (unsigned family = 0; family < TP_FAMILIES; family++) {
		if (lookup->families[family].known)
			continue;
		if (lookup->helpers[family] != NULL)
			tp_helpers_drop(resolver->helpers, lookup->helpers[family]);
		if (tp_helpers_ask(resolver->helpers, lookup, (enum tp_question)family, fds, count) != 0)
			lookup->hurry_us = tp_os_now_us() + HURRY_FIRST_US;
	}
}

/* Did a name server say that there is no such name or address? (The other failures mean that nobody gave an answer.) */
static bool is_no(int eai)
{
	switch (eai) {
	case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		return true;
	default:
		return false;
	}
}

/* Takes the addresses out of an answer. Returns 0 or EAI_.... */
static int learn(struct tp_lookup *lookup, const struct tp_answer *answer)
{
	bool all = answer->question == TP_ASK_ALL;

	if (answer->eai != 0 && !is_no(answer->eai))
		return answer->eai;
	for (unsigned family = 0; family < TP_FAMILIES; family++) {
		if ((all || answer->question == (enum tp_question)family) &&
		    !learn_family(&lookup->families[family], family, answer->addresses, answer->count))
			return EAI_MEMORY;
	}
	if (all && answer->count > 0) {
		lookup->first = family_of(answer->addresses);
		lookup->sorted = true;
	}
	return answer->eai;
}

static void take_answer(struct tp_resolver *resolver, struct tp_lookup *lookup, const struct tp_answer *answer)
{
	bool all = answer->question == TP_ASK_ALL;
	int64_t now_us = tp_os_now_us();
	int eai = learn(lookup, answer);
	size_t count = tp_lookup_count(lookup);

	/* "There is none" is more telling than "I cannot say". */
	if (lookup->eai == 0 || (is_no(eai) && !is_no(lookup->eai))) {
		lookup->eai = eai;
		lookup->error = answer->error;
	}
	if (lookup->duration_us < 0 && (all || count > 0))
		lookup->duration_us = all ? answer->duration_us : now_us - lookup->started_us;
	if (is_known(lookup) && (all || count > 0)) {
		conclude(resolver, lookup);
	} else if (all && eai == EAI_AGAIN && !lookup->hurried && lookup->family == AF_UNSPEC) {
		/* Perhaps the answer for only one of the families was broken. */
		lookup->hurry_us = 0;
	} else if (!is_asked(lookup)) {
		conclude(resolver, lookup);
	} else if (count > 0 && !lookup->ready) {
		lookup->grace_us = lookup->families[TP_IPV6].known ? now_us : now_us + GRACE_US;
	}
}

/* A lookup that takes longer than this is slow. */
static int64_t slow_us(const struct tp_resolver *resolver)
{
	int64_t slow = 3 * resolver->usual_us;

	return slow < HURRY_FIRST_US ? HURRY_FIRST_US : slow > HURRY_LAST_US ? HURRY_LAST_US : slow;
}

/* Does what is due for a lookup by now. Returns true if it is DONE or ready after that. */
static bool look_after(struct tp_resolver *resolver, struct tp_lookup *lookup, int64_t now_us, const struct pollfd *fds,
		       size_t count)
{
	if (lookup->hurry_us <= now_us && !lookup->hurried && lookup->helpers[TP_ASK_ALL] != NULL &&
	    now_us < lookup->started_us + slow_us(resolver))
		lookup->hurry_us = lookup->started_us + slow_us(resolver);
	if (lookup->hurry_us <= now_us)
		hurry(resolver, lookup, fds, count);
	if (!is_asked(lookup)) {
		conclude(resolver, lookup);
		return true;
	}
	if (lookup->ready || lookup->grace_us > now_us)
		return false;
	choose_first(lookup);
	lookup->ready = true;
	return true;
}

bool tp_resolver_collect(struct tp_resolver *resolver, const struct pollfd *fds, size_t count)
{
	struct tp_answer answer;
	struct tp_lookup *next;
	bool any = false;
	int64_t now_us;

	tp_helpers_note(resolver->helpers, fds + count);
	while (tp_helpers_answer(resolver->helpers, &answer)) {
		if (answer.question == TP_ASK_ALL)
			resolver->usual_us += (tp_os_now_us() - answer.lookup->started_us - resolver->usual_us) / 8;
		take_answer(resolver, answer.lookup, &answer);
		free(answer.addresses);
		any = true;
	}
	any = tp_helpers_wanted(resolver->helpers) || any;
	now_us = tp_os_now_us();
	for (struct tp_lookup *lookup = resolver->running; lookup != NULL; lookup = next) {
		if (lookup->hurry_us <= now_us && tp_os_now_us() - now_us > SLICE_US)
			break;
		next = lookup->next;
		any = look_after(resolver, lookup, now_us, fds, count) || any;
	}
	return any;
}

int64_t tp_resolver_due_us(const struct tp_resolver *resolver)
{
	int64_t due_us = tp_helpers_due_us(resolver->helpers);

	for (const struct tp_lookup *lookup = resolver->running; lookup != NULL; lookup = lookup->next) {
		if (lookup->hurry_us < due_us)
			due_us = lookup->hurry_us;
		if (!lookup->ready && lookup->grace_us < due_us)
			due_us = lookup->grace_us;
	}
	return due_us;
}

size_t tp_resolver_watched(const struct tp_resolver *resolver)
{
	return tp_helpers_watched(resolver->helpers);
}

size_t tp_resolver_watch(struct tp_resolver *resolver, struct pollfd *fds)
{
	return tp_helpers_watch(resolver->helpers, fds);
}

struct tp_resolver *tp_resolver_new(struct tp_helper_hook hook, int64_t limit_us)
{
	struct tp_resolver *resolver = calloc(1, sizeof(*resolver));

	if (resolver == NULL)
		return NULL;
	resolver->helpers = tp_helpers_new(hook, limit_us);
	if (resolver->helpers != NULL)
		return resolver;
	free(resolver);
	return NULL;
}

void tp_resolver_free(struct tp_resolver *resolver)
{
	while (resolver->running != NULL) {
		struct tp_lookup *lookup = resolver->running;

		stop(resolver, lookup);
		reset(lookup);
	}
	tp_helpers_free(resolver->helpers);
	tp_hosts_free(resolver->hosts);
	free(resolver);
}
