// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a helper answers, from one that is broken or not ours: the first byte says how much of the rest comes before the
 * resolver first looks. It reads its own struct from a pipe, so its source is taken whole: Makefile.
 */
#include "../../builtin/engine/helper.c"

#include "fuzz.h"

/* No such child: nobody is killed for it. */
#define NOBODY INT_MAX

static void put(int fd, const uint8_t *data, size_t size)
{
	MUST(write(fd, data, size) == (ssize_t)size);
}

/* A helper that works for the lookup, at the end of this channel. */
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

/* Something is there to read. */
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
		/* It has ended, in the middle of its answer or behind it. */
		MUST(look(helpers, &answer));
	}
	MUST(answer.lookup == lookup && lookup->helpers[TP_ASK_ALL] == NULL);
	MUST((answer.eai == 0) == (answer.count > 0));
	MUST(answer.count <= ADDRESSES_MAX && (answer.count == 0 || answer.addresses != NULL));
	free(answer.addresses);
	if (channel[1] >= 0)
		close(channel[1]);
	tp_helpers_free(helpers);
	tp_lookup_release(lookup);
	return 0;
}
