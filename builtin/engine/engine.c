// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Probes stand in one list, in the order of the targets, from the oldest that
 * is not reported to the newest that is begun. An attempt is one socket on its
 * way to one address of one probe; attempts have no order and lie densely
 * beside their pollfds. One loop moves all of them: wait, take in what came,
 * end what is late, begin what is due.
 */
#include "tp_engine.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tp_connect.h"
#include "tp_os.h"

/* RFC 8305, section 5: the Connection Attempt Delay. */
#define ATTEMPT_DELAY_US 250000

/* Results that a slow one before them keeps back are kept; so many, then no more is begun. */
#define WINDOW 4096

/*
 * A probe's way, each phase left when there is what it waits for:
 * QUEUED	a free helper; its deadline has not begun
 * RESOLVING	its lookup
 * STARVED	a descriptor that another probe holds, or with each_address its turn; its deadline stands still
 * CONNECTING	its attempts
 * PAUSED	the next try
 * DONE		its report
 * DROPPED	nothing, nor will it be reported: another one opened
 */
enum phase { QUEUED, RESOLVING, STARVED, CONNECTING, PAUSED, DONE, DROPPED };

/* The most telling failure of a try so far. */
struct failure {
	enum tp_state state;
	int error;
	const union tp_address *address; /* NULL: none was tried */
	struct tp_evidence evidence;
};

struct probe {
	struct probe *next;
	struct probe *behind;     /* in a line */
	struct tp_lookup *lookup; /* of which it is a user */
	struct tp_result result;  /* of the last try that has ended, if any */
	enum phase phase;
	size_t first, end; /* its part of lookup->addresses: all of them, or one */
	size_t tried;      /* how many of those have had their attempt */
	unsigned attempts; /* in flight */
	bool failed;       /* failure holds one */
	struct failure failure;
	int64_t deadline_us;
	int64_t budget_us; /* what was left of it when the addresses were known; TP_NEVER: no deadline */
	int64_t due_us;    /* the next attempt; PAUSED: the next try */
};

/* Probes that wait their turn: who came first is served first. */
struct line {
	struct probe *first, *last;
};

struct attempt {
	struct probe *probe;
	const union tp_address *address; /* in probe->lookup; its port is not set */
	int64_t started_us;
};

struct tp_engine {
	struct tp_engine_setup setup;
	struct tp_resolver *resolver;   /* NULL until a name needs it */
	struct probe *oldest, **newest; /* newest: the link behind the newest probe */
	struct probe *reported;         /* whose host the caller may still read */
	struct tp_lookup *latest;       /* the newest target's, for its further ports */
	struct probe *winner;           /* after which nothing is reported; setup.first_open */
	struct line queued;             /* for a helper */
	struct line paused;             /* by due_us, since every pause is as long */
	size_t in_flight, in_list;
	size_t targets; /* so many were given so far */
	struct tp_engine_counts counts;
	bool fed;       /* there are no more */
	bool over;      /* the wait */
	bool cut;       /* there may have been more, when it was over */
	int feed_fd;    /* readable when there are more; -1: no need to wait */
	int64_t end_us; /* of the whole wait */

	/* fds: one for each of the attempts; behind them, while it waits, the resolver's and the feed's. */
	struct pollfd *fds;
	struct attempt *attempts;
	size_t attempts_count, attempts_room;

	/* What the next turn of the loop has to look at, so that it need not look at every probe. */
	int64_t wake_us; /* but for end_us and what the lines wait for, no probe has anything due before */
	bool starving;   /* a probe is STARVED */
	bool freed;      /* an attempt, a lookup or a try has ended */
	bool orphans;    /* a try has ended with attempts in flight */
};

/* Room for one more attempt. Returns 0 or ENOMEM. */
static int make_room(struct tp_engine *engine)
{
	size_t room = engine->attempts_room * 2 + 16;
	struct attempt *attempts;
	struct pollfd *fds;

	if (engine->attempts_count < engine->attempts_room)
		return 0;
	attempts = realloc(engine->attempts, room * sizeof(*attempts));
	if (attempts == NULL)
		return ENOMEM;
	engine->attempts = attempts;
	fds = realloc(engine->fds, (room + TP_HELPERS + 1) * sizeof(*fds));
	if (fds == NULL)
		return ENOMEM;
	engine->fds = fds;
	engine->attempts_room = room;
	return 0;
}

static int64_t earlier(int64_t one_us, int64_t other_us)
{
	return one_us < other_us ? one_us : other_us;
}

static int64_t from_now(int64_t now_us, int64_t span_us)
{
	return span_us == 0 ? TP_NEVER : now_us + span_us;
}

