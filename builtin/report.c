// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_report.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A line being made: what does not fit is cut. */
struct writer {
	char *text;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format, ...)
{
	size_t room = TP_LINE_ROOM - writer->used;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(writer->text + writer->used, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		writer->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* HOST:PORT, with brackets where the host has colons itself. */
static void put_label(struct writer *writer, const struct tp_result *result)
{
	bool brackets = strchr(result->host, ':') != NULL;

	put(writer, "%s%s%s:%u", brackets ? "[" : "", result->host, brackets ? "]" : "", (unsigned)result->port);
}

/* Milliseconds. Not %.3f: it writes commas in half of Europe's locales. */
static void put_ms(struct writer *writer, int64_t us)
{
	put(writer, "%lld.%03d ms", (long long)(us / 1000), (int)(us % 1000));
}

static void put_reason(struct writer *writer, const struct tp_result *result)
{
	if (result->in_lookup && result->error == ETIMEDOUT)
		put(writer, "Name lookup timed out");
	else if (result->eai != 0 && result->eai != EAI_SYSTEM)
		put(writer, "%s", gai_strerror(result->eai));
	else
		put(writer, "%s%s", result->in_lookup ? "Name lookup failed: " : "", strerror(result->error));
}

void tp_failure_line(const struct tp_result *result, bool each_address, char line[TP_LINE_ROOM])
{
	struct writer writer = { line, 0 };
	char address[TP_ADDRESS_TEXT];

	put_label(&writer, result);
	tp_address_text(&result->address, address);
	if (each_address && strcmp(address, "-") != 0 && strcmp(address, result->host) != 0)
		put(&writer, " (%s)", address);
	put(&writer, ": ");
	put_reason(&writer, result);
}

void tp_open_line(const struct tp_result *result, char line[TP_LINE_ROOM])
{
	struct writer writer = { line, 0 };
	char address[TP_ADDRESS_TEXT];

	tp_address_text(&result->address, address);
	put_label(&writer, result);
	put(&writer, " %s %s ", tp_state_word(result->state), address);
	put_ms(&writer, result->connect_us);
	put(&writer, "\n");
}

void tp_tally_add(struct tp_tally *tally, const struct tp_result *result)
{
	tally->count++;
	tally->states[result->state]++;
	if (tally->status == 0)
		tally->status = tp_state_status(result->state);
}

void tp_tally_line(const struct tp_tally *tally, char line[TP_LINE_ROOM])
{
	struct writer writer = { line, 0 };
	const char *separator = ": ";

	put(&writer, "--- %zu probes", tally->count);
	for (enum tp_state state = 0; state < TP_STATES; state++) {
		if (tally->states[state] == 0)
			continue;
		put(&writer, "%s%zu %s", separator, tally->states[state], tp_state_word(state));
		separator = ", ";
	}
	put(&writer, "\n");
}
