/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A locale that writes 1,5 where C writes 1.5. */
#ifndef TP_UNIT_LOCALES_H
#define TP_UNIT_LOCALES_H

#include <locale.h>

#include "unit.h"

/*
 * Sets such a locale. Returns false if this system has none; then the test is skipped. setlocale(LC_ALL, "C") undoes
 * it.
 */
static inline bool comma_locale(void)
{
	static const char *const names[] = {
		"de_DE.UTF-8", "de_DE.utf8",  "de_DE",       "fr_FR.UTF-8", "fr_FR",       "es_ES.UTF-8",
		"it_IT.UTF-8", "nl_NL.UTF-8", "pl_PL.UTF-8", "pt_BR.UTF-8", "ru_RU.UTF-8",
	};

	for (size_t i = 0; i < ROWS(names); i++) {
		if (setlocale(LC_ALL, names[i]) != NULL && strcmp(localeconv()->decimal_point, ",") == 0)
			return true;
	}
	setlocale(LC_ALL, "C");
	unit_skip("no locale with a decimal comma");
	return false;
}

#endif
