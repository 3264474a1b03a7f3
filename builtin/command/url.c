// SPDX-License-Identifier: GPL-3.0-or-later
/* URLs: RFC 3986, and the forms that software adds to it: lists of hosts, lists of URLs, JDBC's. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "tp_parser.h"
#include "tp_says.h"

/* No scheme is longer than this. */
#define SCHEME_MAX 63

static int blame_word(const struct tp_parser *parser, const char *why)
{
	return tp_parser_complain(parser, parser->word, why);
}

/* Is the text one of the words in the list, which blanks separate? Upper and lower case are the same. */
static bool is_one_of(const char *list, const char *word, size_t length)
{
	for (; list != NULL; list = strchr(list, ' ')) {
		list += *list == ' ';
		if (strncasecmp(list, word, length) == 0 && (list[length] == ' ' || list[length] == '\0'))
			return true;
	}
	return false;
}

/* Is any part of the scheme one of these words? */
static bool has_part(const char *scheme, const char *list)
{
	for (;; scheme++) {
		size_t length = strcspn(scheme, "+");

		if (is_one_of(list, scheme, length))
			return true;
		scheme += length;
		if (*scheme == '\0')
			return false;
	}
}

/* The paths and queries of these schemes may hold anything, also hosts. */
static bool is_web(const char *scheme)
{
	return has_part(scheme, "http https ws wss");
}

/* Where the next URL begins in this text, behind a ',', ';' or '|'; NULL: nowhere. */
static char *next_url(char *text)
{
	for (char *end = text; (end = strstr(end, "://")) != NULL; end += strlen("://")) {
		char *begin = end;

		while (begin > text && (begin[-1] == ':' || strchr(tp_scheme_bytes, begin[-1]) != NULL))
			begin--;
		if (begin > text && strchr(",;|", begin[-1]) != NULL)
			return begin;
	}
	return NULL;
}

/* Cuts the first URL off the others. Returns the others, or NULL. */
static char *cut_first(char *urls)
{
	char *text = strstr(urls, "://") + strlen("://"), *next = next_url(text), separator;

	if (next == NULL)
		return NULL;
	separator = next[-1];
	next[-1] = '\0';
	if (text[strcspn(text, "?#")] == '\0')
		return next;
	/* A ',' or ';' in a query may belong to a value: check_tail() refuses it then. */
	next[-1] = separator;
	return NULL;
}

/* -- Schemes */

/*
 * Copies the scheme in lower case. JDBC joins parts with ':' (mysql:loadbalance), which becomes '+'. RFC 3986: a scheme
 * begins with a letter.
 */
static bool fold_scheme(char *scheme, bool jdbc)
{
	size_t length = 0;

	for (; length < SCHEME_MAX && scheme[length] != '\0'; length++) {
		char *byte = &scheme[length];

		if (*byte >= 'A' && *byte <= 'Z')
			*byte = (char)(*byte - 'A' + 'a');
		if (jdbc && *byte == ':')
			*byte = '+';
		if (strchr(tp_scheme_bytes, *byte) == NULL)
			return false;
	}
	return scheme[length] == '\0' && *scheme >= 'a';
}

static int check_scheme(struct tp_parser *parser, char *scheme, bool jdbc)
{
	if (!fold_scheme(scheme, jdbc))
		return blame_word(parser, strchr(scheme, '=') != NULL ? TP_SAYS_ASSIGNMENT : TP_SAYS_BAD_SCHEME);
	if (has_part(scheme, "srv"))
		return blame_word(parser, TP_SAYS_SRV);
	if (has_part(scheme, "unix socket redis-socket ldapi ipc"))
		return blame_word(parser, TP_SAYS_UNIX_SOCKET);
	if (has_part(scheme,
		     "udp udp4 udp6 sctp dccp quic h3 http3 dtls coap coaps rtp srt rist tftp snmp dns pgm epgm inproc "
		     "mem multicast null sqlite sqlite3 duckdb file npipe") &&
	    !has_part(scheme, "tcp"))
		return blame_word(parser, TP_SAYS_NOT_TCP);
	parser->family = AF_UNSPEC;
	if (has_part(scheme, "tcp4"))
		parser->family = AF_INET;
	if (has_part(scheme, "tcp6"))
		parser->family = AF_INET6;
	return 0;
}

/* -- Peers */

static int hex_digit(char byte)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	const char *place = byte != '\0' ? strchr(hex, byte) : NULL;

	return place == NULL ? -1 : (int)(place - hex) % 16;
}

