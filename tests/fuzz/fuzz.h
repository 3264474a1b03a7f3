/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fuzzers have in common: words from bytes, and what every message must be. */
#ifndef TP_FUZZ_H
#define TP_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(3): it must hold in every build. */
#define MUST(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

#define WORDS_MAX 64

struct words {
	char *list[WORDS_MAX + 1];
	size_t count;
};

/* The input as words, one a line; a NUL byte ends one early. Each is an allocation of its own size. */
static inline struct words words_of(const uint8_t *data, size_t size)
{
	struct words words = { .count = 0 };

	while (size > 0 && words.count < WORDS_MAX) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end == NULL ? size : (size_t)(end - data);
		char *word = malloc(length + 1);

		if (word == NULL)
			abort();
		memcpy(word, data, length);
		word[length] = '\0';
		words.list[words.count++] = word;
		length += end != NULL;
		data += length;
		size -= length;
	}
	return words;
}

static inline void free_words(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->list[i]);
}

/* C0, DEL, and C1 as UTF-8 has it. Written apart from tp_control_length(), which is under test. */
static inline bool has_control(const char *text)
{
	for (const unsigned char *byte = (const unsigned char *)text; *byte != '\0'; byte++) {
		if (*byte <= 0x1f || *byte == 0x7f || (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] <= 0x9f))
			return true;
	}
	return false;
}

/* A reason in a field of this size is a line that a terminal may be shown. */
static inline void check_message(const char *text, size_t size)
{
	MUST(memchr(text, '\0', size) != NULL);
	MUST(text[0] != '\0');
	MUST(!has_control(text));
}

#endif
