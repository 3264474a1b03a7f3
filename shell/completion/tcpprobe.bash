# shellcheck shell=bash
# SPDX-License-Identifier: 0BSD
#
# Completion for bash, of the builtin and of the program: bash-completion finds it by the command's name, or read it with `.`.
# What stands in files is compared and offered, never evaluated; a name that a shell would read otherwise is not offered.

# A row an option: letter, name, what it takes, the faces that have it, help.
# BEGIN bash_words
_tcpprobe_options='
1|--any||bpw|one open target is enough
4|--ipv4||bp|only IPv4 addresses
6|--ipv6||bp|only IPv6 addresses
a|--all-addresses||bp|a probe and a report for each address of a name
c|--count|N|bp|N rounds, 0 for ever; with -r: open N times in a row
f|--file|FILE|bp|more targets, one a line (-: standard input)
F|--format|FORMAT|bp|a line of this format per probe
h|--help||bpw|show this help
i|--interval|TIME|bpw|pause between tries (0.25) or rounds (1)
j|--json||bpw|a JSON object for each probe, one a line
k|--hold|TIME|bp|hold the connection: does the peer hang up? (0: no)
n|--parallel|N|bp|at most N probes in flight at once (256)
o|--output|NAME|b|builtin: the reports go into this array
q|--quiet||bpw|no messages about what is not open
r|--wait|TIME|bpw|try until open, at most TIME in all (0: for ever)
R|--wait-closed|TIME|bpw|try until nobody accepts: for draining
s|--source|SOURCE|bp|connect from this address or interface
t|--timeout|TIME|bpw|deadline of a probe, lookup included (5; 0: none)
w||TIME||
T|--trace||bp|which hop answers, refuses or drops? (Linux)
u|--connect|NAME|b|builtin: keep the connection, descriptor in NAME
v|--verbose||bpw|a line for each open target, and the states counted
V|--version||bpw|show name, version and face
z|--half-open||bp|no trace: the handshake is not finished (Linux)'
_tcpprobe_services=' amqp amqps dict domain finger ftp ftps git gopher http https icap imap imaps ipp ipps kerberos ldap ldaps modbus mqtt mysql nfs nntp nntps pop3
 pop3s postgresql rsync rtsp sieve smtp ssh submission submissions telnet telnets whois cifs gemini irc ircs lmtp rdp rtmp rtmps scp sftp smb smtps socks
 socks4 socks4a socks5 socks5h svn vnc webdav webdavs ws wss xmpp xmpps cockroach cockroachdb materialize opengauss pgsql pgx pgx5 postgis postgres questdb
 redshift risingwave timescaledb yugabyte yugabytedb doris mariadb mysql2 mysqls mysqlx oceanbase singlestore singlestoredb starrocks tidb trilogy clickhouse
 clickhousedb clickhouses crate databricks db2 derby dm drill exa firebird firebirdsql h2 hive hive2 hsql ibm_db_sa impala informix-sqli iotdb ch kingbase8
 kylin libsql monetdb mssql netezza oracle presto rqlite sqlserver sybase taos teradata teradatasql trino vertica aerospike arangodb bolt cassandra couchbase
 couchbases couchdb dgraph edgedb elasticsearch gel gremlin hazelcast ignite influxdb meilisearch memgraph milvus mongo mongodb neo4j opensearch rethinkdb
 scylla solr tarantool typedb typesense hiredis memcache memcached pymemcache redis redis-sentinel rediscache rediss rediss-sentinel sentinel valkey valkeys
 activemq beanstalk beanstalkd confluentkafka gearman kafka librabbitmq mqtts nats nsq plaintext pulsar pyamqp qpid rabbit rabbitmq rabbitmq-stream
 sasl_plaintext sasl_ssl sb stomp temporal consul dubbo etcd hdfs nacos nomad puppet ray spark vault webhdfs winrm zabbix zk zookeeper beats fluent fluentd
 graphite loki prometheus '
# END bash_words

