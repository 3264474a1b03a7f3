/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine's hosts and nsswitch.conf, as a test wants them. The engine's objects are linked against the open(2)
 * below, which has them in memory, and knows no file of /etc but these two.
 */
#ifndef TP_UNIT_FILES_H
#define TP_UNIT_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The texts of the files; NULL: there is no such file. */
static const char *hosts_file, *nsswitch_file;

/* Opens a text as a file. */
static int open_text(const char *text)
{
	int fd = -1;

	if (text == NULL)
		errno = ENOENT;
	else
		fd = memfd_create("text", MFD_CLOEXEC);
	if (fd >= 0 && (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || lseek(fd, 0, SEEK_SET) != 0))
		abort();
	return fd;
}

int open(const char *path, int flags, ...);

/* No caller here creates a file, so there is no mode. */
int open(const char *path, int flags, ...)
{
	if (strcmp(path, "/etc/hosts") == 0)
		return open_text(hosts_file);
	if (strcmp(path, "/etc/nsswitch.conf") == 0)
		return open_text(nsswitch_file);
	if (strncmp(path, "/etc/", 5) == 0)
		return open_text(NULL);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

#endif