struct tp_engine *tp_engine_new(const struct tp_engine_setup *setup)
{
	/* Not calloc(): glibc's has no quick way, and the time of one probe counts. */
	struct tp_engine *engine = malloc(sizeof(*engine));

	if (engine == NULL)
		return NULL;
	*engine = (struct tp_engine){
		.setup = *setup,
		.newest = &engine->oldest,
		.wake_us = TP_NEVER,
		.feed_fd = -1,
		.end_us = TP_NEVER,
	};
	if (setup->until != TP_ONCE)
		engine->end_us = from_now(tp_os_now_us(), setup->wait_us);
	return engine;
}

/* Takes an attempt out; its socket is the caller's. The last attempt takes its place. */
static int take_attempt(struct tp_engine *engine, size_t index)
{
	int fd = engine->fds[index].fd;

	engine->freed = true;
	engine->attempts[index].probe->attempts--;
	engine->attempts_count--;
	engine->attempts[index] = engine->attempts[engine->attempts_count];
	engine->fds[index] = engine->fds[engine->attempts_count];
	return fd;
}

static void remove_attempt(struct tp_engine *engine, size_t index)
{
	close(take_attempt(engine, index));
}

static void free_probe(struct probe *probe)
{
	if (probe->result.fd >= 0)
		close(probe->result.fd);
	tp_lookup_release(probe->lookup);
	free(probe);
}

void tp_engine_free(struct tp_engine *engine)
{
	while (engine->attempts_count > 0)
		remove_attempt(engine, engine->attempts_count - 1);
	if (engine->resolver != NULL)
		tp_resolver_free(engine->resolver);
	while (engine->oldest != NULL) {
		struct probe *probe = engine->oldest;

		engine->oldest = probe->next;
		free_probe(probe);
	}
	if (engine->reported != NULL)
		free_probe(engine->reported);
	if (engine->latest != NULL)
		tp_lookup_release(engine->latest);
	free(engine->attempts);
	free(engine->fds);
	free(engine);
}

static void line_up(struct line *line, struct probe *probe)
{
	probe->behind = NULL;
	if (line->first == NULL)
		line->first = probe;
	else
		line->last->behind = probe;
	line->last = probe;
}

/* Is the state what the caller waits for? */
static bool is_wanted(enum tp_until until, const struct tp_result *result)
{
	if (until != TP_UNTIL_CLOSED)
		return result->state == TP_OPEN;
	switch (result->state) {
	case TP_REFUSED:
	case TP_UNREACHABLE:
		return true;
	case TP_TIMEOUT:
		/* A name that nobody answers for says nothing of the port. */
		return !result->in_lookup;
	case TP_OPEN:
	case TP_UNRESOLVED:
	case TP_ERROR:
	case TP_STATES:
		break;
	}
	return false;
}

/* The probe has its result. */
static void end_probe(struct tp_engine *engine, struct probe *probe)
{
	struct tp_result *result = &probe->result;

	probe->phase = DONE;
	result->time_us = tp_os_wall_us();
	if (result->expired)
		result->state = TP_TIMEOUT;
	result->wanted = !result->expired && is_wanted(engine->setup.until, result);
	result->status = result->wanted ? 0 : tp_state_status(result->state);
	engine->counts.done++;
	engine->counts.open += result->state == TP_OPEN;
	if (engine->setup.first_open && result->wanted && engine->winner == NULL)
		engine->winner = probe;
}

/* What is under way for the probe ends: its attempts are closed by sweep(). */
static void leave_flight(struct tp_engine *engine, const struct probe *probe)
{
	engine->in_flight--;
	engine->freed = true;
	if (probe->attempts > 0)
		engine->orphans = true;
}

/* A try has its result: is it the probe's, or is there another try? */
static void finish(struct tp_engine *engine, struct probe *probe)
{
	const struct tp_engine_setup *setup = &engine->setup;
	const struct tp_result *result = &probe->result;

	leave_flight(engine, probe);
	probe->result.lookup_us = probe->lookup->duration_us;
	if (setup->until == TP_ONCE || result->expired || result->state == TP_ERROR ||
	    is_wanted(setup->until, result)) {
		end_probe(engine, probe);
	} else {
		probe->phase = PAUSED;
		probe->due_us = tp_os_now_us() + setup->interval_us;
		line_up(&engine->paused, probe);
	}
}

/* What came of a try, in place of all that came of the one before it. */
static void set_outcome(struct tp_result *result, enum tp_state state, int error)
{
	result->state = state;
	result->error = error;
	result->eai = 0;
	result->in_lookup = false;
	result->connect_us = -1;
	result->evidence = (struct tp_evidence){ 0 };
	result->address = (union tp_address){ 0 };
}

