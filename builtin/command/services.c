// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Not getservbyname(3): where a system asks others than a file, it would load
 * their code into the shell, and wait for them.
 */
#include "tp_services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest list that is read, in bytes: twice what the fullest distribution has. */
#define LIST_MAX (1 << 21)

/* What a name is made of. Whatever else services(5) allows is in none of them. */
static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-_";

static const char blanks[] = " \t\r";

/* The whole of /etc/services, or what of it fits; "" where there is none. NULL: memory is out, and our own list has to do. */
static char *read_list(void)
{
	char *list = malloc(LIST_MAX + 1);
	size_t length = 0;
	FILE *file;

	if (list == NULL)
		return NULL;
	file = fopen("/etc/services", "re");
	if (file != NULL) {
		length = fread(list, 1, LIST_MAX, file);
		fclose(file);
	}
	list[length] = '\0';
	return list;
}

/* services(5): NAME PORT/tcp ALIAS... # comment. The port where the name at this place is one of the line's; else 0. */
static uint16_t port_in_line(const char *list, const char *place)
{
	const char *line = place, *number;
	unsigned long port;
	char *end;

	while (line > list && line[-1] != '\n')
		line--;
	if (memchr(line, '#', (size_t)(place - line)) != NULL)
		return 0;
	line += strspn(line, blanks);
	number = line + strcspn(line, " \t\r\n#");
	number += strspn(number, blanks);
	/* The second word is no name, and neither is what begins within a word. */
	if (place > line && (place <= number || strchr(blanks, place[-1]) == NULL))
		return 0;
	if (*number < '0' || *number > '9')
		return 0;
	port = strtoul(number, &end, 10);
	return port <= UINT16_MAX && strncmp(end, "/tcp", 4) == 0 ? (uint16_t)port : 0;
}

static uint16_t system_port(const char *list, const char *name)
{
	size_t length = strlen(name);
	uint16_t port = 0;

	for (const char *place = list; port == 0 && (place = strstr(place, name)) != NULL; place += length) {
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

uint16_t tp_service_port(struct tp_services *services, const char *name)
{
	size_t length = strspn(name, name_bytes);

	if (length == 0 || length >= sizeof(services->last) || name[length] != '\0')
		return 0;
	/* A list of URLs asks for the same one again and again. */
	if (strcmp(name, services->last) == 0)
		return services->last_port;
	if (services->list == NULL)
		services->list = read_list();
	strcpy(services->last, name);
	services->last_port = services->list != NULL ? system_port(services->list, name) : 0;
	if (services->last_port == 0)
		services->last_port = own_port(name);
	return services->last_port;
}

void tp_services_free(struct tp_services *services)
{
	free(services->list);
	*services = (struct tp_services){ 0 };
}
