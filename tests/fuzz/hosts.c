// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The hosts file. The first line of the input is the name to look for, the rest is the file. The parser's source is
 * included, so that it reads from memory.
 */
#define tp_read_file read_input
#include "../../builtin/engine/hosts.c"

#include "fuzz.h"

static const uint8_t *input;
static size_t input_size;

char *read_input(const char *path, size_t most)
{
	(void)most;
	return strcmp(path, "/etc/hosts") == 0 ? strndup((const char *)input, input_size) : strdup("hosts: files\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = 0, count;
	union tp_address addresses[64];
	struct tp_hosts *hosts;
	char host[256];

	while (length < size && length < sizeof(host) - 1 && data[length] != '\n')
		length++;
	memcpy(host, data, length);
	host[length] = '\0';
	input = data + length;
	input_size = size - length;
	hosts = tp_hosts_read();
	if (hosts == NULL)
		return 0;
	count = tp_hosts_find(hosts, host, AF_UNSPEC, NULL, 0);
	MUST(count <= TP_ADDRESSES_MAX);
	MUST(tp_hosts_find(hosts, host, AF_INET, NULL, 0) + tp_hosts_find(hosts, host, AF_INET6, NULL, 0) == count);
	if (count <= 64) {
		MUST(tp_hosts_find(hosts, host, AF_UNSPEC, addresses, count) == count);
		for (size_t i = 0; i < count; i++)
			MUST(addresses[i].any.sa_family == AF_INET || addresses[i].any.sa_family == AF_INET6);
	}
	tp_hosts_free(hosts);
	return 0;
}
