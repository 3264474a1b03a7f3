// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The life of one probe.
 *
 * admit() asks the caller for a target. The target gets a record, which keeps
 * its place in the order of the results (results.c), and a probe: what a try
 * needs while it is under way. The probe is
 *
 *	QUEUED		until its name can be looked up: a helper process is free;
 *	RESOLVING	until the first addresses are known, or the deadline is reached;
 *	CONNECTING	until one of its attempts, each a socket on its way to one
 *			address (attempts.c), is open, or all have failed, or the
 *			deadline is reached;
 *	STARVED		in between, if there was no descriptor for an attempt. Its
 *			deadline stands still meanwhile.
 *
 * When the try has ended its outcome is put into the record, the attempts that
 * are left are closed, and the probe is gone. In a wait (-r, -R) a target that
 * is not yet as wanted pauses, as a record alone, and resume() makes a new
 * probe of it for the next try. Otherwise the record is done; it is handed to
 * the caller, and released, when all records before it were.
 *
 * One loop moves everything: turn() waits for sockets, helpers and time, and
 * takes in what came of them; admit() and resume() begin what may begin. Each
 * of them ends early when 10 ms are over, so that however much there is to do,
 * deadlines are seen, and the caller's wait() is called, at least that often.
 */
#include "tp_engine.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tp_attempts.h"
#include "tp_names.h"
#include "tp_os.h"
#include "tp_race.h"
#include "tp_results.h"

/* How long the loop works before it looks at the clock and at its descriptors again. */
#define SLICE_US 10000

/* The clock is read once for this many results: to read it for each would take 1 % of the time of a sweep. */
#define RESULTS_A_LOOK 16

/* After a shortage of descriptors or memory, attempts are tried again when another one has ended, or after this time. */
#define SHORTAGE_US 10000

/* Two moments that are no further apart than this are the same one for cut_deadline(). */
#define SAME_MOMENT_US 50000

enum phase { QUEUED, RESOLVING, STARVED, CONNECTING, ENDED };

/* One try of one target, while it is under way. */
struct tp_probe {
	struct tp_probe *next, *previous; /* under way too, in the order in which they began */
	struct tp_probe *behind;          /* the next in the queue for a helper, or in the list of ended probes */
	struct tp_record *record;
	struct tp_race race; /* the probe is one of the users of its lookup */
	enum phase phase;
	bool waiting; /* it waits for addresses from its lookup, which is RUNNING */
	bool expired; /* the wait (-r, -R) was over before the try had ended */
	int64_t deadline_us;
	int64_t half_us;   /* half-way from when the lookup began to the deadline, or to the end of the wait */
	int64_t budget_us; /* what was left until the deadline when the addresses were known; TP_NEVER: no deadline */
};

struct tp_engine {
	struct tp_engine_setup setup;
	struct tp_names names;
	struct tp_results results;
	struct tp_record *reported; /* the record whose host the caller may still read */
	struct tp_record *winner;   /* with first_open: the last record that is reported */
	struct tp_attempts attempts;
	struct tp_probe *oldest, *newest; /* of the probes under way */
	struct tp_probe *ended;           /* to be freed in the next turn: their callers may still look at them */
	struct tp_probe *spare;           /* the memory of a probe, for the next one; or NULL */
	size_t in_flight;                 /* how many are under way */
	struct {
		struct tp_probe *first, *last;
	} queued; /* the queue for a helper */
	struct {
		struct tp_record *first, *last;
	} paused;       /* in the order of due_us, because all pauses are equally long */
	size_t targets; /* how many the caller has given */
	struct tp_engine_counts counts;
	bool fed;         /* the caller has no more targets */
	bool over;        /* the wait (-r, -R) is over */
	bool cut;         /* the wait was over before the caller had given all targets */
	int feed_fd;      /* readable when the caller has more targets; -1: no need to wait */
	int64_t end_us;   /* the end of the whole wait; TP_NEVER: there is none, or it has passed */
	int64_t slice_us; /* when the loop shall look at the clock and its descriptors again */
	unsigned unseen;  /* how many results were handed out since the last look at the clock */
	size_t scan;      /* the attempt at which the next look at all of them begins */

	/* When turn() has to look at every probe under way: */
	int64_t wake_us;  /* at this time a probe has something to do */
	int64_t retry_us; /* at this time STARVED probes try again */
	bool starving;    /* some probes are STARVED */
	bool freed;       /* something ended that other probes may have waited for */
};

