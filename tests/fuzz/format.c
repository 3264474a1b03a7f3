// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Formats of -F, and JSON. The words come in pairs: a format and a host. A format that passes the check can be put as a
 * text. A JSON object is one line of valid UTF-8 with balanced quotes, whatever the host holds.
 */
#include <errno.h>

#include "fuzz.h"
#include "tp_report.h"

/*
 * The length of a character of UTF-8, or 0. Written apart from the code under test, by RFC 3629's table of byte
 * sequences.
 */
static size_t character(const unsigned char *b)
{
	static const unsigned char rows[][9] = {
		{ 0x00, 0x7f, 0, 0, 0, 0, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 0, 0, 0, 0, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf, 0, 0, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf, 0, 0, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf, 0, 0, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf, 0, 0, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf, 4 },
	};

	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		size_t i = 0;

		while (i < rows[row][8] && b[i] >= rows[row][2 * i] && b[i] <= rows[row][2 * i + 1])
			i++;
		if (i == rows[row][8])
			return i;
	}
	return 0;
}

/* One object on one line: strings are closed, and outside of them braces are balanced. */
static void check_json(const char *json)
{
	const unsigned char *byte = (const unsigned char *)json;
	bool in_string = false;
	int depth = 0;

	while (*byte != '\0') {
		size_t length = character(byte);

		MUST(length > 0);
		MUST(*byte >= ' ');
		if (in_string && *byte == '\\') {
			MUST(strchr("\"\\u", byte[1]) != NULL && byte[1] != '\0');
			length++;
		} else if (*byte == '"') {
			in_string = !in_string;
		} else if (!in_string) {
			depth += (*byte == '{') - (*byte == '}');
			MUST(depth > 0 || (*byte == '}' && byte[1] == '\0'));
		}
		byte += length;
	}
	MUST(!in_string && depth == 0);
}

/* The check of a format, written apart from the code under test: behind every % and \ stands one of its letters. */
static bool is_format(const char *format)
{
	for (; *format != '\0'; format++) {
		if (*format != '%' && *format != '\\')
			continue;
		if (format[1] == '\0' || strchr(*format == '%' ? "hpasxertlnTb%" : "nt\\", format[1]) == NULL)
			return false;
		format++;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words = words_of(data, size);

	for (size_t i = 0; i + 1 < words.count; i += 2) {
		struct tp_result result = { .host = words.list[i + 1], .port = 1, .connect_us = -1, .lookup_us = 1 };
		struct tp_text text = { 0 };
		struct tp_why why;
		int error = tp_format_check(words.list[i], &why);

		MUST(error == 0 || error == EINVAL);
		MUST((error == 0) == is_format(words.list[i]));
		if (error == 0)
			tp_put_format(&text, words.list[i], &result);
		MUST(text.length == (text.bytes == NULL ? 0 : strlen(text.bytes)));
		tp_text_clear(&text);
		tp_put_json(&text, &result);
		check_json(text.bytes);
		tp_text_free(&text);
	}
	free_words(&words);
	return 0;
}
