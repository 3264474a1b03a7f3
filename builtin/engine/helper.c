// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_helper.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tp_os.h"

/* More addresses than any name has; a reply that counts more is broken. */
#define ADDRESSES_MAX 4096

/*
 * How many helpers there may be: what takes long to fork, since the shell is large, takes long to end, and a signal shall
 * be heard within 100 ms. So their forks together may have taken so long; a few may be there in any case. Questions in a
 * hurry have a share of their own.
 */
#define FORKS_US 35000
#define HELPERS_MIN 8

/* So long a helper may take for an answer that nobody wants any more. Then its place may be wanted. */
#define STALE_US 250000

/* So long all helpers together may take to die. One that takes longer is left to the system. */
#define DEATH_US 500000

/* How long until ended helpers are looked after again. */
#define REAP_US 10000

/* What goes to a helper: so much of this as the host needs, with its NUL. Both ends are one program, so structs serve. */
struct request {
	int family;
	unsigned hurried;
	uint32_t size; /* of the host */
	char host[TP_HOST_MAX + 1];
};

#define REQUEST_HEAD offsetof(struct request, host)

/* What comes back: this and count addresses. Without padding: a helper's stack is nobody's business. */
struct reply {
	int64_t duration_us;
	int eai, error;
	uint64_t count;
};

/* It is idle while lookup is NULL and it is not stale. Where fd is -1 it was told to end, and is to be reaped. */
struct tp_helper {
	pid_t pid;
	int fd;
	struct tp_lookup *lookup;
	enum tp_question question;
	bool stale;       /* nobody wants its answer any more; when that has come, it is idle */
	int64_t stale_us; /* since when */
	bool ready;       /* poll(2) found something to read */
	struct reply reply;
	union tp_address *addresses;
	size_t received;        /* bytes of the reply and, behind it, of the addresses */
	struct tp_helper *idle; /* the next one of the idle */
};

struct tp_helpers {
	struct tp_helper_hook hook;
	unsigned limit_s;
	bool sigchld_blocked;
	sigset_t mask; /* from before */
	struct tp_helper **all;
	size_t count, room, busy, stale, dying;
	struct tp_helper *idle;
	int64_t fork_us;  /* what a fork takes: the least that one took */
	size_t looked_at; /* by tp_helpers_answer(): all from this number on */
};

static int take_addresses(const struct addrinfo *list, union tp_address **addresses, size_t *count)
{
	size_t room = 0;

	for (const struct addrinfo *info = list; info != NULL && room < ADDRESSES_MAX; info = info->ai_next)
		room++;
	*addresses = calloc(room + 1, sizeof(**addresses));
	if (*addresses == NULL)
		return EAI_MEMORY;
	for (; list != NULL && *count < room; list = list->ai_next) {
		union tp_address *address = &(*addresses)[*count];

		if (list->ai_family != AF_INET && list->ai_family != AF_INET6)
			continue;
		memcpy(address, list->ai_addr, list->ai_addrlen);
		tp_address_unmap(address);
		(*count)++;
	}
	return *count > 0 ? 0 : EAI_NONAME;
}

/* Hints and flags as bash's own /dev/tcp has them. */
int tp_get_addresses(const char *host, int family, int flags, union tp_address **addresses, size_t *count, int *error)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags }, *list = NULL;
	int eai = getaddrinfo(host, NULL, &hints, &list);

#ifdef AI_IDN
	/* No library for it is there, or the bytes are no text: the name as it is. */
	if (eai == EAI_IDN_ENCODE) {
		hints.ai_flags = 0;
		eai = getaddrinfo(host, NULL, &hints, &list);
	}
#endif
	*addresses = NULL;
	*count = 0;
	*error = eai == EAI_SYSTEM ? errno : 0;
	/* glibc keeps no errno where it cannot make the socket to ask through. */
	if (eai == EAI_SYSTEM && *error == 0)
		eai = EAI_AGAIN;
	if (eai == 0) {
		eai = take_addresses(list, addresses, count);
		freeaddrinfo(list);
	}
	return eai;
}

