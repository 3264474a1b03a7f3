// SPDX-License-Identifier: GPL-3.0-or-later
/* What is said about words that are no targets: the wrong piece, and never a secret. */
#include "parses.h"

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

	/* 1 to 0x1f stand for themselves, 0x20 for DEL, and 0x21 to 0x40 for U+0080 to U+009f, in UTF-8. */
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

int main(void)
{
	static const struct unit_test tests[] = {
		{ "no complaint shows the user, password, path or query of a URL", never_shows_the_secret_of_a_url },
		{ "no complaint shows them wherever the URL stands", never_shows_it_wherever_the_url_stands },
		{ "no complaint shows them where the scheme was forgotten",
		  never_shows_it_where_the_scheme_is_missing },
		{ "no complaint has a control byte", never_shows_a_control_byte },
		{ "a complaint names the piece that is wrong", names_the_piece_that_is_wrong },
	};

	return UNIT_RUN(tests);
}
