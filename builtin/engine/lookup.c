// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tp_os.h"

/* More addresses than any name has; a reply that counts more is broken. */
#define ADDRESSES_MAX 4096

/* What goes to a helper: this and the host, without NUL. Both ends are one program, so structs serve. */
struct request {
	int family;
	uint32_t length;
};

/* What comes back: this and count addresses. Without padding: a helper's stack is nobody's business. */
struct reply {
	int64_t duration_us;
	int eai, error;
	uint64_t count;
};

/* A slot is empty while pid is 0, idle while lookup is NULL. */
struct helper {
	pid_t pid;
	int fd;
	struct tp_lookup *lookup;
	struct reply reply;
	size_t received; /* bytes of the reply and, behind it, of lookup->addresses */
};

struct tp_resolver {
	struct tp_helper_hook hook;
	unsigned limit_s;
	bool sigchld_blocked;
	sigset_t mask; /* from before */
	struct helper helpers[TP_HELPERS];
};

struct tp_lookup *tp_lookup_new(const char *host, int family)
{
	size_t size = strlen(host) + 1;
	struct tp_lookup *lookup = malloc(sizeof(*lookup) + size);

	if (lookup == NULL)
		return NULL;
	*lookup = (struct tp_lookup){ .users = 1, .family = family, .duration_us = -1 };
	memcpy(lookup->host, host, size);
	return lookup;
}

void tp_lookup_release(struct tp_lookup *lookup)
{
	if (--lookup->users > 0)
		return;
	if (lookup->addresses != &lookup->numeric)
		free(lookup->addresses);
	free(lookup);
}

/* Hints and flags as bash's own /dev/tcp has them. */
static int get_addresses(const char *host, int family, int flags, struct addrinfo **list)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags };

	return getaddrinfo(host, NULL, &hints, list);
}

static bool fits(const struct addrinfo *info)
{
	return info->ai_addrlen <= sizeof(union tp_address) &&
	       (info->ai_family == AF_INET || info->ai_family == AF_INET6);
}

/*
 * An IPv4 address that is written as an IPv6 one (::ffff:10.0.0.1) is taken for what it is: packets to it are IPv4's,
 * and so are their TTL and the ICMP errors that they meet.
 */
static void take_address(union tp_address *address, const struct addrinfo *info)
{
	struct in_addr mapped;

	memcpy(address, info->ai_addr, info->ai_addrlen);
	if (info->ai_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->ipv6.sin6_addr))
		return;
	memcpy(&mapped, &address->ipv6.sin6_addr.s6_addr[12], sizeof(mapped));
	*address = (union tp_address){ .ipv4 = { .sin_family = AF_INET, .sin_addr = mapped } };
}

int tp_lookup_numeric(const char *host, int family, union tp_address *address)
{
	struct addrinfo *list;
	int eai;

	memset(address, 0, sizeof(*address));
	/* The form that nearly all have, at a tenth of the cost. */
	if (family != AF_INET6 && inet_pton(AF_INET, host, &address->ipv4.sin_addr) == 1) {
		address->any.sa_family = AF_INET;
		return 0;
	}
	eai = get_addresses(host, family, AI_NUMERICHOST, &list);
	if (eai != 0)
		return eai;
	take_address(address, list);
	freeaddrinfo(list);
	return 0;
}

/* A hosts file may name an address twice; it is tried once. */
static bool has_address(const struct tp_lookup *lookup, const union tp_address *address)
{
	for (size_t i = 0; i < lookup->count; i++) {
		if (tp_address_equal(&lookup->addresses[i], address, false))
			return true;
	}
	return false;
}

static int store(struct tp_lookup *lookup, const struct addrinfo *list)
{
	size_t count = 0;

	for (const struct addrinfo *info = list; info != NULL && count < ADDRESSES_MAX; info = info->ai_next)
		count++;
	if (count == 0)
		return EAI_NONAME;
	lookup->addresses = calloc(count, sizeof(*lookup->addresses));
	if (lookup->addresses == NULL)
		return EAI_MEMORY;
	for (; list != NULL && lookup->count < count; list = list->ai_next) {
		union tp_address *address = &lookup->addresses[lookup->count];

		if (!fits(list))
			continue;
		take_address(address, list);
		if (!has_address(lookup, address))
			lookup->count++;
	}
	return lookup->count > 0 ? 0 : EAI_NONAME;
}

static void finish(struct tp_lookup *lookup, int eai, int error)
{
	lookup->phase = TP_LOOKUP_DONE;
	lookup->eai = eai;
	lookup->error = error;
}

