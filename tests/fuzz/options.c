// SPDX-License-Identifier: GPL-3.0-or-later
/* Words to options: options that are taken make sense, a refusal has a message, and a second parse gives the same. */
#include "tp_options.h"

#include <errno.h>
#include <stdlib.h>

#include "fuzz.h"
#include "tp_duration.h"

struct parse {
	int error;
	size_t operands;
	struct tp_options options;
	struct tp_why why;
};

/* The parser reorders the words, so each parse gets a copy of the list. */
static struct parse parse(const struct words *words)
{
	struct parse parsed;
	char **list = malloc((words->count + 1) * sizeof(*list));

	MUST(list != NULL);
	memcpy(list, words->list, words->count * sizeof(*list));
	memset(&parsed, 0, sizeof(parsed));
	/* If the parser set no reason, this one would have no NUL. */
	memset(parsed.why.text, 'x', sizeof(parsed.why.text));
	parsed.options = (struct tp_options)TP_OPTIONS_INIT;
	parsed.error = tp_options_parse(&parsed.options, 'p', list, words->count, &parsed.operands, &parsed.why);
	for (size_t i = 0; parsed.error == 0 && i < parsed.operands; i++)
		MUST(list[i][0] != '-' || list[i][1] == '\0');
	free(list);
	return parsed;
}

static void check_options(const struct tp_options *options)
{
	int family = options->plan.source.address.any.sa_family;

	MUST(options->plan.family == AF_UNSPEC || options->plan.family == AF_INET || options->plan.family == AF_INET6);
	MUST(options->plan.timeout_us >= 0 && options->plan.timeout_us <= TP_DURATION_MAX_US);
	MUST(memchr(options->plan.source.interface, '\0', sizeof(options->plan.source.interface)) != NULL);
	MUST(family == AF_UNSPEC || options->plan.source.interface[0] == '\0');
	MUST(family == AF_UNSPEC ||
	     (family == options->plan.family && tp_address_port(&options->plan.source.address) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words = words_of(data, size);
	struct parse parsed = parse(&words), again = parse(&words);

	MUST(parsed.error == 0 || parsed.error == EINVAL);
	MUST(again.error == parsed.error && again.operands == parsed.operands);
	if (parsed.error == 0) {
		check_options(&parsed.options);
		MUST(parsed.operands <= words.count && parsed.options.command < words.count + 1);
	} else {
		check_message(parsed.why.text, sizeof(parsed.why.text));
		MUST(strcmp(parsed.why.text, again.why.text) == 0);
	}
	free_words(&words);
	return 0;
}
