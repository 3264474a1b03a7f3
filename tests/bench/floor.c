// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * floor ADDRESS FIRST LAST TIMES: the least that probes can cost. It probes each of these ports, one after the other,
 * and that TIMES times: socket, non-blocking connect, poll, SO_ERROR and close. Prints milliseconds.
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
	double begin = now_us();

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: floor ADDRESS FIRST LAST TIMES\n");
		return 2;
	}
	for (long time = 0; time < atol(argv[4]); time++) {
		for (long port = atol(argv[2]); port <= atol(argv[3]); port++) {
			to.sin_port = htons((uint16_t)port);
			probe(&to);
		}
	}
	printf("%.2f\n", (now_us() - begin) / 1e3);
	return 0;
}
