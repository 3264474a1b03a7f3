/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Internationalized names, where getaddrinfo(3) does not encode them: AI_IDN is glibc's alone. */
#ifndef TP_IDN_H
#define TP_IDN_H

#include <stddef.h>

/*
 * Encodes a name as IDNA has it (RFC 5890): each label beyond ASCII, in lower case, becomes "xn--" and its Punycode
 * (RFC 3492). Other mappings (RFC 5895) are left out: letters and their accents must be composed. The name is in the
 * encoding of LC_CTYPE. Returns encoded, which has room for size bytes, or the name itself if it is ASCII, is no text,
 * or is too long.
 */
const char *tp_idn_encode(const char *name, char *encoded, size_t size);

#endif
