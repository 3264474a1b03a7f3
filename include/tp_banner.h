/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a peer does with a connection that is held: nothing, hang up, or speak. Its first line is the banner. */
#ifndef TP_BANNER_H
#define TP_BANNER_H

#include <stddef.h>

/* Bytes of a banner, at most. */
#define TP_BANNER_MOST 255

/* As the peer sent it, whatever the bytes are; a NUL follows them. */
struct tp_banner {
	size_t length;
	char bytes[TP_BANNER_MOST + 1];
};

/*
 * The banner in the first bytes that a peer sent: the first line that is not empty, without its CR and LF. A NUL in it
 * means that the greeting is no text (MariaDB's): then the banner is all bytes. A length of 0: there is no banner.
 */
struct tp_banner tp_banner_of(const char *bytes, size_t count);

/*
 * Looks at what the peer has done, and takes nothing out of the socket. Returns 0: the peer spoke, and *banner is its
 * banner (the caller frees it), or NULL if there is none; EINPROGRESS: the peer has done nothing; EPIPE: it hung up; or
 * the errno value of recv(2).
 */
int tp_banner_hear(int fd, struct tp_banner **banner);

#endif
