/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words to targets: CONTRACT "Targets". Nothing here resolves or sends.
 *
 * Every host that is written is probed, or the word is refused: what the
 * grammar does not derive is never skipped. A call is a list of words:
 *
 *	call     = place spec { spec } | target { target } ;
 *	target   = list | dev-tcp | urls | oracle ;
 *
 *	list     = item { "," ( item | number ) } [ "/" path ] ;
 *	item     = [ place ] ":" port ;
 *	place    = host | network ;
 *	host     = name | ipv4 | ipv6 | "[" ipv6 "]" ;
 *	network  = ( ipv4 | ipv6 | "[" ipv6 "]" ) "/" bits ;
 *	spec     = port { "," port } ;
 *	port     = number | service [ "/tcp" ] ;
 *	number   = digits [ "-" digits ] [ "/tcp" ] ;
 *	dev-tcp  = "/dev/tcp/" host "/" spec ;
 *
 *	urls     = url { ( "," | ";" | "|" ) url } ;
 *	url      = [ "jdbc:" | "r2dbc:" ] scheme "://" peer { "," ( peer | number ) } [ tail ] ;
 *	scheme   = part { "+" part } ;
 *	peer     = [ user [ ":" password ] "@" ] host [ ":" [ port ] ] ;
 *	tail     = ( "/" | "?" | "#" | ";" ) anything ;
 *	oracle   = "jdbc:oracle:" driver ":" [ user "/" password ] "@"
 *	           ( [ [ "tcp:" | "tcps:" ] "//" ] peer { "," peer } tail | host ":" port [ ":" sid ] ) ;
 *
 * An item without host is localhost. A number that stands alone is one more
 * port of the host before it, which has one. path has none of ",:;|". Peers
 * either all have a user, as RabbitMQ's lists have it, or only the first has, as
 * MongoDB's have it; of several of Oracle's all have a port, or none has. ";"
 * begins a tail only behind "jdbc:" and in SQL Server's URLs; behind "jdbc:"
 * the parts of a scheme may be joined by ":". Hosts of URLs may have %XX, and
 * IPv6 literals in them stand in brackets. Of a network its hosts count: see
 * tp_network_check().
 *
 * What is refused, though a general URL may have it: a comma in a user or
 * password, and '=' in a user; '@' in a tail, where a password may end too early
 * (see url.c: is_at_clear); a tail that seems to name one more host (?host=,
 * ,host:port); a scheme that is not TCP; '=' anywhere but in a password or a
 * tail; blanks.
 */
#ifndef TP_TARGET_H
#define TP_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tp_address.h"
#include "tp_services.h"
#include "tp_text.h"

/* Ports first to last, both included, 1-65535. */
struct tp_ports {
	uint16_t first, last;
};

struct tp_target {
	char *host;    /* without brackets, never empty; as given but for a URL's %XX; of a network the first host */
	uint16_t last; /* a network's number of hosts after the first */
	int family;    /* the family to probe it in: AF_UNSPEC, AF_INET or AF_INET6 */
	struct tp_ports *ports;
	size_t ports_count;
};

/* An ordered list; zeroed it is empty. It owns all that it points to. */
struct tp_targets {
	struct tp_target *list;
	size_t count;
	int family; /* set by the caller, for all of them; then a URL that wants the other family is refused */
	struct tp_services services;
};

/*
 * Adds the targets that the words name. Returns 0, EINVAL with the reason in
 * *why, or ENOMEM. On failure what was added before stays; cut or free the list.
 */
int tp_targets_add(struct tp_targets *targets, char *const words[], size_t count, struct tp_why *why);

/* Keeps only the first count targets. */
void tp_targets_cut(struct tp_targets *targets, size_t count);

void tp_targets_free(struct tp_targets *targets);

/* How many probes they make. */
uint64_t tp_targets_probes(const struct tp_targets *targets);

/* A place in a list of targets, port by port and then address by address; zeroed it is at the start. */
struct tp_cursor {
	size_t target, ports;
	uint16_t address, port;
	char text[INET6_ADDRSTRLEN]; /* the place of the address in a network */
};

/* The next endpoint, in order; false at the end. Its host is valid until the next call, and no longer than the list. */
bool tp_cursor_next(struct tp_cursor *cursor, const struct tp_targets *targets, struct tp_endpoint *endpoint);

#endif
