// SPDX-License-Identifier: GPL-3.0-or-later
/* The engine against sockets of the test's own on loopback, and against a resolver of the test's own. */
#include "tp_engine.h"

#include <stdint.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/timerfd.h>
#endif

#include "files.h"
#include "names.h"
#include "places.h"
#include "tp_os.h"
#include "unit.h"

static const struct name names[] = {
	{ .name = "one.test", .addresses = { "127.0.0.1" } },
	{ .name = "two.test", .addresses = { "127.0.0.1", "127.0.0.2" } },
	{ .name = "three.test", .addresses = { "127.0.0.1", "127.0.0.2", "127.0.0.3" } },
	{ .name = "mixed.test", .addresses = { "127.0.0.1", "127.0.0.2", "::1" } },
	{ .name = "twice.test", .addresses = { "127.0.0.1", "127.0.0.2", "127.0.0.1" } },
	{ .name = "none.test", .eai = EAI_AGAIN },
	{ .name = "slow.test", .does = BLOCKS },
	{ .name = "deadly.test", .does = DIES },
	{ .name = NULL },
};

#define MOST 6000
#define MINUTE 60000000

/* One run of the engine: what it is given, and what came of it. */
struct run {
	struct tp_engine_setup setup;
	struct target {
		const char *host;
		uint16_t port;
		int family;
	} targets[MOST];
	size_t count, next;
	int dry_fd; /* each target comes when something can be read from it; 0: all are there */

	useconds_t report_us;  /* how long the caller takes for each result */
	unsigned stop_at_wait; /* 0: never */
	int stop_with;
	void (*at_wait)(struct run *run);
	struct place *place; /* for at_wait */
	size_t places;
	unsigned served;

	unsigned waits;
	unsigned idle_waits; /* waits with no descriptor to watch */
	int closed;          /* descriptors that at_wait closed */
	size_t most_fds;     /* the most descriptors that it waited for at once */
	int64_t longest_us;  /* the longest wait that it asked for */
	int64_t elapsed_us;
	struct got {
		char host[32], banner[TP_BANNER_MOST + 1];
		struct tp_result result;
	} got[MOST];
	size_t got_count;
	struct tp_engine_counts counts;
	int error; /* why it ended */
};

static struct run run;

static int next_target(void *context, struct tp_endpoint *endpoint, int *fd)
{
	(void)context;
	if (run.next == run.count)
		return ENOENT;
	if (run.dry_fd != 0 && read(run.dry_fd, &(uint64_t){ 0 }, sizeof(uint64_t)) <= 0) {
		*fd = run.dry_fd;
		return EAGAIN;
	}
	endpoint->host = run.targets[run.next].host;
	endpoint->family = run.targets[run.next].family;
	endpoint->port = run.targets[run.next++].port;
	return 0;
}

static size_t count_live(const struct pollfd *fds, nfds_t count)
{
	size_t live = 0;

	for (nfds_t i = 0; i < count; i++)
		live += fds[i].fd >= 0;
	return live;
}

static int wait_for(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
	size_t live = count_live(fds, count);
	sigset_t mask;
	int error;

	(void)context;
	run.waits++;
	run.idle_waits += live == 0;
	if (live > run.most_fds)
		run.most_fds = live;
	if (timeout_us > run.longest_us)
		run.longest_us = timeout_us;
	if (run.at_wait != NULL)
		run.at_wait(&run);
	if (run.waits == run.stop_at_wait)
		return run.stop_with;
	/* Nothing can ever end this wait. */
	if (live == 0 && timeout_us == TP_NEVER)
		return EDEADLK;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	error = tp_os_poll(fds, count, timeout_us, &mask);
	return error == EINTR ? 0 : error;
}

static void prepare(void)
{
	memset(&run, 0, sizeof(run));
	run.setup.next = next_target;
	run.setup.wait = wait_for;
	run.setup.helper_hook.run = note_helper;
	run.setup.plan.limit = 256;
	run.setup.plan.timeout_us = MINUTE;
	shared->lookups = 0;
	shared->helpers = 0;
}

static void add(const char *host, uint16_t port)
{
	run.targets[run.count++] = (struct target){ host, port, AF_UNSPEC };
}

static void add_all(const struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(places[i].address, places[i].port);
}

