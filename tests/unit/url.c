// SPDX-License-Identifier: GPL-3.0-or-later
/* URLs as targets. */
#include "parses.h"

static void takes_urls(void)
{
	static const struct good rows[] = {
		{ { "x://db:7" }, "db 7" },
		{ { "http://db:8080/" }, "db 8080" },
		{ { "http://db:8080/path?query=1#part" }, "db 8080" },
		{ { "http://db:8080?query=a:b@c" }, "db 8080" },
		{ { "http://db.test:8080/a@b:1/c" }, "db.test 8080" },
		{ { "http://localhost:3000/@me" }, "localhost 3000" },
		{ { "git+ssh://git@db.test:1/x.git@v1" }, "db.test 1" },
		{ { "http://db:8080/http://other:1/" }, "db 8080" },
		{ { "http://user@db:1" }, "db 1" },
		{ { "http://user:password@db:1" }, "db 1" },
		{ { "http://:password@db:1" }, "db 1" },
		{ { "http://@db:1" }, "db 1" },
		{ { "http://user:p@ss:w@rd@db:1" }, "db 1" },
		{ { "http://us%65r:p%40ss@db:1" }, "db 1" },
		{ { "http://user:[x]@db:1" }, "db 1" },
		{ { "http://[::1]:8080/" }, "::1 8080" },
		{ { "http://u:p@[::1]:8080/" }, "::1 8080" },
		{ { "http://[fe80::1%25eth0]:1/" }, "fe80::1%eth0 1" },
		{ { "http://[fe80::1%eth0]:1/" }, "fe80::1%eth0 1" },
		{ { "http://d%62.te%73T:1/" }, "db.tesT 1" },
		{ { "http://db:1-2,4/" }, "db 1-2,4" },
		{ { "a+b.c-9_d://db:1" }, "db 1" },
		{ { "X://db:1" }, "db 1" },
	};

	check_good(rows, ROWS(rows));
}

static void takes_lists_of_hosts(void)
{
	static const struct good rows[] = {
		{ { "x://a:1,b:2/app" }, "a 1; b 2" }, { { "x://u:p@a:1,b:2,[::1]:3/app?x=y" }, "a 1; b 2; ::1 3" },
		{ { "x://a:1,2,b:3" }, "a 1,2; b 3" }, { { "x://a:1-3,7,b:3-4" }, "a 1-3,7; b 3-4" },
		{ { "x://a:1,2-3,4" }, "a 1,2-3,4" },  { { "x://10.0.0.1:1,10.0.0.2:2" }, "10.0.0.1 1; 10.0.0.2 2" },
	};

	check_good(rows, ROWS(rows));
}

static void refuses_what_is_no_url(void)
{
	static const struct bad rows[] = {
		{ { "://" } },
		{ { "://db:80" } },
		{ { "http://" } },
		{ { "http:///path" } },
		{ { "http://:80" } },
		{ { "http://?x" } },
		{ { "http://user@" } },
		{ { "http://user@:80" } },
		{ { "1http://db:80" } },
		{ { "+://db:80" } },
		{ { "ht tp://db:80" } },
		{ { "_http://db:80" } },
		{ { "ht\x01tp://db:80" } },
		{ { "db:80://" } },
		{ { "no-such-scheme://db" } },
		{ { "x://db:0" } },
		{ { "x://db:99999/" } },
		{ { "x://db:80x/" } },
		{ { "x://d b:80" } },
		{ { "x://d%20b:80" } },
		{ { "x://d%0ab:80" } },
		{ { "x://d%7fb:80" } },
		{ { "x://d%c2%9bb:80" } },
		{ { "x://d%2fb:80" } },
		{ { "x://d%40b:80" } },
		{ { "x://[::1:80" } },
		{ { "x://[::1]80" } },
		{ { "x://[db]:80" } },
		{ { "x://db:1,,b:2" } },
		{ { "x://db:1," } },
		{ { "x://,db:1" } },
		{ { "x://a:1,b" } },
		{ { "mongodb+srv://db" } },
		{ { "mongodb+srv://db:80" } },
		{ { "MongoDB+SRV://db:80" } },
		{ { "http://db", "80" } },
	};

	check_bad(rows, ROWS(rows));
}

static void takes_a_huge_user_and_path(void)
{
	char *url = huge("x://u:", 'p', 1000000, "@db:80/");
	char *tail = huge("x://db:80/", 'p', 1000000, "");

	check_good(&(struct good){ { url }, "db 80" }, 1);
	check_good(&(struct good){ { tail }, "db 80" }, 1);
	free(url);
	free(tail);
}

/*
 * A target has the family of its URL's scheme, or else that of all targets. A URL that wants the other one is refused.
 */
static void probes_in_the_family_of_the_scheme(void)
{
	static const struct {
		const char *word;
		int of_all, family; /* -1: refused */
	} rows[] = {
		{ "tcp4://db:1", AF_UNSPEC, AF_INET },
		{ "tcp6://db:1", AF_UNSPEC, AF_INET6 },
		{ "TCP4://db:1", AF_INET, AF_INET },
		{ "tcp4://db:1", AF_INET6, -1 },
		{ "tcp6://db:1", AF_INET, -1 },
		{ "tcp://db:1", AF_UNSPEC, AF_UNSPEC },
		{ "tcp://db:1", AF_INET6, AF_INET6 },
		{ "db:1", AF_INET, AF_INET },
		{ "redis+tcp6://db", AF_UNSPEC, AF_INET6 },
		{ "db:1", AF_UNSPEC, AF_UNSPEC },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_targets targets = { .family = rows[i].of_all };
		struct tp_cursor cursor = { 0 };
		struct tp_endpoint to = { 0 };
		char *word = strdup(rows[i].word);
		struct tp_why why;

		unit.row = rows[i].word;
		CHECK_NUMBER(tp_targets_add(&targets, &word, 1, &why), rows[i].family < 0 ? EINVAL : 0);
		if (rows[i].family >= 0 && CHECK(tp_cursor_next(&cursor, &targets, &to)))
			CHECK_NUMBER(to.family, rows[i].family);
		tp_targets_free(&targets);
		free(word);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a URL is a target, whatever surrounds its host", takes_urls },
		{ "a URL with several hosts is several targets", takes_lists_of_hosts },
		{ "what is no URL is refused", refuses_what_is_no_url },
		{ "a URL's user and path may have any size", takes_a_huge_user_and_path },
		{ "a scheme may name the family, unless the call wants the other one",
		  probes_in_the_family_of_the_scheme },
	};

	return UNIT_RUN(tests);
}
