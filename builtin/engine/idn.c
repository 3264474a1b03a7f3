// SPDX-License-Identifier: GPL-3.0-or-later
#include <netdb.h>

#ifndef AI_IDN
#include "tp_idn.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* RFC 1035: a label has at most 63 bytes, so it has no more characters either. */
#define LABEL_MAX 63

/* RFC 3492, section 5 */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_N = 0x80 };

struct label {
	uint32_t characters[LABEL_MAX];
	size_t count;
	bool ascii;
};

struct output {
	char *bytes;
	size_t length, size;
	bool failed; /* it did not fit */
};

static void put(struct output *output, char byte)
{
	if (output->length < output->size)
		output->bytes[output->length++] = byte;
	else
		output->failed = true;
}

static char digit(uint32_t value)
{
	return (char)(value < 26 ? 'a' + value : '0' + value - 26);
}

/* RFC 3492, section 6.1 */
static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta /= first ? DAMP : 2;
	delta += delta / points;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* The generalized variable-length integer of section 3.3. */
static void put_delta(struct output *output, uint32_t delta, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias + T_MIN ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;

		if (delta < t)
			break;
		put(output, digit(t + (delta - t) % (BASE - t)));
		delta = (delta - t) / (BASE - t);
	}
	put(output, digit(delta));
}

/* The smallest character of the label that is at least this one. */
static uint32_t next_character(const struct label *label, uint32_t least)
{
	uint32_t next = UINT32_MAX;

	for (size_t i = 0; i < label->count; i++) {
		if (label->characters[i] >= least && label->characters[i] < next)
			next = label->characters[i];
	}
	return next;
}

/* Section 6.3. With 63 characters of 21 bits no number here overflows 32 bits. */
static void put_punycode(struct output *output, const struct label *label)
{
	uint32_t n = FIRST_N, delta = 0, bias = FIRST_BIAS, done = 0, basic;

	for (size_t i = 0; i < label->count; i++) {
		if (label->characters[i] < FIRST_N) {
			put(output, (char)label->characters[i]);
			done++;
		}
	}
	basic = done;
	if (basic > 0)
		put(output, '-');
	for (; done < label->count; delta++, n++) {
		uint32_t next = next_character(label, n);

		delta += (next - n) * (done + 1);
		n = next;
		for (size_t i = 0; i < label->count; i++) {
			if (label->characters[i] < n)
				delta++;
			if (label->characters[i] != n)
				continue;
			put_delta(output, delta, bias);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
}

/* Reads a label up to its dot or the end of the name. Returns its end, or NULL: it is no text, or too long. */
static const char *read_label(const char *name, struct label *label)
{
	mbstate_t state = { 0 };

	label->count = 0;
	label->ascii = true;
	while (*name != '\0' && *name != '.') {
		wchar_t character;
		size_t bytes = mbrtowc(&character, name, strlen(name), &state);

		if (bytes == 0 || bytes > strlen(name) || label->count == LABEL_MAX)
			return NULL;
		label->ascii = label->ascii && character < FIRST_N;
		label->characters[label->count++] = (uint32_t)towlower((wint_t)character);
		name += bytes;
	}
	return name;
}

const char *tp_idn_encode(const char *name, char *encoded, size_t size)
{
	struct output output = { .bytes = encoded, .size = size };
	bool ascii = true;
	const char *rest = name;

	for (;; rest++) {
		struct label label;

		rest = read_label(rest, &label);
		if (rest == NULL)
			return name;
		if (!label.ascii) {
			for (const char *prefix = "xn--"; *prefix != '\0'; prefix++)
				put(&output, *prefix);
			put_punycode(&output, &label);
		}
		for (size_t i = 0; label.ascii && i < label.count; i++)
			put(&output, (char)label.characters[i]);
		ascii = ascii && label.ascii;
		put(&output, *rest);
		if (*rest == '\0')
			return ascii || output.failed ? name : encoded;
	}
}
#endif