static int64_t earlier(int64_t one_us, int64_t other_us)
{
	return one_us < other_us ? one_us : other_us;
}

static int64_t from_now(int64_t now_us, int64_t span_us)
{
	return span_us == 0 ? TP_NEVER : now_us + span_us;
}

/* The first slice begins when somebody asks: a call with one target needs no clock for it. */
static bool is_slice_over(struct tp_engine *engine)
{
	int64_t now_us = tp_os_now_us();

	if (engine->slice_us == 0)
		engine->slice_us = now_us + SLICE_US;
	return now_us >= engine->slice_us;
}

/* -- Probes: from their beginning to the end of a try */

/*
 * Makes a probe for the next try of this record, and puts it behind the given probe (NULL: behind all). The probe takes
 * over one use of the lookup. Returns NULL if memory is out.
 */
static struct tp_probe *new_probe(struct tp_engine *engine, struct tp_probe *behind, struct tp_record *record,
				  struct tp_lookup *lookup)
{
	/* Not calloc(): glibc's has no quick way, and the time of one probe counts. */
	struct tp_probe *probe = engine->spare != NULL ? engine->spare : malloc(sizeof(*probe));
	bool has_own = engine->setup.plan.each_address && record->address.any.sa_family != AF_UNSPEC;
	const union tp_address *only = has_own ? &record->address : NULL;

	if (probe == NULL)
		return NULL;
	engine->spare = NULL;
	if (behind == NULL)
		behind = engine->newest;
	*probe = (struct tp_probe){
		.record = record,
		.race = { .lookup = lookup, .only = only, .port = record->port },
		.previous = behind,
	};
	if (behind == engine->newest)
		engine->newest = probe;
	if (behind == NULL) {
		engine->oldest = probe;
	} else {
		probe->next = behind->next;
		behind->next = probe;
	}
	if (probe->next != NULL)
		probe->next->previous = probe;
	engine->in_flight++;
	record->try++;
	return probe;
}

static void free_ended(struct tp_engine *engine)
{
	while (engine->ended != NULL) {
		struct tp_probe *probe = engine->ended;

		engine->ended = probe->behind;
		tp_lookup_release(probe->race.lookup);
		free(engine->spare);
		engine->spare = probe;
	}
}

/*
 * The probe no longer waits for its lookup. If no other probe does either, the lookup is ended; but in a wait it goes on
 * from try to try until it has addresses, unless other names are queued for its helper.
 */
static void leave_lookup(struct tp_engine *engine, struct tp_probe *probe)
{
	struct tp_lookup *lookup = probe->race.lookup;
	bool goes_on = engine->setup.plan.until != TP_ONCE && !lookup->ready && engine->queued.first == NULL;

	probe->waiting = false;
	if (--lookup->waiting == 0 && lookup->phase == TP_LOOKUP_RUNNING && !goes_on)
		tp_resolver_abandon(engine->names.resolver, lookup);
}

/* Takes the probe off every list of probes under way, and closes its attempts. */
static void end_probe(struct tp_engine *engine, struct tp_probe *probe)
{
	if (probe->waiting)
		leave_lookup(engine, probe);
	tp_attempts_close(&engine->attempts, &probe->race.attempts);
	engine->freed = true;
	*(probe->previous != NULL ? &probe->previous->next : &engine->oldest) = probe->next;
	*(probe->next != NULL ? &probe->next->previous : &engine->newest) = probe->previous;
	probe->phase = ENDED;
	probe->behind = engine->ended;
	engine->ended = probe;
	engine->in_flight--;
}

/* Is what came of the last try what the caller waits for? */
static bool is_wanted(enum tp_until until, const struct tp_record *record)
{
	enum tp_state state = record->state;

	if (until != TP_UNTIL_CLOSED)
		return state == TP_OPEN;
	switch (state) {
	case TP_REFUSED:
	case TP_UNREACHABLE:
	case TP_HANGUP:
		return true;
	case TP_TIMEOUT:
		/*
		 * If the lookup timed out, nothing is known about the port; and a peer that accepted and is held was
		 * not silent.
		 */
		return !record->in_lookup && !record->held;
	case TP_OPEN:
	case TP_UNRESOLVED:
	case TP_ERROR:
	case TP_STATES:
		break;
	}
	return false;
}