# _tcpprobe_takes TEXT: sets takes to the third field of the row that has the text.
_tcpprobe_takes() {
	local row=${_tcpprobe_options#*"$1"}

	takes=
	[[ $row == "$_tcpprobe_options" ]] || { row=${row#*|} && takes=${row%%|*}; }
}

# _tcpprobe_next WORD: sets takes to what the next word is, where this one is an option that has its value there.
_tcpprobe_next() {
	local i

	takes=
	case $1 in
		--*=*) ;;
		--*) _tcpprobe_takes "|$1" ;;
		-*)
			for ((i = 1; i < ${#1}; i++)); do
				_tcpprobe_takes $'\n'"${1:i:1}|"
				[[ -z $takes ]] || break
			done
			((i + 1 >= ${#1})) || takes=
			;;
	esac
}

# _tcpprobe_has_port WORD: it is a whole target, and not a host or a network to which ports are still to come.
_tcpprobe_has_port() {
	case $1 in
		*://* | /* | *]:* | *,*) ;;
		*:*:*) return 1 ;;
		*:*) ;;
		*) return 1 ;;
	esac
}

# _tcpprobe_offer HEAD NAME...: HEADNAME, where it goes on from what is typed. readline puts in only what follows its last
# word break.
_tcpprobe_offer() {
	local name

	for name in "${@:2}"; do
		[[ $1$name == "$typed"* && $name == [A-Za-z0-9_]* && $name != *[!A-Za-z0-9._-]* ]] || continue
		name=$1$name
		COMPREPLY+=("${name#"$cut"}")
	done
}

# From the hosts file and what ssh knows. Hashed names and patterns have characters that no name has.
_tcpprobe_hosts() {
	local file fields hosts name names=()

	while read -ra fields; do
		for name in "${fields[@]:1}"; do
			[[ ${fields[0]}$name != *'#'* ]] || break
			names+=("$name")
		done
	done 2>/dev/null <"${HOSTFILE:-/etc/hosts}"
	for file in ~/.ssh/known_hosts ~/.ssh/known_hosts2 /etc/ssh/ssh_known_hosts; do
		[[ -r $file ]] || continue
		while read -ra fields; do
			hosts=${fields[0]-}
			[[ $hosts != @* ]] || hosts=${fields[1]-}
			while [[ -n $hosts ]]; do
				name=${hosts%%,*} hosts=${hosts#"${hosts%%,*}"} hosts=${hosts#,}
				name=${name#\[}
				names+=("${name%]*}")
			done
		done <"$file"
	done
	_tcpprobe_offer '' "${names[@]}"
}

# _tcpprobe_ports HEAD: names of services behind it
_tcpprobe_ports() {
	local names

	mapfile -t names < <(compgen -A service)
	# shellcheck disable=SC2086 # words
	_tcpprobe_offer "$1" $_tcpprobe_services "${names[@]}"
}

# Only the builtin has them all. Where they are listed, each has its help.
_tcpprobe_list_options() {
	local letter name takes faces help face=p lines=() columns

	! compgen -b tcpprobe >/dev/null || face=b
	while IFS='|' read -r letter name takes faces help; do
		[[ $faces == *"$face"* ]] || continue
		columns=$name${takes:+ $takes}
		case $typed in
			-) COMPREPLY+=("-$letter" "$name") columns="-$letter, $columns" ;;
			"-$letter") COMPREPLY=("$typed") && return ;;
			*) [[ $name == "$typed"* ]] || continue && COMPREPLY+=("$name") ;;
		esac
		printf -v columns '%-25s %s' "$columns" "$help"
		lines+=("$columns")
	done <<<"$_tcpprobe_options"
	# What a TAB lists; what it puts in is all that the lines have in common.
	case ${COMP_TYPE-} in
		33 | 63 | 64) ((${#lines[@]} < 2)) || COMPREPLY=("${lines[@]}") ;;
	esac
}

# The names of interfaces
_tcpprobe_sources() {
	local names

	mapfile -t names < <(compgen -G '/sys/class/net/*')
	_tcpprobe_offer "${typed%"${typed##*=}"}" "${names[@]##*/}"
}

# Behind -- stands another command, with a completion of its own.
_tcpprobe_command() {
	local i offset=_command_offset

	for ((i = 1; i < COMP_CWORD; i++)); do [[ ${COMP_WORDS[i]} != -- ]] || break; done
	((i < COMP_CWORD)) || return
	! declare -F _comp_command_offset >/dev/null || offset=_comp_command_offset
	if declare -F "$offset" >/dev/null; then
		"$offset" $((i + 1))
	elif ((i + 1 == COMP_CWORD)); then
		mapfile -t COMPREPLY < <(compgen -c -- "$typed")
	else
		compopt -o default
	fi
}

_tcpprobe() {
	local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} words word typed cut takes='' host=''

	COMPREPLY=()
	# Not COMP_WORDS: they are cut at each colon.
	typed=${line##*[[:blank:]]}
	read -ra words <<<"${line%"$typed"}"
	for word in "${words[@]:1}"; do
		if [[ -n $takes ]]; then
			takes=
		elif [[ $word == -- ]]; then
			_tcpprobe_command
			return
		elif [[ $word == -?* ]]; then
			_tcpprobe_next "$word"
		else
			host=${host:-$word}
		fi
	done
	if [[ -z $takes && $typed == --*=* ]]; then
		_tcpprobe_takes "|${typed%%=*}"
	fi
	# A colon or an equals sign alone is a word of its own there, but no part of what is replaced.
	word=${2-}
	[[ $word != [:=] ]] || word=
	cut=${typed%"$word"}
	case $takes in
		FILE) compopt -o default ;;
		NAME) mapfile -t COMPREPLY < <(compgen -v -- "$word") ;;
		SOURCE) _tcpprobe_sources ;;
		?*) ;;
		*)
			if [[ $typed == -* ]]; then
				_tcpprobe_list_options
			elif [[ -n $host ]] && ! _tcpprobe_has_port "$host"; then
				_tcpprobe_ports "${typed%"${typed##*,}"}"
			elif [[ $typed == *:* ]]; then
				_tcpprobe_ports "${typed%"${typed##*[:,]}"}"
			else
				_tcpprobe_hosts
			fi
			;;
	esac
}

complete -F _tcpprobe tcpprobe
