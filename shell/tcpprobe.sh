#!/bin/sh
# tcpprobe
# SPDX-License-Identifier: 0BSD
# Is that TCP port open, and if not, why not? One file for any POSIX shell: run it, read it with `.` for a function, or feed it:
# (cat tcpprobe.sh; echo tcpprobe -v db 5432) | ssh host sh. It becomes the builtin or program of that name, if there is one, else
# connects with a tool: bash, perl, python3, an nc. Results are left in variables, because a $( ) costs a process.
# shellcheck disable=SC2015,SC2016,SC2086,SC2194,SC3028,SC3040,SC3044,SC3045,SC3047 # what is not quoted needs no quotes; bash is asked for first
# BEGIN sh_words
tp_version=0.1.0 tp_only_b=ou tp_only_bp=46acfFknsTz tp_statuses=' open 0 refused 1 unreachable 3 unresolved 4 error 5 hangup 6 timeout 124 '
tp_says_no_target='no target: is a variable unset?' tp_says_empty_word='an empty word: is a variable unset?' tp_says_assignment='a word with = is no target'
tp_says_unix_socket='a Unix socket, not TCP' tp_says_not_tcp='not TCP' tp_says_no_zone='a link-local address needs its zone: fe80::1%eth0'
tp_says_long_host='the host is too long' tp_says_bad_host='not a host: letters, digits and . _ - only, and no dash first' tp_says_bad_option='invalid option'
tp_says_bad_port='a port is 1 to 65535' tp_says_bad_range='the range is reversed' tp_says_unknown_port='neither a port nor a known service'
tp_says_no_port='no port: HOST PORT, or HOST:PORT' tp_says_no_ipv6_port='no port: HOST PORT, or [HOST]:PORT' tp_says_try_help='Try '\''tcpprobe --help'\''.'
tp_says_no_own_port='no port: of several targets each is HOST:PORT' tp_says_no_url_port='no port, and the scheme names no known service'
tp_says_hidden_host='it seems to name one more host or port: give that by itself' tp_says_only_b='only the builtin has it' tp_says_exclude='exclude each other'
tp_says_cut_password='where does the password end? write its @ as %40, / %2F, ? %3F, # %23, comma %2C' tp_says_no_argument='an argument is missing'
tp_says_only_bp='only the builtin and the program have it' tp_says_bad_duration='not a duration (3, 0.25, 500ms, 2s, 1m, 1h)' tp_says_not_open='not open after '
tp_says_lookup_late='Name lookup timed out' tp_says_still_open='still open after ' tp_says_not_closed='not closed after '
tp_long_names=' any:1 ipv4:4 ipv6:6 all-addresses:a count:c file:f format:F help:h interval:i json:j hold:k parallel:n output:o quiet:q wait:r wait-closed:R
 source:s timeout:t trace:T connect:u verbose:v version:V half-open:z '
tp_services=' amqp 5672 amqps 5671 ftp 21 http 80 https 443 imap 143 imaps 993 ldap 389 ldaps 636 mqtt 1883 mysql 3306 postgresql 5432 smtp 25 ssh 22 rdp 3389
 ws 80 wss 443 pgsql 5432 postgres 5432 mariadb 3306 mysql2 3306 mssql 1433 oracle 1521 sqlserver 1433 bolt 7687 elasticsearch 9200 mongodb 27017 redis 6379
 rediss 6379 valkey 6379 kafka 9092 nats 4222 rabbitmq 5672 sasl_ssl 9092 etcd 2379 zookeeper 2181 '
tp_words="open=Connection reset by peer;=Broken pipe;refused=Connection refused;timeout=Operation timed out;=Connection timed out;\
unresolved=Name or service not known;=Temporary failure in name resolution;=Non-recoverable failure in name resolution;=The host has no address of this family;\
=No address associated with hostname;=forward host lookup failed;=bad address;=Name does not resolve;=Try again;unreachable=No route to host;\
=Network is unreachable;=Network is down;=Permission denied;=Operation not permitted;=Invalid argument;=Host is down;=Protocol error;=Operation not supported;\
=Protocol not available;=Machine is not on the network;=Host is unreachable;=Network unreachable;"
tp_help='usage: tcpprobe [OPTION]... TARGET... [-- COMMAND [ARG]...]
Is a TCP port reachable, and if not, why not? Nothing is sent to the peer.
TARGET: HOST PORT..., HOST:PORT, :PORT, /dev/tcp/HOST/PORT, or a URL.
PORT: a number, a service name, a range 8000-8010, a list 22,80,8000-8010.
TIME: seconds, or a number with ms, s, m or h: 3, 0.25, 500ms, 1m.
COMMAND replaces the process once every target is as wanted.
  -1, --any               one open target is enough
  -h, --help              show this help
  -i, --interval TIME     pause between tries (0.25) or rounds (1)
  -j, --json              a JSON object for each probe, one a line
  -q, --quiet             no messages about what is not open
  -r, --wait TIME         try until open, at most TIME in all (0: for ever)
  -R, --wait-closed TIME  try until nobody accepts: for draining
  -t, --timeout TIME      deadline of a probe, lookup included (5; 0: none)
  -v, --verbose           a line for each open target, and the states counted
  -V, --version           show name, version and face
Exit status: 0 open, 1 refused, 2 wrong usage, 3 unreachable, 4 unresolved,
5 error, 6 hangup, 124 timeout, 126, 127 COMMAND cannot be run, is not found,
128+n signal n ended it
Examples:
  tcpprobe -t 2 db 5432 || echo "status $?"
  tcpprobe -r 30 "$DATABASE_URL" && ./server
  tcpprobe -qv localhost 1-1023'
