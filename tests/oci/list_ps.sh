#!/bin/bash
# SPDX-License-Identifier: MIT
# list and ps: formats, fields, ps options, containers of another root.
. "$(dirname "$0")/lib.sh"
setup ps

fails "list of a root that is missing" "$ROOT" list
mkdir "$ROOT"
attempt list
like "list of nothing" "$status $out" '^0 ID +PID +STATUS +BUNDLE +CREATED +OWNER$'
attempt list -q
eq "list -q of nothing" "$status $out" "0 "
attempt list -f json
eq "list -f json of nothing" "$status $out" "0 null"
up
conf '.process.args=["sleep","1000"]' ".linux.cgroupsPath=\"/$ID-2\""
oci create -b "$B" "$ID-2" >/dev/null 2>&1 </dev/null
attempt list -q
eq "list -q" "$out" "$ID"$'\n'"$ID-2"
attempt list --format json
eq "list --format json" "$(jq -c '[.[] | .status]' <<<"$out")" '["running","created"]'
check "has every field" jq -e 'all(.ociVersion and .id and .pid > 0 and .bundle and .rootfs and (.created | test("^20..-.*Z$")) and .owner == "root")' <<<"$out"
attempt list
like "list as table" "$out" "ID +PID +STATUS +BUNDLE +CREATED +OWNER.*$ID +[0-9]+ +running +$B +20.*root"
fails "list with an unknown format" 'format.*xml' list -f xml
mkdir "$ROOT/half"
check "a folder without a state does not disturb" oci list
rmdir "$ROOT/half"
attempt ps -f json "$ID"
eq "ps -f json" "$(jq -c . <<<"$out")" "[$(field pid)]"
oci exec -d "$ID" sleep 500 >/dev/null 2>&1 </dev/null
attempt ps "$ID"
eq "ps: title and two processes" "$(wc -l <<<"$out")" 3
like "ps: columns of ps -ef" "$out" 'UID +PID +PPID .*sleep 1000.*sleep 500'
attempt ps "$ID" -o pid,args
like "ps with ps options" "$out" "^ *PID COMMAND.*$(field pid) sleep 1000"
fails "ps without the PID column" 'PID|pid' ps "$ID" -o args
fails "ps with an unknown format" 'format.*xml' ps -f xml "$ID"
oci delete --force "$ID-2"
down
