// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "unit.h"

#define WORDS 4

/* What came of a parse. */
struct parse {
	int error;
	struct tp_targets targets;
	struct tp_why why;
};

/* With the system's list of services that is in *parsed already. */
static void parse_with(struct parse *parsed, const char *const words[], size_t count)
{
	char *copies[WORDS + 1] = { NULL };

	for (size_t i = 0; i < count; i++)
		copies[i] = strdup(words[i]);
	parsed->error = tp_targets_add(&parsed->targets, copies, count, &parsed->why);
	for (size_t i = 0; i < count; i++) {
		CHECK_TEXT(copies[i], words[i]);
		free(copies[i]);
	}
}

static void parse(struct parse *parsed, const char *const words[], size_t count)
{
	memset(parsed, 0, sizeof(*parsed));
	parse_with(parsed, words, count);
}

static void parse_one(struct parse *parsed, const char *word)
{
	parse(parsed, &word, 1);
}

static size_t count_words(const char *const words[WORDS])
{
	size_t count = 0;

	while (count < WORDS && words[count] != NULL)
		count++;
	return count;
}

/* "host 22,80-90; other 5432" */
static void write_targets(const struct tp_targets *targets, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < targets->count && used < size; i++) {
		const struct tp_target *target = &targets->list[i];

		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "; " : "", target->host);
		for (size_t j = 0; j < target->ports_count && used < size; j++) {
			const struct tp_ports *ports = &target->ports[j];

			used += (size_t)snprintf(text + used, size - used, "%c%d", j > 0 ? ',' : ' ', ports->first);
			if (ports->last != ports->first && used < size)
				used += (size_t)snprintf(text + used, size - used, "-%d", ports->last);
		}
	}
}

struct good {
	const char *words[WORDS], *targets;
};

static void check_good(const struct good *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct parse parsed;
		char text[1024];

		unit.row = rows[i].words[0];
		parse(&parsed, rows[i].words, count_words(rows[i].words));
		if (!CHECK_NUMBER(parsed.error, 0))
			CHECK_TEXT(parsed.why.text, "");
		write_targets(&parsed.targets, text, sizeof(text));
		CHECK_TEXT(text, rows[i].targets);
		tp_targets_free(&parsed.targets);
	}
}

struct bad {
	const char *words[WORDS];
};

/* Checks a complaint: it is one line that can be shown. */
static void check_complaint(const struct parse *parsed)
{
	CHECK_NUMBER(parsed->error, EINVAL);
	CHECK(parsed->why.text[0] != '\0');
	CHECK(memchr(parsed->why.text, '\0', sizeof(parsed->why.text)) != NULL);
	CHECK(!has_control(parsed->why.text));
}

static void check_bad(const struct bad *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct parse parsed;

		unit.row = rows[i].words[0];
		parse(&parsed, rows[i].words, count_words(rows[i].words));
		check_complaint(&parsed);
		tp_targets_free(&parsed.targets);
	}
}

/* -- Forms */

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

/* The port of a service here. The system is asked first, as the contract says; own is the port of our own list. */
static int port_of(const char *name, uint16_t own)
{
	const struct servent *entry = getservbyname(name, "tcp");

	return entry == NULL ? own : ntohs((uint16_t)entry->s_port);
}

static void knows_services_in_every_form(void)
{
	static const struct {
		const char *name;
		uint16_t port;
	} services[] = {
#define TP_SERVICE(name, port) { name, port },
#include "services.def"
	};
	static const struct {
		const char *before, *after;
	} forms[] = {
		{ "db:", "" },     { "/dev/tcp/db/", "" }, { "", "://db" }, { "", "://user:secret@db/?query" },
		{ "x://db:", "" },
	};

	for (size_t i = 0; i < ROWS(services); i++) {
		char wanted[64], word[128];

		snprintf(wanted, sizeof(wanted), "db %d", port_of(services[i].name, services[i].port));
		check_good(&(struct good){ { "db", services[i].name }, wanted }, 1);
		for (size_t j = 0; j < ROWS(forms); j++) {
			snprintf(word, sizeof(word), "%s%s%s", forms[j].before, services[i].name, forms[j].after);
			check_good(&(struct good){ { word }, wanted }, 1);
		}
	}
}

