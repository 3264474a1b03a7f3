# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Real servers for the tests: sshd, nginx, redis, postgres, mariadb, exim, vsftpd, dovecot and haproxy.
#
#	server_missing NAME         if NAME cannot run here: status 0, and prints the reason
#	server_start NAME [PORT]    sets port and server_log, returns when the server accepts; with PORT only there
#	server_stop NAME            returns when the server is gone; does nothing if it does not run
#	server_lines                a variable: more of sshd's configuration
#	server_backend              a variable: the port behind haproxy
#	server_within               an array: a command that starts the server, say in the network of another host
#	server_path NAME            prints where its program is; NAME may also be another program of its package
#
# Each server is private to its test. It listens on a loopback port of its own. All that it reads and writes is in
# $SERVER_DIR/NAME; SERVER_DIR is the test's temporary folder unless it is set. The server ends with the shell that
# started it, however that shell ends; so start it in the test itself, not in a subshell. Only the test connects to it.

server_tree=$(CDPATH='' cd -- "${BASH_SOURCE[0]%/*}/.." && pwd)/build/servers

server_within=()

# Where the programs are

server_path() {
	local program
	for program in $(server_programs "$1"); do
		type -P "$program" && return
		PATH=$(server_folders) type -P "$program" && return
	done
	return 1
}

server_programs() {
	case $1 in
		redis) echo redis-server valkey-server ;;
		mariadb) echo mariadbd ;;
		exim) echo exim4 exim ;;
		*) echo "$1" ;;
	esac
}