static void finish_failed(struct tp_engine *engine, struct probe *probe)
{
	const struct failure *failure = &probe->failure;

	set_outcome(&probe->result, failure->state, failure->error);
	probe->result.evidence = failure->evidence;
	if (failure->address != NULL)
		probe->result.address = *failure->address;
	finish(engine, probe);
}

static void finish_in_lookup(struct tp_engine *engine, struct probe *probe, enum tp_state state, int eai, int error)
{
	set_outcome(&probe->result, state, error);
	probe->result.eai = eai;
	probe->result.in_lookup = true;
	finish(engine, probe);
}

/* Keeps a failure if it tells more than those before it. */
static void note_failure(struct probe *probe, const struct failure *failure)
{
	if (probe->failed && !tp_state_tells_more(failure->state, probe->failure.state))
		return;
	probe->failed = true;
	probe->failure = *failure;
}

/* No address is left to try and no attempt in flight. */
static void end_if_exhausted(struct tp_engine *engine, struct probe *probe)
{
	if (probe->attempts == 0 && probe->first + probe->tried == probe->end)
		finish_failed(engine, probe);
}

static union tp_address peer_of(const struct attempt *attempt)
{
	union tp_address peer = *attempt->address;

	tp_address_set_port(&peer, attempt->probe->result.port);
	return peer;
}

static void attempt_failed(struct tp_engine *engine, const struct attempt *attempt, int error,
			   const struct tp_evidence *evidence)
{
	struct failure failure = { tp_state_of_connect(error), error, attempt->address, *evidence };

	note_failure(attempt->probe, &failure);
	/* RFC 8305: the next one need not wait any longer. */
	attempt->probe->due_us = 0;
	end_if_exhausted(engine, attempt->probe);
}

/* The handshake's time: the kernel's, which no busy machine delays, or else ours. */
static int64_t handshake_us(int fd, const struct attempt *attempt)
{
	int64_t ours_us = tp_os_now_us() - attempt->started_us, kernels_us = tp_os_handshake_us(fd);

	return kernels_us >= 0 && kernels_us < ours_us ? kernels_us : ours_us;
}

/* An attempt has its outcome, and is none of the engine's any more. The socket is kept or closed. */
static void settle(struct tp_engine *engine, const struct attempt *attempt, int fd, int error,
		   const struct tp_evidence *evidence)
{
	struct probe *probe = attempt->probe;
	struct tp_result *result = &probe->result;

	if (tp_state_of_connect(error) != TP_OPEN) {
		close(fd);
		attempt_failed(engine, attempt, error, evidence);
		return;
	}
	set_outcome(result, TP_OPEN, 0);
	result->address = *attempt->address;
	result->connect_us = handshake_us(fd, attempt);
	if (engine->setup.keep)
		result->fd = fd;
	else
		close(fd);
	finish(engine, probe);
}

/*
 * Begins an attempt. Returns 0, whatever its outcome, or what kept the socket
 * from being made: nothing was sent then.
 */
static int begin_attempt(struct tp_engine *engine, struct probe *probe, const union tp_address *address)
{
	struct attempt attempt = { probe, address, 0 };
	union tp_address peer = peer_of(&attempt);
	struct tp_evidence evidence = { 0 };
	int fd, error = tp_connect_open(&engine->setup.source, engine->setup.half_open, address->any.sa_family, &fd);

	if (error != 0)
		return error;
	attempt.started_us = tp_os_now_us();
	error = tp_connect_begin(fd, &peer, &evidence);
	/* Loopback answers at once, so room for what is in flight is made only now. */
	if (error == EINPROGRESS && make_room(engine) != 0)
		error = ENOMEM;
	if (error == EINPROGRESS) {
		engine->attempts[engine->attempts_count] = attempt;
		engine->fds[engine->attempts_count] = (struct pollfd){ .fd = fd, .events = POLLOUT };
		engine->attempts_count++;
		probe->attempts++;
		probe->tried++;
		return 0;
	}
	if (tp_is_shortage(error)) {
		close(fd);
		return error;
	}
	probe->tried++;
	settle(engine, &attempt, fd, error, &evidence);
	return 0;
}

/*
 * Something ran out while other attempts hold some of it. The probe waits, as
 * if it had not begun, until one of them ends, and so many at once are not
 * tried again.
 */
static void starve(struct tp_engine *engine, struct probe *probe)
{
	for (size_t i = engine->attempts_count; probe->attempts > 0 && i-- > 0;) {
		if (engine->attempts[i].probe == probe)
			remove_attempt(engine, i);
	}
	probe->phase = STARVED;
	probe->tried = 0;
	probe->failed = false;
	engine->starving = true;
	if (engine->setup.limit > engine->attempts_count && engine->attempts_count > 0)
		engine->setup.limit = engine->attempts_count;
}