static void knows_the_systems_services(void)
{
	struct servent *entry;
	char names[64][64];
	size_t count = 0;

	setservent(0);
	while (count < ROWS(names) && (entry = getservent()) != NULL) {
		unit_written_text(entry->s_proto);
		unit_written_text(entry->s_name);
		if (strcmp(entry->s_proto, "tcp") == 0 && strlen(entry->s_name) < sizeof(names[0]))
			strcpy(names[count++], entry->s_name);
	}
	endservent();
	if (count == 0) {
		unit_skip("contract: no /etc/services here");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "db %d", port_of(names[i], 0));
		check_good(&(struct good){ { "db", names[i] }, wanted }, 1);
	}
}

/* Long lists of services, as Fedora and macOS have them, give these names to other services. */
static void knows_schemes_better_than_the_system(void)
{
	static const struct {
		const char *words[WORDS];
		uint16_t port;
	} rows[] = {
		{ { "sftp://db" }, 22 },  { { "db", "sftp" }, 115 },   { { "jdbc:mysql:aurora://db" }, 3306 },
		{ { "oldest://db" }, 7 }, { { "db", "https" }, 8443 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct parse parsed = { .targets.services.list = strdup(
						"sftp 115/tcp\naurora 9084/tcp\noldest 7/tcp\nhttps 8443/tcp\n") };

		unit.row = rows[i].words[0];
		parse_with(&parsed, rows[i].words, count_words(rows[i].words));
		if (CHECK_NUMBER(parsed.error, 0))
			CHECK_NUMBER(parsed.targets.list[0].ports[0].first, rows[i].port);
		tp_targets_free(&parsed.targets);
	}
}

static void gives_urls_the_port_of_their_scheme(void)
{
	int http = port_of("http", 80), postgres = port_of("postgresql", 5432), mongodb = port_of("mongodb", 27017);
	const struct {
		const char *word, *before;
		int port;
		const char *after;
	} rows[] = {
		{ "http://db", "db ", http, "" },
		{ "HTTP://db", "db ", http, "" },
		{ "http://db:", "db ", http, "" },
		{ "http://db:/", "db ", http, "" },
		{ "http://[::1]", "::1 ", http, "" },
		{ "http://u:p@db/x", "db ", http, "" },
		{ "postgresql+asyncpg://db", "db ", postgres, "" },
		{ "postgresql://a:1,b/app", "a 1; b ", postgres, "" },
		{ "mongodb://a,b:1/app", "a ", mongodb, "; b 1" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "%s%d%s", rows[i].before, rows[i].port, rows[i].after);
		check_good(&(struct good){ { rows[i].word }, wanted }, 1);
	}
}

/* -- Ports */

/* Checks each spec as HOST PORT, as HOST:PORT, behind brackets, in bash's own spelling, and in a URL. */
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

/* -- What is not taken */

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

/* -- Complaints */

#define SECRET "hunter2"

static bool shows_secret(const struct parse *parsed)
{
	return strstr(parsed->why.text, SECRET) != NULL;
}

static void check_secret(const char *const words[], size_t count, const char *word)
{
	struct parse parsed;

	unit.row = word;
	parse(&parsed, words, count);
	if (parsed.error != 0)
		check_complaint(&parsed);
	if (!CHECK(!shows_secret(&parsed)))
		CHECK_TEXT(parsed.why.text, "");
	for (size_t i = 0; i < parsed.targets.count; i++)
		CHECK(strstr(parsed.targets.list[i].host, SECRET) == NULL);
	tp_targets_free(&parsed.targets);
}

/* Gives the word by itself, as a port, behind a good target, and as a host before a port. */
static void check_secret_everywhere(const char *word)
{
	check_secret((const char *[]){ word }, 1, word);
	check_secret((const char *[]){ "db", word }, 2, word);
	check_secret((const char *[]){ "db:80", word }, 2, word);
	check_secret((const char *[]){ word, "80" }, 2, word);
}

static void never_shows_the_secret_of_a_url(void)
{
	static const char *const schemes[] = { "http", "x", "1x", "mongodb+srv", "" };
	static const char *const users[] = {
		"u:" SECRET "@",     SECRET "@",          ":" SECRET "@",    "u:" SECRET "@x@",  SECRET ":x@",
		"u:x@" SECRET "@",   "u:1," SECRET "@",   "u:[" SECRET "@",  "u:%" SECRET "@",   "u:" SECRET ":1@",
		"u:\x01" SECRET "@", "u:" SECRET "]:80@", "u:" SECRET " x@", "u: " SECRET ",1@", "",
	};
	static const char *const hosts[] = {
		"db",     "db:80",  "db:0",    "db:80x",   "",       ":80",       "[::1",  "[::1]x",
		"[z]:80", "d b:80", "d\nb:80", "d%0ab:80", "db:9-1", "db:1,,b:2", "a:1:2",
	};
	static const char *const tails[] = { "", "/" SECRET, "?p=" SECRET "@x:1", "#" SECRET, "/x://" SECRET "@y" };
	char word[256];

	for (size_t i = 0; i < ROWS(schemes) * ROWS(users) * ROWS(hosts) * ROWS(tails); i++) {
		size_t j = i / ROWS(schemes), k = j / ROWS(users), l = k / ROWS(hosts);

		snprintf(word, sizeof(word), "%s://%s%s%s", schemes[i % ROWS(schemes)], users[j % ROWS(users)],
			 hosts[k % ROWS(hosts)], tails[l]);
		check_secret((const char *[]){ word }, 1, word);
	}
}

static void never_shows_it_wherever_the_url_stands(void)
{
	static const char *const words[] = {
		"http://u:" SECRET "@db:0",           "http://u:" SECRET "@db",
		"http://u:" SECRET ",80,90@db:80",    "80,http://u:" SECRET "@db",
		"db,http://u:" SECRET "@db",          "x=http://u:" SECRET "@db",
		"jdbc:http://u:" SECRET "@db",        "jdbc:http:u:" SECRET "@//u:" SECRET "@db://",
		"/dev/tcp/http://u:" SECRET "@db/80", "[http://u:" SECRET "@db",
		"\x01http://u:" SECRET "@db",         "http://u:" SECRET "@db\n",
	};

	for (size_t i = 0; i < ROWS(words); i++)
		check_secret_everywhere(words[i]);
}

/* The scheme of the URL was forgotten, or one of its slashes. There still is a password before the '@'. */
static void never_shows_it_where_the_scheme_is_missing(void)
{
	static const char *const words[] = {
		"u:" SECRET "@db:80",
		"u:" SECRET "@db",
		SECRET "@db:80",
		"u:x@" SECRET "@db:80",
		"u:" SECRET ",1@db:80",
		"u:1," SECRET "@db:80",
		"u:" SECRET ",80@db",
		"u:" SECRET "]@db:80",
		"[" SECRET "]@db:80",
		"[::1]" SECRET "@db",
		"[::1]:" SECRET ",1@db",
		"http:/u:" SECRET "@db",
		"http:u:" SECRET "@db",
		"//u:" SECRET "@db:80",
		"//u:" SECRET ",1@db:80",
		"/dev/tcp/u:" SECRET "@db/80",
		"/dev/tcp/db/" SECRET ",80@db",
		"u:" SECRET "-,1@db",
		"u: " SECRET ",@db",
	};

	for (size_t i = 0; i < ROWS(words); i++)
		check_secret_everywhere(words[i]);
}

static void never_shows_a_control_byte(void)
{
	static const char *const forms[] = {
		"d%sb:80",  "db:8%s0",     "db:%s",    "db%s",     "[::1%s]:80",  "[::1]%s:80",   "/dev/tcp/d%sb/80",
		"%s",       "/dev/tcp/%s", "x%s://db", "x://d%sb", "x://db:8%s0", "u%s@db",       "u@d%sb:80",
		"db:1%s-2", "db:no%such",  "::%s:1",   "a:b:%s",   "db:65536%s",  "x://u%s@db:0", "db:\xc2%s",
	};

	for (int control = 1; control < 1 + 0x1f + 1 + 0x20; control++) {
		char bytes[3] = { (char)control, '\0', '\0' };

		if (control == 0x20)
			bytes[0] = 0x7f;
		if (control > 0x20) {
			bytes[0] = '\xc2';
			bytes[1] = (char)(0x80 + control - 0x21);
		}
		for (size_t i = 0; i < ROWS(forms); i++) {
			const char *place = strchr(forms[i], '%');
			struct parse parsed;
			char word[64];

			snprintf(word, sizeof(word), "%.*s%s%s", (int)(place - forms[i]), forms[i], bytes, place + 2);
			unit.row = forms[i];
			parse_one(&parsed, word);
			check_complaint(&parsed);
			tp_targets_free(&parsed.targets);
			parse(&parsed, (const char *[]){ "db", word }, 2);
			check_complaint(&parsed);
			tp_targets_free(&parsed.targets);
		}
	}
}

static void names_the_piece_that_is_wrong(void)
{
	static const struct {
		const char *words[WORDS], *piece;
	} rows[] = {
		{ { "db", "80/3" }, "'80/3'" },
		{ { "db", "53/udp" }, "'53/udp'" },
		{ { "db", "80x" }, "'80x'" },
		{ { "db:22,80x" }, "'80x'" },
		{ { "db:90-80" }, "'90-80'" },
		{ { "db:1-65536" }, "'65536'" },
		{ { "/dev/tcp/db/0" }, "'0'" },
		{ { "d!b:80" }, "'d!b'" },
		{ { "db:80", "web" }, "'web'" },
		{ { "db:80", "web:" }, "'web:'" },
		{ { "db" }, "'db'" },
		{ { "nosuch://u@db" }, "'nosuch://" },
		{ { "1x://u@db:80" }, "'1x://" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct parse parsed;

		unit.row = rows[i].words[0];
		parse(&parsed, rows[i].words, count_words(rows[i].words));
		if (!CHECK(strstr(parsed.why.text, rows[i].piece) != NULL))
			CHECK_TEXT(parsed.why.text, rows[i].piece);
		tp_targets_free(&parsed.targets);
	}
}

/* -- Sizes */

/* A word: before, then this byte size times, then behind. Returns NULL if memory is out. */
static char *huge(const char *before, char byte, size_t size, const char *behind)
{
	size_t length = strlen(before);
	char *word = malloc(length + size + strlen(behind) + 1);

	if (word == NULL)
		return NULL;
	memcpy(word, before, length);
	memset(word + length, byte, size);
	strcpy(word + length + size, behind);
	return word;
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

static void takes_a_huge_user_and_path(void)
{
	char *url = huge("x://u:", 'p', 1000000, "@db:80/");
	char *tail = huge("x://db:80/", 'p', 1000000, "");

	takes(&(struct good){ { url }, NULL });
	takes(&(struct good){ { tail }, NULL });
	free(url);
	free(tail);
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

/* -- The cursor */

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
		{ "a host and ports are a target", takes_a_host_and_ports },
		{ "words that are whole are a target each", takes_whole_words },
		{ "bash's own spelling is a target", takes_dev_tcp },
		{ "a URL is a target, whatever surrounds its host", takes_urls },
		{ "a URL with several hosts is several targets", takes_lists_of_hosts },
		{ "a service of ours is a port, in every form", knows_services_in_every_form },
		{ "a service of the system's is a port", knows_the_systems_services },
		{ "of a port's name the system's list counts, of a scheme ours", knows_schemes_better_than_the_system },
		{ "a URL without a port has that of its scheme", gives_urls_the_port_of_their_scheme },
		{ "numbers, ranges and lists are ports, in every form", takes_ports_in_every_form },
		{ "nothing else is a port, in any form", refuses_what_is_no_port },
		{ "what is no target is refused", refuses_what_is_no_target },
		{ "what is no URL is refused", refuses_what_is_no_url },
		{ "the longest host is taken and a longer one is not", bounds_the_host },
		{ "no complaint shows the user, password, path or query of a URL", never_shows_the_secret_of_a_url },
		{ "nor does it wherever the URL stands", never_shows_it_wherever_the_url_stands },
		{ "nor where the scheme was forgotten", never_shows_it_where_the_scheme_is_missing },
		{ "no complaint has a control byte", never_shows_a_control_byte },
		{ "a complaint names the piece that is wrong", names_the_piece_that_is_wrong },
		{ "a word of a megabyte is refused like any other", refuses_huge_words },
		{ "a URL's user and path may have any size", takes_a_huge_user_and_path },
		{ "a word may list thousands of ports", takes_many_ports },
		{ "targets are added in order to those that are there", adds_to_what_is_there },
		{ "what was added before a failure stays", keeps_what_was_added_before_a_failure },
		{ "the cursor goes through hosts and ports in order", goes_through_all_in_order },
		{ "the cursor ends after port 65535", goes_through_every_port },
		{ "the cursor goes through the addresses of a network", goes_through_networks },
		{ "what is no network is refused", refuses_what_is_no_network },
		{ "a scheme may name the family, unless the call wants the other one",
		  probes_in_the_family_of_the_scheme },
		{ "the cursor ends at once where there is nothing", goes_nowhere_in_an_empty_list },
	};

	return UNIT_RUN(tests);
}
