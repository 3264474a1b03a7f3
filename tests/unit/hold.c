// SPDX-License-Identifier: GPL-3.0-or-later
/* The engine holds connections, and sees what their peers do. */
#include "runs.h"

/* Accepts the connections that wait at the run's places, and calls act() for each. */
static void serve(struct run *this, void (*act)(int fd))
{
	for (size_t i = 0; i < this->places; i++) {
		struct pollfd waiting = { .fd = this->place[i].fd, .events = POLLIN };

		while (poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLIN) != 0) {
			int fd = accept(waiting.fd, NULL, NULL);

			this->served++;
			act(fd);
			close(fd);
		}
	}
}

static void act_close(int fd)
{
	(void)fd;
}

static void act_reset(int fd)
{
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
}

static void act_speak(int fd)
{
	CHECK(send(fd, "220 hello\r\nmore", 15, MSG_NOSIGNAL) == 15);
}

static void act_speak_and_reset(int fd)
{
	act_speak(fd);
	act_reset(fd);
}

static void close_all(struct run *this)
{
	serve(this, act_close);
}

static void reset_all(struct run *this)
{
	serve(this, act_reset);
}

static void speak_to_all(struct run *this)
{
	serve(this, act_speak);
}

static void speak_and_reset_all(struct run *this)
{
	serve(this, act_speak_and_reset);
}

/* Only the first place hangs up. */
static void close_first(struct run *this)
{
	size_t all = this->places;

	this->places = 1;
	serve(this, act_close);
	this->places = all;
}

/* Prepares a run that holds its connections. at_wait may act on the connections that come to these places. */
static void prepare_hold(struct place *places, size_t count, void (*at_wait)(struct run *))
{
	prepare();
	run.setup.plan.hold_us = MINUTE / 2;
	run.at_wait = at_wait;
	run.place = places;
	run.places = count;
}

static void tells_who_hangs_up(void)
{
	static void (*const acts[])(struct run *) = { close_all, reset_all };

	for (size_t i = 0; i < ROWS(acts); i++) {
		struct place place;

		prepare_hold(&place, 1, acts[i]);
		CHECK(make(&place, OPEN, "127.0.0.1", 0));
		for (int j = 0; j < 20; j++)
			add_all(&place, 1);
		go_through();
		for (size_t j = 0; j < run.count; j++) {
			CHECK_TEXT(tp_state_word(run.got[j].result.state), "hangup");
			CHECK_NUMBER(run.got[j].result.status, tp_state_status(TP_HANGUP));
			CHECK(run.got[j].result.connect_us >= 0);
		}
		CHECK_NUMBER(run.served, 20);
		unmake(&place);
	}
}

static void tells_what_a_peer_says(void)
{
	static void (*const acts[])(struct run *) = { speak_to_all, speak_and_reset_all };

	for (size_t i = 0; i < ROWS(acts); i++) {
		struct place place;

		prepare_hold(&place, 1, acts[i]);
		CHECK(make(&place, OPEN, "127.0.0.1", 0));
		add_all(&place, 1);
		go_through();
		check(0, TP_OPEN, "127.0.0.1");
		CHECK_TEXT(run.got[0].banner, "220 hello");
		unmake(&place);
	}
}

static void takes_silence_for_open(void)
{
	struct place place;

	prepare_hold(&place, 1, NULL);
	run.setup.plan.hold_us = 150000;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	CHECK(run.got[0].result.banner == NULL);
	CHECK(run.elapsed_us >= 150000);
	CHECK(run.elapsed_us < run.setup.plan.timeout_us);
	unmake(&place);
}

static void leaves_what_was_said_to_be_read(void)
{
	struct place place;
	char bytes[32] = { 0 };

	prepare_hold(&place, 1, speak_to_all);
	run.setup.plan.keep = true;
	run.closed = -1;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	if (CHECK(run.got[0].result.fd >= 0)) {
		CHECK_NUMBER(read(run.got[0].result.fd, bytes, sizeof(bytes)), 15);
		CHECK_TEXT(bytes, "220 hello\r\nmore");
		close(run.got[0].result.fd);
	}
	unmake(&place);
}

