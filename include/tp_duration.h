/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spans of time as users write them. */
#ifndef TP_DURATION_H
#define TP_DURATION_H

#include <stdint.h>

/* The longest span taken, in microseconds: a century, so that clock sums never overflow. */
#define TP_DURATION_MAX_US (INT64_C(100) * 366 * 24 * 3600 * 1000000)

/*
 * Decimal seconds, or a number with a unit (ms, s, m, h), to microseconds:
 * "3", "0.25", ".5", "500ms", "1m". What is finer than a microsecond is rounded
 * up, so that only a zero is zero. Whatever the locale.
 * Returns 0, EINVAL (not of that form), or ERANGE (over TP_DURATION_MAX_US).
 */
int tp_duration_parse(const char *text, int64_t *duration_us);

#endif
