// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Replies of a helper that is broken or not ours. The first byte of the input says how much of the rest comes before
 * the resolver first looks. Only helpers.c knows the struct that holds the helpers, so its source is included here (see
 * the Makefile).
 */
#include "../../builtin/engine/helpers.c"

#include "fuzz.h"

/* No child has this number, so nobody is killed. */
#define NOBODY INT_MAX

static void put(int fd, const uint8_t *data, size_t size)
{
	MUST(write(fd, data, size) == (ssize_t)size);
}

/* Makes a set of helpers with one that works for the lookup; fd is our end of its channel. */
static struct tp_helpers *helpers_with(struct tp_lookup *lookup, int fd)
{
	struct tp_helpers *helpers = tp_helpers_new((struct tp_helper_hook){ 0 }, 0);
	struct tp_helper *helper = calloc(1, sizeof(*helper));

	MUST(helpers != NULL && helper != NULL);
	helpers->all = malloc(sizeof(struct tp_helper *));
	MUST(helpers->all != NULL);
	*helper = (struct tp_helper){ .pid = NOBODY, .fd = fd, .lookup = lookup, .question = TP_ASK_ALL };
	helpers->all[0] = helper;
	helpers->count = helpers->room = helpers->busy = 1;
	lookup->helpers[TP_ASK_ALL] = helper;
	return helpers;
}

/* Looks for an answer, as if poll(2) had found something to read. */
static bool look(struct tp_helpers *helpers, struct tp_answer *answer)
{
	struct pollfd fds[1];

	MUST(tp_helpers_watch(helpers, fds) == 1);
	fds[0].revents = POLLIN;
	tp_helpers_note(helpers, fds);
	return tp_helpers_answer(helpers, answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tp_lookup *lookup = tp_lookup_new("name.test", AF_UNSPEC);
	struct tp_helpers *helpers;
	struct tp_answer answer;
	size_t first;
	int channel[2];

	MUST(lookup != NULL && tp_os_channel(channel) == 0);
	first = size == 0 ? 0 : 1 + (data[0] * (size - 1)) / 255;
	helpers = helpers_with(lookup, channel[0]);
	if (first > 1)
		put(channel[1], data + 1, first - 1);
	if (!look(helpers, &answer)) {
		MUST(lookup->helpers[TP_ASK_ALL] != NULL);
		if (size > first)
			put(channel[1], data + first, size - first);
		close(channel[1]);
		channel[1] = -1;
		/* The helper has ended now, in the middle of its answer or behind it. */
		MUST(look(helpers, &answer));
	}
	MUST(answer.lookup == lookup && lookup->helpers[TP_ASK_ALL] == NULL);
	MUST((answer.eai == 0) == (answer.count > 0));
	MUST(answer.count <= TP_ADDRESSES_MAX && (answer.count == 0 || answer.addresses != NULL));
	free(answer.addresses);
	if (channel[1] >= 0)
		close(channel[1]);
	tp_helpers_free(helpers);
	tp_lookup_release(lookup);
	return 0;
}
