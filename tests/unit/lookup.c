// SPDX-License-Identifier: GPL-3.0-or-later
/* Lookups without a helper, by the system's own getaddrinfo(3). resolver.c tests the others. */
#include "tp_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>

#include "unit.h"

static void takes_numeric_hosts(void)
{
	static const struct {
		const char *host, *text;
		int family;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1", AF_INET },
		{ "0.0.0.0", "0.0.0.0", AF_INET },
		{ "255.255.255.255", "255.255.255.255", AF_INET },
		{ "127.1", "127.0.0.1", AF_INET },
		{ "127.0.1", "127.0.0.1", AF_INET },
		{ "0x7f.1", "127.0.0.1", AF_INET },
		{ "0177.0.0.01", "127.0.0.1", AF_INET },
		{ "2130706433", "127.0.0.1", AF_INET },
		{ "::1", "::1", AF_INET6 },
		{ "::", "::", AF_INET6 },
		{ "0:0:0:0:0:0:0:1", "::1", AF_INET6 },
		{ "2001:DB8::1", "2001:db8::1", AF_INET6 },
		{ "::ffff:10.0.0.1", "10.0.0.1", AF_INET },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		union tp_address address;
		char text[TP_ADDRESS_TEXT];
		int other = rows[i].family == AF_INET ? AF_INET6 : AF_INET;

		unit.row = rows[i].host;
		CHECK_NUMBER(tp_lookup_numeric(rows[i].host, AF_UNSPEC, &address), 0);
		CHECK_NUMBER(address.any.sa_family, rows[i].family);
		CHECK_NUMBER(tp_address_port(&address), 0);
		tp_address_text(&address, text);
		CHECK_TEXT(text, rows[i].text);
		/* It depends on the C library which family a mapped address belongs to. */
		if (strncmp(rows[i].host, "::ffff:", strlen("::ffff:")) == 0)
			continue;
		CHECK_NUMBER(tp_lookup_numeric(rows[i].host, rows[i].family, &address), 0);
		CHECK(tp_lookup_numeric(rows[i].host, other, &address) != 0);
	}
}

static void takes_zones(void)
{
	char host[64], interface[IF_NAMESIZE];
	union tp_address address;

	if (if_indextoname(1, interface) == NULL) {
		unit_skip("no interface has the index 1");
		return;
	}
	snprintf(host, sizeof(host), "fe80::1%%%s", interface);
	CHECK_NUMBER(tp_lookup_numeric(host, AF_UNSPEC, &address), 0);
	CHECK_NUMBER(address.ipv6.sin6_scope_id, 1);
	CHECK_NUMBER(tp_lookup_numeric("fe80::1%1", AF_UNSPEC, &address), 0);
	CHECK_NUMBER(address.ipv6.sin6_scope_id, 1);
	CHECK(tp_lookup_numeric("fe80::1%no-such-if", AF_UNSPEC, &address) != 0);
}

static void takes_nothing_else(void)
{
	static const char *const hosts[] = {
		"",           "localhost",  "db.invalid", "256.0.0.1",    "1.2.3.4.5", "1.2.3.", "127.0.0.1 ",
		" 127.0.0.1", "127.0.0.1x", "4294967296", "0x",           "1:2",       ":::",    "12345::",
		"[::1]",      "::1/128",    "::1%",       "127.0.0.1%lo", "-1",        "%",
	};

	for (size_t i = 0; i < ROWS(hosts); i++) {
		union tp_address address;

		unit.row = hosts[i];
		/* An empty zone, or a zone of an address that can have none: the system judges. */
		if (strchr(hosts[i], '%') == NULL)
			CHECK_NUMBER(tp_lookup_numeric(hosts[i], AF_UNSPEC, &address), EAI_NONAME);
		else
			tp_lookup_numeric(hosts[i], AF_UNSPEC, &address);
	}
}

/* Looks up a host that is no name, which is done at once; found: it has an address. */
static void check_at_once(const char *host, int family, bool found)
{
	struct tp_lookup *lookup = tp_lookup_new(host, family);

	unit.row = host;
	if (!CHECK(lookup != NULL))
		return;
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_NEW);
	CHECK(tp_lookup_at_once(lookup));
	CHECK_NUMBER(lookup->phase, TP_LOOKUP_DONE);
	CHECK_NUMBER(lookup->eai == 0, found);
	CHECK(lookup->ready);
	CHECK_NUMBER(tp_lookup_count(lookup), found ? 1 : 0);
	CHECK_NUMBER(lookup->duration_us, -1);
	tp_lookup_release(lookup);
}

static void needs_no_helper_for_numbers(void)
{
	check_at_once("127.0.0.1", AF_UNSPEC, true);
	check_at_once("127.1", AF_INET, true);
	check_at_once("::1", AF_UNSPEC, true);
	check_at_once("::1", AF_INET6, true);
	check_at_once("::1", AF_INET, false);
	check_at_once("fe80::1%no-such-if", AF_UNSPEC, false);
}

