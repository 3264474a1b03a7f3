// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether the hosts file answers a name, so that no network is asked and no
 * helper needed. Which answer, with its order of addresses, stays
 * getaddrinfo(3)'s, but for the loopback addresses: there is nothing to order
 * by, and getaddrinfo() would ask the kernel for every address of this host.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tp_lookup.h"

static const char blanks[] = " \t\r\n";

/* The next word of a line that is cut up in place; NULL at the end, or where a comment begins. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, blanks), *end = word + strcspn(word, blanks);

	if (*word == '\0' || *word == '#')
		return NULL;
	*line = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return word;
}

/* nsswitch.conf(5): "hosts: files ...", and no [action] that would go on after files found it. */
static unsigned files_come_first(char *line, const char *host, int family)
{
	const char *word = next_word(&line);

	(void)host;
	(void)family;
	if (word == NULL || strcmp(word, "hosts:") != 0)
		return 0;
	word = next_word(&line);
	if (word == NULL || strcmp(word, "files") != 0)
		return 0;
	word = next_word(&line);
	return word == NULL || *word != '[';
}

/* The kind of an address of this family, or 0. */
static unsigned address_kind(const char *text, int family)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (family != AF_INET6 && inet_pton(AF_INET, text, &ipv4) == 1)
		return ipv4.s_addr == htonl(INADDR_LOOPBACK) ? TP_HOSTS_LOOPBACK : TP_HOSTS_OTHER;
	if (family != AF_INET && inet_pton(AF_INET6, text, &ipv6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&ipv6) ? TP_HOSTS_LOOPBACK6 : TP_HOSTS_OTHER;
	return 0;
}

/* hosts(5): ADDRESS NAME... */
static unsigned kind_for_name(char *line, const char *host, int family)
{
	const char *address = next_word(&line), *name;

	while (address != NULL && (name = next_word(&line)) != NULL) {
		if (strcasecmp(name, host) == 0)
			return address_kind(address, family);
	}
	return 0;
}

/* A file that is larger takes longer to read than a helper to start, and all other probes would wait for it. */
#define FILE_MAX 65536

/* What the lines of a file say, all together; 0 where it is too large. */
static unsigned all_lines(const char *path, unsigned (*say)(char *line, const char *host, int family), const char *host,
			  int family)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0, left = FILE_MAX;
	unsigned said = 0;
	ssize_t length;

	if (file == NULL)
		return 0;
	while ((length = getline(&line, &room, file)) >= 0 && (size_t)length <= left) {
		said |= say(line, host, family);
		left -= (size_t)length;
	}
	free(line);
	fclose(file);
	return length < 0 ? said : 0;
}

unsigned tp_hosts_file_answers(const char *host, int family)
{
#ifdef __GLIBC__
	/* Other libraries (musl, the BSDs') have no such file, or ask the hosts file first anyway. */
	if (all_lines("/etc/nsswitch.conf", files_come_first, host, family) == 0)
		return 0;
#endif
	return all_lines("/etc/hosts", kind_for_name, host, family);
}
