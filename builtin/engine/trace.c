// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One SYN goes the whole way and tells the state, as any probe does; beside it
 * go SYNs that die after 1, 2, 3 ... hops, a few at a time, until one of them
 * meets the same end. The kernel sends each again after a second, and so asks
 * silent hops again while the deadline allows.
 */
#include "tp_trace.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "tp_connect.h"
#include "tp_os.h"

/* This many hops are asked at once: a near host gets no more SYNs than that. */
#define BATCH 4

/* After this many silent hops in a row no farther hop is asked, unless the host is known to answer. */
#define SILENT_MAX (2 * BATCH)

/* A hop may take this much longer than the slowest one so far before the next batch goes out. */
#define PATIENCE_US 20000
#define FIRST_PATIENCE_US 100000

/* PASSED: the SYN died on the way, and evidence says where. ENDED: it met the end. SILENT: the kernel gave up. */
enum phase { IDLE, ASKED, PASSED, ENDED, SILENT };

/* The SYN for one hop. The SYN of hop 0 goes the whole way. */
struct ask {
	enum phase phase;
	int fd;
	unsigned times;
	int64_t began_us, us;
	int error; /* 0, or an errno value */
	struct tp_evidence evidence;
};

struct trace {
	const struct tp_trace_setup *setup;
	struct tp_verdict *verdict;
	union tp_address peer;
	int64_t deadline_us;
	bool unasked; /* there was no helper to look the name up */
	struct ask asks[TP_HOPS + 1];
	unsigned asked;      /* the farthest hop asked */
	unsigned shown;      /* the farthest hop handed to the caller */
	int64_t progress_us; /* when something was asked or answered last */
	int64_t slowest_us;  /* how long the slowest answer took; -1: there is none yet */
};

/* -- The address */

/* Waits for a helper's answer. Returns 0, ETIMEDOUT, or as the caller's wait(). */
static int await_lookup(struct trace *trace, struct tp_resolver *resolver, struct tp_lookup *lookup)
{
	struct pollfd fds[TP_QUESTIONS + TP_SPARE_FDS];
	int error = tp_resolver_begin(resolver, lookup, NULL, 0);

	if (error != 0) {
		lookup->phase = TP_LOOKUP_DONE;
		lookup->eai = EAI_SYSTEM;
		lookup->error = error;
		trace->unasked = true;
		return 0;
	}
	while (error == 0 && lookup->phase == TP_LOOKUP_RUNNING && !lookup->ready) {
		int64_t now_us = tp_os_now_us(), due_us = tp_resolver_due_us(resolver);
		int64_t left_us = due_us < trace->deadline_us ? due_us : trace->deadline_us;
		size_t count = tp_resolver_watch(resolver, fds);

		if (left_us != TP_NEVER)
			left_us = left_us > now_us ? left_us - now_us : 0;
		if (trace->deadline_us <= now_us)
			error = ETIMEDOUT;
		else
			error = trace->setup->wait(trace->setup->context, fds, count, left_us);
		if (error == 0)
			tp_resolver_collect(resolver, fds, 0);
	}
	if (lookup->phase == TP_LOOKUP_RUNNING)
		tp_resolver_abandon(resolver, lookup);
	return error;
}

/* Does the lookup, here or in a helper. Returns as await_lookup(), or ENOMEM. */
static int look_up(struct trace *trace, struct tp_lookup *lookup)
{
	struct tp_resolver *resolver;
	int error = 0;

	if (tp_lookup_at_once(lookup))
		return 0;
	resolver = tp_resolver_new(trace->setup->helper_hook, trace->setup->plan->timeout_us);
	if (resolver == NULL)
		return ENOMEM;
	if (!tp_resolver_at_once(resolver, lookup))
		error = await_lookup(trace, resolver, lookup);
	tp_resolver_free(resolver);
	return error;
}

/* -- The SYNs */

static void note_outcome(struct trace *trace, struct ask *ask, int error)
{
	int64_t kernels_us = error == 0 ? tp_os_handshake_us(ask->fd) : -1;

	ask->us = tp_os_now_us() - ask->began_us;
	if (kernels_us >= 0 && kernels_us < ask->us)
		ask->us = kernels_us;
	close(ask->fd);
	ask->fd = -1;
	ask->error = error;
	if (error == ETIMEDOUT)
		ask->phase = SILENT;
	else
		ask->phase = tp_is_time_exceeded(&ask->evidence) && ask != &trace->asks[0] ? PASSED : ENDED;
	if (ask->phase != SILENT && ask->us > trace->slowest_us)
		trace->slowest_us = ask->us;
	trace->progress_us = tp_os_now_us();
}

