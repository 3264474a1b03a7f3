// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * hosts ADDRESS COUNT PORT LIMIT: the least that a sweep over far hosts can cost. An epoll loop with LIMIT connects in
 * flight goes over COUNT addresses, from this one on. Prints milliseconds.
 */
#include "bench.h"

#include <sys/epoll.h>

static int begin_one(int epoll, uint32_t address, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = fd };

	if (fd < 0)
		return -1;
	connect(fd, (const struct sockaddr *)&to, sizeof(to));
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void end_one(int fd)
{
	int error;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) });
	close(fd);
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];
	struct in_addr first;
	long count, limit, begun = 0, ended = 0;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	double begin = now_us();

	if (argc != 5 || inet_pton(AF_INET, argv[1], &first) != 1) {
		fprintf(stderr, "usage: hosts ADDRESS COUNT PORT LIMIT\n");
		return 2;
	}
	count = atol(argv[2]);
	limit = atol(argv[4]);
	while (ended < count) {
		int ready;

		for (; begun < count && begun - ended < limit; begun++) {
			if (begin_one(epoll, ntohl(first.s_addr) + (uint32_t)begun, (uint16_t)atoi(argv[3])) < 0)
				return 1;
		}
		ready = epoll_wait(epoll, events, 256, 5000);
		for (int i = 0; i < ready; i++)
			end_one(events[i].data.fd);
		ended += ready;
	}
	printf("%.2f\n", (now_us() - begin) / 1e3);
	return 0;
}
