// SPDX-License-Identifier: GPL-3.0-or-later
/* The engine as a whole: states, deadlines, open targets, and its end; against sockets of the test's own on loopback. */
#include "runs.h"

/* -- States */

static void ends_where_nothing_is(void)
{
	prepare();
	go_through();
	CHECK_NUMBER(run.waits, 0);
}

static void may_be_freed_at_once(void)
{
	struct tp_engine *engine;

	prepare();
	engine = tp_engine_new(&run.setup);
	if (CHECK(engine != NULL))
		tp_engine_free(engine);
}

static void reports_in_order(void)
{
	static const enum kind kinds[] = { SILENT, OPEN, CLOSED, SILENT, CLOSED, OPEN, OPEN };
	struct place places[ROWS(kinds)];

	prepare();
	run.setup.plan.timeout_us = 200000;
	for (size_t i = 0; i < ROWS(kinds); i++) {
		if (!make(&places[i], kinds[i], "127.0.0.1", 0)) {
			while (i > 0)
				unmake(&places[--i]);
			unit_skip("no silent listeners here");
			return;
		}
	}
	add_all(places, ROWS(places));
	go_through();
	for (size_t i = 0; i < ROWS(places); i++) {
		check(i, states[kinds[i]], "127.0.0.1");
		CHECK_NUMBER(run.got[i].result.lookup_us, -1);
		CHECK(!run.got[i].result.in_lookup);
		unmake(&places[i]);
	}
	CHECK_NUMBER(shared->helpers, 0);
}

static void probes_ipv6(void)
{
	struct place places[2];

	prepare();
	if (!make(&places[0], OPEN, "::1", 0)) {
		unit_skip("no IPv6 here");
		return;
	}
	CHECK(make(&places[1], CLOSED, "::1", 0));
	add_all(places, 2);
	go_through();
	check(0, TP_OPEN, "::1");
	check(1, TP_REFUSED, "::1");
	CHECK_NUMBER(run.got[1].result.error, ECONNREFUSED);
	unmake(&places[0]);
	unmake(&places[1]);
}

/*
 * A socket that is bound to the same port that it connects to reaches itself. The port must be free for that, and
 * another process may take it first: then another port is tried.
 */
static void takes_no_connection_to_itself_for_open(void)
{
	for (int attempt = 0; attempt < 10; attempt++) {
		struct place place;

		prepare();
		CHECK(make(&place, CLOSED, "127.0.0.1", 0));
		unmake(&place);
		run.setup.plan.source.address.any.sa_family = AF_INET;
		run.setup.plan.source.address.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		tp_address_set_port(&run.setup.plan.source.address, place.port);
		add_all(&place, 1);
		go_through();
		if (run.got[0].result.error != EADDRINUSE)
			break;
	}
	check(0, TP_REFUSED, "127.0.0.1");
	CHECK_NUMBER(run.got[0].result.error, ECONNREFUSED);
}

/* -- Time */

static void ends_at_its_deadline(void)
{
	struct place place;

	prepare();
	run.setup.plan.timeout_us = 150000;
	if (!have(make(&place, SILENT, "127.0.0.1", 0)))
		return;
	add_all(&place, 1);
	go_through();
	check(0, TP_TIMEOUT, "127.0.0.1");
	CHECK_NUMBER(run.got[0].result.error, ETIMEDOUT);
	CHECK(!run.got[0].result.in_lookup);
	CHECK(run.elapsed_us >= 150000);
	/* It asked for no longer wait than that. How soon after the deadline it ends depends on the machine. */
	CHECK(run.longest_us <= 150000);
	unmake(&place);
}

static void waits_for_ever_without_a_deadline(void)
{
	struct place place;

	prepare();
	run.setup.plan.timeout_us = 0;
	run.stop_at_wait = 1;
	run.stop_with = EINTR;
	if (!have(make(&place, SILENT, "127.0.0.1", 0)))
		return;
	add_all(&place, 1);
	go();
	CHECK_NUMBER(run.error, EINTR);
	CHECK(run.longest_us == TP_NEVER);
	unmake(&place);
}

static void open_up(struct run *this)
{
	if (this->waits == 1)
		let_in(this->place);
}

/* The first SYN is lost; the kernel sends another after a second. */
static void takes_a_late_answer(void)
{
	static const struct {
		void (*at_wait)(struct run *run);
		enum tp_state state;
	} rows[] = { { open_up, TP_OPEN }, { hang_up, TP_REFUSED } };

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct place place;

		prepare();
		if (!have(make(&place, SILENT, "127.0.0.1", 0)))
			return;
		run.place = &place;
		run.at_wait = rows[i].at_wait;
		add_all(&place, 1);
		go_through();
		check(0, rows[i].state, "127.0.0.1");
		unmake(&place);
	}
}

