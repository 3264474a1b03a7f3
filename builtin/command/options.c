// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_options.h"

#include <errno.h>
#include <string.h>

#include "tp_duration.h"
#include "tp_lookup.h"
#include "tp_os.h"
#include "tp_report.h"
#include "tp_says.h"

const char tp_synopsis[] = "tcpprobe [-"
#define TP_FLAG(letter, function, help) #letter
#include "usage.def"
			   "]"
#define TP_VALUE(letter, argument, function, help) " [-" #letter " " #argument "]"
#include "usage.def"
			   " target ...";

/* One string, with the indentation that bash gives the first line: an array of lines would be relocated in each shell. */
const char tp_usage[] = ""
#define TP_TEXT(line) line "\n    "
#define TP_FLAG(letter, function, help) "  -" #letter "\t\t" help "\n    "
#define TP_VALUE(letter, argument, function, help) "  -" #letter " " #argument "\t" help "\n    "
#include "usage.def"
#define TP_STATE(id, status, telling, word, meaning) "  " #status "\t" word ": " meaning "\n    "
#define TP_STATUS(id, status, written, meaning) "  " written "\t" meaning "\n    "
#include "tcpprobe.def"
	;

void tp_options_init(struct tp_options *options)
{
	*options = (struct tp_options){
		.family = AF_UNSPEC,
		.timeout_us = INT64_C(5) * 1000000,
		.interval_us = -1,
		.limit = 256,
	};
}

/*
 * One function an option, named in usage.def. value is NULL for a flag.
 * Each returns 0, or EINVAL with the reason.
 */
static int set_family(struct tp_options *options, int family, struct tp_why *why)
{
	if (options->family != AF_UNSPEC && options->family != family)
		return tp_because(why, "-4 and -6 " TP_SAYS_EXCLUDE);
	options->family = family;
	return 0;
}

static int set_ipv4(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)value;
	return set_family(options, AF_INET, why);
}

static int set_ipv6(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)value;
	return set_family(options, AF_INET6, why);
}

#define SET_FLAG(name)                                                                           \
	static int set_##name(struct tp_options *options, const char *value, struct tp_why *why) \
	{                                                                                        \
		(void)value;                                                                     \
		(void)why;                                                                       \
		options->name = true;                                                            \
		return 0;                                                                        \
	}
SET_FLAG(each_address)
SET_FLAG(first_open)
SET_FLAG(help)
SET_FLAG(json)
SET_FLAG(quiet)
SET_FLAG(verbose)
SET_FLAG(version)

static int set_half_open(struct tp_options *options, const char *value, struct tp_why *why)
{
	(void)value;
	options->half_open = true;
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
	memset(&options->source, 0, sizeof(options->source));
	if (tp_lookup_numeric(value, AF_UNSPEC, &options->source.address) == 0)
		return 0;
	/* Linux cuts at the colon of an alias, which is no interface to bind to. */
	if (strlen(value) >= sizeof(options->source.interface) || strchr(value, ':') != NULL ||
	    if_nametoindex(value) == 0)
		return tp_because(why, "-s %s: " TP_SAYS_BAD_SOURCE, tp_quote(value).text);
	strcpy(options->source.interface, value);
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
	return set_duration(&options->timeout_us, 't', value, why);
}

static int set_interval(struct tp_options *options, const char *value, struct tp_why *why)
{
	return set_duration(&options->interval_us, 'i', value, why);
}

static int set_wait(struct tp_options *options, enum tp_until until, const char *value, struct tp_why *why)
{
	if (options->until != TP_ONCE && options->until != until)
		return tp_because(why, "-r and -R " TP_SAYS_EXCLUDE);
	options->until = until;
	return set_duration(&options->wait_us, until == TP_UNTIL_OPEN ? 'r' : 'R', value, why);
}

static int set_until_open(struct tp_options *options, const char *value, struct tp_why *why)
{
	return set_wait(options, TP_UNTIL_OPEN, value, why);
}

static int set_until_closed(struct tp_options *options, const char *value, struct tp_why *why)
{
	return set_wait(options, TP_UNTIL_CLOSED, value, why);
}

/* Far more probes than there are ports and descriptors; rounds a second for thirty years. */
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
	return set_count(&options->limit, 1, 'n', value, why);
}

static int set_rounds(struct tp_options *options, const char *value, struct tp_why *why)
{
	options->repeat = true;
	return set_count(&options->rounds, 0, 'c', value, why);
}

