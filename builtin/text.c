// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int tp_because(struct tp_why *why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why->text, sizeof(why->text), format, arguments);
	va_end(arguments);
	return EINVAL;
}

size_t tp_control_length(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0)
		return 2;
	return byte[0] < ' ' || byte[0] == 0x7f;
}

const char tp_scheme_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-";

/* The part of a word that holds no secret; *end is where it ends. */
static const char *public_part(const char *word, const char **end)
{
	const char *scheme_end = strstr(word, "://"), *at = strrchr(word, '@');

	*end = word + strlen(word);
	if (scheme_end != NULL) {
		const char *scheme = scheme_end;

		while (scheme > word && strchr(tp_scheme_bytes, scheme[-1]) != NULL)
			scheme--;
		word = scheme;
		*end = scheme_end + strlen("://");
	} else if (at != NULL) {
		word = at;
		*end = word + strcspn(word, "/?#");
	}
	return word;
}

struct tp_quoted tp_quote(const char *word)
{
	static const char cut[] = "...'";
	struct tp_quoted quoted;
	const char *end, *part = public_part(word, &end);
	size_t used = 0, control = 0;

	quoted.text[used++] = '\'';
	if (part != word)
		used += (size_t)sprintf(quoted.text + used, "...");
	/* Room for one more escape and for the end is left at every step. */
	for (; part < end && used + strlen("\\ooo") + sizeof(cut) <= sizeof(quoted.text); part++) {
		if (control == 0)
			control = tp_control_length(part);
		if (control == 0) {
			quoted.text[used++] = *part;
		} else {
			used += (size_t)sprintf(quoted.text + used, "\\%03o", (unsigned)(unsigned char)*part);
			control--;
		}
	}
	strcpy(quoted.text + used, *part != '\0' ? cut : "'");
	return quoted;
}
