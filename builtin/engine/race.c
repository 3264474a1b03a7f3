// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_race.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tp_connect.h"

/* RFC 8305, section 5: the Connection Attempt Delay. */
#define ATTEMPT_DELAY_US 250000

/* How long an attempt may hold the last descriptor if there is no deadline. */
#define LAST_DESCRIPTOR_US 1000000

/* The next address to try; NULL: no further one is known. */
static const union tp_address *next_address(const struct tp_race *race)
{
	if (race->only != NULL)
		return race->walk.last == 0 ? race->only : NULL;
	return tp_walk_next(&race->walk, race->lookup);
}

static void note_failure(struct tp_race *race, const struct tp_finish *failure)
{
	bool tells_more = !race->finished || tp_state_tells_more(failure->state, race->finish.state);

	if (race->finished && failure->absent != race->finish.absent)
		tells_more = race->finish.absent;
	if (!tells_more)
		return;
	race->finished = true;
	race->finish = *failure;
}

static void note_timeout(struct tp_race *race, const union tp_address *address)
{
	struct tp_finish failure = {
		.state = TP_TIMEOUT, .error = ETIMEDOUT, .address = *address, .connect_us = -1, .fd = -1
	};

	note_failure(race, &failure);
}

/* The time of the handshake: as the kernel measured it, which a busy machine does not distort, or else as we did. */
static int64_t handshake_us(int fd, int64_t started_us)
{
	int64_t ours_us = tp_os_now_us() - started_us, kernels_us = tp_os_handshake_us(fd);

	return kernels_us >= 0 && kernels_us < ours_us ? kernels_us : ours_us;
}

static enum tp_race_news on_or_over(const struct tp_race *race)
{
	bool more = next_address(race) != NULL || (race->only == NULL && race->lookup->phase == TP_LOOKUP_RUNNING);

	return race->attempts == NULL && !more ? TP_RACE_OVER : TP_RACE_ON;
}

/* -- Holding */

/* The handshake is done. The attempt stays in the table, as a connection that is held. */
static void hold(struct tp_race *race, const struct tp_plan *plan, struct tp_attempts *attempts,
		 struct tp_attempt *attempt)
{
	struct pollfd *fd = &attempts->fds[attempt->index];

	/* ICMP errors do not matter any more, and those in the queue would end every wait at once. */
	tp_os_want_evidence(fd->fd, attempt->peer.any.sa_family, false);
	fd->events = POLLIN;
	attempt->connect_us = handshake_us(fd->fd, attempt->started_us);
	attempt->held_until_us = tp_os_now_us() + plan->hold_us;
	race->held++;
}

/*
 * A held connection, which is in no list any more, has an outcome: it is open, or the peer has hung up, as error says.
 */
static enum tp_race_news end_hold(struct tp_race *race, const struct tp_plan *plan, const struct tp_attempt *attempt,
				  int fd, int error, struct tp_banner *banner)
{
	struct tp_finish finish = {
		.state = TP_OPEN,
		.error = error,
		.address = attempt->peer,
		.banner = banner,
		.connect_us = attempt->connect_us,
		.fd = -1,
	};

	race->held--;
	if (error == 0 && plan->keep)
		finish.fd = fd;
	else
		close(fd);
	if (error == 0) {
		race->finish = finish;
		return TP_RACE_OVER;
	}
	if (error == ECONNRESET || error == EPIPE) {
		finish.state = TP_HANGUP;
		finish.evidence.reporter = attempt->peer;
	} else {
		finish.state = TP_ERROR;
	}
	note_failure(race, &finish);
	race->due_us = 0;
	return on_or_over(race);
}

/* Takes in what the peer of a held connection has done. is_over: the hold is over, so silence means open. */
static enum tp_race_news listen_to(struct tp_race *race, const struct tp_plan *plan, struct tp_attempts *attempts,
				   struct tp_attempt *attempt, bool is_over)
{
	struct tp_attempt ended = *attempt;
	struct tp_banner *banner;
	int error = tp_banner_hear(attempts->fds[attempt->index].fd, &banner);

	if (error == EINPROGRESS && !is_over)
		return TP_RACE_ON;
	return end_hold(race, plan, &ended, tp_attempts_take(attempts, attempt), error == EINPROGRESS ? 0 : error,
			banner);
}

