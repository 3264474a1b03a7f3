// SPDX-License-Identifier: GPL-3.0-or-later
/* Networks as targets. */
#include "parses.h"

static void goes_through_networks(void)
{
	static const struct {
		const char *words[WORDS], *first, *last;
		uint64_t probes;
	} rows[] = {
		{ { "10.2.0.0/30", "7001" }, "10.2.0.1", "10.2.0.2", 2 },
		{ { "10.2.0.0/30:7001" }, "10.2.0.1", "10.2.0.2", 2 },
		{ { "10.2.0.0/31", "1-3,9", "5" }, "10.2.0.0", "10.2.0.1", 10 },
		{ { "10.2.0.9/32:1" }, "10.2.0.9", "10.2.0.9", 1 },
		{ { "10.2.0.0/16:1" }, "10.2.0.1", "10.2.255.254", 65534 },
		{ { "0.0.0.0/16:1" }, "0.0.0.1", "0.0.255.254", 65534 },
		{ { "255.255.0.0/16:1" }, "255.255.0.1", "255.255.255.254", 65534 },
		{ { "10.2.0.0/24:1,80-81" }, "10.2.0.1", "10.2.0.254", 762 },
		{ { "10.2.0.0/31:1,10.4.0.0/31:1" }, "10.2.0.0", "10.4.0.1", 4 },
		{ { "2001:db8::/120:443" }, "2001:db8::1", "2001:db8::ff", 255 },
		{ { "[2001:db8::]/120:443" }, "2001:db8::1", "2001:db8::ff", 255 },
		{ { "2001:db8::/112", "1" }, "2001:db8::1", "2001:db8::ffff", 65535 },
		{ { "2001:db8::/127", "1" }, "2001:db8::", "2001:db8::1", 2 },
		{ { "[::1]/128", "1" }, "::1", "::1", 1 },
		{ { "::/112", "1" }, "::1", "::ffff", 65535 },
		{ { "::ffff:10.2.0.0/126", "1" }, "::ffff:10.2.0.1", "::ffff:10.2.0.3", 3 },
		{ { "10.2.0.4/30:1/tcp" }, "10.2.0.5", "10.2.0.6", 2 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_cursor cursor = { 0 };
		struct tp_endpoint to = { .host = "" };
		char last[64] = "";
		struct parse parsed;
		uint64_t count = 0;

		unit.row = rows[i].words[0];
		parse(&parsed, rows[i].words, count_words(rows[i].words));
		CHECK_NUMBER(parsed.error, 0);
		CHECK_NUMBER(tp_targets_probes(&parsed.targets), rows[i].probes);
		for (; tp_cursor_next(&cursor, &parsed.targets, &to); count++) {
			if (count == 0)
				CHECK_TEXT(to.host, rows[i].first);
			snprintf(last, sizeof(last), "%s", to.host);
		}
		CHECK_NUMBER(count, rows[i].probes);
		CHECK_TEXT(last, rows[i].last);
		tp_targets_free(&parsed.targets);
	}
}

static void refuses_what_is_no_network(void)
{
	static const struct bad rows[] = {
		{ { "10.2.0.1/30", "1" } },
		{ { "10.2.0.1/31:1" } },
		{ { "10.2.0.0/15:1" } },
		{ { "10.0.0.0/8", "1" } },
		{ { "0.0.0.0/0:1" } },
		{ { "10.2.0.0/33:1" } },
		{ { "10.2.0.0/99999999999:1" } },
		{ { "10.2.0.0/:1" } },
		{ { "10.2.0.0/-1:1" } },
		{ { "10.2.0.0/+24:1" } },
		{ { "10.2.0.0/0x18:1" } },
		{ { "10.2.0.0/24/8:1" } },
		{ { "10.2.0.0/24.0:1" } },
		{ { "10.2.0.0/255.255.255.0:1" } },
		{ { "10.2/16:1" } },
		{ { "10.2.0.0/30" } },
		{ { "10.2.0.0/30:" } },
		{ { "[10.2.0.0]/30:1" } },
		{ { "localhost/30", "1" } },
		{ { "localhost/30:1" } },
		{ { "/30:1" } },
		{ { "/30", "1" } },
		{ { "2001:db8::1/120:1" } },
		{ { "2001:db8::/111:1" } },
		{ { "2001:db8::/129:1" } },
		{ { "2001:db8::/64", "1" } },
		{ { "[2001:db8::/120]:1" } },
		{ { "fe80::%eth0/120:1" } },
		{ { "10.2.0.0/30,1:1" } },
		{ { "10.2.0.0/30", "1", "x:1" } },
	};

	check_bad(rows, ROWS(rows));
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "the cursor goes through the addresses of a network", goes_through_networks },
		{ "what is no network is refused", refuses_what_is_no_network },
	};

	return UNIT_RUN(tests);
}
