// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How soon is a hangup noticed? Each probe connects to an address of its own in 127.0.0.0/8. By this address a hangup
 * that one side has made is found among those that the other side has seen.
 *
 *	hangup fin|rst MS            accepts connections to all of these addresses, and ends each of them in this way
 *	                             after MS ms. If 1,000 come at once, their ends are spread over MS ms more. The
 *	                             first line on stdout is the port.
 *	hangup see PORT COUNT LIMIT  the least that a client can do, to compare others with: it connects to 127.1.0.0
 *	                             and the COUNT - 1 addresses after it, LIMIT at once, and reads
 *
 * When it ends, each of them writes a line `ADDRESS SECONDS` for each hangup: when it was made, or seen.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* A connection, and when it is to end; the address is that of the server's side. */
struct connection {
	int fd;
	int64_t due_us;
	struct in_addr address;
};

static void tell(struct in_addr address)
{
	char text[INET_ADDRSTRLEN];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	inet_ntop(AF_INET, &address, text, sizeof(text));
	printf("%s %lld.%06ld\n", text, (long long)now.tv_sec, now.tv_nsec / 1000);
}

static int listen_on_all(void)
{
	struct sockaddr_in all = { .sin_family = AF_INET };
	socklen_t size = sizeof(all);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (bind(fd, (struct sockaddr *)&all, size) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, (struct sockaddr *)&all, &size) < 0)
		lab_die("listen");
	printf("%u\n", ntohs(all.sin_port));
	fflush(stdout);
	return fd;
}

/* Accepts a connection that waits. Returns false if there is none. */
static bool take(int listener, struct connection *taken)
{
	struct sockaddr_in own;
	socklen_t size = sizeof(own);

	taken->fd = accept(listener, NULL, NULL);
	if (taken->fd < 0)
		return false;
	getsockname(taken->fd, (struct sockaddr *)&own, &size);
	taken->address = own.sin_addr;
	return true;
}

static int64_t later(int64_t one_us, int64_t other_us)
{
	return one_us > other_us ? one_us : other_us;
}

static void serve(bool reset, int64_t after_us)
{
	static struct connection ring[1 << 16];
	struct linger hard = { .l_onoff = reset };
	uint16_t first = 0, end = 0;
	int64_t last_us = 0;
	int listener = listen_on_all();

	while (!lab_stop) {
		lab_poll(listener, first == end ? LAB_NEVER : ring[first].due_us);
		while (take(listener, &ring[end])) {
			last_us = ring[end].due_us = later(lab_now_us() + after_us, last_us + after_us / 1000);
			end++;
		}
		for (; first != end && ring[first].due_us <= lab_now_us(); first++) {
			setsockopt(ring[first].fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
			tell(ring[first].address);
			close(ring[first].fd);
		}
	}
}

static void see(uint16_t port, uint32_t count, uint32_t limit)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct pollfd fds[1024];
	struct in_addr addresses[1024];
	uint32_t begun = 0, open = 0;
	char byte;

	while (begun < count || open > 0) {
		for (; open < limit && begun < count; begun++, open++) {
			to.sin_addr.s_addr = htonl(0x7f010000 + begun);
			addresses[open] = to.sin_addr;
			fds[open] = (struct pollfd){ .fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN };
			/* A reset may come before connect(2) returns, and is seen below all the same. */
			if (connect(fds[open].fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != ECONNRESET)
				lab_die("connect");
		}
		poll(fds, open, -1);
		for (uint32_t i = open; i-- > 0;) {
			if (fds[i].revents == 0 || recv(fds[i].fd, &byte, 1, 0) > 0)
				continue;
			tell(addresses[i]);
			close(fds[i].fd);
			fds[i] = fds[--open];
			addresses[i] = addresses[open];
		}
	}
}

int main(int argc, char *argv[])
{
	static char output[1 << 20];
	struct rlimit files;

	/* Nobody reads the output before the end. */
	setvbuf(stdout, output, _IOFBF, sizeof(output));
	lab_begin();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (argc == 3 && (strcmp(argv[1], "fin") == 0 || strcmp(argv[1], "rst") == 0)) {
		serve(strcmp(argv[1], "rst") == 0, (int64_t)(lab_number(argv[2], 0, 60000) * 1e3));
	} else if (argc == 5 && strcmp(argv[1], "see") == 0) {
		see((uint16_t)lab_number(argv[2], 1, UINT16_MAX), (uint32_t)lab_number(argv[3], 1, 65535),
		    (uint32_t)lab_number(argv[4], 1, 1024));
	} else {
		fputs("usage: hangup fin|rst MS, hangup see PORT COUNT LIMIT\n", stderr);
		return 2;
	}
	return 0;
}
