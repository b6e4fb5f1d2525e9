#!/bin/bash
# SPDX-License-Identifier: MIT
# events: --stats, the stream, --interval, the out-of-memory event.
. "$(dirname "$0")/lib.sh"
setup
cg_dir memory >/dev/null || skip "no cgroup v1"

up '.linux.resources={memory:{limit:33554432},pids:{limit:20}}'
attempt events --stats "$ID"
check "stats are JSON" jq -e . <<<"$out"
check "type and id" jq -e --arg id "$ID" '.type == "stats" and .id == $id' <<<"$out"
check "cpu" jq -e '.data.cpu.usage.total > 0 and (.data.cpu.usage.percpu | type == "array") and (.data.cpu.throttling | type == "object")' <<<"$out"
check "memory" jq -e '.data.memory.usage.usage > 0 and .data.memory.usage.limit == 33554432 and (.data.memory.raw | type == "object")' <<<"$out"
check "pids" jq -e '.data.pids.current == 1 and .data.pids.limit == 20' <<<"$out"
check "blkio" jq -e '.data.blkio | type == "object"' <<<"$out"
eq "one line" "$(wc -l <<<"$out")" 1
timeout 1 "$OCI" --root "$ROOT" events --interval 100ms "$ID" >"$T/stream"
check "--interval: several in a second" test "$(wc -l <"$T/stream")" -ge 4
check "each is JSON" jq -es 'all(.type == "stats")' "$T/stream"
fails "an interval of 0" 'interval' events --interval 0s "$ID"
fails "an interval that is none" 'interval.*soon' events --interval soon "$ID"

"$OCI" --root "$ROOT" events --interval 10s "$ID" >"$T/oom" &
ev=$!
soon sh -c "ls -l /proc/$ev/fd | grep -qE 'eventfd|inotify'" # it listens
for n in 1 2 3 4; do # the counter changes after the kernel has told
	attempt exec "$ID" sh -c 'head -c 100000000 /dev/zero | tail -c 99999999 >/dev/null; echo $?'
	check "oom event $n" soon sh -c "[ \"\$(grep -c '\"oom\"' '$T/oom')\" -ge $n ]"
done
eq "with type and id" "$(head -1 "$T/oom" | jq -c .)" "{\"type\":\"oom\",\"id\":\"$ID\"}"
oci kill "$ID" KILL
soon sh -c "! kill -0 $ev" || no "events ends with the container"
kill $ev 2>/dev/null
wait
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
fails "of a stopped container" 'not running' events --stats "$ID"
