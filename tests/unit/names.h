/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A resolver of the test's own: the engine's objects are linked against this
 * getaddrinfo(3), which asks no network. A name is answered from the test's
 * table, and may block, or take its process with it.
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

#define NAME_ADDRESSES 6

enum name_does { ANSWERS, BLOCKS, DIES };

/* Which questions a name leaves unanswered: those for both families, for one of them. */
enum name_silent { SILENT_ALL = 1, SILENT_IPV4 = 2, SILENT_IPV6 = 4 };

struct name {
	const char *name;
	const char *addresses[NAME_ADDRESSES];
	enum name_does does;
	unsigned silent;   /* enum name_silent, together */
	unsigned delay_ms; /* of what is answered */
	unsigned later_ms; /* of what is answered to a question for IPv6 alone, more than that */
	int eai, error;
	unsigned many; /* so many addresses, 10.0.0.0 and on */
};

/* The test's; the last has no name. */
static const struct name names[];

/* What all processes of the test see. */
static struct {
	atomic_int lookups; /* of names */
	atomic_int helpers; /* that began, where the hook is note_helper() */
	atomic_int last_helper;
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

/* One entry that its list owns, with room for its address. */
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

/* NULL: it is no address of this family. */
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

static const struct name *find_name(const char *host)
{
	for (const struct name *name = names; name->name != NULL; name++) {
		if (strcmp(name->name, host) == 0)
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
		usleep(1000 * (name->delay_ms + (hints->ai_family == AF_INET6 ? name->later_ms : 0)));
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

/* How many descriptors are open, of those that a test may have. */
static inline int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1000; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

#endif
