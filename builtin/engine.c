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

#include "tp_os.h"

/* RFC 8305, section 5: the Connection Attempt Delay. */
#define ATTEMPT_DELAY_US 250000

/* Results that a slow one before them keeps back are kept; so many, then no more is begun. */
#define WINDOW 4096

/*
 * A probe's way, each phase left when there is what it waits for:
 * QUEUED	a free helper; its deadline has not begun
 * RESOLVING	its lookup
 * STARVED	a descriptor that another probe holds; its deadline stands still
 * CONNECTING	its attempts
 * DONE		its report
 */
enum phase { QUEUED, RESOLVING, STARVED, CONNECTING, DONE };

struct probe {
	struct probe *next;
	struct tp_lookup *lookup; /* of which it is a user */
	struct tp_result result;
	enum phase phase;
	size_t first, end; /* its part of lookup->addresses: all of them, or one */
	size_t tried;      /* how many of those have had their attempt */
	unsigned attempts; /* in flight */
	bool failed;       /* an attempt has: result holds the most telling failure */
	int64_t deadline_us;
	int64_t budget_us; /* what was left of it when the addresses were known; TP_NEVER: no deadline */
	int64_t next_attempt_us;
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
	size_t in_flight, in_list;
	bool fed; /* there are no more targets */

	/* fds: one for each of the attempts; behind them, while it waits, the resolver's. */
	struct pollfd *fds;
	struct attempt *attempts;
	size_t attempts_count, attempts_room;

	/* What the next turn of the loop has to look at, so that it need not look at every probe. */
	int64_t wake_us; /* no probe has anything due before */
	bool blocked;    /* a probe is QUEUED or STARVED */
	bool freed;      /* an attempt has ended */
	bool orphans;    /* a probe has ended with attempts in flight */
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
	fds = realloc(engine->fds, (room + TP_HELPERS) * sizeof(*fds));
	if (fds == NULL)
		return ENOMEM;
	engine->fds = fds;
	engine->attempts_room = room;
	return 0;
}

struct tp_engine *tp_engine_new(const struct tp_engine_setup *setup)
{
	struct tp_engine *engine = calloc(1, sizeof(*engine));

	if (engine == NULL)
		return NULL;
	engine->setup = *setup;
	engine->newest = &engine->oldest;
	engine->wake_us = TP_NEVER;
	return engine;
}

/* The last attempt takes its place. */
static void remove_attempt(struct tp_engine *engine, size_t index)
{
	close(engine->fds[index].fd);
	engine->freed = true;
	engine->attempts[index].probe->attempts--;
	engine->attempts_count--;
	engine->attempts[index] = engine->attempts[engine->attempts_count];
	engine->fds[index] = engine->fds[engine->attempts_count];
}

