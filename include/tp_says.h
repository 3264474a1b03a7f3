/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What both faces say, word for word. `make sync` gives shell/tcpprobe.sh the same words, as tp_says_<name>: each is one
 * line, and a plain string, never a format.
 */
#ifndef TP_SAYS_H
#define TP_SAYS_H

/* Of a word that should be targets. */
#define TP_SAYS_NO_TARGET "no target: is a variable unset?"
#define TP_SAYS_EMPTY_WORD "an empty word: is a variable unset?"
#define TP_SAYS_ASSIGNMENT "a word with = is no target"
#define TP_SAYS_UNIX_SOCKET "a Unix socket, not TCP"
#define TP_SAYS_NOT_TCP "not TCP"
#define TP_SAYS_NO_ZONE "a link-local address needs its zone: fe80::1%eth0"
#define TP_SAYS_EMPTY_HOST "the host is empty"
#define TP_SAYS_LONG_HOST "the host is too long"
#define TP_SAYS_BAD_HOST "not a host: a name has letters, digits and . _ - only, and begins with no dash"
#define TP_SAYS_BAD_IPV6 "not an IPv6 address"
#define TP_SAYS_BAD_COLONS "neither HOST:PORT nor an IPv6 address"
#define TP_SAYS_OPEN_BRACKET "the bracket is not closed"
#define TP_SAYS_BEHIND_BRACKET "only :PORT can follow the bracket"
#define TP_SAYS_EMPTY_PORT "an empty port"
#define TP_SAYS_BAD_PORT "a port is 1 to 65535"
#define TP_SAYS_BAD_RANGE "the range is reversed"
#define TP_SAYS_UNKNOWN_PORT "neither a port nor a known service"
#define TP_SAYS_NO_PORT "no port: HOST PORT, or HOST:PORT"
#define TP_SAYS_NO_IPV6_PORT "no port: HOST PORT, or [HOST]:PORT"
#define TP_SAYS_NO_OWN_PORT "no port: of several targets each is HOST:PORT"
#define TP_SAYS_NO_DEV_TCP_PORT "no port: /dev/tcp/HOST/PORT"
#define TP_SAYS_NO_URL_PORT "no port, and the scheme names no known service"
#define TP_SAYS_BAD_NETWORK "not a network: ADDRESS/BITS"
#define TP_SAYS_HOST_BITS "not a network: its address has bits set behind the prefix"
#define TP_SAYS_LARGE_NETWORK "a network of more than 65536 addresses"
#define TP_SAYS_OTHER_FAMILY "the other family than -4, -6 or -s asks for"
#define TP_SAYS_HIDDEN_HOST "it seems to name one more host or port; write that as a target of its own"
#define TP_SAYS_NO_AUTHORITY "not a URL: no ://HOST"
#define TP_SAYS_BLANK "a blank or a control byte"
#define TP_SAYS_NO_BRACKETS "an IPv6 address in a URL stands in brackets"
#define TP_SAYS_BAD_SCHEME "not a URL: the scheme is malformed"
#define TP_SAYS_SRV "its hosts stand in DNS SRV records, which are not looked up"
#define TP_SAYS_CUT_PASSWORD "where does the password end? write its / as %2F, ? as %3F, # as %23, comma as %2C"
#define TP_SAYS_LONG_LINE "the line is too long"

/* Of options. */
#define TP_SAYS_TRY_HELP "Try 'tcpprobe --help'."
#define TP_SAYS_ONLY_B "only the builtin has it"
#define TP_SAYS_ONLY_BP "only the builtin and the program have it"
#define TP_SAYS_ONLY_PW "only the program and the wrapper have it"
#define TP_SAYS_AMBIGUOUS "an ambiguous option"
#define TP_SAYS_NO_VALUE "takes no value"
#define TP_SAYS_BAD_OPTION "invalid option"
#define TP_SAYS_NO_ARGUMENT "an argument is missing"
#define TP_SAYS_EXCLUDE "exclude each other"
#define TP_SAYS_HELP_ALONE "-h and -V stand alone; a host needs no option: tcpprobe HOST PORT"
#define TP_SAYS_NO_COMMAND "a COMMAND is missing behind it"
#define TP_SAYS_ONE_FILE "only one file is read"
#define TP_SAYS_BAD_DURATION "not a duration (3, 0.25, 500ms, 2s, 1m, 1h)"
#define TP_SAYS_LONG_DURATION "too long"
#define TP_SAYS_BAD_COUNT "not a whole number from"
#define TP_SAYS_COUNT_IN_WAIT "with -r it is how often in a row, at least 1"
#define TP_SAYS_LONG_HOLD "the hold must be shorter than"
#define TP_SAYS_BAD_SOURCE "neither a numeric address nor an interface here"
#define TP_SAYS_BAD_FAMILY "an address of the other family than"
#define TP_SAYS_BAD_FORMAT "is no part of a format (%h %p %a %s %x %e %r %t %l %n %T %b %% \\n \\t \\\\)"
#define TP_SAYS_BAD_NAME "not a variable's name"
#define TP_SAYS_READONLY "a readonly variable"

/* Of what was probed. */
#define TP_SAYS_LOOKUP_LATE "Name lookup timed out"
#define TP_SAYS_STILL_OPEN "still open after "
#define TP_SAYS_NOT_CLOSED "not closed after "
#define TP_SAYS_NOT_OPEN "not open after "
#define TP_SAYS_HANGUP "the peer hung up: nobody serves there"
#define TP_SAYS_SHORT_HOLD "somebody accepted, but time was up before the end of the hold"
#define TP_SAYS_EARLY_END "the wait was over before the end of the file"

#endif
