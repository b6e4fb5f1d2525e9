#!/bin/bash
# SPDX-License-Identifier: MIT
# As an unprivileged user: spec --rootless, run, create, exec, kill, delete.
. "$(dirname "$0")/lib.sh"
setup setpriv

chmod 711 "$T" "$B"
# The folder of the checkout may be closed to others, as /root is.
cp -L "$OCI" "$T/runtime" || no "copy the runtime"
user() { setpriv --reuid 4711 --regid 4712 --clear-groups --inh-caps=-all --bounding-set=-all timeout --foreground -k 1 10 "$T/runtime" --root "$T/rl" "$@"; }
mkdir "$T/rl" "$T/ub"
make_rootfs "$T/ub/rootfs"
chown -hR 4711:4712 "$T/rl" "$T/ub"
HOME=/ user spec --rootless -b "$T/ub" || no "spec --rootless"
eq "spec --rootless maps the caller" "$(jq -c '[.linux.uidMappings[0].hostID,.linux.gidMappings[0].hostID]' "$T/ub/config.json")" '[4711,4712]'
set_args() { jq ".process.terminal=false | .root.readonly=false | .process.args=$1" "$T/ub/config.json" >"$T/c" && cat "$T/c" >"$T/ub/config.json"; }
set_args '["sh","-c","id -u; id -g; hostname; touch /f && stat -c %u:%g /f; cat /proc/1/comm; echo x >/dev/null && ls /dev/zero"]'
out=$(user run -b "$T/ub" rl-$$ 2>&1 </dev/null)
eq "run" "$out" $'0\n0\ncleave\n0:0\nsh\n/dev/zero'
eq "files belong to the caller" "$(stat -c %u:%g "$T/ub/rootfs/f")" 4711:4712
set_args '["sleep","1000"]'
user create -b "$T/ub" rl-$$ >/dev/null 2>"$T/err" </dev/null || no create "$(cat "$T/err")"
eq "created" "$(user state rl-$$ | jq -r .status)" created
check start user start rl-$$
eq "list names the owner" "$(user list -f json | jq -r '.[0] | .status')" running
out=$(user exec rl-$$ id -u 2>&1 </dev/null)
eq exec "$out" 0
out=$(user exec -e A=b --cwd /tmp rl-$$ sh -c 'echo $A; pwd' 2>&1 </dev/null)
eq "exec with options" "$out" $'b\n/tmp'
pid=$(user state rl-$$ | jq .pid)
check kill user kill rl-$$ KILL
soon sh -c "! kill -0 $pid 2>/dev/null || grep -q '^State:.*Z' /proc/$pid/status"
check delete user delete rl-$$
eq "nothing is left" "$(ls "$T/rl")" ""
set_args '["true"]'
jq 'del(.linux.namespaces[] | select(.type == "user"))' "$T/ub/config.json" >"$T/c" && cat "$T/c" >"$T/ub/config.json"
out=$(user run -b "$T/ub" rl-$$ 2>&1 </dev/null)
like "without a user namespace: said" "$? $out" 'user namespace|rootless'
eq "and nothing is left" "$(ls "$T/rl")" ""
