#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# doc/recipes: every file is run as it stands, in the surroundings that it is made for: in a root that has just what its
# image would have, or on hosts of our own.

setup() {
	load lib
	load servers
	load packages
	load recipes
	need_lab
	need plain
	[[ -x $TP_BUILD/static/tcpprobe ]] || skip 'no static program here (make static)'
	cd "$BATS_TEST_TMPDIR" || return
	containers=()
	# The recipes find the program on PATH; the programs that .ci/deps has unpacked come last.
	PATH=$TP_BUILD:$PATH:$(server_folders)
	export PATH HOME=$BATS_TEST_TMPDIR PYTHONPATH=$server_tree/usr/lib/python3/dist-packages
}

teardown() {
	local pid

	for pid in "${containers[@]}"; do
		pkill -KILL -P "$pid" || true
		wait "$pid" || true
	done
	! mountpoint -q /etc/passwd || umount /etc/passwd
	[[ -z ${cgroup-} ]] || find "$cgroup" -depth -type d -exec rmdir {} +
}

# Some recipes need a whole system, not only a root of its own: make check-recipes tries them.
need_system() {
	[[ -n ${TP_RECIPES-} ]] || skip 'contract: make check-recipes tries it'
}

need_tool() {
	local tool

	for tool; do
		type -P "$tool" >/dev/null || skip "no $tool here (.ci/deps recipes brings it)"
	done
}

# The python of the system, for which its packages are made.
python() {
	[[ -x /usr/bin/python3 ]] || skip 'no python3 here (.ci/deps recipes brings it)'
	/usr/bin/python3 "$@"
}

# of_yaml FILE FILTER: prints what the filter of jq finds in the file
of_yaml() {
	python -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)' <"$recipes/$1" | jq -er "$2"
}

@test "every recipe is in the list" {
	while read -r file; do
		grep -qF "]($file)" "$recipes/README.md" || fail "$file is not"
	done < <(cd "$recipes" && find . -type f ! -name README.md -printf '%P\n')
}

# -- Images

# Makes a server that accepts connections on port 8080.
make_server() {
	cc -x c -D_GNU_SOURCE -I "$tree/tests/lab" -o server - <<-'END'
		#define main peer_main
		#include "peer.c"
		#undef main
		int main(void)
		{
			char *words[] = {"server", "-p", "8080", "open", NULL};

			return peer_main(4, words);
		}
	END
}

# contain COMMAND...: runs it in the root, in the background, and returns when it waits in the network
contain() {
	(inside "$root" "$@" >out 2>&1 3>&-) &
	containers+=("$!")
	until_waiting "$!"
}

healthy() {
	inside "$root" "${health[@]}"
}

# works_in STAGE
works_in() {
	make_server
	image "$1" server
	contain "${entry[@]}" "${cmd[@]}"
	run healthy
	assert_equal "$status" "$(status_of refused)"
	peer -p 5432 open
	server_await "$(patient 5)" healthy || fail "$(cat out)"
}

@test "a slim image: the server starts when the database is open, and is healthy then" {
	works_in slim
}

@test "an Alpine image: the server starts when the database is open, and is healthy then" {
	need_tool busybox
	works_in alpine
}

@test "a distroless image: the server starts when the database is open, and is healthy then" {
	works_in distroless
}

@test "a scratch image: the server starts when the database is open, and is healthy then" {
	works_in scratch
}

@test "compose: the database that the server depends on is healthy when it serves, not when it merely accepts" {
	read -r from to _ < <(of_yaml compose.yaml '.services.db.volumes[0]' | tr : ' ')
	mkdir -p root/{dev,proc,etc}
	echo '127.0.0.1 localhost' >root/etc/hosts
	cp "$TP_BUILD/static/$from" "root$to"
	mapfile -t health < <(of_yaml compose.yaml '.services[.services.server.depends_on | to_entries[] |
		select(.value.condition == "service_healthy").key].healthcheck.test | select(.[0] == "CMD")[1:][]')
	root=root
	run healthy
	assert_equal "$status" "$(status_of refused)"
	peer -p 5432 close
	run healthy
	assert_equal "$status" "$(status_of hangup)"
	kill "$peer_pid"
	server_await 1 refused_there
	peer -p 5432 open
	healthy
}

