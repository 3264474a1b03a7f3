// SPDX-License-Identifier: GPL-3.0-or-later
/* Words that are targets: hosts, ports, bash's own spelling; and the cursor that goes through them. */
#include "parses.h"

static void takes_a_host_and_ports(void)
{
	static const struct good rows[] = {
		{ { "db", "5432" }, "db 5432" },
		{ { "db", "22", "80" }, "db 22,80" },
		{ { "db", "22", "80-90", "443,8080" }, "db 22,80-90,443,8080" },
		{ { "10.0.0.1", "1" }, "10.0.0.1 1" },
		{ { "127.1", "1" }, "127.1 1" },
		{ { "::1", "443" }, "::1 443" },
		{ { "[::1]", "443" }, "::1 443" },
		{ { "fe80::1%eth0", "22" }, "fe80::1%eth0 22" },
		{ { "[fe80::1%eth0]", "22" }, "fe80::1%eth0 22" },
		{ { "::ffff:10.0.0.1", "1" }, "::ffff:10.0.0.1 1" },
		{ { "1:2:3:4:5:6:7:8", "9" }, "1:2:3:4:5:6:7:8 9" },
		{ { "DB.Example", "1" }, "DB.Example 1" },
		{ { "under_score.test.", "1" }, "under_score.test. 1" },
		{ { "m\xc3\xbcnchen.test", "1" }, "m\xc3\xbcnchen.test 1" },
		{ { "80", "80" }, "80 80" },
		{ { "db", "80/tcp", "22,443/tcp" }, "db 80,22,443" },
	};

	check_good(rows, ROWS(rows));
}

static void takes_whole_words(void)
{
	static const struct good rows[] = {
		{ { "db:5432" }, "db 5432" },
		{ { "db:5432", "web:80" }, "db 5432; web 80" },
		{ { "db:22,80,8000-8010" }, "db 22,80,8000-8010" },
		{ { "10.0.0.1:1" }, "10.0.0.1 1" },
		{ { "[::1]:443" }, "::1 443" },
		{ { "[fe80::1%eth0]:22" }, "fe80::1%eth0 22" },
		{ { "[::ffff:10.0.0.1]:22-23" }, "::ffff:10.0.0.1 22-23" },
		{ { "a:1", "a:1", "a:2" }, "a 1; a 1; a 2" },
		{ { "a:1", "/dev/tcp/b/2", "http://c:3", "[::1]:4" }, "a 1; b 2; c 3; ::1 4" },
	};

	check_good(rows, ROWS(rows));
}

static void takes_dev_tcp(void)
{
	static const struct good rows[] = {
		{ { "/dev/tcp/db/5432" }, "db 5432" },
		{ { "/dev/tcp/10.0.0.1/22,80-90" }, "10.0.0.1 22,80-90" },
		{ { "/dev/tcp/::1/443" }, "::1 443" },
		{ { "/dev/tcp/[::1]/443" }, "::1 443" },
		{ { "/dev/tcp/fe80::1%eth0/443" }, "fe80::1%eth0 443" },
		{ { "/dev/tcp/a/1", "/dev/tcp/b/2" }, "a 1; b 2" },
	};

	check_good(rows, ROWS(rows));
}

/* Checks a list of ports as HOST PORT, as HOST:PORT, behind brackets, in bash's own spelling, and in a URL. */
static void in_every_form(const char *spec, void (*check)(const struct good *row))
{
	static const struct {
		const char *before, *after;
	} forms[] = {
		{ "db:", "" }, { "[::1]:", "" }, { "/dev/tcp/db/", "" }, { "x://db:", "" }, { "x://u:p@db:", "/p" }
	};

	check(&(struct good){ { "db", spec }, NULL });
	for (size_t i = 0; i < ROWS(forms); i++) {
		char word[256];

		snprintf(word, sizeof(word), "%s%s%s", forms[i].before, spec, forms[i].after);
		check(&(struct good){ { word }, NULL });
	}
}

