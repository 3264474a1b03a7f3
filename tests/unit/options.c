// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "tp_duration.h"
#include "tp_says.h"
#include "unit.h"

#define WORDS 6

/* What came of a parse. */
struct parse {
	int error;
	size_t used; /* how many words the options and their values took */
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

/*
 * Parses the words as the builtin does; if a "--" is among them, as the program does, because only the program takes
 * it.
 */
static void parse(struct parse *parsed, const char *const words[WORDS])
{
	size_t count = count_words(words), operands, next = 0;
	char *copies[WORDS + 1] = { NULL }, *moved[WORDS + 1];
	char face = 'b';

	memset(parsed, 0, sizeof(*parsed));
	parsed->options = (struct tp_options)TP_OPTIONS_INIT;
	for (size_t i = 0; i < count; i++) {
		copies[i] = moved[i] = strdup(words[i]);
		face = strcmp(words[i], "--") == 0 ? 'p' : face;
	}
	parsed->error = tp_options_parse(&parsed->options, face, moved, count, &operands, &parsed->why);
	parsed->used = count - operands;
	/* The operands now stand in front, in their order, and the words themselves are unchanged. */
	for (size_t i = 0; i < count && next < operands; i++)
		next += moved[next] == copies[i];
	CHECK_NUMBER(next, operands);
	for (size_t i = 0; i < count; i++) {
		CHECK_TEXT(copies[i], words[i]);
		free(copies[i]);
	}
}

/* The words are accepted, and this many belong to options. The caller checks what they mean. */
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

	CHECK_NUMBER(parsed.options.plan.family, AF_UNSPEC);
	CHECK_NUMBER(parsed.options.plan.timeout_us, 5000000);
	CHECK_NUMBER(parsed.options.plan.source.address.any.sa_family, AF_UNSPEC);
	CHECK_TEXT(parsed.options.plan.source.interface, "");
	CHECK(!parsed.options.plan.each_address && !parsed.options.help && !parsed.options.quiet);
	CHECK(!parsed.options.verbose && !parsed.options.version);
}

static void takes_flags(void)
{
	CHECK_NUMBER(TAKEN(1, "-4", "db").options.plan.family, AF_INET);
	CHECK_NUMBER(TAKEN(1, "-6", "db").options.plan.family, AF_INET6);
	CHECK(TAKEN(1, "-a", "db").options.plan.each_address);
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

	CHECK(together.options.quiet && together.options.verbose && together.options.plan.each_address);
	CHECK_NUMBER(together.options.plan.family, AF_INET);
	CHECK(apart.options.quiet && apart.options.verbose && apart.options.plan.each_address);
	CHECK_NUMBER(apart.options.plan.family, AF_INET);
	CHECK(TAKEN(2, "-qq", "-q").options.quiet);
	CHECK_NUMBER(TAKEN(2, "-44", "-4").options.plan.family, AF_INET);
}

static void takes_values_attached_and_apart(void)
{
	CHECK_NUMBER(TAKEN(1, "-t2", "db").options.plan.timeout_us, 2000000);
	CHECK_NUMBER(TAKEN(2, "-t", "2", "db").options.plan.timeout_us, 2000000);
	CHECK_NUMBER(TAKEN(1, "-qt500ms", "db").options.plan.timeout_us, 500000);
	CHECK_NUMBER(TAKEN(2, "-qvt", "500ms", "db").options.plan.timeout_us, 500000);
	CHECK_NUMBER(TAKEN(2, "-t", "0", "db").options.plan.timeout_us, 0);
	CHECK_NUMBER(TAKEN(1, "-t878400h").options.plan.timeout_us, TP_DURATION_MAX_US);
	CHECK(TAKEN(3, "-t", "1", "-v", "db").options.verbose);
}

static void keeps_the_last_value(void)
{
	CHECK_NUMBER(TAKEN(3, "-t1", "-t", "2", "db").options.plan.timeout_us, 2000000);
	CHECK_NUMBER(TAKEN(2, "-s127.0.0.1", "-s127.0.0.2").options.plan.source.address.ipv4.sin_addr.s_addr,
		     htonl(INADDR_LOOPBACK + 1));
	CHECK_NUMBER(TAKEN(2, "-s127.0.0.1", "-s::1").options.plan.family, AF_INET6);
}

static void takes_options_wherever_they_stand(void)
{
	TAKEN(0, "");
	TAKEN(0, "-");
	TAKEN(0, NULL);
	CHECK(TAKEN(1, "", "-q").options.quiet);
	CHECK(TAKEN(1, "db", "5432", "-v").options.verbose);
	CHECK_NUMBER(TAKEN(2, "db", "5432", "-t", "3").options.plan.timeout_us, 3000000);
	CHECK_NUMBER(TAKEN(3, "-q", "db", "--timeout", "3", "5432").options.plan.timeout_us, 3000000);
}

static void leaves_a_command_alone(void)
{
	struct parse parsed = TAKEN(4, "-q", "db:1", "--", "sh", "-v");

	CHECK_NUMBER(parsed.options.command, 3);
	CHECK(!parsed.options.verbose);
	CHECK_NUMBER(TAKEN(3, "--", "--", "db").options.command, 1);
	CHECK_NUMBER(TAKEN(0, "db").options.command, 0);
	REFUSED("db:1", "--");
}

