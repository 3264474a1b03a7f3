/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hosts file, read by us: no name service is called in the process of the shell. */
#ifndef TP_HOSTS_H
#define TP_HOSTS_H

#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"

struct tp_hosts;

/* A number for a name, whatever the case of its letters. */
uint32_t tp_hosts_hash(const char *name);

/*
 * Reads the file. Returns NULL if it does not decide: there is none, it is too large, memory is out, or NSS does not
 * ask it first and take its answer as the last word.
 */
struct tp_hosts *tp_hosts_read(void);

void tp_hosts_free(struct tp_hosts *hosts);

/*
 * Finds the addresses of a name, at most room of them, of this family or of both, in the file's order. Returns how
 * many.
 */
size_t tp_hosts_find(const struct tp_hosts *hosts, const char *host, int family, union tp_address *addresses,
		     size_t room);

#endif
