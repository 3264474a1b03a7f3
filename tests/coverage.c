// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tests/coverage links this into what it builds, around the calls of a helper. A helper never comes to an exit() that
 * would write its counters, and most helpers are killed while they wait. So the counters are written before each
 * answer.
 */
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

void __gcov_dump(void);
void __gcov_reset(void);
ssize_t __real_write(int fd, const void *bytes, size_t count);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
unsigned __real_alarm(unsigned seconds);
unsigned __wrap_alarm(unsigned seconds);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

static pid_t helper; /* the process that has set an alarm; a unit test's own process does so too, without harm */

unsigned __wrap_alarm(unsigned seconds)
{
	helper = getpid();
	return __real_alarm(seconds);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
	if (helper == getpid()) {
		__gcov_dump();
		__gcov_reset();
	}
	return __real_write(fd, bytes, count);
}

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
