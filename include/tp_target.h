/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words to targets: CONTRACT "Targets". Nothing here resolves or sends. */
#ifndef TP_TARGET_H
#define TP_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"
#include "tp_text.h"

/* Ports first to last, both included, 1-65535. */
struct tp_ports {
	uint16_t first, last;
};

struct tp_target {
	char *host; /* without brackets, never empty; as given but for a URL's %XX */
	struct tp_ports *ports;
	size_t ports_count;
};

/* An ordered list; zeroed it is empty. It owns all that it points to. */
struct tp_targets {
	struct tp_target *list;
	size_t count;
};

/*
 * Adds the targets that the words name: HOST PORT..., or words that are each
 * whole: HOST:PORT, /dev/tcp/HOST/PORT, SCHEME://[user[:password]@]HOST[:PORT]...
 * Returns 0, EINVAL with the reason in *why, or ENOMEM. On failure what was
 * added before stays; free the list.
 */
int tp_targets_add(struct tp_targets *targets, char *const words[], size_t count, struct tp_why *why);

/* Only the first of them stay, so many. */
void tp_targets_cut(struct tp_targets *targets, size_t count);

void tp_targets_free(struct tp_targets *targets);

/* A place in a list of targets, port by port; zeroed it is at the start. */
struct tp_cursor {
	size_t target, ports;
	uint32_t offset;
};

/* The next host and port, in order; false at the end. The host belongs to the list. */
bool tp_cursor_next(struct tp_cursor *cursor, const struct tp_targets *targets, const char **host, uint16_t *port);

#endif