refused_there() {
	! : 2>/dev/null <>/dev/tcp/127.0.0.1/5432
}

@test "Kubernetes: the init container waits for the database, and the probes for the server" {
	make_server
	image scratch server
	mapfile -t init < <(of_yaml kubernetes.yaml '.spec.initContainers[0].command[]')
	contain "${init[@]}"
	peer -p 5432 open
	wait "${containers[0]}"
	run cat out
	assert_line --partial 'db:5432 open'
	for probe in startupProbe readinessProbe; do
		mapfile -t health < <(of_yaml kubernetes.yaml ".spec.containers[0].$probe.exec.command[]")
		run healthy
		assert_equal "$status" "$(status_of refused)"
	done
	mapfile -t cmd < <(of_yaml kubernetes.yaml '.spec.containers[0].command[]')
	contain "${cmd[@]}"
	for probe in startupProbe readinessProbe; do
		mapfile -t health < <(of_yaml kubernetes.yaml ".spec.containers[0].$probe.exec.command[]")
		healthy
	done
}

# -- On a host

@test "GitHub Actions: the step waits for the service, and shows no password" {
	step='.jobs.test.steps[] | select(.run)'
	of_yaml github-actions.yaml "$step | .run" >step.sh
	mapfile -t variables < <(of_yaml github-actions.yaml "$step | .env | to_entries[] | \"\\(.key)=\\(.value)\"")
	cp "$tree/shell/tcpprobe.sh" .
	peer -p 5432 late 0.3
	# As GitHub's runner runs the step; it has no tcpprobe.
	run env -i PATH=/usr/bin:/bin "${variables[@]}" bash --noprofile --norc -eo pipefail step.sh
	assert_equal "$status" 0
	assert_output --partial 'localhost:5432 open'
	refute_output --partial secret
}

@test "cron has nothing to mail while all is open, and a line for what is not" {
	image slim "$TP_BUILD/lab/peer"
	mkdir "$root/etc/tcpprobe"
	command=$(grep -E '^[0-9*]' "$recipes/crontab" | cut -d ' ' -f 6-)
	peer open
	echo "localhost:$port" >"$root/etc/tcpprobe/targets"
	run inside "$root" /bin/sh -c "$command"
	assert_equal "$status,$output" 0,
	echo 'db:1' >>"$root/etc/tcpprobe/targets"
	run inside "$root" /bin/sh -c "$command"
	assert_output 'tcpprobe: db:1: Connection refused'
}

@test "the firewall is as its rules say; a rule that does not hold is named, and the status tells" {
	peer open
	printf '%s\n' "localhost:$port open" 'localhost:1 refused' "$TP_REJECT:22 unreachable" "$TP_SILENT:22 timeout" >rules
	run sh "$recipes/firewall.sh" rules
	assert_equal "$status,$output" 0,
	sed -i 's/1 refused/1 timeout/' rules
	run sh "$recipes/firewall.sh" rules
	assert_equal "$status" 1
	assert_equal "${lines[*]:1}" '< localhost:1 timeout --- > localhost:1 refused'
	PATH=/usr/bin:/bin run sh "$recipes/firewall.sh" rules
	refute [ "$status" = 0 ]
}

@test "Nagios: OK, CRITICAL with the reason, UNKNOWN where nothing was probed, each with its status" {
	peer open
	run sh "$recipes/nagios.sh" localhost "$port"
	assert_equal "$status" 0
	assert_output --regexp "^TCP OK - 1 of 1 open \| 'localhost:$port'=[0-9.]+ms$"
	run sh "$recipes/nagios.sh" "localhost:$port" localhost:1
	assert_equal "$status" 2
	assert_output --regexp "^TCP CRITICAL - 1 of 2 open; localhost:1 refused: Connection refused \| .*ms 'localhost:1'=U$"
	run --separate-stderr sh "$recipes/nagios.sh" localhost port
	assert_equal "$status" 3
	assert_output 'TCP UNKNOWN - 0 of 0 open'
}

