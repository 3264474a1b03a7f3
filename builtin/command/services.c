// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Not getservbyname(3): where a system asks others than a file, it would load
 * their code into the shell, and wait for them.
 */
#include "tp_services.h"

#include <stdlib.h>
#include <string.h>

#include "tp_file.h"
#include "tp_text.h"

/* A larger list of the system's is not read: it has twice as many bytes as that of the fullest distribution. */
#define LIST_MAX (1 << 21)

/* Names are shorter than this. */
#define NAME_ROOM 64

/* So many answers are kept. */
#define LATELY 4

struct tp_service {
	char name[NAME_ROOM];
	bool scheme;
	uint16_t port;
};

static const char blanks[] = " \t";

/*
 * services(5): NAME PORT/tcp ALIAS... # comment. If the text at this place is a name in its line, returns the port,
 * else 0.
 */
static uint16_t port_in_line(const char *list, const char *place)
{
	const char *line = place;
	unsigned long port;
	char *end;

	while (line > list && line[-1] != '\n')
		line--;
	if (place > line && (strchr(blanks, place[-1]) == NULL || memchr(line, '#', (size_t)(place - line)) != NULL))
		return 0;
	port = strtoul(line + strcspn(line, blanks), &end, 10);
	return port <= UINT16_MAX && strncmp(end, "/tcp", 4) == 0 ? (uint16_t)port : 0;
}

static uint16_t system_port(const char *list, const char *name)
{
	size_t length = strlen(name);
	uint16_t port = 0;

	for (const char *place = list; port == 0 && length > 0 && (place = strstr(place, name)) != NULL;
	     place += length) {
		if (strchr(" \t\r\n#", place[length]) != NULL)
			port = port_in_line(list, place);
	}
	return port;
}

static uint16_t own_port(const char *name)
{
	static const char names[] =
#define TP_SERVICE(name, port) name "\0"
#include "services.def"
		;
	static const uint16_t ports[] = {
#define TP_SERVICE(name, port) port,
#include "services.def"
	};
	const char *place = names;

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		if (strcmp(name, place) == 0)
			return ports[i];
		place += strlen(place) + 1;
	}
	return 0;
}

/* The last part of a scheme. */
static char *last_part(char *scheme)
{
	char *plus = strrchr(scheme, '+');

	return plus == NULL ? scheme : plus + 1;
}

/*
 * The port of a scheme whose whole name has none; the scheme is cut up in place. The last part that has a port decides:
 * git+https, but postgresql+psycopg2. "+ssl" and "+tls" mean an 's' behind the part before them, if there is such a
 * name: ldap+tls.
 */
static uint16_t parts_port(char *scheme)
{
	for (;;) {
		char *part = last_part(scheme);
		bool tls = strcmp(part, "ssl") == 0 || strcmp(part, "tls") == 0;
		uint16_t port;

		if (part == scheme)
			return own_port(scheme);
		if (tls)
			strcpy(part - 1, "s");
		port = own_port(tls ? last_part(scheme) : part);
		if (port != 0)
			return port;
		part[-1] = '\0';
	}
}

/*
 * Of a port's name the system knows best. Of a scheme we do: in the registry that many systems list sftp is another
 * service, and irc has a port that nobody uses.
 */
static uint16_t find_port(struct tp_services *services, const char *name, bool scheme)
{
	char text[NAME_ROOM];
	uint16_t port = 0;

	/* jdbc+clickhouse, but of jdbc+elasticsearch+http the end. */
	for (const char *part = name; scheme && port == 0 && part != NULL; part = strchr(part, '+')) {
		part += *part == '+';
		port = own_port(part);
	}
	if (port == 0 && services->list == NULL)
		services->list = tp_read_file("/etc/services", LIST_MAX);
	if (port == 0 && services->list != NULL)
		port = system_port(services->list, name);
	if (port != 0)
		return port;
	return scheme ? parts_port(strcpy(text, name)) : own_port(name);
}

uint16_t tp_service_port(struct tp_services *services, const char *name, bool scheme)
{
	size_t length = strlen(name);
	struct tp_service *known;

	if (length == 0 || length >= NAME_ROOM || name[strspn(name, tp_scheme_bytes)] != '\0')
		return 0;
	if (services->lately == NULL)
		services->lately = calloc(LATELY, sizeof(struct tp_service));
	if (services->lately == NULL)
		return find_port(services, name, scheme);
	known = &services->lately[((size_t)*name + length) % LATELY];
	if (known->scheme != scheme || strcmp(known->name, name) != 0) {
		known->port = find_port(services, name, scheme);
		known->scheme = scheme;
		strcpy(known->name, name);
	}
	return known->port;
}

void tp_services_free(struct tp_services *services)
{
	free(services->list);
	free(services->lately);
	*services = (struct tp_services){ 0 };
}
