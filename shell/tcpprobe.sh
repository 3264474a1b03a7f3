#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# tcpprobe: is that TCP port open, and if not, why not? For any POSIX shell, with whatever this system has to connect
# with. Run it, read it with `.` for a function of that name, or feed it to a shell:
#
#	(cat tcpprobe.sh; echo tcpprobe -v db 5432) | ssh host sh
#
# Data flows one way: words, targets, jobs side by side, records over a pipe, reports in order. A record is a line of
# fields between tabs, none empty but the last:
#
#	P WORKER FEEDER			whom to end when the command ends early
#	R SEQUENCE TARGET TRY HOST PORT STATE ADDRESS CONNECT LOOKUP REASON
#	F SEQUENCE			its last record was the last one; with a further field: the wait was over
#	B TEXT				a complaint about a line of the file
#	W				the wait was over before the end of the file
#	T				a second has passed
#	E COUNT				there is no more, of so many sequences
#
# Functions leave their results in variables, since a $( ) costs a process. A shell is ended by TERM while it is in `wait`,
# which a trapped signal ends in all of them; or by URG, where it must not die of it before it has its trap: ksh93 can trap
# nothing that its parent ignored. INT is the outermost's affair, the others ignore it.
#
# SC2015: what stands between && and || cannot fail. SC2154: some variables are set by eval, from names of ours.
# shellcheck disable=SC2015,SC2154

# BEGIN sh_says
tp_says_no_target='no target'
tp_says_empty_word='an empty word: is a variable unset?'
tp_says_assignment='a word with = is no target'
tp_says_unix_socket='a Unix socket, not TCP'
tp_says_not_tcp='not TCP'
tp_says_no_zone='a link-local address needs its zone: fe80::1%eth0'
tp_says_empty_host='the host is empty'
tp_says_long_host='the host is too long'
tp_says_bad_host='not a host: blanks, control bytes and / @ [ ] are in none'
tp_says_bad_ipv6='not an IPv6 address'
tp_says_bad_colons='neither HOST:PORT nor an IPv6 address'
tp_says_open_bracket='the bracket is not closed'
tp_says_behind_bracket='only :PORT can follow the bracket'
tp_says_empty_port='an empty port'
tp_says_bad_port='a port is 1 to 65535'
tp_says_bad_range='the range is reversed'
tp_says_unknown_port='neither a port nor a known service'
tp_says_late_option='not a port; options stand before the targets'
tp_says_no_port='no port: HOST PORT, or HOST:PORT'
tp_says_no_ipv6_port='no port: HOST PORT, or [HOST]:PORT'
tp_says_no_own_port='no port: of several targets each is HOST:PORT'
tp_says_no_dev_tcp_port='no port: /dev/tcp/HOST/PORT'
tp_says_no_url_port='no port, and the scheme names no known service'
tp_says_bad_scheme='not a URL: the scheme is malformed'
tp_says_srv='its hosts stand in DNS SRV records, which are not looked up'
tp_says_cut_password='an '\''@'\'' behind the host; in a password write / as %2F, ? as %3F, # as %23'
tp_says_long_line='the line is too long'
tp_says_try_help='Try '\''tcpprobe --help'\''.'
tp_says_only_b='only the builtin has it'
tp_says_only_bp='only the builtin and the program have it'
tp_says_only_pw='only the program and the wrapper have it'
tp_says_ambiguous='an ambiguous option'
tp_says_no_value='takes no value'
tp_says_bad_option='invalid option'
tp_says_no_argument='an argument is missing'
tp_says_exclude='exclude each other'
tp_says_help_alone='-h: prints the help; the host is the first operand: tcpprobe HOST PORT'
tp_says_one_file='only one file is read'
tp_says_bad_duration='not a duration (3, 0.25, 500ms, 2s, 1m, 1h)'
tp_says_long_duration='too long'
tp_says_bad_count='not a whole number from'
tp_says_bad_source='neither a numeric address nor an interface here'
tp_says_bad_family='an address of the other family than'
tp_says_bad_format='is no part of a format (%h %p %a %s %x %e %r %t %l %n %T %% \n \t \\)'
tp_says_bad_name='not a variable'\''s name'
tp_says_readonly='a readonly variable'
tp_says_lookup_late='Name lookup timed out'
tp_says_still_open='still open after '
tp_says_not_closed='not closed after '
tp_says_not_open='not open after '
tp_says_early_end='the wait was over before the end of the file'
# END sh_says

# BEGIN sh_states
tp_statuses='open 0 refused 1 unreachable 3 unresolved 4 error 5 timeout 124'
tp_telling='open refused timeout unreachable error unresolved'
tp_errnos='ECONNRESET open EPIPE open ECONNREFUSED refused ETIMEDOUT timeout EHOSTUNREACH unreachable ENETUNREACH unreachable ENETDOWN unreachable EACCES unreachable EPERM unreachable EINVAL unreachable EHOSTDOWN unreachable EOPNOTSUPP unreachable ENOPROTOOPT unreachable ENONET unreachable'
# END sh_states

# BEGIN sh_services
tp_known_service() {
	case $1 in
		amqp) tp_number=5672 ;;
		amqps) tp_number=5671 ;;
		cassandra) tp_number=9042 ;;
		clickhouse) tp_number=9000 ;;
		consul) tp_number=8500 ;;
		docker) tp_number=2375 ;;
		domain) tp_number=53 ;;
		elasticsearch) tp_number=9200 ;;
		etcd) tp_number=2379 ;;
		ftp) tp_number=21 ;;
		ftps) tp_number=990 ;;
		git) tp_number=9418 ;;
		git+ssh) tp_number=22 ;;
		http) tp_number=80 ;;
		https) tp_number=443 ;;
		imap) tp_number=143 ;;
		imaps) tp_number=993 ;;
		kafka) tp_number=9092 ;;
		ldap) tp_number=389 ;;
		ldaps) tp_number=636 ;;
		mariadb) tp_number=3306 ;;
		memcached) tp_number=11211 ;;
		mongodb) tp_number=27017 ;;
		mqtt) tp_number=1883 ;;
		mqtts) tp_number=8883 ;;
		mssql) tp_number=1433 ;;
		mysql) tp_number=3306 ;;
		nats) tp_number=4222 ;;
		oracle) tp_number=1521 ;;
		pop3) tp_number=110 ;;
		pop3s) tp_number=995 ;;
		postgres) tp_number=5432 ;;
		postgresql) tp_number=5432 ;;
		rdp) tp_number=3389 ;;
		redis) tp_number=6379 ;;
		rediss) tp_number=6379 ;;
		rsync) tp_number=873 ;;
		sftp) tp_number=22 ;;
		smtp) tp_number=25 ;;
		smtps) tp_number=465 ;;
		sqlserver) tp_number=1433 ;;
		ssh) tp_number=22 ;;
		submission) tp_number=587 ;;
		svn+ssh) tp_number=22 ;;
		telnet) tp_number=23 ;;
		vault) tp_number=8200 ;;
		vnc) tp_number=5900 ;;
		ws) tp_number=80 ;;
		wss) tp_number=443 ;;
		zookeeper) tp_number=2181 ;;
		*) return 1 ;;
	esac
}
# END sh_services

# BEGIN sh_tools
tp_all_tools='bash perl python3 nc nc.openbsd nc.traditional ncat busybox toybox socat curl'

# May this tool be asked for what tp_asked names?
tp_can() {
	case $1 in
		bash) tp_able=- ;;
		perl) tp_able=46asIz ;;
		python3) tp_able=46asIz ;;
		nc) tp_able=46s ;;
		nc.openbsd) tp_able=46s ;;
		nc.traditional) tp_able=s ;;
		ncat) tp_able=46 ;;
		busybox) tp_able=- ;;
		busybox-z) tp_able=- ;;
		toybox) tp_able=46 ;;
		socat) tp_able=46s ;;
		curl) tp_able=46sI ;;
		*) return 1 ;;
	esac
	case $tp_asked in
		*[!$tp_able]*) return 1 ;;
	esac
}
# END sh_tools

# BEGIN sh_usage
tp_version=0.1.0
tp_synopsis='tcpprobe [-146ahjqTvVz] [-c count] [-f file] [-F format] [-i seconds] [-n limit] [-o name] [-r seconds] [-R seconds] [-s source] [-t seconds] [-u name] target ...'
tp_letters=:146ahjqTvVzc:f:F:i:n:o:r:R:s:t:u:-:
tp_help_text='    Probe TCP ports: is each open, and if not, why not?
    
    Connects to every target within a deadline, sends nothing and hangs up.
    A target is HOST PORT..., HOST:PORT, /dev/tcp/HOST/PORT or a URL. PORT is a
    number, a service name, a range 8000-8010 or a list 22,80,8000-8010.
    
    Options:
      -1		one open target is enough; the rest are dropped the moment it is found
      -4		only IPv4 addresses
      -6		only IPv6 addresses
      -a		probe each address of a name by itself, a report each
      -c count	probe every target so many times, round by round (0: until interrupted)
      -f file	targets from this file, one a line; -: standard input
      -F format	a line of this format for each probe, on standard output:
    		%h host, %p port, %a address, %s state, %x status, %e reason, %r who said no,
    		%t handshake in ms, %l lookup in ms, %n which try, %T time of day; %% \n \t \\
      -h		print this text (also --help)
      -i seconds	pause between tries (default 0.25) or rounds (default 1)
      -j		a JSON object for each probe, one a line
      -n limit	how many probes are in flight at once (default 256)
      -o name	put the reports into this shell variable, not on standard output
      -q		no messages about what is not open (-j, -F and -o report it all the same)
      -r seconds	try until it is open, for at most so long (0: for ever)
      -R seconds	the opposite: wait until it is refused, unreachable, or silent for all of -t
      -s source	connect from this local address, or through this interface
      -t seconds	deadline of a probe, lookup included: 3, 0.25, 500ms, 1m (default 5; 0: none)
      -T		trace: where on the way is it answered, refused or lost? (builtin, Linux)
      -u name	keep the connection, its descriptor in this shell variable (builtin)
      -v		print a line for each open target, and count the states
      -V		print name, version and face
      -z		leave no trace: the handshake is not finished, no program sees a connection
    
    The fallback, run as a program, takes -- COMMAND behind the targets, and becomes
    it once every target is open.
    
    Exit status: that of the first target that is not open (with -R: that is), else 0;
    with -1 0 as soon as one is open:
      0	open: the handshake completed
      1	refused: the host answered: nobody listens there
      2	used wrongly: nothing was probed, but for the good lines of a file
      3	unreachable: the network, here or on the way, says no
      4	unresolved: the name has no address
      5	error: the probe could not be made here
      124	timeout: no answer within the deadline
      128+n	signal n ended it'
# END sh_usage

tp_tab='	'
tp_newline='
'

# tp_status_of STATE: sets tp_x
tp_status_of() {
	tp_x=${tp_statuses#*"$1 "}
	tp_x=${tp_x%% *}
}

# -- Words on their way into a message

# tp_line TEXT: on standard output. mksh's printf is a program.
if [ "${KSH_VERSION-}" ]; then
	tp_line() {
		# shellcheck disable=SC3045 # it is ksh
		print -r -- "$1"
	}
else
	tp_line() {
		printf '%s\n' "$1"
	}
fi

tp_complain() {
	tp_line "tcpprobe: $1" >&2
}

tp_misuse() {
	tp_complain "$1"
	[ -z "$tp_parsing" ] || tp_complain "usage: $tp_synopsis"
	tp_leave 2
}

# What ends the outermost otherwise is an error: of the shell that has no process left, or may not set a variable.
tp_leave() {
	trap - EXIT
	exit "$1"
}

# tp_map WORD KIND: sets tp_text. Of a text what is not printed in ASCII is question marks, and its first 100 are enough;
# json is what stands between quotes.
tp_map() {
	tp_left=$1 tp_text=
	while
		tp_rest=${tp_left%%[!\ -~]*} && tp_rest=${tp_rest%%[\"\\]*}
		tp_left=${tp_left#"$tp_rest"} tp_text=$tp_text$tp_rest
		[ "$tp_left" ] && [ "$2${#tp_text}" != text100 ]
	do
		case $2$tp_left in
			json\"*) tp_text=$tp_text\\\" ;;
			json\\*) tp_text=$tp_text\\\\ ;;
			json*) tp_text=$tp_text'\ufffd' ;;
			text\"*) tp_text=$tp_text\" ;;
			text\\*) tp_text=$tp_text\\ ;;
			*) tp_text=$tp_text\? ;;
		esac
		tp_left=${tp_left#?}
	done
	[ "$2" = json ] || [ "${#tp_text}" -lt 100 ] || tp_text=$(printf %.100s "$tp_text")...
}

# What may be the secret of a URL is never shown: of a word with "://" only the scheme is, of one with '@' what is behind.
tp_quote() {
	case $1 in
		*://) set -- "${1%%://*}" :// ;;
		*://*) set -- "${1%%://*}" ://... ;;
		*@*) set -- "${1##*@}" && set -- "...@${1%%[/?#]*}" ;;
	esac
	[ "${2-}" ] && set -- "${1##*[!A-Za-z0-9+.-]}$2"
	tp_map "$1" text
	printf "'%s'" "$tp_text"
}

