// SPDX-License-Identifier: GPL-3.0-or-later
/* Words to options: what is taken makes sense, what is not is said, and both again when asked again. */
#include "tp_options.h"

#include <errno.h>

#include "fuzz.h"
#include "tp_duration.h"

struct parse {
	int error;
	size_t used;
	struct tp_options options;
	struct tp_why why;
};

static struct parse parse(const struct words *words)
{
	struct parse parsed;

	memset(&parsed, 0, sizeof(parsed));
	/* What is not set would differ. */
	memset(parsed.why.text, 'x', sizeof(parsed.why.text));
	tp_options_init(&parsed.options);
	parsed.error = tp_options_parse(&parsed.options, words->list, words->count, &parsed.used, &parsed.why);
	return parsed;
}

static void check_options(const struct tp_options *options)
{
	int family = options->source.address.any.sa_family;

	MUST(options->family == AF_UNSPEC || options->family == AF_INET || options->family == AF_INET6);
	MUST(options->timeout_us >= 0 && options->timeout_us <= TP_DURATION_MAX_US);
	MUST(memchr(options->source.interface, '\0', sizeof(options->source.interface)) != NULL);
	MUST(family == AF_UNSPEC || options->source.interface[0] == '\0');
	MUST(family == AF_UNSPEC || (family == options->family && tp_address_port(&options->source.address) == 0));
}

/*
 * The words taken are options and their values; the first one left is none, or follows "--", or --help, behind which
 * nothing is read.
 */
static void check_used(const struct words *words, size_t used)
{
	const char *next = used < words->count ? words->list[used] : NULL;

	MUST(used <= words->count);
	if (used > 0)
		MUST(words->list[0][0] == '-' && words->list[0][1] != '\0');
	if (used == 0 || (strcmp(words->list[used - 1], "--") != 0 && strcmp(words->list[used - 1], "--help") != 0))
		MUST(next == NULL || next[0] != '-' || next[1] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words = words_of(data, size);
	struct parse parsed = parse(&words), again = parse(&words);

	MUST(parsed.error == 0 || parsed.error == EINVAL);
	MUST(again.error == parsed.error && again.used == parsed.used);
	if (parsed.error == 0) {
		check_options(&parsed.options);
		check_used(&words, parsed.used);
	} else {
		check_message(parsed.why.text, sizeof(parsed.why.text));
		MUST(strcmp(parsed.why.text, again.why.text) == 0);
	}
	free_words(&words);
	return 0;
}
