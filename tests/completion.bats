#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The completions in real shells: a line is typed, then a TAB. Each shell finds its file where `make install` puts it.

setup() {
	load lib
	home=$BATS_TEST_TMPDIR/home share=$BATS_TEST_TMPDIR/home/share
	mkdir -p "$home"/{.ssh,bin}
	printf '#!/bin/sh\n' >"$home/bin/a-command" && chmod +x "$home/bin/a-command"
	put tcpprobe.bash bash-completion/completions/tcpprobe
	put _tcpprobe zsh/site-functions/_tcpprobe
	put tcpprobe.fish fish/vendor_completions.d/tcpprobe.fish
	cat >"$home/.ssh/known_hosts" <<-'END'
		|1|c2FsdHNhbHRzYWx0c2FsdA==|aGFzaGhhc2hoYXNoaGFzaA= ssh-ed25519 AAAA
		db-known,192.0.2.7 ssh-ed25519 AAAA
		[web.known.test]:2222 ssh-ed25519 AAAA
		@cert-authority *.known.test,ca-known ssh-ed25519 AAAA
	END
	user=(env -i "PATH=$home/bin:$TP_BUILD:$PATH" "HOME=$home" "XDG_DATA_HOME=$share" "XDG_DATA_DIRS=$share" "XDG_CONFIG_HOME=$home/config"
		"XDG_CACHE_HOME=$home/cache" "ZDOTDIR=$home" INPUTRC=/dev/null HISTFILE= LC_ALL=C TERM=dumb COLUMNS=120 LINES=200)
	cd "$home" || return
}

# put FILE WHERE
put() {
	mkdir -p "$share/${2%/*}"
	cp "$tree/shell/completion/$1" "$share/$2"
}

need_shell() {
	command -v "$1" >/dev/null || skip "there is no $1"
	[[ $1 != bash ]] || need_bash_completion
}

need_bash_completion() {
	for bash_completion in {/usr,/usr/local,/opt/homebrew}/share/bash-completion/bash_completion; do
		[[ ! -e $bash_completion ]] || return 0
	done
	skip 'there is no bash-completion'
}

# bash_rc: prints a user's ~/.bashrc, in which ^T shows the line that was typed. setup_bash: commands to run in it
# instead of reading bash-completion.
bash_rc() {
	cat <<-END
		PS1='> '
		bind 'set show-all-if-ambiguous on'
		bind 'set completion-query-items 0'
		bind 'set page-completions off'
		bind 'set enable-bracketed-paste off'
		bind -x '"\C-t": printf "<%s>\n" "\$READLINE_LINE"'
		${setup_bash-. "$bash_completion"}
	END
}

zsh_rc() {
	cat <<-END
		fpath=("$share/zsh/site-functions" \$fpath)
		autoload -Uz compinit && compinit -u -D
		setopt no_beep no_prompt_sp no_prompt_cr
		LISTMAX=1000 PS1='> '
		show() { zle -I; print -r -- "<\$BUFFER>"; }
		zle -N show && bindkey '^T' show
	END
}