# -- Options

# tp_duration LETTER WORD: sets tp_ms. Milliseconds, for mksh has but 31 bits; what is finer is rounded up.
tp_duration() {
	tp_number=$2 tp_scale=1000 tp_fraction='' tp_sum=0
	case $2 in
		*ms) tp_number=${2%ms} tp_scale=1 ;;
		*s) tp_number=${2%s} ;;
		*m) tp_number=${2%m} tp_scale=60000 ;;
		*h) tp_number=${2%h} tp_scale=3600000 ;;
	esac
	case $tp_number in
		*.*) tp_fraction=${tp_number#*.} tp_number=${tp_number%%.*} ;;
	esac
	case $tp_number$tp_fraction in
		'' | *[!0-9]*) tp_misuse "-$1 $(tp_quote "$2"): $tp_says_bad_duration" ;;
	esac
	tp_plain "$tp_number"
	[ "${#tp_number}" -le 7 ] && [ "$tp_number" -le $((2000000000 / tp_scale)) ] ||
		tp_misuse "-$1 $(tp_quote "$2"): $tp_says_long_duration"
	case $tp_fraction in
		??????????*[1-9]*) tp_fraction=$(printf %.9s "$tp_fraction")1 ;;
		??????????*) tp_fraction=$(printf %.9s "$tp_fraction") ;;
	esac
	# From the last digit to the first; no step leaves the 31 bits.
	while [ "$tp_fraction" ]; do
		tp_rest=${tp_fraction%?}
		tp_sum=$(((tp_sum + ${tp_fraction#"$tp_rest"} * tp_scale + 9) / 10)) tp_fraction=$tp_rest
	done
	tp_ms=$((tp_number * tp_scale + tp_sum))
}

# Sets tp_number without leading zeros, which would make it octal.
tp_plain() {
	tp_number=${1#"${1%%[!0]*}"}
	tp_number=${tp_number:-0}
}

# tp_seconds MS: sets tp_span, "1.500", as sleep and friends take it
tp_seconds() {
	tp_span=$((1000 + $1 % 1000))
	tp_span=$(($1 / 1000)).${tp_span#1}
}

tp_count() {
	case $2 in
		'' | *[!0-9]*) tp_number=-1 ;;
		*) tp_plain "$2" ;;
	esac
	[ "${#tp_number}" -le 9 ] && [ "$tp_number" -ge "$3" ] || tp_misuse "-$1 $(tp_quote "$2"): $tp_says_bad_count $3 to 999999999"
}

tp_has_word() {
	tp_word=$1 && shift
	case " $* " in
		*" $tp_word "*) ;;
		*) return 1 ;;
	esac
}

tp_exclude() {
	[ -z "$1" ] || [ -z "$2" ] || [ "$1" = "$2" ] || tp_misuse "$3 $tp_says_exclude"
}

# Before the first getopts. At 1 zsh still knows where in a word another was.
tp_rewind() {
	[ "${ZSH_VERSION-}" ] && OPTIND=0 || OPTIND=1
}

# Sets tp_* from the words, and OPTIND.
tp_options() {
	tp_each='' tp_family='' tp_first='' tp_file='' tp_format='' tp_json='' tp_half='' tp_interval='' tp_limit=256
	tp_name='' tp_quiet='' tp_rounds='' tp_source='' tp_until='' tp_verbose='' tp_wait_ms=0 tp_timeout=5000
	tp_formatted='' tp_from_file='' tp_source_family='' tp_parsing=1
	tp_rewind
	while getopts "$tp_letters" tp_option; do
		case $tp_option in
			1) tp_first=1 ;;
			4 | 6) tp_exclude "$tp_family" "$tp_option" '-4 and -6' && tp_family=$tp_option ;;
			a) tp_each=0 ;;
			c) tp_count c "$OPTARG" 0 && tp_rounds=$tp_number ;;
			f)
				[ -z "$tp_from_file" ] || tp_misuse "-f $(tp_quote "$OPTARG"): $tp_says_one_file"
				tp_from_file=1 tp_file=$OPTARG tp_file_shown=$OPTARG
				# What could harm a terminal, or looks like a URL, is not shown as it is.
				case $OPTARG in
					/dev/stdin | /dev/fd/0 | /proc/self/fd/0) tp_file=- ;;
					*[[:cntrl:]]* | *://*) tp_file_shown=$(tp_quote "$OPTARG") ;;
				esac
				;;
			F)
				tp_formatted=1 tp_format=$OPTARG
				tp_expand || tp_misuse "-F: $(tp_quote "$tp_part") $tp_says_bad_format"
				;;
			h) [ "$*" = -h ] && tp_usage || tp_misuse "$tp_says_help_alone" ;;
			i) tp_duration i "$OPTARG" && tp_interval=$tp_ms ;;
			j) tp_json=1 ;;
			n) tp_count n "$OPTARG" 1 && tp_limit=$tp_number ;;
			o) tp_name=$OPTARG && tp_check_name "$tp_name" ;;
			q) tp_quiet=1 ;;
			r | R)
				tp_exclude "$tp_until" "$tp_option" '-r and -R'
				tp_duration "$tp_option" "$OPTARG" && tp_until=$tp_option tp_wait_ms=$tp_ms
				;;
			s) tp_source=$OPTARG && tp_check_source "$OPTARG" ;;
			t) tp_duration t "$OPTARG" && tp_timeout=$tp_ms ;;
			T | u) tp_misuse "-$tp_option: works in the builtin only: enable -f tcpprobe.so tcpprobe" ;;
			v) tp_verbose=1 ;;
			V) tp_line "tcpprobe $tp_version (fallback)" && tp_leave 0 ;;
			z) tp_half=1 ;;
			-) [ "$OPTARG" = help ] && tp_has_word --help "$@" && tp_usage || tp_misuse "$(tp_quote "--$OPTARG"): $tp_says_bad_option" ;;
			:) tp_misuse "-$OPTARG: $tp_says_no_argument" ;;
			*) tp_misuse "$(tp_quote "-$OPTARG"): $tp_says_bad_option" ;;
		esac
	done
	tp_asked="$tp_family${tp_each:+a}${tp_source:+s}${tp_half:+z}"
	[ -z "$tp_source" ] || [ "$tp_source_family" ] || tp_asked=${tp_asked}I
	[ -z "$tp_family" ] || [ "$tp_family" = "${tp_source_family:-$tp_family}" ] ||
		tp_misuse "-s: $tp_says_bad_family -$tp_family asks for"
	tp_family=${tp_family:-$tp_source_family}
	tp_exclude "${tp_rounds:+c}" "$tp_until" "-c and -$tp_until"
	[ "$tp_until" != R ] || tp_exclude "$tp_first" R '-1 and -R'
	tp_exclude "${tp_formatted:+F}" "$tp_json" '-F and -j'
	[ "$tp_rounds" ] && tp_ms=1000 || tp_ms=250
	tp_interval=${tp_interval:-$tp_ms}
}

# A source is of one family, and so are the probes from there.
tp_check_source() {
	if tp_is_ipv6 "$1"; then
		tp_source_family=6
	elif [ "$1" = "${1#*:}" ] && tp_numeric "$1"; then
		tp_source_family=4
	elif ! tp_is_interface "$1"; then
		tp_misuse "-s $(tp_quote "$1"): $tp_says_bad_source"
	fi
}

# It may be one, where nobody here tells.
tp_is_interface() {
	[ "$1" ] || return
	[ -r /proc/net/dev ] || return 0
	while read -r tp_word tp_rest; do
		case $tp_word in
			"$1":*) return ;;
		esac
	done </proc/net/dev
	return 1
}

tp_check_name() {
	[ -z "$tp_program" ] || tp_misuse "-o $(tp_quote "$1"): a program cannot set it; read this file with . for the function"
	tp_is_name "$1" || tp_misuse "-o $(tp_quote "$1"): $tp_says_bad_name"
	(eval "$1=") 2>/dev/null || tp_misuse "-o $(tp_quote "$1"): $tp_says_readonly"
}

tp_is_name() {
	case $1 in
		'' | [0-9]* | *[!A-Za-z0-9_]*) return 1 ;;
	esac
}

# -- Targets: tp_targets WORD... calls `tp_target HOST PORT` for each. A bad word calls tp_bad with what it should be told.

# tp_blame PIECE WHY: where a piece may be a misplaced password, the whole word is shown as tp_quote does.
tp_blame() {
	case $tp_whole in
		*://* | *@*) set -- "$tp_whole" "$2" ;;
	esac
	tp_bad "$(tp_quote "$1"): $2"
}

# The system's answer first; slim images have no such file.
tp_service() {
	if [ -r /etc/services ]; then
		while read -r tp_entry tp_number tp_rest; do
			case "$tp_number $tp_entry ${tp_rest%%#*} " in
				[0-9]*/tcp\ "$1"\ * | [0-9]*/tcp\ *[[:blank:]]"$1"[[:blank:]]*) tp_number=${tp_number%/tcp} && return ;;
			esac
		done </etc/services
	fi
	tp_known_service "$1"
}

tp_port() {
	tp_plain "$1"
	[ "${#tp_number}" -le 5 ] && [ "$tp_number" -ge 1 ] && [ "$tp_number" -le 65535 ] || tp_blame "$1" "$tp_says_bad_port"
}

# tp_ports HOST SPEC
tp_ports() {
	tp_spec=$2,
	while [ "$tp_spec" ]; do
		tp_item=${tp_spec%%,*} tp_spec=${tp_spec#*,}
		case $tp_item in
			'') tp_blame "$tp_whole" "$tp_says_empty_port" || return ;;
			-*) tp_blame "$tp_item" "$tp_says_late_option" || return ;;
			*[!0-9-]* | *- | *-*-*)
				tp_service "$tp_item" || tp_blame "$tp_item" "$tp_says_unknown_port" || return
				tp_from=$tp_number
				;;
			*) tp_port "${tp_item%-*}" && tp_from=$tp_number && tp_port "${tp_item#*-}" || return ;;
		esac
		[ "$tp_from" -le "$tp_number" ] || tp_blame "$tp_item" "$tp_says_bad_range" || return
		tp_last=$tp_number
		while [ "$tp_from" -le "$tp_last" ]; do
			tp_target "$1" "$tp_from" || return
			tp_from=$((tp_from + 1))
		done
	done
}

# An address as inet_pton(3) takes it, with a zone
tp_is_ipv6() {
	set -- "${1%%%*}"
	case $1 in
		*:*.*) tp_numeric "${1##*:}" && set -- "${1%:*}:0:0" || return ;;
	esac
	case $1 in
		*[!0-9A-Fa-f:]* | *:::* | *::*::* | *[!:][!:][!:][!:][!:]* | :[!:]* | *[!:]:) return 1 ;;
		*::*) set -- "${1#:}" && set -- "${1%:}" ;;
		*:*:*:*:*:*:*:*) ;;
		*) return 1 ;;
	esac
	case $1 in
		*:*:*:*:*:*:*:*:*) return 1 ;;
	esac
}