/* Closes what is left of tries that have ended. */
static void sweep(struct tp_engine *engine)
{
	for (size_t i = engine->attempts_count; engine->orphans && i-- > 0;) {
		if (engine->attempts[i].probe->phase != CONNECTING)
			remove_attempt(engine, i);
	}
	engine->orphans = false;
}

/* The oldest attempt of the probe, which has some. */
static size_t oldest_attempt(const struct tp_engine *engine, const struct probe *probe)
{
	size_t oldest = engine->attempts_count;

	for (size_t i = 0; i < engine->attempts_count; i++) {
		if (engine->attempts[i].probe == probe &&
		    (oldest == engine->attempts_count ||
		     engine->attempts[i].started_us < engine->attempts[oldest].started_us))
			oldest = i;
	}
	return oldest;
}

static void note_timeout(struct probe *probe, const union tp_address *address)
{
	struct failure failure = { .state = TP_TIMEOUT, .error = ETIMEDOUT, .address = address };

	note_failure(probe, &failure);
}

/*
 * A probe found a shortage. False: it is none of our making, and nothing we
 * could do ends it. Otherwise either way was made and it may try again, or it
 * is STARVED. The newest probe gives way, so that the oldest always gets on;
 * one that is left alone gives up its own oldest attempt.
 */
static bool make_way(struct tp_engine *engine, struct probe *probe)
{
	struct probe *newest = probe;

	if (engine->attempts_count == 0)
		return false;
	if (engine->orphans) {
		sweep(engine);
		return true;
	}
	for (struct probe *other = probe->next; other != NULL; other = other->next) {
		if (other->phase == CONNECTING && other->attempts > 0)
			newest = other;
	}
	if (newest != probe || probe->attempts < engine->attempts_count) {
		starve(engine, newest);
	} else {
		size_t oldest = oldest_attempt(engine, probe);

		note_timeout(probe, engine->attempts[oldest].address);
		remove_attempt(engine, oldest);
	}
	return true;
}

/* Begins the attempts that are due; a failure at once makes the next one due. */
static void connect_due(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	while (probe->phase == CONNECTING && probe->first + probe->tried < probe->end && probe->due_us <= now_us) {
		struct failure failure = { .address = &probe->lookup->addresses[probe->first + probe->tried] };

		probe->due_us = now_us + ATTEMPT_DELAY_US;
		failure.error = begin_attempt(engine, probe, failure.address);
		if (failure.error == 0)
			continue;
		probe->due_us = 0;
		if (tp_is_shortage(failure.error) && make_way(engine, probe))
			continue;
		/* Not what connect(2) means by the same errno: nobody was asked. */
		failure.state = TP_ERROR;
		probe->tried++;
		note_failure(probe, &failure);
		end_if_exhausted(engine, probe);
	}
}

/*
 * RFC 8305, section 4: families alternate, beginning with that of the first
 * address. What alternates already stays as it is: probes point into the list.
 */
static void alternate_families(struct tp_lookup *lookup)
{
	union tp_address *list = lookup->addresses;

	for (size_t i = 1; i < lookup->count; i++) {
		size_t other = i;

		while (other < lookup->count && list[other].any.sa_family == list[i - 1].any.sa_family)
			other++;
		if (other < lookup->count && other > i) {
			union tp_address moved = list[other];

			memmove(&list[i + 1], &list[i], (other - i) * sizeof(*list));
			list[i] = moved;
		}
	}
}

static struct probe *new_probe(const struct tp_engine *engine, struct tp_lookup *lookup, uint16_t port, size_t target)
{
	struct probe *probe = malloc(sizeof(*probe));

	if (probe == NULL)
		return NULL;
	*probe = (struct probe){
		.lookup = lookup,
		.result = {
			.host = lookup->host,
			.port = port,
			.target = target,
			.try = 1,
			.fd = -1,
			.lookup_us = -1,
			.connect_us = -1,
			.one_address = engine->setup.each_address,
			.until = engine->setup.until,
			.waited_us = engine->setup.wait_us,
		},
	};
	return probe;
}

/* Puts it behind the link, which is in the list. */
static void insert(struct tp_engine *engine, struct probe **link, struct probe *probe)
{
	probe->next = *link;
	*link = probe;
	if (engine->newest == link)
		engine->newest = &probe->next;
	engine->in_list++;
	engine->in_flight++;
}

