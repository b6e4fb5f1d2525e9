#!/bin/bash
# SPDX-License-Identifier: MIT
# inspect, ps, stats and top: what they show, filters and templates.
. "$(dirname "$0")/lib.sh"
setup
cleave run -d --name one -l a=b -l c=d -e X=1 -m 64m --cpus 1.5 -w /tmp cleave/tiny sleep 1000 >/dev/null
cleave create --name two -l a=c --read-only cleave/tiny true >/dev/null
cleave run --name three cleave/tiny sh -c 'exit 3'
f() { cleave inspect -f "$@"; }
is "inspect prints a list" "$(cleave inspect one two | jq -r '.[].Name' | xargs)" '/one /two'
is "template" "$(f '{{.Name}} {{.State.Status}} {{.Config.WorkingDir}}' one)" '/one running /tmp'
is "limits" "$(f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}' one)" '67108864 1500000000'
is "range" "$(f '{{range .Config.Env}}{{println .}}{{end}}' one | grep -c '^X=1$')" 1
is "labels" "$(f '{{index .Config.Labels "a"}}{{index .Config.Labels "x"}}' one)" b
is "json" "$(f '{{json .Config.Labels}}' one)" '{"a":"b","c":"d"}'
is "exit code" "$(f '{{.State.ExitCode}} {{.State.Running}}' three)" '3 false'
is "environment without what the engine adds" "$(f '{{.Config.Env}}' one)" '[PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin X=1]'
cleave create --name mounts -t -v v:/v -v "$T:/t:ro" -v /anon --tmpfs /m --stop-timeout 3 cleave/tiny >/dev/null
is "what there is none of" "$(f '{{json .HostConfig.Binds}} {{json .HostConfig.Tmpfs}} {{json .Config.Volumes}} {{json .HostConfig.Links}} {{.HostConfig.ContainerIDFile}}' one)" 'null null null null '
is "mounts, as they were asked for" "$(f '{{json .HostConfig.Binds}} {{json .Config.Volumes}} {{(index .Mounts 0).Mode}}' mounts)" "[\"v:/v\",\"$T:/t:ro\"] {\"/anon\":{}} z"
is "what it is attached to" "$(f '{{.Config.AttachStdout}}' one) $(f '{{.Config.AttachStdout}} {{.Config.StopTimeout}}' mounts)" 'false true 3'
cleave rm -v mounts >/dev/null
is "its pid" "$(tr '\0' ' ' <"/proc/$(f '{{.State.Pid}}' one)/cmdline")" 'sleep 1000 '
is "read-only" "$(f '{{.HostConfig.ReadonlyRootfs}}' two)" true
refuse 1 'template parsing error' inspect -f '{{.Name' one
refuse 1 "can't evaluate field" inspect -f '{{.Name.First}}' one
refuse 1 'template: :1:8: executing "" at <.State.Nope>: map has no entry for key "Nope"$' inspect -f '{{.State.Nope}}' one
refuse 1 'executing "" at <.State.Health.Status>: map has no entry for key "Health"$' inspect -f '{{.State.Health.Status}}' one
is "what Docker leaves out is no mistake" "$(f '{{if .State.Health}}x{{end}}{{.Config.Labels.nope}}' one)" '<no value>'
out=$(cleave inspect one nobody 2>&1 >"$T/one")
is "one that is not there" "$?" 1
like "its message" "$out" 'no such object'
is "the other is shown" "$(jq length "$T/one")" 1
# ps
p() { cleave ps -a "$@"; }
is "names" "$(p --format '{{.Names}}' | xargs)" 'three two one'
is "a table of one's own" "$(p --format 'table {{.Names}}\t{{.State}}' | head -1)" 'NAMES     STATE'
is "label of a row" "$(p --format '{{.Label "a"}}' | xargs)" 'c b'
is "columns line up" "$(p | awk '{print index($0, "cleave/tiny")}' | sort -u | tail -n +2 | wc -l)" 1
is "status" "$(p -q -f status=exited | wc -l)" 1
is "status, two of them" "$(p -q -f status=exited -f status=created | wc -l)" 2
is "exited" "$(p -f exited=3 --format '{{.Names}}')" three
is "label" "$(p -f label=a --format '{{.Names}}' | xargs)" 'two one'
is "labels, both" "$(p -f label=a=b -f label=c --format '{{.Names}}')" one
is "name" "$(p -f name=^t --format '{{.Names}}' | xargs)" 'three two'
is "name, as Docker's" "$(p -f 'name=^/one$' --format '{{.Names}}')" one
is "ancestor" "$(p -q -f ancestor=cleave/tiny:latest | wc -l)" 3
is "since" "$(p -f since=one --format '{{.Names}}' | xargs)" 'three two'
is "before" "$(p -f before=two --format '{{.Names}}')" one
is "-l" "$(cleave ps -l --format '{{.Names}}')" three
is "-n 2" "$(cleave ps -n 2 -q | wc -l)" 2
is "without -a" "$(cleave ps --format '{{.Names}}')" one
is "json" "$(p --format json | jq -r .Names | xargs)" 'three two one'
refuse 1 "invalid filter 'nope'" ps -f nope=1
refuse 1 "invalid filter 'status=nope'" ps -f status=nope
refuse 1 'expected NAME=VALUE' ps -f nope
# stats and top
like "stats" "$(cleave stats --no-stream)" 'one +[0-9.]+% +[0-9.]+[KM]iB / 64MiB'
is "stats of those that run" "$(cleave stats --no-stream --format '{{.Name}}')" one
is "stats -a" "$(cleave stats -a --no-stream --format '{{.Name}}' | wc -l)" 3
is "processes" "$(cleave stats --no-stream --format '{{.PIDs}}' one)" 1
like "top" "$(cleave top one)" 'UID.*PID.*CMD.*sleep 1000'
is "top with options" "$(cleave top one -o pid,comm | tail -n 1 | awk '{print $2}')" sleep
run 0 -d --name other -u 5000 cleave/tiny sleep 1000
is "top of another user, who is not asked for by -e" "$(cleave top other -o uid,pid,comm | awk '{print $1, $3}' | xargs)" 'UID COMMAND 5000 sleep'
is "what cannot be combined with a list of processes" "$(cleave top other -eo pid,comm | awk 'NR > 1 {print $2}')" sleep
cleave rm -f other >/dev/null
refuse 1 'is not running' top two
refuse 1 'no column PID' top one -o comm
cleave rm -f one two three >/dev/null
is "Go's names of fields" "$(cleave inspect -f '{{eq .ID .Id}} {{.os}} {{.config.cmd}}' cleave/tiny)" 'true linux [sh]'
is "an exact name counts more" "$(cleave create --name cases -l ab=1 -l AB=2 cleave/tiny >/dev/null; cleave inspect -f '{{.Config.Labels.AB}}{{.Config.Labels.ab}}' cases)" 21
out=$(cleave inspect nothing 2>&1 >/dev/null)
is "of nothing" "$out" "cleave: no such object: 'nothing' is neither an instance, nor an image, a volume or a network"
is "no path of a log that is no file" "$(cleave create --log-driver none --name mute cleave/tiny >/dev/null; cleave inspect -f '[{{.LogPath}}]' mute)" '[]'