# An address that nobody needs to look up: 010.0.0.1 and 127.1 are read as addresses too, but are others than they look.
tp_numeric() {
	case $1 in
		*:*) ;;
		*[!0-9.]* | *.*.*.*.* | .* | *. | *..* | 0[0-9]* | *.0[0-9]*) return 1 ;;
		*[0-9][0-9][0-9][0-9]* | *[3-9][0-9][0-9]* | *2[6-9][0-9]* | *25[6-9]*) return 1 ;;
		*.*.*.*) ;;
		*) return 1 ;;
	esac
}

# tp_take_host HOST: sets tp_host, without brackets, or blames.
tp_take_host() {
	tp_host=$1
	case $1 in
		\[*\])
			tp_host=${1#?} && tp_host=${tp_host%?}
			[ "${#tp_host}" -le 1024 ] || tp_blame "$1" "$tp_says_long_host" || return
			tp_is_ipv6 "$tp_host" || tp_blame "$tp_host" "$tp_says_bad_ipv6" || return
			;;
		\[*) tp_blame "$1" "$tp_says_open_bracket" || return ;;
		*) [ "${#1}" -le 1024 ] || tp_blame "$1" "$tp_says_long_host" || return ;;
	esac
	case $1 in
		# The control bytes beyond ASCII, as UTF-8 writes them. yash holds no such bytes, and zsh no set of them.
		*[!\ -~]*)
			tp_rest=$1 tp_char=$(printf '\302')
			tp_controls=$(printf '\200\201\202\203\204\205\206\207\210\211\212\213\214\215\216\217\220\221\222\223\224\225\226\227\230\231\232\233\234\235\236\237')
			while tp_left=$tp_rest && tp_rest=${tp_left#*"$tp_char"} && [ "$tp_rest" ] && [ "$tp_rest" != "$tp_left" ]; do
				case $tp_controls in
					*"${tp_rest%"${tp_rest#?}"}"*) tp_host=/ ;;
				esac
			done
			;;
	esac
	# shellcheck disable=SC2221,SC2222 # it takes the ] for the end of a set
	case $tp_host in
		'') tp_blame "$tp_whole" "$tp_says_empty_host" ;;
		*[[:cntrl:][:blank:]/@[]* | *]*) tp_blame "${1#\[}" "$tp_says_bad_host" ;;
		*:*) tp_is_ipv6 "$tp_host" || tp_blame "$tp_host" "$tp_says_bad_ipv6" ;;
	esac
}

# tp_cut TEXT: at the colon of HOST:PORT; sets tp_text and tp_port, which is "" where there is none.
tp_cut() {
	tp_text=$1 tp_port=
	case $1 in
		\[*\]) ;;
		\[*\]:*) tp_port=${1##*\]:} tp_text=${1%:"$tp_port"} ;;
		\[*\]*) tp_blame "$1" "$tp_says_behind_bracket" ;;
		\[*) tp_blame "$1" "$tp_says_open_bracket" ;;
		*:*:*) tp_is_ipv6 "$1" || tp_blame "$1" "$tp_says_bad_colons" ;;
		*:*) tp_port=${1#*:} tp_text=${1%%:*} ;;
	esac
}

