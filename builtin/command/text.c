// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void tp_text_free(struct tp_text *text)
{
	free(text->bytes);
	text->bytes = NULL;
	text->length = text->room = 0;
	text->failed = false;
}

void tp_text_clear(struct tp_text *text)
{
	text->length = 0;
	if (text->bytes != NULL)
		text->bytes[0] = '\0';
}

/* Makes room for this many more bytes and a NUL. */
static bool make_room(struct tp_text *text, size_t count)
{
	size_t room = text->room * 2 + 128;
	char *bytes;

	if (text->failed)
		return false;
	if (text->length + count < text->room)
		return true;
	if (room <= text->length + count)
		room = text->length + count + 1;
	bytes = realloc(text->bytes, room);
	if (bytes == NULL) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->room = room;
	return true;
}

void tp_put_bytes(struct tp_text *text, const char *bytes, size_t count)
{
	if (!make_room(text, count))
		return;
	memcpy(text->bytes + text->length, bytes, count);
	text->length += count;
	text->bytes[text->length] = '\0';
}

void tp_put(struct tp_text *text, const char *string)
{
	tp_put_bytes(text, string, strlen(string));
}

void tp_put_decimal(struct tp_text *text, uint64_t number, unsigned decimals)
{
	/* 20 digits, a point, and zeros before it. */
	char digits[24], *first = digits + sizeof(digits);

	for (unsigned place = 0; number > 0 || place <= decimals; place++) {
		if (place > 0 && place == decimals)
			*--first = '.';
		*--first = (char)('0' + number % 10);
		number /= 10;
	}
	tp_put_bytes(text, first, (size_t)(digits + sizeof(digits) - first));
}

void tp_put_number(struct tp_text *text, uint64_t number)
{
	tp_put_decimal(text, number, 0);
}

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

	if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] <= 0xa0)
		return 2;
	/* U+2000 to U+200F, U+2028 to U+202F, U+2060 to U+206F. The second byte is no NUL, so there is a third. */
	if (byte[0] == 0xe2 && ((byte[1] == 0x80 && (byte[2] & 0xf8) != 0xa0 && (byte[2] & 0xd0) == 0x80) ||
				(byte[1] == 0x81 && (byte[2] & 0xf0) == 0xa0)))
		return 3;
	return byte[0] < ' ' || byte[0] == 0x7f;
}

size_t tp_utf8_length(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned char first = byte[0], low = 0x80, high = 0xbf;
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf5 ? 4
				       : 0;

	/* The form must be the shortest, not a surrogate, and not past U+10FFFF: the second byte shows it. */
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < length; i++) {
		if (byte[i] < low || byte[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

void tp_put_shown(struct tp_text *text, const char *bytes, size_t count)
{
	const char *end = bytes + count;
	size_t length;

	for (; bytes<end; bytes += length> 0 ? length : 1) {
		size_t control = *bytes == '\0' ? 1 : tp_control_length(bytes);

		length = tp_utf8_length(bytes);
		if (control > 0 || length == 0)
			tp_put(text, "?");
		else
			tp_put_bytes(text, bytes, length);
	}
}

bool tp_has_control(const char *text)
{
	while (*text != '\0' && tp_control_length(text) == 0)
		text++;
	return *text != '\0';
}

const char tp_scheme_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-_";

size_t tp_jdbc_length(const char *word)
{
	if (strncasecmp(word, "jdbc:", 5) == 0)
		return 5;
	return strncasecmp(word, "r2dbc:", 6) == 0 ? 6 : 0;
}

/*
 * What separates a password from something else: user@host, key=value, user/password, fields of a record. A slash may
 * also stand before the bits of a network, or before "tcp" or "udp". U+FF00 to U+FFEF are wide forms of ASCII.
 */
static bool has_separator(const char *word)
{
	const char *slash = strncmp(word, "/dev/tcp/", 9) == 0 ? NULL : strchr(word, '/');
	const char *colon = strchr(word, ':');

	if (strpbrk(word, "@=;|&\\<{( \xef") != NULL || (colon != NULL && strpbrk(colon, "?#") != NULL))
		return true;
	return slash != NULL && slash[1 + strspn(slash + 1, "0123456789:tcpud")] != '\0';
}

/* HOST:PORT:USER:PASSWORD and other records: two colons in one item, but no IPv6 address. */
static bool is_record(const char *word)
{
	const char *end = word + strspn(word, "0123456789abcdefABCDEF:.,[]/");
	unsigned colons = 0;

	for (; *word != '\0' && colons < 2; word++)
		colons = *word == ',' ? 0 : colons + (*word == ':');
	return colons == 2 && *end != '\0' && *end != '%';
}

bool tp_may_hide_secret(const char *word)
{
	return has_separator(word) || tp_jdbc_length(word) > 0 || is_record(word);
}

/* How many bytes at the start of such a word may be shown: jdbc:, and a scheme with its "://". */
static size_t public_length(const char *word)
{
	size_t jdbc = tp_jdbc_length(word), length = jdbc + strspn(word + jdbc, tp_scheme_bytes);

	return length > jdbc && strncmp(word + length, "://", 3) == 0 ? length + 3 : jdbc;
}

struct tp_quoted tp_quote(const char *word)
{
	static const char cut[] = "...'";
	struct tp_quoted quoted;
	const char *end = word + (tp_may_hide_secret(word) ? public_length(word) : strlen(word));
	size_t used = 0, control = 0;

	quoted.text[used++] = '\'';
	/* At every step there is room left for one more escape and for the end. */
	for (; word < end && used + strlen("\\ooo") + sizeof(cut) <= sizeof(quoted.text); word++) {
		if (control == 0)
			control = tp_control_length(word);
		if (control == 0) {
			quoted.text[used++] = *word;
		} else {
			quoted.text[used++] = '\\';
			for (int bits = 6; bits >= 0; bits -= 3)
				quoted.text[used++] = (char)('0' + ((unsigned char)*word >> bits & 7));
			control--;
		}
	}
	strcpy(quoted.text + used, *word != '\0' ? cut : cut + 3);
	return quoted;
}

const char *tp_path(const char *path, struct tp_quoted *quoted)
{
	if (strpbrk(path, ":=") == NULL && !tp_has_control(path))
		return path;
	*quoted = tp_quote(path);
	return quoted->text;
}
