// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "tp_duration.h"
#include "unit.h"

#define WORDS 6

/* What was written, and what came of it. */
struct parse {
	int error;
	size_t used;
	struct tp_options options;
	struct tp_why why;
};

static size_t count_words(const char *const words[WORDS])
{
	size_t count = 0;

	while (count < WORDS && words[count] != NULL)
		count++;
	return count;
}

static void parse(struct parse *parsed, const char *const words[WORDS])
{
	size_t count = count_words(words);
	char *copies[WORDS + 1] = { NULL };

	memset(parsed, 0, sizeof(*parsed));
	tp_options_init(&parsed->options);
	for (size_t i = 0; i < count; i++)
		copies[i] = strdup(words[i]);
	parsed->error = tp_options_parse(&parsed->options, copies, count, &parsed->used, &parsed->why);
	for (size_t i = 0; i < count; i++) {
		CHECK_TEXT(copies[i], words[i]);
		free(copies[i]);
	}
}

/* So many words are taken; what they mean is for the caller to check. */
static struct parse taken(size_t used, const char *const words[WORDS])
{
	struct parse parsed;

	unit.row = words[0];
	parse(&parsed, words);
	if (!CHECK_NUMBER(parsed.error, 0))
		CHECK_TEXT(parsed.why.text, "");
	CHECK_NUMBER(parsed.used, used);
	return parsed;
}

#define TAKEN(used, ...) taken(used, (const char *const[WORDS]){ __VA_ARGS__ })

static struct parse refused(const char *const words[WORDS])
{
	struct parse parsed;

	unit.row = words[0];
	parse(&parsed, words);
	CHECK_NUMBER(parsed.error, EINVAL);
	CHECK(parsed.why.text[0] != '\0');
	CHECK(!has_control(parsed.why.text));
	return parsed;
}

#define REFUSED(...) refused((const char *const[WORDS]){ __VA_ARGS__ })

static void has_defaults(void)
{
	struct parse parsed = TAKEN(0, "db", "80");

	CHECK_NUMBER(parsed.options.family, AF_UNSPEC);
	CHECK_NUMBER(parsed.options.timeout_us, 5000000);
	CHECK_NUMBER(parsed.options.source.address.any.sa_family, AF_UNSPEC);
	CHECK_TEXT(parsed.options.source.interface, "");
	CHECK(!parsed.options.each_address && !parsed.options.help && !parsed.options.quiet);
	CHECK(!parsed.options.verbose && !parsed.options.version);
}

static void takes_flags(void)
{
	CHECK_NUMBER(TAKEN(1, "-4", "db").options.family, AF_INET);
	CHECK_NUMBER(TAKEN(1, "-6", "db").options.family, AF_INET6);
	CHECK(TAKEN(1, "-a", "db").options.each_address);
	CHECK(TAKEN(1, "-h").options.help);
	CHECK(TAKEN(1, "-q", "db").options.quiet);
	CHECK(TAKEN(1, "-v", "db").options.verbose);
	CHECK(TAKEN(1, "-V").options.version);
	CHECK(TAKEN(1, "--help").options.help);
	CHECK(TAKEN(2, "-q", "--help").options.help);
}

static void takes_flags_together(void)
{
	struct parse together = TAKEN(1, "-qva4", "db"), apart = TAKEN(4, "-q", "-v", "-a", "-4", "db");

	CHECK(together.options.quiet && together.options.verbose && together.options.each_address);
	CHECK_NUMBER(together.options.family, AF_INET);
	CHECK(apart.options.quiet && apart.options.verbose && apart.options.each_address);
	CHECK_NUMBER(apart.options.family, AF_INET);
	CHECK(TAKEN(2, "-qq", "-q").options.quiet);
	CHECK_NUMBER(TAKEN(2, "-44", "-4").options.family, AF_INET);
}

static void takes_values_attached_and_apart(void)
{
	CHECK_NUMBER(TAKEN(1, "-t2", "db").options.timeout_us, 2000000);
	CHECK_NUMBER(TAKEN(2, "-t", "2", "db").options.timeout_us, 2000000);
	CHECK_NUMBER(TAKEN(1, "-qt500ms", "db").options.timeout_us, 500000);
	CHECK_NUMBER(TAKEN(2, "-qvt", "500ms", "db").options.timeout_us, 500000);
	CHECK_NUMBER(TAKEN(2, "-t", "0", "db").options.timeout_us, 0);
	CHECK_NUMBER(TAKEN(1, "-t878400h").options.timeout_us, TP_DURATION_MAX_US);
	CHECK(TAKEN(3, "-t", "1", "-v", "db").options.verbose);
}