static void takes(const struct good *row)
{
	struct parse parsed;

	unit.row = row->words[0];
	parse(&parsed, row->words, count_words(row->words));
	if (!CHECK_NUMBER(parsed.error, 0))
		CHECK_TEXT(parsed.why.text, "");
	CHECK_NUMBER(parsed.targets.count, 1);
	tp_targets_free(&parsed.targets);
}

static void refuses(const struct good *row)
{
	check_bad(&(struct bad){ { row->words[0], row->words[1] } }, 1);
}

static void takes_ports_in_every_form(void)
{
	static const char *const specs[] = {
		"1",
		"65535",
		"80",
		"0080",
		"00000000000000000000000000000080",
		"1-65535",
		"80-80",
		"65535-65535",
		"22,80",
		"22,80,8000-8010",
		"80,80",
		"8000-8010,22",
		"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20",
	};

	for (size_t i = 0; i < ROWS(specs); i++)
		in_every_form(specs[i], takes);
}

static void refuses_what_is_no_port(void)
{
	static const char *const specs[] = {
		"0",
		"00",
		"65536",
		"99999",
		"70000",
		"4294967376",
		"18446744073709551696",
		"340282366920938463463374607431768211536",
		"80x",
		"x80",
		"+80",
		"+http",
		"x+http",
		"http+",
		"-80",
		"0x50",
		"80.",
		"8.0",
		"80 ",
		" 80",
		"8 0",
		"80\n",
		"\t80",
		"80\r",
		"1e3",
		"-",
		"80-",
		"-90",
		"90-80",
		"80-90-100",
		"80--90",
		"80-90x",
		"80-+90",
		"0-80",
		"1-65536",
		"65536-65537",
		"1-99999999999999999999",
		",",
		"80,",
		",80",
		"80,,81",
		"80,x",
		"80,0",
		"80,90-80",
		"80;81",
		"no-such-service",
		"nosuchservice",
		"HTTP\x01",
		"80\xc2\x85",
		"*",
		"%38%30",
	};

	for (size_t i = 0; i < ROWS(specs); i++) {
		/* A list in a URL is a list of hosts: there this spec names another host, or a host without a port. */
		if (strcmp(specs[i], "80,x") == 0)
			check_bad(&(struct bad){ { "db", specs[i] } }, 1);
		else
			in_every_form(specs[i], refuses);
	}
}

static void refuses_what_is_no_target(void)
{
	static const struct bad rows[] = {
		{ { "" } },
		{ { "", "80" } },
		{ { "db" } },
		{ { "db", "" } },
		{ { "db:" } },
		{ { "-", "80" } },
		{ { "-db:80" } },
		{ { "d#b:80" } },
		{ { ":" } },
		{ { "::1" } },
		{ { "[::1]" } },
		{ { "[::1]:" } },
		{ { "[::1]80" } },
		{ { "[::1]x:80" } },
		{ { "[::1:80" } },
		{ { "[" } },
		{ { "[", "80" } },
		{ { "[]", "80" } },
		{ { "[]:80" } },
		{ { "[db]:80" } },
		{ { "[10.0.0.1]:80" } },
		{ { "[[::1]]:80" } },
		{ { "db:80:90" } },
		{ { "10.0.0.1:80:90" } },
		{ { "1:2:3:4:5:6:7:8:9", "80" } },
		{ { "::1::2", "80" } },
		{ { ":::", "80" } },
		{ { "12345::1", "80" } },
		{ { "db:80", "web" } },
		{ { "db:80", "90" } },
		{ { "db", "80", "web:80" } },
		{ { "db", "80", "/dev/tcp/web/80" } },
		{ { "db", "80", "http://web" } },
		{ { "db", "80", "" } },
		{ { "db:80", "" } },
		{ { "d b:80" } },
		{ { "db :80" } },
		{ { " db:80" } },
		{ { "db\t", "80" } },
		{ { "db\n:80" } },
		{ { "db\x7f:80" } },
		{ { "d\x01"
		    "b:80" } },
		{ { "d\xc2\x9b"
		    "b:80" } },
		{ { "d/b:80" } },
		{ { "db/80" } },
		{ { "/db:80" } },
		{ { "user@db:80" } },
		{ { "/dev/tcp" } },
		{ { "/dev/tcp/" } },
		{ { "/dev/tcp/db" } },
		{ { "/dev/tcp/db/" } },
		{ { "/dev/tcp//80" } },
		{ { "/dev/tcp/db/80/" } },
		{ { "/dev/tcp/db/80/90" } },
		{ { "/dev/tcp/d b/80" } },
		{ { "/dev/tcp/[::1/80" } },
		{ { "/dev/tcp/[/80" } },
		{ { "/dev/tcp/db:80/90" } },
		{ { "/dev/udp/db/53" } },
		{ { "/dev/tcp/db/80", "90" } },
	};

	check_bad(rows, ROWS(rows));
}

