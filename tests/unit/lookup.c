// SPDX-License-Identifier: GPL-3.0-or-later
/* What is looked up without a helper, as the system's own getaddrinfo(3) has it: see resolver.c for the rest. */
#include "tp_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>

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
		/* Of which family a mapped address passes for one is the C library's affair. */
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
		/* No zone, and a zone where none belongs, are for the system to judge. */
		if (strchr(hosts[i], '%') == NULL)
			CHECK_NUMBER(tp_lookup_numeric(hosts[i], AF_UNSPEC, &address), EAI_NONAME);
		else
			tp_lookup_numeric(hosts[i], AF_UNSPEC, &address);
	}
}

/* A lookup at once of what is no name, and how it ended. */
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
	CHECK_NUMBER(lookup->count, found ? 1 : 0);
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
		{ "a lookup lives as long as it has users", is_kept_until_its_last_user_leaves },
	};

	return UNIT_RUN(tests);
}
