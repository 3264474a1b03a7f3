// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "tp_says.h"

static const char digits[] = "0123456789";
static const char dev_tcp[] = "/dev/tcp/";

/*
 * A word on its way to targets. text is a copy that is cut into pieces in
 * place. In a URL, or what may have been meant as one, any piece may turn out
 * to be a misplaced password, so there a complaint shows no piece, but the word
 * as tp_quote() shows it.
 */
struct parser {
	struct tp_targets *targets;
	struct tp_why *why;
	const char *word;
	char *text;
	bool is_url;
};

static int complain(struct parser *parser, const char *piece, const char *why)
{
	bool whole = parser->is_url || strchr(parser->word, '@') != NULL;

	return tp_because(parser->why, "%s: %s", tp_quote(whole ? parser->word : piece).text, why);
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

static int add_ports(struct tp_target *target, uint16_t first, uint16_t last)
{
	struct tp_ports *ports = with_room(target->ports, target->ports_count, sizeof(*ports));

	if (ports == NULL)
		return ENOMEM;
	target->ports = ports;
	ports[target->ports_count++] = (struct tp_ports){ first, last };
	return 0;
}

/* Digits as a port; 0: none, and the complaint is made. Leading zeros are harmless: nothing here is octal. */
static uint16_t port_number(struct parser *parser, const char *text)
{
	unsigned long number = 0;

	for (const char *digit = text; *digit != '\0' && number <= UINT16_MAX; digit++)
		number = number * 10 + (unsigned long)(*digit - '0');
	if (number > UINT16_MAX)
		number = 0;
	if (number == 0)
		complain(parser, text, TP_SAYS_BAD_PORT);
	return (uint16_t)number;
}

/* 0: no such service. The system's answer first. */
static uint16_t service_port(const char *name)
{
	static const struct {
		char name[14];
		uint16_t port;
	} services[] = {
#define TP_SERVICE(name, port) { name, port },
#include "services.def"
	};
	struct servent *entry;

	/* musl finds whatever stands between blanks in a line, "80/tcp" too, and blanks. */
	if (name[strcspn(name, " /")] != '\0' || tp_has_control(name))
		return 0;
	entry = getservbyname(name, "tcp");
	if (entry != NULL)
		return ntohs((uint16_t)entry->s_port);
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
		if (strcmp(name, services[i].name) == 0)
			return services[i].port;
	}
	return 0;
}

/* FIRST-LAST, cut at its dash. */
static int parse_range(struct parser *parser, struct tp_target *target, char *text, char *dash)
{
	uint16_t first, last;

	*dash = '\0';
	first = port_number(parser, text);
	last = first != 0 ? port_number(parser, dash + 1) : 0;
	if (last == 0)
		return EINVAL;
	*dash = '-';
	if (first > last)
		return complain(parser, text, TP_SAYS_BAD_RANGE);
	return add_ports(target, first, last);
}

/* One of a list: 80, 8000-8010 or a service name, which may have digits and dashes too. */
static int parse_ports_item(struct parser *parser, struct tp_target *target, char *item)
{
	char *dash = item + strspn(item, digits);
	uint16_t port;

	if (dash > item && dash[0] == '-' && dash[1] != '\0' && dash[1 + strspn(dash + 1, digits)] == '\0')
		return parse_range(parser, target, item, dash);
	if (*dash == '\0') {
		port = port_number(parser, item);
		return port == 0 ? EINVAL : add_ports(target, port, port);
	}
	port = service_port(item);
	if (port == 0)
		return complain(parser, item, TP_SAYS_UNKNOWN_PORT);
	return add_ports(target, port, port);
}

/* A port spec: items between commas. An empty item is an error like any other that is no port. */
static int parse_ports(struct parser *parser, struct tp_target *target, char *spec)
{
	for (;;) {
		char *comma = strchr(spec, ',');
		int error;

		if (comma != NULL)
			*comma = '\0';
		if (*spec == '\0')
			return complain(parser, parser->word, TP_SAYS_EMPTY_PORT);
		error = parse_ports_item(parser, target, spec);
		if (error != 0 || comma == NULL)
			return error;
		spec = comma + 1;
	}
}

/* Is it an IPv6 literal, whatever its zone? */
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

static int check_host(struct parser *parser, const char *host)
{
	if (*host == '\0')
		return complain(parser, parser->word, TP_SAYS_EMPTY_HOST);
	if (strlen(host) > TP_HOST_MAX)
		return complain(parser, host, TP_SAYS_LONG_HOST);
	if (host[strcspn(host, " /@[]")] != '\0' || tp_has_control(host))
		return complain(parser, host, TP_SAYS_BAD_HOST);
	if (strchr(host, ':') != NULL && !is_ipv6(host))
		return complain(parser, host, TP_SAYS_BAD_IPV6);
	return 0;
}