/* What is in the record is final. expired: only because the wait is over. */
static void end_record(struct tp_engine *engine, struct tp_record *record, bool expired)
{
	record->time_us = tp_os_wall_us();
	record->expired = expired;
	if (expired)
		record->state = TP_TIMEOUT;
	record->wanted = !expired && is_wanted(engine->setup.plan.until, record);
	record->done = true;
	engine->counts.done++;
	engine->counts.open += record->state == TP_OPEN;
	if (engine->setup.plan.first_open && record->wanted && engine->winner == NULL)
		engine->winner = record;
}

/* Counts the tries in a row that were open. Returns true if there are as many as the caller wants. */
static bool count_row(const struct tp_engine *engine, struct tp_record *record)
{
	record->row = record->state == TP_OPEN ? record->row + 1 : 0;
	if (record->row > record->best_row)
		record->best_row = record->row;
	return record->row >= engine->setup.plan.in_a_row;
}

/* Is what came of the last try the record's final result? */
static bool is_final(const struct tp_engine *engine, struct tp_record *record)
{
	enum tp_until until = engine->setup.plan.until;

	if (until == TP_ONCE || (record->state == TP_ERROR && !tp_may_pass(record->error)))
		return true;
	if (until == TP_UNTIL_OPEN)
		return count_row(engine, record) && record->state == TP_OPEN;
	return is_wanted(until, record);
}

/* Takes in what came of a try. It is the final result, or the target pauses before its next try. */
static void end_try(struct tp_engine *engine, struct tp_probe *probe, const struct tp_finish *finish)
{
	struct tp_record *record = probe->record;

	end_probe(engine, probe);
	tp_record_put(record, finish);
	record->lookup_us = probe->race.lookup->duration_us;
	if (probe->expired || is_final(engine, record)) {
		end_record(engine, record, probe->expired);
		return;
	}
	record->due_us = tp_os_now_us() + engine->setup.plan.interval_us;
	record->behind = NULL;
	*(engine->paused.first == NULL ? &engine->paused.first : &engine->paused.last->behind) = record;
	engine->paused.last = record;
}

static void end_in_lookup(struct tp_engine *engine, struct tp_probe *probe, enum tp_state state, int eai, int error)
{
	struct tp_finish finish = {
		.state = state,
		.in_lookup = true,
		.eai = eai,
		.error = error,
		.fd = -1,
		.connect_us = -1,
	};

	if (probe->race.only != NULL)
		finish.address = *probe->race.only;
	end_try(engine, probe, &finish);
}

/* The race is over, and with it the try. */
static void end_race(struct tp_engine *engine, struct tp_probe *probe)
{
	end_try(engine, probe, &probe->race.finish);
}

/* -- Shortages of descriptors or memory */

/* The probe closes its attempts and waits, as if it had not begun, until other probes end or the shortage passes. */
static void starve(struct tp_engine *engine, struct tp_probe *probe, int64_t now_us)
{
	engine->freed = engine->freed || probe->race.attempts != NULL;
	tp_race_reset(&probe->race, &engine->attempts);
	probe->phase = STARVED;
	engine->starving = true;
	engine->retry_us = now_us + SHORTAGE_US;
	engine->wake_us = earlier(engine->wake_us, engine->retry_us);
}

/*
 * The probe's race found a shortage while attempts of ours hold descriptors. The newest probe that has attempts gives
 * them up, so that the oldest always makes progress; that may be this very probe. If no other probe has attempts, its
 * own attempts share the time.
 */
static void make_way(struct tp_engine *engine, struct tp_probe *probe, int64_t now_us)
{
	struct tp_probe *newest = engine->newest;
	size_t own = 0;

	while (newest != probe && newest->race.attempts == NULL)
		newest = newest->previous;
	for (const struct tp_attempt *attempt = probe->race.attempts; attempt != NULL; attempt = attempt->next)
		own++;
	if (newest != probe || own < engine->attempts.count)
		starve(engine, newest, now_us);
	else
		tp_race_make_way(&probe->race, &engine->attempts, probe->deadline_us, now_us);
}

/* -- Addresses */

/*
 * With each_address: adds a record and a probe for each further address of the name, right behind those of the first
 * one and with the same deadline. They are STARVED until there may be as many attempts. Returns 0 or ENOMEM.
 */
