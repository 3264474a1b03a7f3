// SPDX-License-Identifier: GPL-3.0-or-later
/* The engine with many probes at once, with a limit on how many, and with few descriptors. */
#include "runs.h"

static void keeps_to_its_limit(void)
{
	struct place place;

	prepare();
	run.setup.plan.timeout_us = 20000;
	run.setup.plan.limit = 3;
	if (!have(make(&place, SILENT, "127.0.0.1", 0)))
		return;
	for (int i = 0; i < 20; i++)
		add_all(&place, 1);
	go_through();
	for (size_t i = 0; i < run.got_count; i++)
		check(i, TP_TIMEOUT, "127.0.0.1");
	CHECK_NUMBER(run.most_fds, 3);
	unmake(&place);
}

/* With each_address every address of a name is a probe of its own. */
static void keeps_each_address_to_its_limit(void)
{
	struct place places[3];

	for (size_t limit = 1; limit <= 2; limit++) {
		prepare();
		run.setup.plan.timeout_us = 100000;
		run.setup.plan.limit = limit;
		run.setup.plan.each_address = true;
		if (!have(make_all(places, 3, (enum kind[]){ SILENT, SILENT, SILENT }, loopbacks)))
			return;
		add("three.test", places[0].port);
		go();
		CHECK_NUMBER(run.error, ENOENT);
		CHECK_NUMBER(run.got_count, 3);
		for (size_t i = 0; i < 3; i++) {
			check(i, TP_TIMEOUT, loopbacks[i]);
			unmake(&places[i]);
		}
		CHECK_NUMBER(run.most_fds, limit);
	}
}

static void keeps_back_thousands_of_results(void)
{
	struct place slow, fast;

	prepare();
	run.setup.plan.timeout_us = 1000000;
	run.setup.plan.limit = 16;
	if (!have(make(&slow, SILENT, "127.0.0.1", 0)))
		return;
	CHECK(make(&fast, CLOSED, "127.0.0.1", 0));
	add_all(&slow, 1);
	while (run.count < MOST)
		add_all(&fast, 1);
	go_through();
	check(0, TP_TIMEOUT, "127.0.0.1");
	for (size_t i = 1; i < run.got_count; i++)
		check(i, TP_REFUSED, "127.0.0.1");
	unmake(&slow);
	unmake(&fast);
}

static void runs_out_of_descriptors(void)
{
	static const enum kind order[] = { SILENT, OPEN, SILENT, CLOSED, SILENT, SILENT, OPEN, SILENT };
	struct place places[3];

	for (int left = 1; left <= 4; left++) {
		prepare();
		run.setup.plan.timeout_us = 100000;
		if (!have(make(&places[SILENT], SILENT, "127.0.0.1", 0)))
			return;
		CHECK(make(&places[OPEN], OPEN, "127.0.0.1", 0));
		CHECK(make(&places[CLOSED], CLOSED, "127.0.0.1", 0));
		for (size_t i = 0; i < ROWS(order); i++)
			add_all(&places[order[i]], 1);
		leave_descriptors(left);
		go_through();
		leave_descriptors(-1);
		for (size_t i = 0; i < ROWS(order); i++)
			check(i, states[order[i]], "127.0.0.1");
		CHECK(run.most_fds <= (size_t)left);
		for (size_t i = 0; i < 3; i++)
			unmake(&places[i]);
	}
}

static void check_lacks_descriptors(void)
{
	leave_descriptors(0);
	go_through();
	leave_descriptors(-1);
	for (size_t i = 0; i < run.got_count; i++) {
		CHECK_TEXT(tp_state_word(run.got[i].result.state), tp_state_word(TP_ERROR));
		CHECK_NUMBER(run.got[i].result.error, EMFILE);
	}
}

static void has_no_descriptor_at_all(void)
{
	struct place place;

	prepare();
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	add_all(&place, 1);
	check_lacks_descriptors();
	unmake(&place);
}

/* Under valgrind socketpair(2) succeeds beyond the limit, and returns descriptors that are closed. */
static bool breaks_socketpair(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	if (preloaded == NULL || strstr(preloaded, "vgpreload") == NULL)
		return false;
	unit_skip("valgrind's socketpair(2) knows no limit");
	return true;
}

static void has_no_descriptor_for_a_helper(void)
{
	if (breaks_socketpair())
		return;
	prepare();
	add("one.test", 80);
	add("one.test", 81);
	check_lacks_descriptors();
}

/* A helper's channel needs two descriptors for a moment: the name waits until the attempts before it have ended. */
static void resolves_when_descriptors_come_free(void)
{
	struct place places[2];

	if (breaks_socketpair())
		return;
	prepare();
	run.setup.plan.timeout_us = 100000;
	if (!have(make(&places[0], SILENT, "127.0.0.1", 0)))
		return;
	CHECK(make(&places[1], OPEN, "127.0.0.1", 0));
	add_all(&places[0], 1);
	add("one.test", places[1].port);
	leave_descriptors(2);
	go_through();
	leave_descriptors(-1);
	check(0, TP_TIMEOUT, "127.0.0.1");
	check(1, TP_OPEN, "127.0.0.1");
	unmake(&places[0]);
	unmake(&places[1]);
}

/*
 * Two targets, each with a silent address before the open one: the attempts at the first addresses hold all the
 * descriptors that there are.
 */
static void reaches_second_addresses_when_descriptors_are_few(void)
{
	struct place places[2];

	prepare();
	run.setup.plan.timeout_us = 2000000;
	nsswitch_file = "hosts: files\n";
	hosts_file = "127.0.0.1 two.test\n127.0.0.2 two.test\n";
	if (!have(make_all(places, 2, (enum kind[]){ SILENT, OPEN }, loopbacks)))
		return;
	add("two.test", places[0].port);
	add("two.test", places[0].port);
	leave_descriptors(2);
	go_through();
	leave_descriptors(-1);
	check(0, TP_OPEN, "127.0.0.2");
	check(1, TP_OPEN, "127.0.0.2");
	unmake(&places[0]);
	unmake(&places[1]);
}