/* A probe for each further address, right behind the first one's and with its deadline; each waits its turn. */
static int split(struct tp_engine *engine, struct probe *probe)
{
	struct probe *last = probe;

	for (size_t i = 1; i < probe->lookup->count; i++) {
		struct probe *more = new_probe(engine, probe->lookup, probe->result.port, probe->result.target);

		if (more == NULL)
			return ENOMEM;
		more->lookup->users++;
		more->first = i;
		more->end = i + 1;
		more->phase = STARVED;
		more->budget_us = probe->budget_us;
		more->result.try = probe->result.try;
		insert(engine, &last->next, more);
		last = more;
	}
	engine->wake_us = 0;
	probe->end = 1;
	return 0;
}

/* The lookup is DONE. Returns 0 or ENOMEM. */
static int resolved(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	struct tp_lookup *lookup = probe->lookup;

	lookup->waiting--;
	if (lookup->eai != 0) {
		finish_in_lookup(engine, probe, tp_state_of_lookup(lookup->eai, lookup->error), lookup->eai,
				 lookup->error);
		return 0;
	}
	probe->phase = CONNECTING;
	probe->tried = 0;
	probe->failed = false;
	probe->due_us = 0;
	probe->first = 0;
	probe->end = lookup->count;
	probe->budget_us = probe->deadline_us == TP_NEVER ? TP_NEVER : probe->deadline_us - now_us;
	if (engine->setup.each_address)
		return split(engine, probe);
	alternate_families(lookup);
	return 0;
}

/* As tp_resolver_begin(). */
static int ask_helper(struct tp_engine *engine, struct tp_lookup *lookup)
{
	/* Who joins a lookup late may wait for it a whole deadline more: see may_join(). */
	if (engine->resolver == NULL)
		engine->resolver = tp_resolver_new(engine->setup.helper_hook, 2 * engine->setup.timeout_us);
	if (engine->resolver == NULL)
		return ENOMEM;
	return tp_resolver_begin(engine->resolver, lookup, engine->fds, engine->attempts_count);
}

/*
 * The deadline of a try. In the first one, who is silent for the whole of the deadline or of the wait, but for 50 ms,
 * need not be asked any longer.
 */
static int64_t cut_deadline(const struct tp_engine *engine, const struct probe *probe, int64_t now_us,
			    int64_t deadline_us)
{
	bool whole = engine->end_us - now_us >= engine->setup.wait_us - 50000 || deadline_us - 50000 <= engine->end_us;

	return probe->result.try == 1 && whole ? earlier(deadline_us, engine->end_us) : deadline_us;
}

/* QUEUED on to RESOLVING, if nobody is before it in the line and there is a helper. At an error it is DONE. */
static void begin_lookup(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	struct tp_lookup *lookup = probe->lookup;
	int error = 0;

	if (lookup->phase == TP_LOOKUP_NEW && !tp_lookup_at_once(lookup)) {
		bool others_first = engine->queued.first != NULL && engine->queued.first != probe;

		error = others_first ? EBUSY : ask_helper(engine, lookup);
	}
	if (error == EBUSY || (tp_is_shortage(error) && engine->attempts_count > 0))
		return;
	if (error != 0) {
		finish_in_lookup(engine, probe, TP_ERROR, EAI_SYSTEM, error);
		return;
	}
	probe->phase = RESOLVING;
	probe->deadline_us = cut_deadline(engine, probe, now_us, from_now(now_us, engine->setup.timeout_us));
	lookup->waiting++;
}

/*
 * May one more probe use the lookup? Not one that has run for a whole deadline: it would go on for ever where others
 * join again and again, and its helper does not.
 */
static bool may_join(const struct tp_engine *engine, const struct tp_lookup *lookup, bool anew)
{
	if (lookup->phase == TP_LOOKUP_RUNNING)
		return tp_os_now_us() < from_now(lookup->started_us, engine->setup.timeout_us);
	return lookup->phase == TP_LOOKUP_NEW || !anew;
}

/* The lookup of this host: the latest one where that is the same host, as for a range of ports. NULL: memory is out. */
static struct tp_lookup *lookup_for(struct tp_engine *engine, const char *host, int family, bool anew)
{
	struct tp_lookup *latest = engine->latest;

	if (latest == NULL || strcmp(latest->host, host) != 0 || latest->family != family ||
	    !may_join(engine, latest, anew)) {
		engine->latest = tp_lookup_new(host, family);
		if (latest != NULL)
			tp_lookup_release(latest);
	}
	if (engine->latest != NULL)
		engine->latest->users++;
	return engine->latest;
}