/*
 * RFC 3986's %XX, in place. %00 would cut the host short: it is kept as it is, and is in no host. In brackets
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

/* With an empty host, clients of these schemes look for a socket of this machine. */
static bool has_own_socket(uint16_t port)
{
	return port == 5432 || port == 3306 || port == 6379;
}

/* The last of these bytes; NULL: there is none. (memrchr(3) is no part of POSIX.) */
static const char *last_byte(const char *text, size_t length, char byte)
{
	while (length > 0 && text[length - 1] != byte)
		length--;
	return length > 0 ? text + length - 1 : NULL;
}

/*
 * Is it a user with or without a password? A name has no '=', and settings that somebody put behind a host, as in
 * h:1433;password=p@ss, are no password.
 */
static bool is_user(const char *user, size_t length)
{
	const char *equals = memchr(user, '=', length);

	if (equals == NULL)
		return true;
	length = (size_t)(equals - user);
	return memchr(user, ':', length) != NULL && strcspn(user, ";&|") > length;
}

/* HOST[:PORT]; the user is already cut off. */
static int parse_host(struct tp_parser *parser, char *text, const char *scheme, struct tp_target **target)
{
	uint16_t default_port = 0;
	char *port;
	int error;

	if (strchr(text, '=') != NULL)
		return blame_word(parser, TP_SAYS_ASSIGNMENT);
	if (strncasecmp(text, "unix:", 5) == 0)
		return blame_word(parser, TP_SAYS_UNIX_SOCKET);
	error = tp_parser_cut_port(parser, text, &port);
	if (error != 0)
		return error;
	decode_percent(text);
	if (port == NULL || *port == '\0')
		default_port = tp_service_port(&parser->targets->services, scheme, true);
	if (*text == '/' || (*text == '\0' && has_own_socket(default_port)))
		return blame_word(parser, TP_SAYS_UNIX_SOCKET);
	if (strchr(text, '/') != NULL)
		return blame_word(parser, TP_SAYS_BAD_HOST);
	/* An IPv6 address without brackets: its last part may be meant as a port, as in redis://::1:6379. */
	if (*text != '[' && strchr(text, ':') != NULL)
		return blame_word(parser, TP_SAYS_NO_BRACKETS);
	/* git@host:team/repository is no port, even if a service is called like the team. */
	if (port != NULL && (*port & 0x40) != 0 && has_part(scheme, "ssh git"))
		return blame_word(parser, TP_SAYS_UNKNOWN_PORT);
	error = tp_parser_add_host(parser, text, target);
	if (error != 0 || (port != NULL && *port != '\0'))
		return error != 0 ? error : tp_parser_add_port(parser, *target, port);
	if (default_port == 0)
		return blame_word(parser, TP_SAYS_NO_URL_PORT);
	return tp_parser_add_range(*target, default_port, default_port);
}

/*
 * Is it clear where each user ends, and that each comma stands between two peers? A comma may belong to a password if a
 * peer without a user stands before one with a user, or if only some users have a password.
 */
static bool users_are_clear(const char *peers)
{
	bool all_have_users = true, with_password = false;

	for (const char *peer = peers;; peer++) {
		size_t length = strcspn(peer, ",");
		const char *at = last_byte(peer, length, '@');
		bool password = at != NULL && memchr(peer, ':', (size_t)(at - peer)) != NULL;

		if (at != NULL && (!is_user(peer, (size_t)(at - peer)) ||
				   (peer != peers && (!all_have_users || password != with_password))))
			return false;
		all_have_users &= at != NULL;
		with_password = password;
		peer += length;
		if (*peer == '\0')
			return true;
	}
}

static int parse_peers(struct tp_parser *parser, char *peers, const char *scheme)
{
	struct tp_target *target = NULL;
	bool with_port = false;
	char *comma;
	int error = 0;

	if (!users_are_clear(peers))
		return blame_word(parser, TP_SAYS_CUT_PASSWORD);
	for (char *peer = peers; error == 0 && peer != NULL; peer = comma) {
		char *at, *colon;

		comma = strchr(peer, ',');
		if (comma != NULL)
			*comma++ = '\0';
		at = strrchr(peer, '@');
		if (target != NULL && at == NULL && peer[strspn(peer, "0123456789-")] == '\0') {
			/* h:80,443: one more port of the same host. */
			error = with_port ? tp_parser_add_port(parser, target, peer)
					  : blame_word(parser, TP_SAYS_NO_OWN_PORT);
			continue;
		}
		if (at != NULL)
			peer = at + 1;
		colon = strrchr(peer, ':');
		with_port = colon != NULL && strchr(colon, ']') == NULL;
		error = parse_host(parser, peer, scheme, &target);
	}
	return error;
}

