// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_state.h"

#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <string.h>

/* No pointers, in small tables: each would cost a relocation. */
static const struct {
	char word[sizeof("unreachable")];
	uint8_t status;
	uint8_t telling;
} states[] = {
#define TP_STATE(id, status, telling, word, meaning) [TP_##id] = { word, status, telling },
#include "tcpprobe.def"
};

int tp_state_status(enum tp_state state)
{
	return states[state].status;
}

const char *tp_state_word(enum tp_state state)
{
	return states[state].word;
}

bool tp_state_tells_more(enum tp_state a, enum tp_state b)
{
	return states[a].telling < states[b].telling;
}

enum tp_state tp_state_of_connect(int error)
{
	switch (error) {
	case 0:
		return TP_OPEN;
#define TP_ERRNO(value, id, words) \
	case value:                \
		return TP_##id;
#include "tcpprobe.def"
	default:
		return TP_ERROR;
	}
}

const char *tp_connect_words(int error)
{
	switch (error) {
#define TP_ERRNO(value, id, words) \
	case value:                \
		return words;
#include "tcpprobe.def"
	default:
		return strerror(error);
	}
}

enum tp_state tp_state_of_lookup(int eai, int error)
{
	switch (eai) {
#define TP_EAI(value, id, words) \
	case value:              \
		return TP_##id;
#include "tcpprobe.def"
	case EAI_SYSTEM:
		/* ECHILD: the helper died. */
		return tp_is_shortage(error) || error == ECHILD ? TP_ERROR : TP_UNRESOLVED;
	default:
		return TP_UNRESOLVED;
	}
}

const char *tp_lookup_words(int eai)
{
	switch (eai) {
#define TP_EAI(value, id, words) \
	case value:              \
		return words;
#include "tcpprobe.def"
	default:
		return gai_strerror(eai);
	}
}

bool tp_is_shortage(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN:
		return true;
	default:
		return false;
	}
}

bool tp_may_pass(int error)
{
	return tp_is_shortage(error) || error == EADDRNOTAVAIL || error == EADDRINUSE || error == ENODEV;
}
