// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_options.h"

#include <errno.h>
#include <string.h>

#include "tp_duration.h"
#include "tp_lookup.h"
#include "tp_os.h"
#include "tp_report.h"
#include "tp_says.h"

void tp_put_usage(struct tp_text *text)
{
	const char *line = tp_usage, *newline;

	tp_put(text, "usage: ");
	tp_put(text, tp_synopsis);
	/* bash's help(1) indents the lines itself; here they are not indented. */
	while ((newline = strstr(line, TP_USAGE_BREAK)) != NULL) {
		tp_put(text, "\n");
		tp_put_bytes(text, line, (size_t)(newline - line));
		line = newline + strlen(TP_USAGE_BREAK);
	}
	tp_put(text, "\n");
	tp_put(text, line);
	tp_put(text, "\n");
}

/*
 * One function an option, named in usage.def. value is NULL for a flag.
 * Each returns 0, or EINVAL with the reason.
 */
static int set_ipv4(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)value;
	(void)why;
	options->plan.family = AF_INET;
	return 0;
}

static int set_ipv6(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)value;
	(void)why;
	options->plan.family = AF_INET6;
	return 0;
}

#define SET_FLAG(name, field)                                                                    \
	static int set_##name(struct tp_options *options, const char *value, struct tp_why *why) \
	{                                                                                        \
		(void)value;                                                                     \
		(void)why;                                                                       \
		options->field = true;                                                           \
		return 0;                                                                        \
	}
SET_FLAG(each_address, plan.each_address)
SET_FLAG(first_open, plan.first_open)
SET_FLAG(help, help)
SET_FLAG(json, json)
SET_FLAG(quiet, quiet)
SET_FLAG(verbose, verbose)
SET_FLAG(version, version)

static int set_half_open(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)value;
	options->plan.half_open = true;
	return tp_os_has_half_open() ? 0 : tp_because(why, "-z: works on Linux only");
}

static int set_trace(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)value;
	options->trace = true;
	if (!tp_os_has_half_open() || !tp_os_has_evidence())
		return tp_because(why, "-T: works on Linux only");
	return 0;
}

static int set_source(struct tp_options *options, const char *value, struct tp_why *why)
{
	memset(&options->plan.source, 0, sizeof(options->plan.source));
	if (tp_lookup_numeric(value, AF_UNSPEC, &options->plan.source.address) == 0)
		return 0;
	/* Linux takes the part before the colon of an alias; but an alias is no interface to bind to. */
	if (strlen(value) >= sizeof(options->plan.source.interface) || strchr(value, ':') != NULL ||
	    if_nametoindex(value) == 0)
		return tp_because(why, "-s %s: " TP_SAYS_BAD_SOURCE, tp_quote(value).text);
	strcpy(options->plan.source.interface, value);
	return 0;
}

static int set_duration(int64_t *duration_us, char letter, const char *value, struct tp_why *why)
{
	switch (tp_duration_parse(value, duration_us)) {
	case 0:
		return 0;
	case ERANGE:
		return tp_because(why, "-%c %s: " TP_SAYS_LONG_DURATION, letter, tp_quote(value).text);
	default:
		return tp_because(why, "-%c %s: " TP_SAYS_BAD_DURATION, letter, tp_quote(value).text);
	}
}

static int set_timeout(struct tp_options *options, const char *value, struct tp_why *why)
{
	return set_duration(&options->plan.timeout_us, 't', value, why);
}

static int set_interval(struct tp_options *options, const char *value, struct tp_why *why)
{
	return set_duration(&options->plan.interval_us, 'i', value, why);
}

static int set_until_open(struct tp_options *options, const char *value, struct tp_why *why)
{
	options->plan.until = TP_UNTIL_OPEN;
	return set_duration(&options->plan.wait_us, 'r', value, why);
}

static int set_until_closed(struct tp_options *options, const char *value, struct tp_why *why)
{
	options->plan.until = TP_UNTIL_CLOSED;
	return set_duration(&options->plan.wait_us, 'R', value, why);
}

