// SPDX-License-Identifier: GPL-3.0-or-later
/* hosts(5), read once and indexed, so that thousands of names cost no more than one pass over the file. */
#include "tp_hosts.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tp_file.h"

/* A larger file is left to the helpers: all other probes would wait while it is read. */
#define FILE_MAX (8U << 20)

/* One name in the file. Offsets into the text, and numbers of entries (from 1), have 32 bits. */
struct entry {
	uint32_t name, address;
	uint32_t next; /* an entry of the same bucket that stands earlier in the file; 0: none */
};

struct tp_hosts {
	char *text; /* cut up into words */
	struct entry *entries;
	uint32_t count, room;
	uint32_t *buckets; /* the last entry of each */
	uint32_t mask;     /* the number of buckets, which is a power of two, less one */
};

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

/* Cuts the first line off the rest of a text. Returns NULL at the end. */
static char *next_line(char **rest)
{
	char *line = *rest, *end;

	if (*line == '\0')
		return NULL;
	end = strchr(line, '\n');
	*rest = end == NULL ? line + strlen(line) : end + 1;
	if (end != NULL)
		*end = '\0';
	return line;
}

/* nsswitch.conf(5): does it have "hosts: files ..." and no [action] that would go on after files found it? */
static bool files_come_first(void)
{
#ifdef __GLIBC__
	char *text = tp_read_file("/etc/nsswitch.conf", FILE_MAX), *rest = text, *line;
	bool first = false;

	while (text != NULL && !first && (line = next_line(&rest)) != NULL) {
		const char *word = next_word(&line);

		if (word == NULL || strcmp(word, "hosts:") != 0)
			continue;
		word = next_word(&line);
		if (word == NULL || strcmp(word, "files") != 0)
			continue;
		word = next_word(&line);
		first = word == NULL || *word != '[';
	}
	free(text);
	return first;
#else
	/* Other libraries (musl, the BSDs') have no such file, or ask the hosts file first anyway. */
	return true;
#endif
}

/* FNV-1a */
uint32_t tp_hosts_hash(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name != '\0'; name++)
		hash = (hash ^ ((unsigned char)*name | 0x20U)) * 16777619U;
	return hash ^ hash >> 16;
}

static uint32_t *bucket_of(const struct tp_hosts *hosts, const char *name)
{
	return &hosts->buckets[tp_hosts_hash(name) & hosts->mask];
}

/* False: memory is out. */
static bool add(struct tp_hosts *hosts, const char *address, const char *name)
{
	uint32_t *bucket = bucket_of(hosts, name);

	if (hosts->count == hosts->room) {
		uint32_t room = hosts->room * 2 + 64;
		struct entry *entries = realloc(hosts->entries, room * sizeof(*entries));

		if (entries == NULL)
			return false;
		hosts->entries = entries;
		hosts->room = room;
	}
	hosts->entries[hosts->count++] =
		(struct entry){ (uint32_t)(name - hosts->text), (uint32_t)(address - hosts->text), *bucket };
	*bucket = hosts->count;
	return true;
}

/* hosts(5): ADDRESS NAME... False: memory is out. */
static bool index_lines(struct tp_hosts *hosts)
{
	char *rest = hosts->text, *line;
	size_t length = strlen(rest);

	/* There are fewer names than that. */
	while (hosts->mask < length / 16)
		hosts->mask = hosts->mask * 2 + 1;
	hosts->buckets = calloc(hosts->mask + 1, sizeof(uint32_t));
	if (hosts->buckets == NULL)
		return false;
	while ((line = next_line(&rest)) != NULL) {
		const char *address = next_word(&line), *name;

		while (address != NULL && (name = next_word(&line)) != NULL) {
			if (!add(hosts, address, name))
				return false;
		}
	}
	return true;
}

struct tp_hosts *tp_hosts_read(void)
{
	struct tp_hosts *hosts = files_come_first() ? calloc(1, sizeof(*hosts)) : NULL;

	if (hosts == NULL)
		return NULL;
	hosts->text = tp_read_file("/etc/hosts", FILE_MAX);
	if (hosts->text != NULL && index_lines(hosts))
		return hosts;
	tp_hosts_free(hosts);
	return NULL;
}

void tp_hosts_free(struct tp_hosts *hosts)
{
	if (hosts == NULL)
		return;
	free(hosts->entries);
	free(hosts->buckets);
	free(hosts->text);
	free(hosts);
}

static bool read_address(const char *text, int family, union tp_address *address)
{
	*address = (union tp_address){ 0 };
	if (inet_pton(AF_INET, text, &address->ipv4.sin_addr) == 1)
		address->any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &address->ipv6.sin6_addr) == 1)
		address->any.sa_family = AF_INET6;
	tp_address_unmap(address);
	return address->any.sa_family != AF_UNSPEC && (family == AF_UNSPEC || family == address->any.sa_family);
}

size_t tp_hosts_find(const struct tp_hosts *hosts, const char *host, int family, union tp_address *addresses,
		     size_t room)
{
	size_t count = 0;

	/* The chain of a bucket goes from the last line of the file to the first. */
	for (uint32_t number = *bucket_of(hosts, host); number != 0; number = hosts->entries[number - 1].next) {
		const struct entry *entry = &hosts->entries[number - 1];
		union tp_address address;

		if (strcasecmp(hosts->text + entry->name, host) != 0 ||
		    !read_address(hosts->text + entry->address, family, &address))
			continue;
		if (count < room)
			addresses[room - 1 - count] = address;
		count++;
	}
	return count < TP_ADDRESSES_MAX ? count : TP_ADDRESSES_MAX;
}
