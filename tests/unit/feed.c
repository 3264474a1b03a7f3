// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "unit.h"

/* What came out of a feed: "host:port host:port ... error", and its complaints, one a line. */
struct got {
	char targets[512], complaints[1024];
	size_t bad, count;
};

static void note_complaint(void *context, const char *text)
{
	struct got *got = context;
	size_t used = strlen(got->complaints);

	snprintf(got->complaints + used, sizeof(got->complaints) - used, "%.100s\n", text);
}

static void drain(struct tp_feed *feed, struct got *got)
{
	struct tp_endpoint endpoint;
	size_t used = 0;
	int error;

	while ((error = tp_feed_next(feed, &endpoint)) == 0) {
		got->count++;
		/* The first of many are enough. */
		if (used < sizeof(got->targets) - 40)
			used += (size_t)snprintf(got->targets + used, 32, "%.20s:%u ", endpoint.host, endpoint.port);
	}
	snprintf(got->targets + used, sizeof(got->targets) - used, "%s", error == ENOENT ? "end" : strerror(error));
	got->bad = feed->bad;
}

static void begin(struct tp_feed *feed, struct got *got)
{
	memset(got, 0, sizeof(*got));
	*feed = (struct tp_feed){ .fd = -1 };
	feed->complain = note_complaint;
	feed->context = got;
}

/* Begins a feed that reads a file with these bytes. */
static void begin_file(struct tp_feed *feed, struct got *got, const char *bytes, size_t size)
{
	char path[] = "/tmp/unit-feed-XXXXXX";
	int fd = mkstemp(path);

	begin(feed, got);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || tp_feed_open(feed, path) != 0)
		abort();
	close(fd);
	unlink(path);
	feed->name = "list";
}

static void read_file(struct got *got, const char *bytes, size_t size)
{
	struct tp_feed feed;

	begin_file(&feed, got, bytes, size);
	drain(&feed, got);
	tp_feed_free(&feed);
}