/* Ends the holds that are over. */
static enum tp_race_news end_holds(struct tp_race *race, const struct tp_plan *plan, struct tp_attempts *attempts,
				   int64_t now_us)
{
	enum tp_race_news news = TP_RACE_ON;
	struct tp_attempt *next;

	for (struct tp_attempt *attempt = race->attempts; attempt != NULL && news == TP_RACE_ON; attempt = next) {
		next = attempt->next;
		if (attempt->held_until_us != 0 && attempt->held_until_us <= now_us)
			news = listen_to(race, plan, attempts, attempt, true);
	}
	return news;
}

/* The held connection whose hold ends first; NULL: none is held. */
static const struct tp_attempt *first_held(const struct tp_race *race)
{
	const struct tp_attempt *first = NULL;

	for (const struct tp_attempt *attempt = race->attempts; race->held > 0 && attempt != NULL;
	     attempt = attempt->next) {
		if (attempt->held_until_us != 0 && (first == NULL || attempt->held_until_us < first->held_until_us))
			first = attempt;
	}
	return first;
}

/* -- Attempts */

/*
 * Shall a connection with this outcome of its handshake be held? Also one that the peer has reset: it may have spoken
 * before.
 */
static bool is_to_hold(const struct tp_plan *plan, int error)
{
	return plan->hold_us > 0 && tp_state_of_connect(error) == TP_OPEN;
}

/*
 * An attempt, which is in no list any more, has this outcome; *finish holds its evidence, and the rest is filled in.
 * at_once: connect(2) itself returned it; if it means that an IPv6 address or route is missing, this host has no IPv6.
 */
static enum tp_race_news settle(struct tp_race *race, const struct tp_plan *plan, const struct tp_attempt *attempt,
				int fd, int error, bool at_once, struct tp_finish *finish)
{
	int family = attempt->peer.any.sa_family;

	finish->state = tp_state_of_connect(error);
	finish->address = attempt->peer;
	finish->fd = -1;
	if (finish->state != TP_OPEN) {
		finish->error = error;
		finish->absent = at_once && family == AF_INET6 && !finish->evidence.icmp &&
				 (error == ENETUNREACH || error == EADDRNOTAVAIL);
		finish->connect_us = -1;
		close(fd);
		note_failure(race, finish);
		/* RFC 8305: the next attempt need not wait any longer. */
		race->due_us = 0;
		return on_or_over(race);
	}
	finish->evidence = (struct tp_evidence){ 0 };
	finish->connect_us = handshake_us(fd, attempt->started_us);
	if (plan->keep) {
		/*
		 * With IP_RECVERR on, ICMP errors would fail the caller's reads and writes as on no other connection.
		 */
		tp_os_want_evidence(fd, family, false);
		finish->fd = fd;
	} else {
		close(fd);
	}
	race->finish = *finish;
	return TP_RACE_OVER;
}

/* Begins the next attempt. *error is why its socket could not be made, or 0; if it is not 0, nothing was sent. */
static enum tp_race_news begin_attempt(struct tp_race *race, struct tp_probe *probe, const struct tp_plan *plan,
				       struct tp_attempts *attempts, const union tp_address *address, int *error)
{
	struct tp_attempt attempt = { .probe = probe, .list = &race->attempts, .peer = *address };
	struct tp_finish finish = { 0 };
	bool holds;
	int fd, outcome;

	*error = tp_connect_open(&plan->source, plan->half_open, attempt.peer.any.sa_family, &fd);
	if (*error != 0)
		return TP_RACE_ON;
	tp_address_set_port(&attempt.peer, race->port);
	attempt.started_us = tp_os_now_us();
	outcome = tp_connect_begin(fd, &attempt.peer, &finish.evidence);
	holds = is_to_hold(plan, outcome);
	/* Loopback answers at once, and such an attempt needs no room in the table. */
	if ((outcome == EINPROGRESS || holds) && tp_attempts_add(attempts, &attempt, fd) != 0)
		outcome = ENOMEM;
	if (tp_is_shortage(outcome)) {
		close(fd);
		*error = outcome;
		return TP_RACE_ON;
	}
	tp_walk_take(&race->walk, address);
	if (holds) {
		hold(race, plan, attempts, attempts->all[attempts->count - 1]);
		return TP_RACE_ON;
	}
	return outcome == EINPROGRESS ? TP_RACE_ON : settle(race, plan, &attempt, fd, outcome, true, &finish);
}

