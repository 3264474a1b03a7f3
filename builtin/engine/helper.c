// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_helper.h"

#include <errno.h>
#include <locale.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tp_idn.h"
#include "tp_os.h"

/*
 * The request to a helper; only the part up to the NUL of the host is sent. Both ends are the same program, so a struct
 * can be the format.
 */
struct request {
	int family;
	unsigned hurried;
	uint32_t size; /* of the host */
	char host[TP_HOST_MAX + 1];
};

#define REQUEST_HEAD offsetof(struct request, host)

static int take_addresses(const struct addrinfo *list, union tp_address **addresses, size_t *count)
{
	size_t room = 0;

	for (const struct addrinfo *info = list; info != NULL && room < TP_ADDRESSES_MAX; info = info->ai_next)
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
	/* There is no IDN library, or the bytes are no text: the name is looked up as it is. */
	if (eai == EAI_IDN_ENCODE) {
		hints.ai_flags = 0;
		eai = getaddrinfo(host, NULL, &hints, &list);
	}
#endif
	*addresses = NULL;
	*count = 0;
	*error = eai == EAI_SYSTEM ? errno : 0;
	/* glibc leaves no errno behind if it cannot make the socket for its questions. */
	if (eai == EAI_SYSTEM && *error == 0)
		eai = EAI_AGAIN;
	if (eai == 0) {
		eai = take_addresses(list, addresses, count);
		freeaddrinfo(list);
	}
	return eai;
}

/* -- In the helper */

/* Reads exactly size bytes, or returns false. The socket is blocking, and all signals are blocked. */
static bool read_all(int fd, void *buffer, size_t size)
{
	return recv(fd, buffer, size, MSG_WAITALL) == (ssize_t)size;
}

static bool write_all(int fd, const void *buffer, size_t size)
{
	return send(fd, buffer, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

/*
 * A name beyond ASCII is looked up as IDNA encodes it: by getaddrinfo(3) with a flag, or by us, in encoded. The name is
 * decoded by the locale; in the C locale, which has no such characters, it is taken as UTF-8.
 */
static const char *encode(const char *host, char encoded[TP_HOST_MAX + 1], int *flags)
{
	*flags = 0;
	if (is_ascii(host))
		return host;
	if (strcmp(setlocale(LC_CTYPE, NULL), "C") == 0)
		setlocale(LC_CTYPE, "C.UTF-8");
#ifdef AI_IDN
	*flags = AI_IDN;
	(void)encoded;
	return host;
#else
	return tp_idn_encode(host, encoded, TP_HOST_MAX + 1);
#endif
}

/* As tp_get_addresses(). Where it would wait in vain for servers that have failed, it does not wait. */
static int look_up(const struct request *request, union tp_address **addresses, size_t *count, int *error)
{
	char encoded[TP_HOST_MAX + 1];
	int flags;
	const char *host = encode(request->host, encoded, &flags);

	tp_os_hurry(request->hurried != 0);
	if (request->hurried == 0 || !tp_os_servers_failed(host, request->family))
		return tp_get_addresses(host, request->family, flags, addresses, count, error);
	*addresses = NULL;
	*count = 0;
	*error = 0;
	return TP_OS_EAI_SAID;
}

static bool serve_one(int fd, unsigned limit_s)
{
	struct request request = { 0 };
	union tp_address *addresses;
	struct tp_reply reply;
	size_t count;
	int64_t begin_us;
	bool served;

	if (!read_all(fd, &request, REQUEST_HEAD) || request.size > sizeof(request.host) ||
	    !read_all(fd, request.host, request.size))
		return false;
	alarm(limit_s);
	begin_us = tp_os_now_us();
	reply.eai = look_up(&request, &addresses, &count, &reply.error);
	reply.duration_us = tp_os_now_us() - begin_us;
	reply.count = count;
	alarm(0);
	served = write_all(fd, &reply, sizeof(reply)) && write_all(fd, addresses, count * sizeof(*addresses));
	free(addresses);
	return served;
}

void tp_helper_serve(int fd, struct tp_helper_hook hook, unsigned limit_s)
{
	sigset_t alarms;

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
	if (hook.run != NULL)
		hook.run(hook.context);
	while (serve_one(fd, limit_s))
		continue;
	/* Not exit(): the shell's buffered output is the shell's to write. */
	_exit(0);
}

/* -- In the process that asks */

bool tp_helper_ask(struct tp_helper *helper, struct tp_lookup *lookup, enum tp_question question)
{
	static const int families[] = { [TP_ASK_IPV6] = AF_INET6, [TP_ASK_IPV4] = AF_INET };
	struct request request;
	size_t size;

	request.family = question == TP_ASK_ALL ? lookup->family : families[question];
	request.hurried = question != TP_ASK_ALL;
	request.size = (uint32_t)strlen(lookup->host) + 1;
	memcpy(request.host, lookup->host, request.size);
	size = REQUEST_HEAD + request.size;
	if (send(helper->fd, &request, size, MSG_NOSIGNAL) != (ssize_t)size)
		return false;
	helper->lookup = lookup;
	helper->question = question;
	helper->received = 0;
	lookup->helpers[question] = helper;
	return true;
}

/* Where the next bytes of the reply go, and how many are missing; 0: the reply is complete. */
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
/* gcc's analyzer loses track of the helper, and of what it owns, at the next read(2). */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
/* Checks the head of a reply. Returns false if this cannot be a reply of ours, or memory is out. */
static bool take_head(struct tp_helper *helper)
{
	const struct tp_reply *reply = &helper->reply;

	if (reply->count > TP_ADDRESSES_MAX || (reply->eai == 0) != (reply->count > 0))
		return false;
	helper->addresses = calloc((size_t)reply->count + 1, sizeof(*helper->addresses));
	return helper->addresses != NULL;
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

int tp_helper_hear(struct tp_helper *helper)
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