/* Takes "[...]" off an IPv6 literal; what is in brackets must be one. */
static int strip_brackets(struct parser *parser, char **host)
{
	size_t length = strlen(*host);

	if (**host != '[')
		return 0;
	if ((*host)[length - 1] != ']')
		return complain(parser, *host, TP_SAYS_OPEN_BRACKET);
	(*host)[length - 1] = '\0';
	*host += 1;
	return is_ipv6(*host) ? 0 : complain(parser, *host, TP_SAYS_BAD_IPV6);
}

/* Adds a target without ports. The list owns it at once, so a failure further on leaks nothing. */
static int add_host(struct parser *parser, char *host, struct tp_target **target)
{
	struct tp_targets *targets = parser->targets;
	struct tp_target *list;
	int error = strip_brackets(parser, &host);

	if (error == 0)
		error = check_host(parser, host);
	if (error != 0)
		return error;
	list = with_room(targets->list, targets->count, sizeof(*list));
	if (list == NULL)
		return ENOMEM;
	targets->list = list;
	*target = &list[targets->count];
	**target = (struct tp_target){ .host = strdup(host) };
	if ((*target)->host == NULL)
		return ENOMEM;
	targets->count++;
	return 0;
}

/*
 * Cuts "HOST:PORT" or "[v6]:PORT" at its colon. *port is NULL where there is no
 * port: a name, "[v6]", or a bare IPv6 literal, which has a colon but no port.
 */
static int cut_port(struct parser *parser, char *text, char **port)
{
	char *colon = strchr(text, ':');

	*port = NULL;
	if (*text == '[') {
		char *bracket = strchr(text, ']');

		if (bracket == NULL)
			return complain(parser, text, TP_SAYS_OPEN_BRACKET);
		if (bracket[1] != '\0' && bracket[1] != ':')
			return complain(parser, text, TP_SAYS_BEHIND_BRACKET);
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		return is_ipv6(text) ? 0 : complain(parser, text, TP_SAYS_BAD_COLONS);
	}
	if (colon != NULL) {
		*colon = '\0';
		*port = colon + 1;
	}
	return 0;
}

static int hex_digit(char byte)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	const char *place = byte != '\0' ? strchr(hex, byte) : NULL;

	return place == NULL ? -1 : (int)(place - hex) % 16;
}

/*
 * RFC 3986's %XX, in place. %00 would cut the host short: it is kept as it is, and no such host is known. In brackets
 * only %25 is an escape: many write the zone of RFC 6874 with a bare '%', and "%ca" may begin an interface's name.
 */
static void decode_percent(char *text)
{
	bool brackets = *text == '[';
	char *out = text;

	for (; *text != '\0'; text++) {
		int high = *text == '%' ? hex_digit(text[1]) : -1, low = high >= 0 ? hex_digit(text[2]) : -1;

		if (low < 0 || high + low == 0 || (brackets && high * 16 + low != '%')) {
			*out++ = *text;
		} else {
			*out++ = (char)(high * 16 + low);
			text += 2;
		}
	}
	*out = '\0';
}

/* The port that a scheme stands for: its own, or of "postgresql+asyncpg" that of the first part. 0: none. */
static uint16_t scheme_port(char *scheme)
{
	uint16_t port = service_port(scheme);
	char *plus = strchr(scheme, '+');

	if (port != 0 || plus == NULL)
		return port;
	*plus = '\0';
	return service_port(scheme);
}

/* One of a URL's hosts, HOST[:PORT]; digits alone are one more port of the host before, as in h:80,443. */
static int parse_url_host(struct parser *parser, char *text, uint16_t default_port, struct tp_target **target)
{
	char *port;
	int error;

	if (*target != NULL && *text != '\0' && text[strspn(text, "0123456789-")] == '\0')
		return parse_ports(parser, *target, text);
	error = cut_port(parser, text, &port);
	if (error != 0)
		return error;
	decode_percent(text);
	error = add_host(parser, text, target);
	if (error != 0)
		return error;
	if (port != NULL && *port != '\0')
		return parse_ports(parser, *target, port);
	if (default_port == 0)
		return complain(parser, parser->word, TP_SAYS_NO_URL_PORT);
	return add_ports(*target, default_port, default_port);
}

/* Of a URL whose scheme is cut off: puts it in lower case. RFC 3986: it begins with a letter. */
static bool fold_scheme(char *scheme)
{
	for (char *byte = scheme; *byte != '\0'; byte++) {
		if (*byte >= 'A' && *byte <= 'Z')
			*byte = (char)(*byte - 'A' + 'a');
	}
	return scheme[strspn(scheme, tp_scheme_bytes)] == '\0' && *scheme >= 'a';
}

/*
 * A password with a bare '/', '?' or '#' ends the authority too early, and the rest of it would be taken for a host.
 * It shows in an '@' behind: never meant in the path of a database, though common in those of the web.
 */
