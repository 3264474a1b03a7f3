// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	char name[sizeof("ms")];
	int64_t us;
} units[] = {
	{ "", 1000000 },
	{ "ms", 1000 },
	{ "s", 1000000 },
	{ "m", INT64_C(60) * 1000000 },
	{ "h", INT64_C(3600) * 1000000 },
};

static int unit_us(const char *name, int64_t *us)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(name, units[i].name) == 0) {
			*us = units[i].us;
			return 0;
		}
	}
	return EINVAL;
}

/*
 * The digits behind the point, as microseconds, rounded up. Computed from the last digit to the first, as (digit * us +
 * the digits behind it) / 10: such divisions of whole numbers lose only remainders, and those only round up.
 */
static int64_t fraction_us(const char *digits, size_t count, int64_t us)
{
	int64_t sum = 0;
	bool rest = false;

	while (count-- > 0) {
		sum += (digits[count] - '0') * us;
		rest = rest || sum % 10 != 0;
		sum /= 10;
	}
	return sum + rest;
}

/* Not strtod(): it obeys LC_NUMERIC and takes nan, inf, 1e3 and 0x1p3. */
int tp_duration_parse(const char *text, int64_t *duration_us)
{
	static const char digits[] = "0123456789";
	size_t whole = strspn(text, digits), point = text[whole] == '.';
	size_t behind = point ? strspn(text + whole + 1, digits) : 0;
	int64_t us, sum = 0;

	if (whole + behind == 0 || unit_us(text + whole + point + behind, &us) != 0)
		return EINVAL;
	for (size_t i = 0; i < whole; i++) {
		sum = sum * 10 + (text[i] - '0') * us;
		if (sum > TP_DURATION_MAX_US)
			return ERANGE;
	}
	if (point)
		sum += fraction_us(text + whole + 1, behind, us);
	if (sum > TP_DURATION_MAX_US)
		return ERANGE;
	*duration_us = sum;
	return 0;
}
