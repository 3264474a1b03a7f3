/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The states a probe can end in; tcpprobe.def lists them. */
#ifndef TP_STATE_H
#define TP_STATE_H

#include <stdbool.h>

enum tp_state {
#define TP_STATE(id, status, telling, word, meaning) TP_##id,
#include "tcpprobe.def"
	TP_STATES
};

/* Exit statuses that belong to no state: TP_STATUS_USAGE, TP_STATUS_SIGNAL. */
enum tp_status {
#define TP_STATUS(id, status, written, meaning) TP_STATUS_##id = (status),
#include "tcpprobe.def"
};

/* The exit status of a state: CONTRACT "States and exit status". */
int tp_state_status(enum tp_state state);

/* The state's word, in ASCII; static storage. */
const char *tp_state_word(enum tp_state state);

/* Given two states of addresses of one name: is a more telling than b? */
bool tp_state_tells_more(enum tp_state a, enum tp_state b);

/* The state that an errno value of connect(2), or of SO_ERROR after it, means. 0: open. */
enum tp_state tp_state_of_connect(int error);

/* Words for an errno value of connect(2); the same on every system. Static storage, or strerror(3)'s. */
const char *tp_connect_words(int error);

/* The state that a failure of getaddrinfo(3) means: eai is EAI_..., error the errno beside EAI_SYSTEM. */
enum tp_state tp_state_of_lookup(int eai, int error);

/* Words for it, except for EAI_SYSTEM; as tp_connect_words(). */
const char *tp_lookup_words(int eai);

/* Is this process or system out of something that may come back: descriptors, buffers, memory, processes? */
bool tp_is_shortage(int error);

/* May the obstacle to a probe pass: a shortage, or a local port, address or interface that is not there yet? */
bool tp_may_pass(int error);

#endif
