// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_state.h"

#include <errno.h>
#include <netdb.h>

#include "unit.h"

/* The contract's table, written down once more on purpose: scripts build on these numbers and words. */
static void keeps_the_contract(void)
{
	static const struct {
		enum tp_state state;
		int status;
		const char *word;
	} rows[] = {
		{ TP_OPEN, 0, "open" },
		{ TP_REFUSED, 1, "refused" },
		{ TP_UNREACHABLE, 3, "unreachable" },
		{ TP_UNRESOLVED, 4, "unresolved" },
		{ TP_ERROR, 5, "error" },
		{ TP_HANGUP, 6, "hangup" },
		{ TP_TIMEOUT, 124, "timeout" },
	};

	CHECK_NUMBER(ROWS(rows), TP_STATES);
	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = rows[i].word;
		CHECK_NUMBER(tp_state_status(rows[i].state), rows[i].status);
		CHECK_TEXT(tp_state_word(rows[i].state), rows[i].word);
	}
	CHECK_NUMBER(TP_STATUS_USAGE, 2);
	CHECK_NUMBER(TP_STATUS_SIGNAL, 128);
}

static void gives_every_state_its_own_status(void)
{
	for (enum tp_state a = 0; a < TP_STATES; a++) {
		CHECK(tp_state_status(a) != TP_STATUS_USAGE);
		for (enum tp_state b = 0; b < a; b++) {
			CHECK(tp_state_status(a) != tp_state_status(b));
			CHECK(strcmp(tp_state_word(a), tp_state_word(b)) != 0);
		}
	}
}

static void reads_what_connect_said(void)
{
	static const struct {
		int error;
		enum tp_state state;
	} rows[] = {
		{ 0, TP_OPEN },
		{ ECONNRESET, TP_OPEN },
		{ EPIPE, TP_OPEN },
		{ ECONNREFUSED, TP_REFUSED },
		{ EHOSTUNREACH, TP_UNREACHABLE },
		{ ENETUNREACH, TP_UNREACHABLE },
#ifdef EHOSTDOWN
		{ EHOSTDOWN, TP_UNREACHABLE },
#endif
		{ ENETDOWN, TP_UNREACHABLE },
		{ EACCES, TP_UNREACHABLE },
		{ EPERM, TP_UNREACHABLE },
		{ EINVAL, TP_UNREACHABLE },
		{ EMFILE, TP_ERROR },
		{ ENFILE, TP_ERROR },
		{ ENOBUFS, TP_ERROR },
		{ ENOMEM, TP_ERROR },
		{ EADDRNOTAVAIL, TP_ERROR },
		{ EAFNOSUPPORT, TP_ERROR },
		{ EADDRINUSE, TP_ERROR },
		{ EBADF, TP_ERROR },
		{ EIO, TP_ERROR },
		{ ETIMEDOUT, TP_TIMEOUT },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = strerror(rows[i].error);
		CHECK_NUMBER(tp_state_of_connect(rows[i].error), rows[i].state);
	}
}

static void reads_what_the_resolver_said(void)
{
	static const struct {
		int eai, error;
		enum tp_state state;
	} rows[] = {
		{ EAI_NONAME, 0, TP_UNRESOLVED },     { EAI_AGAIN, 0, TP_UNRESOLVED },
		{ EAI_FAIL, 0, TP_UNRESOLVED },       { EAI_FAMILY, 0, TP_UNRESOLVED },
#ifdef EAI_NODATA
		{ EAI_NODATA, 0, TP_UNRESOLVED },
#endif
#ifdef EAI_ADDRFAMILY
		{ EAI_ADDRFAMILY, 0, TP_UNRESOLVED },
#endif
		{ EAI_SYSTEM, EIO, TP_UNRESOLVED },   { EAI_SYSTEM, ECONNREFUSED, TP_UNRESOLVED },
		{ EAI_SYSTEM, EMFILE, TP_ERROR },     { EAI_SYSTEM, ENOMEM, TP_ERROR },
		{ EAI_SYSTEM, ECHILD, TP_ERROR },     { EAI_MEMORY, 0, TP_ERROR },
		{ EAI_SERVICE, 0, TP_UNRESOLVED },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = gai_strerror(rows[i].eai);
		CHECK_NUMBER(tp_state_of_lookup(rows[i].eai, rows[i].error), rows[i].state);
	}
}

/* Every row of tcpprobe.def: no system's own words come through. */
static void has_words_of_its_own(void)
{
#define TP_ERRNO(value, id, words)                         \
	CHECK_NUMBER(tp_state_of_connect(value), TP_##id); \
	CHECK_TEXT(tp_connect_words(value), words);
#define TP_EAI(value, id, words)                             \
	CHECK_NUMBER(tp_state_of_lookup(value, 0), TP_##id); \
	CHECK_TEXT(tp_lookup_words(value), words);
#include "tcpprobe.def"
	CHECK_TEXT(tp_connect_words(EXDEV), strerror(EXDEV));
	CHECK_TEXT(tp_lookup_words(EAI_SERVICE), gai_strerror(EAI_SERVICE));
}

static void ranks_the_states_of_addresses(void)
{
	static const enum tp_state order[] = { TP_OPEN, TP_REFUSED, TP_HANGUP, TP_TIMEOUT, TP_UNREACHABLE, TP_ERROR };

	for (size_t a = 0; a < ROWS(order); a++) {
		for (size_t b = 0; b < ROWS(order); b++) {
			unit.row = tp_state_word(order[a]);
			CHECK_NUMBER(tp_state_tells_more(order[a], order[b]), a < b);
		}
	}
}

static void knows_shortages(void)
{
	static const int shortages[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN };
	static const int others[] = { 0, ECONNREFUSED, EADDRNOTAVAIL, EPERM, ETIMEDOUT, ECHILD, EINTR };

	for (size_t i = 0; i < ROWS(shortages); i++) {
		unit.row = strerror(shortages[i]);
		CHECK(tp_is_shortage(shortages[i]));
	}
	for (size_t i = 0; i < ROWS(others); i++) {
		unit.row = strerror(others[i]);
		CHECK(!tp_is_shortage(others[i]));
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "statuses and words are those of the contract", keeps_the_contract },
		{ "every state has a status and a word of its own", gives_every_state_its_own_status },
		{ "each errno value of connect has its state", reads_what_connect_said },
		{ "each failure of the resolver has its state", reads_what_the_resolver_said },
		{ "each of these has words of its own, the same with every C library", has_words_of_its_own },
		{ "of several addresses the most telling state wins", ranks_the_states_of_addresses },
		{ "what may pass by itself is told from what will not", knows_shortages },
	};

	return UNIT_RUN(tests);
}