static void keeps_the_last_value(void)
{
	CHECK_NUMBER(TAKEN(3, "-t1", "-t", "2", "db").options.timeout_us, 2000000);
	CHECK_NUMBER(TAKEN(2, "-s127.0.0.1", "-s127.0.0.2").options.source.address.ipv4.sin_addr.s_addr,
		     htonl(INADDR_LOOPBACK + 1));
	CHECK_NUMBER(TAKEN(2, "-s127.0.0.1", "-s::1").options.family, AF_INET6);
}

static void ends_where_operands_begin(void)
{
	TAKEN(0, "");
	TAKEN(0, "", "-q");
	TAKEN(0, "-");
	TAKEN(0, "-", "-q");
	TAKEN(0, "db", "-q");
	TAKEN(1, "-q", "db", "-v");
	TAKEN(1, "--", "-q");
	TAKEN(2, "-q", "--", "-v");
	TAKEN(1, "--", "--");
	TAKEN(1, "--");
	CHECK(!TAKEN(2, "-q", "--", "-v").options.verbose);
	TAKEN(0, NULL);
}

static void takes_dashes_as_values_only_where_they_mean_something(void)
{
	REFUSED("-t", "--", "db");
	REFUSED("-t", "-q", "db");
	REFUSED("-s", "--");
}

static void refuses_what_is_no_option(void)
{
	static const char *const words[] = {
		"-x",  "-qx",       "-%",   "-\x01", "-\xc3\xa9", "--helpme", "--hel",
		"---", "--verbose", "-t1 ", "-?",    "-=",        "-q-v",     "-5",
	};

	for (size_t i = 0; i < ROWS(words); i++)
		REFUSED(words[i], "db");
}

static void wants_every_value(void)
{
	REFUSED("-t");
	REFUSED("-s");
	REFUSED("-qt");
	REFUSED("-q", "-t");
	REFUSED("-t", "");
	REFUSED("-s", "");
}

