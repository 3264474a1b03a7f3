// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether the hosts file answers a name. It only tells that getaddrinfo(3) will
 * answer without the network, and so needs no helper; the answer itself, with
 * its order of addresses, stays getaddrinfo's.
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
static bool files_come_first(char *line, const char *host, int family)
{
	const char *word = next_word(&line);

	(void)host;
	(void)family;
	if (word == NULL || strcmp(word, "hosts:") != 0)
		return false;
	word = next_word(&line);
	if (word == NULL || strcmp(word, "files") != 0)
		return false;
	word = next_word(&line);
	return word == NULL || *word != '[';
}

/* hosts(5): ADDRESS NAME... */
static bool has_name(char *line, const char *host, int family)
{
	const char *address = next_word(&line), *name;
	unsigned char binary[sizeof(struct in6_addr)];

	if (address == NULL || !((family != AF_INET6 && inet_pton(AF_INET, address, binary) == 1) ||
				 (family != AF_INET && inet_pton(AF_INET6, address, binary) == 1)))
		return false;
	while ((name = next_word(&line)) != NULL) {
		if (strcasecmp(name, host) == 0)
			return true;
	}
	return false;
}

static bool any_line(const char *path, bool (*fulfils)(char *line, const char *host, int family), const char *host,
		     int family)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && getline(&line, &room, file) >= 0)
		found = fulfils(line, host, family);
	free(line);
	fclose(file);
	return found;
}

bool tp_hosts_file_answers(const char *host, int family)
{
#ifdef __GLIBC__
	/* Other libraries (musl, the BSDs') have no such file, or ask the hosts file first anyway. */
	if (!any_line("/etc/nsswitch.conf", files_come_first, host, family))
		return false;
#endif
	return any_line("/etc/hosts", has_name, host, family);
}