static int set_hold(struct tp_options *options, const char *value, struct tp_why *why)
{
	return set_duration(&options->plan.hold_us, 'k', value, why);
}

/*
 * Limits far beyond use: more probes than there are ports and descriptors, and rounds for thirty years at one a second.
 */
#define COUNT_MAX 999999999

/* Digits, nothing else, and at least so many. */
static int set_count(size_t *count, size_t least, char letter, const char *value, struct tp_why *why)
{
	size_t sum = 0, length = strspn(value, "0123456789");

	for (size_t i = 0; i < length && sum <= COUNT_MAX; i++)
		sum = sum * 10 + (size_t)(value[i] - '0');
	if (length == 0 || value[length] != '\0' || sum < least || sum > COUNT_MAX)
		return tp_because(why, "-%c %s: " TP_SAYS_BAD_COUNT " %zu to %d", letter, tp_quote(value).text, least,
				  COUNT_MAX);
	*count = sum;
	return 0;
}

static int set_limit(struct tp_options *options, const char *value, struct tp_why *why)
{
	return set_count(&options->plan.limit, 1, 'n', value, why);
}

static int set_rounds(struct tp_options *options, const char *value, struct tp_why *why)
{
	options->repeat = true;
	return set_count(&options->rounds, 0, 'c', value, why);
}

/* If two files were given, the targets of one would be lost. */
static int set_file(struct tp_options *options, const char *value, struct tp_why *why)
{
	struct tp_quoted quoted;

	if (options->file != NULL)
		return tp_because(why, "-f %s: " TP_SAYS_ONE_FILE, tp_path(value, &quoted));
	options->file = value;
	return 0;
}

static int set_format(struct tp_options *options, const char *value, struct tp_why *why)
{
	options->format = value;
	return tp_format_check(value, why);
}

static int set_reports_name(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)why;
	options->reports_name = value;
	return 0;
}

static int set_descriptor_name(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)why;
	options->descriptor_name = value;
	options->plan.keep = true;
	return 0;
}

/* A row of usage.def. Arrays, not pointers, which would be relocated in each shell. */
static const struct option {
	char letter[2];
	char name[15];
	char faces[4];
	bool has_value;
	int (*set)(struct tp_options *options, const char *value, struct tp_why *why);
} table[] = {
#define TP_FLAG(letter, name, function, faces, help) { #letter, name, faces, false, set_##function },
#define TP_VALUE(letter, name, argument, function, faces, help) { #letter, name, faces, true, set_##function },
#include "usage.def"
};

/* The rows by their letters: ROW_t is table[ROW_t]. */
enum {
#define TP_FLAG(letter, name, function, faces, help) ROW_##letter,
#define TP_VALUE(letter, name, argument, function, faces, help) ROW_##letter,
#include "usage.def"
	TABLE_COUNT
};

static const struct option *find_letter(char letter)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (table[i].letter[0] == letter)
			return &table[i];
	}