/* -- In a helper */

/* Exactly so many bytes, or false. The socket is blocking, and no signal is let in. */
static bool read_all(int fd, void *buffer, size_t size)
{
	return recv(fd, buffer, size, MSG_WAITALL) == (ssize_t)size;
}

static bool write_all(int fd, const void *buffer, size_t size)
{
	return send(fd, buffer, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/*
 * How a name beyond ASCII is looked up: as IDNA has it. libc decodes it as the locale says; in the C locale, which has no
 * such characters, it is UTF-8.
 */
static int idn_flags(const char *host)
{
#ifdef AI_IDN
	for (; *host != '\0'; host++) {
		if ((unsigned char)*host < 0x80)
			continue;
		if (strcmp(setlocale(LC_CTYPE, NULL), "C") == 0)
			setlocale(LC_CTYPE, "C.UTF-8");
		return AI_IDN;
	}
#endif
	(void)host;
	return 0;
}

static bool serve_one(int fd, unsigned limit_s)
{
	struct request request = { 0 };
	union tp_address *addresses;
	struct reply reply;
	size_t count;
	int64_t begin_us;
	bool served;

	if (!read_all(fd, &request, REQUEST_HEAD) || request.size > sizeof(request.host) ||
	    !read_all(fd, request.host, request.size))
		return false;
	alarm(limit_s);
	tp_os_hurry(request.hurried != 0);
	begin_us = tp_os_now_us();
	reply.eai = tp_get_addresses(request.host, request.family, idn_flags(request.host), &addresses, &count,
				     &reply.error);
	reply.duration_us = tp_os_now_us() - begin_us;
	reply.count = count;
	alarm(0);
	served = write_all(fd, &reply, sizeof(reply)) && write_all(fd, addresses, count * sizeof(*addresses));
	free(addresses);
	return served;
}

/*
 * A helper's life. All signals are blocked, so no handler or trap of the shell
 * ever runs here; SIGALRM, with its default, ends a lookup that nobody else ended.
 */
static void serve(const struct tp_helpers *helpers, int fd)
{
	sigset_t alarms;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
	if (helpers->hook.run != NULL)
		helpers->hook.run(helpers->hook.context);
	while (serve_one(fd, helpers->limit_s))
		continue;
	/* Not exit(): the shell's buffered output is the shell's to write. */
	_exit(0);
}

/* -- In the process that asks */

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

/* From the first helper on: a SIGCHLD handler of the program's would reap helpers. */
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
		serve(helpers, channel[1]);
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

/* A new helper, idle. Returns 0, EBUSY where there is no room, or another errno value. */
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

/* Puts it to its end; tp_helpers_watch() reaps it. */
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
	/* Killed only while it is ours to reap: at ECHILD somebody did, and the number may be another's by now. */
	if (waitpid(helper->pid, NULL, WNOHANG) == 0)
		kill(helper->pid, SIGKILL);
	else
		helper->pid = 0;
}

/* Takes out those that have ended. */
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

/* Puts one to its end that still works for nobody. False: there is none. */
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

/* A new helper, idle; where there is no room, in place of a stale one. Returns as tp_resolver_begin(). */
static int make(struct tp_helpers *helpers, enum tp_question question, const struct pollfd *fds, size_t count)
{
	int error = add(helpers, question, fds, count);

	while (error != 0 && end_stale(helpers))
		error = add(helpers, question, fds, count);
	/* Those that work will be free, and those that end give back what they hold. */
	return error != 0 && (helpers->busy > 0 || helpers->dying > 0) ? EBUSY : error;
}

/* It works for nobody any more. */
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

static bool send_request(struct tp_helper *helper, const struct tp_lookup *lookup, enum tp_question question)
{
	static const int families[] = { [TP_ASK_IPV6] = AF_INET6, [TP_ASK_IPV4] = AF_INET };
	struct request request;
	size_t size;

	request.family = question == TP_ASK_ALL ? lookup->family : families[question];
	request.hurried = question != TP_ASK_ALL;
	request.size = (uint32_t)strlen(lookup->host) + 1;
	memcpy(request.host, lookup->host, request.size);
	size = REQUEST_HEAD + request.size;
	return send(helper->fd, &request, size, MSG_NOSIGNAL) == (ssize_t)size;
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
		if (send_request(helper, lookup, question)) {
			helpers->busy++;
			helper->lookup = lookup;
			helper->question = question;
			helper->received = 0;
			lookup->helpers[question] = helper;
			return 0;
		}
		/* An idle one may have died meanwhile; where even a new one takes no request, none will. */
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

int64_t tp_helpers_due_us(const struct tp_helpers *helpers)
{
	return helpers->dying > 0 ? tp_os_now_us() + REAP_US : TP_NEVER;
}

/* Where the next bytes of the reply belong and how many are missing. 0: it is whole. */
static size_t missing(struct tp_helper *helper, char **place)
{
	size_t behind = helper->received - sizeof(helper->reply);

	if (helper->received < sizeof(helper->reply)) {
		*place = (char *)&helper->reply + helper->received;
		return sizeof(helper->reply) - helper->received;
	}
	*place = (char *)helper->addresses + behind;
	return (size_t)helper->reply.count * sizeof(*helper->addresses) - behind;
}

#ifndef __clang__
#pragma GCC diagnostic push
/* gcc's analyzer loses the helper, and so what it holds, at the next read(2). */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
/* The reply's head is there. False: it is no reply of ours. */
static bool take_head(struct tp_helper *helper)
{
	const struct reply *reply = &helper->reply;

	if (reply->count > ADDRESSES_MAX || (reply->eai == 0) != (reply->count > 0))
		return false;
	helper->addresses = calloc((size_t)reply->count + 1, sizeof(*helper->addresses));
	return helper->addresses != NULL;
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

/* Reads on. 0: the reply is whole; EAGAIN: more is to come; else the helper is of no use any more. */
static int receive(struct tp_helper *helper)
{
	size_t size;
	char *place;

	while ((size = missing(helper, &place)) > 0) {
		ssize_t got = read(helper->fd, place, size);

		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return EAGAIN;
		if (got <= 0 || (size_t)got > size)
			return ECHILD;
		helper->received += (size_t)got;
		if (helper->received == sizeof(helper->reply) && !take_head(helper))
			return ENOMEM;
	}
	return 0;
}

/* It has an answer, or has died. False: nobody wants to know. */
static bool conclude(struct tp_helpers *helpers, struct tp_helper *helper, int error, struct tp_answer *answer)
{
	bool wanted = !helper->stale;

	*answer = (struct tp_answer){ .question = helper->question };
	if (wanted)
		answer->lookup = leave(helpers, helper);
	if (error != 0) {
		/* An NSS module may have crashed. Another time it may not. */
		answer->eai = error == ENOMEM ? EAI_MEMORY : EAI_AGAIN;
		end(helpers, helper);
		return wanted;
	}
	answer->eai = helper->reply.eai;
	answer->error = helper->reply.error;
	answer->duration_us = helper->reply.duration_us;
	answer->addresses = helper->addresses;
	answer->count = (size_t)helper->reply.count;
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

		/* A helper that is ended is not ready. */
		helper->ready = false;
		if (!ready)
			continue;
		error = receive(helper);
		if (error == EAGAIN)
			continue;
		if (conclude(helpers, helper, error, answer))
			return true;
		free(answer->addresses);
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
	/* A second more than the caller's own deadline, which should have ended it; alarm(0) would be none. */
	if (limit_us > 0 && limit_us / 1000000 < INT_MAX - 2)
		helpers->limit_s = (unsigned)(limit_us / 1000000) + 2;
	return helpers;
}

void tp_helpers_free(struct tp_helpers *helpers)
{
	int64_t until_us;

	/* All of them at first, as they end side by side. */
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
