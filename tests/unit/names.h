/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A resolver of the test's own: the engine's objects are linked against the getaddrinfo(3) below, which asks no
 * network. It answers from the test's table of names. A name may also block, or kill the process that asks.
 */
#ifndef TP_UNIT_NAMES_H
#define TP_UNIT_NAMES_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define NAME_ADDRESSES 6

enum name_does { ANSWERS, BLOCKS, DIES };

/* The questions that a name leaves unanswered: the one for both families, or the one for a single family. */
enum name_silent { SILENT_ALL = 1, SILENT_IPV4 = 2, SILENT_IPV6 = 4 };

struct name {
	const char *name;
	const char *addresses[NAME_ADDRESSES];
	enum name_does does;
	unsigned silent;   /* values of enum name_silent, added up */
	unsigned delay_ms; /* how long an answer takes */
	unsigned later_ms; /* how much later than IPv4's the answer to a question for IPv6 alone comes */
	int eai, error;
	unsigned many; /* this many more addresses: 10.0.0.0, 10.0.0.1 and so on */
};

/* The test's table; the last row has no name. */
static const struct name names[];

/* All processes of the test share this. */
static struct {
	atomic_int lookups; /* of names */
	atomic_int helpers; /* how many began, if the hook is note_helper() */
	atomic_int last_helper;
	atomic_int ipv4_answers; /* to questions for IPv4 alone */
} * shared;

static inline void share(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
}

static inline void note_helper(void *context)
{
	(void)context;
	shared->last_helper = getpid();
	shared->helpers++;
}

/* A new entry of a list, with room for its address behind it. */
static struct addrinfo *new_info(int family, size_t size)
{
	struct addrinfo *info = calloc(1, sizeof(*info) + size);

	if (info == NULL)
		abort();
	info->ai_family = family;
	info->ai_addrlen = (socklen_t)size;
	info->ai_addr = (struct sockaddr *)(info + 1);
	info->ai_addr->sa_family = (sa_family_t)family;
	return info;
}

/* Returns NULL if the text is no address of this family. */
static struct addrinfo *numeric_info(const char *text, int family)
{
	struct in6_addr binary;
	struct addrinfo *info = NULL;

	if (family != AF_INET6 && inet_pton(AF_INET, text, &binary) == 1) {
		info = new_info(AF_INET, sizeof(struct sockaddr_in));
		memcpy(&((struct sockaddr_in *)(void *)info->ai_addr)->sin_addr, &binary, sizeof(struct in_addr));
	} else if (family != AF_INET && inet_pton(AF_INET6, text, &binary) == 1) {
		info = new_info(AF_INET6, sizeof(struct sockaddr_in6));
		((struct sockaddr_in6 *)(void *)info->ai_addr)->sin6_addr = binary;
	}
	return info;
}

/* A row is about its name, and about every name with one more label before it. */
static const struct name *find_name(const char *host)
{
	const char *dot = strchr(host, '.');

	for (const struct name *name = names; name->name != NULL; name++) {
		if (strcmp(name->name, host) == 0 || (dot != NULL && strcmp(name->name, dot + 1) == 0))
			return name;
	}
	return NULL;
}

static struct addrinfo **append(struct addrinfo **link, struct addrinfo *info)
{
	*link = info;
	return info == NULL ? link : &info->ai_next;
}

static unsigned question_of(int family)
{
	return family == AF_INET ? SILENT_IPV4 : family == AF_INET6 ? SILENT_IPV6 : SILENT_ALL;
}

static int answer(const struct name *name, int family, struct addrinfo **list)
{
	struct addrinfo **link = list;

	*list = NULL;
	for (size_t i = 0; i < NAME_ADDRESSES && name->addresses[i] != NULL; i++)
		link = append(link, numeric_info(name->addresses[i], family));
	for (unsigned i = 0; i < name->many; i++) {
		struct addrinfo *info = new_info(AF_INET, sizeof(struct sockaddr_in));

		((struct sockaddr_in *)(void *)info->ai_addr)->sin_addr.s_addr = htonl((UINT32_C(10) << 24) + i);
		link = append(link, info);
	}
	return *list == NULL ? EAI_NONAME : 0;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	const struct name *name = find_name(host);

	(void)service;
	if ((hints->ai_flags & AI_NUMERICHOST) != 0) {
		*list = numeric_info(host, hints->ai_family);
		return *list == NULL ? EAI_NONAME : 0;
	}
	shared->lookups++;
	while (name != NULL && (name->does == BLOCKS || (name->silent & question_of(hints->ai_family)) != 0))
		pause();
	if (name != NULL)
		usleep(1000 * name->delay_ms);
	if (name != NULL && name->later_ms > 0 && hints->ai_family == AF_INET6) {
		while (shared->ipv4_answers == 0)
			usleep(1000);
		usleep(1000 * name->later_ms);
	}
	shared->ipv4_answers += hints->ai_family == AF_INET;
	if (name != NULL && name->does == DIES)
		kill(getpid(), SIGKILL);
	if (name == NULL || name->eai != 0) {
		errno = name == NULL ? 0 : name->error;
		return name == NULL ? EAI_NONAME : name->eai;
	}
	return answer(name, hints->ai_family, list);
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

/* No child is left, neither alive nor dead. */
static inline bool no_child(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

/*
 * As no_child(), after everything was freed. Helpers that were killed are waited for, but only half a second: on a busy
 * machine one may take longer to end, and is left to the system.
 */
static inline bool no_child_left(void)
{
	int status;

	if (no_child())
		return true;
	while (waitpid(-1, &status, 0) > 0) {
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			return false;
	}
	return unit_stalled_us() - unit.stalled_us > 500000;
}

/* How many of the first 1,000 descriptors are open; a test keeps no others. */
static inline int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1000; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

#endif
