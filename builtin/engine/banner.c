// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_banner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "tp_os.h"

struct tp_banner tp_banner_of(const char *bytes, size_t count)
{
	struct tp_banner banner = { 0 };
	size_t begin = 0, length = 0;

	while (begin < count && (bytes[begin] == '\r' || bytes[begin] == '\n'))
		begin++;
	while (begin + length < count && bytes[begin + length] != '\n' && length < TP_BANNER_MOST)
		length++;
	if (length > 0 && memchr(bytes + begin, '\0', length) != NULL) {
		length = count - begin < TP_BANNER_MOST ? count - begin : TP_BANNER_MOST;
	} else if (length > 0 && bytes[begin + length - 1] == '\r') {
		length--;
	}
	memcpy(banner.bytes, bytes + begin, length);
	banner.length = length;
	return banner;
}

int tp_banner_hear(int fd, struct tp_banner **banner)
{
	/* Room for the longest banner with a CR at its end, and for a few empty lines before it. */
	char bytes[TP_BANNER_MOST + 17] = { 0 };
	ssize_t count;
	struct tp_banner found;
	int tries = 0;

	*banner = NULL;
	do
		count = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
	while (count < 0 && errno == EINTR && ++tries < TP_INTERRUPTED_MAX);
	if (count < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? EINPROGRESS : errno;
	if ((size_t)count > sizeof(bytes))
		return EIO;
	if (count == 0)
		return EPIPE;
	found = tp_banner_of(bytes, (size_t)count);
	if (found.length > 0)
		*banner = malloc(sizeof(**banner));
	/* If memory is out, the peer has still spoken. */
	if (*banner != NULL)
		**banner = found;
	return 0;
}
