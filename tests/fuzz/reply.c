// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a helper answers, from one that is broken or not ours: the first byte says how much of the rest comes before the
 * resolver first looks. It reads its own struct from a pipe, so its source is taken whole: Makefile.
 */
#include "../../builtin/engine/lookup.c"

#include <limits.h>

#include "fuzz.h"

/* No such child: nobody is killed for it. */
#define NOBODY INT_MAX

static void put(int fd, const uint8_t *data, size_t size)
{
	MUST(write(fd, data, size) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tp_lookup *lookup = tp_lookup_new("name.test", AF_UNSPEC);
	struct tp_resolver *resolver = tp_resolver_new((struct tp_helper_hook){ 0 }, 0);
	struct pollfd fds[TP_HELPERS];
	size_t first;
	int channel[2];

	MUST(lookup != NULL && resolver != NULL && tp_os_channel(channel) == 0);
	first = size == 0 ? 0 : 1 + (data[0] * (size - 1)) / 255;
	resolver->helpers[0] = (struct helper){ .pid = NOBODY, .fd = channel[0], .lookup = lookup };
	lookup->phase = TP_LOOKUP_RUNNING;
	if (first > 1)
		put(channel[1], data + 1, first - 1);
	MUST(tp_resolver_watch(resolver, fds) == 1);
	fds[0].revents = POLLIN;
	if (!tp_resolver_collect(resolver, fds)) {
		MUST(lookup->phase == TP_LOOKUP_RUNNING);
		if (size > first)
			put(channel[1], data + first, size - first);
		close(channel[1]);
		channel[1] = -1;
		/* It has ended, in the middle of its answer or behind it. */
		MUST(tp_resolver_collect(resolver, fds));
	}
	MUST(lookup->phase == TP_LOOKUP_DONE);
	MUST((lookup->eai == 0) == (lookup->count > 0));
	MUST(lookup->count <= ADDRESSES_MAX && (lookup->count == 0 || lookup->addresses != NULL));
	if (channel[1] >= 0)
		close(channel[1]);
	tp_resolver_free(resolver);
	tp_lookup_release(lookup);
	return 0;
}