static void names_what_is_wrong(void)
{
	static const struct {
		const char *words[WORDS], *piece;
	} rows[] = {
		{ { "-x" }, "'-x'" },
		{ { "-t" }, "-t: " },
		{ { "-qs" }, "-s: " },
		{ { "-t", "5x" }, "-t '5x'" },
		{ { "-t-1" }, "-t '-1'" },
		{ { "-t", "999999999999" }, "too long" },
		{ { "-s", "zz9" }, "-s 'zz9'" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct parse parsed = refused(rows[i].words);

		if (!CHECK(strstr(parsed.why.text, rows[i].piece) != NULL))
			CHECK_TEXT(parsed.why.text, rows[i].piece);
	}
}

static void never_shows_a_secret_or_a_control_byte(void)
{
	static const char *const values[] = {
		"http://u:hunter2@db", "u:hunter2@db", "\x01http://hunter2", "5\x01", "\x1b]0;x\x07", "\xc2\x9b",
	};
	char word[64];

	for (size_t i = 0; i < ROWS(values); i++) {
		static const char *const options[] = { "-t", "-s", "-x", "-qs" };

		for (size_t j = 0; j < ROWS(options); j++) {
			CHECK(strstr(REFUSED(options[j], values[i]).why.text, "hunter2") == NULL);
			snprintf(word, sizeof(word), "%s%s", options[j], values[i]);
			CHECK(strstr(REFUSED(word).why.text, "hunter2") == NULL);
		}
	}
}

static void excludes_families(void)
{
	REFUSED("-4", "-6");
	REFUSED("-6", "-4");
	REFUSED("-46");
	REFUSED("-64q");
}

static void takes_a_source_address(void)
{
	struct parse ipv4 = TAKEN(2, "-s", "127.0.0.1", "db"), ipv6 = TAKEN(1, "-s::1", "db");

	CHECK_NUMBER(ipv4.options.source.address.any.sa_family, AF_INET);
	CHECK_NUMBER(ipv4.options.source.address.ipv4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_NUMBER(ipv4.options.source.address.ipv4.sin_port, 0);
	CHECK_TEXT(ipv4.options.source.interface, "");
	CHECK_NUMBER(ipv6.options.source.address.any.sa_family, AF_INET6);
	CHECK(IN6_IS_ADDR_LOOPBACK(&ipv6.options.source.address.ipv6.sin6_addr));
	CHECK_NUMBER(ipv6.options.source.address.ipv6.sin6_port, 0);
}

static void connects_in_the_family_of_its_source(void)
{
	CHECK_NUMBER(TAKEN(2, "-s", "127.0.0.1", "db").options.family, AF_INET);
	CHECK_NUMBER(TAKEN(2, "-s", "::1", "db").options.family, AF_INET6);
	CHECK_NUMBER(TAKEN(3, "-s", "127.0.0.1", "-4", "db").options.family, AF_INET);
	CHECK_NUMBER(TAKEN(3, "-6", "-s", "::1", "db").options.family, AF_INET6);
}

static void refuses_a_source_of_the_other_family(void)
{
	REFUSED("-s", "127.0.0.1", "-6");
	REFUSED("-6", "-s", "127.0.0.1");
	REFUSED("-4s::1");
	REFUSED("-s::1", "-4");
}

static void takes_a_source_interface(void)
{
	struct if_nameindex *interfaces = if_nameindex();
	struct parse parsed;

	if (interfaces != NULL)
		unit_written(interfaces, sizeof(*interfaces));
	if (interfaces == NULL || interfaces[0].if_name == NULL) {
		if_freenameindex(interfaces);
		unit_skip("no interface here");
		return;
	}
	unit_written_text(interfaces[0].if_name);
	parsed = TAKEN(2, "-s", interfaces[0].if_name, "db");
	CHECK_TEXT(parsed.options.source.interface, interfaces[0].if_name);
	CHECK_NUMBER(parsed.options.source.address.any.sa_family, AF_UNSPEC);
	CHECK_NUMBER(parsed.options.family, AF_UNSPEC);
	parsed = TAKEN(3, "-s", interfaces[0].if_name, "-s127.0.0.1", "db");
	CHECK_TEXT(parsed.options.source.interface, "");
	parsed = TAKEN(3, "-s127.0.0.1", "-s", interfaces[0].if_name, "db");
	CHECK_NUMBER(parsed.options.source.address.any.sa_family, AF_UNSPEC);
	CHECK_NUMBER(parsed.options.family, AF_UNSPEC);
	if_freenameindex(interfaces);
}

static void refuses_what_is_no_source(void)
{
	static const char *const values[] = {
		"256.0.0.1",
		"::1::",
		"localhost",
		"db.invalid",
		"no-such-if",
		"[::1]",
		"127.0.0.1:80",
		"127.0.0.1/8",
		"lo ",
		"0123456789abcde",
		"0123456789abcdef",
		"0123456789abcdef0",
		"0123456789abcdef0123456789abcdef0123456789",
	};

	for (size_t i = 0; i < ROWS(values); i++)
		REFUSED("-s", values[i], "db");
}

static void has_a_usage_text_for_every_option(void)
{
	static const char letters[] = {
#define TP_FLAG(letter, function, help) #letter[0],
#define TP_VALUE(letter, argument, function, help) #letter[0],
#include "usage.def"
	};

	for (size_t i = 0; i < sizeof(letters); i++) {
		char start[] = { '\n', ' ', ' ', ' ', ' ', ' ', ' ', '-', letters[i], '\0' };

		unit.row = start;
		CHECK(strchr(tp_synopsis, letters[i]) != NULL);
		CHECK(strstr(tp_usage, start) != NULL);
	}
	unit.row = NULL;
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "without options the defaults hold", has_defaults },
		{ "every flag is taken", takes_flags },
		{ "flags may be written together", takes_flags_together },
		{ "values may be attached or apart", takes_values_attached_and_apart },
		{ "the last of two values holds", keeps_the_last_value },
		{ "options end at --, at - and at the first operand", ends_where_operands_begin },
		{ "a dash that is no value is not taken for one",
		  takes_dashes_as_values_only_where_they_mean_something },
		{ "what is no option is refused", refuses_what_is_no_option },
		{ "an option whose value is missing is refused", wants_every_value },
		{ "a complaint names what is wrong", names_what_is_wrong },
		{ "a complaint shows no secret and no control byte", never_shows_a_secret_or_a_control_byte },
		{ "-4 and -6 exclude each other", excludes_families },
		{ "a source may be an address", takes_a_source_address },
		{ "with a source address only its family is used", connects_in_the_family_of_its_source },
		{ "a source address of the other family is refused", refuses_a_source_of_the_other_family },
		{ "a source may be an interface", takes_a_source_interface },
		{ "any other source is refused", refuses_what_is_no_source },
		{ "every option is in the synopsis and in the usage text", has_a_usage_text_for_every_option },
	};

	return UNIT_RUN(tests);
}
