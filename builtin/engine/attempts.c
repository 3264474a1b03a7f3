// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_attempts.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int tp_attempts_make_room(struct tp_attempts *attempts, size_t further)
{
	size_t room = attempts->count * 2 + 16, fds_room = room + further;
	struct tp_attempt **all;
	struct pollfd *fds;

	if (attempts->count + 1 + further > attempts->fds_room) {
		fds = realloc(attempts->fds, fds_room * sizeof(*fds));
		if (fds == NULL)
			return ENOMEM;
		attempts->fds = fds;
		attempts->fds_room = fds_room;
	}
	if (attempts->count + 1 > attempts->room) {
		all = realloc(attempts->all, room * sizeof(struct tp_attempt *));
		if (all == NULL)
			return ENOMEM;
		attempts->all = all;
		attempts->room = room;
	}
	return 0;
}

int tp_attempts_add(struct tp_attempts *attempts, const struct tp_attempt *attempt, int fd)
{
	struct tp_attempt *added, **link = attempt->list;

	if (tp_attempts_make_room(attempts, 0) != 0)
		return ENOMEM;
	added = malloc(sizeof(*added));
	if (added == NULL)
		return ENOMEM;
	*added = *attempt;
	added->next = NULL;
	added->index = attempts->count++;
	attempts->all[added->index] = added;
	attempts->fds[added->index] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	while (*link != NULL)
		link = &(*link)->next;
	*link = added;
	return 0;
}

int tp_attempts_take(struct tp_attempts *attempts, struct tp_attempt *attempt)
{
	struct tp_attempt **link = attempt->list, *last = attempts->all[--attempts->count];
	int fd = attempts->fds[attempt->index].fd;

	while (*link != attempt)
		link = &(*link)->next;
	*link = attempt->next;
	last->index = attempt->index;
	attempts->all[last->index] = last;
	attempts->fds[last->index] = attempts->fds[attempts->count];
	free(attempt);
	return fd;
}

void tp_attempts_close(struct tp_attempts *attempts, struct tp_attempt **list)
{
	struct tp_attempt *next;

	for (struct tp_attempt *attempt = *list; attempt != NULL; attempt = next) {
		next = attempt->next;
		close(tp_attempts_take(attempts, attempt));
	}
}

void tp_attempts_free(struct tp_attempts *attempts)
{
	free(attempts->all);
	free(attempts->fds);
}
