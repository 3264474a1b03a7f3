// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tp_helper.h"
#include "tp_os.h"

/*
 * How many helpers there may be. In a large shell a fork takes long, and ending the child takes as long again; but a
 * signal must be heard within 100 ms. So all forks together may take FORKS_US; HELPERS_MIN are allowed in any case.
 * Hurried questions have a share of their own.
 */
#define FORKS_US 25000
#define HELPERS_MIN 8

/* A helper whose answer nobody waits for may go on for this long; then a new helper may take its place. */
#define STALE_US 250000

/* We wait this long in all for killed helpers to end. One that takes longer is left to the system. */
#define DEATH_US 500000

/* How often killed helpers are checked, to be reaped; and stale ones, if their place is needed. */
#define TURN_US 10000

struct tp_helpers {
	struct tp_helper_hook hook;
	unsigned limit_s;
	bool sigchld_blocked;
	sigset_t mask; /* the signal mask that the caller had */
	struct tp_helper **all;
	size_t count, room, busy, stale, dying;
	bool wanted; /* tp_helpers_ask() had none to give */
	struct tp_helper *idle;
	int64_t fork_us;  /* the shortest time that a fork has taken */
	size_t looked_at; /* tp_helpers_answer() has looked at all from this number on */
};

/* A connection that a helper kept open would outlive its close here. */
static void close_inherited(const struct tp_helpers *helpers, const struct pollfd *fds, size_t count)
{
	for (size_t i = 0; i < helpers->count; i++) {
		if (helpers->all[i]->fd >= 0)
			close(helpers->all[i]->fd);
	}
	for (size_t i = 0; i < count; i++)
		close(fds[i].fd);
}

/*
 * In the helper: no standard descriptor stays closed. Else the socket of a name service would take its place, and what
 * a module of the C library says on stderr would go to the name server. The root folder takes it: it is there without
 * /dev, and cannot be written to.
 */
static void hold_standard(void)
{
	int fd;

	do
		fd = open("/", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	/* It may be the last descriptor that the process can have, and a lookup needs one. */
	close(fd);
}

/* Called when the first helper is made: from now on a SIGCHLD handler of the program's would reap helpers. */
static void block_sigchld(struct tp_helpers *helpers)
{
	sigset_t sigchld;

	if (helpers->sigchld_blocked)
		return;
	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &sigchld, &helpers->mask);
	helpers->sigchld_blocked = true;
}

/* Forks. Returns 0 or an errno value. */
static int start(struct tp_helpers *helpers, struct tp_helper *helper, const struct pollfd *fds, size_t count)
{
	int64_t begin_us = tp_os_now_us(), took_us;
	sigset_t all, old;
	int channel[2] = { -1, -1 }, error = tp_os_channel(channel);
	pid_t parent = getpid();

	if (error != 0)
		return error;
	block_sigchld(helpers);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	helper->pid = fork();
	if (helper->pid == 0) {
		tp_os_die_with(parent);
		close(channel[0]);
		close_inherited(helpers, fds, count);
		hold_standard();
		tp_helper_serve(channel[1], helpers->hook, helpers->limit_s);
	}
	error = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(channel[1]);
	if (helper->pid < 0) {
		close(channel[0]);
		return error;
	}
	helper->fd = channel[0];
	took_us = tp_os_now_us() - begin_us;
	if (took_us < helpers->fork_us)
		helpers->fork_us = took_us;
	return 0;
}

/* May there be one more helper for this question? */
static bool is_room(const struct tp_helpers *helpers, enum tp_question question)
{
	int64_t shares = question == TP_ASK_ALL ? 1 : 2;
	int64_t alive = (int64_t)(helpers->count - helpers->dying);

	return alive < shares * HELPERS_MIN || alive * helpers->fork_us < shares * FORKS_US;
}

