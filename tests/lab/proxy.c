// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * proxy PORT: a userland proxy before 127.0.0.1:PORT, like docker-proxy. It first accepts every connection, and then
 * hangs up if nobody listens behind it. The first line on stdout is its own port.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

static struct sockaddr_in local(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Hands on the bytes that can be read. Returns false at the end. */
static bool pass_on(int from, int to)
{
	char bytes[4096];
	ssize_t count = read(from, bytes, sizeof(bytes));

	return count > 0 && send(to, bytes, (size_t)count, MSG_NOSIGNAL) == count;
}

/* Runs in a child: hands on bytes between the client and the server, until one of them ends. */
static void serve(int client, uint16_t port)
{
	struct sockaddr_in to = local(port);
	struct pollfd fds[2] = { { .fd = client, .events = POLLIN },
				 { .fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN } };

	if (connect(fds[1].fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		_exit(0);
	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents != 0 && !pass_on(fds[0].fd, fds[1].fd))
			break;
		if (fds[1].revents != 0 && !pass_on(fds[1].fd, fds[0].fd))
			break;
	}
	_exit(0);
}

int main(int argc, char *argv[])
{
	struct sockaddr_in address = local(0);
	socklen_t size = sizeof(address);
	uint16_t port = argc == 2 ? (uint16_t)lab_number(argv[1], 1, UINT16_MAX) : 0;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), client;
	pid_t parent = getpid();

	if (port == 0) {
		fputs("usage: proxy PORT\n", stderr);
		return 2;
	}
	lab_begin();
	signal(SIGCHLD, SIG_IGN);
	if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, SOMAXCONN) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) < 0)
		lab_die("listen");
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	while (!lab_stop) {
		lab_poll(listener, LAB_NEVER);
		while ((client = accept(listener, NULL, NULL)) >= 0) {
			if (fork() == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				if (getppid() == parent)
					serve(client, port);
				_exit(0);
			}
			close(client);
		}
	}
	return 0;
}