/* When this probe has something due next. */
static int64_t due_us(const struct probe *probe)
{
	if (probe->phase == CONNECTING && probe->first + probe->tried < probe->end)
		return earlier(probe->due_us, probe->deadline_us);
	return probe->phase == CONNECTING || probe->phase == RESOLVING ? probe->deadline_us : TP_NEVER;
}

/* May a STARVED probe try for a descriptor? One name may have more addresses than probes may be in flight. */
static bool may_go_on(const struct tp_engine *engine)
{
	return !engine->setup.each_address || engine->attempts_count < engine->setup.limit;
}

/* Moves a probe as far as it can go now. Returns 0 or ENOMEM. */
static int advance(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	int error = 0;

	if (probe->phase == RESOLVING && probe->lookup->phase == TP_LOOKUP_DONE)
		error = resolved(engine, probe, now_us);
	if (probe->phase == STARVED && may_go_on(engine)) {
		probe->phase = CONNECTING;
		probe->due_us = 0;
		probe->deadline_us = cut_deadline(engine, probe, now_us,
						  probe->budget_us == TP_NEVER ? TP_NEVER : now_us + probe->budget_us);
	}
	engine->starving = engine->starving || probe->phase == STARVED;
	if (probe->phase == CONNECTING)
		connect_due(engine, probe, now_us);
	engine->wake_us = earlier(engine->wake_us, due_us(probe));
	return error;
}

/* A QUEUED probe begins a try, or lines up for it. Returns 0 or ENOMEM. */
static int begin_try(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	begin_lookup(engine, probe, now_us);
	if (probe->phase == QUEUED)
		line_up(&engine->queued, probe);
	return advance(engine, probe, now_us);
}

/* Those in line for a helper, as far as there are helpers. Returns 0 or ENOMEM. */
static int begin_lookups(struct tp_engine *engine, int64_t now_us)
{
	int error = 0;

	while (error == 0 && engine->winner == NULL && engine->queued.first != NULL) {
		struct probe *probe = engine->queued.first;

		begin_lookup(engine, probe, now_us);
		if (probe->phase == QUEUED)
			break;
		engine->queued.first = probe->behind;
		error = advance(engine, probe, now_us);
	}
	return error;
}

/* A PAUSED probe, out of the line, goes on to its next try. Returns 0 or ENOMEM. */
static int try_again(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	struct tp_lookup *known = probe->lookup, *lookup;

	engine->in_flight++;
	probe->result.try++;
	/* Numeric, or one of the addresses of a name, which are probes of their own by now: nothing to look up. */
	if (known->phase == TP_LOOKUP_DONE && known->eai == 0 &&
	    (known->duration_us < 0 || engine->setup.each_address)) {
		probe->phase = CONNECTING;
		probe->tried = 0;
		probe->failed = false;
		probe->due_us = 0;
		probe->deadline_us = from_now(now_us, engine->setup.timeout_us);
		probe->budget_us = engine->setup.timeout_us == 0 ? TP_NEVER : engine->setup.timeout_us;
		return advance(engine, probe, now_us);
	}
	lookup = lookup_for(engine, known->host, known->family, true);
	if (lookup == NULL)
		return ENOMEM;
	tp_lookup_release(known);
	probe->lookup = lookup;
	probe->result.host = lookup->host;
	probe->phase = QUEUED;
	return begin_try(engine, probe, now_us);
}

/* When the first of the PAUSED may go on; TP_NEVER: not before another probe has ended. */
static int64_t resume_us(const struct tp_engine *engine)
{
	bool any = engine->paused.first != NULL && engine->in_flight < engine->setup.limit;

	return any ? engine->paused.first->due_us : TP_NEVER;
}

/* The tries that are due, as many as may be in flight. Returns 0 or ENOMEM. */
static int resume(struct tp_engine *engine)
{
	int64_t now_us = engine->paused.first == NULL ? 0 : tp_os_now_us();
	int error = 0;

	while (error == 0 && engine->winner == NULL && resume_us(engine) <= now_us) {
		struct probe *probe = engine->paused.first;

		engine->paused.first = probe->behind;
		error = try_again(engine, probe, now_us);
	}
	return error;
}

/* The address that a late probe waits for; of several the one begun first is as good as any. */
static const union tp_address *pending_address(const struct tp_engine *engine, const struct probe *probe)
{
	for (size_t i = 0; probe->tried > 1 && i < engine->attempts_count; i++) {
		if (engine->attempts[i].probe == probe)
			return engine->attempts[i].address;
	}
	return &probe->lookup->addresses[probe->first];
}

