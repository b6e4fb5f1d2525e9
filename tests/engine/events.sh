#!/bin/bash
# SPDX-License-Identifier: MIT
# events: what is told, since and until, following, filters, formats.
. "$(dirname "$0")/lib.sh"
setup
"$CLEAVE" events --format '{{.Action}} {{index .Actor.Attributes "name"}}' >"$T/follow" &
follower=$!
begin=$(date +%s)
until_true test -e "$CLEAVE_ROOT/events"
cleave run --name one cleave/tiny sh -c 'exit 4'
cleave start one >/dev/null
cleave wait one >/dev/null
cleave rm one >/dev/null
e() { cleave events --since "$begin" --until "$(date -d '+1 second' +%s)" "$@"; }
told() { [ "$(wc -l <"$T/follow")" = 6 ]; }
until_true told
is "followed" "$(tr '\n' ';' <"$T/follow")" 'create one;start one;die one;start one;die one;destroy one;'
kill $follower
wait $follower 2>/dev/null
is "since and until" "$(e --format '{{.Action}}' | xargs)" 'create start die start die destroy'
like "text" "$(e | head -n 1)" '^20[0-9-]+T[0-9:.]+Z container create [0-9a-f]{64} \(image=cleave/tiny, name=one\)$'
is "filter event" "$(e -f event=die --format '{{index .Actor.Attributes "exitCode"}}' | xargs)" '4 4'
is "filter container" "$(e -f container=one -q 2>/dev/null; e -f container=other | wc -l)" 0
is "filter type" "$(e -f type=image | wc -l)" 0
is "json" "$(e --format json | jq -r .Type | sort -u)" container
is "nothing before" "$(cleave events --since 1 --until 2)" ''
refuse 1 "invalid filter 'nope'" events --since "$begin" -f nope=1
refuse 1 'expected a time' events --since whenever
# a line that a full disk cut is left out
printf '{"Type":"conta\n' >>"$CLEAVE_ROOT/events"
is "damage is left out" "$(e | wc -l)" 6
# a file that grew is moved away and still read
head -c 1100000 /dev/zero | tr '\0' '\n' >>"$CLEAVE_ROOT/events"
cleave run --rm --name two cleave/tiny true
is "the old file is kept" "$(e -f container=one --format '{{.Action}}' | wc -l)" 6
is "and the new one read" "$(e -f container=two --format '{{.Action}}' | xargs)" 'create start die destroy'

# Order, and the end of what is printed
for _ in 1 2 3 4 5; do cleave run --rm --name shortest cleave/tiny true; done
is "start comes before die, however short it is" \
	"$(cleave events --stream=false -f container=shortest --format '{{.Action}}' | xargs -n 4 | sort -u)" 'create start die destroy'
is "--stream=false begins at the beginning" "$(cleave events --stream=false -f event=create -f container=shortest | wc -l)" 5
is "--no-trunc=false" "$(cleave events --stream=false --no-trunc=false -f event=create -f container=shortest |
	awk '{ print length($4) }' | sort -u)" 12

# As Docker: labels are attributes, and the old fields are there too
cleave run --rm --name marked --label colour=red --label name=hidden --label empty= cleave/tiny true
m() { cleave events --stream=false -f container=marked "$@"; }
is "filter label" "$(m -f label=colour=red --format '{{.Action}}' | xargs)" 'create start die destroy'
is "only its name" "$(m -f label=colour | wc -l)" 4
is "another value" "$(m -f label=colour=blue | wc -l)" 0
is "without it" "$(m -f label!=colour | wc -l)" 0
is "all labels count" "$(m -f label=colour=red -f label=other | wc -l)" 0
is "a label does not hide the name" "$(m -f event=die --format '{{json .Actor.Attributes}}')" \
	'{"colour":"red","empty":"","exitCode":"0","image":"cleave/tiny","name":"marked"}'
is "fields" "$(m -f event=create --format '{{.Type}} {{.Status}} {{.From}} {{.Scope}} {{eq .ID .Actor.ID}} {{eq .TimeNano .timeNano}}')" \
	'container create cleave/tiny local true true'
is "json" "$(m -f event=die --format json | jq -r '.status + " " + .from + " " + (.id == .Actor.ID | tostring)')" 'die cleave/tiny true'
big=$(head -c 70000 /dev/zero | tr '\0' x)
printf 'big=%s\n' "$big" >"$T/labels"
cleave run --rm --name heavy --label-file "$T/labels" cleave/tiny true
is "labels that are too long are left out" "$(cleave events --stream=false -f container=heavy --format '{{json .Actor.Attributes}}' | head -n 1)" \
	'{"image":"cleave/tiny","name":"heavy"}'
refuse 1 "invalid filter 'nope': known are container, event," events --stream=false -f nope=1

# A signal is told before what comes of it
order() { cleave events --stream=false -f container="$1" --format '{{.Action}}{{with index .Actor.Attributes "signal"}}={{.}}{{end}}' | xargs; }
for how in 'stop' 'stop -t 0' 'kill -s INT' 'rm -f'; do
	name=ends-${how//[^a-z]/}
	# without --init nothing but KILL ends it
	[ "$how" = 'stop -t 0' ] && init='' || init=--init
	cleave run -d $init --name "$name" cleave/tiny sleep 1000 >/dev/null
	# shellcheck disable=SC2086
	cleave $how "$name" >/dev/null
	cleave wait "$name" >/dev/null 2>&1
done
is "events of stop" "$(order ends-stop)" 'create start kill=15 die stop'
is "events of stop -t 0" "$(order ends-stopt)" 'create start kill=15 kill=9 die stop'
is "events of kill" "$(order ends-kills)" 'create start kill=2 die'
is "events of rm -f" "$(order ends-rmf)" 'create start kill=9 die destroy'
cleave kill ends-stop 2>/dev/null
is "no signal to what has ended" "$(order ends-stop)" 'create start kill=15 die stop'
cleave network create net1 >/dev/null && cleave network rm net1 >/dev/null
is "--filter network" "$(cleave events --stream=false -f network=net1 --format '{{.Action}}' | xargs)" 'create destroy'
