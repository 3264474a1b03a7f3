/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the parser of targets: they parse words, and check the targets or the complaint that come of them. */
#ifndef TP_UNIT_PARSES_H
#define TP_UNIT_PARSES_H

#include "tp_target.h"

#include <errno.h>
#include <stdlib.h>

#include "unit.h"

#define WORDS 4

/* What came of a parse. */
struct parse {
	int error;
	struct tp_targets targets;
	struct tp_why why;
};

/* Parses the words. *parsed may have a list of services, which is then asked in place of the system's. */
static inline void parse_with(struct parse *parsed, const char *const words[], size_t count)
{
	char *copies[WORDS + 1] = { NULL };

	for (size_t i = 0; i < count; i++)
		copies[i] = strdup(words[i]);
	parsed->error = tp_targets_add(&parsed->targets, copies, count, &parsed->why);
	for (size_t i = 0; i < count; i++) {
		CHECK_TEXT(copies[i], words[i]);
		free(copies[i]);
	}
}

static inline void parse(struct parse *parsed, const char *const words[], size_t count)
{
	memset(parsed, 0, sizeof(*parsed));
	parse_with(parsed, words, count);
}

static inline void parse_one(struct parse *parsed, const char *word)
{
	parse(parsed, &word, 1);
}

static inline size_t count_words(const char *const words[WORDS])
{
	size_t count = 0;

	while (count < WORDS && words[count] != NULL)
		count++;
	return count;
}

/* Writes targets as text: "host 22,80-90; other 5432". */
static inline void write_targets(const struct tp_targets *targets, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < targets->count && used < size; i++) {
		const struct tp_target *target = &targets->list[i];

		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "; " : "", target->host);
		for (size_t j = 0; j < target->ports_count && used < size; j++) {
			const struct tp_ports *ports = &target->ports[j];

			used += (size_t)snprintf(text + used, size - used, "%c%d", j > 0 ? ',' : ' ', ports->first);
			if (ports->last != ports->first && used < size)
				used += (size_t)snprintf(text + used, size - used, "-%d", ports->last);
		}
	}
}

struct good {
	const char *words[WORDS], *targets;
};

static inline void check_good(const struct good *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct parse parsed;
		char text[1024];

		unit.row = rows[i].words[0];
		parse(&parsed, rows[i].words, count_words(rows[i].words));
		if (!CHECK_NUMBER(parsed.error, 0))
			CHECK_TEXT(parsed.why.text, "");
		write_targets(&parsed.targets, text, sizeof(text));
		CHECK_TEXT(text, rows[i].targets);
		tp_targets_free(&parsed.targets);
	}
}

struct bad {
	const char *words[WORDS];
};

/* Checks a complaint: it is one line that can be shown. */
static inline void check_complaint(const struct parse *parsed)
{
	CHECK_NUMBER(parsed->error, EINVAL);
	CHECK(parsed->why.text[0] != '\0');
	CHECK(memchr(parsed->why.text, '\0', sizeof(parsed->why.text)) != NULL);
	CHECK(!has_control(parsed->why.text));
}

static inline void check_bad(const struct bad *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct parse parsed;

		unit.row = rows[i].words[0];
		parse(&parsed, rows[i].words, count_words(rows[i].words));
		check_complaint(&parsed);
		tp_targets_free(&parsed.targets);
	}
}

/* A word: before, then this byte size times, then behind. Returns NULL if memory is out. */
static inline char *huge(const char *before, char byte, size_t size, const char *behind)
{
	size_t length = strlen(before);
	char *word = malloc(length + size + strlen(behind) + 1);

	if (word == NULL)
		return NULL;
	memcpy(word, before, length);
	memset(word + length, byte, size);
	strcpy(word + length + size, behind);
	return word;
}

#endif