/*
 * The sum of all times has a bound: handshakes that are done at once do not overlap, and of the others no more overlap
 * than were waited for at once.
 */
static void measures_each_handshake_by_itself(void)
{
	struct place place;
	int64_t sum_us = 0;

	prepare();
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	for (int i = 0; i < 200; i++)
		add("one.test", place.port);
	go_through();
	for (size_t i = 0; i < run.got_count; i++) {
		check(i, TP_OPEN, "127.0.0.1");
		sum_us += run.got[i].result.connect_us;
	}
	/* One of these descriptors may be the helper's. One more handshake may be under way between two waits. */
	CHECK(sum_us <= run.elapsed_us * (int64_t)(run.most_fds + 1));
	unmake(&place);
}

/* -- Open targets */

static void ends_with_the_first_open(void)
{
	struct place places[2];

	prepare();
	run.setup.plan.first_open = true;
	if (!have(make(&places[0], SILENT, "127.0.0.1", 0)))
		return;
	CHECK(make(&places[1], OPEN, "127.0.0.1", 0));
	add("127.0.0.1", 0);
	add_all(&places[0], 1);
	add("slow.test", 80);
	add("one.test", places[1].port);
	add_all(places, 2);
	go();
	CHECK_NUMBER(run.error, ENOENT);
	/* Which of the two open targets was first depends on the machine. */
	CHECK_NUMBER(run.got_count, 2);
	CHECK_NUMBER(run.got[0].result.target, 0);
	check(1, TP_OPEN, "127.0.0.1");
	CHECK(run.got[1].result.target == 3 || run.got[1].result.target == 5);
	unmake(&places[0]);
	unmake(&places[1]);
}

/* The open target stands behind a silent one and more refused ones than may be in flight. */
static void finds_the_first_open_wherever_it_stands(void)
{
	struct place silent, closed, open;

	prepare();
	run.setup.plan.first_open = true;
	if (!have(make(&silent, SILENT, "127.0.0.1", 0)))
		return;
	CHECK(make(&closed, CLOSED, "127.0.0.1", 0));
	CHECK(make(&open, OPEN, "127.0.0.1", 0));
	add_all(&silent, 1);
	while (run.count < MOST - 1)
		add_all(&closed, 1);
	add_all(&open, 1);
	go();
	CHECK_NUMBER(run.error, ENOENT);
	CHECK_NUMBER(run.got_count, MOST - 1);
	check(run.got_count - 1, TP_OPEN, "127.0.0.1");
	CHECK(run.elapsed_us < MINUTE / 2);
	unmake(&silent);
	unmake(&closed);
	unmake(&open);
}

/* Kept connections belong to the caller. The engine closes those whose results nobody has asked for. */
static void keeps_what_is_open(void)
{
	char text[TP_ADDRESS_TEXT];
	struct place place;

	prepare();
	run.setup.plan.keep = true;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	add("127.0.0.1", 0);
	add_all(&place, 1);
	run.closed = -2;
	go();
	CHECK_NUMBER(run.got_count, 3);
	for (size_t i = 0; i < run.got_count; i++) {
		union tp_address peer;
		socklen_t size = sizeof(peer);
		int fd = run.got[i].result.fd, wants_errors = -1;

		(void)wants_errors;
		CHECK_NUMBER(fd >= 0, run.got[i].result.state == TP_OPEN);
		if (fd < 0)
			continue;
		CHECK_NUMBER(getpeername(fd, &peer.any, &size), 0);
#ifdef IP_RECVERR
		/*
		 * IP_RECVERR is off: an ICMP error must not fail the owner's read(2), since that of any other socket
		 * would go on.
		 */
		CHECK_NUMBER(getsockopt(fd, IPPROTO_IP, IP_RECVERR, &wants_errors, &(socklen_t){ sizeof(int) }), 0);
		CHECK_NUMBER(wants_errors, 0);
#endif
		tp_address_text(&peer, text);
		CHECK_TEXT(text, "127.0.0.1");
		CHECK_NUMBER(tp_address_port(&peer), place.port);
		close(fd);
	}
	unmake(&place);
}

static void leaves_the_handshake_half_open(void)
{
	struct place place;

	if (!tp_os_has_half_open()) {
		unit_skip("this system cannot");
		return;
	}
	prepare();
	run.setup.plan.half_open = true;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	for (int i = 0; i < 20; i++)
		add_all(&place, 1);
	go_through();
	for (size_t i = 0; i < run.got_count; i++)
		check(i, TP_OPEN, "127.0.0.1");
	fcntl(place.fd, F_SETFL, O_NONBLOCK);
	CHECK_NUMBER(accept(place.fd, NULL, NULL), -1);
	unmake(&place);
}

