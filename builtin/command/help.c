// SPDX-License-Identifier: GPL-3.0-or-later
/* The help, from usage.def and tcpprobe.def. One string: an array of lines would be relocated in each shell. */
#include "tp_options.h"

const char tp_synopsis[] = "tcpprobe [OPTION]... TARGET... [-- COMMAND [ARG]...]";

/* clang-format off */
/* BEGIN c_usage */
const char tp_usage[] =
	"Is a TCP port reachable, and if not, why not? Nothing is sent to the peer." TP_USAGE_BREAK
	"TARGET: HOST PORT..., HOST:PORT, :PORT, /dev/tcp/HOST/PORT, or a URL." TP_USAGE_BREAK
	"PORT: a number, a service name, a range 8000-8010, a list 22,80,8000-8010." TP_USAGE_BREAK
	"TIME: seconds, or a number with ms, s, m or h: 3, 0.25, 500ms, 1m." TP_USAGE_BREAK
	"COMMAND replaces the process once every target is as wanted." TP_USAGE_BREAK
	"" TP_USAGE_BREAK
	"  -1, --any               one open target is enough" TP_USAGE_BREAK
	"  -4, --ipv4              only IPv4 addresses" TP_USAGE_BREAK
	"  -6, --ipv6              only IPv6 addresses" TP_USAGE_BREAK
	"  -a, --all-addresses     a probe and a report for each address of a name" TP_USAGE_BREAK
	"  -c, --count N           N rounds, 0 for ever; with -r: open N times in a row" TP_USAGE_BREAK
	"  -f, --file FILE         more targets, one a line (-: standard input)" TP_USAGE_BREAK
	"  -F, --format FORMAT     a line of this format per probe: %h host, %p port," TP_USAGE_BREAK
	"                          %a address, %s state, %x status, %e reason, %r who" TP_USAGE_BREAK
	"                          said no, %t and %l ms of handshake and lookup, %n try," TP_USAGE_BREAK
	"                          %T Unix time, %b banner, %% \\n \\t \\\\" TP_USAGE_BREAK
	"  -h, --help              show this help" TP_USAGE_BREAK
	"  -i, --interval TIME     pause between tries (0.25) or rounds (1)" TP_USAGE_BREAK
	"  -j, --json              a JSON object for each probe, one a line" TP_USAGE_BREAK
	"  -k, --hold TIME         hold the connection: does the peer hang up? (0: no)" TP_USAGE_BREAK
	"  -n, --parallel N        at most N probes in flight at once (256)" TP_USAGE_BREAK
	"  -o, --output NAME       builtin: the reports go into this array" TP_USAGE_BREAK
	"  -q, --quiet             no messages about what is not open" TP_USAGE_BREAK
	"  -r, --wait TIME         try until open, at most TIME in all (0: for ever)" TP_USAGE_BREAK
	"  -R, --wait-closed TIME  try until nobody accepts: for draining" TP_USAGE_BREAK
	"  -s, --source SOURCE     connect from this address or interface" TP_USAGE_BREAK
	"  -t, --timeout TIME      deadline of a probe, lookup included (5; 0: none)" TP_USAGE_BREAK
	"  -T, --trace             which hop answers, refuses or drops? (Linux)" TP_USAGE_BREAK
	"  -u, --connect NAME      builtin: keep the connection, descriptor in NAME" TP_USAGE_BREAK
	"  -v, --verbose           a line for each open target, and the states counted" TP_USAGE_BREAK
	"  -V, --version           show name, version and face" TP_USAGE_BREAK
	"  -z, --half-open         no trace: the handshake is not finished (Linux)" TP_USAGE_BREAK
	"" TP_USAGE_BREAK
	"Exit status: that of the first target that is not as wanted, else 0." TP_USAGE_BREAK
	"  0        open: the handshake completed" TP_USAGE_BREAK
	"  1        refused: the host answered: nobody listens there" TP_USAGE_BREAK
	"  2        wrong usage; nothing was probed (except the valid lines of a file)" TP_USAGE_BREAK
	"  3        unreachable: the network, here or on the way, says no" TP_USAGE_BREAK
	"  4        unresolved: the name has no address" TP_USAGE_BREAK
	"  5        error: the probe could not be made here" TP_USAGE_BREAK
	"  6        hangup: with -k: somebody accepted, and hung up: nobody serves there" TP_USAGE_BREAK
	"  124      timeout: no answer within the deadline" TP_USAGE_BREAK
	"  126, 127 COMMAND cannot be run, is not found" TP_USAGE_BREAK
	"  128+n    signal n ended it" TP_USAGE_BREAK
	"Examples:" TP_USAGE_BREAK
	"  tcpprobe -t 2 db 5432 || echo \"status $?\"" TP_USAGE_BREAK
	"  tcpprobe -r 30 \"$DATABASE_URL\" && ./server" TP_USAGE_BREAK
	"  tcpprobe -qv localhost 1-1023";
/* END c_usage */
/* clang-format on */
