// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "unit.h"

static void gives_the_reason(void)
{
	struct tp_why why;

	CHECK_NUMBER(tp_because(&why, "%s: %d", "word", 7), EINVAL);
	CHECK_TEXT(why.text, "word: 7");
}

static void cuts_a_long_reason(void)
{
	struct tp_why why;
	char text[2 * sizeof(why.text)];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CHECK_NUMBER(tp_because(&why, "%s", text), EINVAL);
	CHECK_NUMBER(strlen(why.text), sizeof(why.text) - 1);
}

static void knows_control_characters(void)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
		{ "a", 0 },
		{ " ", 0 },
		{ "~", 0 },
		{ "\x01", 1 },
		{ "\x1b[2J", 1 },
		{ "\n", 1 },
		{ "\x1f", 1 },
		{ "\x7f", 1 },
		{ "\xc2\x80", 2 },
		{ "\xc2\x9b", 2 },
		{ "\xc2\x9f", 2 },
		{ "\xc2\xa0", 2 },
		{ "\xc2", 0 },
		{ "\xc3\x9b", 0 },
		{ "\x9b", 0 },
		{ "a\n", 0 },
		{ "\xc2z", 0 },
		{ "\xe2\x82\xac", 0 },
		{ "\xe2\x80\x8b", 3 },
		{ "\xe2\x80\xae", 3 },
		{ "\xe2\x81\xa6", 3 },
		{ "\xe2\x80\xa6", 0 },
		{ "\xe2\x80\x94", 0 },
		{ "\xe2\x80", 0 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = rows[i].text;
		CHECK_NUMBER(tp_control_length(rows[i].text), rows[i].length);
	}
}

