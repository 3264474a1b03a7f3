// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

char *tp_read_file(const char *path, size_t most)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0, room = 0;
	bool whole = false;
	char *text = NULL;

	/* At the end there is room for the NUL. */
	while (fd >= 0 && !whole && used <= most) {
		char *more = used + 1 < room ? text : realloc(text, room = room * 4 + 4096);
		ssize_t got = more == NULL ? -1 : read(fd, more + used, room - 1 - used);

		if (more != NULL)
			text = more;
		if (got < 0 || (size_t)got > room - 1 - used)
			break;
		used += (size_t)got;
		text[used] = '\0';
		whole = got == 0;
	}
	if (fd >= 0)
		close(fd);
	if (whole)
		return text;
	free(text);
	return NULL;
}