# END sh_words
tp_newline='
'
tp_clean() { tp_text=$(printf %.100s "$1" | tr -c ' !#-[]-~' '?'); } # TEXT: sets tp_text, with nothing special to a terminal, echo or JSON
tp_fail() { echo "tcpprobe: $2" >&2 && { [ "$1" != 2 ] || echo "$tp_says_try_help" >&2; } && exit "$1"; }
# tp_misuse TEXT WHY [OPTION]: if TEXT, or the target that it is a part of, may hold a password, no more than its scheme is shown.
tp_misuse() {
	tp_text='' && tp_rest=${tp_word:-$1} && tp_rest=${tp_rest#jdbc:} && tp_name=${tp_rest%%[!A-Za-z0-9+._-]*}
	case $tp_rest in
		"$tp_name"://*) tp_text=$tp_name://... ;;
		/dev/tcp/*) ;;
		*[@=\;\|\&\<\{\(\\\ ]* | *:*[?#]* | */*[!0-9:tcpud]* | *:*:*[!]0-9A-Fa-f:.,/]* | *[!]0-9A-Fa-f:.,/[]*:*:*) tp_text=... ;;
	esac
	{ [ "$tp_text" ] || tp_clean "$1"; } && tp_fail 2 "${3-}'$tp_text': $2"
}
# -- Options: flags in tp_flags, times in variables of their own
tp_has() { [ "${tp_flags#*"$1"}" != "$tp_flags" ]; }
tp_plain() { tp_number=${1#"${1%%[!0]*}"} && tp_number=${tp_number:-0}; } # DIGITS: sets tp_number, without leading zeros: those mean octal
# tp_time LETTER TEXT: sets tp_ms, 0 only if TEXT is. A shell has no fractions: five decimals count, with a 1 before them,
# since 08 is no number. mksh counts in 31 bits: the longest time is 24 days.
tp_time() {
	tp_rest=${2%[smh]} tp_scale=1
	case $2 in *ms) tp_rest=${2%ms} ;; *m) tp_scale=60 ;; *h) tp_scale=3600 ;; esac
	case $tp_rest in '' | . | *[!0-9.]* | *.*.*) tp_misuse "$2" "$tp_says_bad_duration" "-$1 " ;; *.*) ;; *) tp_rest=$tp_rest.0 ;; esac
	tp_plain "${tp_rest%%.*}" && tp_rest=1${tp_rest#*.}00000
	[ ${#tp_number} -le 7 ] && [ $tp_number -le $((2073600 / tp_scale)) ] || tp_misuse "$2" "$tp_says_bad_duration" "-$1 "
	tp_ms=$((tp_number * 1000 * tp_scale + (${tp_rest%"${tp_rest#??????}"} - 100000) * tp_scale / 100))
	case $2,$tp_ms in *ms,*) tp_ms=$tp_number ;; *[1-9]*,0) tp_ms=1 ;; esac
}
# tp_option WORD [NEXT]: takes a word of options; sets tp_used, how many words that were. --timeout=5 becomes t5.
tp_option() {
	tp_used=1 tp_letters=${1#-}
	case $1 in --*)
		tp_letters='' tp_name=${1#--} && tp_name=${tp_name%%=*}
		for tp_item in $tp_long_names; do
			case $tp_item in "$tp_name":?) tp_letters=${tp_item#*:} && break ;; "$tp_name"*) tp_letters=$tp_letters${tp_item#*:} ;; esac
		done
		case $tp_letters,$1 in
			,* | [!,][!,]* | [1hjqvV],*=* | ?,*=) tp_misuse "${1%%=*}" "$tp_says_bad_option" ;;
			?,*=*) tp_letters=$tp_letters${1#*=} ;;
		esac
		;;
	esac
	while [ "$tp_letters" ]; do
		tp_letter=${tp_letters%"${tp_letters#?}"} tp_letters=${tp_letters#?}
		case $tp_letter,$tp_letters,$# in
			[irRtw],,1) tp_misuse "-$tp_letter" "$tp_says_no_argument" ;;
			[irRtw],,*) tp_used=2 && tp_time $tp_letter "$2" ;;
			[irRtw],*) tp_time $tp_letter "$tp_letters" && tp_letters='' ;;
		esac
		case $tp_letter in
			[1hjqvV]) tp_flags=$tp_flags$tp_letter ;;
			i) tp_interval=$tp_ms ;;
			[tw]) [ $tp_ms = 0 ] && tp_timeout=$tp_forever || tp_timeout=$tp_ms ;;
			[rR]) [ "${tp_until:-$tp_letter}" = $tp_letter ] && tp_until=$tp_letter tp_wait=$tp_ms || tp_fail 2 "-r and -R $tp_says_exclude" ;;
			[$tp_only_b]) tp_misuse "-$tp_letter" "$tp_says_only_b" ;;
			[$tp_only_bp]) tp_misuse "-$tp_letter" "$tp_says_only_bp" ;;
			*) tp_misuse "-$tp_letter" "$tp_says_bad_option" ;; # not the word: mysql's -pPASSWORD
		esac
	done
}
# -- Targets: tp_target WORD adds HOST/FIRST/LAST to tp_list for each range of ports, or refuses the word.
# tp_service NAME [SYSTEM]: sets tp_number, by the system's list (a line: NAME PORT/tcp ALIAS... # comment), else by ours.
tp_service() {
	[ ! -r "${2-}" ] || while read -r tp_name tp_number tp_rest; do
		case $tp_number," $tp_name ${tp_rest%%#*} " in */tcp,*[!A-Za-z0-9+._-]"$1"[!A-Za-z0-9+._-]*) tp_number=${tp_number%/tcp} && return ;; esac
	done <"$2"
	tp_number=${tp_services#*" $1 "} && [ "$tp_number" != "$tp_services" ] && tp_number=${tp_number%%[!0-9]*}
}
tp_port() { tp_plain "$1" && [ ${#tp_number} -le 5 ] && [ $tp_number -ge 1 ] && [ $tp_number -le 65535 ] || tp_misuse "$1" "$tp_says_bad_port"; }
# tp_ports HOST SPEC: 80, 8000-8010, ssh, or a list of these
tp_ports() {
	tp_spec=$2,
	while [ "$tp_spec" ]; do
		tp_item=${tp_spec%%,*} tp_spec=${tp_spec#*,} && tp_first=${tp_item%/tcp}
		case $tp_first in
			*/udp) tp_misuse "$tp_item" "$tp_says_not_tcp" ;;
			*[!A-Za-z0-9+._-]* | '' | -* | *- | *-*-*) tp_misuse "${tp_item:-$2}" "$tp_says_unknown_port" ;;
			*[!0-9-]*) tp_service "$tp_first" /etc/services && tp_first=$tp_number || tp_misuse "$tp_item" "$tp_says_unknown_port" ;;
		esac
		tp_port "${tp_first%-*}" && tp_from=$tp_number && tp_port "${tp_first#*-}"
		[ $tp_from -le $tp_number ] || tp_misuse "$tp_item" "$tp_says_bad_range"
		tp_list="$tp_list $1/$tp_from/$tp_number"
	done
}
# tp_numeric HOST: is it an address? Not 010.0.0.1 or 127.1: those are read as other addresses than they look like.
tp_numeric() {
	case ${1%%%*} in
		*[!0-9A-Fa-f:.]* | *:::* | *::*::*) false ;;
		*:*.*) tp_numeric "${1##*:}" && tp_numeric "${1%:*}:0:0" ;;
		*:*:*:*:*:*:*:*:*:* | [!:]*:*:*:*:*:*:*:*:[!:]* | *[!:.][!:.][!:.][!:.][!:.]* | :[!:]* | *[!:]:) false ;;
		*::* | *:*:*:*:*:*:*:*) ;;
		*[!0-9.]* | *.*.*.*.* | .* | *. | *..* | 0[0-9]* | *.0[0-9]* | *[0-9][0-9][0-9][0-9]* | *[3-9][0-9][0-9]* | *2[6-9][0-9]* | *25[6-9]*) false ;;
		*) [ "$1" != "${1#*.*.*.}" ] ;;
	esac
}
# tp_hosts LIST [MARK [PORT]]: HOST:PORT, or a list. With MARK it is a URL's: USER@ may precede HOST, PORT is the default.
# A host with any other character than these is refused here, so nothing below can be misread.
tp_hosts() {
	tp_pieces=$1, tp_host=''
	while [ "$tp_pieces" ]; do
		tp_piece=${tp_pieces%%,*} tp_pieces=${tp_pieces#*,} tp_port=${3-}
		[ "$tp_host" ] || tp_user=${tp_piece%@*} # a comma may belong to a password, unless all users are the same
		case $tp_piece in *@*) [ "${tp_piece%@*}" = "$tp_user" ] && tp_piece=${tp_piece##*@} || tp_misuse "$tp_word" "$tp_says_cut_password" ;; esac
		case ${2-},${tp_host:+more},$tp_piece in
			,*,*:) tp_misuse "$tp_word" "$tp_no_port" ;;
			*=*) tp_misuse "$tp_word" "$tp_says_assignment" ;;
			*,%2[Ff]*) tp_misuse "$tp_word" "$tp_says_unix_socket" ;;
			*,*,[!\[]*:*:*) tp_misuse "$tp_piece" "$tp_says_bad_host" ;;
			*,\[*\]:* | *,*,[!\[]*:*) tp_port=${tp_piece##*:} tp_piece=${tp_piece%:*} ;;
			# Behind a host stand further ports of it. A word may be a service or one more host; in a URL it is a host.
			?*,more,*[!0-9-]* | *,\[*) ;;
			*,more,*) case $tp_own$tp_piece,$tp_word in own[0-9]*,* | *,/dev/*) tp_ports "$tp_host" "$tp_piece" && continue ;; *) tp_misuse "$tp_piece" "$tp_says_no_own_port" ;; esac ;;
		esac
		tp_host=$tp_piece tp_own=own && [ "$tp_port" != "${3-}" ] || tp_own=''
		case $tp_piece in \[*\]) tp_host=${tp_host#?} && tp_host=${tp_host%?} ;; esac
		case $tp_host in *:*%25*) tp_host=${tp_host%%\%25*}%${tp_host#*%25} ;; esac
		[ ${#tp_host} -le 1024 ] || tp_misuse "$tp_host" "$tp_says_long_host"
		case $tp_piece,$tp_host in
			*, | *,-* | *,*[!A-Za-z0-9._:%-]*) tp_misuse "${tp_host:-$tp_word}" "$tp_says_bad_host" ;;
			*,*:*) tp_numeric "$tp_host" || tp_misuse "$tp_word" "$tp_says_bad_host" ;;
			\[*) tp_misuse "$tp_host" "$tp_says_bad_host" ;;
			*%*) tp_misuse "$tp_word" "a host with % in it: $tp_says_only_bp" ;;
		esac
		case ${2-}$tp_list$tp_pieces,$tp_port in ,) tp_base=$tp_host ;; *,) tp_misuse "$tp_host" "$tp_no_port" ;; *) tp_ports "$tp_host" "$tp_port" ;; esac
	done
}
# tp_url SCHEME://[USER[:PASSWORD]@]HOST[:PORT][,...][/...]
tp_url() {
	tp_scheme=${1#jdbc:} && tp_scheme=${tp_scheme%%://*}
	tp_path=${1#*://} && tp_authority=${tp_path%%[/?#]*} && tp_path=${tp_path#"$tp_authority"}
	case $tp_scheme in *[A-Z]*) tp_scheme=$(echo "$tp_scheme" | tr '[:upper:]' '[:lower:]') ;; esac
	case +$tp_scheme+ in
		+[!a-z]* | *[!a-z0-9:+._-]*) tp_misuse "$1" "$tp_says_bad_host" ;;
		*+udp[46+]* | *+sctp+* | *+quic+* | +dtls+ | +coap+ | +coaps+ | +rtp+ | +srt+ | +rist+ | +tftp+ | +dns+ | +h3+ | +snmp+ | +null+ | *+multicast+*) tp_misuse "$1" "$tp_says_not_tcp" ;;
		*+unix+* | *+socket+* | +ldapi+ | +ipc+) tp_misuse "$1" "$tp_says_unix_socket" ;;
		*:* | *+srv+* | *sentinel+* | *+tcp[46]+* | +smtp+tls+ | +clickhouse+http* | +elasticsearch+http* | *+cassandra+*) tp_misuse "$1" "$tp_says_only_bp" ;;
		*+ssl+ | *+tls+) tp_scheme=${tp_scheme%+*}s ;; # amqp+ssl is amqps
	esac
	# A bare / ? or # in a password would end the host too early: an @ behind it is taken only where the host has a dot, too.
	case +$tp_scheme+,${tp_authority##*@},$tp_path in
		+sqlserver+,*,/[!?]*) tp_misuse "$1" "$tp_says_only_bp" ;; # an instance
		*+ssh+,*:[!0-9]*,*) tp_misuse "$1" "$tp_says_unknown_port" ;;
		*+http*,*[.\[]*,/*@* | *+ssh+,*.*,/*@* | *,*[.\[]*,*[?\&]*=*@*) ;;
		*@*) tp_misuse "$1" "$tp_says_cut_password" ;;
	esac
	case ${tp_authority%%[:@]*},$tp_authority in *=*,*@* | *,*[\&\|]*=*@*) tp_misuse "$1" "$tp_says_cut_password" ;; esac
	case +$tp_scheme+ in *+http+ | *+https+ | +ws+ | +wss+) tp_path=${tp_path%%[?#]*} ;; esac
	case $tp_authority,$tp_path in ,/* | *[?\&]host=/* | *[?\&]host=%2[Ff]* | *[sS]ocket=/*) tp_misuse "$1" "$tp_says_unix_socket" ;; esac
	case ${tp_path%%[?#]*},$tp_path in *[,\|]*,* | *:[0-9][0-9][0-9]* | *[?\&]*[hH][oO][sS][tT]* | *[?\&_-]port=* | *[?\&]addr=* | *[?\&]backup* | *[?\&]server=* | *[nN]ode=* | *_ADD=*) tp_misuse "$1" "$tp_says_hidden_host" ;; esac
	# The second part of a scheme names the port, unless it is a library: postgresql+psycopg2.
	tp_service "${tp_scheme##*+}" || tp_service "${tp_scheme%%+*}" || tp_number='' tp_no_port=$tp_says_no_url_port
	tp_hosts "$tp_authority" url "$tp_number"
}
# tp_target WORD. If the first one has no port, it is tp_base, and all further ones are ports of it.
tp_target() {
	tp_word=$1 tp_no_port=$tp_says_no_port
	case ${tp_base:+base}$1 in
		base*[.:]*) tp_misuse "$1" "$tp_says_no_own_port" ;;
		base*) tp_ports "$tp_base" "$1" && return ;;
		'') tp_fail 2 "$tp_says_empty_word" ;;
		*://*,*://* | *://*\;*) tp_misuse "$1" "a list of URLs, or ; in one: $tp_says_only_bp" ;;
		*://*) tp_url "$1" && return ;;
		*=*) tp_misuse "$1" "$tp_says_assignment" ;;
		*@*) tp_misuse "$1" "$tp_says_bad_host" ;;
		/dev/tcp/*:*/*) set -- "[${1#/dev/tcp/}" && set -- "${1%/*}]:${1##*/}" ;;
		/dev/tcp/*/*) set -- "${1#/dev/tcp/}" && set -- "${1%%/*}:${1#*/}" ;;
		/* | unix:*) tp_misuse "$1" "$tp_says_unix_socket" ;;
		*,*:*/tcp | *,*:*/udp) ;; # A path behind a list is dropped. Behind an address it is a network.
		*,*:*/*) tp_rest=${1##*,} && set -- "${1%"$tp_rest"}${tp_rest%%/*}" ;;
		*/[0-9]*) tp_rest=${1%%/*} && tp_rest=${tp_rest#\[} && ! tp_numeric "${tp_rest%\]}" || tp_misuse "$1" "$tp_says_only_bp" ;;
		:[!:]*) set -- "localhost$1" ;;
	esac
	case $1 in *:*:*) tp_no_port=$tp_says_no_ipv6_port && ! tp_numeric "$1" || set -- "[$1]" ;; esac
	tp_hosts "$1"
}
# -- Tools. These two programs race all addresses, 250 ms apart, families in turn. They print "lookup MS" as soon as they
# have addresses, "ADDRESS why" for each that fails, or "open ADDRESS MS", and end with 0 if it is open.
tp_perl='use Socket qw(:DEFAULT getaddrinfo getnameinfo); use Fcntl; use Errno; $| = 1;
my ($now, %turn, %flying) = eval { require Time::HiRes; sub { Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) } };
sub ms { $now ? sprintf "%.3f", 1000 * ($now->() - $_[0]) : "-" }
my ($start, $error, @all) = ($now && $now->(), getaddrinfo(@ARGV, { socktype => SOCK_STREAM, flags => 0 }));
print $error ? "$error\n" : "lookup " . ms($start) . "\n";
my @queue = map { $_->[1] } sort { $a->[0] <=> $b->[0] } map { [$turn{$_->{family}}++, $_] } @all;
while (@queue || %flying) {
	if (my $to = shift @queue) {
		my ($s, $name, $at) = (undef, (getnameinfo($to->{addr}, 3))[1], $now && $now->());
		socket($s, $to->{family}, SOCK_STREAM, 0) && fcntl($s, F_SETFL, O_NONBLOCK) &&
			(connect($s, $to->{addr}) || $!{EINPROGRESS}) or print("$name $!\n"), next;
		$flying{fileno $s} = [$s, $name, $at] }
	my $ready = ""; vec($ready, $_, 1) = 1 for keys %flying; select(undef, $ready, undef, @queue ? 0.25 : undef);
	for (grep { vec($ready, $_, 1) } keys %flying) {
		my ($s, $name, $at) = @{delete $flying{$_}};
		$! = unpack("i", getsockopt($s, SOL_SOCKET, SO_ERROR)) || getsockname($s) eq (getpeername($s) || "") && Errno::ECONNREFUSED();
		if (!$! || $!{ECONNRESET} || $!{EPIPE}) { print "open $name ", ms($at), "\n"; exit 0 }
		print "$name $!\n" }
}
exit 1;'
tp_python='import errno, os, socket, sys, threading, time
def ms(since): return "%.3f" % (1000 * (time.monotonic() - since))
def say(*words): os.write(1, (" ".join(words) + "\n").encode())
def turn(found): turns[found[0]] = turns.get(found[0], 0) + 1; return turns[found[0]]
def probe(to):
    try:
        s, at = socket.socket(to[0]), time.monotonic(); code = s.connect_ex(to[4])
        if code == 0 and s.getsockname() == s.getpeername(): code = errno.ECONNREFUSED
    except OSError as error: code = error.errno
    if code in (0, errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN): say("open", to[4][0], ms(at)); os._exit(0)
    say(to[4][0], os.strerror(code)); failed.set()
start, turns, failed = time.monotonic(), {}, threading.Event()
try: found = socket.getaddrinfo(sys.argv[1].encode(), sys.argv[2].encode(), 0, socket.SOCK_STREAM)
except OSError as error: sys.exit(error.strerror)
say("lookup", ms(start))
for to in sorted(found, key=turn):
    threading.Thread(target=probe, args=(to,)).start()
    if failed.wait(0.25): failed.clear()
sys.exit(1)'
tp_bash=': <"/dev/tcp/$1/$2"' # It tries one address after the other, and is deceived by a connection to itself.
# tp_pick HOST: sets tp_tool and its kind. For a name, the tools that race all its addresses come first.
tp_pick() {
	tp_numeric "$1" && tp_order='bash perl python3' || tp_order='perl python3 bash'
	tp_order=${TCPPROBE_BACKEND:-$tp_order nc nc.openbsd nc.traditional ncat busybox toybox}
	[ "$tp_order" != "$tp_picked" ] || return 0
	for tp_tool in $tp_order; do
		command -v "$tp_tool" >/dev/null && tp_kind=$tp_tool tp_picked=$tp_order || continue
		case $tp_tool in bash | perl | python3 | nc.openbsd | nc.traditional | ncat) return ;; nc) ;; *box) tp_tool="$tp_tool nc" ;; *) continue ;; esac
		case $($tp_tool --help 2>&1 </dev/null) in
			*Toybox*-q*) tp_kind=toybox && return ;;
			*BusyBox*-e*) tp_kind=busybox && return ;;
			*Ncat*) tp_kind=ncat && return ;;
			*'nc -h for help'*) tp_kind=nc.traditional && return ;;
			*usage*\[-*z*\]*) tp_kind=nc.openbsd && return ;;
		esac
	done
	tp_fail 5 "no tool to connect with: looked for $tp_order"
}
# tp_connect HOST PORT: becomes the tool. With -n an nc looks up no name for an address. -w: its own limit, beyond any of ours.
tp_connect() {
	# Some tools tell about the last address only. Where the host lacks IPv6 that would be ::1, so localhost is told to be IPv4.
	[ "$1" != localhost ] || [ ! -e /proc/net/dev ] || { [ -r /proc/net/if_inet6 ] && read -r tp_line </proc/net/if_inet6; } || set -- 127.0.0.1 "$2"
	tp_numeric "$1" && tp_n=-n || tp_n=
	case $tp_kind in
		bash) BASH_ENV='' ENV='' exec bash --norc --noprofile -pc "$tp_bash" bash "$1" "$2" ;;
		perl) exec perl -e "$tp_perl" "$1" "$2" ;;
		python3) exec python3 -ISc "$tp_python" "$1" "$2" ;;
		nc.*) exec $tp_tool -z -v $tp_n "$1" "$2" ;;
		ncat) exec $tp_tool -z -v $tp_n -w 500h "$1" "$2" ;;
		busybox) exec $tp_tool "$1" "$2" -e true ;;
		toybox) exec $tp_tool -q 1 "$1" "$2" ;; # it has no -z: that a port is open shows after a second, and not before
	esac
}
# -- One try is a process of the tool, and a sleep as its clock. When one of them ends, SIGCHLD ends the other.
tp_seconds() { tp_span=$((1000 + $1 % 1000)) && tp_span=$(($1 / 1000)).${tp_span#1} && tp_span=${tp_span%"${tp_span##*[!0]}"} && tp_span=${tp_span%.}; }
# tp_try HOST PORT SECONDS: prints what the tool says, and last "status N", "status late" or "status clock". What runs in
# the background ignores Ctrl-C, so it is passed on. A signal that comes before both are known is kept in tp_gone.
tp_try() {
	tp_gone='' tp_clock='' tp_job='' LC_ALL=C && export LC_ALL && unset PERL5OPT POSIXLY_CORRECT
	trap 'tp_gone=1; trap - CHLD; kill -KILL $tp_job $tp_clock 2>/dev/null; :' INT CHLD
	tp_connect "$1" "$2" </dev/null 2>&1 &
	tp_job=$!
	exec sleep "$3" >/dev/null 2>&1 &
	tp_clock=$! && exec 2>/dev/null # or some shells would tell about killed jobs
	[ -z "$tp_gone" ] || kill -KILL $tp_job $tp_clock
	case ${tp_traps-1},${BASH_VERSINFO:-0} in # only a new bash can wait for whichever ends first
		,[5-9]*) wait -n || : && kill -KILL $tp_job $tp_clock ;;
		,*) kill -KILL $tp_job $tp_clock && echo "SIGCHLD is ignored, and this shell cannot trap it${tp_newline}status 1" && return ;;
	esac
	# In some shells the signal ends the first wait, in others the second one knows nothing.
	wait $tp_job && tp_result=0 || tp_result=$?
	wait $tp_job && tp_result=0 || { tp_status=$? && [ $tp_status = 127 ] || tp_result=$tp_status; }
	# 137 (265 in ksh93, 393 in yash): it was killed. Why is told by the status of the clock, which ksh93 has forgotten by now.
	case $tp_result in 137 | 265 | 393) wait $tp_clock && tp_result=late || tp_result=$tp_result,$? ;; esac
	case $tp_result in 265,*) tp_result=late ;; *,? | *,1[0-2]?) tp_result=clock ;; esac
	echo "${tp_newline}status $tp_result"
}
# tp_judge HOST: sets tp_state, tp_why, tp_address, tp_ms and tp_lookup by tp_said. Open is a status. Else the most telling
# words count: tp_words is in that order, and each has a blank in it, so that no host can imitate it.
tp_judge() {
	tp_address='' tp_ms='' tp_lookup='' tp_why='' tp_rest=$tp_words tp_state=error && ! tp_numeric "$1" || tp_address=$1
	case $tp_kind$tp_said in p*lookup\ *) tp_lookup=${tp_said#*lookup } && tp_lookup=${tp_lookup%%"$tp_newline"*} ;; esac
	while [ "$tp_rest" ] && [ -z "$tp_why" ]; do
		tp_item=${tp_rest%%;*} tp_rest=${tp_rest#*;} && tp_name=${tp_item%%=*} && tp_means=${tp_name:-$tp_means}
		case $tp_said in *"${tp_item#*=}"*) tp_state=$tp_means tp_why=${tp_item#*=} ;; esac
	done
	case ${tp_said##*"${tp_newline}status "},$tp_state,$tp_kind,$tp_address$tp_lookup in
		0,* | *,open,*) tp_state=open tp_why='' ;;
		late,refused,* | [0-9]*) ;;
		late,*,?*,?*) tp_state=timeout tp_why='Connection timed out' ;;
		late,*,p*,) tp_state=timeout tp_why=$tp_says_lookup_late ;;
		late,*) tp_state=timeout tp_why="Timed out, in the lookup or the handshake: $tp_kind does not tell" ;;
		clock,*) tp_state=error tp_why="sleep $tp_span: it failed" ;;
		*) tp_state=error tp_why='the try broke off' ;;
	esac
	case $tp_state,$tp_kind,$tp_address,$tp_why in
		open,p*) tp_ms=${tp_said##*open } && tp_address=${tp_ms%% *} tp_ms=${tp_ms#* } && tp_ms=${tp_ms%%"$tp_newline"*} ;;
		# None of the known words, or "unresolved" about an address: show the first line. Ncat's first one is its version.
		unresolved,*,?*,* | error,*,) tp_rest=${tp_said#*"/ncat )$tp_newline"} && tp_clean "${tp_rest%%"$tp_newline"*}" && tp_state=error tp_why="$tp_kind: ${tp_text:-it says nothing}" ;;
		*,[Ff][Ee][89AaBb]?:*,'Invalid argument') [ "${1#*%}" != "$1" ] || tp_why=$tp_says_no_zone ;;
		open,* | unresolved,*) ;;
		*,b*,,* | *,nc.traditional,,* | *,toybox,,*) tp_why="$tp_why ($tp_kind tells about one address only)" ;;
		refused,p*,,* | unreachable,p*,,*) tp_rest=${tp_said%%" $tp_why"*} && tp_address=${tp_rest##*"$tp_newline"} ;;
	esac
}
tp_put() { { echo "$1"; } 2>/dev/null || tp_fail 5 'write error'; }
# -- Reports. tp_tell HOST PORT sets tp_exit. The first that was not as wanted decides; with -1, one that was.
tp_tell() {
	case $1 in *:*) tp_label="[$1]:$2" ;; *) tp_label=$1:$2 ;; esac
	tp_total=$((tp_total + 1)) tp_told="$tp_told $tp_state" tp_status=${tp_statuses#*" $tp_state "} && tp_status=${tp_status%% *}
	[ -z "$tp_wanted" ] || tp_status=0 tp_why=''
	if tp_has j; then
		tp_text=${tp_address:+'"'$tp_address'"'} tp_rest=${tp_why:+'"'$tp_why'"'}
		tp_text="{\"host\":\"$1\",\"port\":$2,\"address\":${tp_text:-null},\"state\":\"$tp_state\",\"status\":$tp_status"
		tp_text="$tp_text,\"error\":${tp_rest:-null},\"reporter\":null,\"icmp\":null,\"banner\":null,\"connect_ms\":${tp_ms:-null}"
		tp_put "$tp_text,\"lookup_ms\":${tp_lookup:-null},\"try\":$tp_tries,\"time\":$(date +%s 2>/dev/null || echo null)}"
	fi
	tp_has j || ! tp_has v || [ -z "$tp_wanted" ] || tp_put "$tp_label $tp_state${tp_address:+ $tp_address}${tp_ms:+ $tp_ms ms}"
	[ "$tp_wanted" ] || tp_has q || tp_has j || echo "tcpprobe: $tp_label: $tp_why" >&2
	case $tp_flags,$tp_wanted,$tp_exit in *1*,1,*) tp_exit=0 tp_found=1 ;; *,0) tp_exit=$tp_status ;; esac
}
# -- Waiting. tp_is_time: is the wait not over yet? Sets tp_left, in ms. Without /proc it is the time of day, and its first second is not counted.
tp_is_time() {
	tp_left=$tp_forever tp_cents=100
	[ "${tp_until:+$tp_wait}" -gt 0 ] 2>/dev/null || return 0
	[ -r /proc/uptime ] && read -r tp_now tp_rest </proc/uptime && tp_cents=1${tp_now#*.} tp_now=${tp_now%.*} || { tp_now=$(date +%s) && tp_start_cents=199; }
	tp_start=${tp_start:-$tp_now} tp_start_cents=${tp_start_cents:-$tp_cents}
	[ $tp_now -ge ${tp_seen:-0} ] || tp_start=$((tp_start - tp_seen + tp_now)) # it was set back meanwhile
	tp_seen=$tp_now tp_left=$((tp_wait - (tp_now - tp_start) * 1000 - (tp_cents - tp_start_cents) * 10))
	[ $tp_left -gt 0 ]
}
tp_nap() { tp_seconds $((tp_left < tp_interval ? tp_left : tp_interval)) && sleep $tp_span || tp_fail 5 "sleep $tp_span: it failed"; }
# tp_probe HOST PORT: tries until it is as wanted or time is up, and tells. With -1 a wait goes in rounds; their reasons are kept.
tp_probe() {
	tp_state=timeout tp_why='it was not tried' tp_address='' tp_ms='' tp_lookup='' tp_wanted='' && tp_has 1 || tp_tries=0
	case $tp_round$tp_last_round in *" $1/$2 "*) tp_why=${tp_round}$tp_last_round && tp_why=${tp_why#*" $1/$2 "} && tp_why=${tp_why%%"$tp_newline"*} ;; esac
	while tp_is_time; do
		# The script that called the function may have been ended by a signal: then this subshell ends too.
		kill -0 $$ 2>/dev/null || exit
		tp_limit=$((tp_left < tp_timeout ? tp_left : tp_timeout)) tp_tries=$((tp_tries + 1)) && tp_pick "$1" && tp_seconds $tp_limit
		tp_before=$tp_state:$tp_why tp_said=$(tp_try "$1" "$2" $tp_span)
		tp_judge "$1"
		# A try that the end of the wait cuts short tells nothing: the one before counts. Its silence is no proof that it is closed.
		case $tp_state,$((tp_limit == tp_timeout || tp_tries == 1)) in timeout,0) tp_state=${tp_before%%:*} tp_why=${tp_before#*:} ;; esac
		case $tp_until,$tp_state,$tp_why in ,open,* | r,open,* | R,refused,* | R,unreachable,* | R,timeout,Connection*) tp_wanted=1 ;; esac
		case $tp_wanted,$tp_until,$tp_state in 1,* | ,,* | *,error) tp_tell "$1" "$2" && return ;; esac
		! tp_has 1 || { tp_round="$tp_round $1/$2 $tp_why$tp_newline" && return 0; }
		! tp_is_time || tp_nap
	done
	! tp_has 1 || [ "$tp_over" ] || return 0 # it is told when the round is over
	case $tp_until,$tp_state in R,open) tp_rest=$tp_says_still_open ;; R,*) tp_rest=$tp_says_not_closed ;; *) tp_rest=$tp_says_not_open ;; esac
	tp_seconds $tp_wait && tp_why="$tp_rest${tp_span}s${tp_why:+: $tp_why}" tp_state=timeout && tp_tell "$1" "$2"
}
tp_run() {
	while tp_is_time && tp_last_round=$tp_round tp_round='' tp_over='' || tp_over=1; do
		for tp_entry in $tp_list; do
			tp_host=${tp_entry%%/*} tp_last=${tp_entry##*/} tp_port=${tp_entry#*/} && tp_port=${tp_port%/*}
			while [ $tp_port -le $tp_last ]; do
				tp_probe $tp_host $tp_port
				[ -z "$tp_found" ] && tp_port=$((tp_port + 1)) || return 0
			done
		done
		[ $tp_total = 0 ] && { ! tp_is_time || tp_nap; } || return 0
	done
}
# -- The start. What is set in the shell that reads this changes nothing.
tp_main() {
	[ -z "${ZSH_VERSION-}" ] || emulate sh
	[ -z "${YASH_VERSION-}" ] || set -o posixlycorrect
	[ -z "${BASH_VERSION-}" ] || { shopt -u nocasematch && trap - ERR DEBUG; }
	[ -z "${BASH_VERSION-}${YASH_VERSION-}" ] || { tp_traps='' && trap tp_traps=1 CHLD && (:) && trap - CHLD; } # they cannot trap it if it was ignored before they began
	set +aeu -f && IFS=" 	$tp_newline"
	tp_flags='' tp_until='' tp_wait=0 tp_interval=250 tp_timeout=5000 tp_list='' tp_base='' tp_word='' tp_picked=''
	tp_exit=0 tp_total=0 tp_told='' tp_found='' tp_round='' tp_tries=0 tp_start='' tp_start_cents='' tp_seen='' tp_forever=2073600000
	[ $$ != 1 ] || { trap 'exit 130' INT && trap 'exit 129' HUP && trap 'exit 143' TERM; } # process 1 is ended by no other signals
	tp_hand_over "$@"
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		case $1 in -?*) tp_word='' && tp_option "$@" && shift $tp_used ;; *) tp_target "$1" && shift ;; esac
	done
	case $tp_flags,$tp_base$tp_list in
		*[hV]*,?*) tp_fail 2 "-h, -V and targets $tp_says_exclude" ;;
		*h*,) tp_put "$tp_help" && exit 0 ;;
		*V*,) tp_put "tcpprobe $tp_version (wrapper)" && exit 0 ;;
		*,) tp_fail 2 "$tp_says_no_target" ;;
		*1*,*) [ "$tp_until" != R ] || tp_fail 2 "-1 and -R $tp_says_exclude" ;;
	esac
	[ "$tp_list" ] || tp_misuse "$tp_base" "$tp_no_port"
	case $#,$tp_program in 1,*) tp_fail 2 "'--': $tp_says_no_argument" ;; 0,* | *,1) ;; *) tp_fail 2 "'--': only a program becomes a COMMAND" ;; esac
	tp_run
	if [ $tp_total -gt 1 ] && tp_has v && ! tp_has q && ! tp_has j && tp_text=; then
		for tp_state in $tp_statuses; do
			tp_number=0 && for tp_item in $tp_told; do [ $tp_item != $tp_state ] || tp_number=$((tp_number + 1)); done
			[ $tp_number = 0 ] || tp_text="$tp_text, $tp_number $tp_state"
		done
		tp_put "--- $tp_total probes:${tp_text#,}"
	fi
	[ $tp_exit = 0 ] && [ $# -gt 0 ] && shift || exit $tp_exit
	case $1 in -* | *[=:\ ]*) command -v -- "$1" >/dev/null || { tp_clean "${1%%[=: ]*}" && tp_fail 127 "'$tp_text': not found"; } ;; esac
	exec "$@"
}
# tp_hand_over WORD...: becomes the program of that name, if there is one. What else is called so is passed over.
tp_hand_over() {
	[ -z "$tp_program" ] || { tp_builtin "$@" && exit 0 || tp_status=$? && [ $tp_status = 97 ] || exit $tp_status; }
	[ "${TCPPROBE_BACKEND:-program}" = program ] && tp_rest=$PATH: || return 0
	while [ "$tp_rest" ]; do
		tp_name=${tp_rest%%:*}/tcpprobe tp_rest=${tp_rest#*:}
		case $tp_name in /*/*) [ -f "$tp_name" ] && [ -x "$tp_name" ] || continue ;; *) continue ;; esac
		case $(TCPPROBE_BACKEND=none "$tp_name" -V 2>/dev/null </dev/null) in 'tcpprobe '*' (program)') exec "$tp_name" "$@" ;; esac
	done
}
# tp_builtin WORD...: the builtin, in a bash that has it or can load it. Status 97: there is none, or it is not wanted.
tp_builtin() {
	case ${BASH_VERSION:+bash}${TCPPROBE_BACKEND:-builtin}," $* " in *' -- '*) return 97 ;; bashbuiltin,*) ;; *) return 97 ;; esac
	builtin tcpprobe -V >/dev/null 2>&1 && { builtin tcpprobe "$@" || return; } && return
	tp_rest=${BASH_LOADABLES_PATH-}: # by a bare name bash may look in the current directory, too
	until case $tp_rest in /*) enable -f "${tp_rest%%:*}/tcpprobe.so" tcpprobe 2>/dev/null ;; *) false ;; esac do
		tp_rest=${tp_rest#*:} && [ "$tp_rest" ] || return 97
	done
	builtin tcpprobe "$@" && set -- 0 || set -- "$?"
	enable -d tcpprobe && return "$1"
}
tcpprobe() {
	tp_builtin "$@" && return || set -- "$?" "$@"
	[ "$1" = 97 ] || return "$1"
	(shift && tp_program='' && tp_main "$@")
}
tp_is_us() {
	[ -f "$1" ] && { read -r tp_line && read -r tp_name && read -r tp_rest; } 2>/dev/null <"$1" || return
	case '# tcpprobe' in "$tp_line" | "$tp_name" | "$tp_rest") ;; *) return 1 ;; esac
}
# tp_is_program NAME COUNT: was this file started? Then the script NAME is this file, or a pipe; or the shell was fed with
# it by -s or -c, and has COUNT words for it. Without words the status is 2, because something may follow.
tp_is_program() {
	case ${ZSH_EVAL_CONTEXT-} in *file*) return 1 ;; esac
	tp_is_us "$1" || tp_is_us "$(unset -f tcpprobe && command -v "$1" 2>/dev/null)" || [ -p "$1" ] && return || unset tp_line tp_name tp_rest
	case $-,${KSH_VERSION:+${1##*/}} in
		*i*,*) [ "$2" = 0 ] && return 1 || return 2 ;;
		*s*,*) [ "$2" != 0 ] || return 2 && return ;;
		*c*,*) ;;
		*,ksh*) return ;; # ksh93 hides the name of a pipe
	esac
	# Only the command line tells whether this text was given by -c. Without /proc it is not known.
	case $(tr -d '\0' 2>/dev/null </proc/$$/cmdline),$2 in *"# tcpprobe$tp_newline# SPDX"*,0) return 2 ;; *"# tcpprobe$tp_newline# SPDX"*) ;; ,[1-9]*) return 2 ;; *) return 1 ;; esac
}
# In bash only what is read with `.` can return. A last status of 0 must not mean that something is open.
if { [ -z "${BASH_VERSION-}" ] || ! (return 0) 2>/dev/null; } && tp_is_program "$0" $#; then
	tp_program=1 && tp_main "$@"
else
	case $?,$- in 2,*e*) ;; 2,*) (exit 2) ;; esac
fi