/* Its lookup is of no use to it any more; a helper that works for nobody else is ended. */
static void leave_lookup(struct tp_engine *engine, struct probe *probe)
{
	struct tp_lookup *lookup = probe->lookup;

	if (--lookup->waiting == 0 && lookup->phase == TP_LOOKUP_RUNNING)
		tp_resolver_abandon(engine->resolver, lookup);
	engine->freed = true;
}

/* A try has reached its deadline, or that of the wait. */
static void expire(struct tp_engine *engine, struct probe *probe)
{
	if (probe->phase == RESOLVING)
		leave_lookup(engine, probe);
	if (probe->phase == RESOLVING || probe->phase == QUEUED) {
		finish_in_lookup(engine, probe, TP_TIMEOUT, 0, ETIMEDOUT);
	} else {
		note_timeout(probe, pending_address(engine, probe));
		finish_failed(engine, probe);
	}
}

/* What is under way for the probe, if anything, comes to nothing. */
static void abandon(struct tp_engine *engine, struct probe *probe)
{
	if (probe->phase == RESOLVING)
		leave_lookup(engine, probe);
	if (probe->phase != PAUSED)
		leave_flight(engine, probe);
}

/* The wait is over. The reason is that of the last try that ended; of the first, if none has, the deadline. */
static void give_up(struct tp_engine *engine, struct probe *probe)
{
	struct tp_result *result = &probe->result;

	result->expired = true;
	if (result->try == 1 && probe->phase != PAUSED) {
		expire(engine, probe);
	} else {
		abandon(engine, probe);
		end_probe(engine, probe);
	}
}

/* The wait was over before it had begun. */
static void miss_turn(struct tp_engine *engine, struct probe *probe)
{
	probe->result.try = 0;
	probe->result.expired = true;
	leave_flight(engine, probe);
	end_probe(engine, probe);
}

/* Ends every probe that is late and moves every other one. */
static int look_at_all(struct tp_engine *engine, int64_t now_us)
{
	int error = 0;

	engine->wake_us = TP_NEVER;
	engine->starving = false;
	for (struct probe *probe = engine->oldest; probe != NULL && error == 0 && engine->winner == NULL;
	     probe = probe->next) {
		if ((probe->phase == RESOLVING || probe->phase == CONNECTING) && probe->deadline_us <= now_us)
			expire(engine, probe);
		if (probe->phase == DONE || probe->phase == DROPPED)
			continue;
		if (engine->end_us <= now_us)
			give_up(engine, probe);
		else
			error = advance(engine, probe, now_us);
	}
	if (engine->end_us <= now_us) {
		engine->queued.first = engine->paused.first = NULL;
		engine->over = true;
	}
	return error;
}

/* Takes in the attempts that have an outcome. Backwards, since the last one fills every gap. */
static int collect_attempts(struct tp_engine *engine, int64_t now_us)
{
	int result = 0;

	for (size_t i = engine->attempts_count; i-- > 0 && result == 0 && engine->winner == NULL;) {
		struct attempt attempt;
		struct tp_evidence evidence = { 0 };
		union tp_address peer;
		int error;

		/* What one outcome led to may have ended other attempts. */
		if (i >= engine->attempts_count || engine->fds[i].revents == 0)
			continue;
		attempt = engine->attempts[i];
		if (attempt.probe->phase != CONNECTING)
			continue;
		peer = peer_of(&attempt);
		error = tp_connect_outcome(&engine->fds[i], &peer, &evidence);
		if (error == EINPROGRESS)
			continue;
		settle(engine, &attempt, take_attempt(engine, i), error, &evidence);
		if (attempt.probe->phase != DONE)
			result = advance(engine, attempt.probe, now_us);
	}
	return result;
}

/* May one more probe begin? Not while there is a result to report. A wait knows all its targets. */
static bool may_admit(const struct tp_engine *engine)
{
	return !engine->fed && engine->winner == NULL && engine->in_flight < engine->setup.limit &&
	       (engine->setup.until != TP_ONCE || engine->in_list < engine->setup.limit + WINDOW) &&
	       (engine->oldest == NULL || engine->oldest->phase != DONE);
}

/* Something ended that others may have waited for. */
static bool has_room_for_more(const struct tp_engine *engine)
{
	return engine->freed && (engine->starving || engine->queued.first != NULL);
}

