/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What target.c, the grammar of words, and url.c, that of URLs, have in common. */
#ifndef TP_PARSER_H
#define TP_PARSER_H

#include "tp_target.h"

/* A word on its way to targets. */
struct tp_parser {
	struct tp_targets *targets;
	struct tp_why *why;
	const char *word;
	char *text; /* a copy of it, cut into pieces in place */
	int family; /* the family that the current URL asks for */
};

/*
 * Sets the reason: the piece at fault, and why. In a word that may hide a secret any piece may be a part of the secret,
 * so the reason then quotes the word as tp_quote() shows it. Returns EINVAL.
 */
int tp_parser_complain(const struct tp_parser *parser, const char *piece, const char *why);

/*
 * Cuts "HOST:PORT" or "[v6]:PORT" at its colon; HOST may be a network. *port is
 * NULL where there is no port: a name, "[v6]", or a bare IPv6 literal, which
 * has a colon but no port.
 */
int tp_parser_cut_port(const struct tp_parser *parser, char *text, char **port);

/* Adds a target without ports: a host, or a network. The list owns it at once, so a failure further on leaks nothing. */
int tp_parser_add_host(const struct tp_parser *parser, char *host, struct tp_target **target);

/* Adds ports to a target: first to last; what an item says. */
int tp_parser_add_range(struct tp_target *target, uint16_t first, uint16_t last);
int tp_parser_add_port(const struct tp_parser *parser, struct tp_target *target, char *item);

/* A word with "://" in it: one URL or several. */
int tp_parser_add_urls(struct tp_parser *parser);

/* jdbc:oracle:thin:..., which is no URL. */
int tp_parser_add_oracle(struct tp_parser *parser);

#endif
