/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How names beyond ASCII are encoded if the C library does not do it. */
#include <netdb.h>
#ifdef AI_IDN
/* This C library encodes names itself, so the engine's object is empty. */
#undef AI_IDN
#include "../../builtin/engine/idn.c"
#else
#include "tp_idn.h"
#endif

#include <locale.h>

#include "unit.h"

/* Not every system has a locale of UTF-8: a root in which only a C library was unpacked (tests/arches) has none. */
static bool has_utf8(void)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") != NULL)
		return true;
	unit_skip("contract: no C.UTF-8 here");
	return false;
}

/* Names from RFC 3492, section 7.1, and some of our own. libidn2 made their encoded forms. */
static void encodes_names(void)
{
	static const struct {
		const char *name, *encoded;
	} rows[] = {
		{ "bücher.test", "xn--bcher-kva.test" },
		{ "BÜCHER.Test", "xn--bcher-kva.test" },
		{ "日本.test", "xn--wgv71a.test" },
		{ "a.рф", "a.xn--p1ai" },
		{ "a.рф.", "a.xn--p1ai." },
		{ "почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l" },
		{ "他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye" },
		{ "3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b" },
		{ "パフィーdeルンバ", "xn--de-jg4avhby1noc0d" },
		{ "faß.de", "xn--fa-hia.de" },
		{ "db.example", "db.example" },
		{ "", "" },
	};
	char encoded[256];

	if (!has_utf8())
		return;
	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = rows[i].name;
		CHECK_TEXT(tp_idn_encode(rows[i].name, encoded, sizeof(encoded)), rows[i].encoded);
	}
}

static void leaves_the_rest(void)
{
	static const char *const names[] = { "b\xfc.test", "\xc3", "ü\xff.test",
					     "ü23456789012345678901234567890123456789012345678901234567890123456789" };
	char encoded[256];

	if (!has_utf8())
		return;
	for (size_t i = 0; i < ROWS(names); i++) {
		unit.row = names[i];
		CHECK_TEXT(tp_idn_encode(names[i], encoded, sizeof(encoded)), names[i]);
	}
	for (size_t size = 0; size < sizeof("xn--bcher-kva.test"); size++)
		CHECK_TEXT(tp_idn_encode("bücher.test", encoded, size), "bücher.test");
	CHECK_TEXT(tp_idn_encode("bücher.test", encoded, sizeof("xn--bcher-kva.test")), "xn--bcher-kva.test");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a name beyond ASCII is encoded as IDNA has it", encodes_names },
		{ "what is no text or too long is left as it is", leaves_the_rest },
	};

	return UNIT_RUN(tests);
}