static int split(struct tp_engine *engine, struct tp_probe *probe)
{
	struct tp_lookup *lookup = probe->race.lookup;
	struct tp_record *record = probe->record;
	struct tp_probe *last = probe;
	struct tp_walk walk = { 0 };
	const union tp_address *address = tp_walk_next(&walk, lookup);
	struct tp_endpoint to = { record->host, record->family, record->port };

	record->address = *address;
	probe->race.only = &record->address;
	for (;;) {
		struct tp_record *more;

		tp_walk_take(&walk, address);
		address = tp_walk_next(&walk, lookup);
		if (address == NULL)
			break;
		more = tp_results_add(&engine->results, last->record, &to, record->target);
		if (more == NULL)
			return ENOMEM;
		more->address = *address;
		last = new_probe(engine, last, more, lookup);
		if (last == NULL)
			return ENOMEM;
		lookup->users++;
		last->phase = STARVED;
		last->budget_us = probe->budget_us;
		more->try = record->try;
	}
	engine->wake_us = 0;
	return 0;
}

/*
 * The name no longer has the record's address. The record gets one that no other record has or, if there is none, any
 * address of the name.
 */
static void replace_address(const struct tp_engine *engine, struct tp_record *record, const struct tp_lookup *lookup)
{
	struct tp_walk walk = { 0 };
	const union tp_address *address = tp_walk_next(&walk, lookup);

	if (address != NULL)
		record->address = *address;
	for (; address != NULL; address = tp_walk_next(&walk, lookup)) {
		if (!tp_results_share(&engine->results, record, address)) {
			record->address = *address;
			break;
		}
		tp_walk_take(&walk, address);
	}
}

/*
 * With each_address a probe waits until all addresses are known, but for at most half of its time, so that some time is
 * left to connect.
 */
static int64_t patience_us(const struct tp_engine *engine, const struct tp_probe *probe)
{
	return engine->setup.plan.each_address && probe->race.lookup->ready ? probe->half_us : TP_NEVER;
}

/* May connecting begin? */
static bool is_resolved(struct tp_engine *engine, const struct tp_probe *probe, int64_t now_us)
{
	struct tp_lookup *lookup = probe->race.lookup;

	if (patience_us(engine, probe) <= now_us && lookup->phase == TP_LOOKUP_RUNNING)
		tp_resolver_abandon(engine->names.resolver, lookup);
	if (lookup->phase == TP_LOOKUP_DONE || !lookup->ready)
		return lookup->phase == TP_LOOKUP_DONE;
	return probe->race.only != NULL ? tp_lookup_has(lookup, probe->race.only) : !engine->setup.plan.each_address;
}

/* Goes on after the lookup: the first addresses are known, or there are none. Returns 0 or ENOMEM. */
static int resolved(struct tp_engine *engine, struct tp_probe *probe, int64_t now_us)
{
	const struct tp_lookup *lookup = probe->race.lookup;

	if (lookup->eai != 0 && lookup->phase == TP_LOOKUP_DONE) {
		end_in_lookup(engine, probe, tp_state_of_lookup(lookup->eai, lookup->error), lookup->eai,
			      lookup->error);
		return 0;
	}
	probe->phase = CONNECTING;
	probe->budget_us = probe->deadline_us == TP_NEVER ? TP_NEVER : probe->deadline_us - now_us;
	if (probe->race.only == NULL)
		return engine->setup.plan.each_address ? split(engine, probe) : 0;
	if (!tp_lookup_has(lookup, probe->race.only))
		replace_address(engine, probe->record, lookup);
	return 0;
}

/* Begins the attempts that are due. */
static void connect_due(struct tp_engine *engine, struct tp_probe *probe, int64_t now_us)
{
	while (probe->phase == CONNECTING) {
		switch (tp_race_go_on(&probe->race, probe, &engine->setup.plan, &engine->attempts, now_us)) {
		case TP_RACE_ON:
			return;
		case TP_RACE_OVER:
			end_race(engine, probe);
			return;
		case TP_RACE_SHORT:
			make_way(engine, probe, now_us);
			break;
		}
	}
}

/* -- Lookups and deadlines */

/*
 * The deadline of a try that begins now.
 *
 * With -R a target that is silent for a whole try counts as closed, but a try that the end of the wait cut off proves
 * nothing. So the first try of a wait times out by itself, at the end of the wait, if it has had all the time that it
 * could have: it began together with the wait, or its own deadline is no later than the end of the wait (both give or
 * take SAME_MOMENT_US).
 */
static int64_t cut_deadline(const struct tp_engine *engine, const struct tp_probe *probe, int64_t now_us,
			    int64_t deadline_us)
{
	bool whole = engine->end_us - now_us >= engine->setup.plan.wait_us - SAME_MOMENT_US ||
		     deadline_us - SAME_MOMENT_US <= engine->end_us;

	return probe->record->try == 1 && whole ? earlier(deadline_us, engine->end_us) : deadline_us;
}