#define TP_ALIAS(alias, name, argument, of) \
	if (letter == #alias[0])            \
		return &table[ROW_##of];
#include "usage.def"
	return NULL;
}

/* The words while they are parsed. */
struct parser {
	struct tp_options *options;
	char face;
	char **words;
	size_t count, next; /* next: the first word that was not looked at yet */
	uint32_t given;     /* bits: the rows of the table that were given */
	struct tp_why *why;
};

/* Some face has the option, but not this one. */
static int refuse_face(const struct parser *parser, const struct option *option, const char *word)
{
	return tp_because(parser->why, "%s: %s", tp_quote(word).text,
			  strcmp(option->faces, "b") == 0 ? TP_SAYS_ONLY_B : TP_SAYS_ONLY_BP);
}

/*
 * Sets an option. word: the option as messages show it. value: the value in the same word, or NULL: then the next word
 * is the value.
 */
static int take(struct parser *parser, const struct option *option, const char *word, const char *value)
{
	if (strchr(option->faces, parser->face) == NULL)
		return refuse_face(parser, option, word);
	parser->given |= UINT32_C(1) << (option - table);
	if (option->has_value && value == NULL) {
		if (parser->next == parser->count)
			return tp_because(parser->why, "%s: " TP_SAYS_NO_ARGUMENT, tp_quote(word).text);
		value = parser->words[parser->next++];
	}
	return option->set(parser->options, value, parser->why);
}

/* "-qvt5". Messages show one letter of it: what follows may be a password, as in mysql's -pPASSWORD. */
static int parse_letters(struct parser *parser, const char *word)
{
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		const struct option *option = find_letter(*letter);
		char shown[2 + 4] = "-"; /* a character has up to 4 bytes in UTF-8, all but the first 0x80 to 0xbf */
		int error;

		shown[1] = *letter;
		for (size_t i = 1; i < 4 && (letter[i] & 0xc0) == 0x80; i++)
			shown[1 + i] = letter[i];
		if (option == NULL)
			return tp_because(parser->why, "%s: " TP_SAYS_BAD_OPTION, tp_quote(shown).text);
		if (option->has_value)
			return take(parser, option, shown, letter[1] != '\0' ? letter + 1 : NULL);
		error = take(parser, option, shown, NULL);
		if (error != 0)
			return error;
	}
	return 0;
}

/*
 * Finds the option with this long name, or the only one whose name begins with it. *many: several names begin with it.
 */
static const struct option *find_name(const char *name, size_t length, bool *many)
{
	const struct option *found = NULL;

	*many = false;
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (strncmp(table[i].name, name, length) != 0)
			continue;
		if (table[i].name[length] == '\0') {
			*many = false;
			return &table[i];
		}
		*many = found != NULL;
		found = &table[i];
	}
	return found;
}

/* The longest name that is compared with others. */
#define NAME_MAX_LENGTH (sizeof(table[0].name) - 1)

