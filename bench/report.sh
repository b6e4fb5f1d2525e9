#!/bin/bash
# SPDX-License-Identifier: MIT
#
# report.sh [OPTION...] - run run.sh with these options, load_save.sh and pull.sh, and print docs/benchmarks.md
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
records=$(mktemp)
trap 'rm -f "$records"' EXIT
load=$(cut -d' ' -f1 /proc/loadavg)
"$here/run.sh" --format json "$@" >"$records"
"$here/load_save.sh" --format json >>"$records"
"$here/pull.sh" --format json >>"$records"

version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo none; }
cat <<END
# Benchmarks

Printed by \`bench/report.sh\`, not by hand: medians of rounds in which every program runs once. [What is
measured](../bench/README.md) and how to read it. Ratios of other machines are alike, times are not.

$(nproc) processors, Linux $(uname -r), $(awk '/MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB, files on \
$(stat -fc %T "${TMPDIR:-/tmp}"), load $load at the start. Debian's crun $(version crun), runc \
$(version runc), podman $(version podman), conmon $(version conmon), docker $(version docker.io).

## Goals

| subject | measured | of the medians | median of the rounds | goal | met |
|---|---|---|---|---|---|
END
jq -r '
def round3: . * 1000 | round / 1000;
def met(yes): if yes then "yes" else "**no**" end;
select(.goal or .goal_ms or .goal_kib)
| if .goal then "| \(.subject)\(if .kind then " " + .kind else "" end) | \(.name) / \(.base) | \(.of_medians) | \(.pairwise // "") | \(.goal) | \(met((.pairwise // .of_medians) <= .goal)) |"
elif .goal_ms then "| \(.subject) | \(.name) | \(.median_ms | round3) ms | | \(.goal_ms) ms | \(met(.median_ms <= .goal_ms)) |"
else "| \(.subject) | \(.name), \(.processes) processes | \(.kib) KiB | | \(.goal_kib) KiB | \(met(.kib <= .goal_kib)) |" end
' "$records"
cat <<END

## Times

| subject | program | least ms | median ms | 90 % below | peak KiB |
|---|---|---|---|---|---|
END
jq -r 'select(.p90_ms) | "| \(.subject) | \(.name) | \(.min_ms) | \(.median_ms) | \(.p90_ms) | \(.peak_kib) |"' "$records"
cat <<END

## Rates

| subject | what | number | seconds | rate |
|---|---|---|---|---|
END
jq -r '(select(.number) | "| \(.subject) | \(.name) | \(.number) | \(.ms / 1000) | \(.number * 10000 / .ms | round / 10) per second |")
, (select(.bytes) | "| \(.subject) | \(.name), \(.kind), \(.log) | \(.bytes) bytes | \(.us / 1000000) | \(.bytes / .us | round) MB/s |")' "$records"
if jq -e 'select(.absent)' "$records" >/dev/null; then
	printf '\nAbsent:\n\n'
	jq -r 'select(.absent) | "- \(.subject): \(.name): \(.absent)"' "$records"
fi
