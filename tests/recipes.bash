# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034 # health, entry and cmd are for who calls image
#
# Plays the Dockerfile of doc/recipes without docker: a stage is a folder that has just what its image would have.
#
#	stage_lines STAGE    prints its instructions
#	put ROOT PROGRAM...  copies programs of this system, and the libraries that they need, to their places in ROOT
#	image STAGE SERVER   makes the folder, root, with the file SERVER as the user's server; sets health, entry and
#	                     cmd to the words of HEALTHCHECK, ENTRYPOINT and CMD

recipes=${BASH_SOURCE[0]%/*}/../doc/recipes

stage_lines() {
	awk -v stage="$1" '$1 == "FROM" { inside = $NF == stage } inside && NF && !/^#/' "$recipes/Dockerfile"
}

put() {
	local program

	for program in "${@:2}"; do
		{
			echo "$program"
			ldd "$program" 2>/dev/null | grep -oE '/[^ ]+'
		} | xargs cp -L --parents -t "$1"
	done
}

# base_of IMAGE: what FROM brings, as far as it matters to tcpprobe. A real Debian has more programs than this, all
# programs of an Alpine are busybox, and the other images have none.
# shellcheck disable=SC2016 # DISTROLESS is the Dockerfile's
base_of() {
	case $1 in
		debian:*) put "$root" /bin/sh ;;
		alpine)
			put "$root" "$(type -P busybox)" && mkdir -p "$root/bin" &&
				busybox --list | (cd "$root/bin" && xargs -n 1 ln -sf "$(type -P busybox)")
			;;
		scratch | '$DISTROLESS') ;;
		*) echo "no root for FROM $1" >&2 && return 1 ;;
	esac
}

# words_of TEXT: sets words to the command that TEXT has, as a list in JSON or as a line for the shell.
words_of() {
	if [[ $1 == \[* ]]; then
		mapfile -t words < <(jq -r '.[]' <<<"$1")
	else
		words=(/bin/sh -c "$1")
	fi
}

# copy FILE FOLDER/
copy() {
	mkdir -p "$root$2" && cp "$1" "$root$2"
}

# The folder also has what docker mounts: /dev, /proc and a hosts file.
image() {
	local instruction rest from to words

	root=$BATS_TEST_TMPDIR/$1
	mkdir -p "$root"/{dev,proc,etc}
	echo '127.0.0.1 localhost db' >"$root/etc/hosts"
	while read -r instruction rest; do
		case $instruction,$rest in
			FROM,*) base_of "${rest% AS *}" ;;
			COPY,--from=build\ *)
				read -r _ from to <<<"$rest"
				copy "$TP_BUILD/${from#/src/build/}" "$to"
				;;
			COPY,server\ *) copy "$2" "${rest#* }" && put "$root" "$2" ;;
			HEALTHCHECK,*CMD\ *) words_of "${rest#*CMD }" && health=("${words[@]}") ;;
			ENTRYPOINT,*) words_of "$rest" && entry=("${words[@]}") ;;
			CMD,*) words_of "$rest" && cmd=("${words[@]}") ;;
			*) echo "unknown: $instruction $rest" >&2 && return 1 ;;
		esac || return
	done < <(stage_lines "$1")
}