static void bounds_the_host(void)
{
	static const char *const forms[][2] = { { "", ":80" }, { "/dev/tcp/", "/80" }, { "x://u:p@", ":80/" } };
	char host[TP_HOST_MAX + 2], word[TP_HOST_MAX + 64];

	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	for (size_t i = 0; i < ROWS(forms); i++) {
		snprintf(word, sizeof(word), "%s%s%s", forms[i][0], host, forms[i][1]);
		check_bad(&(struct bad){ { word } }, 1);
		snprintf(word, sizeof(word), "%s%s%s", forms[i][0], host + 1, forms[i][1]);
		takes(&(struct good){ { word }, NULL });
	}
}

static void refuses_huge_words(void)
{
	static const struct {
		const char *before;
		char byte;
		const char *behind;
	} rows[] = {
		{ "", 'h', ":80" },     { "db:", '9', "" },     { "db:", ',', "" },          { "db:", 'x', "" },
		{ "", ':', "" },        { "[", ':', "]:80" },   { "/dev/tcp/", 'h', "/80" }, { "", '/', "" },
		{ "x://", 'h', ":80" }, { "x://", '%', ":80" }, { "x://", ',', "" },         { "x://", '@', "" },
		{ "", 'x', "://db" },   { "db:1-", '9', "" },   { "", '\x01', "" },          { "", '\xc2', ":80" },
		{ "", '@', "" },        { "x://db:", '-', "" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char *word = huge(rows[i].before, rows[i].byte, 1000000, rows[i].behind);
		struct parse parsed;

		unit.row = rows[i].before;
		if (!CHECK(word != NULL))
			return;
		parse_one(&parsed, word);
		check_complaint(&parsed);
		tp_targets_free(&parsed.targets);
		free(word);
	}
}

static void takes_many_ports(void)
{
	enum { PORTS = 20000 };
	static char word[PORTS * 6 + 8];
	size_t used = (size_t)sprintf(word, "db:");
	struct parse parsed;

	for (int port = 1; port <= PORTS; port++)
		used += (size_t)sprintf(word + used, port > 1 ? ",%d" : "%d", port);
	parse_one(&parsed, word);
	CHECK_NUMBER(parsed.error, 0);
	if (CHECK_NUMBER(parsed.targets.list[0].ports_count, PORTS)) {
		for (int i = 0; i < PORTS; i++)
			CHECK_NUMBER(parsed.targets.list[0].ports[i].last, i + 1);
	}
	tp_targets_free(&parsed.targets);
}

static void adds_to_what_is_there(void)
{
	enum { TARGETS = 1000 };
	struct tp_targets targets = { 0 };
	struct tp_why why;

	for (int i = 0; i < TARGETS; i++) {
		char word[16], *words[] = { word };

		snprintf(word, sizeof(word), "h%d:%d", i, i + 1);
		CHECK_NUMBER(tp_targets_add(&targets, words, 1, &why), 0);
	}
	if (CHECK_NUMBER(targets.count, TARGETS)) {
		for (int i = 0; i < TARGETS; i++) {
			char host[16];

			snprintf(host, sizeof(host), "h%d", i);
			CHECK_TEXT(targets.list[i].host, host);
			CHECK_NUMBER(targets.list[i].ports[0].first, i + 1);
		}
	}
	tp_targets_free(&targets);
	CHECK_NUMBER(targets.count, 0);
	CHECK(targets.list == NULL);
}

static void keeps_what_was_added_before_a_failure(void)
{
	struct parse parsed;

	parse(&parsed, (const char *[]){ "a:1", "b:2", "c:0" }, 3);
	CHECK_NUMBER(parsed.error, EINVAL);
	if (CHECK(parsed.targets.count >= 2)) {
		CHECK_TEXT(parsed.targets.list[0].host, "a");
		CHECK_TEXT(parsed.targets.list[1].host, "b");
	}
	tp_targets_free(&parsed.targets);
}

static void goes_through_all_in_order(void)
{
	static const struct {
		const char *host;
		uint16_t port;
	} wanted[] = {
		{ "a", 1 }, { "a", 2 }, { "a", 3 }, { "a", 9 },     { "a", 5 },     { "a", 6 },
		{ "b", 7 }, { "c", 7 }, { "c", 7 }, { "d", 65534 }, { "d", 65535 },
	};
	struct parse parsed;
	struct tp_cursor cursor = { 0 };
	struct tp_endpoint to;

	parse(&parsed, (const char *[]){ "a:1-3,9,5-6", "b:7-7", "c:7,7", "d:65534-65535" }, 4);
	CHECK_NUMBER(parsed.error, 0);
	for (size_t i = 0; i < ROWS(wanted); i++) {
		if (!CHECK(tp_cursor_next(&cursor, &parsed.targets, &to)))
			break;
		CHECK_TEXT(to.host, wanted[i].host);
		CHECK_NUMBER(to.port, wanted[i].port);
	}
	CHECK(!tp_cursor_next(&cursor, &parsed.targets, &to));
	CHECK(!tp_cursor_next(&cursor, &parsed.targets, &to));
	tp_targets_free(&parsed.targets);
}

static void goes_through_every_port(void)
{
	struct parse parsed;
	struct tp_cursor cursor = { 0 };
	struct tp_endpoint to;
	long next = 1;

	parse_one(&parsed, "a:1-65535");
	while (next <= 65536 && tp_cursor_next(&cursor, &parsed.targets, &to))
		CHECK_NUMBER(to.port, next++);
	CHECK_NUMBER(next, 65536);
	tp_targets_free(&parsed.targets);
}

static void goes_nowhere_in_an_empty_list(void)
{
	struct tp_targets targets = { 0 };
	struct tp_cursor cursor = { 0 };
	struct tp_endpoint to;

	CHECK(!tp_cursor_next(&cursor, &targets, &to));
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a host and ports are a target", takes_a_host_and_ports },
		{ "words that are whole are a target each", takes_whole_words },
		{ "bash's own spelling is a target", takes_dev_tcp },
		{ "numbers, ranges and lists are ports, in every form", takes_ports_in_every_form },
		{ "nothing else is a port, in any form", refuses_what_is_no_port },
		{ "what is no target is refused", refuses_what_is_no_target },
		{ "the longest host is taken and a longer one is not", bounds_the_host },
		{ "a word of a megabyte is refused like any other", refuses_huge_words },
		{ "a word may list thousands of ports", takes_many_ports },
		{ "targets are added in order to those that are there", adds_to_what_is_there },
		{ "what was added before a failure stays", keeps_what_was_added_before_a_failure },
		{ "the cursor goes through hosts and ports in order", goes_through_all_in_order },
		{ "the cursor ends after port 65535", goes_through_every_port },
		{ "the cursor ends at once where there is nothing", goes_nowhere_in_an_empty_list },
	};

	return UNIT_RUN(tests);
}