# tp_decode HOST: %XX of RFC 3986, into tp_text; in brackets, where a zone is often written bare, %25 alone. Or it blames.
tp_decode() {
	[ "${#1}" -le 3072 ] || tp_blame "$1" "$tp_says_long_host" || return
	tp_left=$1 tp_text=
	while
		tp_rest=${tp_left%%\%*}
		tp_text=$tp_text$tp_rest tp_left=${tp_left#"$tp_rest"}
		[ "$tp_left" ]
	do
		case $1,$tp_left in
			*,%00* | \[*,%[!2]* | \[*,%2[!5]*) tp_char=% tp_left=${tp_left#?} ;;
			*,%[0-9A-Fa-f][0-9A-Fa-f]*)
				tp_rest=${tp_left#%??}
				tp_char=${tp_left%"$tp_rest"} tp_left=$tp_rest
				tp_number=$((0x${tp_char#%}))
				# The x keeps a newline.
				# shellcheck disable=SC2059 # three octal digits
				tp_char=$(printf "\\$((tp_number / 64))$((tp_number / 8 % 8))$((tp_number % 8))x")
				tp_char=${tp_char%x}
				# yash holds no byte that is no character.
				[ "$tp_char" ] || tp_blame "$1" "$tp_says_bad_host" || return
				;;
			*) tp_char=% tp_left=${tp_left#?} ;;
		esac
		tp_text=$tp_text$tp_char
	done
}

# tp_url URL: each of its hosts
tp_url() {
	tp_scheme=${1%%://*} tp_hosts=${1#*://} tp_url_host=''
	tp_path=${tp_hosts#"${tp_hosts%%[/?#]*}"}
	tp_hosts=${tp_hosts%"$tp_path"}
	case $tp_scheme in
		*[!A-Za-z0-9+.-]* | [!A-Za-z]* | '') tp_blame "$1" "$tp_says_bad_scheme" || return ;;
		*[A-Z]*) tp_scheme=$(printf %s "$tp_scheme" | tr '[:upper:]' '[:lower:]') && [ "$tp_scheme" ] || tp_scheme=- ;;
	esac
	case $tp_scheme,$tp_path in
		*?+srv,*) tp_blame "$1" "$tp_says_srv" || return ;;
		http,* | https,* | ws,* | wss,*) tp_path= ;;
		*,/*) tp_path=${tp_path%%[?#]*} ;;
	esac
	case $tp_path in
		*@*) tp_blame "$1" "$tp_says_cut_password" || return ;;
	esac
	tp_service "$tp_scheme" || tp_service "${tp_scheme%%+*}" || tp_number=
	tp_default=$tp_number tp_hosts=${tp_hosts##*@},
	while [ "$tp_hosts" ]; do
		tp_one=${tp_hosts%%,*} tp_hosts=${tp_hosts#*,}
		case $tp_url_host,$tp_one in
			?*,*[!0-9-]* | ,* | *,)
				tp_cut "$tp_one" || return
				tp_one=${tp_port:-$tp_default}
				tp_decode "$tp_text" || return
				tp_take_host "$tp_text" || return
				tp_url_host=$tp_host
				[ "$tp_one" ] || tp_blame "$1" "$tp_says_no_url_port" || return
				;;
		esac
		tp_ports "$tp_url_host" "$tp_one" || return
	done
}

# All words of a command line, as far as --, or of a line of a file.
tp_targets() {
	tp_base='' tp_port_words=0 tp_words=0
	for tp_whole; do
		[ "$tp_whole$tp_line_number" != --0 ] || break
		tp_words=$((tp_words + 1))
		if [ "$tp_base" ]; then
			tp_port_words=1
			tp_ports "$tp_base" "$tp_whole" || return
			continue
		fi
		case $tp_whole in
			*://*) tp_url "$tp_whole" || return ;;
			/dev/tcp/*/*)
				tp_text=${tp_whole#/dev/tcp/}
				tp_take_host "${tp_text%%/*}" && tp_ports "$tp_host" "${tp_text#*/}" || return
				;;
			/dev/tcp/*) tp_blame "$tp_whole" "$tp_says_no_dev_tcp_port" || return ;;
			*)
				tp_cut "$tp_whole" || return
				tp_one=$tp_port
				tp_take_host "$tp_text" || return
				if [ "$tp_one" ]; then
					tp_ports "$tp_host" "$tp_one" || return
				elif [ "$tp_whole" != "${tp_whole%?:}" ] && ! tp_is_ipv6 "$tp_whole"; then
					tp_blame "$tp_whole" "$tp_says_empty_port" || return
				elif [ "$tp_words" = 1 ]; then
					tp_base=$tp_host tp_based=$tp_whole
				else
					tp_blame "$tp_whole" "$tp_says_no_own_port" || return
				fi
				;;
		esac
	done
	case $tp_port_words$tp_base in
		0*:*) tp_blame "$tp_based" "$tp_says_no_ipv6_port" ;;
		0?*) tp_blame "$tp_based" "$tp_says_no_port" ;;
	esac
}

# -- Tools

# tp_judge WORDS HOST: sets tp_state, and tp_why: the system's words where the tool's mean just that. False: they tell
# nothing. What the host's name seems to tell is taken out first.
tp_judge() {
	if [ "$2" ] && tp_judge "$2" ''; then
		case $1 in
			*"$2"*) set -- "${1%%"$2"*}${1#*"$2"}" ;;
		esac
	fi
	tp_why=${1##*: } tp_why=${tp_why%.}
	case $1 in
		/late | /over) tp_state=timeout tp_why='Timed out, in the lookup or the handshake' ;;
		/late-lookup) tp_state=timeout tp_why=$tp_says_lookup_late ;;
		*'eset by peer'* | *'roken pipe'*) tp_state=open tp_why='' ;;
		*'requested address'*) tp_state=error tp_why='Cannot assign requested address' ;;
		*'family not supported'*) tp_state=error ;;
		*[Rr]efused*) tp_state=refused tp_why='Connection refused' ;;
		*'etwork is unreachable'*) tp_state=unreachable tp_why='Network is unreachable' ;;
		*'o route'*) tp_state=unreachable tp_why='No route to host' ;;
		*'family for hostname'*) tp_state=unresolved tp_why='Address family for hostname not supported' ;;
		*'ermission denied'* | *'not permitted'* | *'nvalid argument'* | *' is down'* | *'ot supported'* | *'otocol not available'* | *'not on the network'* | *unreachable*) tp_state=unreachable ;;
		*'emporary failure'*) tp_state=unresolved tp_why='Temporary failure in name resolution' ;;
		*'o address assoc'*) tp_state=unresolved tp_why='No address associated with hostname' ;;
		*'not known'*) tp_state=unresolved tp_why='Name or service not known' ;;
		*'bad address'* | *'lookup failed'* | *esolv* | *getaddrinfo*) tp_state=unresolved tp_why='No address found for the name' ;;
		*[Tt]imeout* | *'imed out'* | *TIMEOUT*) tp_state=timeout tp_why='Connection timed out' ;;
		*) tp_state=error && return 1 ;;
	esac
}

# A tool that speaks for us is given HEAD, the first fields of its records, then HOST PORT MS FAMILY SOURCE EACH HALF HOW,
# "-" or 0 where there is none (EACH: how many addresses at once; HOW: letters of options), and the tables tp_statuses,
# tp_telling and tp_errnos. It prints its records and ends in time by itself, with the status of the first that is not as
# wanted, else of the first; 97: it cannot work here, and the next one has its turn; SIGALRM ends it where the lookup is
# late. The state "?" stands for what the words behind it mean, the status 1 for any that the words do not tell at once.

# BEGIN sh_programs
# shellcheck disable=SC2016 # the expansions are its own
tp_bash='((${BASH_VERSINFO-0} >= 4)) || exit 97
trap "kill -KILL \$COPROC_PID 2>/dev/null; exit 143" TERM USR1
coproc {
	exec 2>&1
	t=${EPOCHREALTIME-}
	exec 5<>"/dev/tcp/$2/$3" && echo "open ${t/[.,]/} ${EPOCHREALTIME/[.,]/}"
	read -r
}
((!$4)) || printf -v limit %d.%03d $(($4 / 1000)) $(($4 % 1000))
IFS= read -r ${limit:+-t "$limit"} -u "${COPROC[0]}" line || { (($? > 128)) && line=/late; }
kill -KILL "$COPROC_PID" 2>/dev/null
state="?" address=- ms=- status=1
[[ $2 != *:* && ($2 == *[!0-9.]* || $2 != *.*.*.*) ]] || address=$2
case $line in
	*"No such file or directory" | *"cannot redirect output") exit 97 ;;
	"open "*)
		read -r state t u <<<"$line"
		line="" status=0
		[[ $address == - || ! $t ]] || printf -v ms %d.%03d $(((u - t) / 1000)) $(((u - t) % 1000))
		;;
	*"eset by peer" | *"roken pipe") status=0 ;;
	*"not known" | *"mporary failure in name resolution" | *"o address associated with hostname") status=4 ;;
	/late) [[ $address != - ]] || status=4 ;;
esac
printf "%s\t%s\t%s\t%s\t-\t%s\n" "$1" "$state" "$address" "$ms" "${line##*: }"
exit "$status"'
# shellcheck disable=SC2016 # the expansions are its own
tp_perl='use strict;
use Errno;
BEGIN { eval { require Socket; Socket->VERSION(1.96); Socket->import(qw(:DEFAULT getaddrinfo getnameinfo)); 1 } or exit 97 }
my ($head, $host, $port, $ms, $family, $source, $each, $half, $how, $statuses, $telling, $errnos) = @ARGV;
my %status = split " ", $statuses;
my %states = split " ", $errnos;
my @telling = split " ", $telling;
my %telling = map { $telling[$_] => $_ } 0 .. $#telling;
my $hires = eval { require Time::HiRes; 1 };
my $ticks = !$hires && eval { require POSIX; POSIX::sysconf(POSIX::_SC_CLK_TCK()) };
sub now { $hires ? Time::HiRes::time() : $ticks ? (POSIX::times())[0] / $ticks : time }
sub span { $hires ? sprintf("%.3f", 1000 * $_[0]) : "-" }
my ($begin, $lookup) = (now(), "-");
sub report {
	syswrite STDOUT, join("\t", $head, @_[0 .. 2], $lookup, $_[3]) . "\n";
	return $status{$_[0]};
}
sub state_of {
	$! = shift or return "open";
	for (keys %states) { return $states{$_} if $!{$_} }
	return "error";
}
sub begin {
	my ($info) = @_;
	socket(my $socket, $info->{family}, SOCK_STREAM, 0) or return (undef, $! + 0);
	if ($half) {
		setsockopt($socket, 6, 12, 0);
		setsockopt($socket, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
	}
	if ($source ne "-") {
		my ($error, $from) = getaddrinfo($source, 0, { socktype => SOCK_STREAM, flags => 4, family => $info->{family} });
		($error ? setsockopt($socket, SOL_SOCKET, 25, $source) : bind($socket, $from->{addr})) or return (undef, $! + 0);
	}
	fcntl($socket, 4, fcntl($socket, 3, 0) | 2048);
	return ($socket, connect($socket, $info->{addr}) ? 0 : $! + 0);
}
my (@results, @statuses);
sub tell_due { push @statuses, report(@{$results[@statuses]}) while $results[@statuses] }
sub race {
	my ($apart, @todo) = @_;
	my %flying;
	my ($count, $limit, $start) = (0, $each || scalar @todo, now());
	my ($next, $left) = ($start, $ms / 1000 - ($start - $begin));
	my $settle = sub {
		my ($i, $socket, $at, $error) = @_;
		$error = Errno::ECONNREFUSED() if $socket && !$error && getsockname($socket) eq (getpeername($socket) || "");
		my $state = state_of($error);
		my $open = $state eq "open";
		$! = $error;
		$results[$i] = [$state, (getnameinfo($todo[$i]{addr}, 3))[1], $open ? span(now() - $at) : "-", $open ? "" : "$!"];
		$next = 0;
		tell_due() if $each && $how eq "-";
		return $open && ($apart || $how =~ /1/);
	};
	while ($count < @todo || %flying) {
		my $now = now();
		my $room = $count < @todo && keys(%flying) < $limit;
		if ($room && $now >= $next) {
			my ($socket, $error) = begin($todo[$count]);
			$! = $error;
			if (%flying && ($!{EMFILE} || $!{ENFILE})) { $limit = keys %flying; next }
			$next = $now + $apart;
			if ($!{EINPROGRESS}) { $flying{fileno $socket} = [$count, $socket, $now, $left + ($apart ? $start : $now)] }
			elsif ($settle->($count, $socket, $now, $error)) { last }
			$count++;
			next;
		}
		my ($end) = sort { $a <=> $b } $ms ? map({ $_->[3] } values %flying) : (), $room ? $next : ();
		my $out = "";
		vec($out, $_, 1) = 1 for keys %flying;
		my $ready = select(undef, $out, undef, defined $end ? ($end > $now ? $end - $now : 0) : undef);
		for my $fd ($ready > 0 ? grep { vec($out, $_, 1) } keys %flying : ()) {
			my ($i, $socket, $at) = @{delete $flying{$fd}};
			return if $settle->($i, $socket, $at, unpack("i", getsockopt($socket, SOL_SOCKET, SO_ERROR)));
		}
		for my $fd (grep { $ms && now() >= $flying{$_}[3] } keys %flying) {
			$settle->((delete $flying{$fd})->[0], undef, 0, Errno::ETIMEDOUT());
			$count = @todo if $apart;
		}
	}
}
if ($ms) { $hires ? Time::HiRes::alarm($ms / 1000) : alarm(int(($ms + 999) / 1000)) }
my $wanted = $family == 4 ? AF_INET : $family == 6 ? AF_INET6 : 0;
my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM, family => $wanted });
alarm 0;
$lookup = span(now() - $begin) if $host !~ /^[0-9.]+$|:/;
exit report("unresolved", "-", "-", "$error") if $error;
my %seen;
@found = grep { !$seen{$_->{addr}}++ } @found;
my @one = grep { $_->{family} == $found[0]{family} } @found;
my @other = grep { $_->{family} != $found[0]{family} } @found;
my @order;
while (@one || @other) { push @order, splice(@one, 0, 1), splice(@other, 0, 1) }
$each ? race(0, @found) : race(0.25, @order);
my ($best) = sort { $telling{$a->[0]} <=> $telling{$b->[0]} } grep { $_ } @results;
@results = $best if !$each || $how =~ /1/ && $best->[0] eq "open";
tell_due();
exit((grep({ $how =~ /R/ ? !$_ : $_ } @statuses), @statuses)[0]);'
# shellcheck disable=SC2016 # the expansions are its own
tp_python='import sys
import time
try:
    import errno
    import os
    import select
    import signal
    import socket
    import struct
except ImportError:
    sys.exit(97)
head, host, port, ms, family, source, each, half, how, statuses, telling, errnos = sys.argv[1:]
STATUS = dict(zip(statuses.split()[::2], map(int, statuses.split()[1::2])))
STATES = dict(zip([getattr(errno, name, -1) for name in errnos.split()[::2]], errnos.split()[1::2]))
TELLING = telling.split()
STATES[0] = "open"
begin = time.time()
deadline = int(ms) / 1000.0
def span(seconds):
    return "%.3f" % (1000 * seconds)
def report(state, address, connect, why):
    line = "\t".join((head, state, address, connect, lookup, why)) + "\n"
    os.write(1, line.encode("utf-8", "surrogateescape"))
    return STATUS[state]
def connect(info):
    s = socket.socket(info[0], socket.SOCK_STREAM)
    s.setblocking(False)
    if half == "1":
        s.setsockopt(6, 12, 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if source != "-":
        try:
            s.bind(socket.getaddrinfo(source, 0, info[0], socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)[0][4])
        except socket.gaierror:
            s.setsockopt(socket.SOL_SOCKET, 25, source.encode())
    return s, s.connect_ex(info[4])
def is_to_itself(s):
    try:
        return s.getsockname() == s.getpeername()
    except socket.error:
        return False
results, reported = {}, []
def tell_due():
    while len(reported) in results:
        reported.append(report(*results[len(reported)]))
def is_open():
    return "open" in [result[0] for result in results.values()]
def race(apart, todo):
    flying, start = {}, time.time()
    count, limit, after, left = 0, int(each) or len(todo), start, deadline - (start - begin)
    def settle(i, s, at, error):
        if s and not error and is_to_itself(s):
            error = errno.ECONNREFUSED
        state = STATES.get(error, "error")
        took, why = (span(time.time() - at), "") if state == "open" else ("-", os.strerror(error))
        results[i] = (state, todo[i][4][0], took, why)
        if each != "0" and how == "-":
            tell_due()
        return 0
    while (count < len(todo) or flying) and not ((apart or "1" in how) and is_open()):
        now = time.time()
        room = count < len(todo) and len(flying) < limit
        if room and now >= after:
            try:
                s, error = connect(todo[count])
            except socket.error as e:
                s, error = None, e.errno
            if flying and error in (errno.EMFILE, errno.ENFILE):
                limit = len(flying)
                continue
            after = now + apart
            if error == errno.EINPROGRESS:
                flying[s.fileno()] = (count, s, now, left + (start if apart else now))
            else:
                after = settle(count, s, now, error)
            count += 1
            continue
        ends = [f[3] for f in flying.values() if deadline] + [after] * room
        poll = select.poll()
        for fd in flying:
            poll.register(fd, select.POLLOUT)
        for fd, _ in poll.poll(max(0, min(ends) - now) * 1000 + 1 if ends else None):
            i, s, at, _ = flying.pop(fd)
            after = settle(i, s, at, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        for fd in [fd for fd in flying if deadline and time.time() >= flying[fd][3]]:
            after = settle(flying.pop(fd)[0], None, 0, errno.ETIMEDOUT)
            count = len(todo) if apart else count
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.setitimer(signal.ITIMER_REAL, deadline)
why = None
try:
    wanted = {"4": socket.AF_INET, "6": socket.AF_INET6}.get(family, 0)
    found = socket.getaddrinfo(host.encode("utf-8", "surrogateescape"), int(port), wanted, socket.SOCK_STREAM)
except socket.gaierror as e:
    why = e.args[-1]
except UnicodeError:
    why = "Name or service not known"
signal.setitimer(signal.ITIMER_REAL, 0)
lookup = "-" if ":" in host or host.replace(".", "").isdigit() else span(time.time() - begin)
if why:
    sys.exit(report("unresolved", "-", "-", why))
found = [f for i, f in enumerate(found) if f[4] not in [g[4] for g in found[:i]]]
same = [f for f in found if f[0] == found[0][0]]
other = [f for f in found if f[0] != found[0][0]]
order = [f for i in range(len(found)) for f in same[i : i + 1] + other[i : i + 1]]
race(0, found) if each != "0" else race(0.25, order)
if each == "0" or "1" in how and is_open():
    results = {0: min(results.values(), key=lambda result: TELLING.index(result[0]))}
tell_due()
sys.exit(([s for s in reported if (s == 0) == ("R" in how)] + reported)[0])'
# END sh_programs

# tp_begin TOOL HOST PORT: begins a try; $! is whom to wait for, and to end, by the signal tp_deadly.
tp_begin() {
	tp_tool=$1 tp_deadly=TERM tp_punctual=1
	# Beside a port getaddrinfo(3) takes it for this host.
	[ "$2" != '*' ] || tp_tool=none
	set -- "$tp_head" "$2" "$3" "$tp_timeout" "${tp_family:--}" "${tp_source:--}" "${tp_each:-0}" "${tp_half:-0}" "$tp_until$tp_first-" "$tp_statuses" "$tp_telling" "$tp_errnos"
	case $tp_tool in
		bash) exec bash -p -c "$tp_bash" bash "$@" 2>/dev/null & ;;
		perl) exec perl -e "$tp_perl" -- "$@" 2>/dev/null & ;;
		python3) exec python3 -c "$tp_python" "$@" 2>/dev/null & ;;
		*) tp_begin_other "$2" "$3" ;;
	esac
}

# What speaks for itself only, HOST PORT: its words and its status tell what it found.
tp_begin_other() {
	tp_kind=$tp_tool tp_deadly=URG tp_watch_ms=$tp_timeout tp_host=$1 tp_bracketed=$1 tp_options='' tp_open_words=''
	case $tp_tool in
		busybox* | toybox) tp_tool="$tp_tool nc" && tp_find_kind --help ;;
		nc | nc.*) tp_find_kind -h ;;
	esac
	tp_can "$tp_kind" || tp_kind=none
	case $1 in
		*:*) tp_bracketed="[$1]" ;;
	esac
	# Not every tool says so.
	! tp_numeric "$1" || case $tp_family,$1 in
		6,*:*) ;;
		4,*:* | 6,*) tp_kind=foreign ;;
	esac
	# A family that only follows from the source's needs no option. Whole seconds, and later than the watch, which is exact: of
	# itself none of them tells a lookup that is late from a handshake.
	case $tp_able in
		*4*) tp_options=${tp_family:+-$tp_family} ;;
	esac
	tp_options="$tp_options ${tp_source:+-s $tp_source} -w $((tp_timeout ? tp_timeout / 1000 + 2 : 3600))"
	# shellcheck disable=SC2086 # words without blanks
	case $tp_kind,$1 in
		# What could be an option, or a part of a longer address, is no host that resolves.
		*,\* | *,-* | socat,*[!A-Za-z0-9._:%-]* | curl,*[!A-Za-z0-9._:%-]* | curl,*[!0-9A-Fa-f:]*%*) set -- sh -c 'echo Name or service not known; exit 1' ;;
		foreign,*) set -- sh -c 'echo Address family for hostname not supported; exit 1' ;;
		none,*) set -- none ;;
		nc.* | ncat,*) set -- $tp_tool -z -v $tp_options "$@" ;;
		# With one -v it is silent about what it was refused.
		busybox-z,*) set -- $tp_tool -z -v -v $tp_options "$@" ;;
		busybox,*) set -- $tp_tool $tp_options "$@" -e true ;;
		toybox,*)
			# That it is open shows in its end, a second after it connected: the least -q that it takes.
			[ "$tp_timeout" = 0 ] || tp_watch_ms=$((tp_timeout + 1000)) tp_punctual=''
			set -- $tp_tool $tp_options -q 1 "$@"
			;;
		socat,*) set -- socat -u OPEN:/dev/null "TCP$tp_family:$tp_bracketed:$2${tp_source:+,bind=$tp_source}" ;;
		curl,*)
			tp_open_words='Connected to'
			set -- curl -q -s -S -v ${tp_family:+"-$tp_family"} ${tp_source:+--interface "$tp_source"} --noproxy '*' "telnet://$tp_bracketed:$2"
			;;
	esac
	# Bash, told to run a trap while it makes a pipe, waits for the left end first.
	trap '' TERM
	# Some tools are deaf to TERM while they look a name up.
	tp_watch "$@" | tp_guard KILL tp_listen &
}

# The kind of an nc, by what it says of itself.
tp_find_kind() {
	# shellcheck disable=SC2086 # busybox nc
	tp_kind=$($tp_tool "$1" 2>&1 </dev/null) || :
	case $tp_kind in
		*OpenBSD*) tp_kind=nc.openbsd ;;
		*'[v1.1'*) tp_kind=nc.traditional ;;
		*Ncat*) tp_kind=ncat ;;
		*-z*BusyBox* | *BusyBox*-z*) tp_kind=busybox-z ;;
		*BusyBox*) tp_kind=busybox ;;
		*netcat*-q* | *oybox*) tp_kind=toybox ;;
		*) tp_kind=none ;;
	esac
}

# Runs a tool, which says its PID before it is what it is; then how it ended, or that it is late.
tp_watch() {
	tp_clock=
	if [ "$tp_watch_ms" -gt 0 ] && [ "$tp_sleep" ]; then
		(
			tp_be_clock
			tp_nap "$tp_watch_ms"
			echo /late
		) &
		tp_clock=$!
	fi
	# shellcheck disable=SC2016 # for that shell
	exec sh -c 'echo "P $$" && exec "$@"' sh "$@" </dev/null 2>&1 3<&- &
	wait "$!"
	tp_result=$?
	trap '' PIPE
	echo "S $tp_result"
	[ -z "$tp_clock" ] || tp_end URG "$tp_clock"
} 2>/dev/null

# Of what is watched a status of 0, or tp_open_words, mean open.
tp_listen() {
	tp_known='' tp_words='it says not why'
	while IFS= read -r tp_line; do
		case $tp_line in
			/late) tp_words=/late && break ;;
			'S 0') tp_words=open && break ;;
			'S 127' | 'S 126') tp_words=97 && break ;;
			'S '*)
				# Some mind Ctrl-C themselves, and end without a word before they are ended.
				[ "$tp_known" ] || [ -z "$tp_sleep" ] || tp_nap 100 deaf
				break
				;;
			*"${tp_open_words:-$tp_newline}"*) tp_words=open && break ;;
			# Of all that it says the last that tells a state, else the last.
			*'inverse host lookup'*) ;;
			?*)
				if tp_judge "$tp_line" "$tp_host"; then
					tp_words=$tp_line tp_known=1
				elif [ -z "$tp_known" ]; then
					tp_words=$tp_line
				fi
				;;
		esac
	done
	kill -KILL "$tp_guarded" 2>/dev/null
	case $tp_words in
		97) exit 97 ;;
		open) tp_state=open && tp_record open '' ;;
		*)
			tp_judge "$tp_words" "$tp_host"
			tp_record '?' "$tp_words"
			;;
	esac
	# Was it the lookup, and the name may have no address yet?
	[ "$tp_words" != /late ] || tp_numeric "$tp_host" || tp_state=unresolved
	tp_status_of "$tp_state"
	exit "$tp_x"
}

# -- Jobs side by side, below a process that can be ended: TERM ends it, USR1 is the end of a wait

# tp_record STATE WHY: where a tool says no more
tp_record() {
	tp_line "$tp_head$tp_tab$1$tp_tab-$tp_tab-$tp_tab-$tp_tab$2"
}

# tp_set_head SEQUENCE TARGET TRY HOST PORT: the first fields of the records to come
tp_set_head() {
	tp_head="R$tp_tab$1$tp_tab$2$tp_tab$3$tp_tab$4$tp_tab$5"
}

# tp_finish SEQUENCE [late]
tp_finish() {
	tp_line "F$tp_tab$1${2:+${tp_tab}expired}"
}

# tp_nap MS [deaf]: a trapped signal ends the wait. The sleep is $!, as the trap may find it: tp_napping tells it so.
tp_nap() {
	tp_seconds "$1"
	[ "$tp_fine" ] || { $tp_sleep 0.001 2>/dev/null && tp_fine=1 || tp_fine=0; }
	[ "$tp_fine" = 1 ] || tp_span=$((($1 + 999) / 1000))
	if [ "${2-}" ]; then
		$tp_sleep "$tp_span"
	else
		tp_napping=1
		$tp_sleep "$tp_span" &
		wait "$!"
	fi
}

# For a process that does nothing but nap: URG ends its nap too, by KILL, since before its exec(2) it may not see another.
# Before the first nap $! is somebody else.
tp_be_clock() {
	tp_before=$!
	trap '[ "$!" = "$tp_before" ] || kill -KILL "$!" 2>/dev/null; exit' TERM URG
}

# Waits for a child to its end, whatever signals come, and sets tp_result.
tp_await() {
	while
		wait "$1"
		tp_result=$?
		kill -0 "$1" 2>/dev/null
	do :; done
	# It may have been a signal, while the child ended.
	[ "$tp_result" -le 128 ] || {
		wait "$1" 2>/dev/null
		tp_word=$?
		[ "$tp_word" = 127 ] || tp_result=$tp_word
	}
}

# tp_guard SIGNAL READER: the right end of a pipe whose first line is `P PID`. READER, a child, takes the rest: in `read` it
# may see no signal, at once or, in yash, at all. URG, of which it cannot die before it has its trap, sends the PID that
# SIGNAL, and with its pipe READER ends.
tp_guard() {
	trap '' INT HUP
	# Where there is no process left for READER.
	trap 'exit 98' EXIT
	tp_ended='' tp_ender=$1 tp_guarded='' tp_reader=''
	trap 'tp_ended=1; tp_unguard' TERM URG
	# A signal may have ended the first.
	read -r tp_word tp_guarded tp_holder || read -r tp_word tp_guarded tp_holder
	[ "$tp_word" = P ] || tp_leave 97
	exec 4<&0
	if [ -z "$tp_ended" ]; then
		"$2" <&4 4<&- &
		tp_reader=$!
	fi
	[ -z "$tp_ended" ] || tp_unguard
	# Of a reader that it killed, shells say so.
	[ -z "$tp_reader" ] || tp_await "$tp_reader" 2>/dev/null
	if [ "$tp_ended" ]; then
		tp_result=143
	elif [ "$tp_result" -gt 128 ]; then
		# Itself ended from outside, it has ended nobody: what zsh has just forked is not deaf to INT yet.
		tp_unguard
	fi
	tp_leave "$tp_result"
}

# Whose reader does not know what to make of a broken pipe has to go first.
tp_unguard() {
	[ "$tp_ender" = TERM ] || [ -z "$tp_reader" ] || kill -KILL "$tp_reader"
	tp_end "$tp_ender" "$tp_guarded" "$tp_holder"
} 2>/dev/null

# tp_end SIGNAL PIDS [HOLDER]: until they are gone; a last thing, which no signal ends.
tp_end() {
	trap '' TERM URG
	tp_drop "$@"
}

# tp_drop SIGNAL PIDS [HOLDER]: until they are gone, for right after its fork(2) a shell may not see it; at last by KILL. Not by
# `wait`, which in bash may wait for ever after it was interrupted. Who does not hear reads what HOLDER writes, and so HOLDER
# is still there. In a trap zsh makes no words of a variable.
tp_drop() {
	tp_these=$2 tp_times=100
	while :; do
		tp_times=$((tp_times - 1)) tp_those=$tp_these tp_these=
		[ "$tp_times" -gt 0 ] || eval "kill -KILL $tp_those"
		eval "for tp_that in $tp_those; do kill -$1 \$tp_that && tp_these=\"\$tp_these \$tp_that\"; done"
		[ "$tp_these" ] || break
		tp_nap 10 deaf
		[ -z "${3-}" ] || kill -KILL "$3"
	done
} 2>/dev/null

# tp_job SEQUENCE TARGET TRY HOST PORT: one target, until it is as wanted, or a try of it, with status 96 where another is
# due; each tool until one works.
tp_job() {
	tp_own=$1 tp_try=$3 tp_told=$((tp_try - 1)) tp_ended='' tp_late=''
	while :; do
		tp_set_head "$1" "$2" "$tp_try" "$4" "$5"
		for tp_one in $tp_tools; do
			# Not between its start and our knowing its number.
			trap 'tp_ended=1' TERM
			trap 'tp_late=1' USR1
			tp_begin "$tp_one" "$4" "$5"
			trap tp_abandon TERM
			trap tp_expire USR1
			[ -z "$tp_ended" ] || tp_abandon
			[ -z "$tp_late" ] || tp_expire
			# Of a tool that its alarm has ended, shells say so.
			tp_await "$!" 2>/dev/null
			case $tp_late,$tp_result in
				,97 | ,126 | ,127) ;;
				*) break ;;
			esac
		done
		case $tp_late,$tp_result in
			,97 | ,126 | ,127) tp_record error "no tool to connect with: looked for $tp_tools" && tp_result=5 ;;
			*,142 | *,270 | *,398) tp_record '?' /late-lookup ;;
			# It ended with the wait, and of two things at once shells may lose one.
			1,*) tp_unsaid ;;
		esac
		tp_told=1
		case $tp_until,$tp_result in
			,* | r,0 | ?,5 | R,1 | R,3 | R,124) break ;;
		esac
		[ -z "$tp_late" ] || break
		[ -z "$tp_turns" ] || exit 96
		tp_deadly=TERM
		tp_nap "$tp_interval"
		# Where it is a function, nobody may be left to ask.
		kill -0 "$$" 2>/dev/null || exit
		tp_try=$((tp_try + 1))
	done
	tp_finish "$1" "$tp_late"
	[ -z "$tp_drops" ] || [ "$tp_result" != 0 ] || kill -USR2 "$tp_worker"
}

tp_abandon() {
	tp_end "$tp_deadly" "$!"
	exit 143
}

# The wait is over. A first try that could be all of it ends by itself, and tells why: its tool may have begun late.
tp_expire() {
	tp_late=1
	if [ "$tp_told" = 0 ] && [ "$tp_punctual" ] && [ -z "$tp_from_file" ] && [ "$tp_own" -le "$tp_limit" ]; then
		return
	fi
	tp_end "$tp_deadly" "$!"
	[ "$tp_told" != 0 ] || tp_unsaid
	tp_finish "$tp_own" late
	exit
}

# What counts where a tool that ended with the wait has said nothing. That it was silent for a part of it is no end.
tp_unsaid() {
	[ "$tp_until" = R ] && tp_record timeout '' || tp_record '?' /over
}

# In a dry run nothing is begun.
tp_target() {
	tp_total=$((tp_total + 1))
	[ -z "$tp_dry" ] || return 0
	tp_sequence=$((tp_sequence + 1))
	tp_launch "$tp_sequence" "$tp_sequence" 1 "$1" "$2"
}

# tp_give_up SEQUENCE TARGET TRY HOST PORT: the wait was over before its turn.
tp_give_up() {
	tp_set_head "$@"
	[ "$3" -gt 1 ] || tp_record timeout ''
	tp_finish "$1" late
}

# tp_launch SEQUENCE TARGET TRY HOST PORT: as soon as there is a place for it
tp_launch() {
	if [ "$tp_alone" ]; then
		tp_job "$@"
		return
	fi
	if [ "$tp_expired" ]; then
		tp_give_up "$@"
		return
	fi
	if [ "$tp_won" ]; then
		tp_kept=$tp_kept$*$tp_newline
		tp_finish "$1"
		return
	fi
	trap 'tp_ended=1' TERM
	tp_job "$@" &
	tp_running="${tp_running:+$tp_running }$!" tp_flying=$((tp_flying + 1))
	trap tp_end_work TERM
	[ -z "$tp_ended" ] || tp_end_work
	[ -z "$tp_won" ] || tp_drop TERM "$!"
	tp_entries="$tp_entries$*$tp_newline"
	while [ "$tp_flying" -ge "$tp_limit" ]; do
		tp_land
	done
}

# Waits for the oldest job: a shell knows no "any". A signal ends the wait, not the job.
tp_land() {
	tp_oldest=${tp_running%% *} tp_entry=${tp_entries%%"$tp_newline"*}
	tp_await "$tp_oldest" 2>/dev/null
	tp_running=${tp_running#"$tp_oldest"} tp_flying=$((tp_flying - 1))
	tp_running=${tp_running# } tp_entries=${tp_entries#*"$tp_newline"}
	# In the left of a pipe ksh93 forgets how a child ended that it was not waiting for: 127. Once too often does no harm.
	# shellcheck disable=SC2086 # the words of an entry
	case $tp_rounds,$tp_turns,$tp_expired,$tp_result in
		[0-9]* | ,1,,96 | ,1,,127) tp_kept=$tp_kept$tp_entry$tp_newline ;;
		# Whatever the status means that the end of the wait hid, or that it caused before there was a trap for it.
		,*,1,[!0]*) tp_give_up $tp_entry ;;
	esac
	[ -z "$tp_won" ] || tp_finish "${tp_entry%% *}"
}

# Lines are words as on a command line; those that are wrong become complaints, and nothing of them is probed.
tp_lines() {
	while [ -z "$tp_expired" ] && IFS= read -r tp_line; do
		tp_line_number=$((tp_line_number + 1))
		[ "${#tp_line}" -lt 65536 ] || tp_bad "$tp_says_long_line" || continue
		tp_line=" ${tp_line%"$tp_return"}"
		# shellcheck disable=SC2086 # its words
		set -- ${tp_line%%[[:blank:]]#*}
		[ $# -gt 0 ] || continue
		tp_dry=1
		tp_targets "$@" && tp_dry='' && tp_targets "$@"
		tp_dry=
	done
}

tp_bad() {
	[ "$tp_line_number" -gt 0 ] || tp_misuse "$1"
	tp_line "B$tp_tab$tp_file_shown:$tp_line_number: $1"
	return 1
}

# That it was ended is no failure: with pipefail its status would be the pipe's.
tp_end_work() {
	tp_end TERM "$tp_running ${tp_napping:+$!} $tp_clocks $tp_feed_clock"
	[ -z "$tp_feeder" ] || kill -KILL "$tp_feeder" 2>/dev/null
	exit 0
}

# The file, from a process that can be ended: in `read` a shell may see no signal, but it sees the end of a pipe.
tp_feed() {
	trap '' INT HUP
	[ "$tp_file" != - ] || exec <&3 3<&-
	# shellcheck disable=SC2016 # for that shell
	exec sh -c 'echo "P $$"
		[ "$1" = - ] || exec <"$1"
		while IFS= read -r line; do printf "%s\\n" "$line"; done
		[ -z "$line" ] || printf "%s\\n" "$line"' sh "$tp_file"
}

# tp_probe_all WORD...: every target, in as many rounds as it takes
tp_probe_all() {
	tp_sequence=0 tp_flying=0 tp_entries='' tp_round=1 tp_kept='' tp_alone='' tp_turns=''
	[ "$tp_total$tp_from_file$tp_rounds$tp_until" != 1 ] || tp_alone=1
	[ -z "$tp_from_file" ] && [ "$tp_total" -le "$tp_limit" ] || tp_turns=${tp_until:+1}
	tp_targets "$@"
	if [ "$tp_from_file" ]; then
		tp_return=$(printf '\r')
		tp_lines <&3
		[ -z "$tp_expired" ] || { tp_line W && kill -KILL "$tp_feeder" 2>/dev/null; }
		[ -z "$tp_feed_clock" ] || tp_end URG "$tp_feed_clock"
		trap tp_end_work TERM
		tp_feeder='' tp_feed_clock=''
	fi
	while :; do
		while [ "$tp_flying" -gt 0 ]; do
			tp_land
		done
		[ "$tp_kept" ] && [ "$tp_round" != "$tp_rounds" ] || break
		tp_round=$((tp_round + 1)) tp_again=$tp_kept tp_kept='' tp_won=''
		tp_nap "$tp_interval"
		[ -z "$tp_expired" ] || tp_end TERM "$!"
		kill -0 "$$" 2>/dev/null || tp_end_work
		tp_napping=
		while [ "$tp_again" ]; do
			# shellcheck disable=SC2086 # its words
			set -- ${tp_again%%"$tp_newline"*}
			tp_again=${tp_again#*"$tp_newline"} tp_number=$1
			[ -z "$tp_rounds" ] || tp_number=$((tp_sequence += 1))
			tp_launch "$tp_number" "$2" "$tp_round" "$4" "$5"
		done
	done
}

# The left end of the pipe. It says its own number when it can be ended, and whom with it. What /proc tells may be another's
# number, of another namespace: whose it is, a signal that nobody minds tells.
tp_work() {
	trap '' INT HUP
	# It changes how some tools read their options.
	unset POSIXLY_CORRECT
	tp_running='' tp_napping='' tp_ended='' tp_expired='' tp_clocks='' tp_feed_clock='' tp_feeder='' tp_mine='' tp_drops='' tp_won=''
	[ -z "$tp_from_file" ] || { read -r tp_rest tp_feeder && exec 3<&0; }
	set +f
	for tp_worker in /proc/self/task/*; do tp_worker=${tp_worker##*/}; done
	set -f
	trap 'tp_mine=1' URG
	kill -URG "$tp_worker" 2>/dev/null
	# shellcheck disable=SC2016 # for that shell
	[ "$tp_mine" ] || tp_worker=$(exec sh -c 'echo "$PPID"')
	trap 'tp_expired=1; eval "kill -USR1 $tp_running" 2>/dev/null' USR1
	trap tp_end_work TERM
	# With -1 a round is over with the first that is open. While lines are read, a signal could end them.
	if [ "$tp_first$tp_from_file" = 1 ] && [ "$tp_rounds" ]; then
		tp_drops=1
		trap 'tp_won=1; tp_drop TERM "$tp_running"' USR2
	fi
	if [ "$tp_until" ] && [ "$tp_wait_ms" -gt 0 ]; then
		(
			tp_be_clock
			exec >/dev/null 2>&1
			tp_nap "$tp_wait_ms"
			kill -USR1 "$tp_worker"
			tp_nap 50
			kill -USR1 "$tp_worker"
		) &
		tp_clocks=$!
		if [ "$tp_feeder" ]; then
			(
				tp_be_clock
				tp_nap "$tp_wait_ms"
				kill -USR1 "$tp_worker"
				kill -KILL "$tp_feeder" 2>/dev/null
			) &
			tp_feed_clock=$!
		fi
	fi
	if [ "$tp_shows_progress" ]; then
		(
			tp_be_clock
			# Not in the condition, from which mksh would end without its trap.
			while :; do
				tp_nap 1000
				echo T
			done
		) &
		tp_clocks="$tp_clocks $!"
	fi
	tp_line "P$tp_tab$tp_worker$tp_tab$tp_feeder"
	tp_probe_all "$@"
	[ -z "$tp_clocks" ] || tp_end URG "$tp_clocks"
	tp_line "E$tp_tab$tp_sequence"
}

# -- Reports

tp_put() {
	tp_hide_progress
	# Not with its words hidden: in zsh a redirection could take a closed standard output's place.
	tp_line "$1" && return
	tp_complain 'write error'
	tp_status=5
	tp_over
}

# Ends all that still works, and this.
tp_over() {
	if [ "$tp_from_file" ]; then
		tp_end TERM "$tp_guarded" "$tp_holder"
	else
		kill "$tp_guarded" 2>/dev/null
	fi
	tp_hide_progress
	[ -z "$tp_wrong" ] || tp_status=2
	exit "$tp_status"
}

# Sets tp_now, which has the fraction of a second that this date(1) tells, if there is one.
tp_time() {
	tp_now=$(date +%s.%N 2>/dev/null)
	case $tp_now in
		'') tp_now=- ;;
		*.*[!0-9]* | *.) tp_now=${tp_now%.*}.000000 ;;
		*) tp_now=${tp_now%???} ;;
	esac
}

