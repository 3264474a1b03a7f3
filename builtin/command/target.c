// SPDX-License-Identifier: GPL-3.0-or-later
/* The grammar of tp_target.h, except for URLs (url.c); and the walk through the targets that came of the words. */
#include "tp_target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tp_network.h"
#include "tp_parser.h"
#include "tp_services.h"
#include "tp_says.h"

static const char digits[] = "0123456789";
static const char dev_tcp[] = "/dev/tcp/";

int tp_parser_complain(const struct tp_parser *parser, const char *piece, const char *why)
{
	const char *shown = tp_may_hide_secret(parser->word) ? parser->word : piece;

	return tp_because(parser->why, "%s: %s", tp_quote(shown).text, why);
}

static int blame_word(const struct tp_parser *parser, const char *why)
{
	return tp_parser_complain(parser, parser->word, why);
}

/*
 * Room for one more element behind count: doubled, so that adding stays cheap.
 * A parse that fails leaves the list whole.
 */
static void *with_room(void *list, size_t count, size_t size)
{
	/* 1, 2, 4, 8 ...: full at most when count is a power of two, or nothing is there yet. */
	if ((count & (count - 1)) != 0)
		return list;
	return realloc(list, (count == 0 ? 1 : 2 * count) * size);
}

/* -- Ports */

int tp_parser_add_range(struct tp_target *target, uint16_t first, uint16_t last)
{
	struct tp_ports *ports = with_room(target->ports, target->ports_count, sizeof(*ports));

	if (ports == NULL)
		return ENOMEM;
	target->ports = ports;
	ports[target->ports_count++] = (struct tp_ports){ first, last };
	return 0;
}

/*
 * The port that these digits mean; 0: none, and the complaint is made. Leading zeros are harmless: nothing here is
 * octal.
 */
static uint16_t port_number(const struct tp_parser *parser, const char *text)
{
	unsigned long number = 0;

	for (const char *digit = text; *digit != '\0' && number <= UINT16_MAX; digit++)
		number = number * 10 + (unsigned long)(*digit - '0');
	if (number > UINT16_MAX)
		number = 0;
	if (number == 0)
		tp_parser_complain(parser, text, TP_SAYS_BAD_PORT);
	return (uint16_t)number;
}

/* FIRST-LAST, cut at its dash. */
static int parse_range(const struct tp_parser *parser, struct tp_target *target, char *text, char *dash)
{
	uint16_t first, last;

	*dash = '\0';
	first = port_number(parser, text);
	last = first != 0 ? port_number(parser, dash + 1) : 0;
	if (last == 0)
		return EINVAL;
	*dash = '-';
	if (first > last)
		return tp_parser_complain(parser, text, TP_SAYS_BAD_RANGE);
	return tp_parser_add_range(target, first, last);
}

int tp_parser_add_port(const struct tp_parser *parser, struct tp_target *target, char *item)
{
	char *slash = strchr(item, '/'), *dash;
	uint16_t port;

	if (slash != NULL && (strcasecmp(slash, "/udp") == 0 || strcasecmp(slash, "/sctp") == 0))
		return tp_parser_complain(parser, item, TP_SAYS_NOT_TCP);
	if (slash != NULL && strcasecmp(slash, "/tcp") == 0)
		*slash = '\0';
	if (*item == '\0')
		return blame_word(parser, TP_SAYS_EMPTY_PORT);
	dash = item + strspn(item, digits);
	/* A range; but the name of a service may have digits and dashes, too. */
	if (dash > item && dash[0] == '-' && dash[1] != '\0' && dash[1 + strspn(dash + 1, digits)] == '\0')
		return parse_range(parser, target, item, dash);
	if (*dash == '\0') {
		port = port_number(parser, item);
		return port == 0 ? EINVAL : tp_parser_add_range(target, port, port);
	}
	port = tp_service_port(&parser->targets->services, item, false);
	if (port != 0)
		return tp_parser_add_range(target, port, port);
	/* A word behind a host that has these bytes is one more host. */
	return tp_parser_complain(parser, item,
				  item == parser->text && strpbrk(item, ".:") != NULL ? TP_SAYS_NO_OWN_PORT
										      : TP_SAYS_UNKNOWN_PORT);
}

/* Items between commas. */
static int add_ports(const struct tp_parser *parser, struct tp_target *target, char *spec)
{
	int error = 0;

	while (error == 0 && spec != NULL) {
		char *comma = strchr(spec, ',');

		if (comma != NULL)
			*comma++ = '\0';
		error = tp_parser_add_port(parser, target, spec);
		spec = comma;
	}
	return error;
}