/* The lookup itself, in a helper or, where it cannot block, here. */
static void resolve(struct tp_lookup *lookup, int flags)
{
	struct addrinfo *list = NULL;
	int eai, error;

	lookup->started_us = tp_os_now_us();
	eai = get_addresses(lookup->host, lookup->family, flags, &list);
#ifdef AI_IDN
	/* No library for it is there, or the bytes are no text: as they are. */
	if (eai == EAI_IDN_ENCODE)
		eai = get_addresses(lookup->host, lookup->family, 0, &list);
#endif
	error = errno;
	/* glibc keeps no errno where it cannot make the socket to ask through. */
	if (eai == EAI_SYSTEM && error == 0)
		eai = EAI_AGAIN;
	if (eai == 0) {
		eai = store(lookup, list);
		freeaddrinfo(list);
	}
	lookup->duration_us = tp_os_now_us() - lookup->started_us;
	finish(lookup, eai, eai == EAI_SYSTEM ? error : 0);
}

/* True: done, since no name was to be looked up. */
static bool resolve_numeric(struct tp_lookup *lookup)
{
	int eai = tp_lookup_numeric(lookup->host, lookup->family, &lookup->numeric);

	/* What has a colon is no name: an address whose zone this host does not know. */
	if (eai == EAI_NONAME && strchr(lookup->host, ':') == NULL)
		return false;
	if (eai == 0) {
		lookup->addresses = &lookup->numeric;
		lookup->count = 1;
	}
	finish(lookup, eai, 0);
	return true;
}

/* The loopback addresses of these kinds, in the order of RFC 6724. */
static void resolve_loopback(struct tp_lookup *lookup, unsigned kinds)
{
	lookup->addresses = calloc(2, sizeof(*lookup->addresses));
	if (lookup->addresses == NULL) {
		finish(lookup, EAI_MEMORY, 0);
		return;
	}
	if ((kinds & TP_HOSTS_LOOPBACK6) != 0)
		lookup->addresses[lookup->count++].ipv6 =
			(struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	if ((kinds & TP_HOSTS_LOOPBACK) != 0)
		lookup->addresses[lookup->count++].ipv4 = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
	finish(lookup, 0, 0);
}

bool tp_lookup_at_once(struct tp_lookup *lookup)
{
	int64_t begin_us;
	unsigned kinds;

	if (lookup->needs_helper)
		return false;
	if (resolve_numeric(lookup))
		return true;
	begin_us = tp_os_now_us();
	kinds = tp_hosts_file_answers(lookup->host, lookup->family);
	/* RFC 6761, section 6.3: no server is asked for it, and an image without a hosts file has it too. */
	if (kinds == 0 && strcasecmp(lookup->host, "localhost") == 0)
		kinds = (lookup->family != AF_INET6 ? TP_HOSTS_LOOPBACK : 0) |
			(lookup->family != AF_INET ? TP_HOSTS_LOOPBACK6 : 0);
	lookup->needs_helper = kinds == 0;
	if (lookup->needs_helper)
		return false;
	if ((kinds & TP_HOSTS_OTHER) != 0)
		resolve(lookup, 0);
	else
		resolve_loopback(lookup, kinds);
	lookup->duration_us = tp_os_now_us() - begin_us;
	return true;
}

/* Exactly so many bytes over a blocking socket, or false. */
static bool read_all(int fd, void *buffer, size_t size)
{
	while (size > 0) {
		ssize_t got = read(fd, buffer, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		buffer = (char *)buffer + got;
		size -= (size_t)got;
	}
	return true;
}

static bool write_all(int fd, const void *buffer, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, buffer, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		buffer = (const char *)buffer + put;
		size -= (size_t)put;
	}
	return true;
}

/*
 * How a name beyond ASCII is looked up, in a helper: as IDNA has it. libc decodes it as the locale says; in the C locale,
 * which has no such characters, it is UTF-8.
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
	char host[(TP_HOST_MAX + 1)];
	struct request request;
	struct tp_lookup *lookup;
	struct reply reply;
	bool served;

	if (!read_all(fd, &request, sizeof(request)) || request.length >= sizeof(host) ||
	    !read_all(fd, host, request.length))
		return false;
	host[request.length] = '\0';
	lookup = tp_lookup_new(host, request.family);
	if (lookup == NULL)
		return false;
	alarm(limit_s);
	resolve(lookup, idn_flags(host));
	alarm(0);
	reply = (struct reply){ lookup->duration_us, lookup->eai, lookup->error, lookup->count };
	served = write_all(fd, &reply, sizeof(reply)) &&
		 write_all(fd, lookup->addresses, lookup->count * sizeof(*lookup->addresses));
	tp_lookup_release(lookup);
	return served;
}

/*
 * A helper's life. All signals are blocked, so no handler or trap of the shell
 * ever runs here; SIGALRM, with its default, ends a lookup that nobody else ended.
 */
static void serve(const struct tp_resolver *resolver, int fd)
{
	sigset_t alarms;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
	if (resolver->hook.run != NULL)
		resolver->hook.run(resolver->hook.context);
	while (serve_one(fd, resolver->limit_s))
		continue;
	/* Not exit(): the shell's buffered output is the shell's to write. */
	_exit(0);
}

/* A connection that a helper kept open would outlive its close here. */
static void close_inherited(const struct tp_resolver *resolver, const struct pollfd *fds, size_t count)
{
	for (size_t i = 0; i < TP_HELPERS; i++) {
		if (resolver->helpers[i].pid != 0)
			close(resolver->helpers[i].fd);
	}
	for (size_t i = 0; i < count; i++)
		close(fds[i].fd);
}

/* From the first helper on: a SIGCHLD handler of the program's would reap helpers. */
static void block_sigchld(struct tp_resolver *resolver)
{
	sigset_t sigchld;

	if (resolver->sigchld_blocked)
		return;
	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &sigchld, &resolver->mask);
	resolver->sigchld_blocked = true;
}