/*
 * Begins the lookup of a QUEUED probe, which is RESOLVING then, if it is the first in the queue and a helper is free.
 * If no helper can be made, the try ends.
 */
static void begin_lookup(struct tp_engine *engine, struct tp_probe *probe, int64_t now_us)
{
	struct tp_lookup *lookup = probe->race.lookup;
	int error = 0;

	if (lookup->phase == TP_LOOKUP_NEW) {
		bool is_first = engine->queued.first == NULL || engine->queued.first == probe;

		error = tp_names_begin(&engine->names, lookup, is_first, engine->attempts.fds, engine->attempts.count);
	}
	if (error == EBUSY || (tp_is_shortage(error) && engine->attempts.count > 0))
		return;
	if (error != 0) {
		end_in_lookup(engine, probe, TP_ERROR, EAI_SYSTEM, error);
		return;
	}
	probe->phase = RESOLVING;
	probe->deadline_us = cut_deadline(engine, probe, now_us, from_now(now_us, engine->setup.plan.timeout_us));
	probe->half_us = now_us + (earlier(probe->deadline_us, engine->end_us) - now_us) / 2;
	lookup->waiting++;
	probe->waiting = true;
}

/* The lookup for the next try of a target: one that was begun after the last try had ended, or a new one. */
static struct tp_lookup *lookup_again(struct tp_engine *engine, const struct tp_record *record)
{
	return tp_names_get(&engine->names, record->host, record->family,
			    record->due_us - engine->setup.plan.interval_us);
}

/* When this probe has something to do next. */
static int64_t due_us(const struct tp_engine *engine, const struct tp_probe *probe)
{
	switch (probe->phase) {
	case STARVED:
		return engine->retry_us;
	case CONNECTING:
		return earlier(tp_race_due_us(&probe->race), probe->deadline_us);
	case RESOLVING:
		return earlier(patience_us(engine, probe), probe->deadline_us);
	case QUEUED:
	case ENDED:
		break;
	}
	return TP_NEVER;
}

/* Moves a probe as far as it can go now. Returns 0 or ENOMEM. */
static int advance(struct tp_engine *engine, struct tp_probe *probe, int64_t now_us)
{
	/* The further addresses of a name may be more than the probes that may be in flight. */
	bool may_go_on = !engine->setup.plan.each_address || engine->attempts.count < engine->setup.plan.limit;
	int error = 0;

	if (probe->phase == RESOLVING && is_resolved(engine, probe, now_us))
		error = resolved(engine, probe, now_us);
	if (probe->waiting && probe->race.lookup->phase == TP_LOOKUP_DONE)
		leave_lookup(engine, probe);
	if (probe->phase == STARVED && may_go_on) {
		probe->phase = CONNECTING;
		probe->deadline_us = cut_deadline(engine, probe, now_us,
						  probe->budget_us == TP_NEVER ? TP_NEVER : now_us + probe->budget_us);
	}
	if (probe->phase == CONNECTING)
		connect_due(engine, probe, now_us);
	engine->starving = engine->starving || probe->phase == STARVED;
	engine->wake_us = earlier(engine->wake_us, due_us(engine, probe));
	return error;
}

/* -- Tries begin: of new targets, and again */

/*
 * Makes a probe for the record and begins its lookup, or puts the probe into the queue for a helper. Returns 0 or
 * ENOMEM.
 */
static int begin_try(struct tp_engine *engine, struct tp_record *record, struct tp_lookup *lookup)
{
	struct tp_probe *probe = lookup == NULL ? NULL : new_probe(engine, NULL, record, lookup);
	int64_t now_us = tp_os_now_us();

	if (probe == NULL) {
		if (lookup != NULL)
			tp_lookup_release(lookup);
		return ENOMEM;
	}
	begin_lookup(engine, probe, now_us);
	if (probe->phase == QUEUED) {
		*(engine->queued.first == NULL ? &engine->queued.first : &engine->queued.last->behind) = probe;
		engine->queued.last = probe;
	}
	return advance(engine, probe, now_us);
}

/* Begins the lookups of queued probes, as many as there are helpers for. Returns 0 or ENOMEM. */
static int begin_lookups(struct tp_engine *engine, int64_t now_us)
{
	int error = 0;

	while (error == 0 && engine->winner == NULL && engine->queued.first != NULL) {
		struct tp_probe *probe = engine->queued.first, *behind = probe->behind;

		begin_lookup(engine, probe, now_us);
		if (probe->phase == QUEUED)
			break;
		engine->queued.first = behind;
		error = advance(engine, probe, now_us);
		if (is_slice_over(engine)) {
			engine->freed = true;
			break;
		}
	}
	return error;
}