# The folders to search after PATH: the system's, which an ordinary user's PATH may lack, and those that .ci/deps has
# unpacked.
server_folders() {
	server_joined {,"$server_tree"}/usr/{{local/,}{s,},lib/postgresql/*/}bin /usr/libexec
}

server_joined() {
	local IFS=:
	echo "$*"
}

# How a server is held

# server_find_hold NAME: sets hold, the command that ties a server to the shell that starts it: the kernel ends the
# server when that shell ends. The server never runs as root: PostgreSQL refuses to, and sshd as root needs a folder of
# the system.
#
# A process namespace is best, since all processes that the server forked end with it. There the server runs as
# "nobody", whom every system knows by name. If no namespace can be made (in a chroot, in many containers), only the
# server itself is tied to the shell. Then root really becomes "nobody", but keeps one right of root's: to enter the
# test's folder, which may be private.
server_find_hold() {
	local user group
	user=$(id -u nobody 2>/dev/null) || user=65534
	group=$(id -g nobody 2>/dev/null) || group=65534
	hold=(setpriv --pdeathsig KILL
		unshare --user --map-user="$user" --map-group="$group" --pid --ipc --fork --kill-child)
	server_hold_works && return
	hold=(setpriv --pdeathsig "$(server_signal "$1")")
	((EUID)) || hold+=(--reuid "$user" --regid "$group" --clear-groups
		--inh-caps=+dac_override --ambient-caps=+dac_override)
	server_hold_works
}

server_hold_works() {
	"${hold[@]}" sh -c 'read -r pid _ </proc/self/stat' 2>/dev/null
}

# The signal that ends the server at once and cleanly. TERM makes PostgreSQL wait for its clients, and the first process
# of a namespace does not get a TERM that it does not catch.
server_signal() {
	case $1 in
		postgres) echo INT ;;
		vsftpd | dovecot | haproxy) echo KILL ;;
		*) echo TERM ;;
	esac
}

server_missing() {
	local hold
	if ! server_path "$1" >/dev/null; then
		echo "no $1 here (.ci/deps server brings it)"
	elif ! server_find_hold "$1"; then
		echo "nothing here can tie $1 to its test (unshare or setpriv of util-linux)"
	elif [[ $1 == @(exim|dovecot) ]] && ! server_can_install "$1"; then
		echo "contract: $1 cannot be tried here: it wants mounts of its own, and Dovecot is to be a 2.3"
	else
		return 1
	fi
}

# How each is set up: server_setup_NAME makes what the server needs in $dir. It sets run, the server's command, and
# ready, the words of its log that say that it accepts connections. Without ready, a listening socket says so. Logs have
# as much detail as they can.

server_setup_sshd() {
	ready="Server listening on 127.0.0.1 port $port"
	run=("$program" -D -e -f "$dir/config")
	cat >"$dir/config" <<-END
		ListenAddress 127.0.0.1:$port
		HostKey "$dir/key"
		PidFile none
		UsePAM no
		LogLevel DEBUG3
		MaxStartups 1000
		${server_lines-}
	END
	server_new_sshd >>"$dir/config"
	[[ -e $dir/key ]] || server_run "$(server_path ssh-keygen)" -q -t ed25519 -N '' -f "$dir/key" >>"$server_log"
}

# Since 9.8 sshd runs other programs, which may be unpacked with it, and rejects clients that often connect and say
# nothing.
server_new_sshd() {
	local option helper
	for option in SshdSessionPath=sshd-session SshdAuthPath=sshd-auth; do
		helper=${program%/sbin/sshd}/lib/openssh/${option#*=}
		[[ ! -e $helper ]] || echo "${option%=*} \"$helper\""
	done
	option='PerSourcePenalties no'
	! server_run "$program" -G -f /dev/null -o "$option" >/dev/null || echo "$option"
}

# nginx runs as a single process, since a master would change the owner of the files and start workers as another user.
server_setup_nginx() {
	ready='using the ".*" event method'
	run=("$program" -p "$dir" -c config)
	! "$program" -h 2>&1 | grep -q -- '-e filename' || run+=(-e log)
	cat >"$dir/config" <<-END
		daemon off;
		master_process off;
		pid nginx.pid;
		lock_file lock;
		error_log log debug;
		events { }
		http {
			access_log log;
			client_body_temp_path body;
			proxy_temp_path proxy;
			fastcgi_temp_path fastcgi;
			uwsgi_temp_path uwsgi;
			scgi_temp_path scgi;
			server {
				listen 127.0.0.1:$port;
				location / { return 200 "ok\n"; }
			}
		}
	END
}

server_setup_redis() {
	ready='eady to accept connections'
	run=("$program" --bind 127.0.0.1 --port "$port" --dir "$dir" --save '' --appendonly no
		--daemonize no --loglevel debug)
}

# All its shared memory is in the folder too, and its background writers have almost nothing to do.
server_setup_postgres() {
	ready='database system is ready to accept connections'
	run=("$program" -F -D "$dir/data" -p "$port" -h 127.0.0.1 -k ''
		-c shared_buffers=1MB -c dynamic_shared_memory_type=mmap
		-c autovacuum=off -c bgwriter_delay=10s -c wal_writer_delay=10s
		-c logging_collector=off -c log_destination=stderr -c log_min_messages=debug5
		-c log_connections=on -c log_disconnections=on)
	[[ -d $dir/data ]] || server_run "$(dirname "$(readlink -f "$program")")/initdb" -D "$dir/data" \
		--username=postgres --auth=trust --no-sync --locale=C --encoding=UTF8 >>"$server_log"
}

# Without its system tables, which no test needs.
server_setup_mariadb() {
	mkdir -p "$dir/data"
	run=("$program" --no-defaults --datadir="$dir/data" --lc-messages-dir="${program%/*bin/*}/share/mysql" --tmpdir="$dir"
		--bind-address=127.0.0.1 --port="$port" --socket=socket --pid-file="$dir/mariadb.pid"
		--skip-grant-tables --skip-name-resolve --skip-innodb --default-storage-engine=Aria)
}

# server_install COMMAND...: sets run to a command that runs COMMAND as if it were installed: the unpacked files appear
# below /usr, and the users exist that servers know by name.
server_install() {
	printf '%s:x:1:1::/:/bin/sh\n' Debian-exim exim dovecot dovenull >"$dir/users"
	# shellcheck disable=SC2016 # for the inner shell
	run=(unshare --user --map-root-user --mount sh -ec '[ ! -e "$0" ] || mount -t overlay -o "lowerdir=$0:/usr" overlay /usr
		mount --bind "$1" /etc/passwd && mount --bind "$1" /etc/group && shift && exec "$@"' "$server_tree/usr" "$dir/users"
		unshare --user --map-user=1 --map-group=1 "${@/#"$server_tree"/}")
}

# Only this version of Dovecot understands our configuration.
# shellcheck disable=SC2016 # for the inner shell
server_can_install() {
	local dir run
	dir=$(server_dir "$1") || return
	case $1 in
		exim) server_install true ;;
		dovecot) server_install sh -c '"$0" --version | grep -q "^2\.3\."' "$(server_path dovecot)" ;;
	esac
	"${hold[@]}" "${run[@]}" 2>/dev/null
}

server_setup_exim() {
	server_install "$program" -bdf -C "$dir/config"
	cat >"$dir/config" <<-END
		primary_hostname = mail.test
		local_interfaces = 127.0.0.1
		daemon_smtp_ports = $port
		spool_directory = $dir/spool
		log_file_path = $dir/%s
		pid_file_path = $dir/exim.pid
		host_lookup =
		tls_advertise_hosts =
	END
}

server_setup_vsftpd() {
	run=("$program" "$dir/config")
	mkdir -p "$dir/empty"
	cat >"$dir/config" <<-END
		listen=YES
		listen_address=127.0.0.1
		listen_port=$port
		background=NO
		run_as_launching_user=YES
		ftp_username=nobody
		nopriv_user=nobody
		secure_chroot_dir=$dir/empty
		vsftpd_log_file=$server_log
	END
}

server_setup_dovecot() {
	server_install "$program" -F -c "$dir/config"
	cat >"$dir/config" <<-END
		base_dir = $dir/run
		state_dir = $dir
		log_path = $server_log
		protocols = imap
		ssl = no
		service imap-login {
		  chroot =
		  inet_listener imap {
		    address = 127.0.0.1
		    port = $port
		  }
		}
		service anvil {
		  chroot =
		}
		passdb {
		  driver = static
		  args = nopassword
		}
	END
}

# haproxy asks its backend many times a second whether it is there, and hangs up on clients while it is not.
server_setup_haproxy() {
	run=("$program" -db -f "$dir/config")
	cat >"$dir/config" <<-END
		defaults
		    mode tcp
		    timeout connect 1s
		    timeout client 1m
		    timeout server 1m
		listen front
		    bind 127.0.0.1:$port
		    server back 127.0.0.1:${server_backend-} check inter 50ms fall 1 rise 1
	END
}

# How each runs

server_dir() {
	local folder=${SERVER_DIR:-${BATS_TEST_TMPDIR:-${BATS_FILE_TMPDIR:-}}}
	[[ $folder ]] || {
		echo 'server: set SERVER_DIR to a folder' >&2
		return 1
	}
	mkdir -p "$folder/$1" && cd "$folder/$1" && pwd
}

# server_environment: sets environment, a command that clears the test's environment and lets unpacked programs find
# their libraries.
server_environment() {
	environment=(env -i "PATH=$PATH" "HOME=$dir" LC_ALL=C TZ=UTC)
	[[ $program != "$server_tree"/* ]] ||
		environment+=("LD_LIBRARY_PATH=$(server_joined "$server_tree"/{usr/,}lib/*-linux-*)")
}

# server_run COMMAND...: runs the command to its end, as the server will be run.
server_run() {
	"${hold[@]}" "${environment[@]}" "$@" </dev/null 2>&1
}

# server_launch: starts the server. $dir/job is the process id of our child, $dir/pid that of the server itself, which
# may be a grandchild.
server_launch() {
	(
		exec </dev/null >>"$server_log" 2>&1
		server_close_descriptors
		# shellcheck disable=SC2016
		exec "${server_within[@]}" "${hold[@]}" sh -c 'read -r pid _ </proc/self/stat; echo "$pid" >"$0"; exec "$@"' "$dir/pid" \
			"${environment[@]}" "${run[@]}"
	) &
	echo $! >"$dir/job"
	disown $!
}

# If a server inherited a descriptor of bats, bats could not end; if it inherited one of a test, a connection would not
# close.
server_close_descriptors() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd < 3)) || exec {fd}>&-
	done
}

# server_await SECONDS COMMAND...: waits until the command succeeds; fails if it takes longer.
server_await() {
	local deadline=$((SECONDS + $1))
	until "${@:2}"; do
		((SECONDS <= deadline)) || return
		sleep 0.01
	done
}

server_settled() {
	server_ready || server_gone
}

# This does not connect: that would leave a trace in the log.
server_ready() {
	if [[ $ready ]]; then
		grep -q "$ready" "$server_log"
	else
		server_listens
	fi
}

# Does anyone listen on the port?
server_listens() {
	local hex
	printf -v hex ':%04X 0' "$port"
	grep -qs "$hex" /proc/net/tcp
}

server_gone() {
	! kill -0 "$(<"$dir/job")" 2>/dev/null
}

# Chooses a port below those that outgoing connections use.
server_choose_port() {
	local hex
	while
		port=$((20000 + RANDOM % 12000))
		printf -v hex ':%04X ' "$port"
		grep -qs "$hex" /proc/net/tcp
	do :; done
}

# server_try NAME: starts the server; fails if it does not accept in time.
server_try() {
	local environment run ready=
	: >"$server_log"
	server_environment
	"server_setup_$1" || return
	server_launch
	server_await 20 server_settled && server_ready
}

server_start() {
	local why program dir hold
	if why=$(server_missing "$1"); then
		echo "server_start: $why" >&2
		return 1
	fi
	dir=$(server_dir "$1") || return
	program=$(server_path "$1")
	if [[ -e $dir/job ]] && ! server_gone; then
		echo "server_start: $1 runs already" >&2
		return 1
	fi
	rm -f "$dir/pid" "$dir/job"
	server_log=$dir/log
	server_find_hold "$1"
	for _ in {1..5}; do
		port=${2-}
		[[ $port ]] || server_choose_port
		server_try "$1" && return
		server_stop "$1"
		# Try again only if another process took the port in between.
		[[ -z ${2-} ]] || break
		grep -qi 'in use' "$server_log" || break
	done
	echo "server_start: $1 does not run; the end of its log:" >&2
	tail -n 20 "$server_log" >&2
	return 1
}

server_stop() {
	local dir
	dir=$(server_dir "$1") || return
	[[ -e $dir/job ]] || return 0
	server_kill "$(server_signal "$1")" "$dir/pid"
	server_await 5 server_gone || {
		server_kill KILL "$dir/pid" "$dir/job"
		server_await 5 server_gone
	} || return
	rm -f "$dir/pid" "$dir/job"
}

# server_kill SIGNAL FILE...
server_kill() {
	local pid file
	for file in "${@:2}"; do
		! read -r pid 2>/dev/null <"$file" || kill -s "$1" "$pid" 2>/dev/null || :
	done
}