static bool is_cut_password(const char *scheme, const char *rest)
{
	static const char *const web[] = { "http", "https", "ws", "wss" };

	for (size_t i = 0; i < sizeof(web) / sizeof(*web); i++) {
		if (strcmp(scheme, web[i]) == 0)
			return false;
	}
	return memchr(rest, '@', *rest == '/' ? strcspn(rest, "?#") : strlen(rest)) != NULL;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* SCHEME://[user[:password]@]HOST[:PORT][,HOST[:PORT]...][/...], RFC 3986. */
static int parse_url(struct parser *parser)
{
	char *scheme = parser->text, *hosts = strstr(scheme, "://"), *at;
	struct tp_target *target = NULL;
	uint16_t default_port;

	*hosts = '\0';
	hosts += strlen("://");
	if (!fold_scheme(scheme))
		return complain(parser, parser->word, TP_SAYS_BAD_SCHEME);
	if (ends_in(scheme, "+srv"))
		return complain(parser, parser->word, TP_SAYS_SRV);
	if (is_cut_password(scheme, hosts + strcspn(hosts, "/?#")))
		return complain(parser, parser->word, TP_SAYS_CUT_PASSWORD);
	hosts[strcspn(hosts, "/?#")] = '\0';
	at = strrchr(hosts, '@');
	if (at != NULL)
		hosts = at + 1;
	default_port = scheme_port(scheme);
	for (;;) {
		char *comma = strchr(hosts, ',');
		int error;

		if (comma != NULL)
			*comma = '\0';
		error = parse_url_host(parser, hosts, default_port, &target);
		if (error != 0 || comma == NULL)
			return error;
		hosts = comma + 1;
	}
}

static int parse_dev_tcp(struct parser *parser)
{
	char *host = parser->text + strlen(dev_tcp), *slash = strchr(host, '/');
	struct tp_target *target;
	int error;

	if (slash == NULL)
		return complain(parser, parser->word, TP_SAYS_NO_DEV_TCP_PORT);
	*slash = '\0';
	error = add_host(parser, host, &target);
	return error != 0 ? error : parse_ports(parser, target, slash + 1);
}

/* One word, whole or the host before port words: *target is then the target that has no port yet, else NULL. */
static int parse_word(struct parser *parser, struct tp_target **target)
{
	char *port;
	int error;

	*target = NULL;
	if (parser->is_url)
		return parse_url(parser);
	if (strncmp(parser->text, dev_tcp, strlen(dev_tcp)) == 0)
		return parse_dev_tcp(parser);
	error = cut_port(parser, parser->text, &port);
	if (error == 0)
		error = add_host(parser, parser->text, target);
	if (error != 0 || port == NULL)
		return error;
	error = parse_ports(parser, *target, port);
	*target = NULL;
	return error;
}

/* One operand; target is where port words belong, NULL until a host without port came first. */
static int add_word(struct parser *parser, bool first, struct tp_target **target)
{
	int error;

	if (*target != NULL)
		return parse_ports(parser, *target, parser->text);
	error = parse_word(parser, target);
	if (error == 0 && *target != NULL && !first)
		return complain(parser, parser->word, TP_SAYS_NO_OWN_PORT);
	return error;
}

static size_t longest(char *const words[], size_t count)
{
	size_t longest = 0;

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(words[i]);

		if (length > longest)
			longest = length;
	}
	return longest;
}

int tp_targets_add(struct tp_targets *targets, char *const words[], size_t count, struct tp_why *why)
{
	struct tp_target *target = NULL;
	size_t size = longest(words, count) + 1;
	char few[256], *text = size <= sizeof(few) ? few : malloc(size);
	int error = text == NULL ? ENOMEM : 0;

	for (size_t i = 0; i < count && error == 0; i++) {
		struct parser parser = {
			.targets = targets,
			.why = why,
			.word = words[i],
			.text = strcpy(text, words[i]),
			.is_url = strstr(words[i], "://") != NULL,
		};

		error = add_word(&parser, i == 0, &target);
		if (error == 0 && i + 1 == count && target != NULL && target->ports_count == 0)
			error = complain(&parser, parser.word,
					 strchr(target->host, ':') != NULL ? TP_SAYS_NO_IPV6_PORT : TP_SAYS_NO_PORT);
	}
	if (text != few)
		free(text);
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
	*targets = (struct tp_targets){ 0 };
}

bool tp_cursor_next(struct tp_cursor *cursor, const struct tp_targets *targets, const char **host, uint16_t *port)
{
	const struct tp_target *target;
	const struct tp_ports *ports;

	if (cursor->target == targets->count)
		return false;
	target = &targets->list[cursor->target];
	ports = &target->ports[cursor->ports];
	*host = target->host;
	*port = (uint16_t)(ports->first + cursor->offset);
	if (*port < ports->last) {
		cursor->offset++;
		return true;
	}
	cursor->offset = 0;
	if (++cursor->ports == target->ports_count) {
		cursor->ports = 0;
		cursor->target++;
	}
	return true;
}
