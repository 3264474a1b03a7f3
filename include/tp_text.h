/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text: building a report, and making words from outside fit to be shown in a message. */
#ifndef TP_TEXT_H
#define TP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text that grows. Zeroed it is empty; tp_text_free() frees it. */
struct tp_text {
	char *bytes; /* NUL at the end; NULL until something is put */
	size_t length, room;
	bool failed; /* memory was out, and the text is not whole */
};

void tp_text_free(struct tp_text *text);

/* Empty again, its memory kept. */
void tp_text_clear(struct tp_text *text);

/* Each puts at the end. Not printf(3): it is slow where a line costs as much as its probe, and obeys LC_NUMERIC. */
void tp_put_bytes(struct tp_text *text, const char *bytes, size_t count);
void tp_put(struct tp_text *text, const char *string);
void tp_put_number(struct tp_text *text, uint64_t number);

/* A whole number of the last decimal's unit, with a point: (1050, 3) is "1.050". */
void tp_put_decimal(struct tp_text *text, uint64_t number, unsigned decimals);

/* Why a call failed, for the user: one line without its newline. */
struct tp_why {
	char text[512];
};

/* Sets the reason as printf(3) does, cut to what fits. Returns EINVAL, for `return tp_because(...)`. */
int tp_because(struct tp_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes that the scheme of a URL is made of: RFC 3986, section 3.1, and '_' as in SASL_SSL. */
extern const char tp_scheme_bytes[];

/*
 * The length of "jdbc:" or "r2dbc:" at the start of the word, or 0. These only say which library the URL behind them is
 * for.
 */
size_t tp_jdbc_length(const char *word);

/*
 * May a part of this word be a password? Yes, unless it is made like a host, a port, HOST:PORT, a list of these, or the
 * argument of an option: a blank, one of "@=/;|&", or a second colon may separate a password from something else.
 */
bool tp_may_hide_secret(const char *word);

/* A word made fit to show: see tp_quote(). */
struct tp_quoted {
	char text[128];
};

/*
 * The word in single quotes, control bytes as \ooo, cut after some 100 bytes.
 * Of a word that may hide a secret only the scheme is shown: 'redis://...',
 * 'jdbc:mysql://...', or '...' where the word does not begin with one.
 */
struct tp_quoted tp_quote(const char *word);

/* A file's name as it is; as tp_quote() has it, in *quoted, where it could harm a terminal or seems to be a URL or a setting. */
const char *tp_path(const char *path, struct tp_quoted *quoted);

/*
 * The bytes of the control character that begins here: C0, DEL, or, as UTF-8 writes them, C1 and what Unicode has of that
 * kind: blanks and marks that are not seen, break a line, or turn the direction of writing around. 0: none begins.
 */
size_t tp_control_length(const char *text);

/* The bytes of the UTF-8 character that begins here (RFC 3629); 0: none does. A NUL must end the text. */
size_t tp_utf8_length(const char *text);

/*
 * Puts text from a stranger, which a NUL follows, fit for a terminal: '?' stands for each control character,
 * and for each byte that is no UTF-8.
 */
void tp_put_shown(struct tp_text *text, const char *bytes, size_t count);

/* Does a control character begin anywhere in the text? */
bool tp_has_control(const char *text);

#endif
