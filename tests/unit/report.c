// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_report.h"
#include "tp_trace_report.h"
#include "tp_tally.h"

#include <errno.h>
#include <netdb.h>

#include "addresses.h"
#include "locales.h"
#include "unit.h"

static struct tp_result result_of(enum tp_state state, const char *host, const char *address)
{
	struct tp_result result = { .host = host, .port = 5432, .state = state, .lookup_us = -1, .connect_us = -1 };

	result.wanted = state == TP_OPEN;
	result.status = tp_state_status(state);
	if (address != NULL)
		result.address = address_of(address, 0);
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

static void says_that_a_zone_is_missing(void)
{
	struct tp_result result = result_of(TP_UNREACHABLE, "fe80::1", "fe80::1");

	result.error = EINVAL;
	CHECK_TEXT(failure_of(&result), "[fe80::1]:5432: a link-local address needs its zone: fe80::1%eth0");
	result.address.ipv6.sin6_scope_id = 1;
	CHECK_TEXT(failure_of(&result), "[fe80::1]:5432: Invalid argument");
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
	snprintf(wanted, sizeof(wanted), "db:5432: %s", tp_lookup_words(EAI_NONAME));
	CHECK_TEXT(failure_of(&none), wanted);
}

static void tells_the_two_timeouts_apart(void)
{
	struct tp_result result = result_of(TP_TIMEOUT, "db", "10.0.0.5");
	char wanted[512];

	result.error = ETIMEDOUT;
	snprintf(wanted, sizeof(wanted), "db:5432: %s", tp_connect_words(ETIMEDOUT));
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
	snprintf(wanted, sizeof(wanted), "db:5432: Name lookup failed: %s", tp_connect_words(EMFILE));
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
	CHECK(strstr(failure_of(&failed), tp_connect_words(EADDRNOTAVAIL)) != NULL);
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

			tp_tally_add(&tally, &result, 0);
		}
		CHECK_TEXT(tally_of(&tally), rows[i].line);
		CHECK_NUMBER(tally.status, rows[i].status);
	}
}

static const char *format_of(const char *format, const struct tp_result *result)
{
	tp_text_clear(&text);
	tp_put(&text, "");
	tp_put_format(&text, format, result);
	return text.bytes;
}

static void formats(void)
{
	struct tp_result open = result_of(TP_OPEN, "db", "10.0.0.5"), refused = result_of(TP_REFUSED, "db", "10.0.0.5");
	struct tp_result none = result_of(TP_UNRESOLVED, "db", NULL);

	open.connect_us = 412;
	open.lookup_us = 1050;
	open.try = 3;
	open.time_us = INT64_C(1700000000000001);
	CHECK_TEXT(format_of("%h %p %a %s %x [%e] %r %t %l %n %T %% \\n\\t\\\\", &open),
		   "db 5432 10.0.0.5 open 0 [-] - 0.412 1.050 3 1700000000.000001 % \n\t\\");
	refused.error = ECONNREFUSED;
	refused.evidence.reporter = refused.address;
	CHECK_TEXT(format_of("%x %e %r %t %l", &refused), "1 Connection refused 10.0.0.5 - -");
	none.eai = EAI_NONAME;
	none.in_lookup = true;
	CHECK_TEXT(format_of("%a %x", &none), "- 4");
	CHECK_TEXT(format_of("", &open), "");
	CHECK_TEXT(format_of("%s%s", &open), "openopen");
}

static void refuses_other_formats(void)
{
	static const char *const bad[] = { "%", "%z", "a%", "%5h", "\\", "\\q", "%%%", "\\\\\\", "%\n" };

	for (size_t i = 0; i < ROWS(bad); i++) {
		struct tp_why why;

		unit.row = bad[i];
		CHECK_NUMBER(tp_format_check(bad[i], &why), EINVAL);
		CHECK(strstr(why.text, "is no part of a format") != NULL);
	}
	unit.row = NULL;
}

static void says_what_a_wait_met(void)
{
	struct tp_result result = result_of(TP_REFUSED, "db", "10.0.0.5");

	result.error = ECONNREFUSED;
	result.expired = true;
	result.until = TP_UNTIL_OPEN;
	result.waited_us = 30000000;
	CHECK_TEXT(failure_of(&result), "db:5432: not open after 30s: Connection refused");
	result.waited_us = 1500000;
	result.until = TP_UNTIL_CLOSED;
	CHECK_TEXT(failure_of(&result), "db:5432: not closed after 1.5s: Connection refused");
	result.error = 0;
	result.waited_us = 250;
	result.try = 1;
	CHECK_TEXT(failure_of(&result), "db:5432: still open after 0.00025s");
	result.try = 0;
	CHECK_TEXT(failure_of(&result), "db:5432: not closed after 0.00025s");
}

