// SPDX-License-Identifier: GPL-3.0-or-later
/* The engine tries each target again until it is as wanted. */
#include "runs.h"

static void prepare_wait(enum tp_until until, int64_t wait_us, int64_t try_us)
{
	prepare();
	run.setup.plan.until = until;
	run.setup.plan.wait_us = wait_us;
	run.setup.plan.timeout_us = try_us;
	run.setup.plan.interval_us = 1000;
}

/* Checks that the wait was over before the target was as wanted. */
static void check_expired(size_t index)
{
	const struct tp_result *result = &run.got[index].result;

	CHECK_TEXT(tp_state_word(result->state), tp_state_word(TP_TIMEOUT));
	CHECK(result->expired);
	CHECK(!result->wanted);
	CHECK_NUMBER(result->status, tp_state_status(TP_TIMEOUT));
}

static void listen_there(struct run *this)
{
	if (this->waits == 3)
		CHECK_NUMBER(listen(this->place->fd, SOMAXCONN), 0);
}

static void waits_until_open(void)
{
	struct place place;

	prepare_wait(TP_UNTIL_OPEN, MINUTE, MINUTE);
	CHECK(make(&place, CLOSED, "127.0.0.1", 0));
	run.place = &place;
	run.at_wait = listen_there;
	add_all(&place, 1);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	CHECK(run.got[0].result.wanted);
	CHECK_NUMBER(run.got[0].result.try, 4);
	unmake(&place);
}

static void waits_until_closed(void)
{
	struct place place;

	prepare_wait(TP_UNTIL_CLOSED, MINUTE, MINUTE);
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	run.place = &place;
	run.at_wait = hang_up;
	add_all(&place, 1);
	go_through();
	check(0, TP_REFUSED, "127.0.0.1");
	CHECK(run.got[0].result.wanted);
	CHECK_NUMBER(run.got[0].result.status, 0);
	CHECK_NUMBER(run.got[0].result.try, 2);
	unmake(&place);
}

static void ends_with_the_wait(void)
{
	static const enum tp_until untils[] = { TP_UNTIL_OPEN, TP_UNTIL_CLOSED };
	struct place place;

	for (size_t i = 0; i < ROWS(untils); i++) {
		prepare_wait(untils[i], 100000, 0);
		if (!have(make(&place, SILENT, "127.0.0.1", 0)))
			return;
		add_all(&place, 1);
		add("slow.test", place.port);
		go_through();
		/* A target that was silent for the whole wait counts as closed. */
		check(0, TP_TIMEOUT, "127.0.0.1");
		CHECK_NUMBER(run.got[0].result.wanted, untils[i] == TP_UNTIL_CLOSED);
		CHECK_NUMBER(run.got[0].result.expired, untils[i] == TP_UNTIL_OPEN);
		CHECK_NUMBER(run.got[0].result.try, 1);
		check_expired(1);
		CHECK(run.got[1].result.in_lookup);
		CHECK_NUMBER(run.counts.done, 2);
		CHECK_NUMBER(run.counts.open, 0);
		CHECK(run.elapsed_us >= 100000);
		unmake(&place);
	}
}

/* The first target holds the only place in flight until the wait is over. */
static void owes_a_result_to_who_had_no_turn(void)
{
	static const size_t owed[] = { SIZE_MAX, 2, 0 };
	struct place place;

	for (size_t i = 0; i < ROWS(owed); i++) {
		prepare_wait(TP_UNTIL_OPEN, 50000, 0);
		if (!have(make(&place, SILENT, "127.0.0.1", 0)))
			return;
		run.setup.plan.limit = 1;
		run.setup.owed = owed[i];
		for (size_t j = 0; j < 3; j++)
			add_all(&place, 1);
		go();
		CHECK_NUMBER(run.error, owed[i] == SIZE_MAX ? ENOENT : ETIMEDOUT);
		CHECK_NUMBER(run.got_count, owed[i] == SIZE_MAX ? 3 : owed[i] > 0 ? owed[i] : 1);
		for (size_t j = 0; j < run.got_count; j++) {
			check_expired(j);
			CHECK_NUMBER(run.got[j].result.try, j == 0);
			CHECK_NUMBER(run.got[j].result.error, j == 0 ? ETIMEDOUT : 0);
		}
		unmake(&place);
	}
}