# typed SHELL TEXT: types the text and a TAB. Sets line to what the text has become, and output to what the shell
# offered.
typed() {
	case $1 in
		bash)
			bash_rc >"$home/rc"
			run "${within[@]}" "${user[@]}" "$shell" --rcfile "$home/rc" -i < <(printf '%s\t\024\025' "$2") 3>&-
			;;
		zsh)
			zsh_rc >"$home/.zshrc"
			run "${within[@]}" "${user[@]}" timeout 20 zsh -f -c '
				zmodload zsh/zpty && zpty z "stty cols 120 rows 200; exec zsh -d -i" && zpty -r z all "*> " &&
				zpty -w -n z "$1"$'\''\t\024'\'' && zpty -r z all "*<*>" && print -r -- "$all"' zsh "$2" 3>&-
			;;
		fish)
			# shellcheck disable=SC2016
			run "${within[@]}" "${user[@]}" "typed=$2" fish -c 'complete -C "$typed"' 3>&-
			((${#lines[@]} != 1)) || output+=$'\n'"<${2%"${2##* }"}${output%%$'\t'*}>"
			;;
	esac
	output=${output//$'\r'/}
	line=${output##*<} line=${line%%>*}
	# The shell puts a blank behind a word that is complete.
	line=${line%"${line##*[! ]}"}
	mapfile -t lines <<<"$output"
}

# becomes SHELL TEXT LINE
becomes() {
	typed "$1" "$2"
	assert_equal "$line" "$3"
}

# offers SHELL TEXT WORD...: the shell offers each WORD, as a word of its own
offers() {
	typed "$1" "$2"
	for word in "${@:3}"; do
		assert_output --regexp "(^|[[:space:]])$word([[:space:]]|$)"
	done
}

# options: prints letter, name and the first ten characters of the help of each option, except for those that only the
# builtin has
options() {
	"$TP_BUILD/tcpprobe" -h | sed -nE 's/^  -(.), --([a-z0-9-]+)( [A-Z]+)? +(.{10}).*/\1 \2 \4/p' | grep -v ' builtin:'
}

offers_every_option() {
	need_shell "$1"
	(($(options | wc -l) > 15))
	typed "$1" 'tcpprobe --'
	while read -r _ name help; do
		assert_output --regexp $'(^|\n)'"--${name}[[:space:]][^"$'\n'"]*$help"
	done < <(options)
	typed "$1" 'tcpprobe -'
	while read -r letter _ help; do
		assert_output --regexp "(^|[[:space:]])-${letter}[[:space:],][^"$'\n'"]*$help"
	done < <(options)
	becomes "$1" 'tcpprobe db 5432 --time' "tcpprobe db 5432 --timeout$2"
}

@test "bash offers every option with its help" {
	offers_every_option bash ''
}

@test "zsh offers every option with its help" {
	offers_every_option zsh =
}

@test "fish offers every option with its help" {
	offers_every_option fish ''
}

offers_hosts() {
	need_shell "$1"
	offers "$1" 'tcpprobe ' localhost db-known 192.0.2.7 web.known.test ca-known
	refute_output --partial '|1|'
	refute_output --partial '*'
	becomes "$1" 'tcpprobe -qvt 5 -w 3 --wait 1 db-k' 'tcpprobe -qvt 5 -w 3 --wait 1 db-known'
	becomes "$1" 'tcpprobe db:1 web.k' 'tcpprobe db:1 web.known.test'
}

@test "bash offers hosts" {
	offers_hosts bash
}

@test "zsh offers hosts" {
	offers_hosts zsh
}

@test "fish offers hosts" {
	offers_hosts fish
}

offers_ports() {
	need_shell "$1"
	offers "$1" 'tcpprobe db postgres' postgres postgresql
	becomes "$1" 'tcpprobe db postgresq' 'tcpprobe db postgresql'
	becomes "$1" 'tcpprobe ::1 -q 22,zook' 'tcpprobe ::1 -q 22,zookeeper'
	becomes "$1" 'tcpprobe 192.0.2.0/24 zook' 'tcpprobe 192.0.2.0/24 zookeeper'
	becomes "$1" 'tcpprobe db:zook' 'tcpprobe db:zookeeper'
	becomes "$1" 'tcpprobe db:1 [::1]:22,zook' 'tcpprobe db:1 [::1]:22,zookeeper'
}

@test "bash offers services behind a host" {
	offers_ports bash
}

@test "zsh offers services behind a host" {
	offers_ports zsh
}

@test "fish offers services behind a host" {
	offers_ports fish
}

@test "fish is silent about lists of hosts and services that are not there" {
	need_shell fish
	need_lab
	mkdir "$BATS_TEST_TMPDIR/etc"
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c 'mount --bind "$0" /etc && exec "$@"' "$BATS_TEST_TMPDIR/etc")
	becomes fish 'tcpprobe db zook' 'tcpprobe db zookeeper'
	typed fish 'tcpprobe zz'
	refute_output --partial /etc
}

offers_files_and_commands() {
	need_shell "$1"
	touch a-file-of-targets
	becomes "$1" 'tcpprobe -qf a-fi' 'tcpprobe -qf a-file-of-targets'
	becomes "$1" 'tcpprobe --file=a-fi' 'tcpprobe --file=a-file-of-targets'
	becomes "$1" 'tcpprobe --source l' 'tcpprobe --source lo'
	typed "$1" 'tcpprobe -t '
	refute_output --partial localhost
	becomes "$1" 'tcpprobe db 5432 -- a-comm' 'tcpprobe db 5432 -- a-command'
	becomes "$1" 'tcpprobe db 5432 -- cat a-fi' 'tcpprobe db 5432 -- cat a-file-of-targets'
	becomes "$1" 'tcpprobe db 5432 -- tcpprobe db-k' 'tcpprobe db 5432 -- tcpprobe db-known'
}

@test "bash offers files behind -f, interfaces behind -s, and what another command wants behind --" {
	offers_files_and_commands bash
}

@test "zsh offers files behind -f, interfaces behind -s, and what another command wants behind --" {
	offers_files_and_commands zsh
}

@test "fish offers files behind -f, interfaces behind -s, and what another command wants behind --" {
	offers_files_and_commands fish
}

# -- Names that a shell would read as something else

survives_hostile_names() {
	local hostile

	need_shell "$1"
	need_lab
	# From k to u each name is the only one with its first letter, so that a TAB would insert it if it were offered.
	hostile=('k$(touch${IFS}pwned)' 'l`touch${IFS}pwned`' "m'touch" 'n"touch' 'o;touch${IFS}pwned;' 'p\touch' 'q*' 'r!' 's~'
		$'t\e[31m' 'u<touch' '-v' '$(touch${IFS}pwned)' '--wait=0' '=x' '%n' '{a,b}')
	printf '%s ssh-ed25519 AAAA\n' "${hostile[@]}" >"$home/.ssh/known_hosts"
	printf '192.0.2.1 %s\n' "${hostile[@]}" 'plain # k-comment' >"$home/hosts"
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$home/hosts")
	offers "$1" 'tcpprobe ' plain
	refute_output --partial touch
	refute_output --partial comment
	for word in k l m n o p q r s t u; do
		typed "$1" "tcpprobe $word"
		refute_output --partial "tcpprobe $word"[!$'\n'\>]
	done
	[[ ! -e pwned ]]
}

@test "bash neither offers nor evaluates hostile names of hosts" {
	survives_hostile_names bash
}

@test "zsh neither offers nor evaluates hostile names of hosts" {
	survives_hostile_names zsh
}

@test "fish neither offers nor evaluates hostile names of hosts" {
	survives_hostile_names fish
}

# -- bash alone

@test "bash: what the builtin alone has is offered where it is loaded, variables behind it" {
	need_bash_completion
	becomes bash 'tcpprobe --outp' 'tcpprobe --outp'
	setup_bash=". '$bash_completion'; enable -f '$so' tcpprobe; my_reports=(open)"
	becomes bash 'tcpprobe --outp' 'tcpprobe --output'
	becomes bash 'tcpprobe -qo my_rep' 'tcpprobe -qo my_reports'
	becomes bash 'tcpprobe db 5432 -u my_rep' 'tcpprobe db 5432 -u my_reports'
	becomes bash 'tcpprobe db zook' 'tcpprobe db zookeeper'
}

@test "bash: without bash-completion the file is read by itself" {
	setup_bash=". '$share/bash-completion/completions/tcpprobe'"
	becomes bash 'tcpprobe db:zook' 'tcpprobe db:zookeeper'
	becomes bash 'tcpprobe db 5432 -- a-comm' 'tcpprobe db 5432 -- a-command'
	touch a-file-of-targets
	becomes bash 'tcpprobe db 5432 -- cat a-fi' 'tcpprobe db 5432 -- cat a-file-of-targets'
}

@test "bash: shells that treat colons and unset variables otherwise" {
	setup_bash="set -u; COMP_WORDBREAKS=\${COMP_WORDBREAKS//[:=]/}; . '$share/bash-completion/completions/tcpprobe'"
	becomes bash 'tcpprobe db:zook' 'tcpprobe db:zookeeper'
	becomes bash 'tcpprobe --source=l' 'tcpprobe --source=lo'
	becomes bash 'tcpprobe -q web.k' 'tcpprobe -q web.known.test'
}

@test "bash: the first command of a line is not that which is completed" {
	need_bash_completion
	becomes bash 'tcpprobe -T; X=1 tcpprobe db zook' 'tcpprobe -T; X=1 tcpprobe db zookeeper'
}

@test "zsh: what excludes an option that was given is not offered" {
	need_shell zsh
	typed zsh 'tcpprobe -4 --i'
	refute_output --partial ipv6
	becomes zsh 'tcpprobe -j --f' 'tcpprobe -j --file='
}