/* Adds a helper, which is idle. Returns 0, EBUSY if there may be no more, or another errno value. */
static int add(struct tp_helpers *helpers, enum tp_question question, const struct pollfd *fds, size_t count)
{
	struct tp_helper *helper;
	int error;

	if (!is_room(helpers, question))
		return EBUSY;
	if (helpers->count == helpers->room) {
		size_t room = helpers->room * 2 + 16;
		struct tp_helper **all = realloc(helpers->all, room * sizeof(struct tp_helper *));

		if (all == NULL)
			return ENOMEM;
		helpers->all = all;
		helpers->room = room;
	}
	helper = calloc(1, sizeof(*helper));
	error = helper == NULL ? ENOMEM : start(helpers, helper, fds, count);
	if (error != 0) {
		free(helper);
		return error;
	}
	helpers->all[helpers->count++] = helper;
	helpers->idle = helper;
	return 0;
}

/* Kills the helper; tp_helpers_watch() reaps it. */
static void end(struct tp_helpers *helpers, struct tp_helper *helper)
{
	close(helper->fd);
	helper->fd = -1;
	free(helper->addresses);
	helper->addresses = NULL;
	helper->ready = false;
	helpers->stale -= helper->stale;
	helper->stale = false;
	helpers->dying++;
	/*
	 * Killed only while it is still our child. ECHILD means that somebody else has reaped it, and its number may
	 * belong to another process by now.
	 */
	if (waitpid(helper->pid, NULL, WNOHANG) == 0)
		kill(helper->pid, SIGKILL);
	else
		helper->pid = 0;
}

/* Reaps the killed helpers that have ended. */
static void reap(struct tp_helpers *helpers)
{
	for (size_t i = helpers->count; helpers->dying > 0 && i-- > 0;) {
		struct tp_helper *helper = helpers->all[i];

		if (helper->fd >= 0 || (helper->pid != 0 && waitpid(helper->pid, NULL, WNOHANG) == 0))
			continue;
		free(helper);
		helpers->all[i] = helpers->all[--helpers->count];
		helpers->dying--;
	}
}

/* Kills a helper that has been stale for too long. Returns false if there is none. */
static bool end_stale(struct tp_helpers *helpers)
{
	int64_t before_us = helpers->stale == 0 ? 0 : tp_os_now_us() - STALE_US;

	for (size_t i = 0; helpers->stale > 0 && i < helpers->count; i++) {
		if (helpers->all[i]->stale && helpers->all[i]->stale_us < before_us) {
			end(helpers, helpers->all[i]);
			return true;
		}
	}
	return false;
}

/* Adds a helper, which is idle; if there may be no more, in place of a stale one. Returns as tp_resolver_begin(). */
static int make(struct tp_helpers *helpers, enum tp_question question, const struct pollfd *fds, size_t count)
{
	int error = add(helpers, question, fds, count);

	while (error != 0 && end_stale(helpers))
		error = add(helpers, question, fds, count);
	/* Wait: busy and stale helpers will be free, and dying ones will give back what they hold. */
	if (error != 0 && helpers->busy + helpers->stale + helpers->dying > 0)
		error = EBUSY;
	helpers->wanted = error == EBUSY;
	return error;
}

/* Takes the question off the helper. */
static struct tp_lookup *leave(struct tp_helpers *helpers, struct tp_helper *helper)
{
	struct tp_lookup *lookup = helper->lookup;

	helpers->busy--;
	helper->lookup = NULL;
	lookup->helpers[helper->question] = NULL;
	return lookup;
}

void tp_helpers_drop(struct tp_helpers *helpers, struct tp_helper *helper)
{
	leave(helpers, helper);
	helper->stale = true;
	helper->stale_us = tp_os_now_us();
	helpers->stale++;
}

static bool is_watched(const struct tp_helper *helper)
{
	return helper->lookup != NULL || helper->stale;
}

int tp_helpers_ask(struct tp_helpers *helpers, struct tp_lookup *lookup, enum tp_question question,
		   const struct pollfd *fds, size_t count)
{
	for (;;) {
		bool fresh = helpers->idle == NULL;
		int error = fresh ? make(helpers, question, fds, count) : 0;
		struct tp_helper *helper = helpers->idle;

		if (error != 0)
			return error;
		helpers->idle = helper->idle;
		if (tp_helper_ask(helper, lookup, question)) {
			helpers->busy++;
			return 0;
		}
		/* An idle helper may have died meanwhile; but if a new one takes no request either, none will. */
		end(helpers, helper);
		if (fresh)
			return ECHILD;
	}
}