/* Of two files the targets of one would be lost. */
static int set_file(struct tp_options *options, const char *value, struct tp_why *why)
{
	if (options->file != NULL)
		return tp_because(why, "-f %s: " TP_SAYS_ONE_FILE, tp_quote(value).text);
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
	return 0;
}

static const struct option {
	char letter[2];
	bool has_value;
	int (*set)(struct tp_options *options, const char *value, struct tp_why *why);
} table[] = {
#define TP_FLAG(letter, function, help) { #letter, false, set_##function },
#define TP_VALUE(letter, argument, function, help) { #letter, true, set_##function },
#include "usage.def"
};

static const struct option *find_option(char letter)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (table[i].letter[0] == letter)
			return &table[i];
	}
	return NULL;
}

/* One word of options, "-qvt5"; next is the word behind it, or NULL. *used counts what was taken. */
static int parse_word(struct tp_options *options, const char *word, const char *next, size_t *used, struct tp_why *why)
{
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		const struct option *option = find_option(*letter);

		if (option == NULL)
			return tp_because(why, "%s: " TP_SAYS_BAD_OPTION, tp_quote(word).text);
		if (!option->has_value) {
			if (option->set(options, NULL, why) != 0)
				return EINVAL;
			continue;
		}
		if (letter[1] != '\0')
			return option->set(options, letter + 1, why);
		if (next == NULL)
			return tp_because(why, "-%s: " TP_SAYS_NO_ARGUMENT, option->letter);
		*used += 1;
		return option->set(options, next, why);
	}
	return 0;
}

/* A source is of one family, and so are the probes from there. */
static int check_source(struct tp_options *options, struct tp_why *why)
{
	int family = options->source.address.any.sa_family;

	if (family == AF_UNSPEC)
		return 0;
	if (options->family != AF_UNSPEC && options->family != family)
		return tp_because(why, "-s: " TP_SAYS_BAD_FAMILY " -%d asks for", options->family == AF_INET ? 4 : 6);
	options->family = family;
	return 0;
}

/* What only the whole of the options tells. */
static int check(struct tp_options *options, struct tp_why *why)
{
	const struct {
		bool first, second;
		const char *names;
	} exclusive[] = {
		{ options->repeat, options->until != TP_ONCE,
		  options->until == TP_UNTIL_OPEN ? "-c and -r" : "-c and -R" },
		{ options->first_open, options->until == TP_UNTIL_CLOSED, "-1 and -R" },
		{ options->format != NULL, options->json, "-F and -j" },
		{ options->descriptor_name != NULL, options->half_open, "-u and -z" },
		{ options->descriptor_name != NULL, options->repeat, "-u and -c" },
		{ options->descriptor_name != NULL, options->until == TP_UNTIL_CLOSED, "-u and -R" },
	};

	/* A trace is one probe, half-open as it is, and its lines are no format's. */
	if (options->trace && (options->first_open || options->each_address || options->repeat ||
			       options->file != NULL || options->format != NULL || options->reports_name != NULL ||
			       options->until != TP_ONCE || options->descriptor_name != NULL || options->half_open))
		return tp_because(why, "-T goes with none of -1 -a -c -f -F -o -r -R -u -z");
	for (size_t i = 0; i < sizeof(exclusive) / sizeof(*exclusive); i++) {
		if (exclusive[i].first && exclusive[i].second)
			return tp_because(why, "%s " TP_SAYS_EXCLUDE, exclusive[i].names);
	}
	if (options->interval_us < 0)
		options->interval_us = options->repeat ? 1000000 : 250000;
	return check_source(options, why);
}

int tp_options_parse(struct tp_options *options, char *const words[], size_t count, size_t *used, struct tp_why *why)
{
	*used = 0;
	while (*used < count && words[*used][0] == '-' && words[*used][1] != '\0') {
		const char *word = words[*used], *next = *used + 1 < count ? words[*used + 1] : NULL;

		*used += 1;
		if (strcmp(word, "--") == 0)
			break;
		if (strcmp(word, "--help") == 0) {
			options->help = true;
			return check(options, why);
		}
		if (parse_word(options, word, next, used, why) != 0)
			return EINVAL;
	}
	/* Of many tools -h is the host: with the status 0 of a help a wait would be over. */
	if (options->help && count > 1)
		return tp_because(why, TP_SAYS_HELP_ALONE);
	return check(options, why);
}
