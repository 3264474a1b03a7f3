#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# tcpprobe: is that TCP port open, and if not, why not? For any POSIX shell, with whatever this system has to connect
# with. Run it, read it with `.` for a function of that name, or feed it to a shell:
#
#	(cat tcpprobe.sh; echo tcpprobe -v db 5432) | ssh host sh
#
# Data flows one way: words, targets, tries side by side, records over a pipe, reports in order. A record is a line of
# fields between tabs, none empty:
#
#	P PID				whom to end when the command ends early
#	R TARGET TRY SEQUENCE HOST PORT STATE ADDRESS CONNECT LOOKUP REASON
#	B TEXT				a complaint about a line of the file
#	E SEQUENCE			so many reports, and no more
#
# Every shell that waits does so in `wait` or `read`, which a trapped signal ends.
#
# SC2015: what stands between && and || cannot fail. SC2154: some variables are set by eval, from names of ours.
# shellcheck disable=SC2015,SC2154

tp_version=0.1.0

# BEGIN sh_states
tp_states="open refused unreachable unresolved error timeout"
tp_status_of() {
	case $1 in
		open) tp_x=0 ;;
		refused) tp_x=1 ;;
		unreachable) tp_x=3 ;;
		unresolved) tp_x=4 ;;
		error) tp_x=5 ;;
		timeout) tp_x=124 ;;
	esac
}
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
# May this tool be asked for what tp_asked names?
tp_can() {
	case $1 in
		bash) tp_able=- ;;
		perl) tp_able=46asz ;;
		python3) tp_able=46asz ;;
		nc) tp_able=46s ;;
		nc.openbsd) tp_able=46s ;;
		nc.traditional) tp_able=s ;;
		ncat) tp_able=46 ;;
		busybox) tp_able=- ;;
		busybox-z) tp_able=- ;;
		toybox) tp_able=46s ;;
		socat) tp_able=46s ;;
		curl) tp_able=46s ;;
		*) return 1 ;;
	esac
	case $tp_asked in
		*[!$tp_able]*) return 1 ;;
	esac
}
# END sh_tools

# BEGIN sh_usage
tp_synopsis='tcpprobe [-146ahjqTvVz] [-c count] [-f file] [-F format] [-i seconds] [-n limit] [-o name] [-r seconds] [-R seconds] [-s source] [-t seconds] [-u name] target ...'
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
    		%t handshake in ms, %l lookup in ms, %n which try, %T time of day; %% \n \	 \\
      -h		print this text (also --help)
      -i seconds	pause between tries (default 0.25) or rounds (default 1)
      -j		a JSON object for each probe, one a line
      -n limit	how many probes are in flight at once (default 256)
      -o name	put the reports into this shell variable, not on standard output
      -q		print nothing about states that are not open
      -r seconds	try until it is open, for at most so long (0: for ever)
      -R seconds	the opposite: wait until nobody accepts there any more
      -s source	connect from this local address, or through this interface
      -t seconds	deadline of a probe, lookup included: 3, 0.25, 500ms, 1m (default 5; 0: none)
      -T		trace: where on the way is it answered, refused or lost? (builtin, Linux)
      -u name	keep the connection, its descriptor in this shell variable (builtin)
      -v		print a line for each open target, and count the states
      -V		print name, version and face
      -z		leave no trace: the handshake is not finished, no program sees a connection
    
    Exit status: that of the first target that is not open, else 0:
      0	open: the handshake completed
      1	refused: the host answered: nobody listens there
      2	used wrongly: nothing was probed
      3	unreachable: the network, here or on the way, says no
      4	unresolved: the name has no address
      5	error: the probe could not be made here
      124	timeout: no answer within the deadline
      128+n	signal n ended it
'
# END sh_usage

# -- Words on their way into a message

tp_tab='	'
tp_newline='
'

tp_complain() {
	printf 'tcpprobe: %s\n' "$1" >&2
}

tp_misuse() {
	tp_complain "$1"
	[ -z "$tp_parsing" ] || printf 'tcpprobe: usage: %s\n' "$tp_synopsis" >&2
	exit 2
}

# What may be the secret of a URL is never shown: of a word with "://" only the scheme is, of one with '@' what is behind.
tp_quote() {
	tp_word=$1
	case $tp_word in
		*://*)
			tp_rest=${tp_word#*://}
			tp_word=${tp_word%%://*}
			tp_word="${tp_word##*[!A-Za-z0-9+.-]}://${tp_rest:+...}"
			;;
		*@*)
			tp_word=@${tp_word##*@}
			tp_word=...${tp_word%%[/?#]*}
			;;
	esac
	case $tp_word in
		*[![:print:]]*) tp_word=$(tp_printable "$tp_word") ;;
	esac
	case $tp_word in
		????????????????????????????????????????????????????????????????????????????????????????????????????*)
			tp_word=$(printf '%.100s...' "$tp_word")
			;;
	esac
	printf "'%s'" "$tp_word"
}

# Control bytes, and what this locale has no letter for, as question marks.
tp_printable() {
	tp_left=$1
	while [ "$tp_left" ]; do
		tp_rest=${tp_left#?}
		tp_char=${tp_left%"$tp_rest"}
		case $tp_char in
			[[:print:]]) printf '%s' "$tp_char" ;;
			*) printf '?' ;;
		esac
		tp_left=$tp_rest
	done
}

# -- Options

# tp_duration LETTER WORD: sets tp_ms. Milliseconds, for mksh has but 31 bits; what is finer is rounded up.
tp_duration() {
	tp_number=$2 tp_scale=1000
	case $tp_number in
		*ms) tp_number=${tp_number%ms} tp_scale=1 ;;
		*s) tp_number=${tp_number%s} ;;
		*m) tp_number=${tp_number%m} tp_scale=60000 ;;
		*h) tp_number=${tp_number%h} tp_scale=3600000 ;;
	esac
	tp_fraction=
	case $tp_number in
		*.*) tp_fraction=${tp_number#*.} tp_number=${tp_number%%.*} ;;
	esac
	case $tp_number$tp_fraction in
		'' | *[!0-9]*) tp_misuse "-$1 $(tp_quote "$2"): not a duration (3, 0.25, 500ms, 2s, 1m, 1h)" ;;
	esac
	tp_plain "${tp_number:-0}"
	[ "${#tp_number}" -le 7 ] && [ "$tp_number" -le $((2000000000 / tp_scale)) ] || tp_misuse "-$1 $(tp_quote "$2"): too long"
	tp_ms=$((tp_number * tp_scale)) tp_sum=0
	# From the last digit to the first, rounded up; no step leaves the 31 bits.
	while [ "$tp_fraction" ]; do
		tp_rest=${tp_fraction%?}
		tp_sum=$((tp_sum + ${tp_fraction#"$tp_rest"} * tp_scale))
		tp_sum=$(((tp_sum + 9) / 10)) tp_fraction=$tp_rest
	done
	tp_ms=$((tp_ms + tp_sum))
}

# Sets tp_number without leading zeros, which would make it octal.
tp_plain() {
	tp_number=$1
	while :; do
		case $tp_number in
			0?*) tp_number=${tp_number#0} ;;
			*) return ;;
		esac
	done
}

# tp_seconds MS: "1.5", as sleep and friends take it
tp_seconds() {
	printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
}

tp_count() {
	case $2 in
		'' | *[!0-9]* | ??????????*) tp_misuse "-$1 $(tp_quote "$2"): not a number from $3 to 999999999" ;;
	esac
	tp_plain "$2"
	[ "$tp_number" -ge "$3" ] || tp_misuse "-$1 $(tp_quote "$2"): not a number from $3 to 999999999"
}

tp_family() {
	[ "${tp_family:-$1}" = "$1" ] || tp_misuse '-4 and -6 exclude each other'
	tp_family=$1
}

tp_wait() {
	[ "${tp_until:-$1}" = "$1" ] || tp_misuse '-r and -R exclude each other'
	tp_duration "$2" "$3"
	tp_until=$1 tp_wait_ms=$tp_ms
}

tp_exclude() {
	[ -z "$1" ] || [ -z "$2" ] || tp_misuse "$3 exclude each other"
}