/* Checks the message of a failure. The C library has the words for the errno value. */
static void check_said(const struct tp_result *result, const char *behind)
{
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "db:5432: %s%s", tp_connect_words(result->error), behind);
	CHECK_TEXT(failure_of(result), wanted);
}

static void names_who_said_no(void)
{
	struct tp_result result = result_of(TP_UNREACHABLE, "db", "10.0.0.5");

	result.error = EHOSTUNREACH;
	result.evidence = (struct tp_evidence){ .icmp = true, .type = 3, .code = 13 };
	result.evidence.reporter = address_of("10.0.0.1", 0);
	check_said(&result, " (administratively prohibited, says 10.0.0.1)");
	result.evidence.code = 99;
	check_said(&result, " (ICMP type 3 code 99, says 10.0.0.1)");
	result.evidence = (struct tp_evidence){ .icmp = true, .type = 3, .code = 0 };
	result.evidence.reporter = address_of("fd00::1", 0);
	check_said(&result, " (hop limit exceeded in transit: a routing loop, says fd00::1)");
}

static void makes_json(void)
{
	struct tp_result result = result_of(TP_REFUSED, "a\"b\\c\x80\xc3\xa9\xed\xa0\x80\x7f", "10.0.0.5");

	result.error = ECONNREFUSED;
	result.try = 2;
	result.time_us = 1000001;
	result.evidence = (struct tp_evidence){ .reporter = result.address, .icmp = true, .type = 3, .code = 3 };
	tp_text_clear(&text);
	tp_put_json(&text, &result);
	CHECK_TEXT(text.bytes,
		   "{\"host\":\"a\\\"b\\\\c\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\u007f\",\"port\":"
		   "5432,"
		   "\"address\":\"10.0.0.5\",\"state\":\"refused\",\"status\":1,"
		   "\"error\":\"Connection refused (port unreachable, says "
		   "10.0.0.5)\",\"reporter\":\"10.0.0.5\",\"icmp\":[3,3],\"banner\":null,"
		   "\"connect_ms\":null,\"lookup_ms\":null,\"try\":2,\"time\":1.000001}");
}