/* The number of letters that must be added, removed or changed to make one name the other (Levenshtein's distance). */
static size_t distance(const char *one, size_t length, const char *other)
{
	size_t row[NAME_MAX_LENGTH + 1], other_length = strlen(other);

	for (size_t j = 0; j <= other_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= other_length; j++) {
			size_t above = row[j], best = diagonal + (one[i - 1] != other[j - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[other_length];
}

static int refuse_name(const struct parser *parser, const char *word, size_t length)
{
	const struct option *nearest = NULL;
	size_t least = 3;

	for (size_t i = 0; i < TABLE_COUNT && length <= NAME_MAX_LENGTH; i++) {
		size_t steps = distance(word + 2, length, table[i].name);

		if (steps < least) {
			least = steps;
			nearest = &table[i];
		}
	}
	if (nearest == NULL)
		return tp_because(parser->why, "%s: " TP_SAYS_BAD_OPTION, tp_quote(word).text);
	return tp_because(parser->why, "%s: " TP_SAYS_BAD_OPTION "; did you mean --%s?", tp_quote(word).text,
			  nearest->name);
}

/* "--timeout", "--timeout=5" */
static int parse_name(struct parser *parser, const char *word)
{
	const char *name = word + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] == '=' ? name + length + 1 : NULL;
	bool many;
	const struct option *option = find_name(name, length, &many);

	if (many)
		return tp_because(parser->why, "%s: " TP_SAYS_AMBIGUOUS, tp_quote(word).text);
	if (option == NULL)
		return refuse_name(parser, word, length);
	if (value != NULL && !option->has_value)
		return tp_because(parser->why, "--%s: " TP_SAYS_NO_VALUE, option->name);
	return take(parser, option, word, value);
}

/* "--": what follows is a COMMAND. */
static int take_command(struct parser *parser)
{
	if (parser->face == 'b')
		return tp_because(parser->why, "'--': " TP_SAYS_ONLY_PW "; here: tcpprobe TARGET && COMMAND");
	if (parser->next == parser->count)
		return tp_because(parser->why, "'--': " TP_SAYS_NO_COMMAND);
	parser->options->command = parser->next;
	parser->count = parser->next;
	return 0;
}

static int check_exclusions(const struct parser *parser)
{
	static const uint8_t pairs[][2] = {
#define TP_EXCLUDE(one, other) { ROW_##one, ROW_##other },
#include "usage.def"
	};

	/* Usually fewer than two options were given. */
	if ((parser->given & (parser->given - 1)) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		unsigned one = pairs[i][0], other = pairs[i][1];

		if ((parser->given >> one & parser->given >> other & 1) != 0)
			return tp_because(parser->why, "-%s and -%s " TP_SAYS_EXCLUDE, table[one].letter,
					  table[other].letter);
	}
	return 0;
}

/* A source address has one family, and so have the probes from it. */
static int check_source(struct tp_options *options, struct tp_why *why)
{
	int family = options->plan.source.address.any.sa_family;

	if (family == AF_UNSPEC)
		return 0;
	if (options->plan.family != AF_UNSPEC && options->plan.family != family)
		return tp_because(why, "-s: " TP_SAYS_BAD_FAMILY " -%d asks for",
				  options->plan.family == AF_INET ? 4 : 6);
	options->plan.family = family;
	return 0;
}

/* With a wait, -c says how many times in a row a target must be open. */
static int check_count(struct tp_options *options, struct tp_why *why)
{
	if (!options->repeat || options->plan.until != TP_UNTIL_OPEN)
		return 0;
	if (options->rounds == 0)
		return tp_because(why, "-c 0: " TP_SAYS_COUNT_IN_WAIT);
	options->plan.in_a_row = options->rounds;
	options->repeat = false;
	return 0;
}

/* A hold that cannot end in time would make every probe a timeout. */
static int check_hold(const struct tp_plan *plan, struct tp_why *why)
{
	if (plan->hold_us == 0)
		return 0;
	if (plan->timeout_us != 0 && plan->hold_us >= plan->timeout_us)
		return tp_because(why, "-k: " TP_SAYS_LONG_HOLD " -t");
	if (plan->until != TP_ONCE && plan->wait_us != 0 && plan->hold_us >= plan->wait_us)
		return tp_because(why, "-k: " TP_SAYS_LONG_HOLD " -%c", plan->until == TP_UNTIL_OPEN ? 'r' : 'R');
	return 0;
}

/* Checks what can only be checked when all words are known. */
static int check(const struct parser *parser, size_t operands)
{
	struct tp_options *options = parser->options;
	int error = check_exclusions(parser);

	if (error != 0)
		return error;
	/*
	 * In many tools -h names the host. If `-h db` were taken for the help, with its status 0, a wait in a script
	 * would end at once.
	 */
	if ((options->help || options->version) && (operands > 0 || options->file != NULL || options->command > 0))
		return tp_because(parser->why, TP_SAYS_HELP_ALONE);
	error = check_count(options, parser->why);
	if (error == 0)
		error = check_hold(&options->plan, parser->why);
	if (error != 0)
		return error;
	if (options->plan.interval_us < 0)
		options->plan.interval_us = options->repeat ? 1000000 : 250000;
	return check_source(options, parser->why);
}

int tp_options_parse(struct tp_options *options, char face, char *words[], size_t count, size_t *operands,
		     struct tp_why *why)
{
	struct parser parser = { .options = options, .face = face, .words = words, .count = count, .why = why };
	int error = 0;

	*operands = 0;
	while (error == 0 && parser.next < parser.count) {
		char *word = words[parser.next++];

		if (word[0] != '-' || word[1] == '\0')
			words[(*operands)++] = word;
		else if (word[1] != '-')
			error = parse_letters(&parser, word);
		else if (word[2] != '\0')
			error = parse_name(&parser, word);
		else
			error = take_command(&parser);
	}
	return error != 0 ? error : check(&parser, *operands);
}