/* When the first of the paused targets may go on; TP_NEVER: not before another probe has ended. */
static int64_t resume_us(const struct tp_engine *engine)
{
	bool any = engine->paused.first != NULL && engine->in_flight < engine->setup.plan.limit;

	return any && !engine->starving && !engine->over ? engine->paused.first->due_us : TP_NEVER;
}

/* Begins the tries that are due, as many as may be in flight. Returns 0 or ENOMEM. */
static int resume(struct tp_engine *engine)
{
	int64_t now_us = engine->paused.first == NULL ? 0 : tp_os_now_us();
	int error = 0;

	while (error == 0 && engine->winner == NULL && resume_us(engine) <= now_us) {
		struct tp_record *record = engine->paused.first;

		engine->paused.first = record->behind;
		error = begin_try(engine, record, lookup_again(engine, record));
		if (is_slice_over(engine))
			break;
	}
	return error;
}

static bool is_full(const struct tp_engine *engine)
{
	return engine->setup.is_full != NULL && engine->setup.is_full(engine->setup.context);
}

/* Is there a result that the caller can be given now? */
static bool has_report(const struct tp_engine *engine)
{
	const struct tp_record *oldest = engine->results.oldest;

	return (engine->winner != NULL || (oldest != NULL && oldest->done)) && !is_full(engine);
}

/* May one more target begin? Not while there is a result to report. */
static bool may_admit(const struct tp_engine *engine)
{
	const struct tp_record *oldest = engine->results.oldest;

	return !engine->fed && engine->winner == NULL && engine->in_flight < engine->setup.plan.limit &&
	       !engine->starving && engine->results.count < TP_TARGETS_MOST && (oldest == NULL || !oldest->done) &&
	       !is_full(engine);
}

/* Asks the caller for a target and begins its first try. Returns 0, ENOMEM, or what the caller said. */
static int admit_one(struct tp_engine *engine)
{
	struct tp_record *record;
	struct tp_endpoint to = { .family = AF_UNSPEC };
	int error = engine->setup.next(engine->setup.context, &to, &engine->feed_fd);

	if (error != 0)
		return error;
	engine->feed_fd = -1;
	if (to.family == AF_UNSPEC)
		to.family = engine->setup.plan.family;
	record = tp_results_add(&engine->results, NULL, &to, engine->targets);
	if (record == NULL)
		return ENOMEM;
	engine->targets++;
	if (!engine->over)
		return begin_try(engine, record, tp_names_get(&engine->names, to.host, to.family, 0));
	/* It had no turn before the wait was over. */
	end_record(engine, record, true);
	return 0;
}

/* Begins as many targets as may be in flight. Returns 0, ENOMEM, or what the caller said. */
static int admit(struct tp_engine *engine)
{
	int error = 0;

	engine->feed_fd = -1;
	for (bool any = false; error == 0 && may_admit(engine) && !(any && is_slice_over(engine)); any = true) {
		if (engine->over && engine->targets >= engine->setup.owed) {
			engine->cut = engine->fed = true;
			break;
		}
		error = admit_one(engine);
		engine->fed = error == ENOENT;
	}
	return error == ENOENT || error == EAGAIN ? 0 : error;
}

/* -- Deadlines */

/* A try has reached its deadline. */
static void expire(struct tp_engine *engine, struct tp_probe *probe)
{
	if (probe->phase == RESOLVING && tp_lookup_denied(probe->race.lookup)) {
		end_in_lookup(engine, probe, TP_UNRESOLVED, probe->race.lookup->eai, 0);
	} else if (probe->phase == RESOLVING || probe->phase == QUEUED) {
		end_in_lookup(engine, probe, TP_TIMEOUT, 0, ETIMEDOUT);
	} else {
		tp_race_expire(&probe->race);
		end_race(engine, probe);
	}
}

/*
 * The wait is over in the middle of a try. The last try that ended tells the reason; if this is the first one, it does.
 */
static void give_up(struct tp_engine *engine, struct tp_probe *probe)
{
	if (probe->record->try == 1) {
		probe->expired = true;
		expire(engine, probe);
	} else {
		end_probe(engine, probe);
		end_record(engine, probe->record, true);
	}
}

/*
 * Did the probe miss this moment? A hold that was over before it counts as done in time, even if the machine was too
 * busy for us to look at it.
 */