size_t tp_helpers_watched(const struct tp_helpers *helpers)
{
	return helpers->busy + helpers->stale;
}

size_t tp_helpers_watch(struct tp_helpers *helpers, struct pollfd *fds)
{
	size_t count = 0;

	reap(helpers);
	for (size_t i = 0; i < helpers->count; i++) {
		if (is_watched(helpers->all[i]))
			fds[count++] = (struct pollfd){ .fd = helpers->all[i]->fd, .events = POLLIN };
	}
	return count;
}

void tp_helpers_note(struct tp_helpers *helpers, const struct pollfd *fds)
{
	for (size_t i = 0; i < helpers->count; i++) {
		if (is_watched(helpers->all[i]))
			helpers->all[i]->ready = (fds++)->revents != 0;
	}
	helpers->looked_at = helpers->count;
}

bool tp_helpers_wanted(struct tp_helpers *helpers)
{
	bool wanted = helpers->wanted;

	helpers->wanted = false;
	return wanted;
}

int64_t tp_helpers_due_us(const struct tp_helpers *helpers)
{
	return helpers->dying > 0 || helpers->wanted ? tp_os_now_us() + TURN_US : TP_NEVER;
}

/* The helper has answered or died. Returns false if nobody waits for the answer. */
static bool conclude(struct tp_helpers *helpers, struct tp_helper *helper, int error, struct tp_answer *answer)
{
	bool wanted = !helper->stale;

	*answer = (struct tp_answer){ .question = helper->question };
	if (wanted)
		answer->lookup = leave(helpers, helper);
	if (error != 0) {
		/*
		 * An NSS module may have crashed the helper. The next time it may not, so this is a temporary failure.
		 */
		answer->eai = error == ENOMEM ? EAI_MEMORY : EAI_AGAIN;
		end(helpers, helper);
		return wanted;
	}
	answer->eai = helper->reply.eai;
	answer->error = helper->reply.error;
	answer->duration_us = helper->reply.duration_us;
	answer->count = (size_t)helper->reply.count;
	if (wanted)
		answer->addresses = helper->addresses;
	else
		free(helper->addresses);
	helper->addresses = NULL;
	helpers->stale -= helper->stale;
	helper->stale = false;
	helper->idle = helpers->idle;
	helpers->idle = helper;
	return wanted;
}

bool tp_helpers_answer(struct tp_helpers *helpers, struct tp_answer *answer)
{
	while (helpers->looked_at > 0) {
		struct tp_helper *helper = helpers->all[--helpers->looked_at];
		bool ready = helper->ready;
		int error;

		/* Helpers that were killed are not marked ready. */
		helper->ready = false;
		if (!ready)
			continue;
		error = tp_helper_hear(helper);
		if (error == EAGAIN)
			continue;
		if (conclude(helpers, helper, error, answer))
			return true;
	}
	return false;
}

struct tp_helpers *tp_helpers_new(struct tp_helper_hook hook, int64_t limit_us)
{
	struct tp_helpers *helpers = calloc(1, sizeof(*helpers));

	if (helpers == NULL)
		return NULL;
	helpers->hook = hook;
	helpers->fork_us = FORKS_US;
	/*
	 * One second more than the caller's own limit, which should have ended the helper before. alarm(0) would set no
	 * alarm.
	 */
	if (limit_us > 0 && limit_us / 1000000 < INT_MAX - 2)
		helpers->limit_s = (unsigned)(limit_us / 1000000) + 2;
	return helpers;
}

void tp_helpers_free(struct tp_helpers *helpers)
{
	int64_t until_us;

	/* Kill all before waiting for any of them: they end side by side. */
	for (size_t i = 0; i < helpers->count; i++) {
		if (helpers->all[i]->fd >= 0)
			end(helpers, helpers->all[i]);
	}
	until_us = tp_os_now_us() + DEATH_US;
	for (size_t i = 0; i < helpers->count; i++) {
		if (helpers->all[i]->pid != 0)
			tp_os_reap(helpers->all[i]->pid, until_us);
		free(helpers->all[i]);
	}
	if (helpers->sigchld_blocked)
		sigprocmask(SIG_SETMASK, &helpers->mask, NULL);
	free(helpers->all);
	free(helpers);
}