static void free_probe(struct probe *probe)
{
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

static int64_t from_now(int64_t now_us, int64_t span_us)
{
	return span_us == 0 ? TP_NEVER : now_us + span_us;
}

/* The probe has its result. Its attempts, if any, are closed by sweep(). */
static void finish(struct tp_engine *engine, struct probe *probe)
{
	if (probe->lookup->duration_us >= 0)
		probe->result.lookup_us = probe->lookup->duration_us;
	probe->phase = DONE;
	engine->in_flight--;
	if (probe->attempts > 0)
		engine->orphans = true;
}

/* Keeps a failure if it tells more than those before it. address is NULL where none was tried. */
static void note_failure(struct probe *probe, enum tp_state state, int error, const union tp_address *address)
{
	struct tp_result *result = &probe->result;

	if (probe->failed && !tp_state_tells_more(state, result->state))
		return;
	probe->failed = true;
	result->state = state;
	result->error = error;
	if (address != NULL)
		result->address = *address;
}

static void fail_in_lookup(struct tp_engine *engine, struct probe *probe, enum tp_state state, int eai, int error)
{
	note_failure(probe, state, error, NULL);
	probe->result.in_lookup = true;
	probe->result.eai = eai;
	finish(engine, probe);
}

/* No address is left to try and no attempt in flight. */
static void end_if_exhausted(struct tp_engine *engine, struct probe *probe)
{
	if (probe->attempts == 0 && probe->first + probe->tried == probe->end)
		finish(engine, probe);
}

static void attempt_failed(struct tp_engine *engine, struct probe *probe, int error, const union tp_address *address)
{
	note_failure(probe, tp_state_of_connect(error), error, address);
	/* RFC 8305: the next one need not wait any longer. */
	probe->next_attempt_us = 0;
	end_if_exhausted(engine, probe);
}

/*
 * TCP's simultaneous open: a socket whose own ephemeral port is the one it
 * connects to reaches itself. Nobody listens there.
 */
static bool is_self_connected(int fd, uint16_t port)
{
	union tp_address local = { 0 }, peer = { 0 };
	socklen_t size = sizeof(local);

	if (getsockname(fd, &local.any, &size) < 0 || tp_address_port(&local) != port)
		return false;
	size = sizeof(peer);
	return getpeername(fd, &peer.any, &size) == 0 && tp_address_equal(&local, &peer, true);
}

/*
 * An ICMP error may wake the wait a moment before it is the socket's: there is no error yet, and no connection either.
 * It is waited for.
 */
static bool is_premature(const struct pollfd *ready)
{
	union tp_address peer;

	return (ready->revents & (POLLERR | POLLHUP)) == POLLERR &&
	       getpeername(ready->fd, &peer.any, &(socklen_t){ sizeof(peer) }) < 0 && errno == ENOTCONN;
}

/* What connect(2) or SO_ERROR said of a socket, but for what only looks open. */
static int outcome(int fd, int error, uint16_t port)
{
	return error == 0 && is_self_connected(fd, port) ? ECONNREFUSED : error;
}

/* An attempt has its outcome, and is none of the engine's any more. */
static void settle(struct tp_engine *engine, const struct attempt *attempt, int error, int64_t now_us)
{
	struct probe *probe = attempt->probe;

	if (tp_state_of_connect(error) != TP_OPEN) {
		attempt_failed(engine, probe, error, attempt->address);
		return;
	}
	probe->result.state = TP_OPEN;
	probe->result.error = 0;
	probe->result.address = *attempt->address;
	probe->result.connect_us = now_us - attempt->started_us;
	finish(engine, probe);
}

/* A socket at the source that the user asked for. */
static int open_socket(const struct tp_source *source, int family, int *fd)
{
	int error = tp_os_tcp_socket(family, fd);

	if (error != 0)
		return error;
	if (source->interface[0] != '\0') {
		error = tp_os_bind_interface(*fd, source->interface);
	} else if (source->address.any.sa_family != AF_UNSPEC) {
		tp_os_bind_late(*fd);
		if (bind(*fd, &source->address.any, tp_address_size(&source->address)) < 0)
			error = errno;
	}
	if (error != 0)
		close(*fd);
	return error;
}

/*
 * Begins an attempt. Returns 0, whatever its outcome, or what kept the socket
 * from being made: nothing was sent then.
 */
static int begin_attempt(struct tp_engine *engine, struct probe *probe, const union tp_address *address)
{
	struct attempt attempt = { probe, address, 0 };
	union tp_address to = *address;
	int fd, error = open_socket(&engine->setup.source, address->any.sa_family, &fd);

	if (error != 0)
		return error;
	tp_address_set_port(&to, probe->result.port);
	attempt.started_us = tp_os_now_us();
	error = tp_os_connect(fd, &to.any, tp_address_size(&to));
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
	error = outcome(fd, error, probe->result.port);
	close(fd);
	if (tp_is_shortage(error))
		return error;
	probe->tried++;
	settle(engine, &attempt, error, tp_os_now_us());
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
	probe->result.address.any.sa_family = AF_UNSPEC;
	engine->blocked = true;
	if (engine->setup.limit > engine->attempts_count && engine->attempts_count > 0)
		engine->setup.limit = engine->attempts_count;
}

/* Closes what is left of probes that have ended. */
static void sweep(struct tp_engine *engine)
{
	for (size_t i = engine->attempts_count; engine->orphans && i-- > 0;) {
		if (engine->attempts[i].probe->phase == DONE)
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

		note_failure(probe, TP_TIMEOUT, ETIMEDOUT, engine->attempts[oldest].address);
		remove_attempt(engine, oldest);
	}
	return true;
}

/* Begins the attempts that are due; a failure at once makes the next one due. */
static void connect_due(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	while (probe->phase == CONNECTING && probe->first + probe->tried < probe->end &&
	       probe->next_attempt_us <= now_us) {
		const union tp_address *address = &probe->lookup->addresses[probe->first + probe->tried];
		int error;

		probe->next_attempt_us = now_us + ATTEMPT_DELAY_US;
		error = begin_attempt(engine, probe, address);
		if (error == 0)
			continue;
		probe->next_attempt_us = 0;
		if (tp_is_shortage(error) && make_way(engine, probe))
			continue;
		/* Not what connect(2) means by the same errno: nobody was asked. */
		probe->tried++;
		note_failure(probe, TP_ERROR, error, address);
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

static struct probe *new_probe(struct tp_lookup *lookup, uint16_t port)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (probe == NULL)
		return NULL;
	probe->lookup = lookup;
	probe->result = (struct tp_result){ .host = lookup->host, .port = port, .lookup_us = -1, .connect_us = -1 };
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

/* A probe for each further address, right behind the first one's and with its deadline. */
static int split(struct tp_engine *engine, struct probe *probe)
{
	struct probe *last = probe;

	for (size_t i = 1; i < probe->lookup->count; i++) {
		struct probe *more = new_probe(probe->lookup, probe->result.port);

		if (more == NULL)
			return ENOMEM;
		more->lookup->users++;
		more->first = i;
		more->end = i + 1;
		more->phase = CONNECTING;
		more->deadline_us = probe->deadline_us;
		more->budget_us = probe->budget_us;
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
		fail_in_lookup(engine, probe, tp_state_of_lookup(lookup->eai, lookup->error), lookup->eai,
			       lookup->error);
		return 0;
	}
	probe->phase = CONNECTING;
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
	if (engine->resolver == NULL)
		engine->resolver = tp_resolver_new(engine->setup.helper_hook, engine->setup.timeout_us);
	if (engine->resolver == NULL)
		return ENOMEM;
	return tp_resolver_begin(engine->resolver, lookup, engine->fds, engine->attempts_count);
}

/* QUEUED on to RESOLVING, as soon as there is a helper for the name. */
static void begin_lookup(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	struct tp_lookup *lookup = probe->lookup;
	int error = 0;

	if (lookup->phase == TP_LOOKUP_NEW && !tp_lookup_at_once(lookup))
		error = ask_helper(engine, lookup);
	if (error == EBUSY || (tp_is_shortage(error) && engine->attempts_count > 0)) {
		engine->blocked = true;
		return;
	}
	if (error != 0) {
		fail_in_lookup(engine, probe, TP_ERROR, EAI_SYSTEM, error);
		return;
	}
	probe->phase = RESOLVING;
	probe->deadline_us = from_now(now_us, engine->setup.timeout_us);
	lookup->waiting++;
}

/* When this probe has something due next. */
static int64_t due_us(const struct probe *probe)
{
	switch (probe->phase) {
	case RESOLVING:
		return probe->deadline_us;
	case CONNECTING:
		if (probe->first + probe->tried < probe->end && probe->next_attempt_us < probe->deadline_us)
			return probe->next_attempt_us;
		return probe->deadline_us;
	case QUEUED:
	case STARVED:
	case DONE:
		break;
	}
	return TP_NEVER;
}

/* Moves a probe as far as it can go now. Returns 0 or ENOMEM. */
static int advance(struct tp_engine *engine, struct probe *probe, int64_t now_us)
{
	int error = 0;

	if (probe->phase == QUEUED)
		begin_lookup(engine, probe, now_us);
	if (probe->phase == RESOLVING && probe->lookup->phase == TP_LOOKUP_DONE)
		error = resolved(engine, probe, now_us);
	if (probe->phase == STARVED) {
		probe->phase = CONNECTING;
		probe->next_attempt_us = 0;
		if (probe->budget_us != TP_NEVER)
			probe->deadline_us = now_us + probe->budget_us;
	}
	if (probe->phase == CONNECTING)
		connect_due(engine, probe, now_us);
	if (due_us(probe) < engine->wake_us)
		engine->wake_us = due_us(probe);
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

static void expire(struct tp_engine *engine, struct probe *probe)
{
	struct tp_lookup *lookup = probe->lookup;

	if (probe->phase == RESOLVING) {
		if (--lookup->waiting == 0 && lookup->phase == TP_LOOKUP_RUNNING)
			tp_resolver_abandon(engine->resolver, lookup);
		engine->freed = true;
		fail_in_lookup(engine, probe, TP_TIMEOUT, 0, ETIMEDOUT);
	} else {
		note_failure(probe, TP_TIMEOUT, ETIMEDOUT, pending_address(engine, probe));
		finish(engine, probe);
	}
}

/* Ends every probe that is late and moves every other one. */
static int look_at_all(struct tp_engine *engine, int64_t now_us)
{
	int error = 0;

	engine->wake_us = TP_NEVER;
	engine->blocked = false;
	for (struct probe *probe = engine->oldest; probe != NULL && error == 0; probe = probe->next) {
		bool on_the_clock = probe->phase == RESOLVING || probe->phase == CONNECTING;

		if (on_the_clock && probe->deadline_us <= now_us)
			expire(engine, probe);
		else if (probe->phase != DONE)
			error = advance(engine, probe, now_us);
	}
	return error;
}

/* Takes in the attempts that have an outcome. Backwards, since the last one fills every gap. */
static int collect_attempts(struct tp_engine *engine, int64_t now_us)
{
	int result = 0;

	for (size_t i = engine->attempts_count; i-- > 0 && result == 0;) {
		const struct pollfd *ready = &engine->fds[i];
		struct attempt attempt = engine->attempts[i];
		int error = 0;

		/* What one outcome led to may have ended other attempts. */
		if (i >= engine->attempts_count)
			continue;
		if (ready->revents == 0 || attempt.probe->phase == DONE)
			continue;
		if (getsockopt(ready->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) }) < 0)
			error = errno;
		if (error == 0 && is_premature(ready))
			continue;
		error = outcome(ready->fd, error, attempt.probe->result.port);
		remove_attempt(engine, i);
		settle(engine, &attempt, error, now_us);
		if (attempt.probe->phase != DONE)
			result = advance(engine, attempt.probe, now_us);
	}
	return result;
}

/* Waits until an attempt or a helper has something, or a probe has something due. */
static int wait_for_news(struct tp_engine *engine)
{
	nfds_t count = engine->attempts_count;
	int64_t timeout_us = TP_NEVER;

	/* The helpers' pollfds want room too. */
	if (make_room(engine) != 0)
		return ENOMEM;
	if (engine->blocked && engine->freed) {
		timeout_us = 0;
	} else if (engine->wake_us != TP_NEVER) {
		timeout_us = engine->wake_us - tp_os_now_us();
		if (timeout_us < 0)
			timeout_us = 0;
	}
	if (engine->resolver != NULL)
		count += tp_resolver_watch(engine->resolver, engine->fds + count);
	return engine->setup.wait(engine->setup.context, engine->fds, count, timeout_us);
}

/* One turn of the loop. */
static int turn(struct tp_engine *engine)
{
	bool resolved_any = false;
	int64_t now_us;
	int error = wait_for_news(engine);

	if (error != 0)
		return error;
	now_us = tp_os_now_us();
	if (engine->resolver != NULL)
		resolved_any = tp_resolver_collect(engine->resolver, engine->fds + engine->attempts_count);
	error = collect_attempts(engine, now_us);
	sweep(engine);
	if (error == 0 && (resolved_any || now_us >= engine->wake_us || (engine->blocked && engine->freed))) {
		engine->freed = false;
		error = look_at_all(engine, now_us);
	}
	return error;
}

/* The lookup of this host: that of the target before where it is the same host, as for a range of ports. */
static struct tp_lookup *lookup_for(struct tp_engine *engine, const char *host)
{
	if (engine->latest == NULL || strcmp(engine->latest->host, host) != 0) {
		if (engine->latest != NULL)
			tp_lookup_release(engine->latest);
		engine->latest = tp_lookup_new(host, engine->setup.family);
	}
	if (engine->latest != NULL)
		engine->latest->users++;
	return engine->latest;
}

/* May one more probe begin? Not while there is a result to report. */
static bool may_admit(const struct tp_engine *engine)
{
	return !engine->fed && engine->in_flight < engine->setup.limit &&
	       engine->in_list < engine->setup.limit + WINDOW &&
	       (engine->oldest == NULL || engine->oldest->phase != DONE);
}

/* Begins as many probes as may be in flight. */
static int admit(struct tp_engine *engine)
{
	int error = 0;

	while (error == 0 && may_admit(engine)) {
		struct tp_lookup *lookup;
		struct probe *probe;
		const char *host;
		uint16_t port;

		if (!engine->setup.next(engine->setup.context, &host, &port)) {
			engine->fed = true;
			break;
		}
		lookup = lookup_for(engine, host);
		if (lookup == NULL)
			return ENOMEM;
		probe = new_probe(lookup, port);
		if (probe == NULL) {
			tp_lookup_release(lookup);
			return ENOMEM;
		}
		insert(engine, engine->newest, probe);
		error = advance(engine, probe, tp_os_now_us());
	}
	return error;
}

/* Takes the oldest probe, which is DONE, out of the list. */
static void report(struct tp_engine *engine, struct tp_result *result)
{
	struct probe *probe = engine->oldest;

	engine->oldest = probe->next;
	if (engine->newest == &probe->next)
		engine->newest = &engine->oldest;
	engine->in_list--;
	engine->reported = probe;
	*result = probe->result;
}

int tp_engine_next(struct tp_engine *engine, struct tp_result *result)
{
	int error = 0;

	if (engine->reported != NULL)
		free_probe(engine->reported);
	engine->reported = NULL;
	while (error == 0) {
		error = admit(engine);
		sweep(engine);
		if (error == 0 && engine->oldest == NULL)
			return ENOENT;
		if (error == 0 && engine->oldest->phase == DONE) {
			report(engine, result);
			return 0;
		}
		if (error == 0)
			error = turn(engine);
	}
	return error;
}
