// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_banner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "unit.h"

static void finds_the_first_line(void)
{
	static const struct {
		const char *bytes;
		size_t count;
		const char *line;
		size_t length;
	} rows[] = {
		{ "SSH-2.0-OpenSSH_9.2\r\n", 21, "SSH-2.0-OpenSSH_9.2", 19 },
		{ "220 one\n220 two\n", 16, "220 one", 7 },
		{ "half a li", 9, "half a li", 9 },
		{ "\r\n\r\nlogin: ", 11, "login: ", 7 },
		{ "\r\n", 2, "", 0 },
		{ "\n", 1, "", 0 },
		{ "\r", 1, "", 0 },
		{ "a\rb\r\n", 5, "a\rb", 3 },
		{ "+OK\n\0\0", 6, "+OK", 3 },
		{ "J\0\0\0\n5.5.5-10.11.6-MariaDB", 26, "J\0\0\0\n5.5.5-10.11.6-MariaDB", 26 },
		{ "\0", 1, "\0", 1 },
		{ "\n\0", 2, "\0", 1 },
		{ "\x1b[31m\xff", 6, "\x1b[31m\xff", 6 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_banner banner = tp_banner_of(rows[i].bytes, rows[i].count);

		unit.row = rows[i].bytes;
		CHECK_NUMBER(banner.length, rows[i].length);
		CHECK(memcmp(banner.bytes, rows[i].line, rows[i].length) == 0);
		CHECK_NUMBER(banner.bytes[banner.length], 0);
	}
	unit.row = NULL;
}

static void cuts_a_long_line(void)
{
	char bytes[600];

	memset(bytes, 'x', sizeof(bytes));
	for (size_t count = 0; count <= sizeof(bytes); count++) {
		size_t length = tp_banner_of(bytes, count).length;

		CHECK_NUMBER(length, count < TP_BANNER_MOST ? count : TP_BANNER_MOST);
	}
	bytes[300] = '\0';
	CHECK_NUMBER(tp_banner_of(bytes, sizeof(bytes)).length, TP_BANNER_MOST);
	bytes[0] = '\0';
	CHECK_NUMBER(tp_banner_of(bytes, sizeof(bytes)).length, TP_BANNER_MOST);
}

static void hears_what_a_peer_does(void)
{
	struct tp_banner *banner;
	char bytes[8];
	int fds[2];

	if (!CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0))
		return;
	CHECK_NUMBER(tp_banner_hear(fds[0], &banner), EINPROGRESS);
	CHECK(write(fds[1], "hi\n", 3) == 3);
	CHECK_NUMBER(tp_banner_hear(fds[0], &banner), 0);
	if (CHECK(banner != NULL))
		CHECK_TEXT(banner->bytes, "hi");
	free(banner);
	/* Nothing was taken out of the socket. */
	CHECK_NUMBER(read(fds[0], bytes, sizeof(bytes)), 3);
	CHECK(write(fds[1], "\r\n", 2) == 2);
	CHECK_NUMBER(tp_banner_hear(fds[0], &banner), 0);
	CHECK(banner == NULL);
	/* Bytes that came before the end count. */
	close(fds[1]);
	CHECK_NUMBER(tp_banner_hear(fds[0], &banner), 0);
	CHECK_NUMBER(read(fds[0], bytes, sizeof(bytes)), 2);
	CHECK_NUMBER(tp_banner_hear(fds[0], &banner), EPIPE);
	CHECK(banner == NULL);
	close(fds[0]);
	CHECK_NUMBER(tp_banner_hear(fds[0], &banner), EBADF);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "the first line is the banner, or all where it is no text", finds_the_first_line },
		{ "a long line is cut", cuts_a_long_line },
		{ "silence, words and the end are told apart, and nothing is taken", hears_what_a_peer_does },
	};

	return UNIT_RUN(tests);
}
