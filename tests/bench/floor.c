// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * floor ADDRESS PORT COUNT: the least that a probe can cost. A loop of socket, non-blocking connect, poll, SO_ERROR
 * and close; prints microseconds a probe.
 */
#include "bench.h"

static void probe(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		poll(&ready, 1, 5000);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) });
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	long count = argc == 4 ? atol(argv[3]) : 0;
	double begin = now_us();

	if (count <= 0 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: floor ADDRESS PORT COUNT\n");
		return 2;
	}
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	for (long i = 0; i < count; i++)
		probe(&to);
	printf("%.2f\n", (now_us() - begin) / (double)count);
	return 0;
}