# tp_expand: sets tp_out, the report in the format; false where tp_part of the format means nothing.
tp_expand() {
	tp_left=$tp_format tp_out=
	while
		tp_rest=${tp_left%%[%\\]*}
		tp_out=$tp_out$tp_rest tp_left=${tp_left#"$tp_rest"}
		[ "$tp_left" ]
	do
		case $tp_left in
			%%*) tp_out=$tp_out% ;;
			%h*) tp_out=$tp_out$tp_h ;;
			%p*) tp_out=$tp_out$tp_p ;;
			%a*) tp_out=$tp_out$tp_a ;;
			%s*) tp_out=$tp_out$tp_s ;;
			%x*) tp_out=$tp_out$tp_x ;;
			%e*) tp_out=$tp_out$tp_e ;;
			%r*) tp_out=$tp_out- ;;
			%t*) tp_out=$tp_out$tp_t ;;
			%l*) tp_out=$tp_out$tp_l ;;
			%n*) tp_out=$tp_out$tp_n ;;
			%T*) tp_time && tp_out=$tp_out$tp_now ;;
			\\n*) tp_out=$tp_out$tp_newline ;;
			\\t*) tp_out=$tp_out$tp_tab ;;
			\\\\*) tp_out=$tp_out\\ ;;
			*) tp_part=$(printf %.2s "$tp_left") && return 1 ;;
		esac
		tp_left=${tp_left#??}
	done
}