static void takes_long_names(void)
{
	CHECK_NUMBER(TAKEN(2, "--timeout", "3", "db").options.plan.timeout_us, 3000000);
	CHECK_NUMBER(TAKEN(1, "--timeout=3", "db").options.plan.timeout_us, 3000000);
	CHECK_NUMBER(TAKEN(2, "--tim", "3", "db").options.plan.timeout_us, 3000000);
	CHECK_NUMBER(TAKEN(2, "-w", "3", "db").options.plan.timeout_us, 3000000);
	CHECK_NUMBER(TAKEN(2, "--wait", "3", "db").options.plan.until, TP_UNTIL_OPEN);
	CHECK_NUMBER(TAKEN(2, "--wait-c", "3", "db").options.plan.until, TP_UNTIL_CLOSED);
	CHECK(TAKEN(1, "--format=", "db").options.format != NULL);
	CHECK(TAKEN(1, "--verb", "db").options.verbose);
	CHECK(TAKEN(1, "--any", "db").options.plan.first_open);
}

static void refuses_long_names_that_are_none(void)
{
	CHECK(strstr(REFUSED("--wai", "3", "db").why.text, "ambiguous") != NULL);
	CHECK(strstr(REFUSED("--ver", "db").why.text, "ambiguous") != NULL);
	CHECK(strstr(REFUSED("--tiemout", "3", "db").why.text, "did you mean --timeout?") != NULL);
	CHECK(strstr(REFUSED("--quite", "db").why.text, "did you mean --quiet?") != NULL);
	CHECK(strstr(REFUSED("--nothing-like-it", "db").why.text, "did you mean") == NULL);
	CHECK(strstr(REFUSED("--quiet=1", "db").why.text, "takes no value") != NULL);
	REFUSED("--timeout");
	REFUSED("--=3", "db");
}

static void refuses_what_another_face_has(void)
{
	char *words[] = { (char *)"-o", (char *)"x", (char *)"db:1", (char *)"--", (char *)"sh" };
	struct tp_options options;
	struct tp_why why;
	size_t operands;

	options = (struct tp_options)TP_OPTIONS_INIT;
	CHECK_NUMBER(tp_options_parse(&options, 'p', words, 3, &operands, &why), EINVAL);
	CHECK_TEXT(why.text, "'-o': " TP_SAYS_ONLY_B);
	CHECK_NUMBER(tp_options_parse(&options, 'b', words + 2, 3, &operands, &why), EINVAL);
	CHECK(strstr(why.text, TP_SAYS_ONLY_PW) != NULL);
}