static bool is_late(const struct tp_probe *probe, int64_t moment_us, int64_t now_us)
{
	return moment_us <= now_us && (probe->race.held == 0 || tp_race_due_us(&probe->race) > moment_us);
}

/* Ends every probe that is late, and moves all others. Returns 0 or ENOMEM. */
static int look_at_probes(struct tp_engine *engine, int64_t now_us)
{
	bool starving = engine->starving;
	struct tp_probe *next;
	int error = 0;

	engine->wake_us = engine->retry_us = TP_NEVER;
	engine->starving = engine->freed = false;
	for (struct tp_probe *probe = engine->oldest; probe != NULL && error == 0 && engine->winner == NULL;
	     probe = next) {
		next = probe->next;
		if ((probe->phase == RESOLVING || probe->phase == CONNECTING) &&
		    is_late(probe, probe->deadline_us, now_us))
			expire(engine, probe);
		else if (is_late(probe, engine->end_us, now_us))
			give_up(engine, probe);
		else
			error = advance(engine, probe, now_us);
		if (next != NULL && is_slice_over(engine)) {
			engine->wake_us = 0;
			engine->starving = starving;
			break;
		}
	}
	return error;
}

/* The wait is over: nothing is waited for any more. */
static void end_wait(struct tp_engine *engine)
{
	engine->over = true;
	engine->queued.first = NULL;
	while (engine->paused.first != NULL && !is_slice_over(engine)) {
		struct tp_record *record = engine->paused.first;

		engine->paused.first = record->behind;
		end_record(engine, record, true);
	}
	if (engine->paused.first == NULL && engine->oldest == NULL)
		engine->end_us = TP_NEVER;
}

/* -- The loop */

/* Has something ended that a STARVED or QUEUED probe may have waited for? */
static bool has_room_for_more(const struct tp_engine *engine)
{
	return engine->freed && (engine->starving || engine->queued.first != NULL);
}

/*
 * Looks whether an attempt, a helper or the feed is ready. With may_wait, waits until one is, or until a probe has
 * something to do.
 */
static int wait_for_news(struct tp_engine *engine, bool may_wait)
{
	struct tp_resolver *resolver = engine->names.resolver;
	int64_t timeout_us = earlier(earlier(engine->wake_us, engine->end_us), resume_us(engine));
	size_t helpers = resolver == NULL ? 0 : tp_resolver_watched(resolver);
	nfds_t count = engine->attempts.count;
	bool wants_targets = may_admit(engine);
	struct pollfd *fds;

	if (tp_attempts_make_room(&engine->attempts, helpers + 1 + TP_SPARE_FDS) != 0)
		return ENOMEM;
	fds = engine->attempts.fds;
	if (resolver != NULL)
		timeout_us = earlier(timeout_us, tp_resolver_due_us(resolver));
	if (timeout_us != TP_NEVER)
		timeout_us -= tp_os_now_us();
	if (!may_wait || timeout_us < 0 || has_room_for_more(engine) || (wants_targets && engine->feed_fd < 0))
		timeout_us = 0;
	if (resolver != NULL)
		count += tp_resolver_watch(resolver, fds + count);
	if (wants_targets && engine->feed_fd >= 0)
		fds[count++] = (struct pollfd){ .fd = engine->feed_fd, .events = POLLIN };
	return engine->setup.wait(engine->setup.context, fds, count, timeout_us);
}

/* Takes in the attempt's outcome, if it has one. Returns 0 or ENOMEM. */
static int collect(struct tp_engine *engine, struct tp_attempt *attempt, int64_t now_us)
{
	struct tp_probe *probe = attempt->probe;

	engine->freed = true;
	if (tp_race_collect(&probe->race, &engine->setup.plan, &engine->attempts, attempt) == TP_RACE_ON)
		return advance(engine, probe, now_us);
	end_race(engine, probe);
	return 0;
}

/*
 * Takes in the attempts that have an outcome. Where there is no time for all, the next call goes on where this one has
 * ended. Returns 0, ENOMEM, or EAGAIN: there may be more.
 */
static int collect_attempts(struct tp_engine *engine, int64_t now_us)
{
	struct tp_attempts *attempts = &engine->attempts;
	int error = 0;

	for (size_t left = attempts->count; left > 0 && attempts->count > 0 && engine->winner == NULL; left--) {
		if (engine->scan >= attempts->count)
			engine->scan = 0;
		/* An attempt that ends leaves its place to another one, which is looked at next. */
		if (attempts->fds[engine->scan].revents == 0) {
			engine->scan++;
			continue;
		}
		error = collect(engine, attempts->all[engine->scan], now_us);
		if (error != 0)
			return error;
		if (left > 1 && is_slice_over(engine))
			return EAGAIN;
	}
	return 0;
}