# tp_member NAME VALUE QUOTE: grows tp_out
tp_member() {
	tp_map "$2" json
	[ "$2" = - ] && tp_text=null || tp_text=$3$tp_text$3
	tp_out="$tp_out,\"$1\":$tp_text"
}

tp_json_line() {
	tp_map "$tp_h" json
	tp_out="{\"host\":\"$tp_text\",\"port\":$tp_p"
	tp_member address "$tp_a" '"'
	tp_out="$tp_out,\"state\":\"$tp_s\",\"status\":$tp_x"
	tp_member error "${tp_e:--}" '"'
	tp_out="$tp_out,\"reporter\":null,\"icmp\":null"
	tp_member connect_ms "$tp_t" ''
	tp_member lookup_ms "$tp_l" ''
	tp_out="$tp_out,\"try\":$tp_n"
	tp_time
	tp_member time "$tp_now" ''
	tp_out="$tp_out}"
}

# tp_forget NAME: no variable of the environment is a sequence, a target or "sum" of ours.
tp_forget() {
	for tp_word in record 'done' label times; do
		unset "tp_${tp_word}_$1"
	done
	for tp_word in all $tp_statuses; do
		unset "tp_$1_$tp_word"
	done
}

# tp_count_state NAME: one more in what tp_NAME_* count
tp_count_state() {
	eval "tp_$1_$tp_s=\$((\${tp_$1_$tp_s-0} + 1)) tp_$1_all=\$((\${tp_$1_all-0} + 1))"
}