# Sets tp_* from the words, and OPTIND.
tp_options() {
	tp_each='' tp_family='' tp_first='' tp_file='' tp_format='' tp_json='' tp_half='' tp_interval='' tp_limit=256
	tp_name='' tp_quiet='' tp_rounds='' tp_source='' tp_until='' tp_verbose='' tp_wait_ms=0 tp_timeout=5000
	tp_formatted='' tp_from_file='' tp_source_family='' tp_parsing=1
	for tp_word; do
		case $tp_word in
			--help) tp_usage ;;
			-?*) ;;
			*) break ;;
		esac
	done
	OPTIND=1
	while getopts :146ac:f:F:hi:jn:o:qr:R:s:t:Tu:vVz tp_option; do
		case $tp_option in
			1) tp_first=1 ;;
			4 | 6) tp_family "$tp_option" ;;
			a) tp_each=1 ;;
			c) tp_count c "$OPTARG" 0 && tp_rounds=$tp_number ;;
			f)
				[ -z "$tp_from_file" ] || tp_misuse "-f $(tp_quote "$OPTARG"): only one file is read"
				tp_from_file=1 tp_file=$OPTARG
				;;
			F) tp_formatted=1 tp_format=$OPTARG && tp_check_format "$tp_format" ;;
			h) tp_usage ;;
			i) tp_duration i "$OPTARG" && tp_interval=$tp_ms ;;
			j) tp_json=1 ;;
			n) tp_count n "$OPTARG" 1 && tp_limit=$tp_number ;;
			o) tp_name=$OPTARG && tp_check_name "$tp_name" ;;
			q) tp_quiet=1 ;;
			r) tp_wait open r "$OPTARG" ;;
			R) tp_wait closed R "$OPTARG" ;;
			s) tp_source=$OPTARG && tp_check_source "$OPTARG" ;;
			t) tp_duration t "$OPTARG" && tp_timeout=$tp_ms ;;
			T | u) tp_misuse "-$tp_option: works in the builtin only: enable -f tcpprobe.so tcpprobe" ;;
			v) tp_verbose=1 ;;
			V) printf 'tcpprobe %s (fallback)\n' "$tp_version" && exit 0 ;;
			z) tp_half=1 ;;
			:) tp_misuse "-$OPTARG: an argument is missing" ;;
			*) tp_misuse "$(tp_quote "-$OPTARG"): invalid option" ;;
		esac
	done
	[ "${tp_family:-$tp_source_family}" = "${tp_source_family:-$tp_family}" ] ||
		tp_misuse "-s: an address of the other family than -$tp_family asks for"
	tp_asked=$tp_family
	tp_family=${tp_family:-$tp_source_family}
	tp_exclude "$tp_rounds" "$tp_until" "-c and -$([ "$tp_until" = open ] && echo r || echo R)"
	[ "$tp_until" != closed ] || tp_exclude "$tp_first" x '-1 and -R'
	tp_exclude "$tp_formatted" "$tp_json" '-F and -j'
	[ "$tp_interval" ] || tp_interval=$([ "$tp_rounds" ] && echo 1000 || echo 250)
}

# A source is of one family, and so are the probes from there.
tp_check_source() {
	if tp_is_ipv6 "$1"; then
		tp_source_family=6
	elif tp_numeric "$1"; then
		tp_source_family=4
	elif [ ! -d /sys/class/net ] || [ -e "/sys/class/net/$1" ]; then
		return
	else
		tp_misuse "-s $(tp_quote "$1"): neither a numeric address nor an interface here"
	fi
}

tp_check_name() {
	[ -z "$tp_program" ] || tp_misuse "-o $(tp_quote "$1"): a program cannot set it; read this file with . for the function"
	case $1 in
		'' | [0-9]* | *[!A-Za-z0-9_]*) tp_misuse "-o $(tp_quote "$1"): not a variable's name" ;;
	esac
	(eval "$1=") 2>/dev/null || tp_misuse "-o $(tp_quote "$1"): a readonly variable"
}

tp_check_format() {
	tp_left=$1
	while :; do
		case $tp_left in
			*[%\\]*) ;;
			*) return ;;
		esac
		tp_rest=${tp_left#*[%\\]}
		tp_left=${tp_left#"${tp_left%"$tp_rest"}"}
		tp_part=${1%"$tp_rest"}
		tp_part=${tp_part#"${tp_part%?}"}$(printf '%.1s' "$tp_rest")
		case $tp_part in
			%[hpasxertlnT%] | \\[nt\\]) ;;
			*) tp_misuse "-F: $(tp_quote "$tp_part") is no part of a format (%h %p %a %s %x %e %r %t %l %n %T %% \\n \\t \\\\)" ;;
		esac
		tp_left=${tp_rest#?}
	done
}

# -- Targets: tp_targets WORD... calls `tp_target HOST PORT` for each. A bad word calls tp_bad with what it should be told.

# tp_blame PIECE WHY: where a piece may be a misplaced password, the whole word is shown as tp_quote does.
tp_blame() {
	case $tp_whole in
		*://* | *@*) set -- "$tp_whole" "$2" ;;
	esac
	tp_bad "$(tp_quote "$1"): $2"
}

tp_is_port() {
	tp_plain "$1"
	[ "${#tp_number}" -le 5 ] && [ "$tp_number" -ge 1 ] && [ "$tp_number" -le 65535 ] && return
	tp_blame "$1" 'a port is 1 to 65535'
}

# The system's answer first; slim images have no such file.
tp_service() {
	if [ -r /etc/services ]; then
		while read -r tp_entry tp_number tp_rest; do
			case "$tp_number $tp_entry $tp_rest" in
				*/tcp\ "$1"\ * | */tcp\ [!#]*\ "$1" | */tcp\ [!#]*\ "$1"\ *) ;;
				*) continue ;;
			esac
			tp_number=${tp_number%/tcp}
			return
		done </etc/services
	fi
	tp_known_service "$1"
}

# tp_ports HOST SPEC
tp_ports() {
	tp_spec=$2
	while :; do
		tp_item=${tp_spec%%,*}
		case $tp_item in
			'') tp_blame "$tp_whole" 'an empty port' || return ;;
			*[!0-9-]* | -* | *- | *-*-*) tp_service "$tp_item" || tp_blame "$tp_item" 'neither a port nor a known service' || return ;;
			*-*)
				tp_is_port "${tp_item%-*}" || return
				tp_from=$tp_number
				tp_is_port "${tp_item#*-}" || return
				[ "$tp_from" -le "$tp_number" ] || tp_blame "$tp_item" 'the range is reversed' || return
				;;
			*) tp_is_port "$tp_item" || return ;;
		esac
		tp_last=$tp_number
		case $tp_item in
			*[!0-9-]* | -* | *- | *-*-*) tp_from=$tp_last ;;
			*-*) ;;
			*) tp_from=$tp_last ;;
		esac
		while [ "$tp_from" -le "$tp_last" ]; do
			tp_target "$1" "$tp_from" || return
			tp_from=$((tp_from + 1))
		done
		case $tp_spec in
			*,*) tp_spec=${tp_spec#*,} ;;
			*) return 0 ;;
		esac
	done
}

tp_is_ipv6() {
	case ${1%%%*} in
		*[!0-9A-Fa-f:.]* | *:::* | *::*::* | *[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]* | :[!:]* | *[!:]:) return 1 ;;
		*:*:*:*:*:*:*:*:*) return 1 ;;
		*::* | *:*:*:*:*:*:*:* | *:*:*:*:*:*:*.*.*.*) ;;
		*) return 1 ;;
	esac
}

# tp_host HOST: sets tp_host, without brackets, or blames.
tp_host() {
	tp_host=$1
	case $1 in
		\[*\])
			tp_host=${1#?}
			tp_host=${tp_host%?}
			tp_is_ipv6 "$tp_host" || tp_blame "$tp_host" 'not an IPv6 address' || return
			;;
		\[*) tp_blame "$1" 'the bracket is not closed' || return ;;
	esac
	# The other control bytes, as UTF-8 writes them.
	case $tp_host in
		*"$tp_c1_lead"?*)
			tp_rest=${tp_host#*"$tp_c1_lead"}
			case $tp_c1 in
				*"${tp_rest%"${tp_rest#?}"}"*)
					tp_blame "${tp_host%%"$tp_c1_lead"*}??${tp_rest#?}" 'not a host: blanks, control bytes and / @ [ ] are in none'
					return
					;;
			esac
			;;
	esac
	# shellcheck disable=SC2221,SC2222 # it takes the ] for the end of a set
	case $tp_host in
		'') tp_blame "$tp_whole" 'the host is empty' ;;
		*[[:cntrl:][:blank:]/@[]* | *]*) tp_blame "$tp_host" 'not a host: blanks, control bytes and / @ [ ] are in none' ;;
		*:*) tp_is_ipv6 "$tp_host" || tp_blame "$tp_host" 'not an IPv6 address' ;;
		*) [ "${#tp_host}" -le 1024 ] || tp_blame "$tp_host" 'the host is too long' ;;
	esac
}