/* -- The caller */

static bool has_no_room(void *context)
{
	(void)context;
	return true;
}

static void holds_results_back_while_its_caller_is_full(void)
{
	struct place place;

	prepare();
	run.setup.is_full = has_no_room;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go();
	CHECK_NUMBER(run.error, EDEADLK);
	CHECK_NUMBER(run.got_count, 0);
	CHECK_NUMBER(run.next, 0);
	unmake(&place);
}

/* When the slow caller comes back, the last probe has long ended: the engine must not wait for it. */
static void waits_for_nothing_when_its_caller_was_slow(void)
{
	struct place place;

	prepare();
	run.report_us = 30000;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	add_all(&place, 1);
	go_through();
	CHECK(run.longest_us < TP_NEVER);
	unmake(&place);
}

static int feed[2];

static void feed_one(struct run *this)
{
	if (this->waits == 1)
		CHECK_NUMBER(write(feed[1], "x", 1), 1);
}

static void waits_for_its_feed(void)
{
	struct place place;

	prepare();
	CHECK_NUMBER(pipe(feed), 0);
	fcntl(feed[0], F_SETFL, O_NONBLOCK);
	run.dry_fd = feed[0];
	run.at_wait = feed_one;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	CHECK_NUMBER(run.most_fds, 1);
	unmake(&place);
	close(feed[0]);
	close(feed[1]);
}

/* -- The end of the engine */

static void ends_when_interrupted(void)
{
	static const int errors[] = { EINTR, EBADF };
	struct place place;

	if (!have(make(&place, SILENT, "127.0.0.1", 0)))
		return;
	for (size_t i = 0; i < ROWS(errors); i++) {
		prepare();
		run.stop_at_wait = 2;
		run.stop_with = errors[i];
		for (int j = 0; j < 5; j++)
			add_all(&place, 1);
		add("one.test", place.port);
		add("slow.test", 80);
		add_all(&place, 1);
		go();
		CHECK_NUMBER(run.error, errors[i]);
		CHECK_NUMBER(run.got_count, 0);
		CHECK_NUMBER(run.waits, 2);
	}
	unmake(&place);
}

static void drops_what_nobody_asks_for(void)
{
	struct place places[2];
	struct tp_engine *engine;
	struct tp_result result;
	int descriptors;

	prepare();
	if (!have(make(&places[1], SILENT, "127.0.0.1", 0)))
		return;
	CHECK(make(&places[0], OPEN, "127.0.0.1", 0));
	descriptors = count_descriptors();
	add_all(places, 2);
	add("slow.test", 80);
	add_all(places, 2);
	engine = tp_engine_new(&run.setup);
	CHECK_NUMBER(tp_engine_next(engine, &result), 0);
	CHECK_NUMBER(result.state, TP_OPEN);
	tp_engine_free(engine);
	CHECK_NUMBER(count_descriptors(), descriptors);
	CHECK(no_child_left());
	unmake(&places[0]);
	unmake(&places[1]);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "without targets it ends at once", ends_where_nothing_is },
		{ "an engine may be freed before its first result", may_be_freed_at_once },
		{ "open, refused and silent targets are told apart, in order", reports_in_order },
		{ "IPv6 is probed as IPv4 is", probes_ipv6 },
		{ "a connection to itself is refused", takes_no_connection_to_itself_for_open },
		{ "a silent target ends at its deadline, and not before", ends_at_its_deadline },
		{ "without a deadline it waits without end", waits_for_ever_without_a_deadline },
		{ "an answer that comes late is taken", takes_a_late_answer, QUICK },
		{ "each handshake is measured by itself", measures_each_handshake_by_itself },
		{ "where one is enough, the first open is the last result", ends_with_the_first_open },
		{ "that one may stand anywhere in the list", finds_the_first_open_wherever_it_stands },
		{ "connections are kept where asked", keeps_what_is_open },
		{ "no server sees a handshake that is left half-open", leaves_the_handshake_half_open },
		{ "a caller that is full gets nothing, and nothing begins",
		  holds_results_back_while_its_caller_is_full },
		{ "it waits for the next target where there is none yet", waits_for_its_feed },
		{ "a caller that was slow is not kept waiting", waits_for_nothing_when_its_caller_was_slow },
		{ "what ends the wait ends the engine, and nothing is left", ends_when_interrupted },
		{ "what is in flight when the engine is freed is dropped", drops_what_nobody_asks_for },
	};

	share();
	return UNIT_RUN(tests);
}
