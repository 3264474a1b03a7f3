// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The file of -f, read from a pipe. Whatever its bytes are, reading ends, hosts and ports are valid, and every line
 * gives targets, a complaint, or nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "tp_feed.h"

/* If there were more than a pipe holds, writing it would block. */
#define INPUT_MAX 8192

static void complain(void *context, const char *text)
{
	size_t *complaints = context;

	++*complaints;
	MUST(strncmp(text, "x:", 2) == 0);
	MUST(strchr(text, '\n') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t complaints = 0, probes = 0, lines = 1;
	int ends[2], error, spins = 0;
	struct tp_feed feed;
	struct tp_endpoint endpoint;

	if (size > INPUT_MAX)
		return 0;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	MUST(pipe(ends) == 0);
	MUST(write(ends[1], data, size) == (ssize_t)size);
	close(ends[1]);
	feed = (struct tp_feed){ .fd = -1 };
	feed.complain = complain;
	feed.context = &complaints;
	MUST(tp_feed_open(&feed, "/dev/null") == 0);
	/* The pipe takes the place of the file. */
	MUST(dup2(ends[0], feed.fd) == feed.fd);
	close(ends[0]);
	feed.name = "x";
	while ((error = tp_feed_next(&feed, &endpoint)) == 0 || (error == EAGAIN && spins++ < 1000)) {
		if (error == EAGAIN)
			continue;
		MUST(endpoint.port > 0);
		MUST(*endpoint.host != '\0' && strlen(endpoint.host) <= TP_HOST_MAX);
		/* A line may have many ranges of ports, which would take long. */
		if (++probes > 200000)
			break;
	}
	MUST(error == 0 || error == ENOENT);
	MUST(complaints == feed.bad);
	MUST(complaints <= lines);
	tp_feed_free(&feed);
	return 0;
}