# tp_cut TEXT: at the colon of HOST:PORT; sets tp_text and tp_port, which is "" where there is none.
tp_cut() {
	tp_text=$1 tp_port=
	case $1 in
		\[*\]) ;;
		\[*\]:*) tp_port=${1##*\]:} tp_text=${1%:"$tp_port"} ;;
		\[*\]*) tp_blame "$1" 'only :PORT can follow the bracket' ;;
		\[*) tp_blame "$1" 'the bracket is not closed' ;;
		*:*:*) tp_is_ipv6 "$1" || tp_blame "$1" 'neither HOST:PORT nor an IPv6 address' ;;
		*:*) tp_port=${1#*:} tp_text=${1%%:*} ;;
	esac
}

# %XX of RFC 3986; in brackets, where a zone is often written bare, %25 alone.
tp_decode() {
	tp_left=$1 tp_text=
	while :; do
		case $tp_left in
			*%[0-9A-Fa-f][0-9A-Fa-f]*) ;;
			*) break ;;
		esac
		tp_text=$tp_text${tp_left%%%[0-9A-Fa-f][0-9A-Fa-f]*}
		tp_left=${tp_left#"${tp_left%%%[0-9A-Fa-f][0-9A-Fa-f]*}"%}
		tp_rest=${tp_left#??}
		tp_hex=${tp_left%"$tp_rest"}
		case $1,$tp_hex in
			*,00 | \[*,2[!5] | \[*,[!2]?) tp_text=$tp_text%$tp_hex ;;
			# A newline would be lost in $( ).
			*,0[aA]) tp_text=$tp_text$tp_newline ;;
			*)
				tp_hex=$(printf '%03o' "0x$tp_hex")
				# shellcheck disable=SC2059 # three octal digits
				tp_text=$tp_text$(printf "\\$tp_hex")
				;;
		esac
		tp_left=$tp_rest
	done
	tp_text=$tp_text$tp_left
}