@test "Prometheus reads the textfile; where nothing is probed it stays" {
	python -c 'import prometheus_client' || skip 'no prometheus_client here (.ci/deps recipes brings it)'
	peer open
	printf '%s\n' "localhost:$port" '[::1]:1' "localhost:$port" >targets
	sh "$recipes/prometheus.sh" targets tcpprobe.prom
	run python -c 'import sys; from prometheus_client.parser import text_string_to_metric_families as parsed
for family in parsed(open("tcpprobe.prom").read()):
	for s in family.samples: print(family.type, s.name, s.labels["host"], s.labels["port"], s.value)'
	assert_line --index 0 'gauge tcpprobe_status ::1 1 1.0'
	assert_line --index 1 "gauge tcpprobe_status localhost $port 0.0"
	assert_line --index 2 --regexp "^gauge tcpprobe_connect_seconds localhost $port (0\.[0-9]+|[0-9.]+e-0[0-9])$"
	assert_equal "${#lines[@]}" 3
	cp tcpprobe.prom before
	run sh "$recipes/prometheus.sh" none tcpprobe.prom
	refute [ "$status" = 0 ]
	cmp before tcpprobe.prom
}

# with_systemd SCRIPT: runs the script in namespaces of its own, together with a service manager that has the recipes'
# units. /usr/local/bin there has the program, a server, and a mail command that writes its arguments and its input to
# the file mail.
with_systemd() {
	local manager why='contract: only root may have a control group of its own'

	need_system
	manager=$(PATH=/usr/lib/systemd:/lib/systemd:$server_tree/usr/lib/systemd:$server_tree/lib/systemd type -P systemd) ||
		skip 'no systemd here (.ci/deps recipes brings it)'
	cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	cgroup=$(mktemp -d "${cgroup:-/nowhere}/tcpprobe.XXXXXX" 2>/dev/null) || skip "$why"
	make_server
	mkdir -p bin .config/systemd/user
	cp -R /etc . 2>/dev/null || true
	mkdir -p etc/tcpprobe
	echo '127.0.0.1 localhost db' >etc/hosts
	printf '%s\n' db:5432 db:1 >etc/tcpprobe/targets
	cp "$TP_BUILD/static/tcpprobe" server bin/
	printf '#!/bin/sh\n{ echo "$*"; cat; } >new && mv new %s\n' "$PWD/mail" >bin/mail
	chmod +x bin/mail
	cp "$recipes"/systemd/* .config/systemd/user/
	run --separate-stderr setpriv --pdeathsig KILL bash -c 'echo 0 >"$0/cgroup.procs" && exec timeout -s KILL '"$(patient 30)"' \
		unshare --mount --cgroup --pid --fork --kill-child --mount-proc bash -ec "$@"' "$cgroup" '
		mount --bind bin /usr/local/bin
		mount --bind etc /etc
		mount -t tmpfs run /run
		mount -t tmpfs cgroup /sys/fs/cgroup
		mount -t cgroup2 cgroup /sys/fs/cgroup
		export XDG_RUNTIME_DIR=/run/user
		mkdir -p /run/systemd/system /run/user
		"$0" --user --unit=basic.target >log 2>&1 &
		until systemctl --user is-system-running 2>/dev/null | grep -q running; do kill -0 $!; done
		eval "$1"' "$manager" "$1"
	assert_equal "$status (stderr: $stderr)" "0 (stderr: )"
}

@test "systemd: the server starts when the database is open; the timer finds a target that is not, and mail tells" {
	with_systemd '
		systemctl --user start --no-block server.service
		until systemctl --user show --property SubState server.service | grep -q start-pre; do :; done
		tcpprobe -R 1 -t 1 db:8080
		"$TP_BUILD/lab/peer" -p 5432 open >port &
		systemctl --user start server.service
		tcpprobe -v db:5432
		tcpprobe -r 5 db:8080
		tcpprobe -v db:8080
		systemctl --user start tcpprobe.timer
		until [ -e mail ]; do :; done
		systemctl --user show --value --property SubState tcpprobe.timer'
	assert_line --index 0 --partial 'db:5432 open'
	assert_line --index 1 --partial 'db:8080 open'
	assert_line --index 2 waiting
	assert_equal "$(cat mail)" '-s tcpprobe.service failed on lab root
journalctl -u tcpprobe.service tells why'
}

# -- Many machines

# on PID COMMAND...: runs the command in the network of the host with this process
on() {
	nsenter --net="/proc/$1/ns/net" "${@:2}"
}

# host NUMBER: makes a host: a network of its own with the address 10.30.NUMBER.2, and a wire to the router. Sets pid.
# `host router` makes the router.
host() {
	exec {host_fd}< <(exec setpriv --pdeathsig KILL unshare --net sh -c 'ip link set lo up
		echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start; echo $$; exec sleep infinity' 3>&-)
	read -r pid <&"$host_fd"
	[[ $1 != router ]] || return 0
	on "$router" ip link add "h$1" type veth peer name eth0 netns "$pid"
	on "$router" ip address add "10.30.$1.1/24" dev "h$1"
	on "$router" ip link set "h$1" up
	on "$pid" ip address add "10.30.$1.2/24" dev eth0
	on "$pid" ip link set eth0 up
	on "$pid" ip route add default via "10.30.$1.1"
}

# fleet: makes five hosts behind a router. ssh knows them as h1 to h5, and reaches them from the router. On each host
# sshd listens on port 22 and a server on 8080; nothing listens on 81 and 8081. The router's firewall answers what h1
# sends to port 8080 of h2 with an ICMP error, and drops what h3 sends to port 81 of h4. Makes the files hosts and
# targets.
fleet() {
	local n key=$BATS_TEST_TMPDIR/key

	if why=$(server_missing sshd); then skip "$why"; fi
	host router
	router=$pid
	on "$router" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; nft -f -' <<-'END'
		table ip fleet {
			chain forward {
				type filter hook forward priority 0
				ip saddr 10.30.1.2 ip daddr 10.30.2.2 tcp dport 8080 reject with icmp type admin-prohibited
				ip saddr 10.30.3.2 ip daddr 10.30.4.2 tcp dport 81 drop
			}
		}
	END
	"$(server_path ssh-keygen)" -q -t ed25519 -N '' -f "$key"
	mkdir -m 700 .ssh home
	sed "s|^root:.*|root:x:0:0::$PWD:/bin/sh|; s|^nobody:.*|nobody:x:65534:65534::$PWD/home:/bin/sh|" /etc/passwd >passwd
	mount --bind passwd /etc/passwd
	for n in {1..5}; do
		host "$n"
		server_within=(nsenter --net="/proc/$pid/ns/net")
		server_lines="ListenAddress 10.30.$n.2:22
AuthorizedKeysFile $key.pub
StrictModes no
SetEnv TCPPROBE_BACKEND=perl PATH=$PWD:/usr/bin:/bin
PermitTTY no
Subsystem sftp internal-sftp"
		SERVER_DIR=$PWD/h$n server_start sshd 22
		exec {peer_fd}< <(exec setpriv --pdeathsig KILL "${server_within[@]}" "$TP_BUILD/lab/peer" -a 0.0.0.0 -p 8080 open 3>&-)
		read -r <&"$peer_fd"
		echo "h$n" >>hosts
		printf '%s\n' "10.30.$n.2":{22,81,8080,8081} >>targets
		printf 'Host h%s\nHostname 10.30.%s.2\n' "$n" "$n" >>.ssh/config
	done
	printf 'Host *\nUser nobody\nIdentityFile %s\nStrictHostKeyChecking no\nLogLevel ERROR\n' "$key" >>.ssh/config
}

# in_readme BEGINNING: prints the command in the recipes' README that begins with this
in_readme() {
	grep -oP "^ +\\K$1.*" "$recipes/README.md"
}

# matrix COMMAND: runs the command on the router, which reaches the fleet; the command makes the file lines. Sets output
# to the table that the README's jq command makes of that file.
matrix() {
	cp "$recipes"/fleet/* .
	begin_time
	on "$router" sh -c "$1" 3>&-
	end_time
	run sh -c "$(in_readme 'jq -rs')"
}

# cell HOST TARGET
cell() {
	awk -F '  +' -v host="$1" -v target="$2" 'NR == 1 { for (i = 2; i <= NF; i++) if ($i == host) column = i }
		$1 == target { print $column }' <<<"$output"
}

# look_at_load: sets busy_percent, because processors that others use are not free for the test: 100 if there is a
# processor for everybody, 500 if five want each of them.
look_at_load() {
	local load

	read -r load _ </proc/loadavg
	busy_percent=$((10#${load/./} / $(nproc)))
	((busy_percent > 100)) || busy_percent=100
}

# told_right REFUSED: of the table's 100 cells 49 are open, 49 are refused, one is a timeout, and one has the text
# REFUSED
told_right() {
	look_at_load
	assert_equal "${#lines[@]}" 21
	assert_equal "$(cell h1 10.30.2.2:8080)" "$1"
	assert_equal "$(cell h3 10.30.4.2:81)" timeout
	assert_equal "$(grep -ow open <<<"$output" | wc -l)" 49
	assert_equal "$(grep -ow refused <<<"$output" | wc -l)" 49
	assert_took_less $((50 * busy_percent))
}

@test "five hosts by twenty targets, by GNU parallel and ssh: nothing is installed, and the table is right" {
	need_system
	need_tool parallel ssh column
	fleet
	cp "$tree/shell/tcpprobe.sh" .
	matrix "$(in_readme 'sh matrix')"
	told_right unreachable
}

@test "five hosts by twenty targets, by Ansible: the table says who refused" {
	need_system
	need_tool ansible ssh column
	fleet
	cp "$TP_BUILD/static/tcpprobe" .
	export LC_ALL=C.UTF-8
	matrix "$(in_readme 'sh ansible')"
	told_right 'unreachable by 10.30.1.1'
	run sh -c "$(in_readme 'jq -r .select')"
	assert_line --regexp '^ +1 unreachable 10\.30\.1\.1 10\.30\.2\.2:8080$'
	assert_line --regexp '^ +1 timeout - 10\.30\.4\.2:81$'
	matrix 'sh ansible.sh hosts targets command >lines'
	told_right 'unreachable by 10.30.1.1'
}

@test "pods by targets: the words of kubectl exec do it, and a pod that does not answer is seen" {
	need_tool parallel busybox column
	host router
	router=$pid
	image alpine "$TP_BUILD/lab/peer"
	rm alpine/usr/local/bin/tcpprobe
	cp "$tree/shell/tcpprobe.sh" .
	printf '%s\n' '#!/bin/bash' ". '$tree/tests/packages.bash'" \
		'[[ $1,$2,$3,$4 == exec,-i,pod-1,-- ]] && inside alpine "${@:5}"' >kubectl
	chmod +x kubectl
	printf '%s\n' pod-1 pod-2 >hosts
	printf '%s\n' localhost:1 localhost:2 >targets
	PATH=$PWD:$PATH matrix "sh matrix.sh hosts targets 'kubectl exec -i {} --' >lines"
	assert_equal "$(tr -s ' ' <<<"$output")" 'target pod-1 pod-2
localhost:1 refused -
localhost:2 refused -'
}