static void tells_the_last_try_that_ended(void)
{
	struct place place;

	prepare_wait(TP_UNTIL_OPEN, 100000, MINUTE);
	CHECK(make(&place, CLOSED, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	check_expired(0);
	CHECK_NUMBER(run.got[0].result.error, ECONNREFUSED);
	CHECK_NUMBER(run.counts.done, 1);
	unmake(&place);
}

/* Each try ends at its deadline, and the next one begins at once: no socket may be left from the try before. */
static void leaves_no_attempt_behind(void)
{
	struct place places[3];

	prepare_wait(TP_UNTIL_OPEN, 1000000, 50000);
	run.setup.plan.interval_us = 0;
	if (!have(make_all(places, 3, (enum kind[]){ SILENT, SILENT, SILENT }, loopbacks)))
		return;
	nsswitch_file = "hosts: files\n";
	hosts_file = "127.0.0.1 three.test\n127.0.0.2 three.test\n127.0.0.3 three.test\n";
	add("three.test", places[0].port);
	go_through();
	check_expired(0);
	CHECK(run.got[0].result.try > 5);
	CHECK_NUMBER(run.most_fds, 1);
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

static void tries_again_what_may_pass_on_this_host(void)
{
	struct place place;

	prepare_wait(TP_UNTIL_OPEN, 100000, MINUTE);
	run.setup.plan.source.address.any.sa_family = AF_INET;
	inet_pton(AF_INET, "203.0.113.77", &run.setup.plan.source.address.ipv4.sin_addr);
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	check_expired(0);
	CHECK_NUMBER(run.got[0].result.error, EADDRNOTAVAIL);
	CHECK(run.got[0].result.try > 2);
	unmake(&place);
}

static void tries_again_when_descriptors_come_back(void)
{
	struct place place;

	prepare_wait(TP_UNTIL_OPEN, MINUTE, MINUTE);
	run.at_wait = give_descriptors_back;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	leave_descriptors(0);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	CHECK(run.got[0].result.try > 1);
	unmake(&place);
}

/* A name without an answer is neither open nor closed, however often it is looked up. */
static void looks_up_anew_in_each_try(void)
{
	prepare_wait(TP_UNTIL_CLOSED, 400000, 20000);
	add("slow.test", 80);
	add("none.test", 80);
	go_through();
	for (size_t i = 0; i < 2; i++) {
		check_expired(i);
		CHECK(run.got[i].result.in_lookup);
		CHECK(run.got[i].result.try > 2);
	}
	/* The last try of each target may have begun before its lookup did: hence the 2. */
	CHECK(shared->lookups + 2 >= (int)(run.got[0].result.try + run.got[1].result.try));
}

static void waits_for_every_address(void)
{
	struct place places[2];

	prepare_wait(TP_UNTIL_OPEN, 200000, 50000);
	run.setup.plan.each_address = true;
	if (!have(make_all(places, 2, (enum kind[]){ SILENT, OPEN }, loopbacks)))
		return;
	add("two.test", places[0].port);
	go();
	CHECK_NUMBER(run.got_count, 2);
	check_expired(0);
	CHECK(run.got[0].result.try > 1);
	check(1, TP_OPEN, "127.0.0.2");
	unmake(&places[0]);
	unmake(&places[1]);
}

/*
 * More silent targets than may be in flight: none is tried twice before all were tried once. Then slow names beside
 * names that fail at once: each is tried again.
 */
static void gives_every_try_its_turn(void)
{
	struct place place;

	prepare_wait(TP_UNTIL_OPEN, 400000, 20000);
	run.setup.plan.limit = 1;
	if (!have(make(&place, SILENT, "127.0.0.1", 0)))
		return;
	for (int i = 0; i < 4; i++)
		add_all(&place, 1);
	go_through();
	for (size_t i = 0; i < run.got_count; i++) {
		check_expired(i);
		CHECK(run.got[0].result.try - run.got[i].result.try <= 1);
	}
	CHECK(run.got[0].result.try > 1);
	unmake(&place);

	prepare_wait(TP_UNTIL_OPEN, 1500000, 50000);
	run.setup.plan.timeout_us = 100000;
	for (size_t i = 0; i < 40; i++) {
		add(slow_name(i), 80);
		add("none.test", 80);
	}
	go_through();
	for (size_t i = 0; i < run.got_count; i++)
		CHECK(run.got[i].result.try > 1);
}

static void let_in_second(struct run *this)
{
	if (this->got_count == 0 && this->most_fds > 0)
		let_in(this->place);
	if (this->waits > 20)
		listen(this->place[1].fd, SOMAXCONN);
}

/* The first target is due again; it waits only for the place in flight that the second one holds. */
static void goes_on_when_another_has_ended(void)
{
	struct place places[2];

	prepare_wait(TP_UNTIL_OPEN, 0, MINUTE);
	run.setup.plan.limit = 1;
	if (!have(make(&places[0], SILENT, "127.0.0.1", 0)))
		return;
	CHECK(make(&places[1], CLOSED, "127.0.0.1", 0));
	run.place = places;
	run.at_wait = let_in_second;
	add_all(&places[1], 1);
	add_all(&places[0], 1);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	check(1, TP_OPEN, "127.0.0.1");
	unmake(&places[0]);
	unmake(&places[1]);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a wait tries until it is open", waits_until_open },
		{ "a wait for a closed port tries until it is closed", waits_until_closed },
		{ "when the wait is over nothing is as wanted, and each target is counted once", ends_with_the_wait,
		  QUICK },
		{ "who had no turn when the wait is over has a result where it is owed one",
		  owes_a_result_to_who_had_no_turn },
		{ "the reason is that of the last try that ended", tells_the_last_try_that_ended },
		{ "no attempt outlives its try", leaves_no_attempt_behind },
		{ "what this host lacks for now is tried again", tries_again_what_may_pass_on_this_host, QUICK },
		{ "a lack of descriptors is tried again", tries_again_when_descriptors_come_back },
		{ "each try looks the name up anew", looks_up_anew_in_each_try, QUICK },
		{ "each address is waited for by itself where asked", waits_for_every_address, QUICK },
		{ "tries take their turns", gives_every_try_its_turn, QUICK },
		{ "a try that is due begins when another one ends", goes_on_when_another_has_ended },
	};

	share();
	return UNIT_RUN(tests);
}
