#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# doc/recipes: every file is run as it stands, where it would run: in a root that has just what its image would have, or on
# hosts of our own.

setup() {
	load lib
	load servers
	load packages
	load recipes
	need_lab
	[[ -x $TP_BUILD/static/tcpprobe ]] || skip 'no static program here (make static)'
	cd "$BATS_TEST_TMPDIR" || return
	containers=()
	# The recipes find the program; what .ci/deps has unpacked comes last.
	export HOME=$BATS_TEST_TMPDIR PATH=$TP_BUILD:$PATH:$(server_folders) PYTHONPATH=$server_tree/usr/lib/python3/dist-packages
}

teardown() {
	local pid

	for pid in "${containers[@]}"; do
		pkill -KILL -P "$pid" || true
		wait "$pid" || true
	done
	! mountpoint -q /etc/passwd || umount /etc/passwd
}

need_tool() {
	local tool

	for tool; do
		type -P "$tool" >/dev/null || skip "no $tool here (.ci/deps recipes brings it)"
	done
}

# The python that the system's packages are for.
python() {
	[[ -x /usr/bin/python3 ]] || skip 'no python3 here (.ci/deps recipes brings it)'
	/usr/bin/python3 "$@"
}

# of_yaml FILE FILTER: what jq finds in it
of_yaml() {
	python -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)' <"$recipes/$1" | jq -er "$2"
}

# -- Images

# A server: accepts on port 8080.
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

# contain COMMAND...: in the root, in the background, until it waits in the network
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
	server_await 5 healthy || fail "$(cat out)"
}

@test "a slim image: the server starts when the database is open, and is healthy then" {
	works_in slim
}

@test "an Alpine image: the server starts when the database is open, and is healthy then" {
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
	assert_equal "$(cut -d ' ' -f 1,2 out)" 'db:5432 open'
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
	# As the runner does.
	run env "${variables[@]}" bash --noprofile --norc -eo pipefail step.sh
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
	assert_line --index 2 --regexp "^gauge tcpprobe_connect_seconds localhost $port 0\.0[0-9]*|[0-9.]+e-05$"
	assert_equal "${#lines[@]}" 3
	cp tcpprobe.prom before
	run sh "$recipes/prometheus.sh" none tcpprobe.prom
	refute [ "$status" = 0 ]
	cmp before tcpprobe.prom
}

# systemd RUN: a manager of ours, with the units of the recipes, runs in namespaces of its own; RUN is a script beside it.
# There /usr/local/bin has the program, a server, and a mail that keeps what it is given in the file mail.
with_systemd() {
	local manager

	manager=$(PATH=/usr/lib/systemd:/lib/systemd:$server_tree/usr/lib/systemd:$server_tree/lib/systemd type -P systemd) ||
		skip 'no systemd here (.ci/deps recipes brings it)'
	make_server
	mkdir -p bin .config/systemd/user etc/tcpprobe
	cp "$TP_BUILD/static/tcpprobe" server bin/
	printf '#!/bin/sh\n(echo "$*"; cat) >%s\n' "$PWD/mail" >bin/mail
	chmod +x bin/mail
	cp "$recipes"/systemd/* .config/systemd/user/
	cp -R /etc/. etc/ 2>/dev/null || true
	echo '127.0.0.1 localhost db' >etc/hosts
	run timeout -s KILL 30 setpriv --pdeathsig KILL unshare --mount --cgroup --pid --fork --kill-child --mount-proc bash -c '
		set -e
		mount --bind bin /usr/local/bin
		mount --bind etc /etc
		mount -t tmpfs run /run
		mount -t tmpfs cgroup /sys/fs/cgroup
		mount -t cgroup2 cgroup /sys/fs/cgroup || exit 77
		mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR"
		"$0" --user --unit=basic.target >log 2>&1 &
		until systemctl --user is-system-running 2>/dev/null | grep -q running; do kill -0 $!; done
		eval "$1"' "$manager" "$1"
	((status != 77)) || skip "contract: a manager of our own may not be had: $output"
}

@test "systemd: the server starts when the database is open; a target that is not open is told by mail" {
	export XDG_RUNTIME_DIR=/run/user
	mkdir -p etc/tcpprobe
	printf '%s\n' db:5432 db:1 >etc/tcpprobe/targets
	peer -p 5432 late 0.5
	with_systemd '
		systemctl --user start server.service
		systemctl --user is-active server.service
		tcpprobe -v db:8080
		systemctl --user start tcpprobe.timer
		until [ -s mail ]; do :; done
		systemctl --user show --value --property NextElapseUSecMonotonic tcpprobe.timer'
	echo "$output"
	cat log mail
	false
}
