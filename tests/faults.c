// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tests/faults preloads this into bash. It counts the requests for memory that tcpprobe.so makes, in this process and
 * its copies, and refuses the one with the number in TP_MEMORY. By looking up a file that does not exist it tells
 * strace when it does so. No request of bash itself is refused: bash would not survive that.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own functions, which the ones below replace. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *piece, size_t size);
char *__strdup(const char *text);

static bool is_refused(void *caller)
{
	static unsigned requests;
	const char *number = getenv("TP_MEMORY");
	Dl_info info;

	if (number == NULL || dladdr(caller, &info) == 0 || strstr(info.dli_fname, "/tcpprobe.so") == NULL)
		return false;
	if (++requests != (unsigned)atoi(number))
		return false;
	(void)access("/faults.memory", F_OK);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_refused(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	return is_refused(__builtin_return_address(0)) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *piece, size_t size)
{
	return is_refused(__builtin_return_address(0)) ? NULL : __libc_realloc(piece, size);
}

char *strdup(const char *text)
{
	return is_refused(__builtin_return_address(0)) ? NULL : __strdup(text);
}