/* Runs the engine to its end. Whatever ends it, no descriptor and no child may be left. */
static void go(void)
{
	int descriptors = count_descriptors();
	int64_t begin_us = tp_os_now_us();
	struct tp_engine *engine = tp_engine_new(&run.setup);
	struct tp_result result;

	if (engine == NULL)
		abort();
	while ((run.error = tp_engine_next(engine, &result)) == 0 && run.got_count < MOST) {
		struct got *got = &run.got[run.got_count++];

		got->result = result;
		snprintf(got->host, sizeof(got->host), "%s", result.host);
		if (result.banner != NULL)
			snprintf(got->banner, sizeof(got->banner), "%s", result.banner->bytes);
		if (run.report_us > 0)
			usleep(run.report_us);
	}
	run.elapsed_us = tp_os_now_us() - begin_us;
	run.counts = tp_engine_counts(engine);
	tp_engine_free(engine);
	CHECK_NUMBER(count_descriptors(), descriptors - run.closed);
	CHECK(no_child_left());
}

/* Runs the engine, which must reach the end of the targets, with a result for each of them, in order. */
static void go_through(void)
{
	go();
	CHECK_NUMBER(run.error, ENOENT);
	if (!CHECK_NUMBER(run.got_count, run.count))
		return;
	for (size_t i = 0; i < run.count; i++) {
		CHECK_TEXT(run.got[i].host, run.targets[i].host);
		CHECK_NUMBER(run.got[i].result.port, run.targets[i].port);
	}
}

/* Checks a result's state, and the address that decided it, or "-". */
static void check(size_t index, enum tp_state state, const char *address)
{
	const struct tp_result *result = &run.got[index].result;
	char text[TP_ADDRESS_TEXT];

	if (!CHECK(index < run.got_count))
		return;
	CHECK_TEXT(tp_state_word(result->state), tp_state_word(state));
	tp_address_text(&result->address, text);
	CHECK_TEXT(text, address);
	CHECK_NUMBER(result->connect_us >= 0, state == TP_OPEN);
	CHECK_NUMBER(result->error == 0, state == TP_OPEN || result->eai != 0);
}

static const enum tp_state states[] = { [OPEN] = TP_OPEN, [CLOSED] = TP_REFUSED, [SILENT] = TP_TIMEOUT };

static bool have(bool made)
{
	if (!made)
		unit_skip("this system lacks the loopback addresses, or silent listeners");
	return made;
}

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

