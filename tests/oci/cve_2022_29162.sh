#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2022-29162 and crun CVE-2022-27650: capabilities that exec makes inheritable.
. "$(dirname "$0")/lib.sh"
setup

show='awk "/^CapInh|^CapAmb/ { print \$2 }" /proc/self/status'
zero=$'0000000000000000\n0000000000000000'
up '.process.capabilities=({bounding:["CAP_CHOWN","CAP_NET_RAW"]} | .permitted=.bounding | .effective=.bounding)'
attempt exec "$ID" sh -c "$show"
eq "exec" "$out" "$zero"
attempt exec --cap CAP_SYS_ADMIN --cap CAP_CHOWN "$ID" sh -c "$show"
eq "exec --cap" "$out" "$zero"
attempt exec --cap CAP_SYS_ADMIN --user 1000 "$ID" sh -c "$show"
eq "exec --cap --user" "$out" "$zero"
attempt exec --user 1000 "$ID" sh -c 'awk "/^CapPrm|^CapEff/ { print \$2 }" /proc/self/status'
eq "a user gets no permitted ones" "$out" "$zero"
# the runtime's own inheritable set does not reach the container
need setpriv
out=$(setpriv --inh-caps=+chown,+net_raw --ambient-caps=+chown "$OCI" --root "$ROOT" exec "$ID" sh -c "$show" 2>&1 </dev/null)
eq "those of the caller stay outside an exec" "$out" "$zero"
down
conf "$(script "$show")"
out=$(setpriv --inh-caps=+chown,+net_raw --ambient-caps=+chown "$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
eq "and outside a run" "$out" "$zero"
conf "$(script "$show")" 'del(.process.capabilities)'
out=$(setpriv --inh-caps=+chown,+net_raw --ambient-caps=+chown "$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
eq "also when none are configured" "$out" "$zero"
