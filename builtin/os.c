// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_os.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

int64_t tp_os_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int tp_os_poll(struct pollfd *fds, nfds_t count, int64_t timeout_us, const sigset_t *mask)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(timeout_us / 1000000),
		.tv_nsec = (long)(timeout_us % 1000000) * 1000,
	};

	return ppoll(fds, count, timeout_us == TP_NEVER ? NULL : &timeout, mask) < 0 ? errno : 0;
}

/*
 * A shell may be called with its standard descriptors closed. None of ours takes their place: what the shell writes to
 * its stderr would go to a peer. Closes the descriptor where it fails.
 */
static int lift(int *fd)
{
	int low = *fd, error;

	if (low > STDERR_FILENO)
		return 0;
	*fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	error = *fd < 0 ? errno : 0;
	close(low);
	return error;
}

/* Both ends of a channel; closes both where one fails. */
static int lift_both(int fds[2])
{
	int error = lift(&fds[0]);

	if (error != 0) {
		close(fds[1]);
		return error;
	}
	error = lift(&fds[1]);
	if (error != 0)
		close(fds[0]);
	return error;
}

#ifndef SOCK_CLOEXEC
static int close_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? errno : 0;
}

static int non_blocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
}

int tp_os_tcp_socket(int family, int *fd)
{
	int error;

	*fd = socket(family, SOCK_STREAM, 0);
	if (*fd < 0)
		return errno;
	error = close_on_exec(*fd);
	if (error == 0)
		error = non_blocking(*fd);
	if (error != 0) {
		close(*fd);
		return error;
	}
	return lift(fd);
}

int tp_os_channel(int fds[2])
{
	int error;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return errno;
	error = close_on_exec(fds[0]);
	if (error == 0)
		error = close_on_exec(fds[1]);
	if (error == 0)
		error = non_blocking(fds[0]);
#ifdef SO_NOSIGPIPE
	if (error == 0 && setsockopt(fds[0], SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int)) < 0)
		error = errno;
#endif
	if (error != 0) {
		close(fds[0]);
		close(fds[1]);
		return error;
	}
	return lift_both(fds);
}
#else
int tp_os_tcp_socket(int family, int *fd)
{
	*fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return *fd < 0 ? errno : lift(fd);
}

int tp_os_channel(int fds[2])
{
	int error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		error = errno;
		close(fds[0]);
		close(fds[1]);
		return error;
	}
	return lift_both(fds);
}
#endif

int tp_os_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	int error = connect(fd, address, size) < 0 ? errno : 0;

	/* EINTR: it goes on all the same. */
	if (error == EINTR)
		error = EINPROGRESS;
#ifdef __linux__
	/*
	 * A second connect() tells how far the first one is. The first says EINPROGRESS even where
	 * the peer is on this host and has answered within the call. Elsewhere it could begin anew.
	 */
	if (error == EINPROGRESS)
		error = connect(fd, address, size) < 0 ? errno : 0;
	if (error == EALREADY || error == EINTR)
		error = EINPROGRESS;
#endif
	return error;
}

void tp_os_bind_late(int fd)
{
#ifdef IP_BIND_ADDRESS_NO_PORT
	/* Without it (before Linux 4.2) probes from one source only run out of ports sooner. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){ 1 }, sizeof(int));
#else
	(void)fd;
#endif
}

int tp_os_bind_interface(int fd, const char *interface)
{
#ifdef SO_BINDTODEVICE
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0 ? errno : 0;
#else
	(void)fd;
	(void)interface;
	return ENOTSUP;
#endif
}

void tp_os_die_with(pid_t parent)
{
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	/* 0: the parent is in another process namespace (unshare --pid). */
	if (getppid() != parent && getppid() != 0)
		_exit(1);
}