static void leaves_names_to_helpers(void)
{
	static const char *const hosts[] = { "db.invalid", "127.0.0.1.invalid", "no-such-host.invalid" };

	for (size_t i = 0; i < ROWS(hosts); i++) {
		struct tp_lookup *lookup = tp_lookup_new(hosts[i], AF_UNSPEC);

		unit.row = hosts[i];
		if (!CHECK(lookup != NULL))
			return;
		CHECK(!tp_lookup_at_once(lookup));
		CHECK_NUMBER(lookup->phase, TP_LOOKUP_NEW);
		tp_lookup_release(lookup);
	}
}

/* A lookup with this many addresses of each family: ::, ::1 and so on, and 0.0.0.0, 0.0.0.1 and so on. */
static struct tp_lookup *lookup_with(size_t ipv6, size_t ipv4, unsigned first)
{
	static union tp_address lists[TP_FAMILIES][4];
	struct tp_lookup *lookup = tp_lookup_new("walk.test", AF_UNSPEC);

	if (lookup == NULL)
		abort();
	for (size_t i = 0; i < 4; i++) {
		lists[TP_IPV6][i] = (union tp_address){ .ipv6 = { .sin6_family = AF_INET6 } };
		lists[TP_IPV6][i].ipv6.sin6_addr.s6_addr[15] = (uint8_t)i;
		lists[TP_IPV4][i] = (union tp_address){ .ipv4 = { .sin_family = AF_INET } };
		lists[TP_IPV4][i].ipv4.sin_addr.s_addr = htonl((uint32_t)i);
	}
	lookup->families[TP_IPV6] = (struct tp_addresses){ lists[TP_IPV6], ipv6, true };
	lookup->families[TP_IPV4] = (struct tp_addresses){ lists[TP_IPV4], ipv4, true };
	lookup->first = first;
	return lookup;
}

/* The rest of a walk, as "6.0 4.0 ": the family and the number of each address. */
static const char *way(struct tp_walk *walk, const struct tp_lookup *lookup)
{
	static char text[64];
	const union tp_address *address;

	*text = '\0';
	while ((address = tp_walk_next(walk, lookup)) != NULL) {
		size_t left = tp_walk_left(walk, lookup);

		if (address->any.sa_family == AF_INET6)
			sprintf(text + strlen(text), "6.%d ", address->ipv6.sin6_addr.s6_addr[15]);
		else
			sprintf(text + strlen(text), "4.%d ", (int)ntohl(address->ipv4.sin_addr.s_addr));
		tp_walk_take(walk, address);
		CHECK_NUMBER(tp_walk_left(walk, lookup), left - 1);
	}
	return text;
}

static void walks_with_families_alternating(void)
{
	static const struct {
		size_t ipv6, ipv4;
		unsigned first;
		const char *way;
	} rows[] = {
		{ 2, 2, TP_IPV6, "6.0 4.0 6.1 4.1 " },
		{ 2, 2, TP_IPV4, "4.0 6.0 4.1 6.1 " },
		{ 3, 1, TP_IPV6, "6.0 4.0 6.1 6.2 " },
		{ 1, 3, TP_IPV6, "6.0 4.0 4.1 4.2 " },
		{ 0, 2, TP_IPV6, "4.0 4.1 " },
		{ 2, 0, TP_IPV4, "6.0 6.1 " },
		{ 0, 0, TP_IPV6, "" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_lookup *lookup = lookup_with(rows[i].ipv6, rows[i].ipv4, rows[i].first);
		struct tp_walk walk = { 0 };

		unit.row = rows[i].way;
		CHECK_TEXT(way(&walk, lookup), rows[i].way);
		free(lookup);
	}
}

static void takes_in_late_addresses_on_the_way(void)
{
	struct tp_lookup *lookup = lookup_with(0, 3, TP_IPV4);
	struct tp_walk walk = { 0 };

	tp_walk_take(&walk, tp_walk_next(&walk, lookup));
	lookup->families[TP_IPV6].count = 2;
	CHECK_TEXT(way(&walk, lookup), "6.0 4.1 6.1 4.2 ");
	lookup->families[TP_IPV6].count = 3;
	CHECK_TEXT(way(&walk, lookup), "6.2 ");
	free(lookup);
}

static void is_kept_until_its_last_user_leaves(void)
{
	struct tp_lookup *lookup = tp_lookup_new("db.invalid", AF_INET);

	if (!CHECK(lookup != NULL))
		return;
	CHECK_NUMBER(lookup->users, 1);
	CHECK_TEXT(lookup->host, "db.invalid");
	CHECK_NUMBER(lookup->family, AF_INET);
	lookup->users++;
	tp_lookup_release(lookup);
	CHECK_NUMBER(lookup->users, 1);
	CHECK_TEXT(lookup->host, "db.invalid");
	tp_lookup_release(lookup);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "hosts in numbers are taken as getaddrinfo takes them", takes_numeric_hosts },
		{ "a zone is taken, by name or number", takes_zones },
		{ "what is no number is not taken for one", takes_nothing_else },
		{ "what is no name is done at once, found or not", needs_no_helper_for_numbers },
		{ "a name that the hosts file lacks is not", leaves_names_to_helpers },
		{ "families alternate on the way through the addresses", walks_with_families_alternating },
		{ "addresses that come late join in", takes_in_late_addresses_on_the_way },
		{ "a lookup lives as long as it has users", is_kept_until_its_last_user_leaves },
	};

	return UNIT_RUN(tests);
}
