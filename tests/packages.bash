# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Fetches packages of any Debian release from where this system gets its own, and unpacks them. It never installs them.
#
#	apt_of RELEASE FOLDER ARG...              runs apt-get for that release; it keeps all in FOLDER. Variables:
#	                                          source_type, deb (the default) or deb-src; architecture, that of the
#	                                          packages (default: this system's)
#	unpack_packages RELEASE ROOT PACKAGE...   unpacks them into ROOT; if ROOT exists, it is complete already

# shellcheck source=/dev/null
[[ ! -e /etc/os-release ]] || . /etc/os-release

# sources_of RELEASE: prints where this system gets the packages of its own release, rewritten for another release:
# "deb [options] URI SUITE main".
sources_of() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		awk -v own="$VERSION_CODENAME" -v release="$1" -v type="${source_type:-deb}" '
			function stanza() {
				if (match(" " suites " ", " " own " "))
					printf "%s %s %s %s main\n", type, key ? "[signed-by=" key "]" : "", uri, release
				suites = uri = key = ""
			}
			$1 == "deb" {
				options = ""
				if (match($0, /\[[^]]*\]/)) { options = substr($0, RSTART, RLENGTH); sub(/\[[^]]*\] */, "") }
				if ($3 == own) print type, options, $2, release, "main"
			}
			/^[Uu][Rr][Ii][Ss]:/ { uri = $2 }
			/^[Ss]uites:/ { sub(/^[^:]*: */, ""); suites = $0 }
			/^[Ss]igned-[Bb]y:/ { key = $2 }
			/^[ \t]*$/ { stanza() }
			END { stanza() }' | head -n 1
}

# This does not change the system's own apt state. It checks signatures but not their age: the tests are for packages
# that many people have, not for the newest ones, and a mirror may be out of date.
apt_of() {
	local state=$2

	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	sources_of "$1" >"$state/sources.list"
	: >"$state/status"
	apt-get -qq ${architecture:+-o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture"} -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
		-o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User= \
		-o Acquire::Check-Valid-Until=false \
		-o Acquire::Languages=none "${@:3}"
}

unpack_packages() {
	local new=$2.new deb package

	[[ ! -d $2 ]] || return 0
	rm -rf "$new"
	mkdir -p "$new/apt"
	apt_of "$1" "$new/apt" update && (cd "$new/apt" && for package in "${@:3}"; do
		apt_of "$1" "$new/apt" download "$package" || exit
	done) || return
	for deb in "$new"/apt/*.deb; do
		dpkg -x "$deb" "$new" || return
	done
	rm -rf "$new/apt" && mv "$new" "$2"
}

# make_root RELEASE ROOT: makes the smallest Debian of that release that has a package manager; only root can. If ROOT
# exists, it is complete, and nothing is done.
make_root() {
	local new=$2.new source uri keyring script=/usr/share/debootstrap/scripts

	[[ ! -d $2 ]] || return 0
	source=$(sources_of "$1")
	uri=$(sed -E 's/^deb +(\[[^]]*\])? *([^ ]+) .*/\2/' <<<"$source")
	keyring=$(sed -nE 's/.*signed-by=([^] ,]+).*/\1/p' <<<"$source")
	# A release that this debootstrap does not know yet is made like the newest one.
	[[ -e $script/$1 ]] && script+=/$1 || script+=/sid
	rm -rf "$new"
	debootstrap --variant=minbase ${keyring:+"--keyring=$keyring"} "$1" "$new" "$uri" "$script" &&
		echo 'Acquire::Check-Valid-Until "false"; Acquire::Languages "none";' >"$new/etc/apt/apt.conf.d/99tests" &&
		rm -f "$new"/var/cache/apt/archives/*.deb && mv "$new" "$2"
}

# inside ROOT COMMAND...: runs the command with that folder as its root, and with this system's network. The mounts
# vanish when it ends.
inside() {
	local map=()

	[[ $(id -u) == 0 ]] || map=(--map-root-user)
	# shellcheck disable=SC2016
	unshare "${map[@]}" --mount --propagation private sh -c '
		mount -t proc proc "$0/proc" 2>/dev/null || mount --rbind /proc "$0/proc" || exit
		for device in null zero full random urandom tty; do
			[ -e "$0/dev/$device" ] || : >"$0/dev/$device"
			mount --bind "/dev/$device" "$0/dev/$device" || exit
		done
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
			DEBIAN_FRONTEND=noninteractive "$(command -v chroot)" "$0" "$@"' "$@"
}
