// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Memory runs out, at every call that asks for some. The sources under test are compiled together with this file, so
 * that the Makefile can put the functions below in place of malloc(3) and its kin. A helper is a copy of the process,
 * so it has them too.
 */
#undef malloc
#undef calloc
#undef realloc
#undef strdup
#undef free

#include "tp_engine.h"
#include "tp_feed.h"
#include "tp_options.h"
#include "tp_report.h"

#include <stdlib.h>

#include "files.h"
#include "names.h"
#include "places.h"
#include "tp_os.h"
#include "unit.h"

static const struct name names[] = {
	{ .name = "two.test", .addresses = { "127.0.0.1", "127.0.0.2" } },
	{ .name = "none.test", .eai = EAI_AGAIN },
	{ .name = NULL },
};

/*
 * fails: the call that fails, counted from 1. for_good: all calls after it fail too. calls: how many there were. live:
 * how many pieces are not freed yet.
 */
static struct {
	unsigned fails, calls;
	bool for_good;
	int live;
} memory;

static bool is_out(void)
{
	memory.calls++;
	return memory.calls == memory.fails || (memory.for_good && memory.calls > memory.fails);
}

static void *count(void *piece)
{
	memory.live += piece != NULL;
	return piece;
}

void *unit_malloc(size_t size);
void *unit_calloc(size_t number, size_t size);
void *unit_realloc(void *piece, size_t size);
char *unit_strdup(const char *text);
void unit_free(void *piece);

void *unit_malloc(size_t size)
{
	return is_out() ? NULL : count(malloc(size));
}

void *unit_calloc(size_t number, size_t size)
{
	return is_out() ? NULL : count(calloc(number, size));
}

void *unit_realloc(void *piece, size_t size)
{
	if (is_out())
		return NULL;
	return piece == NULL ? count(malloc(size)) : realloc(piece, size);
}

char *unit_strdup(const char *text)
{
	return is_out() ? NULL : count(strdup(text));
}

void unit_free(void *piece)
{
	memory.live -= piece != NULL;
	free(piece);
}

static void ignore_complaint(void *context, const char *text)
{
	(void)context;
	(void)text;
}

static int wait_for(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
	sigset_t mask;
	int error;

	(void)context;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	error = tp_os_poll(fds, count, timeout_us, &mask);
	return error == EINTR ? 0 : error;
}

static int next_target(void *context, struct tp_endpoint *endpoint, int *fd)
{
	struct tp_feed *feed = context;
	int error = tp_feed_next(feed, endpoint);

	*fd = feed->fd;
	return error;
}

/* The targets of a run, and the result of each if there is enough memory. */
struct scenario {
	char words[8][80]; /* as on a command line; the last is empty */
	char file[200];    /* lines; empty: none */
	struct tp_engine_setup setup;
	struct {
		char label[40]; /* the last is empty */
		enum tp_state state;
	} wanted[8];
};

/*
 * A result is the wanted one or, if a call has failed, an error, or a refusal by the first address because the second
 * one could not be tried. Its reports are complete, or marked as failed.
 */
static void check_result(const struct scenario *scenario, size_t index, const struct tp_result *result)
{
	struct tp_text text = { 0 };

	tp_put_json(&text, result);
	tp_put_failure(&text, result);
	tp_put_format(&text, "%h %p %a %s %e %r %t %l %b", result);
	CHECK(!text.failed || memory.calls >= memory.fails);
	tp_text_free(&text);
	tp_put_label(&text, result);
	if (!text.failed)
		CHECK_TEXT(text.bytes, scenario->wanted[index].label);
	tp_text_free(&text);
	CHECK(result->state == scenario->wanted[index].state ||
	      ((result->state == TP_ERROR || result->state == TP_REFUSED) && memory.calls >= memory.fails));
}

/* One run, in which one call fails, or all calls from that one on. Returns false if there was no such call. */
static bool run(const struct scenario *scenario, unsigned fails, bool for_good)
{
	int descriptors = count_descriptors(), error = 0;
	struct tp_engine_setup setup = scenario->setup;
	struct tp_engine *engine = NULL;
	struct tp_result result;
	struct tp_feed feed;
	struct tp_why why;
	char *words[8];
	size_t used = 0, results = 0;
	char path[] = "/tmp/unit-memory-XXXXXX";

	memory.calls = 0;
	memory.fails = fails;
	memory.for_good = for_good;
	feed = (struct tp_feed){ .fd = -1 };
	feed.complain = ignore_complaint;
	for (; scenario->words[used][0] != '\0'; used++)
		words[used] = (char *)(uintptr_t)scenario->words[used];
	error = tp_feed_add(&feed, words, used, &why);
	if (error == 0 && scenario->file[0] != '\0') {
		int fd = mkstemp(path);

		if (fd < 0 || write(fd, scenario->file, strlen(scenario->file)) < 0)
			abort();
		close(fd);
		error = tp_feed_open(&feed, path);
		unlink(path);
	}
	setup.context = &feed;
	setup.next = next_target;
	setup.wait = wait_for;
	if (error == 0 && (engine = tp_engine_new(&setup)) == NULL)
		error = ENOMEM;
	while (error == 0 && (error = tp_engine_next(engine, &result)) == 0)
		check_result(scenario, results++, &result);
	if (engine != NULL)
		tp_engine_free(engine);
	tp_feed_free(&feed);

	CHECK(error == ENOENT || (error == ENOMEM && memory.calls >= fails));
	if (memory.calls < fails)
		CHECK_TEXT(scenario->wanted[results].label, "");
	CHECK_NUMBER(memory.live, 0);
	CHECK_NUMBER(count_descriptors(), descriptors);
	CHECK(no_child_left());
	return memory.calls >= fails;
}

