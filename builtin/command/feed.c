// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tp_os.h"
#include "tp_says.h"

/* A file may have no targets and no end: after this long without a target the caller gets its turn. */
#define PAUSE_US 10000

/* U+FEFF in UTF-8, by which some editors begin a file. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

/* The bytes between the words of a line. A CR belongs to the end of a line in files of other systems. */
static const char blanks[] = " \t\r";

int tp_feed_add(struct tp_feed *feed, char *const words[], size_t count, struct tp_why *why)
{
	return tp_targets_add(&feed->targets, words, count, why);
}

int tp_feed_open(struct tp_feed *feed, const char *name)
{
	int error = 0;

	feed->name = name;
	feed->buffer = malloc(TP_FEED_LINE_MAX);
	if (feed->buffer == NULL)
		return ENOMEM;
	if (strcmp(name, "-") == 0)
		feed->fd = STDIN_FILENO;
	else
		error = tp_os_open(name, &feed->fd);
	feed->own_fd = feed->fd > STDERR_FILENO;
	return error;
}

static void close_file(struct tp_feed *feed)
{
	if (feed->own_fd)
		close(feed->fd);
	feed->fd = -1;
	feed->own_fd = false;
}

void tp_feed_free(struct tp_feed *feed)
{
	close_file(feed);
	tp_targets_free(&feed->targets);
	free(feed->buffer);
	feed->buffer = NULL;
}

void tp_feed_rewind(struct tp_feed *feed)
{
	feed->cursor = (struct tp_cursor){ 0 };
}

uint64_t tp_feed_count(const struct tp_feed *feed)
{
	return tp_targets_probes(&feed->targets);
}

/* "FILE:LINE: why", or "FILE: why" if the reason is not in a line. */
static void complain(struct tp_feed *feed, size_t line, const char *why)
{
	struct tp_text text = { 0 };
	struct tp_quoted quoted;

	feed->bad++;
	tp_put(&text, tp_path(feed->name, &quoted));
	tp_put(&text, ":");
	if (line > 0) {
		tp_put_number(&text, line);
		tp_put(&text, ":");
	}
	tp_put(&text, " ");
	tp_put(&text, why);
	feed->complain(feed->context, text.failed ? why : text.bytes);
	tp_text_free(&text);
}

/* Cuts a line into its words. Returns how many; a line of blanks or a comment has none. */
static size_t cut_words(char *line, char *words[])
{
	size_t count = 0;

	for (;;) {
		line += strspn(line, blanks);
		if (*line == '\0' || *line == '#')
			return count;
		words[count++] = line;
		line += strcspn(line, blanks);
		if (*line == '\0')
			return count;
		*line++ = '\0';
	}
}

/* One line, NUL at its end. Returns 0 or ENOMEM. */
static int take_line(struct tp_feed *feed, char *line, size_t length)
{
	size_t targets_before, count;
	struct tp_why why;
	char **words;
	int error;

	if (!feed->keep) {
		tp_targets_cut(&feed->targets, 0);
		feed->cursor = (struct tp_cursor){ 0 };
	}
	if (memchr(line, '\0', length) != NULL) {
		complain(feed, feed->line, "a NUL byte");
		return 0;
	}
	/* Each word has at least one byte and, except for the last, a blank behind it. */
	words = malloc((length / 2 + 1) * sizeof(*words));
	if (words == NULL)
		return ENOMEM;
	targets_before = feed->targets.count;
	count = cut_words(line, words);
	error = tp_targets_add(&feed->targets, words, count, &why);
	free(words);
	if (error == EINVAL) {
		/*
		 * If any word of a line is wrong, no target of that line is used: half of it would not be what the user
		 * meant.
		 */
		tp_targets_cut(&feed->targets, targets_before);
		complain(feed, feed->line, why.text);
		error = 0;
	}
	return error;
}

/* Reads on. Returns 0, EAGAIN, or ENOENT: the file has ended, or cannot be read any further. */
static int read_on(struct tp_feed *feed)
{
	ssize_t got;

	memmove(feed->buffer, feed->buffer + feed->begin, feed->end - feed->begin);
	feed->end -= feed->begin;
	feed->begin = 0;
	if (!tp_os_is_ready(feed->fd, POLLIN))
		return EAGAIN;
	got = read(feed->fd, feed->buffer + feed->end, TP_FEED_LINE_MAX - feed->end);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return EAGAIN;
	if (got > (ssize_t)(TP_FEED_LINE_MAX - feed->end)) {
		got = -1;
		errno = EIO;
	}
	if (got < 0)
		complain(feed, 0, strerror(errno));
	if (got <= 0) {
		close_file(feed);
		return ENOENT;
	}
	feed->end += (size_t)got;
	return 0;
}

/* The next line of the file becomes targets, if it has any. Returns as tp_feed_next(). */
static int next_line(struct tp_feed *feed)
{
	char *line = feed->buffer + feed->begin;
	size_t length = feed->end - feed->begin;
	char *newline = memchr(line, '\n', length);
	bool skipped = feed->skipping;
	int error = 0;

	if (newline != NULL) {
		length = (size_t)(newline - line);
		feed->begin += length + 1;
		feed->skipping = false;
	} else if (length == TP_FEED_LINE_MAX) {
		if (!feed->skipping)
			complain(feed, feed->line + 1, TP_SAYS_LONG_LINE);
		feed->skipping = true;
		feed->begin = feed->end;
		return 0;
	} else {
		error = feed->fd >= 0 ? read_on(feed) : ENOENT;
		/* The last line may lack its newline. */
		if (error != ENOENT || feed->end == 0 || feed->skipping)
			return error;
		line = feed->buffer;
		length = feed->end;
		feed->begin = feed->end = 0;
	}
	feed->line++;
	line[length] = '\0';
	if (feed->line == 1 && strncmp(line, byte_order_mark, strlen(byte_order_mark)) == 0) {
		line += strlen(byte_order_mark);
		length -= strlen(byte_order_mark);
	}
	return skipped ? 0 : take_line(feed, line, length);
}

/* After lines without a target: have they taken long enough, or is there no room for a complaint about the next one? */
static bool is_long(const struct tp_feed *feed, int64_t *begin_us)
{
	int64_t now_us = tp_os_now_us();

	if (*begin_us == 0)
		*begin_us = now_us;
	return now_us - *begin_us >= PAUSE_US || (feed->is_full != NULL && feed->is_full(feed->context));
}

int tp_feed_next(struct tp_feed *feed, struct tp_endpoint *endpoint)
{
	int64_t begin_us = 0;
	size_t lines = 0;
	int error;

	feed->paused = false;
	while (!tp_cursor_next(&feed->cursor, &feed->targets, endpoint)) {
		if (feed->name == NULL)
			return ENOENT;
		feed->paused = lines > 0 && is_long(feed, &begin_us);
		error = feed->paused ? EAGAIN : next_line(feed);
		if (error != 0)
			return error;
		lines++;
	}
	return 0;
}
