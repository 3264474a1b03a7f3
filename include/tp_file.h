/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TP_FILE_H
#define TP_FILE_H

#include <stddef.h>

/*
 * The whole text of a small file, the caller's to free. NULL: it cannot be read, it has more than most bytes, or memory
 * is out. A NUL byte in it ends the text.
 */
char *tp_read_file(const char *path, size_t most);

#endif
