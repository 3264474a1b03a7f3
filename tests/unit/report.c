// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_report.h"
#include "tp_tally.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>

#include "locales.h"
#include "unit.h"

static struct tp_result result_of(enum tp_state state, const char *host, const char *address)
{
	struct tp_result result = { .host = host, .port = 5432, .state = state, .lookup_us = -1, .connect_us = -1 };

	result.wanted = state == TP_OPEN;
	result.status = tp_state_status(state);

	if (address == NULL)
		return result;
	if (inet_pton(AF_INET, address, &result.address.ipv4.sin_addr) == 1)
		result.address.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &result.address.ipv6.sin6_addr) == 1)
		result.address.any.sa_family = AF_INET6;
	return result;
}

static struct tp_text text;

static const char *success_of(const struct tp_result *result)
{
	tp_text_clear(&text);
	tp_put_success(&text, result);
	return text.bytes;
}

static const char *failure_of(const struct tp_result *result)
{
	tp_text_clear(&text);
	tp_put_failure(&text, result);
	return text.bytes;
}

static const char *tally_of(const struct tp_tally *tally)
{
	tp_text_clear(&text);
	tp_put_tally(&text, tally);
	return text.bytes;
}

static void check_open_lines(void)
{
	static const struct {
		const char *host, *address;
		int64_t us;
		const char *line;
	} rows[] = {
		{ "db", "10.0.0.5", 412, "db:5432 open 10.0.0.5 0.412 ms" },
		{ "db", "10.0.0.5", 0, "db:5432 open 10.0.0.5 0.000 ms" },
		{ "db", "10.0.0.5", 7, "db:5432 open 10.0.0.5 0.007 ms" },
		{ "db", "10.0.0.5", 1999999, "db:5432 open 10.0.0.5 1999.999 ms" },
		{ "db", "2001:db8::1", 1000, "db:5432 open 2001:db8::1 1.000 ms" },
		{ "2001:db8::1", "2001:db8::1", 1050, "[2001:db8::1]:5432 open 2001:db8::1 1.050 ms" },
		{ "%s", "10.0.0.5", 1, "%s:5432 open 10.0.0.5 0.001 ms" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_result result = result_of(TP_OPEN, rows[i].host, rows[i].address);

		result.connect_us = rows[i].us;
		CHECK_TEXT(success_of(&result), rows[i].line);
	}
}

static void obeys_no_locale(void)
{
	if (!comma_locale())
		return;
	check_open_lines();
	setlocale(LC_ALL, "C");
}

static void says_why(void)
{
	struct tp_result result = result_of(TP_REFUSED, "db", "10.0.0.5");

	result.error = ECONNREFUSED;
	CHECK_TEXT(failure_of(&result), "db:5432: Connection refused");
}

static void puts_brackets_around_ipv6(void)
{
	struct tp_result result = result_of(TP_REFUSED, "::1", "::1");

	result.error = ECONNREFUSED;
	CHECK_TEXT(failure_of(&result), "[::1]:5432: Connection refused");
}

static void says_which_address(void)
{
	struct tp_result result = result_of(TP_REFUSED, "db", "10.0.0.5");

	result.error = ECONNREFUSED;
	result.one_address = true;
	CHECK_TEXT(failure_of(&result), "db:5432 (10.0.0.5): Connection refused");
}

static void does_not_say_it_twice(void)
{
	struct tp_result numeric = result_of(TP_REFUSED, "10.0.0.5", "10.0.0.5");
	struct tp_result none = result_of(TP_UNRESOLVED, "db", NULL);
	char wanted[512];

	numeric.error = ECONNREFUSED;
	numeric.one_address = true;
	CHECK_TEXT(failure_of(&numeric), "10.0.0.5:5432: Connection refused");
	none.in_lookup = true;
	none.eai = EAI_NONAME;
	none.one_address = true;
	snprintf(wanted, sizeof(wanted), "db:5432: %s", gai_strerror(EAI_NONAME));
	CHECK_TEXT(failure_of(&none), wanted);
}

static void tells_the_two_timeouts_apart(void)
{
	struct tp_result result = result_of(TP_TIMEOUT, "db", "10.0.0.5");
	char wanted[512];

	result.error = ETIMEDOUT;
	snprintf(wanted, sizeof(wanted), "db:5432: %s", strerror(ETIMEDOUT));
	CHECK_TEXT(failure_of(&result), wanted);
	result.in_lookup = true;
	CHECK_TEXT(failure_of(&result), "db:5432: Name lookup timed out");
}

static void says_what_kept_a_lookup_from_being_made(void)
{
	struct tp_result result = result_of(TP_ERROR, "db", NULL);
	char wanted[512];

	result.in_lookup = true;
	result.eai = EAI_SYSTEM;
	result.error = EMFILE;
	snprintf(wanted, sizeof(wanted), "db:5432: Name lookup failed: %s", strerror(EMFILE));
	CHECK_TEXT(failure_of(&result), wanted);
}

static void has_room_for_the_longest_host(void)
{
	char host[TP_HOST_MAX + 1] = { 0 };
	struct tp_result open = result_of(TP_OPEN, host, "1234:5678:9abc:def0:1234:5678:9abc:def0");
	struct tp_result failed = open;

	memset(host, ':', TP_HOST_MAX);
	open.connect_us = INT64_MAX;
	open.port = UINT16_MAX;
	CHECK(strstr(success_of(&open),
		     "]:65535 open 1234:5678:9abc:def0:1234:5678:9abc:def0 9223372036854775.807 ms") != NULL);
	failed.state = TP_ERROR;
	failed.wanted = false;
	failed.error = EADDRNOTAVAIL;
	failed.one_address = true;
	CHECK(strstr(failure_of(&failed), strerror(EADDRNOTAVAIL)) != NULL);
}

static void counts_the_states(void)
{
	static const struct {
		enum tp_state states[6];
		size_t count;
		int status;
		const char *line;
	} rows[] = {
		{ { TP_OPEN }, 0, 0, "0 probes" },
		{ { TP_OPEN, TP_OPEN }, 2, 0, "2 probes: 2 open" },
		{ { TP_OPEN, TP_REFUSED, TP_OPEN }, 3, 1, "3 probes: 2 open, 1 refused" },
		{ { TP_TIMEOUT, TP_REFUSED }, 2, 124, "2 probes: 1 refused, 1 timeout" },
		{ { TP_OPEN, TP_ERROR, TP_UNRESOLVED, TP_UNREACHABLE, TP_TIMEOUT, TP_REFUSED },
		  6,
		  5,
		  "6 probes: 1 open, 1 refused, 1 unreachable, 1 unresolved, 1 error, 1 timeout" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_tally tally = { 0 };

		for (size_t j = 0; j < rows[i].count; j++) {
			struct tp_result result = result_of(rows[i].states[j], "db", NULL);

			tp_tally_add(&tally, &result);
		}
		CHECK_TEXT(tally_of(&tally), rows[i].line);
		CHECK_NUMBER(tally.status, rows[i].status);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "what is open is shown with its address and its time", check_open_lines },
		{ "milliseconds have a point in every locale", obeys_no_locale },
		{ "what is not open is shown with the reason", says_why },
		{ "an IPv6 literal stands in brackets before its port", puts_brackets_around_ipv6 },
		{ "where each address is probed it is shown", says_which_address },
		{ "an address that is the host, or none, is not shown", does_not_say_it_twice },
		{ "a timeout in the lookup is told from one in the handshake", tells_the_two_timeouts_apart },
		{ "what kept a lookup from being made is said", says_what_kept_a_lookup_from_being_made },
		{ "the longest host fits into a line", has_room_for_the_longest_host },
		{ "states are counted, and the first that is not open decides", counts_the_states },
	};

	return UNIT_RUN(tests);
}