static void stands_alone_with_help(void)
{
	REFUSED("-h", "db");
	REFUSED("db", "--help");
	REFUSED("-V", "db", "1");
	REFUSED("-h", "--", "sh");
	REFUSED("-hf", "list");
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
		"-x", "-qx", "-%", "-\x01", "-\xc3\xa9", "--helpme", "---", "-t1 ", "-?", "-=", "-q-v", "-5",
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
		{ { "-t" }, "'-t': " },
		{ { "-qs" }, "'-s': " },
		{ { "-qps3cret" }, "'-p': " },
		{ { "-q\u00e9" }, "'-\u00e9': " },
		{ { "-\033[m" }, "'-\\033': " },
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

static void counts_in_a_wait(void)
{
	struct parse rounds = TAKEN(2, "-c", "3", "db"), row = TAKEN(4, "-c", "3", "-r", "30", "db");

	CHECK(rounds.options.repeat);
	CHECK_NUMBER(rounds.options.rounds, 3);
	CHECK_NUMBER(rounds.options.plan.in_a_row, 0);
	CHECK_NUMBER(rounds.options.plan.interval_us, 1000000);
	CHECK(!row.options.repeat);
	CHECK_NUMBER(row.options.plan.in_a_row, 3);
	CHECK_NUMBER(row.options.plan.interval_us, 250000);
	REFUSED("-r1", "-c0");
	REFUSED("-R1", "-c2");
}

static void wants_a_hold_that_fits(void)
{
	CHECK_NUMBER(TAKEN(2, "-k", "4.9", "db").options.plan.hold_us, 4900000);
	CHECK_NUMBER(TAKEN(1, "-k0", "db").options.plan.hold_us, 0);
	CHECK_NUMBER(TAKEN(2, "-k10", "-t0", "db").options.plan.hold_us, 10000000);
	CHECK_NUMBER(TAKEN(3, "-k1", "-t2", "-r0", "db").options.plan.hold_us, 1000000);
	REFUSED("-k5");
	REFUSED("-k1", "-t1");
	REFUSED("-k2", "-r2");
	REFUSED("-k2", "-R2");
	REFUSED("-k1", "-z");
	REFUSED("-k1", "-T");
	REFUSED("-k", "x");
}

static void takes_a_source_address(void)
{
	struct parse ipv4 = TAKEN(2, "-s", "127.0.0.1", "db"), ipv6 = TAKEN(1, "-s::1", "db");

	CHECK_NUMBER(ipv4.options.plan.source.address.any.sa_family, AF_INET);
	CHECK_NUMBER(ipv4.options.plan.source.address.ipv4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_NUMBER(ipv4.options.plan.source.address.ipv4.sin_port, 0);
	CHECK_TEXT(ipv4.options.plan.source.interface, "");
	CHECK_NUMBER(ipv6.options.plan.source.address.any.sa_family, AF_INET6);
	CHECK(IN6_IS_ADDR_LOOPBACK(&ipv6.options.plan.source.address.ipv6.sin6_addr));
	CHECK_NUMBER(ipv6.options.plan.source.address.ipv6.sin6_port, 0);
}

static void connects_in_the_family_of_its_source(void)
{
	CHECK_NUMBER(TAKEN(2, "-s", "127.0.0.1", "db").options.plan.family, AF_INET);
	CHECK_NUMBER(TAKEN(2, "-s", "::1", "db").options.plan.family, AF_INET6);
	CHECK_NUMBER(TAKEN(3, "-s", "127.0.0.1", "-4", "db").options.plan.family, AF_INET);
	CHECK_NUMBER(TAKEN(3, "-6", "-s", "::1", "db").options.plan.family, AF_INET6);
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
	CHECK_TEXT(parsed.options.plan.source.interface, interfaces[0].if_name);
	CHECK_NUMBER(parsed.options.plan.source.address.any.sa_family, AF_UNSPEC);
	CHECK_NUMBER(parsed.options.plan.family, AF_UNSPEC);
	parsed = TAKEN(3, "-s", interfaces[0].if_name, "-s127.0.0.1", "db");
	CHECK_TEXT(parsed.options.plan.source.interface, "");
	parsed = TAKEN(3, "-s127.0.0.1", "-s", interfaces[0].if_name, "db");
	CHECK_NUMBER(parsed.options.plan.source.address.any.sa_family, AF_UNSPEC);
	CHECK_NUMBER(parsed.options.plan.family, AF_UNSPEC);
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

static void has_a_line_of_help_for_every_option(void)
{
	static const struct {
		const char *letter, *name;
	} rows[] = {
#define TP_FLAG(letter, name, function, faces, help) { #letter, name },
#define TP_VALUE(letter, name, argument, function, faces, help) { #letter, name },
#include "usage.def"
	};
	char start[32];

	for (size_t i = 0; i < ROWS(rows); i++) {
		snprintf(start, sizeof(start), TP_USAGE_BREAK "  -%s, --%s ", rows[i].letter, rows[i].name);
		unit.row = start;
		CHECK(strstr(tp_usage, start) != NULL);
	}
	unit.row = NULL;
}

static void has_a_help_that_fits_a_screen(void)
{
	struct tp_text text = { 0 };
	size_t lines = 0;

	tp_put_usage(&text);
	for (const char *line = text.bytes; *line != '\0'; line += strcspn(line, "\n") + 1, lines++)
		CHECK(strcspn(line, "\n") <= 80);
	CHECK(lines <= 50);
	CHECK(strncmp(text.bytes, "usage: tcpprobe [OPTION]", 24) == 0);
	tp_text_free(&text);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "without options the defaults hold", has_defaults },
		{ "every flag is taken", takes_flags },
		{ "flags may be written together", takes_flags_together },
		{ "values may be attached or apart", takes_values_attached_and_apart },
		{ "the last of two values holds", keeps_the_last_value },
		{ "options stand before, between and behind the operands", takes_options_wherever_they_stand },
		{ "what follows -- is a COMMAND, and no option", leaves_a_command_alone },
		{ "long names are taken, cut while they are unique", takes_long_names },
		{ "a long name that is none is refused, with the nearest one", refuses_long_names_that_are_none },
		{ "an option of another face is refused by its name", refuses_what_another_face_has },
		{ "-h and -V go with no target", stands_alone_with_help },
		{ "a dash that is no value is not taken for one",
		  takes_dashes_as_values_only_where_they_mean_something },
		{ "what is no option is refused", refuses_what_is_no_option },
		{ "an option whose value is missing is refused", wants_every_value },
		{ "a complaint names what is wrong", names_what_is_wrong },
		{ "a complaint shows no secret and no control byte", never_shows_a_secret_or_a_control_byte },
		{ "-4 and -6 exclude each other", excludes_families },
		{ "a count is rounds, or in a wait how often in a row", counts_in_a_wait },
		{ "a hold is shorter than what covers it", wants_a_hold_that_fits },
		{ "a source may be an address", takes_a_source_address },
		{ "with a source address only its family is used", connects_in_the_family_of_its_source },
		{ "a source address of the other family is refused", refuses_a_source_of_the_other_family },
		{ "a source may be an interface", takes_a_source_interface },
		{ "any other source is refused", refuses_what_is_no_source },
		{ "every option has a line of help", has_a_line_of_help_for_every_option },
		{ "the help fits 80 columns and 50 lines", has_a_help_that_fits_a_screen },
	};

	return UNIT_RUN(tests);
}