static void tries_the_next_address_when_one_hangs_up(void)
{
	struct place places[2];

	prepare_hold(places, 2, close_first);
	run.setup.plan.hold_us = 100000;
	if (!have(make_all(places, 2, (const enum kind[]){ OPEN, OPEN }, loopbacks)))
		return;
	add("two.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "127.0.0.2");
	/* While one was held the other was not tried. */
	CHECK_NUMBER(run.most_fds, 1);
	unmake(&places[0]);
	unmake(&places[1]);
}

static void tries_no_other_address_while_one_is_held(void)
{
	struct place places[2];

	prepare_hold(places, 2, NULL);
	run.setup.plan.hold_us = 400000;
	if (!have(make_all(places, 2, (const enum kind[]){ OPEN, OPEN }, loopbacks)))
		return;
	add("two.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	run.place = &places[1];
	run.places = 1;
	serve(&run, act_close);
	CHECK_NUMBER(run.served, 0);
	unmake(&places[0]);
	unmake(&places[1]);
}

static void ranks_a_hangup(void)
{
	struct place places[2];

	prepare_hold(places, 1, close_all);
	if (!have(make_all(places, 2, (const enum kind[]){ OPEN, CLOSED }, loopbacks)))
		return;
	add("two.test", places[0].port);
	go_through();
	check(0, TP_REFUSED, "127.0.0.2");
	unmake(&places[0]);
	unmake(&places[1]);
	prepare_hold(places, 1, close_all);
	run.setup.plan.timeout_us = 300000;
	if (!have(make_all(places, 2, (const enum kind[]){ OPEN, SILENT }, loopbacks)))
		return;
	add("two.test", places[0].port);
	go_through();
	CHECK_TEXT(tp_state_word(run.got[0].result.state), "hangup");
	unmake(&places[0]);
	unmake(&places[1]);
}

static void says_that_the_deadline_cut_a_hold(void)
{
	struct place place;

	prepare_hold(&place, 1, NULL);
	run.setup.plan.timeout_us = 100000;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	CHECK_TEXT(tp_state_word(run.got[0].result.state), "timeout");
	CHECK(run.got[0].result.held);
	/* In a wait for closed it does not count as closed either. */
	prepare_hold(&place, 1, NULL);
	run.setup.plan.timeout_us = 100000;
	run.setup.plan.until = TP_UNTIL_CLOSED;
	run.setup.plan.wait_us = 350000;
	add_all(&place, 1);
	go_through();
	CHECK(!run.got[0].result.wanted);
	unmake(&place);
}

static void takes_a_hangup_for_closed_in_a_wait(void)
{
	struct place place;

	prepare_hold(&place, 1, close_all);
	run.setup.plan.until = TP_UNTIL_CLOSED;
	run.setup.plan.wait_us = MINUTE;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	CHECK_TEXT(tp_state_word(run.got[0].result.state), "hangup");
	CHECK(run.got[0].result.wanted);
	CHECK_NUMBER(run.got[0].result.status, 0);
	unmake(&place);
}

/* The peer hangs up on its third connection, and speaks to all others. */
static void act_third(int fd)
{
	if (run.served != 3)
		act_speak(fd);
}

static void hang_up_on_the_third(struct run *this)
{
	serve(this, act_third);
}

static void waits_for_several_in_a_row(void)
{
	struct place place;

	prepare_hold(&place, 1, hang_up_on_the_third);
	run.setup.plan.until = TP_UNTIL_OPEN;
	run.setup.plan.wait_us = MINUTE;
	run.setup.plan.interval_us = 1000;
	run.setup.plan.in_a_row = 4;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	CHECK_NUMBER(run.got[0].result.try, 7);
	CHECK_NUMBER(run.got[0].result.best_row, 4);
	CHECK_TEXT(run.got[0].banner, "220 hello");
	prepare_hold(&place, 1, speak_to_all);
	run.setup.plan.until = TP_UNTIL_OPEN;
	run.setup.plan.wait_us = 100000;
	run.setup.plan.hold_us = 50000;
	run.setup.plan.interval_us = 30000;
	run.setup.plan.in_a_row = 1000;
	add_all(&place, 1);
	go_through();
	CHECK_TEXT(tp_state_word(run.got[0].result.state), "timeout");
	CHECK(run.got[0].result.expired);
	CHECK(run.got[0].result.best_row >= 1 && run.got[0].result.best_row < 1000);
	unmake(&place);
}

/* Hangs up only when all that may be in flight are held, or the last ones are. */
static void close_all_of_a_thousand(struct run *this)
{
	if (this->most_fds >= 1000)
		close_all(this);
}

static void holds_a_thousand_at_once(void)
{
	struct place place;

	prepare_hold(&place, 1, close_all_of_a_thousand);
	run.setup.plan.limit = 1000;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	for (int i = 0; i < 5000; i++)
		add_all(&place, 1);
	go_through();
	for (size_t i = 0; i < run.count; i++)
		CHECK_TEXT(tp_state_word(run.got[i].result.state), "hangup");
	unmake(&place);
}

static void holds_with_few_descriptors(void)
{
	struct place place;

	prepare_hold(&place, 1, NULL);
	run.setup.plan.hold_us = 20000;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	for (int i = 0; i < 40; i++)
		add_all(&place, 1);
	leave_descriptors(8);
	go_through();
	leave_descriptors(-1);
	for (size_t i = 0; i < run.count; i++)
		check(i, TP_OPEN, "127.0.0.1");
	unmake(&place);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a peer that hangs up while it is held is told, by FIN and by RST", tells_who_hangs_up },
		{ "one that speaks is open at once, even if it resets then", tells_what_a_peer_says },
		{ "one that is silent is open when the hold is over", takes_silence_for_open },
		{ "what a peer said is still to be read", leaves_what_was_said_to_be_read },
		{ "an address that hangs up loses, and the next is tried", tries_the_next_address_when_one_hangs_up },
		{ "while one is held no other is tried", tries_no_other_address_while_one_is_held },
		{ "a refusal tells more than a hangup, and that more than silence", ranks_a_hangup, QUICK },
		{ "a hold that the deadline ends is neither open nor closed", says_that_the_deadline_cut_a_hold },
		{ "a hangup is closed for who waits for that", takes_a_hangup_for_closed_in_a_wait },
		{ "tries in a row are counted, anew after a failure", waits_for_several_in_a_row },
		{ "a thousand that are held at once hang up", holds_a_thousand_at_once },
		{ "with few descriptors all are held in the end", holds_with_few_descriptors },
	};

	share();
	return UNIT_RUN(tests);
}