/* Whichever probe gives way to another, the results are the same as with enough descriptors. */
static void mixes_names_and_numbers_when_descriptors_are_few(void)
{
	struct place places[2], closed;

	for (int left = 1; left <= 3; left++) {
		prepare();
		nsswitch_file = "hosts: files\n";
		hosts_file = "127.0.0.1 two.test\n127.0.0.2 two.test\n";
		run.setup.plan.timeout_us = 1000000;
		if (!have(make_all(places, 2, (enum kind[]){ SILENT, OPEN }, loopbacks)))
			break;
		CHECK(make(&closed, CLOSED, "127.0.0.1", 0));
		for (int i = 0; i < 2; i++) {
			add("two.test", places[0].port);
			add_all(&closed, 1);
			add_all(places, 2);
		}
		leave_descriptors(left);
		go_through();
		leave_descriptors(-1);
		for (size_t i = 0; i < run.got_count; i += 4) {
			check(i, TP_OPEN, "127.0.0.2");
			check(i + 1, TP_REFUSED, "127.0.0.1");
			check(i + 2, TP_TIMEOUT, "127.0.0.1");
			check(i + 3, TP_OPEN, "127.0.0.2");
		}
		CHECK(run.most_fds <= (size_t)left);
		unmake(&places[0]);
		unmake(&places[1]);
		unmake(&closed);
	}
}

static void probes_each_address_when_descriptors_are_few(void)
{
	struct place places[3];

	prepare();
	run.setup.plan.timeout_us = 200000;
	run.setup.plan.each_address = true;
	nsswitch_file = "hosts: files\n";
	hosts_file = "127.0.0.1 three.test\n127.0.0.2 three.test\n127.0.0.3 three.test\n";
	if (!have(make_all(places, 3, (enum kind[]){ SILENT, OPEN, SILENT }, loopbacks)))
		return;
	add("three.test", places[0].port);
	add_all(&places[1], 1);
	leave_descriptors(1);
	go();
	leave_descriptors(-1);
	CHECK_NUMBER(run.error, ENOENT);
	CHECK_NUMBER(run.got_count, 4);
	check(0, TP_TIMEOUT, "127.0.0.1");
	check(1, TP_OPEN, "127.0.0.2");
	check(2, TP_TIMEOUT, "127.0.0.3");
	check(3, TP_OPEN, "127.0.0.2");
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

/*
 * There are few descriptors at first. When the shortage has passed, all targets are in flight, not only as many as
 * before.
 */
static void recovers_from_a_shortage(void)
{
	struct place place;

	prepare();
	run.setup.plan.timeout_us = 300000;
	run.at_wait = give_descriptors_back;
	if (!have(make(&place, SILENT, "127.0.0.1", 0)))
		return;
	for (int i = 0; i < 50; i++)
		add_all(&place, 1);
	leave_descriptors(5);
	go_through();
	CHECK_NUMBER(run.most_fds, 50);
	unmake(&place);
}

/* let_in() needs a descriptor for a moment, so the limit is one higher meanwhile. */
static void open_up_without_descriptors(struct run *this)
{
	struct rlimit now, more;

	if (this->waits != 1)
		return;
	getrlimit(RLIMIT_NOFILE, &now);
	more = now;
	more.rlim_cur++;
	setrlimit(RLIMIT_NOFILE, &more);
	let_in(this->place);
	setrlimit(RLIMIT_NOFILE, &now);
}

/* The first address answers when its SYN is sent again, after a second; the attempt holds the only descriptor. */
static void waits_for_a_late_answer_with_the_last_descriptor(void)
{
	struct place places[2];

	prepare();
	run.setup.plan.timeout_us = 10000000;
	nsswitch_file = "hosts: files\n";
	hosts_file = "127.0.0.1 two.test\n127.0.0.2 two.test\n";
	if (!have(make_all(places, 2, (enum kind[]){ SILENT, SILENT }, loopbacks)))
		return;
	run.place = places;
	run.at_wait = open_up_without_descriptors;
	add("two.test", places[0].port);
	leave_descriptors(1);
	go_through();
	leave_descriptors(-1);
	check(0, TP_OPEN, "127.0.0.1");
	unmake(&places[0]);
	unmake(&places[1]);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "no more than the limit are in flight", keeps_to_its_limit },
		{ "no more addresses of one name than the limit are in flight", keeps_each_address_to_its_limit,
		  QUICK },
		{ "a slow target keeps back the results behind it, not their probes", keeps_back_thousands_of_results },
		{ "with few descriptors every result is still right", runs_out_of_descriptors },
		{ "without any descriptor it says so", has_no_descriptor_at_all },
		{ "without one for a helper it says so too", has_no_descriptor_for_a_helper },
		{ "a name waits for descriptors as an attempt does", resolves_when_descriptors_come_free, QUICK },
		{ "few descriptors keep no name from its second address",
		  reaches_second_addresses_when_descriptors_are_few },
		{ "few descriptors change nothing in what a mix of targets comes to",
		  mixes_names_and_numbers_when_descriptors_are_few, QUICK },
		{ "few descriptors change nothing in what each address of a name comes to",
		  probes_each_address_when_descriptors_are_few },
		{ "when a shortage has passed all that may be in flight is", recovers_from_a_shortage },
		{ "the last descriptor is not taken from an address that may still answer",
		  waits_for_a_late_answer_with_the_last_descriptor },
	};

	share();
	return UNIT_RUN(tests);
}
