/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine's hosts and nsswitch.conf, as a test wants them. The engine's objects are linked against the fopen(3)
 * below, which knows only these two files.
 */
#ifndef TP_UNIT_FILES_H
#define TP_UNIT_FILES_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The texts of the files; NULL: there is no such file. */
static const char *hosts_file, *nsswitch_file;

/* Opens a text as a file. Not every fmemopen(3) takes an empty one. */
static FILE *open_text(const char *text)
{
	if (text == NULL) {
		errno = ENOENT;
		return NULL;
	}
	if (*text == '\0')
		text = "\n";
	return fmemopen((void *)(uintptr_t)text, strlen(text), "r");
}

FILE *fopen(const char *path, const char *mode);

FILE *fopen(const char *path, const char *mode)
{
	(void)mode;
	if (strcmp(path, "/etc/hosts") == 0)
		return open_text(hosts_file);
	return open_text(strcmp(path, "/etc/nsswitch.conf") == 0 ? nsswitch_file : NULL);
}

#endif
