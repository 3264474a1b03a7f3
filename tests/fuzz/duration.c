// SPDX-License-Identifier: GPL-3.0-or-later
/* Durations, checked against a grammar for regcomp(3) and against the arithmetic of long double. */
#include "tp_duration.h"

#include <errno.h>
#include <regex.h>

#include "fuzz.h"

static bool is_duration(const char *text)
{
	static regex_t grammar;
	static bool ready;

	if (!ready) {
		MUST(regcomp(&grammar, "^([0-9]+[.]?[0-9]*|[.][0-9]+)(ms|s|m|h)?$", REG_EXTENDED | REG_NOSUB) == 0);
		ready = true;
	}
	return regexec(&grammar, text, 0, NULL, 0) == 0;
}

static long double unit_us(const char *unit)
{
	if (strcmp(unit, "ms") == 0)
		return 1e3L;
	if (strcmp(unit, "m") == 0)
		return 60e6L;
	if (strcmp(unit, "h") == 0)
		return 3600e6L;
	return 1e6L;
}

/*
 * The value is rounded up, apart from what long double itself rounds: a century of microseconds leaves it ten bits of
 * fraction.
 */
static void check_value(const char *text, int64_t us)
{
	char *unit;
	long double value = strtold(text, &unit), exact = value * unit_us(unit), error = 1e-2L;

	MUST(us >= 0 && us <= TP_DURATION_MAX_US);
	MUST((us == 0) == (strspn(text, "0.") == strcspn(text, "mhs")));
	MUST((long double)us > exact - error);
	MUST((long double)us < exact + 1 + error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words = words_of(data, size);

	for (size_t i = 0; i < words.count; i++) {
		const char *text = words.list[i];
		int64_t us = -1;
		int error = tp_duration_parse(text, &us);

		MUST(error == 0 || error == EINVAL || error == ERANGE);
		MUST((error == EINVAL) == !is_duration(text));
		if (error == 0) {
			check_value(text, us);
		} else if (error == ERANGE) {
			char *unit;
			long double value = strtold(text, &unit);

			MUST(value * unit_us(unit) > (long double)TP_DURATION_MAX_US - 1e-2L);
		}
	}
	free_words(&words);
	return 0;
}