/* It failed at once, and nobody reported it: the reason lies in the routes, the rules or a shortage of this host. */
static bool is_local(int error, const struct tp_evidence *evidence)
{
	return error != 0 && error != EINPROGRESS && evidence->reporter.any.sa_family == AF_UNSPEC;
}

/*
 * Sends the SYN that dies after this many hops (0: the one that goes the whole way). Returns 0 or why it was not sent.
 */
static int ask_hop(struct trace *trace, unsigned hop)
{
	struct ask *ask = &trace->asks[hop];
	int error;

	if (ask->phase == ASKED)
		close(ask->fd);
	ask->phase = IDLE;
	error = tp_connect_open(&trace->setup->plan->source, true, trace->peer.any.sa_family, &ask->fd);
	if (error != 0)
		return error;
	error = hop > 0 ? tp_os_set_hops(ask->fd, trace->peer.any.sa_family, hop) : 0;
	if (error != 0) {
		close(ask->fd);
		return error;
	}
	ask->times++;
	ask->phase = ASKED;
	ask->evidence = (struct tp_evidence){ 0 };
	ask->began_us = trace->progress_us = tp_os_now_us();
	error = tp_connect_begin(ask->fd, &trace->peer, &ask->evidence);
	if (hop > 0 && is_local(error, &ask->evidence)) {
		/* The SYN of hop 0 did leave, so this says nothing about the way. */
		close(ask->fd);
		ask->phase = IDLE;
		return error;
	}
	if (error != EINPROGRESS)
		note_outcome(trace, ask, error);
	return 0;
}

/* The nearest hop whose SYN met the end, or 0. */
static unsigned end_hop(const struct trace *trace)
{
	for (unsigned hop = 1; hop <= trace->asked; hop++) {
		if (trace->asks[hop].phase == ENDED)
			return hop;
	}
	return 0;
}

static unsigned last_passed(const struct trace *trace)
{
	unsigned last = 0;

	for (unsigned hop = 1; hop <= trace->asked; hop++) {
		if (trace->asks[hop].phase == PASSED)
			last = hop;
	}
	return last;
}

/* Is the answer of a hop up to this one still missing? */
static bool is_missing(const struct trace *trace, unsigned until)
{
	for (unsigned hop = 1; hop <= until; hop++) {
		if (trace->asks[hop].phase == ASKED)
			return true;
	}
	return false;
}

static int64_t patience_us(const struct trace *trace)
{
	return trace->slowest_us < 0 ? FIRST_PATIENCE_US : trace->slowest_us + PATIENCE_US;
}

/* Asks the silent hops up to this one once more. Returns true if there were any. */
static bool ask_again(struct trace *trace, unsigned until)
{
	bool any = false;

	for (unsigned hop = 1; hop <= until; hop++) {
		struct ask *ask = &trace->asks[hop];

		if (ask->phase == ASKED && ask->times < 2 && ask_hop(trace, hop) == 0)
			any = true;
	}
	return any;
}

static struct tp_hop hop_of(const struct trace *trace, unsigned hop)
{
	const struct ask *ask = &trace->asks[hop];
	struct tp_hop known = { .hop = hop, .us = -1 };

	if (ask->phase != PASSED && ask->phase != ENDED)
		return known;
	known.address = ask->evidence.icmp ? ask->evidence.reporter : trace->peer;
	known.us = ask->us;
	return known;
}

static bool is_by(const struct tp_hop *hop, const union tp_address *address)
{
	return hop->us >= 0 && tp_address_equal(&hop->address, address, false);
}

/* The first hop whose address was met at an earlier hop already; 0: none. */
static unsigned find_loop(const struct trace *trace, unsigned *again)
{
	for (*again = 2; *again <= trace->asked; ++*again) {
		struct tp_hop later = hop_of(trace, *again);

		for (unsigned hop = 1; hop < *again; hop++) {
			struct tp_hop earlier = hop_of(trace, hop);

			if (later.us >= 0 && is_by(&earlier, &later.address))
				return hop;
		}
	}
	return 0;
}

/* Is there a reason to ask hops that are farther? */
static bool goes_on(const struct trace *trace)
{
	const struct ask *whole = &trace->asks[0];
	unsigned again;

	if (end_hop(trace) > 0 || trace->asked == TP_HOPS)
		return false;
	if (whole->phase == ENDED && tp_is_time_exceeded(&whole->evidence) && find_loop(trace, &again) > 0)
		return false;
	return whole->phase == ENDED || trace->asked < last_passed(trace) + SILENT_MAX;
}

/*
 * Asks what is to be asked now. Returns false when nothing more is to be learnt
 * before the deadline; else *due_us is when to come again.
 */
