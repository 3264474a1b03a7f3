/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words from outside on their way into a message. */
#ifndef TP_TEXT_H
#define TP_TEXT_H

#include <stddef.h>

/* Why a call failed, for the user: one line without its newline. */
struct tp_why {
	char text[512];
};

/* Sets the reason as printf(3) does, cut to what fits. Returns EINVAL, for `return tp_because(...)`. */
int tp_because(struct tp_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the scheme of a URL is made of: RFC 3986, section 3.1. */
extern const char tp_scheme_bytes[];

/* A word made fit to show: see tp_quote(). */
struct tp_quoted {
	char text[128];
};

/*
 * The word in single quotes, control bytes as \ooo, cut after some 100 bytes.
 * What may be the secret of a URL is never in it: of a word with "://" only the
 * scheme is shown, of one with '@' only the name behind the last of them.
 */
struct tp_quoted tp_quote(const char *word);

/* The bytes of the control character that begins here: C0, DEL, or C1 as UTF-8 writes it. 0: none begins. */
size_t tp_control_length(const char *text);

#endif