/* One target is open, and one was enough: nothing else goes on. */
static void drop_others(struct tp_engine *engine)
{
	while (engine->oldest != NULL)
		end_probe(engine, engine->oldest);
	engine->queued.first = NULL;
	engine->paused.first = NULL;
	engine->wake_us = engine->end_us = TP_NEVER;
	while (engine->results.oldest != NULL && !engine->results.oldest->done)
		tp_results_release(&engine->results, tp_results_take(&engine->results));
}

/* One turn of the loop. Returns 0, ENOMEM, or what the caller's wait() said. */
static int turn(struct tp_engine *engine, bool may_wait)
{
	int error = wait_for_news(engine, may_wait);
	int64_t now_us = tp_os_now_us();

	free_ended(engine);
	engine->slice_us = now_us + SLICE_US;
	if (error != 0)
		return error;
	if (engine->names.resolver != NULL &&
	    tp_resolver_collect(engine->names.resolver, engine->attempts.fds, engine->attempts.count))
		engine->wake_us = 0;
	error = collect_attempts(engine, now_us);
	/* No deadline counts before all outcomes are taken in: an answer may have come in time. */
	if (error != 0)
		return error == EAGAIN ? 0 : error;
	if (earlier(engine->wake_us, engine->end_us) <= now_us || has_room_for_more(engine)) {
		error = look_at_probes(engine, now_us);
		if (engine->end_us <= now_us)
			end_wait(engine);
		else if (error == 0)
			error = begin_lookups(engine, now_us);
	}
	if (engine->winner != NULL)
		drop_others(engine);
	return error;
}

/* Hands the next result to the caller. */
static void report(struct tp_engine *engine, struct tp_result *result)
{
	if (engine->winner != NULL)
		drop_others(engine);
	engine->reported = tp_results_take(&engine->results);
	tp_record_get(engine->reported, &engine->setup.plan, result);
	engine->reported->fd = -1;
}

int tp_engine_next(struct tp_engine *engine, struct tp_result *result)
{
	bool last = engine->winner != NULL && engine->reported == engine->winner;
	int error = 0;

	if (last)
		return ENOENT;
	if (engine->reported != NULL) {
		tp_results_release(&engine->results, engine->reported);
		engine->reported = NULL;
		free_ended(engine);
		if (++engine->unseen >= RESULTS_A_LOOK) {
			engine->unseen = 0;
			error = is_slice_over(engine) ? turn(engine, false) : 0;
		}
	}
	while (error == 0) {
		error = admit(engine);
		/* Targets that have not been tried at all come first. */
		if (error == 0)
			error = resume(engine);
		if (error != 0)
			break;
		if (has_report(engine)) {
			report(engine, result);
			return 0;
		}
		if (engine->results.oldest == NULL && engine->fed)
			return engine->cut ? ETIMEDOUT : ENOENT;
		error = turn(engine, true);
	}
	return error;
}

struct tp_engine_counts tp_engine_counts(const struct tp_engine *engine)
{
	return engine->counts;
}

struct tp_engine *tp_engine_new(const struct tp_engine_setup *setup)
{
	struct tp_engine *engine = malloc(sizeof(*engine));

	if (engine == NULL)
		return NULL;
	*engine = (struct tp_engine){
		.names = { .hook = setup->helper_hook },
		.wake_us = TP_NEVER,
		.retry_us = TP_NEVER,
		.feed_fd = -1,
		.end_us = TP_NEVER,
	};
	engine->setup = *setup;
	if (setup->plan.until != TP_ONCE)
		engine->end_us = from_now(tp_os_now_us(), setup->plan.wait_us);
	/* A probe that joins a lookup late may wait for it for a whole deadline more; in a wait it goes on from try to try. */
	engine->names.limit_us = setup->plan.until != TP_ONCE ? setup->plan.wait_us : 2 * setup->plan.timeout_us;
	return engine;
}

void tp_engine_free(struct tp_engine *engine)
{
	drop_others(engine);
	free_ended(engine);
	tp_names_free(&engine->names);
	if (engine->reported != NULL)
		tp_results_release(&engine->results, engine->reported);
	tp_results_free(&engine->results);
	tp_attempts_free(&engine->attempts);
	free(engine->spare);
	free(engine);
}
