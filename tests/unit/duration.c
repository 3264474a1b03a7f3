// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_duration.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "locales.h"
#include "unit.h"

struct row {
	const char *text;
	int64_t us;
};

static void check_taken(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t us = -1;

		unit.row = rows[i].text;
		CHECK_NUMBER(tp_duration_parse(rows[i].text, &us), 0);
		CHECK_NUMBER(us, rows[i].us);
	}
}

static void check_error(const char *const *texts, size_t count, int error)
{
	for (size_t i = 0; i < count; i++) {
		int64_t us;

		unit.row = texts[i];
		CHECK_NUMBER(tp_duration_parse(texts[i], &us), error);
	}
}

static const struct row forms[] = {
	{ "0", 0 },
	{ "0.0", 0 },
	{ "0ms", 0 },
	{ "0.000h", 0 },
	{ "3", 3000000 },
	{ "0.25", 250000 },
	{ ".5", 500000 },
	{ "500ms", 500000 },
	{ ".5ms", 500 },
	{ "1.5ms", 1500 },
	{ "2s", 2000000 },
	{ "1m", 60000000 },
	{ "1.5m", 90000000 },
	{ "1h", INT64_C(3600000000) },
	{ "0.5h", 1800000000 },
	{ "2.25h", INT64_C(8100000000) },
	{ "0.000001", 1 },
	{ "0.001ms", 1 },
	{ "12.345678", 12345678 },
	{ "007", 7000000 },
	{ "00.50", 500000 },
};

static void takes_decimal_seconds_and_units(void)
{
	check_taken(forms, ROWS(forms));
}

static void obeys_no_locale(void)
{
	int64_t us;

	if (!comma_locale())
		return;
	check_taken(forms, ROWS(forms));
	unit.row = "0,25";
	CHECK_NUMBER(tp_duration_parse("0,25", &us), EINVAL);
	setlocale(LC_ALL, "C");
}

static void rounds_up(void)
{
	static const struct row rows[] = {
		{ "0.0000001", 1 },
		{ "0.00000000000000000000000000000000000001", 1 },
		{ "0.0000010", 1 },
		{ "0.00000100000000000000000000000000000000", 1 },
		{ "0.0000010000000000000000000000000000001", 2 },
		{ "0.9999999", 1000000 },
		{ "0.0001ms", 1 },
		{ "1.0005ms", 1001 },
		{ "0.00000001m", 1 },
		{ "0.0000000001h", 1 },
	};

	check_taken(rows, ROWS(rows));
}

static void rounds_up_to_the_next_microsecond_whatever_the_unit(void)
{
	static const struct row rows[] = {
		{ "0.0000000169m", 2 }, /* 1.014 us */
		{ "0.0000000009h", 4 }, /* 3.24 us */
		{ "1.0000000009h", INT64_C(3600000004) },
	};

	check_taken(rows, ROWS(rows));
}

static void takes_up_to_its_maximum(void)
{
	static const struct row rows[] = {
		{ "3162240000", TP_DURATION_MAX_US },
		{ "3162240000.0000000", TP_DURATION_MAX_US },
		{ "3162240000000ms", TP_DURATION_MAX_US },
		{ "52704000m", TP_DURATION_MAX_US },
		{ "878400h", TP_DURATION_MAX_US },
		{ "3162239999.999999", TP_DURATION_MAX_US - 1 },
		{ "3162239999.9999991", TP_DURATION_MAX_US },
	};

	check_taken(rows, ROWS(rows));
}

static void says_what_is_too_long(void)
{
	static const char *const texts[] = {
		"3162240001",
		"3162240000.000001",
		"3162240000.0000000000000000001",
		"878400.000000001h",
		"878401h",
		"9223372036854775807",
		"9223372036854775808",
		"18446744073709551616",
		"18446744073710",
		"99999999999999999999999999999999999999999999999999",
		"99999999999999999999999999999999999999999999999999.9h",
	};

	check_error(texts, ROWS(texts), ERANGE);
}

static void takes_digits_without_end(void)
{
	const size_t length = 100000;
	char *text = malloc(length + 1);
	int64_t us;

	if (!CHECK(text != NULL))
		return;
	memset(text, '0', length);
	text[length] = '\0';
	CHECK_NUMBER(tp_duration_parse(text, &us), 0);
	CHECK_NUMBER(us, 0);
	text[length - 1] = '7';
	CHECK_NUMBER(tp_duration_parse(text, &us), 0);
	CHECK_NUMBER(us, 7000000);
	text[0] = '.';
	CHECK_NUMBER(tp_duration_parse(text, &us), 0);
	CHECK_NUMBER(us, 1);
	memset(text, '9', length);
	CHECK_NUMBER(tp_duration_parse(text, &us), ERANGE);
	free(text);
}

static void takes_nothing_else(void)
{
	static const char *const texts[] = {
		"",          ".",     "s",     "ms",  ".s",    ".ms",   "-1",    "+1",   "-0",   "--1",      " 1",
		"1 ",        "1\n",   "1\t",   "\v1", "1 s",   "nan",   "NAN",   "inf",  "-inf", "infinity", "1e3",
		"1E3",       "1e",    "1e+3",  "0x3", "0x1p3", "0X3",   "1.2.3", "1..2", "..5",  "1.5.",     "1,5",
		"1,000",     "1_000", "1'000", "1S",  "1MS",   "1Ms",   "1M",    "1H",   "1d",   "1us",      "1ns",
		"1sec",      "1min",  "1ss",   "1sm", "1m30s", "1h30",  "0b1",   "1f",   "1L",   "1%",       "\xd9\xa3",
		"1\xc2\xa0", "½",     "five",  "1-2", "0x",    "1\x01", "s1",    "ms5",
	};

	check_error(texts, ROWS(texts), EINVAL);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "decimal seconds are taken, and units", takes_decimal_seconds_and_units },
		{ "a decimal point is a point in every locale", obeys_no_locale },
		{ "what is finer than a microsecond is rounded up", rounds_up },
		{ "it is rounded up to the next microsecond, whatever the unit",
		  rounds_up_to_the_next_microsecond_whatever_the_unit },
		{ "a century is taken", takes_up_to_its_maximum },
		{ "what is longer is out of range, and no sum overflows", says_what_is_too_long },
		{ "digits may go on and on", takes_digits_without_end },
		{ "signs, blanks, nan, inf, exponents, hex and other units are not taken", takes_nothing_else },
	};

	return UNIT_RUN(tests);
}