/* -- What follows the peers */

/* Does a setting of this name hold a host, a port or a socket? What stands before a '_' or '-' does not matter. */
static bool names_host(const char *key, size_t length)
{
	size_t last = length;

	while (last > 0 && key[last - 1] != '_' && key[last - 1] != '-')
		last--;
	return is_one_of(
		"host hostaddr hosts server servers servername failoverpartner partner alternateservers node add "
		"clientreroutealternateservername alternategroupservername addr addrs "
		"backup backupservernode port portnumber secondary socket socketpath localsocket "
		"unixsocket",
		key + last, length - last);
}

static bool is_path(const char *value)
{
	return *value == '/' || strncasecmp(value, "%2f", 3) == 0;
}

/* Does it hold HOST:PORT? A time, or a time zone, has two digits behind its colon, and an account of Amazon's twelve. */
static bool holds_port(const char *piece, size_t length)
{
	const char *end = piece + length, *colon = piece;

	while ((colon = memchr(colon, ':', (size_t)(end - colon))) != NULL) {
		size_t digits = strspn(++colon, "0123456789");

		if (digits >= 3 && digits <= 5 && (colon + digits == end || strchr("/)]'\"", colon[digits]) != NULL))
			return true;
	}
	return false;
}

/*
 * Why a piece of a tail is refused, or NULL: it is a setting that names a host, or (in_list) it is no setting and may
 * be a host. In a path of the web only a piece with a colon may be one.
 */
static const char *piece_fault(const char *piece, size_t length, bool in_list, bool web)
{
	const char *equals = memchr(piece, '=', length), *colon, *key;

	/* Db2 writes its settings behind a colon. */
	colon = last_byte(piece, equals != NULL ? (size_t)(equals - piece) : length, ':');
	key = colon != NULL ? colon + 1 : piece;
	if (equals == NULL && in_list && length > 0 && (!web || colon != NULL))
		return TP_SAYS_HIDDEN_HOST;
	if (web)
		return NULL;
	if (equals != NULL && names_host(key, (size_t)(equals - key)))
		return is_path(equals + 1) ? TP_SAYS_UNIX_SOCKET : TP_SAYS_HIDDEN_HOST;
	return holds_port(piece, length) ? TP_SAYS_HIDDEN_HOST : NULL;
}

/*
 * A password with a bare '/', '?', '#' or ';' ends the peers too early, and an '@' comes behind. Is the '@' in this tail
 * none of that kind? It may stand in a setting, or in a path of the web or of git. But what seems to be the host may be
 * a part of a password, too, if it has no dot.
 */
static bool is_at_clear(const char *scheme, const char *peers, const char *tail)
{
	const char *at = strchr(tail, '@'), *user = memchr(peers, '@', (size_t)(tail - peers));
	const char *host = user == NULL ? peers : user + 1, *equals;
	bool setting;

	if (at == NULL)
		return true;
	equals = memchr(tail, '=', (size_t)(at - tail));
	setting = equals != NULL && tail + strcspn(tail, "?&;:") < equals;
	if (setting && user == NULL)
		return true;
	return (setting || (*tail == '/' && (is_web(scheme) || has_part(scheme, "ssh sftp")))) &&
	       (memchr(host, '.', (size_t)(tail - host)) != NULL || *host == '[' ||
		strncasecmp(host, "localhost", 9) == 0);
}

/* Path, query, fragment and properties are dropped, if no host is skipped with them. A byte stands before the tail. */
static int check_tail(const struct tp_parser *parser, const char *scheme, const char *peers, char *tail)
{
	const char *query = tail + (*tail == '/' ? strcspn(tail, "?#") : 0), *why = NULL;
	bool web = is_web(scheme);
	size_t length;

	if (!is_at_clear(scheme, peers, tail))
		return blame_word(parser, TP_SAYS_CUT_PASSWORD);
	/* http://h1http://h2, or Oracle's @ldap://h: what seemed to be a host is a scheme. */
	if (next_url(tail) != NULL || strncmp(tail - 1, "://", 3) == 0)
		return blame_word(parser, TP_SAYS_HIDDEN_HOST);
	for (const char *piece = tail; why == NULL && *piece != '\0'; piece += 1 + length) {
		bool in_list = strchr(",;|", *piece) != NULL && (piece < query || *tail == ';');

		length = strcspn(piece + 1, ",;|?&#");
		why = piece_fault(piece + 1, length, in_list, web);
	}
	return why == NULL ? 0 : blame_word(parser, why);
}