# tp_tally NAME: sets tp_text, "3 probes: 2 open, 1 refused"
tp_tally() {
	eval "tp_text=\"\${tp_$1_all-0} probes\""
	[ "$tp_text" != '1 probes' ] || tp_text='1 probe'
	tp_colon=:
	for tp_word in $tp_statuses; do
		eval "tp_some=\${tp_$1_$tp_word-0}"
		[ "$tp_some" = 0 ] || tp_text="$tp_text$tp_colon $tp_some $tp_word" tp_colon=,
	done
}

# One more handshake of the target: the least, the greatest, the first of its microseconds, how many; of what they are
# from the first the sum, and the sum of the squares, for no number shall be greater than it must.
tp_time_target() {
	tp_plain "${tp_t%.*}${tp_t#*.}"
	eval "set -- $1 \${tp_times_$1-$tp_number $tp_number $tp_number 0 0 0}"
	[ "$tp_number" -ge "$2" ] || set -- "$1" "$tp_number" "$3" "$4" "$5" "$6" "$7"
	[ "$tp_number" -le "$3" ] || set -- "$1" "$2" "$tp_number" "$4" "$5" "$6" "$7"
	tp_from=$((tp_number - $4))
	eval "tp_times_$1='$2 $3 $4 $(($5 + 1)) $(($6 + tp_from)) $(($7 + tp_from * tp_from))'"
}