static void hang_up(struct run *this)
{
	if (this->waits == 1)
		this->closed = stop_listening(this->place);
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

/* -- Addresses */

static const char *const loopbacks[] = { "127.0.0.1", "127.0.0.2", "127.0.0.3" };

static void races_addresses(void)
{
	struct place places[2];

	prepare();
	if (!have(make_all(places, 2, (enum kind[]){ SILENT, OPEN }, loopbacks)))
		return;
	add("two.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "127.0.0.2");
	CHECK(run.elapsed_us >= 250000);
	CHECK(run.got[0].result.connect_us <= run.elapsed_us - 250000);
	CHECK(run.got[0].result.lookup_us >= 0);
	unmake(&places[0]);
	unmake(&places[1]);
}

static void goes_on_at_once_after_a_failure(void)
{
	struct place places[3];

	prepare();
	if (!have(make_all(places, 3, (enum kind[]){ CLOSED, CLOSED, OPEN }, loopbacks)))
		return;
	add("three.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "127.0.0.3");
	CHECK_NUMBER(run.idle_waits, 0);
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

static void tells_the_most_telling_failure(void)
{
	static const struct {
		enum kind kinds[3];
		enum kind wins;
		const char *address;
		int64_t timeout_us; /* enough for the attempts that matter, on a busy machine too */
	} rows[] = {
		{ { CLOSED, SILENT, SILENT }, CLOSED, "127.0.0.1", 500000 },
		{ { SILENT, SILENT, CLOSED }, CLOSED, "127.0.0.3", 3000000 },
		{ { CLOSED, CLOSED, CLOSED }, CLOSED, "127.0.0.1", MINUTE },
		{ { SILENT, SILENT, SILENT }, SILENT, "127.0.0.1", 500000 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct place places[3];

		prepare();
		run.setup.plan.timeout_us = rows[i].timeout_us;
		if (!have(make_all(places, 3, rows[i].kinds, loopbacks)))
			return;
		add("three.test", places[0].port);
		go_through();
		check(0, states[rows[i].wins], rows[i].address);
		for (size_t j = 0; j < 3; j++)
			unmake(&places[j]);
	}
}

/* IPv4, IPv4, IPv6: the third is tried second, and wins though the second is open too. */
static void alternates_families(void)
{
	static const char *const addresses[] = { "127.0.0.1", "127.0.0.2", "::1" };
	struct place places[3];

	prepare();
	if (!have(make_all(places, 3, (enum kind[]){ SILENT, OPEN, OPEN }, addresses)))
		return;
	add("mixed.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "::1");
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

static void uses_only_the_family_asked_for(void)
{
	struct place place;

	prepare();
	run.setup.plan.family = AF_INET6;
	if (!make(&place, OPEN, "::1", 0)) {
		unit_skip("no IPv6 here");
		return;
	}
	add("mixed.test", place.port);
	add("one.test", place.port);
	add("127.0.0.1", place.port);
	add("::1", place.port);
	go_through();
	check(0, TP_OPEN, "::1");
	check(1, TP_UNRESOLVED, "-");
	check(2, TP_UNRESOLVED, "-");
	check(3, TP_OPEN, "::1");
	unmake(&place);
}

static void probes_each_address_by_itself(void)
{
	struct place places[3];

	prepare();
	run.setup.plan.timeout_us = 1000000;
	run.setup.plan.each_address = true;
	if (!have(make_all(places, 3, (enum kind[]){ CLOSED, SILENT, OPEN }, loopbacks)))
		return;
	add("none.test", places[0].port);
	add("three.test", places[0].port);
	add("twice.test", places[0].port);
	add("127.0.0.3", places[0].port);
	go();
	CHECK_NUMBER(run.error, ENOENT);
	CHECK_NUMBER(run.got_count, 7);
	check(0, TP_UNRESOLVED, "-");
	check(1, TP_REFUSED, "127.0.0.1");
	check(2, TP_TIMEOUT, "127.0.0.2");
	check(3, TP_OPEN, "127.0.0.3");
	check(4, TP_REFUSED, "127.0.0.1");
	check(5, TP_TIMEOUT, "127.0.0.2");
	check(6, TP_OPEN, "127.0.0.3");
	CHECK_TEXT(run.got[3].host, "three.test");
	CHECK_TEXT(run.got[5].host, "twice.test");
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

static void begins_at_its_source(void)
{
	union tp_address peer = { 0 };
	socklen_t size = sizeof(peer);
	char text[TP_ADDRESS_TEXT];
	struct place place;
	int fd;

	prepare();
	run.setup.plan.source.address.any.sa_family = AF_INET;
	run.setup.plan.source.address.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	if (!have(make(&place, CLOSED, "127.0.0.2", 0)))
		return;
	unmake(&place);
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	fd = accept(place.fd, &peer.any, &size);
	tp_address_text(&peer, text);
	CHECK_TEXT(text, "127.0.0.2");
	close(fd);
	unmake(&place);
}

static void says_where_its_source_is_not_here(void)
{
	struct place place;

	prepare();
	run.setup.plan.source.address.any.sa_family = AF_INET;
	inet_pton(AF_INET, "203.0.113.77", &run.setup.plan.source.address.ipv4.sin_addr);
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	add_all(&place, 1);
	go_through();
	check(0, TP_ERROR, "127.0.0.1");
	CHECK_NUMBER(run.got[0].result.error, EADDRNOTAVAIL);
	check(1, TP_ERROR, "127.0.0.1");
	unmake(&place);
}

/* -- Names */

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

/* More than there may be helpers, in a process that forks quickly. */
#define SLOW_NAMES 400

static const char *slow_name(size_t number)
{
	static char names_of[SLOW_NAMES][sizeof("999.slow.test")];

	snprintf(names_of[number], sizeof(names_of[number]), "%zu.slow.test", number % 1000);
	return names_of[number];
}

/* Names that are slow stand between addresses and before a quick name, and keep none of them back. */
static void gives_every_lookup_its_turn(void)
{
	struct place place;

	prepare();
	run.setup.plan.limit = 2 * SLOW_NAMES;
	run.setup.plan.timeout_us = 100000;
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
	hosts_file = NULL;
	unmake(&place);
}

/* -- Many at once */

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

/* From now on only this many more descriptors can be had; a negative number restores the limit. */
static void leave_descriptors(int count)
{
	static struct rlimit before;
	struct rlimit now;

	if (count < 0) {
		setrlimit(RLIMIT_NOFILE, &before);
		return;
	}
	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	now.rlim_cur = (rlim_t)count;
	for (int fd = 0; now.rlim_cur > 0 && fd < (int)now.rlim_cur; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			now.rlim_cur++;
	}
	setrlimit(RLIMIT_NOFILE, &now);
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
	hosts_file = NULL;
	unmake(&places[0]);
	unmake(&places[1]);
}

/* Whichever probe gives way to another, the results are the same as with enough descriptors. */
static void mixes_names_and_numbers_when_descriptors_are_few(void)
{
	struct place places[2], closed;

	nsswitch_file = "hosts: files\n";
	hosts_file = "127.0.0.1 two.test\n127.0.0.2 two.test\n";
	for (int left = 1; left <= 3; left++) {
		prepare();
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
	hosts_file = NULL;
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
	hosts_file = NULL;
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

static void give_descriptors_back(struct run *this)
{
	if (this->waits == 1)
		leave_descriptors(-1);
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
	hosts_file = NULL;
	unmake(&places[0]);
	unmake(&places[1]);
}

/* -- Waits: each target is tried until it is as wanted */

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
	hosts_file = NULL;
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

/* While the caller has no room, it gets no results, and no target begins; probes under way go on. */
static bool has_no_room(void *context)
{
	(void)context;
	return run.waits < 3;
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

static void closes_the_losers_of_a_race(void)
{
	struct place places[2];
	struct tp_engine *engine;
	struct tp_result result;
	int descriptors;

	prepare();
	if (!have(make_all(places, 2, (enum kind[]){ SILENT, OPEN }, loopbacks)))
		return;
	nsswitch_file = "hosts: files\n";
	hosts_file = "127.0.0.1 two.test\n127.0.0.2 two.test\n";
	descriptors = count_descriptors();
	add("two.test", places[0].port);
	engine = tp_engine_new(&run.setup);
	CHECK_NUMBER(tp_engine_next(engine, &result), 0);
	CHECK_NUMBER(result.state, TP_OPEN);
	CHECK_NUMBER(count_descriptors(), descriptors);
	tp_engine_free(engine);
	hosts_file = NULL;
	unmake(&places[0]);
	unmake(&places[1]);
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

/* -- Connections that are held */

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

/* Prepares a run that holds its connections. at_wait may act on those of these places. */
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
	if (!have(make_all(places, 2, (const enum kind[]){ OPEN, OPEN },
			   (const char *const[]){ "127.0.0.1", "127.0.0.2" })))
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
	if (!have(make_all(places, 2, (const enum kind[]){ OPEN, OPEN },
			   (const char *const[]){ "127.0.0.1", "127.0.0.2" })))
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
	if (!have(make_all(places, 2, (const enum kind[]){ OPEN, CLOSED },
			   (const char *const[]){ "127.0.0.1", "127.0.0.2" })))
		return;
	add("two.test", places[0].port);
	go_through();
	check(0, TP_REFUSED, "127.0.0.2");
	unmake(&places[0]);
	unmake(&places[1]);
	prepare_hold(places, 1, close_all);
	run.setup.plan.timeout_us = 300000;
	if (!have(make_all(places, 2, (const enum kind[]){ OPEN, SILENT },
			   (const char *const[]){ "127.0.0.1", "127.0.0.2" })))
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

static void holds_a_thousand_at_once(void)
{
	struct place place;

	prepare_hold(&place, 1, close_all);
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
	struct rlimit files, few;
	struct place place;

	prepare_hold(&place, 1, NULL);
	run.setup.plan.hold_us = 20000;
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	for (int i = 0; i < 40; i++)
		add_all(&place, 1);
	getrlimit(RLIMIT_NOFILE, &files);
	few = files;
	few.rlim_cur = (rlim_t)count_descriptors() + 8;
	setrlimit(RLIMIT_NOFILE, &few);
	go_through();
	setrlimit(RLIMIT_NOFILE, &files);
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
		{ "without targets it ends at once", ends_where_nothing_is },
		{ "an engine may be freed before its first result", may_be_freed_at_once },
		{ "open, refused and silent targets are told apart, in order", reports_in_order },
		{ "IPv6 is probed as IPv4 is", probes_ipv6 },
		{ "a connection to itself is refused", takes_no_connection_to_itself_for_open },
		{ "a silent target ends at its deadline, and not before", ends_at_its_deadline },
		{ "without a deadline it waits without end", waits_for_ever_without_a_deadline },
		{ "an answer that comes late is taken", takes_a_late_answer, QUICK },
		{ "each handshake is measured by itself", measures_each_handshake_by_itself },
		{ "the addresses of a name are raced", races_addresses },
		{ "after a failure the next address is tried at once", goes_on_at_once_after_a_failure },
		{ "where none is open the most telling failure counts", tells_the_most_telling_failure },
		{ "families alternate", alternates_families },
		{ "only the family asked for is used", uses_only_the_family_asked_for },
		{ "each address of a name is probed by itself where asked", probes_each_address_by_itself, QUICK },
		{ "a probe begins at the source asked for", begins_at_its_source },
		{ "a source that is not here is an error", says_where_its_source_is_not_here },
		{ "names are resolved, and what goes wrong there is told", resolves_names },
		{ "a name is resolved once for all its ports", resolves_a_name_once_for_all_its_ports, QUICK },
		{ "a slow lookup is given up at its deadline", gives_a_slow_lookup_up_at_its_deadline },
		{ "who joins a lookup late waits for all of its own deadline", joins_a_lookup_that_runs },
		{ "more lookups than helpers each have their turn", gives_every_lookup_its_turn },
		{ "a name of the hosts file needs no helper", asks_no_helper_for_the_hosts_file },
		{ "no more than the limit are in flight", keeps_to_its_limit },
		{ "nor of the addresses of one name", keeps_each_address_to_its_limit, QUICK },
		{ "a slow target keeps back the results behind it, not their probes", keeps_back_thousands_of_results },
		{ "with few descriptors every result is still right", runs_out_of_descriptors },
		{ "without any descriptor it says so", has_no_descriptor_at_all },
		{ "without one for a helper it says so too", has_no_descriptor_for_a_helper },
		{ "a name waits for descriptors as an attempt does", resolves_when_descriptors_come_free, QUICK },
		{ "few descriptors keep no name from its second address",
		  reaches_second_addresses_when_descriptors_are_few },
		{ "nor do they change what a mix of targets comes to", mixes_names_and_numbers_when_descriptors_are_few,
		  QUICK },
		{ "nor what each address of a name comes to", probes_each_address_when_descriptors_are_few },
		{ "when a shortage has passed all that may be in flight is", recovers_from_a_shortage },
		{ "the last descriptor is not taken from an address that may still answer",
		  waits_for_a_late_answer_with_the_last_descriptor },
		{ "a wait tries until it is open", waits_until_open },
		{ "or until it is closed", waits_until_closed },
		{ "when the wait is over nothing is as wanted, and each target is counted once", ends_with_the_wait,
		  QUICK },
		{ "who had no turn when the wait is over has a result where it is owed one",
		  owes_a_result_to_who_had_no_turn },
		{ "the reason is that of the last try that ended", tells_the_last_try_that_ended },
		{ "no attempt outlives its try", leaves_no_attempt_behind },
		{ "what this host lacks for now is tried again", tries_again_what_may_pass_on_this_host, QUICK },
		{ "and so are descriptors", tries_again_when_descriptors_come_back },
		{ "a caller that was slow is not kept waiting", waits_for_nothing_when_its_caller_was_slow },
		{ "each try looks the name up anew", looks_up_anew_in_each_try, QUICK },
		{ "each address is waited for by itself where asked", waits_for_every_address, QUICK },
		{ "tries take their turns", gives_every_try_its_turn, QUICK },
		{ "a try that is due begins when another one ends", goes_on_when_another_has_ended },
		{ "where one is enough, the first open is the last result", ends_with_the_first_open },
		{ "wherever it stands", finds_the_first_open_wherever_it_stands },
		{ "a caller that is full gets nothing, and nothing begins",
		  holds_results_back_while_its_caller_is_full },
		{ "connections are kept where asked", keeps_what_is_open },
		{ "no server sees a handshake that is left half-open", leaves_the_handshake_half_open },
		{ "it waits for the next target where there is none yet", waits_for_its_feed },
		{ "what ends the wait ends the engine, and nothing is left", ends_when_interrupted },
		{ "the losers of a race are closed when the winner is known", closes_the_losers_of_a_race },
		{ "what is in flight when the engine is freed is dropped", drops_what_nobody_asks_for },
	};

	share();
	return UNIT_RUN(tests);
}