static int start_helper(struct tp_resolver *resolver, struct helper *helper, const struct pollfd *fds, size_t count)
{
	sigset_t all, old;
	int channel[2], error = tp_os_channel(channel);
	pid_t pid, parent = getpid();

	if (error != 0)
		return error;
	block_sigchld(resolver);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0) {
		tp_os_die_with(parent);
		close(channel[0]);
		close_inherited(resolver, fds, count);
		serve(resolver, channel[1]);
	}
	error = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(channel[1]);
	if (pid < 0) {
		close(channel[0]);
		return error;
	}
	*helper = (struct helper){ .pid = pid, .fd = channel[0] };
	return 0;
}

static void end_helper(struct helper *helper)
{
	close(helper->fd);
	/* Killed only while it is ours to reap: at ECHILD somebody did, and the number may be another's by now. */
	if (waitpid(helper->pid, NULL, WNOHANG) == 0) {
		kill(helper->pid, SIGKILL);
		while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	helper->pid = 0;
	helper->lookup = NULL;
}

static bool send_request(struct helper *helper, struct tp_lookup *lookup)
{
	char message[sizeof(struct request) + (TP_HOST_MAX + 1)];
	struct request request = { lookup->family, (uint32_t)strlen(lookup->host) };
	size_t size = sizeof(request) + request.length;

	memcpy(message, &request, sizeof(request));
	memcpy(message + sizeof(request), lookup->host, request.length);
	if (send(helper->fd, message, size, MSG_NOSIGNAL) != (ssize_t)size)
		return false;
	helper->lookup = lookup;
	helper->received = 0;
	lookup->phase = TP_LOOKUP_RUNNING;
	lookup->started_us = tp_os_now_us();
	return true;
}

/* An idle helper, else an empty slot, else NULL. */
static struct helper *free_helper(struct tp_resolver *resolver)
{
	struct helper *empty = NULL;

	for (size_t i = 0; i < TP_HELPERS; i++) {
		struct helper *helper = &resolver->helpers[i];

		if (helper->pid != 0 && helper->lookup == NULL)
			return helper;
		if (helper->pid == 0 && empty == NULL)
			empty = helper;
	}
	return empty;
}

static bool any_helper(const struct tp_resolver *resolver)
{
	for (size_t i = 0; i < TP_HELPERS; i++) {
		if (resolver->helpers[i].pid != 0)
			return true;
	}
	return false;
}

int tp_resolver_begin(struct tp_resolver *resolver, struct tp_lookup *lookup, const struct pollfd *fds, size_t count)
{
	struct helper *helper;

	while ((helper = free_helper(resolver)) != NULL) {
		bool fresh = helper->pid == 0;
		int error = fresh ? start_helper(resolver, helper, fds, count) : 0;

		if (error != 0)
			return any_helper(resolver) ? EBUSY : error;
		if (send_request(helper, lookup))
			return 0;
		/* An idle one may have died meanwhile; where even a new one takes no request, none will. */
		end_helper(helper);
		if (fresh)
			return ECHILD;
	}
	return EBUSY;
}

void tp_resolver_abandon(struct tp_resolver *resolver, struct tp_lookup *lookup)
{
	for (size_t i = 0; i < TP_HELPERS; i++) {
		struct helper *helper = &resolver->helpers[i];

		if (helper->pid != 0 && helper->lookup == lookup)
			end_helper(helper);
	}
	/* A reply may have been on its way. */
	free(lookup->addresses);
	lookup->addresses = NULL;
	lookup->count = 0;
	lookup->duration_us = -1;
	lookup->phase = TP_LOOKUP_NEW;
}

size_t tp_resolver_watch(const struct tp_resolver *resolver, struct pollfd fds[TP_HELPERS])
{
	size_t count = 0;

	for (size_t i = 0; i < TP_HELPERS; i++) {
		const struct helper *helper = &resolver->helpers[i];

		if (helper->lookup != NULL)
			fds[count++] = (struct pollfd){ .fd = helper->fd, .events = POLLIN };
	}
	return count;
}

/* Where the next bytes of the reply belong and how many are missing. 0: it is whole. */
static size_t missing(struct helper *helper, char **place)
{
	struct tp_lookup *lookup = helper->lookup;
	size_t behind = helper->received - sizeof(helper->reply);

	if (helper->received < sizeof(helper->reply)) {
		*place = (char *)&helper->reply + helper->received;
		return sizeof(helper->reply) - helper->received;
	}
	*place = (char *)lookup->addresses + behind;
	return (size_t)helper->reply.count * sizeof(*lookup->addresses) - behind;
}

#ifndef __clang__
#pragma GCC diagnostic push
/* gcc's analyzer loses the lookup, and so what it holds, at the next read(2). */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
/* The reply's head is there. False: it is no reply of ours. */
static bool take_head(struct helper *helper)
{
	struct tp_lookup *lookup = helper->lookup;

	lookup->duration_us = helper->reply.duration_us;
	lookup->count = (size_t)helper->reply.count;
	if (lookup->count > ADDRESSES_MAX || (helper->reply.eai == 0) != (lookup->count > 0))
		return false;
	lookup->addresses = calloc(lookup->count + 1, sizeof(*lookup->addresses));
	return lookup->addresses != NULL;
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

/* Reads on. 0: the reply is whole; EAGAIN: more is to come; else the helper is of no use any more. */
static int receive(struct helper *helper)
{
	size_t size;
	char *place;

	while ((size = missing(helper, &place)) > 0) {
		ssize_t got = read(helper->fd, place, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return EAGAIN;
		if (got <= 0)
			return ECHILD;
		helper->received += (size_t)got;
		if (helper->received == sizeof(helper->reply) && !take_head(helper))
			return ENOMEM;
	}
	return 0;
}

static bool collect_one(struct helper *helper)
{
	struct tp_lookup *lookup = helper->lookup;
	int error = receive(helper);

	if (error == EAGAIN)
		return false;
	if (error == 0) {
		finish(lookup, helper->reply.eai, helper->reply.error);
		helper->lookup = NULL;
	} else {
		lookup->count = 0;
		finish(lookup, EAI_SYSTEM, error);
		end_helper(helper);
	}
	return true;
}

bool tp_resolver_collect(struct tp_resolver *resolver, const struct pollfd fds[TP_HELPERS])
{
	bool any = false;

	/* The fds are those of the busy helpers, in the helpers' order. */
	for (size_t i = 0; i < TP_HELPERS; i++) {
		if (resolver->helpers[i].lookup != NULL && (fds++)->revents != 0 && collect_one(&resolver->helpers[i]))
			any = true;
	}
	return any;
}

struct tp_resolver *tp_resolver_new(struct tp_helper_hook hook, int64_t limit_us)
{
	struct tp_resolver *resolver = calloc(1, sizeof(*resolver));

	if (resolver == NULL)
		return NULL;
	resolver->hook = hook;
	/* A second more than the caller's own deadline, which should have ended it; alarm(0) would be none. */
	if (limit_us > 0 && limit_us / 1000000 < INT_MAX - 2)
		resolver->limit_s = (unsigned)(limit_us / 1000000) + 2;
	return resolver;
}

void tp_resolver_free(struct tp_resolver *resolver)
{
	for (size_t i = 0; i < TP_HELPERS; i++) {
		if (resolver->helpers[i].pid != 0)
			end_helper(&resolver->helpers[i]);
	}
	if (resolver->sigchld_blocked)
		sigprocmask(SIG_SETMASK, &resolver->mask, NULL);
	free(resolver);
}