/* Waits until an attempt, a helper or the feed has something, or a probe has something due. */
static int wait_for_news(struct tp_engine *engine)
{
	nfds_t count = engine->attempts_count;
	int64_t timeout_us = earlier(earlier(engine->wake_us, engine->end_us), resume_us(engine));

	/* The helpers' pollfds want room too. */
	if (make_room(engine) != 0)
		return ENOMEM;
	if (timeout_us != TP_NEVER)
		timeout_us -= tp_os_now_us();
	if (timeout_us < 0 || has_room_for_more(engine))
		timeout_us = 0;
	if (engine->resolver != NULL)
		count += tp_resolver_watch(engine->resolver, engine->fds + count);
	if (engine->feed_fd >= 0 && may_admit(engine))
		engine->fds[count++] = (struct pollfd){ .fd = engine->feed_fd, .events = POLLIN };
	return engine->setup.wait(engine->setup.context, engine->fds, count, timeout_us);
}

/* One turn of the loop. */
static int turn(struct tp_engine *engine)
{
	bool look = false;
	int64_t now_us;
	int error = wait_for_news(engine);

	if (error != 0)
		return error;
	now_us = tp_os_now_us();
	if (engine->resolver != NULL)
		look = tp_resolver_collect(engine->resolver, engine->fds + engine->attempts_count);
	error = collect_attempts(engine, now_us);
	sweep(engine);
	if (error == 0 && (look || earlier(engine->wake_us, engine->end_us) <= now_us || has_room_for_more(engine))) {
		engine->freed = false;
		error = look_at_all(engine, now_us);
		if (error == 0)
			error = begin_lookups(engine, now_us);
	}
	return error;
}

/* Begins as many probes as may be in flight. */
static int admit(struct tp_engine *engine)
{
	engine->feed_fd = -1;
	while (may_admit(engine)) {
		struct tp_lookup *lookup;
		struct probe *probe;
		struct tp_endpoint to = { .family = AF_UNSPEC };
		int error;

		if (engine->over && engine->targets >= engine->setup.owed) {
			engine->cut = engine->fed = true;
			break;
		}
		error = engine->setup.next(engine->setup.context, &to, &engine->feed_fd);
		engine->fed = error == ENOENT;
		if (error == ENOENT || error == EAGAIN)
			break;
		if (error != 0)
			return error;
		engine->feed_fd = -1;
		lookup = lookup_for(engine, to.host, to.family != AF_UNSPEC ? to.family : engine->setup.family, false);
		if (lookup == NULL)
			return ENOMEM;
		probe = new_probe(engine, lookup, to.port, engine->targets);
		if (probe == NULL) {
			tp_lookup_release(lookup);
			return ENOMEM;
		}
		engine->targets++;
		insert(engine, engine->newest, probe);
		if (engine->over)
			miss_turn(engine, probe);
		else
			error = begin_try(engine, probe, tp_os_now_us());
		if (error != 0)
			return error;
	}
	return 0;
}

/* One is open, and one was enough: nothing else goes on. */
static void drop_others(struct tp_engine *engine)
{
	for (struct probe *probe = engine->oldest; probe != NULL; probe = probe->next) {
		if (probe->phase == DONE || probe->phase == DROPPED)
			continue;
		abandon(engine, probe);
		probe->phase = DROPPED;
	}
	engine->queued.first = engine->paused.first = NULL;
	sweep(engine);
}

/* Takes the oldest probe out of the list; it is the caller's. */
static struct probe *take_oldest(struct tp_engine *engine)
{
	struct probe *probe = engine->oldest;

	engine->oldest = probe->next;
	if (engine->newest == &probe->next)
		engine->newest = &engine->oldest;
	engine->in_list--;
	return probe;
}

/* The oldest probe that has a result which is due, or NULL. */
static struct probe *next_done(struct tp_engine *engine)
{
	if (engine->winner != NULL)
		drop_others(engine);
	while (engine->oldest != NULL && engine->oldest->phase == DROPPED)
		free_probe(take_oldest(engine));
	return engine->oldest != NULL && engine->oldest->phase == DONE ? take_oldest(engine) : NULL;
}

int tp_engine_next(struct tp_engine *engine, struct tp_result *result)
{
	bool over = engine->winner != NULL && engine->reported == engine->winner;
	int error = 0;

	if (over)
		return ENOENT;
	if (engine->reported != NULL)
		free_probe(engine->reported);
	engine->reported = NULL;
	while (error == 0) {
		error = admit(engine);
		/* Behind those that have not been tried at all. */
		if (error == 0)
			error = resume(engine);
		sweep(engine);
		if (error != 0)
			break;
		engine->reported = next_done(engine);
		if (engine->reported != NULL) {
			*result = engine->reported->result;
			engine->reported->result.fd = -1;
			return 0;
		}
		if (engine->oldest == NULL && engine->fed)
			return engine->cut ? ETIMEDOUT : ENOENT;
		error = turn(engine);
	}
	return error;
}

struct tp_engine_counts tp_engine_counts(const struct tp_engine *engine)
{
	return engine->counts;
}