static void shows_banners(void)
{
	static const struct {
		struct tp_banner banner;
		const char *shown, *json;
	} rows[] = {
		{ { 3, "SSH" }, "SSH", "\"SSH\"" },
		{ { 6, "a\0\n\t\x1b[" }, "a????[", "\"a\\u0000\\u000a\\u0009\\u001b[\"" },
		{ { 5, "\xc3\xa9\xc2\x9b\x9b" }, "\xc3\xa9??", "\"\xc3\xa9\\u009b\xef\xbf\xbd\"" },
		{ { 6, "\xe2\x80\xae\xe2\x81\xa6" }, "??", "\"\\u202e\\u2066\"" },
		{ { 4, "caf\xc3" }, "caf?", "\"caf\xef\xbf\xbd\"" },
		{ { 2, "\"\\" }, "\"\\", "\"\\\"\\\\\"" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_result result = result_of(TP_OPEN, "db", "10.0.0.5");
		struct tp_banner banner = rows[i].banner;
		char wanted[128];

		result.banner = &banner;
		result.connect_us = 412;
		snprintf(wanted, sizeof(wanted), "db:5432 open 10.0.0.5 0.412 ms %s", rows[i].shown);
		CHECK_TEXT(success_of(&result), wanted);
		CHECK_TEXT(format_of("%b", &result), rows[i].shown);
		tp_text_clear(&text);
		tp_put_json(&text, &result);
		snprintf(wanted, sizeof(wanted), ",\"banner\":%s,", rows[i].json);
		CHECK(strstr(text.bytes, wanted) != NULL);
	}
}

static void says_that_a_peer_hung_up(void)
{
	struct tp_result result = result_of(TP_HANGUP, "db", "10.0.0.5");

	result.error = EPIPE;
	CHECK_TEXT(failure_of(&result), "db:5432: the peer hung up: nobody serves there");
	CHECK_TEXT(format_of("%b", &result), "-");
	result.error = ECONNRESET;
	CHECK_TEXT(failure_of(&result), "db:5432: the peer hung up: nobody serves there");
	result.expired = true;
	result.until = TP_UNTIL_OPEN;
	result.waited_us = 30000000;
	result.try = 9;
	CHECK_TEXT(failure_of(&result), "db:5432: not open after 30s: the peer hung up: nobody serves there");
	result.in_a_row = 5;
	result.best_row = 2;
	CHECK_TEXT(failure_of(&result),
		   "db:5432: not open after 30s (2 of 5 times in a row at most): the peer hung up: "
		   "nobody serves there");
	result = result_of(TP_TIMEOUT, "db", "10.0.0.5");
	result.error = ETIMEDOUT;
	result.held = true;
	CHECK_TEXT(failure_of(&result), "db:5432: accepted, but time was up before the end of the hold");
}

static void shows_hops(void)
{
	struct tp_hop hop = { .hop = 9, .us = 310, .address = address_of("10.0.0.1", 0) };

	tp_text_clear(&text);
	tp_put_hop(&text, &hop);
	CHECK_TEXT(text.bytes, " 9  10.0.0.1  0.310 ms");
	tp_text_clear(&text);
	tp_put_hop_json(&text, &hop);
	CHECK_TEXT(text.bytes, "{\"hop\":9,\"address\":\"10.0.0.1\",\"ms\":0.310}");
	hop = (struct tp_hop){ .hop = 10, .us = -1 };
	tp_text_clear(&text);
	tp_put_hop(&text, &hop);
	CHECK_TEXT(text.bytes, "10  *");
}

static void tells_the_verdict(void)
{
	static const struct {
		enum tp_verdict_kind kind;
		enum tp_state state;
		unsigned hop, again;
		const char *words;
	} rows[] = {
		{ TP_VERDICT_ANSWERED, TP_OPEN, 3, 0, "open: answered at hop 3 (10.0.0.1)" },
		{ TP_VERDICT_ANSWERED, TP_REFUSED, 3, 0, "refused: a TCP reset, at hop 3 (10.0.0.1)" },
		{ TP_VERDICT_ANSWERED, TP_OPEN, 0, 0, "open: over silent hops, by 10.0.0.1" },
		{ TP_VERDICT_ANSWERED, TP_REFUSED, 0, 0, "refused: a TCP reset, over silent hops, by 10.0.0.1" },
		{ TP_VERDICT_REJECTED, TP_REFUSED, 2, 0, "refused: port unreachable, says hop 2 (10.0.0.1)" },
		{ TP_VERDICT_REJECTED, TP_REFUSED, 0, 0, "refused: port unreachable, says 10.0.0.1" },
		{ TP_VERDICT_SILENT, TP_TIMEOUT, 2, 0, "timeout: answered up to hop 2 (10.0.0.1), silent beyond" },
		{ TP_VERDICT_SILENT, TP_TIMEOUT, 0, 0, "timeout: silent from the first hop" },
		{ TP_VERDICT_LOOP, TP_UNREACHABLE, 2, 4,
		  "unreachable: a routing loop, hop 4 is hop 2 (10.0.0.1) again" },
		{ TP_VERDICT_LOOP, TP_UNREACHABLE, 0, 64, "unreachable: still on the way after hop 64" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_verdict verdict = { .kind = rows[i].kind, .again = rows[i].again };
		char wanted[128];

		verdict.result = result_of(rows[i].state, "db", "10.0.0.5");
		verdict.hop = (struct tp_hop){ .hop = rows[i].hop, .us = -1 };
		verdict.hop.address = address_of("10.0.0.1", 0);
		verdict.result.evidence = (struct tp_evidence){ .icmp = true, .type = 3, .code = 3 };
		verdict.result.evidence.reporter = verdict.hop.address;
		tp_text_clear(&text);
		tp_put_verdict(&text, &verdict);
		snprintf(wanted, sizeof(wanted), "db:5432 %s", rows[i].words);
		CHECK_TEXT(text.bytes, wanted);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "what is open is shown with its address and its time", check_open_lines },
		{ "milliseconds have a point in every locale", obeys_no_locale },
		{ "what is not open is shown with the reason", says_why },
		{ "an IPv6 literal stands in brackets before its port", puts_brackets_around_ipv6 },
		{ "a link-local address without a zone is told what it lacks", says_that_a_zone_is_missing },
		{ "where each address is probed it is shown", says_which_address },
		{ "an address that is the host, or none, is not shown", does_not_say_it_twice },
		{ "a timeout in the lookup is told from one in the handshake", tells_the_two_timeouts_apart },
		{ "what kept a lookup from being made is said", says_what_kept_a_lookup_from_being_made },
		{ "the longest host fits into a line", has_room_for_the_longest_host },
		{ "a format's conversions and escapes are what they stand for", formats },
		{ "what is no format is named", refuses_other_formats },
		{ "a wait that was in vain says how long, and what the last try met", says_what_a_wait_met },
		{ "an ICMP error is told in the words of its RFC, with its sender", names_who_said_no },
		{ "JSON is valid whatever bytes a host holds", makes_json },
		{ "a banner is shown, but nothing that a terminal obeys", shows_banners },
		{ "that a peer hung up is said in plain words", says_that_a_peer_hung_up },
		{ "a hop is a line or an object, and a silent one a star", shows_hops },
		{ "a trace's verdict says where it was answered, rejected or lost", tells_the_verdict },
		{ "states are counted, and the first that is not open decides", counts_the_states },
	};

	return UNIT_RUN(tests);
}
