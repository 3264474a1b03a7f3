# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Real servers for the tests: sshd, nginx, redis, postgres, mariadb, exim, vsftpd, dovecot and haproxy.
#
#	server_missing NAME         status 0 and the reason in words, where NAME cannot run here
#	server_start NAME [PORT]    sets port and server_log, returns when it accepts; PORT: there and nowhere else
#	server_stop NAME            returns when it is gone; one that does not run is fine
#	server_lines                more of sshd's configuration
#	server_backend              the port behind haproxy
#	server_within               an array, a command that the server is started by: in the network of another host, say
#	server_path NAME            its program, or another program of its package
#
# Each is private to its test: on a loopback port of its own, with all it reads and writes in $SERVER_DIR/NAME, where
# SERVER_DIR is the test's temporary folder unless it is set. It ends with the shell that started it, however that
# shell ends; so start it in the test itself, not in a subshell. Nothing connects to it but the test.

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

# Beside PATH: the system's half, which an ordinary user's PATH may lack, and what .ci/deps has unpacked.
server_folders() {
	server_joined {,"$server_tree"}/usr/{{local/,}{s,},lib/postgresql/*/}bin /usr/libexec
}

server_joined() {
	local IFS=:
	echo "$*"
}

# How a server is held

# server_find_hold NAME: sets hold, the command that ties a server to the shell that starts it: the kernel ends it when
# that shell ends. It is never root, since PostgreSQL refuses to be, and sshd as root wants a folder of the system's.
#
# Best is a process namespace, in which whatever the server forked ends with it; there it is "nobody", whom every system
# knows by name. Where no namespace may be made (a chroot, many a container), a leash on the server alone must do; root
# then becomes "nobody" in earnest, who keeps one right of root's: to enter the test's folder, which may be private.
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

# What ends it at once and cleanly: TERM makes PostgreSQL wait for its clients, and is none to the first process of a
# namespace that does not catch it.
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

# How each is set up: server_setup_NAME makes what it needs in $dir, and sets run, its command, and ready, the words of
# its log that say that it accepts; where it sets none, a listening socket says so. Logs tell as much as they can.

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

# Since 9.8 sshd runs other programs, which may be unpacked with it, and turns away who connects often and says nothing.
server_new_sshd() {
	local option helper
	for option in SshdSessionPath=sshd-session SshdAuthPath=sshd-auth; do
		helper=${program%/sbin/sshd}/lib/openssh/${option#*=}
		[[ ! -e $helper ]] || echo "${option%=*} \"$helper\""
	done
	option='PerSourcePenalties no'
	! server_run "$program" -G -f /dev/null -o "$option" >/dev/null || echo "$option"
}

# In a single process, since the master would change the owner of the files and start workers as another user.
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

# All shared memory is in the folder too, and its background writers rest.
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

# Without any of its tables, which nobody asks for.
server_setup_mariadb() {
	mkdir -p "$dir/data"
	run=("$program" --no-defaults --datadir="$dir/data" --lc-messages-dir="${program%/*bin/*}/share/mysql" --tmpdir="$dir"
		--bind-address=127.0.0.1 --port="$port" --socket=socket --pid-file="$dir/mariadb.pid"
		--skip-grant-tables --skip-name-resolve --skip-innodb --default-storage-engine=Aria)
}

# server_install COMMAND...: sets run, which runs it where it would be if it were installed: what was unpacked is seen below
# /usr, and the users are there whom servers know by name.
server_install() {
	printf '%s:x:1:1::/:/bin/sh\n' Debian-exim exim dovecot dovenull >"$dir/users"
	# shellcheck disable=SC2016 # for the inner shell
	run=(unshare --user --map-root-user --mount sh -ec '[ ! -e "$0" ] || mount -t overlay -o "lowerdir=$0:/usr" overlay /usr
		mount --bind "$1" /etc/passwd && mount --bind "$1" /etc/group && shift && exec "$@"' "$server_tree/usr" "$dir/users"
		unshare --user --map-user=1 --map-group=1 "${@/#"$server_tree"/}")
}

# Of Dovecot only this version knows our configuration.
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

# It asks its backend many times a second whether it is there, and hangs up while it is not.
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

# server_environment: sets environment; nothing of the test's leaks in, and what was unpacked finds its libraries
server_environment() {
	environment=(env -i "PATH=$PATH" "HOME=$dir" LC_ALL=C TZ=UTC)
	[[ $program != "$server_tree"/* ]] ||
		environment+=("LD_LIBRARY_PATH=$(server_joined "$server_tree"/{usr/,}lib/*-linux-*)")
}

# server_run COMMAND...: to its end, as the server will run
server_run() {
	"${hold[@]}" "${environment[@]}" "$@" </dev/null 2>&1
}

# server_launch: begins to run; $dir/job is our child, $dir/pid the server itself, which may be a grandchild
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

# A server that held one of bats' own would keep bats from ending; one of a test's, a connection from closing.
server_close_descriptors() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd < 3)) || exec {fd}>&-
	done
}

# server_await SECONDS COMMAND...: until it holds
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

# Not by connecting: that would leave its trace in the log.
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

# Below the ports from which connections go out.
server_choose_port() {
	local hex
	while
		port=$((20000 + RANDOM % 12000))
		printf -v hex ':%04X ' "$port"
		grep -qs "$hex" /proc/net/tcp
	do :; done
}

# server_try NAME: fails if it does not accept in time
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
		# Tried again if someone else took the port in between.
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