static void takes_lines(void)
{
	static const struct {
		const char *file, *targets, *complaints;
	} rows[] = {
		{ "", "end", "" },
		{ "\n\n", "end", "" },
		{ "a:1\n", "a:1 end", "" },
		{ "a:1", "a:1 end", "" },
		{ "a 1-3,7\nb:2", "a:1 a:2 a:3 a:7 b:2 end", "" },
		{ "# all\n  # of it\na:1 # but this\n", "a:1 end", "" },
		{ "a:1\r\n\r\nb:2\r\n", "a:1 b:2 end", "" },
		{ "a:1 b:2\n", "a:1 b:2 end", "" },
		{ "  \t a\t 1\n", "a:1 end", "" },
		{ "\xef\xbb\xbf# of an editor\na:1\n\xef\xbb\xbf", "a:1 end",
		  "list:3: '...': not a host: letters, digits and . _ - only, and no dash first\n" },
		{ "bad\na:1\n", "a:1 end", "list:1: 'bad': no port: HOST PORT, or HOST:PORT\n" },
		{ "a:1\na:2 b\nb:3", "a:1 b:3 end", "list:2: 'b': no port: of several targets each is HOST:PORT\n" },
		{ "a:0\n\na:70000", "end",
		  "list:1: '0': a port is 1 to 65535\nlist:3: '70000': a port is 1 to 65535\n" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct got got;

		unit.row = rows[i].file;
		read_file(&got, rows[i].file, strlen(rows[i].file));
		CHECK_TEXT(got.targets, rows[i].targets);
		CHECK_TEXT(got.complaints, rows[i].complaints);
	}
	unit.row = NULL;
}

static void names_nul_bytes(void)
{
	struct got got;

	read_file(&got, "a:1\0b\nc:2\n", 10);
	CHECK_TEXT(got.targets, "c:2 end");
	CHECK_TEXT(got.complaints, "list:1: a NUL byte\n");
}

/* Reads a file that has a line of this many bytes and, with newline, a good line after it. */
static void read_long(struct got *got, size_t length, bool newline)
{
	char *bytes = malloc(length + 8);

	if (bytes == NULL)
		abort();
	memset(bytes, '#', length);
	memcpy(bytes + length, newline ? "\nz:9\n" : "", newline ? 5 : 0);
	read_file(got, bytes, length + (newline ? 5 : 0));
	free(bytes);
}

static void bounds_lines(void)
{
	struct got got;

	read_long(&got, TP_FEED_LINE_MAX - 1, true);
	CHECK_TEXT(got.complaints, "");
	CHECK_TEXT(got.targets, "z:9 end");
	for (size_t length = TP_FEED_LINE_MAX; length <= 1000000; length = length * 2 + 1) {
		read_long(&got, length, true);
		CHECK_TEXT(got.complaints, "list:1: the line is too long\n");
		CHECK_TEXT(got.targets, "z:9 end");
		read_long(&got, length, false);
		CHECK_TEXT(got.targets, "end");
	}
}

static void takes_many_words(void)
{
	static char bytes[60003] = "a";
	struct got got;

	for (size_t i = 0; i < 30000; i++)
		memcpy(bytes + 1 + 2 * i, " 1", 2);
	read_file(&got, bytes, 60001);
	CHECK_NUMBER(got.count, 30000);
	CHECK_TEXT(got.complaints, "");
}

static void comes_in_pieces(void)
{
	static const char bytes[] = "a:1\nbb:22\n";
	struct tp_feed feed;
	struct got got;
	struct tp_endpoint endpoint;
	size_t taken = 0;
	int ends[2];

	begin(&feed, &got);
	CHECK_NUMBER(tp_feed_open(&feed, "/dev/null"), 0);
	if (pipe(ends) < 0 || dup2(ends[0], feed.fd) < 0)
		abort();
	close(ends[0]);
	for (size_t i = 0; bytes[i] != '\0'; i++) {
		while (tp_feed_next(&feed, &endpoint) == 0)
			taken++;
		CHECK_NUMBER(tp_feed_next(&feed, &endpoint), EAGAIN);
		CHECK_NUMBER(write(ends[1], bytes + i, 1), 1);
	}
	close(ends[1]);
	drain(&feed, &got);
	CHECK_NUMBER(taken, 1);
	CHECK_TEXT(got.targets, "bb:22 end");
	tp_feed_free(&feed);
}

static void waits_for_no_writer(void)
{
	char folder[] = "/tmp/unit-feed-XXXXXX", path[64];
	struct tp_feed feed;
	struct got got;
	struct tp_endpoint endpoint;
	int writer;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/fifo", folder);
	CHECK_NUMBER(mkfifo(path, 0600), 0);
	begin(&feed, &got);
	CHECK_NUMBER(tp_feed_open(&feed, path), 0);
	CHECK_NUMBER(tp_feed_next(&feed, &endpoint), EAGAIN);
	writer = open(path, O_WRONLY | O_NONBLOCK);
	CHECK_NUMBER(write(writer, "a:1", 3), 3);
	close(writer);
	drain(&feed, &got);
	CHECK_TEXT(got.targets, "a:1 end");
	tp_feed_free(&feed);
	unlink(path);
	rmdir(folder);
}

static void keeps_and_rewinds(void)
{
	struct tp_feed feed;
	struct tp_why why;
	struct got got;

	begin_file(&feed, &got, "b:2-3\nbad\nc:4", 13);
	feed.keep = true;
	CHECK_NUMBER(tp_feed_add(&feed, (char *[]){ (char *)"a:1" }, 1, &why), 0);
	drain(&feed, &got);
	CHECK_TEXT(got.targets, "a:1 b:2 b:3 c:4 end");
	CHECK_NUMBER(tp_feed_count(&feed), 4);
	tp_feed_rewind(&feed);
	drain(&feed, &got);
	CHECK_TEXT(got.targets, "a:1 b:2 b:3 c:4 end");
	CHECK_NUMBER(got.bad, 1);
	tp_feed_free(&feed);
}

static void says_what_cannot_be_read(void)
{
	struct tp_feed feed;
	struct got got;

	begin(&feed, &got);
	CHECK_NUMBER(tp_feed_open(&feed, "/nonexistent/file"), ENOENT);
	tp_feed_free(&feed);
	begin(&feed, &got);
	CHECK_NUMBER(tp_feed_open(&feed, "/"), 0);
	drain(&feed, &got);
	CHECK_TEXT(got.complaints, "/: Is a directory\n");
	CHECK_TEXT(got.targets, "end");
	tp_feed_free(&feed);
}

static void looks_around_in_an_endless_file(void)
{
	struct tp_feed feed;
	struct got got;
	struct tp_endpoint endpoint;

	begin(&feed, &got);
	CHECK_NUMBER(tp_feed_open(&feed, "/dev/zero"), 0);
	for (int i = 0; i < 100; i++)
		CHECK_NUMBER(tp_feed_next(&feed, &endpoint), EAGAIN);
	CHECK_TEXT(got.complaints, "/dev/zero:1: the line is too long\n");
	tp_feed_free(&feed);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a line is a target in any form, a comment, or nothing; a bad one is named and none of it taken",
		  takes_lines },
		{ "a NUL byte is named", names_nul_bytes },
		{ "a line that is too long is named once, and the next one is taken", bounds_lines, QUICK },
		{ "a line may have thousands of words", takes_many_words },
		{ "what comes in pieces is taken when it is whole, and never waited for", comes_in_pieces },
		{ "nor is a FIFO's writer", waits_for_no_writer },
		{ "targets that are kept come again after a rewind", keeps_and_rewinds },
		{ "a missing file and a directory are said to be such", says_what_cannot_be_read },
		{ "a file without end or target lets its caller look around", looks_around_in_an_endless_file },
	};

	return UNIT_RUN(tests);
}
