// SPDX-License-Identifier: GPL-3.0-or-later
/* The engine looks names up with a resolver of the test's own. */
#include "runs.h"

#ifdef __linux__
#include <sys/timerfd.h>
#endif

static void resolves_names(void)
{
	struct place places[2];

	prepare();
	CHECK(make(&places[0], OPEN, "127.0.0.1", 0));
	CHECK(make(&places[1], CLOSED, "127.0.0.1", 0));
	add("one.test", places[0].port);
	add("absent.test", places[0].port);
	add("one.test", places[1].port);
	add("none.test", places[0].port);
	add("deadly.test", places[0].port);
	add("one.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	check(1, TP_UNRESOLVED, "-");
	CHECK_NUMBER(run.got[1].result.eai, EAI_NONAME);
	CHECK(run.got[1].result.in_lookup);
	check(2, TP_REFUSED, "127.0.0.1");
	check(3, TP_UNRESOLVED, "-");
	CHECK_NUMBER(run.got[3].result.eai, EAI_AGAIN);
	CHECK(run.got[3].result.lookup_us >= 0);
	/* Its helper died, which is a temporary failure. */
	check(4, TP_UNRESOLVED, "-");
	CHECK_NUMBER(run.got[4].result.eai, EAI_AGAIN);
	check(5, TP_OPEN, "127.0.0.1");
	unmake(&places[0]);
	unmake(&places[1]);
}

static void resolves_a_name_once_for_all_its_ports(void)
{
	struct place place;

	prepare();
	run.setup.plan.limit = 16;
	CHECK(make(&place, CLOSED, "127.0.0.1", 0));
	for (int i = 0; i < 500; i++)
		add("one.test", place.port);
	go_through();
	CHECK_NUMBER(shared->lookups, 1);
	unmake(&place);
}

static void gives_a_slow_lookup_up_at_its_deadline(void)
{
	struct place place;

	prepare();
	run.setup.plan.timeout_us = 100000;
	CHECK(make(&place, CLOSED, "127.0.0.1", 0));
	add("slow.test", 80);
	add("slow.test", 81);
	add("127.0.0.1", place.port);
	add("slow.test", 82);
	go_through();
	for (size_t i = 0; i < 4; i++) {
		if (i == 2)
			continue;
		CHECK_TEXT(tp_state_word(run.got[i].result.state), tp_state_word(TP_TIMEOUT));
		CHECK_NUMBER(run.got[i].result.error, ETIMEDOUT);
		CHECK(run.got[i].result.in_lookup);
		CHECK_NUMBER(run.got[i].result.lookup_us, -1);
	}
	check(2, TP_REFUSED, "127.0.0.1");
	CHECK(run.longest_us <= 100000);
	unmake(&place);
}

/*
 * Targets come one after another, every_us apart. All have the same name, which is still being looked up for the
 * targets before.
 */
static void joins_a_lookup_that_runs(void)
{
#ifdef __linux__
	static const struct {
		int64_t timeout_us, every_us;
		size_t count;
		int lookups; /* at least */
	} rows[] = {
		/* The second target waits longer than its helper could live with a limit made for one deadline. */
		{ 1900000, 1600000, 2, 1 },
		/* The third begins when the lookup has run for longer than a deadline. */
		{ 300000, 200000, 3, 2 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct timespec every = { .tv_sec = rows[i].every_us / 1000000,
					  .tv_nsec = rows[i].every_us % 1000000 * 1000 };

		prepare();
		run.setup.plan.timeout_us = rows[i].timeout_us;
		run.dry_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
		timerfd_settime(run.dry_fd, 0, &(struct itimerspec){ every, { .tv_nsec = 1 } }, NULL);
		while (run.count < rows[i].count)
			add("slow.test", 80);
		go_through();
		for (size_t j = 0; j < run.got_count; j++) {
			CHECK_TEXT(tp_state_word(run.got[j].result.state), tp_state_word(TP_TIMEOUT));
			CHECK(run.got[j].result.in_lookup);
		}
		CHECK(shared->lookups >= rows[i].lookups);
		close(run.dry_fd);
	}
#else
	unit_skip("no timerfd here");
#endif
}

/* Names that are slow stand between addresses and before a quick name, and keep none of them back. */
static void gives_every_lookup_its_turn(void)
{
	struct place place;

	prepare();
	run.setup.plan.limit = 2 * SLOW_NAMES;
	run.setup.plan.timeout_us = 500000;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	for (size_t i = 0; i < SLOW_NAMES; i++) {
		add(slow_name(i), 80);
		add("127.0.0.1", place.port);
	}
	add("one.test", place.port);
	go_through();
	for (size_t i = 0; i + 1 < run.got_count; i++) {
		CHECK_TEXT(tp_state_word(run.got[i].result.state), tp_state_word(i % 2 == 0 ? TP_TIMEOUT : TP_OPEN));
		CHECK_NUMBER(run.got[i].result.in_lookup, i % 2 == 0);
	}
	check(run.got_count - 1, TP_OPEN, "127.0.0.1");
	unmake(&place);
}

static void asks_no_helper_for_the_hosts_file(void)
{
	struct place place;

	prepare();
	nsswitch_file = "hosts: files dns\n";
	hosts_file = "127.0.0.1 one.test\n";
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add("one.test", place.port);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	CHECK(run.got[0].result.lookup_us >= 0);
	CHECK_NUMBER(shared->helpers, 0);
	unmake(&place);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "names are resolved, and what goes wrong there is told", resolves_names },
		{ "a name is resolved once for all its ports", resolves_a_name_once_for_all_its_ports, QUICK },
		{ "a slow lookup is given up at its deadline", gives_a_slow_lookup_up_at_its_deadline },
		{ "who joins a lookup late waits for all of its own deadline", joins_a_lookup_that_runs },
		{ "more lookups than helpers each have their turn", gives_every_lookup_its_turn },
		{ "a name of the hosts file needs no helper", asks_no_helper_for_the_hosts_file },
	};

	share();
	return UNIT_RUN(tests);
}