# tp_rtt LEAST GREATEST FIRST COUNT SUM SQUARES
tp_rtt() {
	[ $# = 6 ] || return 0
	tp_mean=$(($5 / $4)) tp_text=
	tp_square=$((($6 - $5 * $5 / $4) / $4))
	tp_root=$tp_square
	while [ "$tp_root" -gt 1 ] && [ $((tp_root * tp_root)) -gt "$tp_square" ]; do
		tp_root=$(((tp_root + tp_square / tp_root) / 2))
	done
	for tp_number in "$1" $(($3 + tp_mean)) "$2" "$tp_root"; do
		tp_seconds "$tp_number"
		tp_text=$tp_text/$tp_span
	done
	# 31 bits hold no squares of more than 46 ms.
	[ $((2147483647 + 1)) -gt 0 ] || tp_text=${tp_text%/*}/-
	tp_put "rtt min/avg/max/mdev = ${tp_text#/} ms"
}

tp_closing_lines() {
	[ "$tp_verbose" ] && [ -z "$tp_json$tp_name" ] || return 0
	tp_i=0
	while [ "$tp_i" -lt "$tp_labels" ]; do
		tp_i=$((tp_i + 1))
		tp_tally "$tp_i"
		[ "$tp_text" = '0 probes' ] || eval "tp_put \"--- \$tp_label_$tp_i: \$tp_text\"; tp_rtt \${tp_times_$tp_i-}"
	done
	if [ -z "$tp_rounds" ] && [ "${tp_sum_all-0}" -gt 1 ]; then
		tp_tally sum
		tp_put "--- $tp_text"
	fi
}

# tp_show RECORD EXPIRED: the report of one probe
tp_show() {
	IFS=$tp_tab
	# shellcheck disable=SC2086 # its fields
	set -- "$2" $1
	IFS=$tp_blanks
	tp_expired=$1 tp_target=$4 tp_n=$5 tp_h=$6 tp_p=$7 tp_s=$8 tp_a=$9
	shift 9
	tp_t=$1 tp_l=$2 tp_e=${3-}
	# Who comes second in a round with -1
	[ -z "$tp_rounds" ] || [ "$tp_found" != "$tp_n" ] || return 0
	if [ "$tp_s" = '?' ]; then
		tp_judge "$tp_e" "$tp_h"
		tp_s=$tp_state tp_e=$tp_why
	fi
	if [ "$tp_s" = unresolved ]; then
		tp_a=-
	elif tp_numeric "$tp_h"; then
		[ "$tp_a" != - ] || tp_a=$tp_h
		[ "$tp_e" = "${tp_e#Timed out, in}" ] || tp_e='Connection timed out'
	fi
	case $tp_until,$tp_s,$tp_e in
		R,timeout,Name* | R,timeout,*lookup*) tp_wanted= ;;
		R,refused,* | R,unreachable,* | R,timeout,*) tp_wanted=1 ;;
		R,* | *,[!o]*) tp_wanted= ;;
		*) tp_wanted=1 ;;
	esac
	if [ "$tp_expired" = expired ] && { [ -z "$tp_wanted" ] || [ "$tp_s$tp_e" = timeout ]; }; then
		tp_seconds "$tp_wait_ms"
		tp_span=${tp_span%"${tp_span##*[!0]}"}
		tp_span=${tp_span%.}s
		case $tp_until,$tp_s in
			R,open) tp_e="$tp_says_still_open$tp_span" ;;
			R,*) tp_e="$tp_says_not_closed$tp_span${tp_e:+: $tp_e}" ;;
			*) tp_e="$tp_says_not_open$tp_span${tp_e:+: $tp_e}" ;;
		esac
		tp_s=timeout tp_wanted=
	fi
	tp_status_of "$tp_s"
	[ -z "$tp_wanted" ] || tp_x=0 tp_e=
	[ "$tp_status$tp_found" != 0 ] || tp_status=$tp_x
	tp_label=$tp_h:$tp_p
	[ "$tp_h" = "${tp_h#*:}" ] || tp_label="[$tp_h]:$tp_p"
	tp_count_state sum
	if [ "$tp_rounds" ]; then
		eval "tp_label_$tp_target=\$tp_label"
		[ "$tp_target" -le "$tp_labels" ] || tp_labels=$tp_target
		tp_count_state "$tp_target"
		[ "$tp_t" = - ] || tp_time_target "$tp_target"
	fi
	tp_print
	if [ "$tp_first" ] && [ "$tp_wanted" ]; then
		tp_status=0 tp_found=$tp_n
		[ "$tp_rounds" ] || { tp_closing_lines && tp_over; }
	fi
}

tp_print() {
	tp_which=$tp_label
	case $tp_each,$tp_a in
		,* | *,- | *,"$tp_h") ;;
		*) tp_which="$tp_label ($tp_a)" ;;
	esac
	if [ "$tp_formatted" ]; then
		tp_expand
		tp_put "$tp_out"
	elif [ "$tp_json" ]; then
		tp_json_line
		tp_put "$tp_out"
	elif [ "$tp_verbose" ] && [ "$tp_wanted" ]; then
		[ "$tp_t" = - ] && tp_t='' || tp_t=" $tp_t ms"
		tp_put "$tp_label $tp_s $tp_a$tp_t"
	elif [ "$tp_name" ]; then
		[ "$tp_verbose" ] && tp_put "$tp_which: $tp_e" || tp_put "$tp_s"
	fi
	[ -z "$tp_wanted$tp_formatted$tp_json" ] || return 0
	[ -z "$tp_quiet" ] || [ "$tp_s" = error ] || return 0
	tp_hide_progress
	# Who read it and has gone wants no more; one that never took any may be closed, which is no error.
	if tp_complain "$tp_which: $tp_e"; then
		tp_heard=1
	elif [ "$tp_heard" ]; then
		tp_status=5
		tp_over
	fi
}

tp_show_progress() {
	tp_elapsed=$((tp_elapsed + 1)) tp_done=${tp_sum_all-0}
	tp_text="$tp_done done, ${tp_sum_open-0} open"
	if [ -z "$tp_from_file" ]; then
		tp_text="$tp_done/$tp_total done, ${tp_sum_open-0} open"
		[ "$tp_done" = 0 ] || tp_text="$tp_text, $((tp_elapsed * (tp_total - tp_done) / tp_done)) s left"
	fi
	tp_hide_progress
	printf '\r%s' "$tp_text" >&2
	tp_shown=$tp_text
}

tp_hide_progress() {
	# shellcheck disable=SC2059 # a width: yash knows no *
	[ -z "$tp_shown" ] || printf "\\r%${#tp_shown}s\\r" '' >&2
	tp_shown=
}

# Shows all that is next in order: at once where what a tool told is final, else when it is done.
tp_show_due() {
	while [ "$tp_next" -le "$tp_known" ]; do
		eval "tp_record=\${tp_record_$tp_next-} tp_how=\${tp_done_$tp_next-}"
		[ "$tp_how" ] || [ -z "$tp_until$tp_first" ] || return 0
		unset "tp_record_$tp_next"
		while [ "$tp_record" ]; do
			tp_show "${tp_record%%"$tp_newline"*}" "$tp_how"
			tp_record=${tp_record#*"$tp_newline"} tp_said=1
		done
		[ "$tp_how" ] || return 0
		# A tool that was ended from outside has said nothing.
		[ "$tp_said$tp_found" ] || tp_broken=1
		unset "tp_done_$tp_next"
		tp_next=$((tp_next + 1)) tp_said=
	done
}

# With -1 an open one is shown though others before it are not done: they are dropped.
tp_show_winner() {
	eval "tp_record=\${tp_record_$1-}"
	case $tp_record in
		*"$tp_tab"open"$tp_tab"*) ;;
		*) return 0 ;;
	esac
	while [ "$tp_next" -le "$1" ]; do
		tp_show_due
		[ "$tp_next" -gt "$1" ] || tp_next=$((tp_next + 1))
	done
}

# Takes tp_line, which is about the sequence tp_number. One that is over may have been tried once too often.
tp_take() {
	while [ "$tp_known" -lt "$tp_number" ]; do
		tp_known=$((tp_known + 1))
		tp_forget "$tp_known"
	done
	[ "$tp_number" -ge "$tp_next" ] && eval "[ -z \"\${tp_done_$tp_number-}\" ]" || return 0
	case $tp_line in
		F*)
			eval "tp_done_$tp_number=\${tp_rest#*\"\$tp_tab\"}"
			tp_show_due
			[ -z "$tp_first" ] || tp_show_winner "$tp_number"
			;;
		R*)
			# Of several tries the last counts, but for one that there was no time for; of a try with -a each address.
			eval "tp_record=\${tp_record_$tp_number-}"
			tp_rest=${tp_line#*"$tp_tab"*"$tp_tab"*"$tp_tab"*"$tp_tab"}
			case ${tp_record:+1}$tp_line in
				1*"${tp_tab}timeout$tp_tab-$tp_tab-$tp_tab-$tp_tab" | 1*"$tp_tab/over") ;;
				*)
					case ${tp_each:+1}$tp_record in
						1"${tp_line%"$tp_rest"}"*) tp_record=$tp_record$tp_line$tp_newline ;;
						*) tp_record=$tp_line$tp_newline ;;
					esac
					;;
			esac
			eval "tp_record_$tp_number=\$tp_record"
			tp_show_due
			;;
	esac
}

tp_report() {
	trap '' PIPE TERM
	tp_whole='' tp_broken='' tp_said='' tp_heard='' tp_next=1 tp_known=0 tp_labels=0 tp_status=0 tp_found='' tp_wrong='' tp_early='' tp_shown='' tp_elapsed=0
	tp_forget sum
	while IFS= read -r tp_line; do
		tp_rest=${tp_line#?"$tp_tab"}
		tp_number=${tp_rest%%"$tp_tab"*}
		case $tp_line in
			T) tp_show_progress ;;
			E*)
				# Whose job could not be made is not there; but what a job told that was ended with the wait is true.
				tp_whole=1
				while [ "$tp_next" -le "$tp_number" ]; do
					if [ "$tp_until" ] && [ "$tp_next" -le "$tp_known" ] && eval "[ \"\${tp_record_$tp_next-}\" ]"; then
						eval "tp_done_$tp_next=expired"
					else
						tp_whole='' tp_next=$((tp_next + 1))
					fi
					tp_show_due
				done
				break
				;;
			B*) tp_wrong=1 && tp_hide_progress && tp_complain "$tp_rest" ;;
			W) tp_early=1 ;;
			[FR]*) tp_take ;;
		esac
	done
	tp_closing_lines
	tp_hide_progress
	[ "$tp_whole" ] && [ -z "$tp_broken" ] || exit 98
	[ -z "$tp_early" ] || tp_complain "-f: $tp_says_early_end"
	[ -z "$tp_wrong" ] || exit 2
	[ "$tp_status$tp_early" != 01 ] || exit 124
	[ "${tp_sum_all-0}" -gt 0 ] || tp_misuse "$tp_says_no_target"
	exit "$tp_status"
}

# -- The command

tp_usage() {
	tp_line "usage: $tp_synopsis"
	tp_line "$tp_help_text"
	tp_leave 0
}

# The tools that can do all that is asked for, if any; where it is more than a connection, of those that are there.
tp_find_tools() {
	tp_tools=
	for tp_one in ${TCPPROBE_BACKEND:-$tp_all_tools}; do
		tp_can "$tp_one" && { [ -z "$tp_asked" ] || command -v "$tp_one" >/dev/null; } && tp_tools="${tp_tools:+$tp_tools }$tp_one"
	done
	[ "$tp_tools" ]
}

tp_choose() {
	tp_left=$tp_asked tp_asked=
	tp_find_tools || {
		[ "$TCPPROBE_BACKEND" = builtin ] && tp_no_builtin
		tp_complain "TCPPROBE_BACKEND $(tp_quote "$TCPPROBE_BACKEND"): none of builtin $tp_all_tools"
		tp_leave 5
	}
	tp_asked=$tp_left
	tp_find_tools && return
	# The first option that none of them can do, or the last of those that none can do together.
	while [ "$tp_left" ]; do
		tp_rest=${tp_left#?}
		tp_asked=${tp_left%"$tp_rest"} tp_left=$tp_rest
		tp_find_tools || break
	done
	[ "$tp_asked" != I ] || tp_asked='s with an interface'
	tp_misuse "-$tp_asked: no tool here can do that${TCPPROBE_BACKEND:+ (TCPPROBE_BACKEND is $TCPPROBE_BACKEND)}"
}

tp_no_builtin() {
	tp_complain 'TCPPROBE_BACKEND is builtin: no bash here loads a tcpprobe.so'
	tp_leave 5
}

# The builtin is this command too, and does it best.
tp_hand_over() {
	case ${TCPPROBE_BACKEND:-builtin}," $* " in
		*' -- '*) return 0 ;;
		builtin,*) ;;
		*) return 0 ;;
	esac
	# What is put into a variable, nobody would see.
	tp_rewind
	while getopts "$tp_letters" tp_option; do
		case $tp_option in
			[ou]) return 0 ;;
		esac
	done
	IFS=:
	# shellcheck disable=SC2086 # a list of folders
	for tp_folder in ${BASH_LOADABLES_PATH-} "${0%/*}/../lib/bash" /usr/local/lib/bash /usr/lib/bash; do
		unset IFS
		[ -r "$tp_folder/tcpprobe.so" ] && bash -c 'enable -f "$0" tcpprobe' "$tp_folder/tcpprobe.so" 2>/dev/null || continue
		# shellcheck disable=SC2016 # for bash
		exec bash -c 'enable -f "$1" tcpprobe && shift && tcpprobe "$@"' tcpprobe "$tp_folder/tcpprobe.so" "$@"
	done
	unset IFS
	[ -z "${TCPPROBE_BACKEND-}" ] && return
	tp_no_builtin
}

# Ends with the command's status. In a subshell where it is a function: nothing of it stays.
tp_main() {
	[ -z "${ZSH_VERSION-}" ] || emulate sh
	tp_signal='' tp_guard=none
	trap 'exit 5' EXIT
	trap 'tp_stop INT' INT
	trap 'tp_stop TERM' TERM
	trap 'tp_stop HUP' HUP
	trap 'tp_stop QUIT' QUIT
	# Where it is ignored, nobody is waited for.
	trap - CHLD
	# ksh93 makes a subshell a process only where it must, and in one that is none it cannot wait for its jobs.
	# shellcheck disable=SC3045 # it is ksh
	[ -z "${KSH_VERSION-}" ] || ulimit -t "$(ulimit -t)"
	# Longer than that ksh93 and bash would not read.
	tp_word=
	[ -z "${KSH_VERSION-}" ] || tp_word=$(readonly)
	case ${KSH_VERSION+ksh}$tp_word in
		*TMOUT*) ;;
		ksh*)
			# shellcheck disable=SC3044 # it is ksh
			TMOUT=0
			;;
	esac
	# shellcheck disable=SC3044,SC3047 # it is bash
	[ -z "${BASH_VERSION-}" ] || { shopt -u nocasematch && trap - ERR DEBUG RETURN && command unset TMOUT 2>/dev/null; }
	set +beux
	set -f
	tp_fine='' tp_blanks=" $tp_tab$tp_newline" tp_had_locale=${LC_ALL+1} tp_locale=${LC_ALL-} LC_ALL=C
	IFS=$tp_blanks
	export LC_ALL
	tp_options "$@"
	shift $((OPTIND - 1))
	tp_behind=
	for tp_word; do
		case $tp_behind,$tp_word in
			,--) tp_behind=0 ;;
			0,*) tp_behind=1 ;;
		esac
	done
	[ "$tp_behind" != 0 ] || tp_misuse "'--': a COMMAND is missing"
	[ -z "$tp_behind" ] || [ "$tp_program" ] || tp_misuse "'--': a function runs no COMMAND; write: tcpprobe TARGET && COMMAND"
	[ $# -gt 0 ] && [ "$1" != -- ] || [ "$tp_from_file" ] || tp_misuse "$tp_says_no_target"
	tp_parsing=
	tp_run "$@"
	while [ "$1" != -- ]; do
		shift
	done
	shift
	unset LC_ALL
	[ -z "$tp_had_locale" ] || export LC_ALL="$tp_locale"
	trap - EXIT
	exec "$@"
}

# tp_stop SIGNAL: what the outermost does. Between the start of the pipe and our knowing its number it is only noted.
tp_stop() {
	tp_signal=$1
	case $tp_guard in
		none) tp_die ;;
		?*) trap '' INT TERM HUP QUIT && tp_end URG "$tp_guard" ;;
	esac
}

# Who runs this sees from its death that a signal ended it, and stops too; where that is ignored, from the status.
tp_die() {
	trap - INT TERM HUP QUIT URG EXIT
	# shellcheck disable=SC2016 # for that shell
	case $tp_signal in
		INT) exec sh -c 'kill -INT "$$"; exit 130' ;;
		TERM) exec sh -c 'kill -TERM "$$"; exit 143' ;;
		HUP) exec sh -c 'kill -HUP "$$"; exit 129' ;;
		QUIT) exec sh -c 'kill -QUIT "$$"; exit 131' ;;
	esac
}

tp_start() {
	case $tp_from_file in
		1) tp_feed | tp_work "$@" 3<&- | tp_guard TERM tp_report 3<&- & ;;
		*) tp_work "$@" | tp_guard TERM tp_report & ;;
	esac
	tp_guard=$!
}

tp_run() {
	tp_total=0 tp_dry=1 tp_line_number=0 tp_shows_progress=''
	tp_targets "$@"
	tp_dry=
	case $tp_from_file,$tp_file in
		1,-) ;;
		1,*)
			[ -e "$tp_file" ] || tp_misuse "-f $tp_file_shown: No such file or directory"
			[ ! -d "$tp_file" ] || tp_misuse "-f $tp_file_shown: Is a directory"
			[ -r "$tp_file" ] || tp_misuse "-f $tp_file_shown: Permission denied"
			;;
	esac
	# No more addresses at once than -n says; how many targets a file has, nobody knows.
	if [ "$tp_each" ]; then
		[ -z "$tp_from_file" ] || tp_each=16
		tp_each=$((tp_limit / (tp_total + tp_each)))
		[ "$tp_each" -gt 0 ] || tp_each=1
		tp_limit=$((tp_limit / tp_each))
	fi
	tp_choose
	tp_sleep='sleep'
	command -v sleep >/dev/null || { command -v busybox >/dev/null && tp_sleep='busybox sleep'; } || tp_sleep=
	[ "$tp_sleep" ] || [ -z "$tp_until$tp_rounds" ] || {
		tp_complain 'no sleep(1) here to wait with'
		tp_leave 5
	}
	if [ "$tp_until" ] && [ "$tp_wait_ms" -gt 0 ] && { [ "$tp_timeout" = 0 ] || [ "$tp_timeout" -gt "$tp_wait_ms" ]; }; then
		tp_timeout=$tp_wait_ms
	fi
	[ "$tp_quiet" ] || [ ! -t 2 ] || [ "$tp_total$tp_from_file" = 1 ] || tp_shows_progress=1
	[ "$tp_file" != - ] || (exec 3<&0) 2>/dev/null || tp_misuse '-f -: Bad file descriptor'
	tp_guard=
	# A guard that Ctrl-C found before its first trap would leave the work behind: it is born deaf. A Ctrl-C of just now is
	# seen from the death of the shell that this is a function of.
	trap '' INT
	# What is put in the background has lost its standard input.
	if [ "$tp_file" = - ]; then
		tp_start "$@" 3<&0
	else
		tp_start "$@"
	fi
	trap 'tp_stop INT' INT
	kill -0 "$$" 2>/dev/null || tp_signal=INT
	[ -z "$tp_signal" ] || tp_stop "$tp_signal"
	# Of what a signal ended, shells say so.
	tp_await "$tp_guard" 2>/dev/null
	tp_status=$tp_result
	tp_die
	case $tp_status in
		0) [ "$tp_behind" ] || tp_leave 0 ;;
		1 | 2 | 3 | 4 | 5 | 124) tp_leave "$tp_status" ;;
		*)
			# Where it is a function, nobody may be left to hear it.
			kill -0 "$$" 2>/dev/null || exit
			tp_complain 'it broke off: there were too few processes or descriptors, or something ended them'
			tp_leave 5
			;;
	esac
}

# Only the outermost can set the variable of -o, where there is one.
tp_function() {
	# There `exit` leaves but one function, and an `exit` of ours many.
	if [ "${ZSH_VERSION-}" ] && ! (
		tp_leave 0
		exit 1
	); then
		tp_complain 'zsh cannot run it in a trap on EXIT'
		return 5
	fi
	case " $*" in
		*' -'*o*) set -- "$(tp_variable "$@")" "$@" ;;
		*) set -- '' "$@" ;;
	esac
	if [ "$1" ] && (eval "$1=") 2>/dev/null; then
		tp_reports=$(shift && tp_program='' && tp_main "$@")
		set -- "$1" "$?" "$tp_reports"
		unset tp_reports
		# Used wrongly, and nothing was probed: it stays what it was.
		[ "$2$3" = 2 ] || eval "$1=\$3"
		return "$2"
	fi
	(shift && tp_program='' && tp_main "$@")
}

tp_variable() {
	tp_name=''
	tp_rewind
	while getopts "$tp_letters" tp_option; do
		[ "$tp_option" != o ] || tp_name=$OPTARG
	done
	! tp_is_name "$tp_name" || printf %s "$tp_name"
}

# Is this file what runs? Read with `.`, or fed on standard input, $0 is another; in zsh that of a function is its name.
tp_is_program() {
	case ${ZSH_EVAL_CONTEXT-} in
		*file*) return 1 ;;
	esac
	tp_mark=
	[ -f "$1" ] && [ -r "$1" ] && { read -r _ && read -r _ && read -r _ && read -r tp_mark; } <"$1" 2>/dev/null
	case $tp_mark in
		'# tcpprobe: is that TCP port open'*) ;;
		*) return 1 ;;
	esac
}

tp_enable() {
	[ "${BASH_VERSION-}" ] && [ "${TCPPROBE_BACKEND:-builtin}" = builtin ] || return
	# shellcheck disable=SC3044 # it is bash
	enable -f tcpprobe.so tcpprobe 2>/dev/null
}

if tp_is_program "$0"; then
	tp_program=1
	tp_hand_over "$@"
	tp_main "$@"
elif ! tp_enable; then
	tcpprobe() {
		tp_function "$@"
	}
fi