static bool proceed(struct trace *trace, int64_t now_us, int64_t *due_us)
{
	unsigned end = end_hop(trace), until = end > 0 ? end : trace->asked;
	bool missing = is_missing(trace, until), patient = now_us < trace->progress_us + patience_us(trace);

	*due_us = missing ? trace->progress_us + patience_us(trace) : TP_NEVER;
	if (missing && patient)
		return true;
	if (goes_on(trace)) {
		for (unsigned i = 0; i < BATCH && trace->asked < TP_HOPS; i++)
			ask_hop(trace, ++trace->asked);
		*due_us = trace->progress_us + patience_us(trace);
		return true;
	}
	if (end == 0 && trace->asks[0].phase == ASKED && (missing || trace->asked < TP_HOPS)) {
		/* Nobody answers: only the deadline ends the trace, and the kernel sends the SYNs again meanwhile. */
		*due_us = TP_NEVER;
		return true;
	}
	if (missing && ask_again(trace, until)) {
		*due_us = trace->progress_us + patience_us(trace);
		return true;
	}
	return false;
}

/* -- What is known of the hops */

/* Hands over the hops up to this one; unless all, only as far as they are known. */
static void show_hops(struct trace *trace, unsigned until, bool all)
{
	while (trace->shown < until && (all || trace->asks[trace->shown + 1].phase == PASSED)) {
		struct tp_hop hop = hop_of(trace, ++trace->shown);

		trace->setup->hop(trace->setup->context, &hop);
	}
}

/*
 * Where the end was met. A router looks at the TTL before its firewall looks at
 * the packet: it has passed SYNs as a hop, and rejects those for the next one.
 */
static struct tp_hop where(const struct trace *trace, const struct tp_evidence *evidence)
{
	unsigned end = end_hop(trace);

	for (unsigned hop = 1; evidence->icmp && hop <= trace->asked; hop++) {
		struct tp_hop known = hop_of(trace, hop);

		if (trace->asks[hop].phase == PASSED && is_by(&known, &evidence->reporter))
			return known;
	}
	if (end > 0)
		return hop_of(trace, end);
	return (struct tp_hop){ .address = evidence->icmp ? evidence->reporter : trace->peer, .us = -1 };
}

static void conclude_silence(struct trace *trace)
{
	struct tp_verdict *verdict = trace->verdict;
	unsigned last = last_passed(trace);

	verdict->kind = TP_VERDICT_SILENT;
	verdict->result.state = TP_TIMEOUT;
	verdict->result.error = ETIMEDOUT;
	show_hops(trace, last, true);
	if (last > 0)
		verdict->hop = hop_of(trace, last);
	if (last < trace->asked)
		show_hops(trace, last + 1, true);
}

static void conclude_loop(struct trace *trace)
{
	struct tp_verdict *verdict = trace->verdict;
	unsigned hop = find_loop(trace, &verdict->again);

	verdict->kind = TP_VERDICT_LOOP;
	if (hop > 0)
		verdict->hop = hop_of(trace, hop);
	else
		verdict->again = last_passed(trace);
	show_hops(trace, verdict->again, true);
}

/* The state is that of the SYN that went the whole way; while that one is silent, of the hop that met the end. */
static void conclude(struct trace *trace)
{
	struct tp_verdict *verdict = trace->verdict;
	struct tp_result *result = &verdict->result;
	unsigned end = end_hop(trace);
	const struct ask *decisive = &trace->asks[trace->asks[0].phase == ENDED ? 0 : end];

	result->address = trace->peer;
	if (decisive->phase != ENDED && last_passed(trace) == TP_HOPS)
		decisive = &trace->asks[TP_HOPS];
	if (decisive->phase != ENDED && decisive->phase != PASSED) {
		conclude_silence(trace);
		return;
	}
	result->state = tp_state_of_connect(decisive->error);
	result->error = result->state == TP_OPEN ? 0 : decisive->error;
	result->evidence = decisive->evidence;
	if (result->state == TP_OPEN)
		result->connect_us = decisive->us;
	if (tp_is_time_exceeded(&decisive->evidence)) {
		conclude_loop(trace);
		return;
	}
	verdict->kind = decisive->evidence.icmp ? TP_VERDICT_REJECTED : TP_VERDICT_ANSWERED;
	verdict->hop = where(trace, &decisive->evidence);
	show_hops(trace, verdict->hop.hop, true);
}

/* -- The loop */

