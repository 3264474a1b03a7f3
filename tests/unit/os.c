// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "unit.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* The lowest descriptor above the standard ones that is free. */
static int lowest_free(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD, STDERR_FILENO + 1);

	close(fd);
	return fd;
}

/*
 * Calls tp_os_channel() while 0 and 2 are closed and only this many descriptors above them are free. Afterwards
 * *free_after counts which are still free: 0, 2 and the lowest one above them.
 */
static int channel_with(int left, int fds[2], int *free_after)
{
	int in = dup(STDIN_FILENO), err = dup(STDERR_FILENO), lowest = lowest_free(), error;
	struct rlimit limit, few;

	getrlimit(RLIMIT_NOFILE, &limit);
	few = limit;
	few.rlim_cur = (rlim_t)(lowest + left);
	close(STDIN_FILENO);
	close(STDERR_FILENO);
	setrlimit(RLIMIT_NOFILE, &few);
	error = tp_os_channel(fds);
	setrlimit(RLIMIT_NOFILE, &limit);
	*free_after = !is_open(STDIN_FILENO) + !is_open(STDERR_FILENO) + (lowest_free() == lowest);
	dup2(in, STDIN_FILENO);
	dup2(err, STDERR_FILENO);
	close(in);
	close(err);
	return error;
}

static void leaves_standard_descriptors_alone(void)
{
	int fds[2], free_after;

	if (CHECK_NUMBER(channel_with(2, fds, &free_after), 0)) {
		CHECK(fds[0] > STDERR_FILENO && fds[1] > STDERR_FILENO);
		CHECK_NUMBER(free_after, 2);
		CHECK_NUMBER(write(fds[1], "x", 1), 1);
		CHECK(tp_os_is_ready(fds[0], POLLIN));
		close(fds[0]);
		close(fds[1]);
	}
}

static void leaves_nothing_open_where_descriptors_run_out(void)
{
	int fds[2], free_after;

	for (int left = 0; left < 2; left++) {
		CHECK_NUMBER(channel_with(left, fds, &free_after), EMFILE);
		CHECK_NUMBER(free_after, 3);
	}
}

static void says_what_is_no_socket(void)
{
	static const char path[] = "/dev/null";
	struct tp_evidence evidence = { 0 };
	int fd;

	CHECK_NUMBER(tp_os_open("/dev/null/none", &fd), ENOTDIR);
	if (!CHECK_NUMBER(tp_os_open(path, &fd), 0))
		return;
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK_NUMBER(tp_os_connect(fd, &(struct sockaddr){ .sa_family = AF_INET }, sizeof(struct sockaddr)), ENOTSOCK);
	CHECK_NUMBER(tp_os_half_open(fd), tp_os_has_half_open() ? ENOTSOCK : ENOTSUP);
	CHECK_NUMBER(tp_os_set_hops(fd, AF_INET, 1), ENOTSOCK);
	CHECK_NUMBER(tp_os_set_hops(fd, AF_INET6, 1), ENOTSOCK);
	CHECK_NUMBER(tp_os_handshake_us(fd), -1);
	CHECK_NUMBER(tp_os_evidence(fd, &evidence), 0);
	close(fd);
	CHECK(tp_os_tcp_socket(-1, &fd) != 0);
}

static void ends_at_once_without_its_parent(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		/* getppid(2) returns another number than this one, as if the parent had ended meanwhile. */
		tp_os_die_with(getppid() + 1);
		_exit(0);
	}
	CHECK_NUMBER(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "where standard descriptors are closed none of ours takes their place",
		  leaves_standard_descriptors_alone },
		{ "and where there are too few others nothing stays open",
		  leaves_nothing_open_where_descriptors_run_out },
		{ "what is no socket is an error, not a handshake", says_what_is_no_socket },
		{ "a helper whose parent has gone ends at once", ends_at_once_without_its_parent },
	};

	return UNIT_RUN(tests);
}