/* An instance of SQL Server, which has no default port. In the URLs of Go's driver it is the path. */
static bool names_instance(const char *scheme, const char *tail)
{
	bool found = strcmp(scheme, "sqlserver") == 0 && *tail == '/' && strchr("?", tail[1]) == NULL;

	while (!found && (tail = strchr(tail, ';')) != NULL)
		found = strncasecmp(++tail, "instance", 8) == 0;
	return found;
}

static int parse_url(struct tp_parser *parser, char *scheme)
{
	char *peers = strstr(scheme, "://"), *tail;
	bool jdbc = tp_jdbc_length(scheme) > 0;
	int error;

	*peers = '\0';
	peers += strlen("://");
	error = check_scheme(parser, scheme, jdbc);
	if (error != 0)
		return error;
	tail = peers + strcspn(peers, jdbc || has_part(scheme, "sqlserver mssql") ? "/?#;" : "/?#");
	error = check_tail(parser, scheme, peers, tail);
	if (error != 0)
		return error;
	if (has_part(scheme, "sqlserver mssql") && names_instance(scheme, tail))
		*scheme = '\0';
	*tail = '\0';
	/* Cassandra's driver for JDBC has h1--h2, which may be a name, too. */
	if (jdbc && has_part(scheme, "cassandra") && strstr(peers, "--") != NULL)
		return blame_word(parser, TP_SAYS_HIDDEN_HOST);
	return parse_peers(parser, peers, scheme);
}

int tp_parser_add_urls(struct tp_parser *parser)
{
	char *url = parser->text;
	int error = 0;

	if (strchr(parser->word, ' ') != NULL || tp_has_control(parser->word))
		return blame_word(parser, TP_SAYS_BLANK);
	while (error == 0 && url != NULL) {
		char *next = cut_first(url);

		error = parse_url(parser, url);
		url = next;
	}
	return error;
}

/* How often do these bytes occur in the text? */
static size_t count_bytes(const char *text, char byte)
{
	size_t count = 0;

	for (; (text = strchr(text, byte)) != NULL; text++)
		count++;
	return count;
}

/*
 * jdbc:oracle:thin:[USER/PASSWORD]@[[tcp:|tcps:]//]HOST[:PORT]/SERVICE, or ...@HOST:PORT:SID. A lone name is an alias of
 * Oracle's. In a list a host without a port has that of the next one which has one: so all have one, or none.
 */
int tp_parser_add_oracle(struct tp_parser *parser)
{
	char *peers = strchr(parser->text, '@'), *url = strstr(parser->text, "://"), *tail, *colon;
	size_t colons;
	int error;

	/* What looks like a URL's host is no driver, user or password. */
	if (url != NULL && (peers == NULL || url < peers))
		return tp_parser_add_urls(parser);
	if (peers == NULL)
		return blame_word(parser, TP_SAYS_NO_PORT);
	if (*++peers == '(')
		return blame_word(parser, TP_SAYS_ASSIGNMENT);
	peers += strncasecmp(peers, "tcp://", 6) == 0 ? 4 : strncasecmp(peers, "tcps://", 7) == 0 ? 5 : 0;
	peers += strncmp(peers, "//", 2) == 0 ? 2 : 0;
	tail = peers + strcspn(peers, "/?#");
	/* A name alone, or with settings behind it. */
	if (*tail != '/' && memchr(peers, ':', (size_t)(tail - peers)) == NULL)
		return blame_word(parser, TP_SAYS_NO_PORT);
	error = check_tail(parser, "oracle", peers, tail);
	if (error != 0)
		return error;
	*tail = '\0';
	colons = count_bytes(peers, ':');
	if (strchr(peers, ',') != NULL && colons > 0 && colons != count_bytes(peers, ',') + 1)
		return blame_word(parser, TP_SAYS_NO_OWN_PORT);
	colon = strpbrk(peers, "[,") == NULL && colons == 2 ? strrchr(peers, ':') : NULL;
	if (colon != NULL)
		*colon = '\0';
	return parse_peers(parser, peers, "oracle");
}