/* -- Hosts */

/* Is it an IPv6 literal, with or without a zone? */
static bool is_ipv6(const char *host)
{
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN];
	size_t length = strcspn(host, "%");

	if (length >= sizeof(text))
		return false;
	memcpy(text, host, length);
	text[length] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_name_byte(char byte)
{
	return ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || (byte >= '0' && byte <= '9') || byte == '.' ||
	       byte == '_' || byte == '-';
}

/*
 * Letters, digits and ". _ -", not beginning with a dash. Beyond ASCII everything is allowed but control characters, in
 * UTF-8 or as single bytes (C1), and wide forms of ASCII (U+FF00), which are no letters of names: '@' may be one.
 */
static bool is_name(const char *text)
{
	if (*text == '-' || *text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		size_t length;

		if (is_name_byte(*text))
			continue;
		length = tp_utf8_length(text);
		if (byte < 0x80 || tp_control_length(text) > 0 || (length == 0 && byte < 0xa0) || byte == 0xef)
			return false;
		text += length > 0 ? length - 1 : 0;
	}
	return true;
}

static int check_host(const struct tp_parser *parser, const char *host)
{
	const char *zone = strchr(host, '%');

	if (*host == '\0')
		return blame_word(parser, TP_SAYS_EMPTY_HOST);
	if (strlen(host) > TP_HOST_MAX)
		return tp_parser_complain(parser, host, TP_SAYS_LONG_HOST);
	if (is_name(host) || (is_ipv6(host) && (zone == NULL || is_name(zone + 1))))
		return 0;
	return tp_parser_complain(parser, host, strchr(host, ':') != NULL ? TP_SAYS_BAD_IPV6 : TP_SAYS_BAD_HOST);
}

/* Takes "[...]" off an IPv6 literal. The text in brackets must be one. */
static int strip_brackets(const struct tp_parser *parser, char **host)
{
	size_t length = strlen(*host);

	if (**host != '[')
		return 0;
	if ((*host)[length - 1] != ']')
		return tp_parser_complain(parser, *host, TP_SAYS_OPEN_BRACKET);
	(*host)[length - 1] = '\0';
	*host += 1;
	return is_ipv6(*host) ? 0 : tp_parser_complain(parser, *host, TP_SAYS_BAD_IPV6);
}

/*
 * Checks a host or, if bits is not NULL, the address of a network: then *host becomes the network's first host, written
 * into room.
 */
static int check_place(const struct tp_parser *parser, char **host, const char *bits, char room[INET6_ADDRSTRLEN],
		       uint16_t *last)
{
	const char *why = bits != NULL ? tp_network_check(*host, bits, room, last) : NULL;

	if (why != NULL)
		return blame_word(parser, why);
	if (bits == NULL)
		return check_host(parser, *host);
	*host = room;
	return 0;
}

/* The family that a target is probed in: its own, or that of all. */
static int choose_family(const struct tp_parser *parser, int *family)
{
	int of_all = parser->targets->family;

	if (parser->family != AF_UNSPEC && of_all != AF_UNSPEC && parser->family != of_all)
		return blame_word(parser, TP_SAYS_OTHER_FAMILY);
	*family = parser->family != AF_UNSPEC ? parser->family : of_all;
	return 0;
}

int tp_parser_add_host(const struct tp_parser *parser, char *host, struct tp_target **target)
{
	struct tp_targets *targets = parser->targets;
	struct tp_target *list, new;
	char *bits = strchr(host, '/'), first[INET6_ADDRSTRLEN];
	int error;

	if (bits != NULL)
		*bits++ = '\0';
	new.last = 0;
	new.ports = NULL;
	new.ports_count = 0;
	error = strip_brackets(parser, &host);
	if (error == 0)
		error = check_place(parser, &host, bits, first, &new.last);
	if (error == 0)
		error = choose_family(parser, &new.family);
	if (error != 0)
		return error;
	list = with_room(targets->list, targets->count, sizeof(*list));
	if (list == NULL)
		return ENOMEM;
	targets->list = list;
	new.host = strdup(host);
	if (new.host == NULL)
		return ENOMEM;
	*target = &list[targets->count++];
	**target = new;
	return 0;
}

