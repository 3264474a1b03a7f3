// SPDX-License-Identifier: GPL-3.0-or-later
/* tests/strings: what connection strings of current software mean. */
#include "tp_target.h"

#include <errno.h>
#include <stdlib.h>

#include "unit.h"

#define SECRET "s3cret"
#define ROWS_LEAST 200

/*
 * Writes what a word means, as the table has it: "host:port [::1]:port/6", or "! words". The words are the part of the
 * message that stands behind the quoted word.
 */
static void write_meaning(int error, const struct tp_targets *targets, const char *why, char *text, size_t size)
{
	const char *words = strstr(why, "': ");
	size_t used = 0;

	*text = '\0';
	if (error != 0) {
		snprintf(text, size, "! %s", words == NULL ? why : words + strlen("': "));
		return;
	}
	for (size_t i = 0; i < targets->count; i++) {
		const struct tp_target *target = &targets->list[i];
		bool brackets = strchr(target->host, ':') != NULL;

		CHECK(strstr(target->host, SECRET) == NULL);
		for (size_t j = 0; j < target->ports_count && used < size; j++)
			used += (size_t)snprintf(text + used, size - used, "%s%s%s%s:%d%s", used > 0 ? " " : "",
						 brackets ? "[" : "", target->host, brackets ? "]" : "",
						 target->ports[j].first,
						 target->family == AF_INET    ? "/4"
						 : target->family == AF_INET6 ? "/6"
									      : "");
	}
}

static void check_row(char *word, const char *meaning)
{
	struct tp_targets targets = { .services.list = strdup("") };
	struct tp_why why = { "" };
	char text[1024];
	int error;

	unit.row = word;
	error = tp_targets_add(&targets, &word, 1, &why);
	write_meaning(error, &targets, why.text, text, sizeof(text));
	CHECK_TEXT(text, meaning);
	CHECK(strstr(why.text, SECRET) == NULL);
	tp_targets_free(&targets);
}

/* Without the system's list of services, which may have other ports. */
static void means_what_the_table_says(void)
{
	FILE *file = fopen("tests/strings", "r");
	size_t room = 0, rows = 0;
	char *line = NULL;

	if (!CHECK(file != NULL))
		return;
	while (getline(&line, &room, file) > 0) {
		char *meaning = strchr(line, '\t'), *product = meaning != NULL ? strchr(meaning + 1, '\t') : NULL;

		unit_written_text(line);
		if (*line == '#' || *line == '\n')
			continue;
		unit.row = line;
		if (!CHECK(product != NULL && product[1] != '\n'))
			continue;
		*meaning++ = *product = '\0';
		check_row(line, meaning);
		rows++;
	}
	unit.row = NULL;
	CHECK(rows >= ROWS_LEAST);
	free(line);
	fclose(file);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "each string of tests/strings is its targets, or refused", means_what_the_table_says },
	};

	return UNIT_RUN(tests);
}
