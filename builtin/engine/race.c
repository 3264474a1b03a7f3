// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_race.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tp_connect.h"

/* RFC 8305, section 5: the Connection Attempt Delay. */
#define ATTEMPT_DELAY_US 250000

/* The share of time of an attempt that holds the last descriptor, where there is no deadline. */
#define LAST_DESCRIPTOR_US 1000000

/* The address whose turn it is; NULL: no further one is known. */
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

/* The handshake's time: the kernel's, which no busy machine delays, or else ours. */
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

/*
 * An attempt that is in no list any more ended so. at_once: connect(2) said so itself; where that is a missing IPv6
 * address or route, this host has no IPv6.
 */
static enum tp_race_news settle(struct tp_race *race, const struct tp_plan *plan, const struct tp_attempt *attempt,
				int fd, int error, const struct tp_evidence *evidence, bool at_once)
{
	int family = attempt->peer.any.sa_family;
	struct tp_finish finish = {
		.state = tp_state_of_connect(error),
		.error = error,
		.absent = at_once && family == AF_INET6 && !evidence->icmp &&
			  (error == ENETUNREACH || error == EADDRNOTAVAIL),
		.address = attempt->peer,
		.evidence = *evidence,
		.connect_us = -1,
		.fd = -1,
	};

	if (finish.state != TP_OPEN) {
		close(fd);
		note_failure(race, &finish);
		/* RFC 8305: the next attempt need not wait any longer. */
		race->due_us = 0;
		return on_or_over(race);
	}
	finish.error = 0;
	finish.evidence = (struct tp_evidence){ 0 };
	finish.connect_us = handshake_us(fd, attempt->started_us);
	if (plan->keep) {
		/* The caller's reads and writes shall meet no more errors than those of any other connection. */
		tp_os_want_evidence(fd, family, false);
		finish.fd = fd;
	} else {
		close(fd);
	}
	race->finish = finish;
	return TP_RACE_OVER;
}

/* Begins the next attempt. *error is what kept its socket from being made, if anything: then nothing was sent. */
static enum tp_race_news begin_attempt(struct tp_race *race, struct tp_probe *probe, const struct tp_plan *plan,
				       struct tp_attempts *attempts, const union tp_address *address, int *error)
{
	struct tp_attempt attempt = { .probe = probe, .list = &race->attempts, .peer = *address };
	struct tp_evidence evidence = { 0 };
	int fd, outcome;

	*error = tp_connect_open(&plan->source, plan->half_open, attempt.peer.any.sa_family, &fd);
	if (*error != 0)
		return TP_RACE_ON;
	tp_address_set_port(&attempt.peer, race->port);
	attempt.started_us = tp_os_now_us();
	outcome = tp_connect_begin(fd, &attempt.peer, &evidence);
	/* Loopback answers at once, and needs no room in the table. */
	if (outcome == EINPROGRESS && tp_attempts_add(attempts, &attempt, fd) != 0)
		outcome = ENOMEM;
	if (tp_is_shortage(outcome)) {
		close(fd);
		*error = outcome;
		return TP_RACE_ON;
	}
	tp_walk_take(&race->walk, address);
	return outcome == EINPROGRESS ? TP_RACE_ON : settle(race, plan, &attempt, fd, outcome, &evidence, true);
}

enum tp_race_news tp_race_go_on(struct tp_race *race, struct tp_probe *probe, const struct tp_plan *plan,
				struct tp_attempts *attempts, int64_t now_us)
{
	enum tp_race_news news = on_or_over(race);
	const union tp_address *address;

	while (news == TP_RACE_ON && (address = next_address(race)) != NULL && race->due_us <= now_us) {
		struct tp_finish failure = { .state = TP_ERROR, .connect_us = -1, .fd = -1 };

		race->due_us = now_us + ATTEMPT_DELAY_US;
		news = begin_attempt(race, probe, plan, attempts, address, &failure.error);
		if (failure.error == 0)
			continue;
		race->due_us = 0;
		if (tp_is_shortage(failure.error) && attempts->count > 0)
			return TP_RACE_SHORT;
		/* By the same errno value connect(2) means something else: here nobody was asked. */
		failure.absent = failure.error == EAFNOSUPPORT;
		failure.address = *address;
		tp_walk_take(&race->walk, address);
		note_failure(race, &failure);
		news = on_or_over(race);
	}
	return news;
}

enum tp_race_news tp_race_collect(struct tp_race *race, const struct tp_plan *plan, struct tp_attempts *attempts,
				  struct tp_attempt *attempt)
{
	struct pollfd *ready = &attempts->fds[attempt->index];
	struct tp_attempt ended = *attempt;
	struct tp_evidence evidence = { 0 };
	int error = tp_connect_outcome(ready, &ended.peer, &evidence);

	ready->revents = 0;
	if (error == EINPROGRESS)
		return TP_RACE_ON;
	return settle(race, plan, &ended, tp_attempts_take(attempts, attempt), error, &evidence, false);
}

int64_t tp_race_due_us(const struct tp_race *race)
{
	return next_address(race) != NULL ? race->due_us : TP_NEVER;
}

void tp_race_expire(struct tp_race *race)
{
	const struct tp_walk begin = { 0 };

	if (race->attempts != NULL)
		note_timeout(race, &race->attempts->peer);
	else if (!race->finished)
		note_timeout(race, race->only != NULL ? race->only : tp_walk_next(&begin, race->lookup));
}

void tp_race_reset(struct tp_race *race, struct tp_attempts *attempts)
{
	tp_attempts_close(attempts, &race->attempts);
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