int tp_parser_cut_port(const struct tp_parser *parser, char *text, char **port)
{
	char *bits = strchr(text, '/'), *colon = strchr(text, ':');

	*port = NULL;
	if (*text == '[') {
		char *bracket = strchr(text, ']');

		if (bracket == NULL)
			return tp_parser_complain(parser, text, TP_SAYS_OPEN_BRACKET);
		if (bracket[1] != '\0' && bracket[1] != ':' && bracket[1] != '/')
			return tp_parser_complain(parser, text, TP_SAYS_BEHIND_BRACKET);
		colon = strchr(bracket, ':');
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		if (bits == NULL)
			return is_ipv6(text) ? 0 : tp_parser_complain(parser, text, TP_SAYS_BAD_COLONS);
		colon = strchr(bits, ':');
	}
	if (colon != NULL) {
		*colon = '\0';
		*port = colon + 1;
	}
	return 0;
}

/* -- Words */

static int parse_dev_tcp(const struct tp_parser *parser)
{
	char *host = parser->text + strlen(dev_tcp), *slash = strchr(host, '/');
	struct tp_target *target = NULL;
	int error;

	if (slash == NULL)
		return blame_word(parser, TP_SAYS_NO_DEV_TCP_PORT);
	*slash = '\0';
	error = tp_parser_add_host(parser, host, &target);
	return error != 0 ? error : add_ports(parser, target, slash + 1);
}

/*
 * Lists of ZooKeeper and Kafka end in a path, which is dropped. A path that may hold more hosts or ports, or a protocol,
 * is kept, so that it is refused as a port.
 */
static void drop_path(char *port)
{
	char *slash = strchr(port, '/');

	if (slash != NULL && strpbrk(slash, ":;| \t\r\n") == NULL && strcasecmp(slash, "/udp") != 0 &&
	    strcasecmp(slash, "/sctp") != 0 && strchr(digits, slash[1]) == NULL)
		*slash = '\0';
}

/* An item of a list, HOST:PORT. *target has no ports afterwards if the item had none. */
static int parse_item(const struct tp_parser *parser, char *item, bool last, struct tp_target **target)
{
	static char localhost[] = "localhost";
	char *port;
	int error = tp_parser_cut_port(parser, item, &port);

	if (error != 0)
		return error;
	error = tp_parser_add_host(parser, port != NULL && *item == '\0' ? localhost : item, target);
	if (error != 0 || port == NULL)
		return error;
	if (last)
		drop_path(port);
	return tp_parser_add_port(parser, *target, port);
}

/* Is it a port by number (80, 8000-8010), maybe with "/tcp" or a path behind it? */
static bool is_number(const char *item)
{
	item += strspn(item, "0123456789-");
	return *item == '\0' || *item == '/';
}

/*
 * Items between commas. One without a colon is one more port of the host before it, where it is a number. A name is
 * refused: redis in db:5432,redis may be a service or a host.
 */
static int parse_list(const struct tp_parser *parser, struct tp_target **target)
{
	char *item = parser->text;
	int error = 0;

	*target = NULL;
	while (error == 0 && item != NULL) {
		char *comma = strchr(item, ',');
		bool more;

		if (comma != NULL)
			*comma++ = '\0';
		more = *target != NULL && strchr(item, ':') == NULL;
		if (comma == NULL && more)
			drop_path(item);
		if (!more)
			error = parse_item(parser, item, comma == NULL, target);
		else if (is_number(item))
			error = tp_parser_add_port(parser, *target, item);
		else
			error = tp_parser_complain(parser, item, TP_SAYS_NO_OWN_PORT);
		if (error == 0 && (*target)->ports_count == 0 && (item != parser->text || comma != NULL))
			error = tp_parser_complain(parser, item, TP_SAYS_NO_OWN_PORT);
		item = comma;
	}
	return error;
}

/*
 * host=db, h:6379,password=...: a setting, which may be secret. URLs may have such things in their query, so they are
 * not meant.
 */
static bool is_assignment(const char *word)
{
	return strchr(word, '=') != NULL && strstr(word, "://") == NULL;
}

/* Called for words without "://". */
static bool is_unix_socket(const char *word)
{
	return strncasecmp(word, "unix:", 5) == 0 || (word[0] == '/' && word[1] != '/' && strchr(word, ':') == NULL);
}

/*
 * One word: whole targets, or the host before words with ports. In the second case *target is that target, else NULL.
 */