/*
 * Runs the scenario again and again, each time with the next call failing, until there is no such call; there must be
 * some.
 */
static void run_out(const struct scenario *scenario)
{
	char row[80];

	for (int for_good = 0; for_good < 2 && !unit.failed; for_good++) {
		unsigned fails = 1;

		while (!unit.failed && run(scenario, fails, for_good != 0)) {
			fails++;
			snprintf(row, sizeof(row), "call %u%s", fails, for_good ? " and all behind it" : "");
			unit.row = row;
		}
		CHECK(fails > 5);
	}
	unit.row = NULL;
}

static struct scenario scenario;
static struct place places[2];

/* Begins a scenario with a closed port and, at another address, the same port open. */
static bool begin(void)
{
	bool made = make_all(places, 2, (const enum kind[]){ CLOSED, OPEN },
			     (const char *const[]){ "127.0.0.1", "127.0.0.2" });

	memset(&scenario, 0, sizeof(scenario));
	scenario.setup.plan.limit = 256;
	scenario.setup.plan.timeout_us = 60000000;
	if (!made)
		unit_skip("this system lacks the loopback addresses");
	return made;
}

/* Adds the next wanted result: this host with the port of the places, and this state. */
static void expect(const char *host, enum tp_state state)
{
	size_t index = 0;

	while (scenario.wanted[index].label[0] != '\0')
		index++;
	snprintf(scenario.wanted[index].label, sizeof(scenario.wanted[index].label), "%s:%u", host, places[0].port);
	scenario.wanted[index].state = state;
}

static void add_word(const char *before, const char *host, const char *behind)
{
	size_t index = 0;

	while (scenario.words[index][0] != '\0')
		index++;
	snprintf(scenario.words[index], sizeof(scenario.words[index]), "%s%s:%u%s", before, host, places[0].port,
		 behind);
}

static void finish(void)
{
	run_out(&scenario);
	unmake(&places[0]);
	unmake(&places[1]);
}

static void survives_with_addresses(void)
{
	if (!begin())
		return;
	for (size_t i = 0; i < 2; i++) {
		add_word("http://user:secret@", places[i].address, "/path");
		expect(places[i].address, i == 0 ? TP_REFUSED : TP_OPEN);
	}
	finish();
}

static void survives_with_names(void)
{
	if (!begin())
		return;
	add_word("", "two.test", "");
	expect("two.test", TP_OPEN);
	add_word("", "none.test", "");
	expect("none.test", TP_UNRESOLVED);
	finish();
}

static void survives_with_a_file(void)
{
	if (!begin())
		return;
	snprintf(scenario.file, sizeof(scenario.file), "127.0.0.1 %u\nbad\nnone.test:%u\n", places[0].port,
		 places[0].port);
	expect("127.0.0.1", TP_REFUSED);
	expect("none.test", TP_UNRESOLVED);
	finish();
}

static void survives_with_each_address(void)
{
	if (!begin())
		return;
	scenario.setup.plan.each_address = true;
	add_word("", "two.test", "");
	expect("two.test", TP_REFUSED);
	expect("two.test", TP_OPEN);
	finish();
}

static void survives_with_a_hold(void)
{
	if (!begin())
		return;
	scenario.setup.plan.hold_us = 2000;
	add_word("", "127.0.0.2", "");
	expect("127.0.0.2", TP_OPEN);
	finish();
}

static void survives_in_a_wait(void)
{
	if (!begin())
		return;
	scenario.setup.plan.until = TP_UNTIL_CLOSED;
	scenario.setup.plan.wait_us = 5000;
	scenario.setup.plan.interval_us = 1000;
	add_word("", "two.test", "");
	expect("two.test", TP_TIMEOUT);
	finish();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "where memory is out, numeric targets are right, an error, or the end", survives_with_addresses },
		{ "so are names", survives_with_names },
		{ "so are the lines of a file", survives_with_a_file },
		{ "so is each address of a name", survives_with_each_address, QUICK },
		{ "so are connections that are held", survives_with_a_hold },
		{ "so is what is tried again", survives_in_a_wait, QUICK },
	};

	share();
	return UNIT_RUN(tests);
}
