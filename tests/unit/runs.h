/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One run of the engine against places of the test's own on loopback, and a resolver of the test's own. A test fills in
 * the run, lets the engine go, and checks what came.
 */
#ifndef TP_UNIT_RUNS_H
#define TP_UNIT_RUNS_H

#include "tp_engine.h"

#include <stdint.h>
#include <sys/resource.h>

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

#define MOST 6000       /* how many targets a run may have */
#define MINUTE 60000000 /* in us */

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

static inline int next_target(void *context, struct tp_endpoint *endpoint, int *fd)
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

static inline size_t count_live(const struct pollfd *fds, nfds_t count)
{
	size_t live = 0;

	for (nfds_t i = 0; i < count; i++)
		live += fds[i].fd >= 0;
	return live;
}

static inline int wait_for(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us)
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

static inline void prepare(void)
{
	memset(&run, 0, sizeof(run));
	run.setup.next = next_target;
	run.setup.wait = wait_for;
	run.setup.helper_hook.run = note_helper;
	run.setup.plan.limit = 256;
	run.setup.plan.timeout_us = MINUTE;
	shared->lookups = 0;
	shared->helpers = 0;
	hosts_file = nsswitch_file = NULL;
}

static inline void add(const char *host, uint16_t port)
{
	run.targets[run.count++] = (struct target){ host, port, AF_UNSPEC };
}

static inline void add_all(const struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(places[i].address, places[i].port);
}

/* Runs the engine to its end. Whatever ends it, no descriptor and no child may be left. */
static inline void go(void)
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
static inline void go_through(void)
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
static inline void check(size_t index, enum tp_state state, const char *address)
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

static inline bool have(bool made)
{
	if (!made)
		unit_skip("this system lacks the loopback addresses, or silent listeners");
	return made;
}

static const char *const loopbacks[] = { "127.0.0.1", "127.0.0.2", "127.0.0.3" };

static inline void hang_up(struct run *this)
{
	if (this->waits == 1)
		this->closed = stop_listening(this->place);
}

/* From now on only this many more descriptors can be had; a negative number restores the limit. */
static inline void leave_descriptors(int count)
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

static inline void give_descriptors_back(struct run *this)
{
	if (this->waits == 1)
		leave_descriptors(-1);
}

/* More names than there may be helpers at once. Nobody answers for them. */
#define SLOW_NAMES 400

static inline const char *slow_name(size_t number)
{
	static char names_of[SLOW_NAMES][sizeof("999.slow.test")];

	snprintf(names_of[number], sizeof(names_of[number]), "%zu.slow.test", number % 1000);
	return names_of[number];
}

#endif