static void quotes_words(void)
{
	static const struct {
		const char *word, *quoted;
	} rows[] = {
		{ "", "''" },
		{ "db:80x", "'db:80x'" },
		{ "it's", "'it's'" },
		{ "caf\xc3\xa9", "'caf\xc3\xa9'" },
		{ "\xff\xfe", "'\xff\xfe'" },
		{ "a\nb", "'a\\012b'" },
		{ "\x1b[2J", "'\\033[2J'" },
		{ "\x7f", "'\\177'" },
		{ "\xc2\x9b", "'\\302\\233'" },
		{ "\xc2\x9b\xc2\x9b!", "'\\302\\233\\302\\233!'" },
		{ "\xc2", "'\xc2'" },
		{ "%s%n%d", "'%s%n%d'" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = rows[i].word;
		CHECK_TEXT(tp_quote(rows[i].word).text, rows[i].quoted);
	}
}

static void hides_what_may_be_a_secret(void)
{
	static const struct {
		const char *word, *quoted;
	} rows[] = {
		{ "postgres://u:secret@db/app", "'postgres://...'" },
		{ "http://", "'http://'" },
		{ "://secret", "'...'" },
		{ "u:secret@http://db", "'...'" },
		{ "u:secret@db:5432", "'...'" },
		{ "@db", "'...'" },
		{ "u:secret@db/secret", "'...'" },
		{ "http://a?b=http://secret", "'http://...'" },
		{ "u:pass\nword@db", "'...'" },
		{ "password=secret", "'...'" },
		{ "h:6379,password=secret", "'...'" },
		{ "=", "'...'" },
		{ "jdbc:mysql://u:secret@h", "'jdbc:mysql://...'" },
		{ "jdbc:oracle:thin:u/secret", "'jdbc:...'" },
		{ "R2DBC:x", "'R2DBC:...'" },
		{ "h:80?secret", "'...'" },
		{ "h/x?secret", "'...'" },
		{ "h:80#secret", "'...'" },
		{ "-?", "'-?'" },
		{ "%?", "'%?'" },
		{ "h:5432:db:user:secret", "'...'" },
		{ "h:80:secret", "'...'" },
		{ "h:80::secret", "'...'" },
		{ "::1:80:user:secret", "'...'" },
		{ "h1:1,h2:2:secret", "'...'" },
		{ "user/secret", "'...'" },
		{ "hooks.test/services/secret", "'...'" },
		{ "domain\\secret", "'...'" },
		{ "h;5432;secret", "'...'" },
		{ "h|secret", "'...'" },
		{ "h&secret", "'...'" },
		{ "mysql -psecret", "'...'" },
		{ "<password>secret", "'...'" },
		{ "user\xef\xbc\x9asecret\xef\xbc\xa0h", "'...'" },
		{ "h1:1,h2:2", "'h1:1,h2:2'" },
		{ "1:2:3:4:5:6:7:1.2.3.4", "'1:2:3:4:5:6:7:1.2.3.4'" },
		{ "[::1]:80,[::2]:80", "'[::1]:80,[::2]:80'" },
		{ "fe80::1%eth0", "'fe80::1%eth0'" },
		{ "10.0.0.0/33", "'10.0.0.0/33'" },
		{ "10.0.0.0/30:80", "'10.0.0.0/30:80'" },
		{ "h:53/udp", "'h:53/udp'" },
		{ "/dev/tcp/h/0", "'/dev/tcp/h/0'" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = rows[i].word;
		CHECK_TEXT(tp_quote(rows[i].word).text, rows[i].quoted);
	}
}

static void hides_secrets_of_paths(void)
{
	static const struct {
		const char *path, *shown;
	} rows[] = {
		{ "/etc/hosts.list", "/etc/hosts.list" },
		{ "/home/me@corp/list", "/home/me@corp/list" },
		{ "a:b", "'a:b'" },
		{ "/tmp/a:b", "'...'" },
		{ "redis://u:secret@h", "'redis://...'" },
		{ "u:secret@h", "'...'" },
		{ "PASSWORD=secret", "'...'" },
		{ "a\nb", "'a\\012b'" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_quoted quoted;

		unit.row = rows[i].path;
		CHECK_TEXT(tp_path(rows[i].path, &quoted), rows[i].shown);
	}
}

/* Words of every length around the cut, of bytes that are shown as one byte and of bytes that are shown as four. */
static void cuts_long_words(void)
{
	static const char fillers[] = { 'x', '\n', '\xc2', '@', ':' };

	for (size_t i = 0; i < sizeof(fillers); i++) {
		for (size_t length = 1; length < 300; length++) {
			char word[300];
			struct tp_quoted quoted;
			size_t end;

			memset(word, fillers[i], length);
			word[length] = '\0';
			quoted = tp_quote(word);
			end = strlen(quoted.text);
			CHECK(end < sizeof(quoted.text));
			CHECK(end >= 2 && quoted.text[0] == '\'' && quoted.text[end - 1] == '\'');
			CHECK(!has_control(quoted.text));
		}
	}
}

static void shows_what_it_cut(void)
{
	char word[1000] = { 0 };
	struct tp_quoted quoted;

	memset(word, 'x', 100);
	quoted = tp_quote(word);
	CHECK_NUMBER(strlen(quoted.text), 100 + strlen("''"));
	memset(word, 'x', sizeof(word) - 1);
	quoted = tp_quote(word);
	CHECK(strcmp(quoted.text + strlen(quoted.text) - 4, "...'") == 0);
}

static void stays_failed_where_memory_is_out(void)
{
	struct tp_text text = { 0 };

	tp_put(&text, "before");
	tp_put_bytes(&text, "", PTRDIFF_MAX);
	CHECK(text.failed);
	tp_put(&text, "behind");
	CHECK_TEXT(text.bytes, "before");
	tp_text_free(&text);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a reason is made as printf makes it", gives_the_reason },
		{ "a reason that is too long is cut", cuts_a_long_reason },
		{ "control characters are known: C0, DEL, and C1 in UTF-8", knows_control_characters },
		{ "a word is quoted, and what a terminal obeys is not in it", quotes_words },
		{ "of a word that may hold a secret only the public part is quoted", hides_what_may_be_a_secret },
		{ "a path is shown as it is, unless it may hold a secret or harm a terminal", hides_secrets_of_paths },
		{ "a word of any length fits, whatever it is made of", cuts_long_words },
		{ "a word that was cut ends in dots", shows_what_it_cut },
		{ "where memory is out a text keeps what it had, and says so", stays_failed_where_memory_is_out },
	};

	return UNIT_RUN(tests);
}
