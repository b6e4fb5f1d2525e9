#!/bin/bash
# SPDX-License-Identifier: MIT
# --help of every verb and group, unknown words, the manual pages, the completions of bash, zsh and fish.
. "$(dirname "$0")/lib.sh"
setup man zsh fish

# Every verb of the list has a help of its own.
list=$(cleave --help)
verbs=$(sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z ]*[a-z]\)  .*/\1/p' <<<"$list")
like "--help" "$list" 'image import'
[ "$(wc -l <<<"$verbs")" -ge 25 ] && yes || no "number of verbs" "$verbs"
while read -r verb; do
	# shellcheck disable=SC2086 # two words
	out=$(cleave $verb --help)
	is "status of $verb --help" $? 0
	like "$verb --help" "$out" "^Usage: cleave $verb"
	# shellcheck disable=SC2086
	is "help $verb" "$(cleave help $verb)" "$out"
done <<<"$verbs"
is "hidden verbs" "$(grep -c ' _' <<<"$list")" 0
for group in container image kernel volume; do
	like "$group --help" "$(cleave $group --help)" "  $group ls "
	cleave $group >/dev/null
	is "status of $group" $? 1
done
# Explanations of a table begin in one column.
is "columns of ps --help" "$(cleave ps --help | sed -n 's/^\( .*--[^ ]*\( [A-Z=]*\)\?  *\).*/\1/p' | awk '{print length}' | sort -u | wc -l)" 1
like "aliases" "$(cleave ps --help)" 'Also: .*cleave container ls'
is "an alias" "$(cleave container ls --help)" "$(cleave ps --help)"
like "version" "$(cleave version)" '^cleave version [0-9]'

refuse 1 "'nonsense' is not a command" nonsense
refuse 1 "'image nonsense' is not a command" image nonsense
refuse 1 "did you mean 'run'" rnu
refuse 1 "did you mean 'image ls'" image sl
refuse 1 "^cleave: 'pod' is not a command \\(see" pod
refuse 1 "did you mean 'volume'" volum ls
refuse 1 "unknown option --nonsense" ps --nonsense
refuse 125 "did you mean --name" run --nmae x
refuse 1 "did you mean --help" ps --hlep
refuse 1 "template" ps --format '{{.ID'

# What the build installs is made by the program.
mkdir "$T/docs"
cleave _docs "$T/docs"
is "status of _docs" $? 0
while read -r verb; do
	page=$T/docs/man1/cleave-${verb// /-}.1
	out=$(MANWIDTH=100 man -l --warnings "$page" 2>"$T/warnings")
	like "page of $verb" "$out" "cleave-${verb// /-} +- .*SYNOPSIS *.*cleave $verb"
	is "warnings of $verb" "$(cat "$T/warnings")" ''
done <<<"$verbs"
like "page of cleave" "$(man -l "$T/docs/man1/cleave.1" 2>&1)" 'image import'
for verb in run exec start; do
	like "exit statuses of $verb" "$(MANWIDTH=200 man -l "$T/docs/man1/cleave-$verb.1" 2>&1)" '126: the program could not be run'
done
like "environment" "$(man -l "$T/docs/man1/cleave.1" 2>&1)" 'CLEAVE_ROOT.*NO_COLOR'
like "options" "$(MANWIDTH=100 man -l "$T/docs/man1/cleave-run.1" 2>&1)" '-e, --env NAME'

run 0 --name alpha cleave/tiny true
run 0 --name beta cleave/tiny true
PATH=$(dirname "$CLEAVE"):$PATH
# complete SHELL LINE - candidates, sorted, on one line
# shellcheck disable=SC2016 # quoted for the other shell
complete() {
	case $1 in
	bash) bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cleave; printf "%s\n" "${COMPREPLY[@]}"' \
		x "$T/docs/completions/cleave" "${words[@]}" ;;
	fish) fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$T/docs/vendor_completions.d/cleave.fish" "${words[*]}" |
		cut -f 1 ;;
	esac | sort | xargs
}
bash -n "$T/docs/completions/cleave" || no "bash -n"
zsh -n "$T/docs/site-functions/_cleave" || no "zsh -n"
for shell in bash fish; do
	words=(cleave volu)
	is "$shell: a group" "$(complete $shell)" volume
	words=(cleave volume r)
	is "$shell: a verb of a group" "$(complete $shell)" 'remove rm'
	words=(cleave run --healthc)
	is "$shell: no such flag" "$(complete $shell)" ''
	words=(cleave run --cpuset-)
	is "$shell: flags" "$(complete $shell)" '--cpuset-cpus --cpuset-mems'
	words=(cleave rm alpha '')
	like "$shell: instances" "$(complete $shell)" 'alpha beta'
	words=(cleave rm -f al)
	is "$shell: instances after a flag" "$(complete $shell)" alpha
	words=(cleave container rm be)
	is "$shell: an alias" "$(complete $shell)" beta
	words=(cleave --root "$T/other" rm '')
	is "$shell: another store" "$(complete $shell)" "$([ $shell = bash ] || echo 'alpha beta')"
	words=(cleave run --name x cleave/)
	is "$shell: images" "$(complete $shell)" cleave/tiny:latest
	words=(cleave exec alpha /et)
	like "$shell: files" "$(complete $shell)" '^/etc/?$'
done
# zsh completes in a terminal only
out=$(
	python3 - "$T/docs/site-functions" <<'PYTHON'
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execlp("zsh", "zsh", "-f", "-i")
def talk(text, until, seconds=20):
    os.write(fd, text)
    have, end = b"", time.time() + seconds
    while until not in have and time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            have += os.read(fd, 4096)
    return have
# a key prints the line as it is and begins a new one
talk(b"fpath=(%s $fpath); autoload -U compinit; compinit -u -D; "
     b"show() { print -r -- \"LINE[$BUFFER]\"; BUFFER=; }; zle -N show; bindkey '^G' show; print rea''dy\n"
     % sys.argv[1].encode(), b"ready")
for line, want in ((b"cleave rm al\t", b"cleave rm alpha"), (b"cleave image impo\t", b"cleave image import"),
                   (b"cleave run --cpuset-c\t", b"--cpuset-cpus"), (b"cleave run --name x cleave/t\t", b"cleave/tiny:latest")):
    have = talk(line + b"\x07", b"]\r\n")
    print("ok" if want in have[have.find(b"LINE["):] else have)
PYTHON
)
is "zsh" "$(xargs <<<"$out")" 'ok ok ok ok'