enum tp_race_news tp_race_go_on(struct tp_race *race, struct tp_probe *probe, const struct tp_plan *plan,
				struct tp_attempts *attempts, int64_t now_us)
{
	enum tp_race_news news = race->held > 0 ? end_holds(race, plan, attempts, now_us) : TP_RACE_ON;

	while (news == TP_RACE_ON && race->held == 0) {
		const union tp_address *address = next_address(race);
		struct tp_finish failure;
		int error;

		if (address == NULL)
			return on_or_over(race);
		if (race->due_us > now_us)
			break;
		race->due_us = now_us + ATTEMPT_DELAY_US;
		news = begin_attempt(race, probe, plan, attempts, address, &error);
		if (error == 0)
			continue;
		race->due_us = 0;
		if (tp_is_shortage(error) && attempts->count > 0)
			return TP_RACE_SHORT;
		/* From connect(2) the same errno value means something else; here no peer was asked. */
		failure = (struct tp_finish){
			.state = TP_ERROR,
			.error = error,
			.absent = error == EAFNOSUPPORT,
			.address = *address,
			.connect_us = -1,
			.fd = -1,
		};
		note_failure(race, &failure);
		tp_walk_take(&race->walk, address);
		news = on_or_over(race);
	}
	return news;
}

enum tp_race_news tp_race_collect(struct tp_race *race, const struct tp_plan *plan, struct tp_attempts *attempts,
				  struct tp_attempt *attempt)
{
	struct pollfd *ready = &attempts->fds[attempt->index];
	struct tp_attempt ended = *attempt;
	struct tp_finish finish = { 0 };
	int error;

	if (attempt->held_until_us != 0) {
		ready->revents = 0;
		return listen_to(race, plan, attempts, attempt, false);
	}
	error = tp_connect_outcome(ready, &ended.peer, &finish.evidence);
	ready->revents = 0;
	if (error == EINPROGRESS)
		return TP_RACE_ON;
	if (is_to_hold(plan, error)) {
		hold(race, plan, attempts, attempt);
		return TP_RACE_ON;
	}
	return settle(race, plan, &ended, tp_attempts_take(attempts, attempt), error, false, &finish);
}

int64_t tp_race_due_us(const struct tp_race *race)
{
	const struct tp_attempt *held = first_held(race);

	if (held != NULL)
		return held->held_until_us;
	return next_address(race) != NULL ? race->due_us : TP_NEVER;
}

void tp_race_expire(struct tp_race *race)
{
	const struct tp_attempt *held = first_held(race);
	const struct tp_walk begin = { 0 };

	if (held != NULL) {
		race->finish = (struct tp_finish){
			.state = TP_TIMEOUT,
			.error = ETIMEDOUT,
			.held = true,
			.address = held->peer,
			.connect_us = held->connect_us,
			.fd = -1,
		};
		return;
	}
	if (race->attempts != NULL)
		note_timeout(race, &race->attempts->peer);
	else if (!race->finished)
		note_timeout(race, race->only != NULL ? race->only : tp_walk_next(&begin, race->lookup));
}

void tp_race_reset(struct tp_race *race, struct tp_attempts *attempts)
{
	tp_attempts_close(attempts, &race->attempts);
	race->held = 0;
	race->walk = (struct tp_walk){ 0 };
	race->due_us = 0;
	race->finished = false;
}

/* The time until the deadline is shared evenly by the oldest attempt and the addresses that are left. */
static int64_t share_us(const struct tp_race *race, int64_t deadline_us)
{
	int64_t left_us = deadline_us - race->attempts->started_us;
	size_t left = race->only != NULL ? 0 : tp_walk_left(&race->walk, race->lookup);

	if (deadline_us == TP_NEVER)
		return LAST_DESCRIPTOR_US;
	return left_us / ((int64_t)left + 1);
}

void tp_race_make_way(struct tp_race *race, struct tp_attempts *attempts, int64_t deadline_us, int64_t now_us)
{
	/* It has had the ATTEMPT_DELAY_US that every attempt gets. */
	race->due_us = race->attempts->started_us + share_us(race, deadline_us);
	if (race->due_us > now_us)
		return;
	note_timeout(race, &race->attempts->peer);
	close(tp_attempts_take(attempts, race->attempts));
}
