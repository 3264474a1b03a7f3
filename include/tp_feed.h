/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where targets come from: the operands, then the lines of a file, read as they are needed. */
#ifndef TP_FEED_H
#define TP_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_target.h"

/* The longest line taken, in bytes; more than any target needs. */
#define TP_FEED_LINE_MAX 65536

/* It begins as { .fd = -1 } with what the caller sets. tp_feed_free() frees it. */
struct tp_feed {
	/* A function of the caller's that takes a complaint about the file, one line without newline. */
	void (*complain)(void *context, const char *text);
	/* Is there no room for a further complaint at the moment? NULL: there always is. */
	bool (*is_full)(void *context);
	void *context;

	/*
	 * the targets of the operands, then those of the current line; with keep, all of them. The caller sets the
	 * family
	 */
	struct tp_targets targets;
	struct tp_cursor cursor;
	bool keep;  /* targets are needed once more: see tp_feed_rewind() */
	size_t bad; /* complaints so far */

	const char *name; /* of the file, as the user gave it */
	int fd;           /* -1: no file, or its end is reached */
	bool own_fd;
	char *buffer;
	size_t begin, end; /* the bytes that are read but not yet used */
	size_t line;       /* the number of the current line, from 1 */
	bool skipping;     /* the rest of a line that is too long */
	bool paused;       /* tp_feed_next() returned because it took long; it goes on when it is called again */
};

/* The operands, as tp_targets_add() takes them; before any tp_feed_next(). */
int tp_feed_add(struct tp_feed *feed, char *const words[], size_t count, struct tp_why *why);

/* Lines of this file follow; "-" is standard input. name must stay valid. Returns 0 or an errno value. */
int tp_feed_open(struct tp_feed *feed, const char *name);

/*
 * The next endpoint. Returns 0; ENOENT at the end; EAGAIN where the file
 * has no more yet: wait until feed->fd is readable, or, with feed->paused, only
 * look around; or ENOMEM. Bad lines are complained of and passed over. The host is valid until the next call.
 */
int tp_feed_next(struct tp_feed *feed, struct tp_endpoint *endpoint);

/* Back to the first target. Only where all of them were kept and read. */
void tp_feed_rewind(struct tp_feed *feed);

/* How many probes the targets read so far make; the file's are not known before. */
uint64_t tp_feed_count(const struct tp_feed *feed);

void tp_feed_free(struct tp_feed *feed);

#endif