static int parse_word(struct tp_parser *parser, struct tp_target **target)
{
	int error;

	*target = NULL;
	/* The usual case: nothing but a host. */
	if (strpbrk(parser->word, ":/=@,") == NULL)
		return tp_parser_add_host(parser, parser->text, target);
	if (strncasecmp(parser->word, "jdbc:oracle:", 12) == 0)
		return tp_parser_add_oracle(parser);
	if (strstr(parser->word, "://") != NULL)
		return tp_parser_add_urls(parser);
	if (tp_jdbc_length(parser->word) > 0)
		return blame_word(parser, TP_SAYS_NO_AUTHORITY);
	if (is_assignment(parser->word))
		return blame_word(parser, TP_SAYS_ASSIGNMENT);
	if (strchr(parser->word, '@') != NULL)
		return blame_word(parser, TP_SAYS_BAD_HOST);
	if (strncmp(parser->text, dev_tcp, strlen(dev_tcp)) == 0)
		return parse_dev_tcp(parser);
	if (strncmp(parser->text, "/dev/udp/", strlen(dev_tcp)) == 0)
		return blame_word(parser, TP_SAYS_NOT_TCP);
	if (is_unix_socket(parser->word))
		return blame_word(parser, TP_SAYS_UNIX_SOCKET);
	error = parse_list(parser, target);
	if (error == 0 && (*target)->ports_count > 0)
		*target = NULL;
	return error;
}

/*
 * One operand. *target is the target that words with ports belong to; NULL until a host without a port has come first.
 */
static int add_word(struct tp_parser *parser, bool first, struct tp_target **target)
{
	int error;

	if (*parser->word == '\0')
		return blame_word(parser, TP_SAYS_EMPTY_WORD);
	if (*target != NULL && is_assignment(parser->word))
		return blame_word(parser, TP_SAYS_ASSIGNMENT);
	/* Kubernetes and Docker set REDIS_PORT=tcp://10.0.0.5:6379. */
	if (*target != NULL && strstr(parser->word, "://") != NULL)
		return blame_word(parser, TP_SAYS_HIDDEN_HOST);
	if (*target != NULL)
		return add_ports(parser, *target, parser->text);
	error = parse_word(parser, target);
	if (error == 0 && *target != NULL && !first)
		return blame_word(parser, TP_SAYS_NO_OWN_PORT);
	return error;
}

int tp_targets_add(struct tp_targets *targets, char *const words[], size_t count, struct tp_why *why)
{
	struct tp_target *target = NULL;
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++) {
		size_t size = strlen(words[i]) + 1;
		char text[256];
		struct tp_parser parser = {
			.targets = targets,
			.why = why,
			.word = words[i],
			.text = size <= sizeof(text) ? text : malloc(size),
		};

		if (parser.text == NULL)
			return ENOMEM;
		memcpy(parser.text, words[i], size);
		error = add_word(&parser, i == 0, &target);
		if (error == 0 && i + 1 == count && target != NULL && target->ports_count == 0)
			error = blame_word(&parser,
					   strchr(target->host, ':') != NULL ? TP_SAYS_NO_IPV6_PORT : TP_SAYS_NO_PORT);
		if (parser.text != text)
			free(parser.text);
	}
	return error;
}

void tp_targets_cut(struct tp_targets *targets, size_t count)
{
	while (targets->count > count) {
		const struct tp_target *last = &targets->list[--targets->count];

		free(last->host);
		free(last->ports);
	}
}

void tp_targets_free(struct tp_targets *targets)
{
	tp_targets_cut(targets, 0);
	free(targets->list);
	tp_services_free(&targets->services);
	*targets = (struct tp_targets){ 0 };
}

/* -- The walk through the targets */

uint64_t tp_targets_probes(const struct tp_targets *targets)
{
	uint64_t count = 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct tp_target *target = &targets->list[i];

		for (size_t j = 0; j < target->ports_count; j++)
			count += (target->last + UINT64_C(1)) *
				 ((uint64_t)target->ports[j].last - target->ports[j].first + 1);
	}
	return count;
}

bool tp_cursor_next(struct tp_cursor *cursor, const struct tp_targets *targets, struct tp_endpoint *endpoint)
{
	const struct tp_target *target;
	const struct tp_ports *ports;

	if (cursor->target == targets->count)
		return false;
	target = &targets->list[cursor->target];
	ports = &target->ports[cursor->ports];
	*endpoint = (struct tp_endpoint){
		.host = target->host,
		.family = target->family,
		.port = (uint16_t)(ports->first + cursor->port),
	};
	if (target->last > 0) {
		tp_network_address(target->host, cursor->address, cursor->text);
		endpoint->host = cursor->text;
	}
	if (endpoint->port < ports->last) {
		cursor->port++;
		return true;
	}
	cursor->port = 0;
	if (++cursor->ports < target->ports_count)
		return true;
	cursor->ports = 0;
	if (cursor->address++ < target->last)
		return true;
	cursor->address = 0;
	cursor->target++;
	return true;
}