# tp_url URL: each of its hosts
tp_url() {
	tp_scheme=${1%%://*}
	tp_hosts=${1#*://}
	tp_path=${tp_hosts#"${tp_hosts%%[/?#]*}"}
	tp_hosts=${tp_hosts%"$tp_path"}
	case $tp_scheme in
		*[!A-Za-z0-9+.-]* | [!A-Za-z]* | '') tp_blame "$1" 'not a URL: the scheme is malformed' || return ;;
	esac
	case $tp_scheme in
		*[A-Z]*) tp_scheme=$(tp_lower "$tp_scheme") ;;
	esac
	case $tp_scheme in
		*?+srv) tp_blame "$1" 'its hosts stand in DNS SRV records, which are not looked up' || return ;;
		http | https | ws | wss) ;;
		*)
			case $tp_path in
				/*) tp_path=${tp_path%%[?#]*} ;;
			esac
			case $tp_path in
				*@*) tp_blame "$1" "an '@' behind the host; in a password write / as %2F, ? as %3F, # as %23" || return ;;
			esac
			;;
	esac
	tp_hosts=${tp_hosts##*@}
	tp_default=
	if tp_service "$tp_scheme" || { [ "${tp_scheme%%+*}" != "$tp_scheme" ] && tp_service "${tp_scheme%%+*}"; }; then
		tp_default=$tp_number
	fi
	tp_url_host=
	while :; do
		tp_one=${tp_hosts%%,*}
		case $tp_url_host,$tp_one in
			?*,*[!0-9-]* | ,* | *,) tp_url_one "$1" || return ;;
			*) tp_ports "$tp_url_host" "$tp_one" || return ;;
		esac
		case $tp_hosts in
			*,*) tp_hosts=${tp_hosts#*,} ;;
			*) return 0 ;;
		esac
	done
}

tp_url_one() {
	tp_cut "$tp_one" || return
	tp_one_port=$tp_port
	tp_decode "$tp_text"
	tp_host "$tp_text" || return
	tp_url_host=$tp_host
	[ "${tp_one_port:-$tp_default}" ] || tp_blame "$1" 'no port, and the scheme names no known service' || return
	tp_ports "$tp_url_host" "${tp_one_port:-$tp_default}"
}

tp_lower() {
	tp_left=$1
	while [ "$tp_left" ]; do
		tp_rest=${tp_left#?}
		case ${tp_left%"$tp_rest"} in
			A) printf a ;; B) printf b ;; C) printf c ;; D) printf d ;; E) printf e ;; F) printf f ;; G) printf g ;;
			H) printf h ;; I) printf i ;; J) printf j ;; K) printf k ;; L) printf l ;; M) printf m ;; N) printf n ;;
			O) printf o ;; P) printf p ;; Q) printf q ;; R) printf r ;; S) printf s ;; T) printf t ;; U) printf u ;;
			V) printf v ;; W) printf w ;; X) printf x ;; Y) printf y ;; Z) printf z ;;
			*) printf %s "${tp_left%"$tp_rest"}" ;;
		esac
		tp_left=$tp_rest
	done
}

# All words of a command line, or of a line of a file.
tp_targets() {
	tp_base='' tp_port_words=0 tp_number_of=0
	for tp_whole; do
		tp_number_of=$((tp_number_of + 1))
		if [ "$tp_base" ]; then
			tp_port_words=1
			tp_ports "$tp_base" "$tp_whole" || return
			continue
		fi
		case $tp_whole in
			*://*) tp_url "$tp_whole" || return ;;
			/dev/tcp/*/*)
				tp_text=${tp_whole#/dev/tcp/}
				tp_host "${tp_text%%/*}" || return
				tp_ports "$tp_host" "${tp_text#*/}" || return
				;;
			/dev/tcp/*) tp_blame "$tp_whole" 'no port: /dev/tcp/HOST/PORT' || return ;;
			*)
				tp_cut "$tp_whole" || return
				tp_one_port=$tp_port
				tp_host "$tp_text" || return
				case $tp_whole,$tp_one_port in
					*?:,) tp_is_ipv6 "$tp_whole" || tp_blame "$tp_whole" 'an empty port' || return ;;
				esac
				if [ "$tp_one_port" ]; then
					tp_ports "$tp_host" "$tp_one_port" || return
				elif [ "$tp_number_of" -gt 1 ]; then
					tp_blame "$tp_whole" 'no port: HOST:PORT' || return
				else
					tp_base=$tp_host
				fi
				;;
		esac
	done
	[ -z "$tp_base" ] || [ "$tp_port_words" = 1 ] || tp_blame "$tp_whole" 'no port: HOST PORT, or HOST:PORT'
}

# -- Tools

# Each is given TARGET TRY SEQUENCE HOST PORT MS FAMILY SOURCE EACH HALF, prints its records and ends with the state's
# status, or 1 where only words are known of it; with 97 where it cannot work here, and the next one has its turn; with
# 142 where the lookup was late. The state "?" stands for what the words behind it mean.

# tp_judge WORDS: sets tp_state, and tp_why: the system's words where the tool's mean just that.
tp_judge() {
	tp_why=${1##*: }
	case $1 in
		late) tp_state=timeout tp_why='Timed out, in the lookup or the handshake' ;;
		late-lookup) tp_state=timeout tp_why='Name lookup timed out' ;;
		*'eset by peer'*) tp_state=open tp_why='' ;;
		*'requested address'*) tp_state=error tp_why='Cannot assign requested address' ;;
		*[Rr]efused*) tp_state=refused tp_why='Connection refused' ;;
		*'etwork is unreachable'*) tp_state=unreachable tp_why='Network is unreachable' ;;
		*'o route'*) tp_state=unreachable tp_why='No route to host' ;;
		*'ermission denied'* | *'not permitted'* | *'nvalid argument'* | *' is down'* | *'ot supported'* | *unreachable*) tp_state=unreachable ;;
		*'emporary failure'*) tp_state=unresolved tp_why='Temporary failure in name resolution' ;;
		*'o address assoc'*) tp_state=unresolved tp_why='No address associated with hostname' ;;
		*'not known'* | *'bad address'* | *'lookup failed'* | *esolv* | *getaddrinfo*) tp_state=unresolved tp_why='Name or service not known' ;;
		*[Tt]imeout* | *'imed out'* | *TIMEOUT*) tp_state=timeout tp_why='Connection timed out' ;;
		*) tp_state=error ;;
	esac
}

tp_numeric() {
	case $1 in
		*:*) return 0 ;;
		*[!0-9.]* | *.*.*.*.* | .* | *.) return 1 ;;
		*.*.*.*) return 0 ;;
		*) return 1 ;;
	esac
}

# The coprocess stays, for its variables go with it.
# shellcheck disable=SC2016 # the expansions are for another bash
tp_bash='
((${BASH_VERSINFO-0} >= 4)) || exit 97
coproc { exec 2>&1; t=${EPOCHREALTIME-}; exec 5<>"/dev/tcp/$4/$5" && echo "open ${t/[.,]/} ${EPOCHREALTIME/[.,]/}"; read -r; }
trap "kill $COPROC_PID 2>/dev/null; exit 143" TERM USR1
IFS= read -r ${6:+-t "$6"} -u "${COPROC[0]}" line || { (($? > 128)) && line=late; }
kill "$COPROC_PID" 2>/dev/null
case $line in *"o such file or dir"* | *restricted*) exit 97 ;; esac
address=- ms=- state=? pattern="^[0-9.]+\$|:"
[[ ! $4 =~ $pattern ]] || address=$4
if [[ $line == open* ]]; then
	read -r state t u <<<"$line"
	[[ $address == - || ! $t ]] || printf -v ms "%d.%03d" $(((u - t) / 1000)) $(((u - t) % 1000))
	line=
fi
printf "R\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t-\t%s\n" "${@:1:5}" "$state" "$address" "$ms" "$line"
case $state$line in open | *"eset by peer"*) ;; *known* | *mporary* | *"o address"*) exit 4 ;; late) exit 124 ;; *) exit 1 ;; esac'

tp_tool_bash() {
	tp_deadline=
	[ "$6" = 0 ] || tp_deadline=$(tp_seconds "$6")
	exec bash -c "$tp_bash" bash "$1" "$2" "$3" "$4" "$5" "$tp_deadline" 2>/dev/null
}

# Addresses are raced as RFC 8305 has it: 250 ms apart, families alternating.
# shellcheck disable=SC2016 # perl's
tp_perl='
use strict; use Errno;
BEGIN { eval { require Socket; Socket->VERSION(1.96); Socket->import(qw(:DEFAULT getaddrinfo getnameinfo SOCK_NONBLOCK)); 1 } or exit 97 }
my ($target, $n, $sequence, $host, $port, $ms, $family, $source, $each, $half) = @ARGV;
my $hires = eval { require Time::HiRes; 1 };
my %status = (open => 0, refused => 1, unreachable => 3, unresolved => 4, error => 5, timeout => 124);
my %telling = (open => 0, refused => 1, timeout => 2, unreachable => 3, error => 4);
my $lookup = "-";
sub now { $hires ? Time::HiRes::time() : time }
sub span { $hires ? sprintf("%.3f", 1000 * $_[0]) : "-" }
sub report { syswrite STDOUT, join("\t", "R", $target, $n, $sequence, $host, $port, $_[0], $_[1], $_[2], $lookup, $_[3]) . "\n" }
sub state_of { my $e = shift; $! = $e;
	return "open" if !$e || $!{ECONNRESET} || $!{EPIPE};
	return "refused" if $!{ECONNREFUSED};
	return "timeout" if $!{ETIMEDOUT};
	return "unreachable" if $!{EHOSTUNREACH} || $!{ENETUNREACH} || $!{ENETDOWN} || $!{EHOSTDOWN} || $!{EACCES} || $!{EPERM} || $!{EINVAL} || $!{EOPNOTSUPP};
	"error" }
sub numeric { (getnameinfo($_[0], 3))[1] }
my $begin = now();
if ($ms) { $hires ? Time::HiRes::alarm($ms / 1000) : alarm(int(($ms + 999) / 1000)) }
my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM, family => $family == 4 ? AF_INET : $family == 6 ? AF_INET6 : 0 });
alarm 0;
$lookup = span(now() - $begin) if $host !~ /^[0-9.]+$|:/;
if ($error) { report("unresolved", "-", "-", "$error"); exit 4 }
sub prepare { my $s;
	socket($s, $_[0]{family}, SOCK_STREAM, 0) or return (undef, $! + 0);
	setsockopt($s, 6, 12, 0), setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $half;
	if ($source ne "-") {
		my ($e, $from) = getaddrinfo($source, 0, { flags => 4, family => $_[0]{family}, socktype => SOCK_STREAM });
		($e ? setsockopt($s, SOL_SOCKET, 25, $source) : bind($s, $from->{addr})) or return (undef, $! + 0);
	}
	fcntl($s, 4, fcntl($s, 3, 0) | 2048);
	return ($s, connect($s, $_[0]{addr}) ? 0 : $! + 0) }
sub race { my @todo = @_; my (%flying, $best); my $next = 0; my $end = $ms ? $begin + $ms / 1000 : 0;
	my $settle = sub { my ($s, $info, $at, $e) = @_;
		my $own = $s && !$e && getsockname($s) eq (getpeername($s) || "");
		my $state = $own ? "refused" : state_of($e); $! = $own ? Errno::ECONNREFUSED() : $e;
		my $result = [$state, numeric($info->{addr}), $state eq "open" ? span(now() - $at) : "-", $state eq "open" ? "" : "$!"];
		$best = $result if !$best || $telling{$state} < $telling{$best->[0]};
		$next = 0; $state eq "open" };
	while (@todo || %flying) {
		my $now = now();
		if (@todo && $now >= $next) {
			my $info = shift @todo; $next = $now + 0.25;
			my ($s, $e) = prepare($info); $! = $e;
			if ($!{EINPROGRESS}) { $flying{fileno $s} = [$s, $info, $now] } elsif ($settle->($s, $info, $now, $e)) { last }
			next;
		}
		my $until = $end; $until = $next if @todo && (!$until || $next < $until);
		my ($in, $out) = ("", ""); vec($out, $_, 1) = 1 for keys %flying;
		my $ready = select(undef, $out, undef, $until ? ($until > $now ? $until - $now : 0) : undef);
		if ($ready > 0) { for my $fd (keys %flying) { next if !vec($out, $fd, 1);
			my ($s, $info, $at) = @{delete $flying{$fd}};
			return $best if $settle->($s, $info, $at, unpack("i", getsockopt($s, SOL_SOCKET, SO_ERROR))) } }
		elsif ($end && now() >= $end) { for my $f (values %flying) { $settle->(undef, $f->[1], 0, Errno::ETIMEDOUT()) } last }
	}
	$best }
my (@four, @six, @order, %seen);
push @{$_->{family} == AF_INET ? \@four : \@six}, $_ for grep { !$seen{$_->{addr}}++ } @found;
my ($p, $q) = $found[0]{family} == AF_INET ? (\@four, \@six) : (\@six, \@four);
while (@$p || @$q) { push @order, shift @$p if @$p; push @order, shift @$q if @$q }
my $last;
for my $group ($each ? map { [$_] } @found : \@order) { $last = race(@$group); report(@$last) }
exit $status{$last->[0]}'

tp_tool_perl() {
	exec perl -e "$tp_perl" -- "$@" 2>/dev/null
}

tp_python='
import sys, time
try:
    import socket, select, errno, os, struct, signal
except ImportError:
    sys.exit(97)
target, n, sequence, host, port, ms, family, source, each, half = sys.argv[1:]
ms, half = int(ms), half == "1"
STATUS = {"open": 0, "refused": 1, "unreachable": 3, "unresolved": 4, "error": 5, "timeout": 124}
TELLING = {"open": 0, "refused": 1, "timeout": 2, "unreachable": 3, "error": 4}
E = errno
STATES = {0: "open", E.ECONNRESET: "open", E.EPIPE: "open", E.ECONNREFUSED: "refused", E.ETIMEDOUT: "timeout"}
for name in "EHOSTUNREACH ENETUNREACH ENETDOWN EHOSTDOWN EACCES EPERM EINVAL EOPNOTSUPP".split():
    STATES[getattr(E, name, -1)] = "unreachable"
lookup = "-"
def span(seconds):
    return "%.3f" % (1000 * seconds)
def report(state, address, connect, why):
    line = "\t".join(("R", target, n, sequence, host, port, state, address, connect, lookup, why)) + "\n"
    os.write(1, line.encode("utf-8", "surrogateescape"))
begin = time.time()
end = begin + ms / 1000.0 if ms else None
if ms:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, ms / 1000.0)
is_name = not (":" in host or host.replace(".", "").isdigit())
try:
    wanted = {"4": socket.AF_INET, "6": socket.AF_INET6}.get(family, 0)
    found = socket.getaddrinfo(host.encode("utf-8", "surrogateescape"), int(port), wanted, socket.SOCK_STREAM)
    why = None
except socket.gaierror as e:
    why = e.args[-1]
except UnicodeError:
    why = "Name or service not known"
signal.setitimer(signal.ITIMER_REAL, 0)
if is_name:
    lookup = span(time.time() - begin)
if why:
    report("unresolved", "-", "-", why)
    sys.exit(4)
def prepare(info):
    s = socket.socket(info[0], socket.SOCK_STREAM)
    s.setblocking(False)
    if half:
        s.setsockopt(6, 12, 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if source != "-":
        try:
            local = socket.getaddrinfo(source, 0, info[0], socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)[0][4]
        except socket.gaierror:
            s.setsockopt(socket.SOL_SOCKET, 25, source.encode())
        else:
            s.bind(local)
    return s, s.connect_ex(info[4])
def race(todo):
    best, flying, after = None, {}, 0
    def settle(s, info, at, error):
        own = s is not None and error == 0 and s.getsockname() == peer(s)
        error = E.ECONNREFUSED if own else error
        state = STATES.get(error, "error")
        is_open = state == "open"
        result = (state, info[4][0], span(time.time() - at) if is_open else "-", "" if is_open else os.strerror(error))
        return result if best is None or TELLING[state] < TELLING[best[0]] else best
    def peer(s):
        try:
            return s.getpeername()
        except socket.error:
            return None
    while todo or flying:
        now = time.time()
        if todo and now >= after:
            info, after = todo.pop(0), now + 0.25
            try:
                s, error = prepare(info)
            except socket.error as e:
                s, error = None, e.errno
            if error == E.EINPROGRESS:
                flying[s.fileno()] = (s, info, now)
                continue
            best, after = settle(s, info, now, error), 0
        else:
            ends = [t for t in (end, after if todo else None) if t]
            poll = select.poll()
            for fd in flying:
                poll.register(fd, select.POLLOUT)
            ready = poll.poll(max(0, min(ends) - now) * 1000 + 1 if ends else None)
            for fd, _ in ready:
                s, info, at = flying.pop(fd)
                best, after = settle(s, info, at, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)), 0
            if not ready and end and time.time() >= end:
                for s, info, at in flying.values():
                    best = settle(None, info, at, E.ETIMEDOUT)
                break
        if best and best[0] == "open":
            break
    return best
first = found[0][0]
found = [f for i, f in enumerate(found) if f[4] not in [g[4] for g in found[:i]]]
p, q = [f for f in found if f[0] == first], [f for f in found if f[0] != first]
order = [f for i in range(len(found)) for f in p[i:i + 1] + q[i:i + 1]]
for group in [[f] for f in found] if each == "1" else [order]:
    last = race(group)
    report(*last)
sys.exit(STATUS[last[0]])'

tp_tool_python3() {
	exec python3 -c "$tp_python" "$@" 2>/dev/null
}

# What speaks for itself only: watched from outside. First its PID, then its words, then how it ended, or that it is late.
tp_watched() {
	tp_watch_ms=$1
	shift
	"$@" </dev/null 2>&1 3>&- &
	tp_pid=$!
	printf 'P %s\n' "$tp_pid"
	if [ "$tp_watch_ms" -gt 0 ]; then
		{
			tp_sleep=
			trap 'kill $tp_sleep; exit' TERM
			sleep "$(tp_seconds "$tp_watch_ms")" 2>/dev/null &
			tp_sleep=$!
			wait "$tp_sleep" || {
				sleep $(((tp_watch_ms + 999) / 1000)) &
				tp_sleep=$!
				wait "$tp_sleep"
			}
			printf 'late\n'
		} 2>/dev/null &
		printf 'P %s\n' "$!"
	fi
	wait "$tp_pid" 2>/dev/null
	printf 'S %s\n' "$?"
}

# tp_listen OPEN-WORDS [RECORD...]: of what is watched; a status of 0, or these words, mean open.
tp_listen() {
	tp_open_words=$1 tp_pids='' tp_words=''
	shift
	trap 'kill $tp_pids; exit 143' TERM USR1
	while IFS= read -r tp_line; do
		case $tp_line in
			'P '*) tp_pids="$tp_pids ${tp_line#P }" ;;
			late) tp_words=late && break ;;
			'S 0') tp_words=open && break ;;
			'S 127' | 'S 126') tp_words=97 && break ;;
			'S '*) break ;;
			*)
				case $tp_open_words,$tp_line in
					*,) ;;
					?*,*"${tp_open_words:-$tp_tab}"*) tp_words=open && break ;;
					*) tp_words=$tp_line ;;
				esac
				;;
		esac
	done
	# shellcheck disable=SC2086 # one or two of them
	kill $tp_pids 2>/dev/null
	case $tp_words in
		97) exit 97 ;;
		open) tp_record "$@" open - - - '' ;;
		*) tp_record "$@" '?' - - - "${tp_words:-it says not why}" ;;
	esac
}

tp_record() {
	printf 'R\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"
	case $6 in
		open) exit 0 ;;
		unresolved) exit 4 ;;
		error) exit 5 ;;
		'?') tp_judge "${10}" ;;
	esac
	case $tp_state in
		open) exit 0 ;;
		unresolved) exit 4 ;;
		timeout) exit 124 ;;
		*) exit 1 ;;
	esac
}

# Whole seconds, at least one: the watch is exact.
tp_whole() {
	[ "$1" = 0 ] && echo 3600 || echo $((($1 + 999) / 1000))
}

# The kind of an nc, by what it says of itself; others keep their name.
tp_kind() {
	case $1 in
		nc | nc.*) tp_help=$("$1" -h 2>&1 </dev/null) || : ;;
		ncat) tp_help=Ncat ;;
		busybox | toybox) tp_help=$("$1" nc --help 2>&1 </dev/null) || : ;;
		*) echo "$1" && return ;;
	esac
	case $tp_help in
		*OpenBSD*) echo nc.openbsd ;;
		*'[v1.1'*) echo nc.traditional ;;
		*Ncat*) echo ncat ;;
		*-z*BusyBox* | *BusyBox*-z*) echo busybox-z ;;
		*BusyBox*) echo busybox ;;
		*netcat*-q* | *oybox*) echo toybox ;;
	esac
}

# tp_start TOOL TARGET TRY SEQUENCE HOST PORT: begins a try; tp_pid is whom to wait for, and to end.
tp_start() {
	tp_tool=$1
	shift
	case $tp_tool in
		bash | perl | python3)
			"tp_tool_$tp_tool" "$@" "$tp_timeout" "${tp_family:--}" "${tp_source:--}" "${tp_each:-0}" "${tp_half:-0}" &
			tp_pid=$!
			return
			;;
	esac
	tp_kind=$(tp_kind "$tp_tool")
	tp_can "$tp_kind" || {
		(exit 97) &
		tp_pid=$!
		return
	}
	# What could be an option, or a part of a longer address, is no host that resolves.
	case $tp_kind,$4 in
		*,-* | socat,*[,!]*)
			(tp_record "$@" '?' - - - 'Name or service not known') &
			tp_pid=$!
			return
			;;
	esac
	tp_fields="$1$tp_tab$2$tp_tab$3" tp_host=$4 tp_port=$5 tp_open_words=''
	tp_address=$tp_host tp_applet=
	case $tp_tool in
		busybox | toybox) tp_applet=nc ;;
	esac
	case $tp_host in
		*:*) tp_address="[$tp_host]" ;;
	esac
	set -- -w "$(tp_whole "$tp_timeout")"
	# A family that only follows from the source's needs no option.
	case $tp_able in
		*4*) [ -z "$tp_family" ] || set -- "$@" "-$tp_family" ;;
	esac
	[ -z "$tp_source" ] || set -- "$@" -s "$tp_source"
	case $tp_kind in
		nc.* | ncat) set -- "$tp_tool" -z -v "$@" "$tp_host" "$tp_port" ;;
		busybox-z) set -- "$tp_tool" ${tp_applet:+"$tp_applet"} -z -v "$@" "$tp_host" "$tp_port" ;;
		busybox) set -- "$tp_tool" ${tp_applet:+"$tp_applet"} "$@" "$tp_host" "$tp_port" -e true ;;
		toybox) set -- "$tp_tool" ${tp_applet:+"$tp_applet"} "$@" -q 1 "$tp_host" "$tp_port" ;;
		socat) set -- socat -u OPEN:/dev/null "TCP$tp_family:$tp_address:$tp_port${tp_source:+,bind=$tp_source}" ;;
		curl)
			tp_open_words='Connected to'
			set -- curl -q -s -S -v ${tp_family:+"-$tp_family"} ${tp_source:+--interface "$tp_source"} --noproxy '*' "telnet://$tp_address:$tp_port"
			;;
	esac
	tp_watched "$tp_timeout" "$@" | tp_listen "$tp_open_words" "$tp_fields" "$tp_host" "$tp_port" &
	tp_pid=$!
}

# -- Tries side by side, in a process that can be ended: TERM ends it, USR1 is the end of a wait

# One target, until it is as wanted; each tool until one works. Its reports are done with F.
tp_job() {
	trap 'kill "$tp_pid" 2>/dev/null; exit 143' TERM
	trap 'tp_expire "$@"' USR1
	tp_try=0 tp_pid='' tp_told=
	while :; do
		tp_try=$((tp_try + 1))
		tp_result=97
		for tp_one in $tp_tools; do
			tp_start "$tp_one" "$1" "$((tp_try + $2 - 1))" "$3" "$4" "$5"
			# Of a tool that its alarm has ended, shells say so.
			wait "$tp_pid" 2>/dev/null
			tp_result=$?
			tp_told=1
			case $tp_result in
				97 | 126 | 127) tp_told= ;;
				142 | 270 | 398) (tp_record "$1" "$((tp_try + $2 - 1))" "$3" "$4" "$5" '?' - - - late-lookup) && break || break ;;
				*) break ;;
			esac
		done
		case $tp_result in
			97 | 126 | 127)
				printf 'R\t%s\t%s\t%s\t%s\t%s\terror\t-\t-\t-\tno tool to connect with: looked for %s\n' "$1" "$2" "$3" "$4" "$5" "$tp_tools"
				break
				;;
		esac
		case $tp_until,$tp_result in
			,* | open,0 | *,5 | closed,1 | closed,3 | closed,124) break ;;
		esac
		sleep "$(tp_seconds "$tp_interval")" 2>/dev/null &
		tp_pid=$!
		wait "$tp_pid"
	done
	printf 'F\t%s\tdone\n' "$3"
}

# The wait is over. Of a first try that was cut short there is no record yet.
tp_expire() {
	kill "$tp_pid" 2>/dev/null
	[ "$tp_told" ] || (tp_record "$1" 1 "$3" "$4" "$5" '?' - - - late) || :
	printf 'F\t%s\texpired\n' "$3"
	exit
}

tp_target_now() {
	tp_sequence=$((tp_sequence + 1)) tp_ordinal=$((tp_ordinal + 1))
	[ -z "$tp_rounds" ] || [ "$tp_round" -gt 1 ] || tp_kept="$tp_kept$1 $2$tp_newline"
	tp_job "$tp_ordinal" "$tp_round" "$tp_sequence" "$1" "$2" &
	tp_running="$tp_running $!"
	tp_flying=$((tp_flying + 1))
	# The oldest is waited for: a shell knows no "any".
	while [ "$tp_flying" -ge "$tp_limit" ]; do
		tp_land
	done
}

tp_land() {
	tp_running=${tp_running# }
	# A signal ends the wait, not the work.
	while
		wait "${tp_running%% *}"
		kill -0 "${tp_running%% *}" 2>/dev/null
	do :; done
	case $tp_running in
		*\ *) tp_running=${tp_running#* } ;;
		*) tp_running= ;;
	esac
	tp_flying=$((tp_flying - 1))
}

tp_land_all() {
	while [ "$tp_flying" -gt 0 ]; do
		tp_land
	done
}

# Lines are words as on a command line; those that are wrong become complaints.
tp_lines() {
	tp_line_number=0
	while IFS= read -r tp_line || [ "$tp_line" ]; do
		tp_line_number=$((tp_line_number + 1))
		if [ "${#tp_line}" -ge 65536 ]; then
			tp_bad 'the line is too long' || tp_line=
			continue
		fi
		tp_line=${tp_line%"$tp_return"}
		# shellcheck disable=SC2086 # its words
		set -- $tp_line
		tp_take_line "$@"
		tp_line=
	done
}

tp_take_line() {
	tp_words_left=$#
	for tp_word; do
		shift
		case $tp_word in
			'#'*) break ;;
		esac
		set -- "$@" "$tp_word"
		tp_words_left=$((tp_words_left - 1))
	done
	# Of a comment the words are still in front.
	while [ "$tp_words_left" -gt 1 ]; do
		shift
		tp_words_left=$((tp_words_left - 1))
	done
	[ $# = 0 ] || {
		tp_check=1
		(tp_targets "$@") && tp_check='' && tp_targets "$@"
	}
}

tp_bad() {
	case $tp_line_number in
		0) tp_misuse "$1" ;;
		*) printf 'B\t%s\n' "$tp_file:$tp_line_number: $1" ;;
	esac
	return 1
}

tp_work() {
	trap 'kill $tp_running 2>/dev/null; exit 143' TERM
	trap 'kill -USR1 $tp_running 2>/dev/null' USR1
	tp_sequence=0 tp_flying=0 tp_running='' tp_round=1 tp_line_number=0 tp_check='' tp_kept=''
	while :; do
		tp_ordinal=0
		if [ "$tp_round" = 1 ]; then
			tp_targets "$@"
			case $tp_from_file,$tp_file in
				1,-) tp_lines <&3 ;;
				1,*) tp_lines <"$tp_file" ;;
			esac
		else
			tp_again=$tp_kept
			while [ "$tp_again" ]; do
				tp_pair=${tp_again%%"$tp_newline"*}
				tp_again=${tp_again#*"$tp_newline"}
				tp_target_now "${tp_pair%% *}" "${tp_pair#* }"
			done
		fi
		tp_land_all
		[ "$tp_rounds" ] && [ "$tp_round" != "$tp_rounds" ] || break
		tp_round=$((tp_round + 1))
		sleep "$(tp_seconds "$tp_interval")" &
		tp_running=$!
		wait "$tp_running"
		tp_running=
	done
	printf 'E\t%s\n' "$tp_sequence"
}

# In the dry run nothing is begun.
tp_target() {
	tp_total=$((tp_total + 1))
	[ "$tp_check" ] || tp_target_now "$1" "$2"
}

# The left end of the pipe: the work as a child that can be named, and the clocks beside it.
tp_left() {
	tp_work "$@" 3<&3 &
	tp_worker=$!
	printf 'P\t%s\n' "$tp_worker"
	tp_clocks=
	if [ "$tp_until" ] && [ "$tp_wait_ms" -gt 0 ]; then
		{
			trap 'kill "$!"; exit' TERM
			# A moment more: a try that ends with the wait tells why by itself.
			sleep "$(tp_seconds $((tp_wait_ms + 30)))" &
			wait "$!"
			kill -USR1 "$tp_worker"
		} >/dev/null 2>&1 &
		tp_clocks=$!
	fi
	if [ "$tp_shows_progress" ]; then
		{
			trap 'kill "$!"; exit' TERM
			while
				sleep 1 &
				wait "$!"
			do echo T; done
		} &
		tp_clocks="$tp_clocks $!"
	fi
	until wait "$tp_worker" || ! kill -0 "$tp_worker" 2>/dev/null; do :; done
	# shellcheck disable=SC2086 # two of them at most
	[ -z "$tp_clocks" ] || kill $tp_clocks 2>/dev/null
	wait
}

# -- Reports

tp_label() {
	case $1 in
		*:*) tp_label="[$1]:$2" ;;
		*) tp_label="$1:$2" ;;
	esac
}

tp_put() {
	tp_hide_progress
	# Not with its words hidden: in zsh a redirection could take a closed standard output's place.
	printf '%s\n' "$1" && return
	tp_complain 'write error'
	tp_status=5
	tp_over
}

# Ends all that still works, and this.
tp_over() {
	[ -z "$tp_worker" ] || kill "$tp_worker" 2>/dev/null
	tp_hide_progress
	exit "$tp_status"
}

tp_json_string() {
	tp_left=$1 tp_text=
	while [ "$tp_left" ]; do
		tp_rest=${tp_left#?}
		tp_char=${tp_left%"$tp_rest"}
		case $tp_char in
			[\"\\]) tp_text="$tp_text\\$tp_char" ;;
			[\ -~]) tp_text=$tp_text$tp_char ;;
			*) tp_text="$tp_text\\ufffd" ;;
		esac
		tp_left=$tp_rest
	done
	tp_text="\"$tp_text\""
}

tp_json_or_null() {
	case $1 in
		-) tp_text=null ;;
		*) tp_text=$1 ;;
	esac
}

tp_json_line() {
	tp_json_string "$tp_h" && tp_out="{\"host\":$tp_text,\"port\":$tp_p"
	tp_text=null
	[ "$tp_a" = - ] || tp_json_string "$tp_a"
	tp_out="$tp_out,\"address\":$tp_text,\"state\":\"$tp_s\",\"status\":$tp_x,\"error\":"
	tp_text=null
	[ -z "$tp_e" ] || tp_json_string "$tp_e"
	tp_out="$tp_out$tp_text,\"reporter\":null,\"icmp\":null,\"connect_ms\":"
	tp_json_or_null "$tp_t" && tp_out="$tp_out$tp_text,\"lookup_ms\":"
	tp_json_or_null "$tp_l" && tp_out="$tp_out$tp_text,\"try\":$tp_n,\"time\":$(date +%s)}"
}

tp_format_line() {
	tp_left=$tp_format tp_out=
	while :; do
		case $tp_left in
			*[%\\]*) ;;
			*) break ;;
		esac
		tp_rest=${tp_left#*[%\\]}
		tp_part=${tp_left%"$tp_rest"}
		tp_out=$tp_out${tp_part%?}
		case ${tp_part#"${tp_part%?}"}$tp_rest in
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
			%T*) tp_out=$tp_out$(date +%s).000000 ;;
			%%*) tp_out=$tp_out% ;;
			'\n'*) tp_out=$tp_out$tp_newline ;;
			'\t'*) tp_out=$tp_out$tp_tab ;;
			*) tp_out=$tp_out\\ ;;
		esac
		tp_left=${tp_rest#?}
	done
	tp_out=$tp_out$tp_left
}

# tp_count_state NAME: one more in what tp_NAME_* count
tp_count_state() {
	eval "tp_$1_$tp_s=\$((\${tp_$1_$tp_s-0} + 1)) tp_$1_all=\$((\${tp_$1_all-0} + 1))"
}

# tp_tally NAME: sets tp_text, "3 probes: 2 open, 1 refused"
tp_tally() {
	eval "tp_text=\${tp_$1_all-0}"
	[ "$tp_text" = 1 ] && tp_text="$tp_text probe" || tp_text="$tp_text probes"
	tp_colon=:
	for tp_s in $tp_states; do
		eval "tp_some=\${tp_$1_$tp_s-0}"
		[ "$tp_some" = 0 ] || tp_text="$tp_text$tp_colon $tp_some $tp_s" tp_colon=,
	done
}

# Microseconds of a handshake, for the target's minimum, sum, maximum and squares, where this shell's numbers are wide.
tp_time_target() {
	tp_us=${tp_t%.*}${tp_t#*.}
	tp_plain "$tp_us" && tp_us=$tp_number
	eval "tp_min=\${tp_$1_min-$tp_us} tp_max=\${tp_$1_max-0} tp_sum=\${tp_$1_sum-0} tp_squares=\${tp_$1_squares-0} tp_times=\${tp_$1_times-0}"
	[ "$tp_us" -ge "$tp_min" ] || tp_min=$tp_us
	[ "$tp_us" -le "$tp_max" ] || tp_max=$tp_us
	eval "tp_$1_min=$tp_min tp_$1_max=$tp_max tp_$1_sum=$((tp_sum + tp_us)) tp_$1_squares=$((tp_squares + tp_us * tp_us)) tp_$1_times=$((tp_times + 1))"
}

tp_rtt() {
	eval "tp_times=\${tp_$1_times-0}"
	[ "$tp_times" -gt 0 ] || return 0
	eval "tp_min=\$tp_$1_min tp_max=\$tp_$1_max tp_sum=\$tp_$1_sum tp_squares=\$tp_$1_squares"
	tp_mean=$((tp_sum / tp_times))
	tp_square=$((tp_squares / tp_times - tp_mean * tp_mean))
	tp_root=$tp_square
	while [ "$tp_root" -gt 1 ] && [ $((tp_root * tp_root)) -gt "$tp_square" ]; do
		tp_root=$(((tp_root + tp_square / tp_root) / 2))
	done
	tp_mdev=$(tp_seconds "$tp_root")
	# 31 bits do not hold the squares of more than 46 ms.
	[ $((2147483647 + 1)) -gt 0 ] || tp_mdev=-
	tp_put "rtt min/avg/max/mdev = $(tp_seconds "$tp_min")/$(tp_seconds "$tp_mean")/$(tp_seconds "$tp_max")/$tp_mdev ms"
}

tp_closing_lines() {
	[ "$tp_verbose" ] && [ -z "$tp_json$tp_name" ] || return 0
	if [ "$tp_rounds" ]; then
		tp_i=1
		while eval "[ \"\${tp_label_$tp_i-}\" ]"; do
			tp_tally "$tp_i"
			eval "tp_put \"--- \$tp_label_$tp_i: \$tp_text\""
			tp_rtt "$tp_i"
			tp_i=$((tp_i + 1))
		done
	elif [ "${tp_sum_all-0}" -gt 1 ]; then
		tp_tally sum
		tp_put "--- $tp_text"
	fi
}

# tp_show RECORD EXPIRED: the report of one probe
tp_show() {
	IFS=$tp_tab
	# shellcheck disable=SC2086 # its fields
	set -- $1 "$2"
	IFS=$tp_blanks
	tp_target=$2 tp_n=$3 tp_h=$5 tp_p=$6 tp_s=$7 tp_a=$8 tp_t=$9
	shift 9
	tp_l=$1 tp_e=
	[ $# = 2 ] || tp_e=$2
	shift $(($# - 1))
	if [ "$tp_s" = '?' ]; then
		tp_judge "$tp_e"
		tp_s=$tp_state tp_e=$tp_why
		case $tp_e in
			'Timed out, in'*) ! tp_numeric "$tp_h" || tp_e='Connection timed out' ;;
		esac
	fi
	[ "$tp_a" != - ] || ! tp_numeric "$tp_h" || tp_a=$tp_h
	tp_wanted=
	case $tp_until,$tp_s in
		closed,refused | closed,unreachable) tp_wanted=1 ;;
		closed,timeout) [ "$tp_e" = 'Name lookup timed out' ] || tp_wanted=1 ;;
		closed,*) ;;
		*,open) tp_wanted=1 ;;
	esac
	if [ "$1" = expired ]; then
		tp_span=$(tp_seconds "$tp_wait_ms")
		while :; do
			case $tp_span in
				*.*0 | *.) tp_span=${tp_span%?} ;;
				*) break ;;
			esac
		done
		case $tp_until,$tp_s in
			closed,open) tp_e="still open after ${tp_span}s" ;;
			closed,*) tp_e="not closed after ${tp_span}s: $tp_e" ;;
			*) tp_e="not open after ${tp_span}s: $tp_e" ;;
		esac
		tp_s=timeout tp_wanted=
	fi
	tp_status_of "$tp_s"
	[ -z "$tp_wanted" ] || tp_x=0
	[ "$tp_wanted" ] && tp_e=
	[ "$tp_status" != 0 ] || [ "$tp_found" ] || tp_status=$tp_x
	tp_label "$tp_h" "$tp_p"
	tp_count_state sum
	if [ "$tp_rounds" ]; then
		eval "tp_label_$tp_target=\$tp_label"
		tp_count_state "$tp_target"
		case $tp_t in
			-) ;;
			*) tp_time_target "$tp_target" ;;
		esac
	fi
	tp_print
	if [ "$tp_first" ] && [ "$tp_wanted" ]; then
		tp_status=0 tp_found=1
		[ "$tp_rounds" ] || { tp_closing_lines && tp_over; }
	fi
}

tp_print() {
	if [ "$tp_formatted" ]; then
		tp_format_line
		tp_put "$tp_out"
	elif [ "$tp_json" ]; then
		tp_json_line
		tp_put "$tp_out"
	elif [ "$tp_verbose" ] && [ "$tp_wanted" ]; then
		tp_out="$tp_label $tp_s $tp_a"
		[ "$tp_t" = - ] || tp_out="$tp_out $tp_t ms"
		tp_put "$tp_out"
	elif [ "$tp_name" ]; then
		[ "$tp_verbose" ] && tp_put "$tp_label: $tp_e" || tp_put "$tp_s"
	fi
	[ "$tp_wanted$tp_formatted$tp_json" ] && return
	[ "$tp_quiet" ] && [ "$tp_s" != error ] && return
	tp_hide_progress
	[ "$tp_each" ] && [ "$tp_a" != - ] && [ "$tp_a" != "$tp_h" ] && tp_label="$tp_label ($tp_a)"
	tp_complain "$tp_label: $tp_e"
}

tp_show_progress() {
	tp_elapsed=$((tp_elapsed + 1))
	tp_done=${tp_sum_all-0}
	tp_text=$tp_done
	[ "$tp_from_file" ] || tp_text=$tp_done/$tp_total
	tp_text="$tp_text done, ${tp_sum_open-0} open"
	[ "$tp_from_file" ] || [ "$tp_done" = 0 ] || tp_text="$tp_text, $((tp_elapsed * (tp_total - tp_done) / tp_done)) s left"
	tp_hide_progress
	printf '\r%s' "$tp_text" >&2
	tp_shown=$tp_text
}

tp_hide_progress() {
	[ "$tp_shown" ] || return 0
	printf '\r%*s\r' "${#tp_shown}" '' >&2
	tp_shown=
}

# Shows all that is next in order and done.
tp_show_due() {
	while eval "[ \"\${tp_done_$tp_next-}\" ]"; do
		eval "tp_record=\${tp_record_$tp_next-} tp_how=\$tp_done_$tp_next"
		unset "tp_record_$tp_next" "tp_done_$tp_next"
		tp_next=$((tp_next + 1))
		while [ "$tp_record" ]; do
			tp_show "${tp_record%%"$tp_newline"*}" "$tp_how"
			tp_record=${tp_record#*"$tp_newline"}
		done
	done
}

# With -1 an open one is shown though others before it are not done: they are dropped.
tp_show_winner() {
	eval "tp_record=\${tp_record_$1-}"
	case $tp_record in
		*"$tp_tab"open"$tp_tab"*) ;;
		*) return ;;
	esac
	while [ "$tp_next" -le "$1" ]; do
		tp_show_due
		tp_next=$((tp_next + 1))
	done
}

tp_report() {
	trap '' PIPE
	trap 'tp_status=143; tp_closing_lines; tp_over' TERM
	tp_worker='' tp_next=1 tp_status=0 tp_found='' tp_wrong='' tp_shown='' tp_elapsed=0
	while IFS= read -r tp_line; do
		tp_rest=${tp_line#?"$tp_tab"}
		case $tp_line in
			P*) tp_worker=$tp_rest ;;
			T) tp_show_progress ;;
			E*) break ;;
			B*) tp_wrong=1 && tp_hide_progress && tp_complain "$tp_rest" ;;
			F*)
				eval "tp_done_${tp_rest%%"$tp_tab"*}=\${tp_rest#*\"\$tp_tab\"}"
				tp_show_due
				[ -z "$tp_first" ] || tp_show_winner "${tp_rest%%"$tp_tab"*}"
				;;
			R*)
				tp_rest=${tp_rest#*"$tp_tab"}
				tp_rest=${tp_rest#*"$tp_tab"}
				tp_rest=${tp_rest%%"$tp_tab"*}
				# Of several tries the last counts; of several addresses each.
				[ "$tp_each" ] && eval "tp_line=\${tp_record_$tp_rest-}\$tp_line"
				eval "tp_record_$tp_rest=\$tp_line\$tp_newline"
				;;
		esac
	done
	tp_closing_lines
	tp_hide_progress
	[ -z "$tp_wrong" ] || exit 2
	[ "${tp_sum_all-0}" -gt 0 ] || tp_misuse 'no target'
	exit "$tp_status"
}

# -- The command

tp_usage() {
	printf 'usage: %s\n%s\n' "$tp_synopsis" "$tp_help_text"
	exit 0
}

# Which tools can do all that the options ask for?
tp_choose() {
	tp_asked="$tp_asked${tp_each:+a}${tp_source:+s}${tp_half:+z}"
	tp_tools=
	for tp_one in ${TCPPROBE_BACKEND:-bash perl python3 nc nc.openbsd nc.traditional ncat busybox toybox socat curl}; do
		tp_can "$tp_one" && tp_tools="$tp_tools $tp_one"
	done
	tp_tools=${tp_tools# }
	[ "$tp_tools" ] && return
	tp_misuse "-$(printf '%.1s' "$tp_asked"): no tool here can do that${TCPPROBE_BACKEND:+ (TCPPROBE_BACKEND is $TCPPROBE_BACKEND)}"
}

# The builtin is this command too, and does it best.
tp_hand_over() {
	[ "${TCPPROBE_BACKEND:-builtin}" = builtin ] && command -v bash >/dev/null || return 0
	tp_here=$1
	shift
	IFS=:
	# shellcheck disable=SC2086 # a list of folders
	for tp_folder in ${BASH_LOADABLES_PATH-} "$tp_here/../lib/bash" /usr/local/lib/bash /usr/lib/bash; do
		unset IFS
		[ -r "$tp_folder/tcpprobe.so" ] && bash -c 'enable -f "$0" tcpprobe' "$tp_folder/tcpprobe.so" 2>/dev/null || continue
		# shellcheck disable=SC2016 # for bash
		exec bash -c 'enable -f "$1" tcpprobe && shift && tcpprobe "$@"' tcpprobe "$tp_folder/tcpprobe.so" "$@"
	done
	unset IFS
	[ -z "${TCPPROBE_BACKEND-}" ] || {
		tp_complain 'TCPPROBE_BACKEND is builtin: no bash here loads a tcpprobe.so'
		exit 5
	}
}

# Ends with the command's status. In a subshell where it is a function: nothing of it stays.
tp_main() {
	[ -z "${ZSH_VERSION-}" ] || emulate sh
	set +eufx
	set -f
	tp_blanks=" $tp_tab$tp_newline"
	IFS=$tp_blanks
	tp_return=$(printf '\r')
	tp_c1_lead=$(printf '\302')
	tp_c1=$(printf '\200\201\202\203\204\205\206\207\210\211\212\213\214\215\216\217\220\221\222\223\224\225\226\227\230\231\232\233\234\235\236\237')
	# yash holds no byte that is no character; then there is none to find.
	[ "$tp_c1_lead" ] || tp_c1_lead=/
	LC_ALL=C
	export LC_ALL
	unset CDPATH
	tp_options "$@"
	shift $((OPTIND - 1))
	tp_words=0 tp_behind=
	for tp_word; do
		[ "$tp_word" != -- ] || { tp_behind=1 && break; }
		tp_words=$((tp_words + 1))
	done
	[ -z "$tp_behind" ] || [ "$tp_program" ] || tp_misuse "'--': a function runs no COMMAND; write: tcpprobe TARGET && COMMAND"
	[ "$tp_words" -gt 0 ] || [ "$tp_from_file" ] || tp_misuse 'no target'
	tp_parsing=
	if [ "$tp_behind" ]; then
		(tp_first_words "$tp_words" "$@")
		tp_status=$?
		[ "$tp_status" = 0 ] || exit "$tp_status"
		shift $((tp_words + 1))
		[ $# -gt 0 ] || tp_misuse "'--': a COMMAND is missing"
		exec "$@"
	fi
	tp_run "$@"
}

tp_first_words() {
	tp_i=0 tp_left=$1
	shift
	tp_drop=$(($# - tp_left))
	while [ "$tp_i" -lt "$tp_left" ]; do
		set -- "$@" "$1"
		shift
		tp_i=$((tp_i + 1))
	done
	shift "$tp_drop"
	tp_run "$@"
}

tp_run() {
	tp_total=0 tp_check=1 tp_line_number=0
	[ $# = 0 ] || tp_targets "$@" || exit 2
	tp_check=
	[ ! -d "$tp_file" ] || tp_misuse "$tp_file: Is a directory"
	[ "$tp_file" = - ] || [ -z "$tp_from_file" ] || [ -r "$tp_file" ] || tp_misuse "-f $tp_file: No such file or directory"
	tp_choose
	if [ "$tp_until" ] && [ "$tp_wait_ms" -gt 0 ] && { [ "$tp_timeout" = 0 ] || [ "$tp_timeout" -gt "$tp_wait_ms" ]; }; then
		tp_timeout=$tp_wait_ms
	fi
	tp_shows_progress=
	[ -n "$tp_quiet" ] || [ ! -t 2 ] || { [ "$tp_total" -lt 2 ] && [ -z "$tp_from_file" ]; } || tp_shows_progress=1
	exec 3<&0
	tp_left "$@" | tp_report 3<&- &
	tp_reporter=$!
	tp_signal=
	trap 'tp_signal=130; kill "$tp_reporter"' INT
	trap 'tp_signal=143; kill "$tp_reporter"' TERM
	trap 'tp_signal=129; kill "$tp_reporter"' HUP
	wait "$tp_reporter"
	tp_status=$?
	[ -z "$tp_signal" ] || wait "$tp_reporter" 2>/dev/null
	exit "${tp_signal:-$tp_status}"
}

# The name of -o's variable, if it is one: only the outermost can set it.
tp_variable() {
	tp_name=
	while getopts :146ac:f:F:hi:jn:o:qr:R:s:t:Tu:vVz tp_option; do
		[ "$tp_option" != o ] || tp_name=$OPTARG
	done
	case $tp_name in
		[0-9]* | *[!A-Za-z0-9_]*) ;;
		*) printf %s "$tp_name" ;;
	esac
}

tp_function() {
	set -- "$(OPTIND=1 && tp_variable "$@")" "$@"
	case $1 in
		'') shift && (tp_program='' && tp_main "$@") ;;
		*)
			if (eval "$1=") 2>/dev/null; then
				eval "$1=\$(shift && tp_program='' && tp_main \"\$@\")"
			else
				(shift && tp_program='' && tp_main "$@")
			fi
			;;
	esac
}

# Is this file what runs? Read with `.`, or fed on standard input, $0 is another.
tp_is_program() {
	case ${ZSH_EVAL_CONTEXT-} in
		*file*) return 1 ;;
	esac
	[ -f "$1" ] && [ -r "$1" ] || return
	{ read -r _ && read -r _ && read -r _ && read -r tp_mark; } <"$1" 2>/dev/null || return
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

# In zsh the $0 of a function is its name.
if tp_is_program "$0"; then
	tp_program=1
	case " $* " in
		*' -- '*) ;;
		*) tp_hand_over "${0%/*}" "$@" ;;
	esac
	tp_main "$@"
elif ! tp_enable; then
	tcpprobe() {
		tp_function "$@"
	}
fi