static int wait_for_answers(struct trace *trace, int64_t due_us)
{
	struct pollfd fds[TP_HOPS + 1 + TP_SPARE_FDS];
	unsigned hops[TP_HOPS + 1];
	nfds_t count = 0;
	int64_t timeout_us = due_us < trace->deadline_us ? due_us : trace->deadline_us;
	int error;

	for (unsigned hop = 0; hop <= trace->asked; hop++) {
		if (trace->asks[hop].phase != ASKED)
			continue;
		fds[count] = (struct pollfd){ .fd = trace->asks[hop].fd, .events = POLLOUT };
		hops[count++] = hop;
	}
	if (timeout_us != TP_NEVER)
		timeout_us = timeout_us > tp_os_now_us() ? timeout_us - tp_os_now_us() : 0;
	error = trace->setup->wait(trace->setup->context, fds, count, timeout_us);
	for (nfds_t i = 0; i < count && error == 0; i++) {
		struct ask *ask = &trace->asks[hops[i]];
		int outcome;

		if (fds[i].revents == 0)
			continue;
		outcome = tp_connect_outcome(&fds[i], &trace->peer, &ask->evidence);
		if (outcome != EINPROGRESS)
			note_outcome(trace, ask, outcome);
	}
	return error;
}

static int follow(struct trace *trace)
{
	int64_t due_us;
	int error = 0;

	while (error == 0 && tp_os_now_us() < trace->deadline_us && proceed(trace, tp_os_now_us(), &due_us)) {
		error = wait_for_answers(trace, due_us);
		show_hops(trace, trace->asked, false);
	}
	return error;
}

static void close_all(struct trace *trace)
{
	for (unsigned hop = 0; hop <= TP_HOPS; hop++) {
		if (trace->asks[hop].phase == ASKED)
			close(trace->asks[hop].fd);
	}
}

/* Traces to the first address for which a SYN leaves this host. */
static int follow_first(struct trace *trace, const struct tp_lookup *lookup)
{
	struct tp_result *result = &trace->verdict->result;
	struct ask *whole = &trace->asks[0];
	struct tp_walk walk = { 0 };
	const union tp_address *address;

	while ((address = tp_walk_next(&walk, lookup)) != NULL) {
		int error;

		tp_walk_take(&walk, address);
		trace->peer = *address;
		tp_address_set_port(&trace->peer, result->port);
		whole->times = 0;
		error = ask_hop(trace, 0);
		result->address = trace->peer;
		result->error = error != 0 ? error : whole->error;
		result->state = error != 0 ? TP_ERROR : tp_state_of_connect(whole->error);
		if (error == 0 && (whole->phase == ASKED || !is_local(whole->error, &whole->evidence)))
			return follow(trace);
	}
	trace->verdict->kind = TP_VERDICT_LOCAL;
	return 0;
}

static int run(struct trace *trace, struct tp_lookup *lookup)
{
	struct tp_verdict *verdict = trace->verdict;
	struct tp_result *result = &verdict->result;
	int error = look_up(trace, lookup);

	verdict->kind = TP_VERDICT_LOCAL;
	if (error == ETIMEDOUT) {
		result->state = TP_TIMEOUT;
		result->error = ETIMEDOUT;
		result->in_lookup = true;
		return 0;
	}
	if (error != 0)
		return error;
	result->lookup_us = lookup->duration_us;
	if (lookup->eai != 0) {
		result->state = trace->unasked ? TP_ERROR : tp_state_of_lookup(lookup->eai, lookup->error);
		result->eai = lookup->eai;
		result->error = lookup->error;
		result->in_lookup = true;
		return 0;
	}
	verdict->kind = TP_VERDICT_ANSWERED;
	error = follow_first(trace, lookup);
	if (error == 0 && verdict->kind != TP_VERDICT_LOCAL)
		conclude(trace);
	return error;
}

int tp_trace(const struct tp_trace_setup *setup, const struct tp_endpoint *to, struct tp_verdict *verdict)
{
	struct trace trace = { .setup = setup, .verdict = verdict, .slowest_us = -1, .deadline_us = TP_NEVER };
	struct tp_lookup *lookup = tp_lookup_new(to->host, to->family);
	int error;

	if (lookup == NULL)
		return ENOMEM;
	if (setup->plan->timeout_us > 0)
		trace.deadline_us = tp_os_now_us() + setup->plan->timeout_us;
	*verdict = (struct tp_verdict){
		.result = { .host = to->host, .port = to->port, .try = 1, .fd = -1, .lookup_us = -1, .connect_us = -1 },
	};
	error = run(&trace, lookup);
	close_all(&trace);
	tp_lookup_release(lookup);
	verdict->result.wanted = verdict->result.state == TP_OPEN;
	verdict->result.status = tp_state_status(verdict->result.state);
	verdict->result.time_us = tp_os_wall_us();
	return error;
}
