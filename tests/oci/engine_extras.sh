#!/bin/bash
# SPDX-License-Identifier: MIT
# What engines use beyond runc's words: --cgroup-manager, --config, --regex, annotations "run.oci...".
. "$(dirname "$0")/lib.sh"
setup

conf "$(script 'cat /proc/self/cgroup')"
here=$(grep -v '^0:' /proc/self/cgroup | sort)
[ -n "$here" ] || here=$(cat /proc/self/cgroup)
attempt --cgroup-manager disabled run -b "$B" "$ID"
[ "$(grep -c '^0:' <<<"$here")" != 0 ] || out=$(grep -v '^0:' <<<"$out" | sort)
eq "--cgroup-manager=disabled: the caller's cgroup" "$out" "$here"
attempt --cgroup-manager cgroupfs run -b "$B" "$ID"
like "--cgroup-manager=cgroupfs: its own" "$out" "/$ID"
fails "--cgroup-manager: another word" "cgroup-manager 'x'" --cgroup-manager x list
conf '.process.args=["sleep","1000"]'
oci --cgroup-manager disabled run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1
eq "--cgroup-manager=disabled, detached" "$(field status)" running
attempt exec "$ID" echo in
eq "exec without a cgroup" "$out" in
fails "pause without a cgroup" "no cgroup to freeze" pause "$ID"
attempt delete -f "$ID"
eq "delete without a cgroup" "$status" 0


# a creation that was cut short, with a cgroupsPath where others are
oci run -d -b "$B" "$ID-other" </dev/null >/dev/null 2>&1
oci --cgroup-manager disabled create -b "$B" "$ID" </dev/null >/dev/null 2>&1
kill -9 "$(field pid)"
rm "$ROOT/$ID/state.json"
attempt delete --force "$ID"
eq "delete after a cut creation: the others live" "$status $(oci state "$ID-other" | jq -r .status)" "0 running"
oci delete --force "$ID-other"

conf "$(script 'echo other')"
mv "$B/config.json" "$B/other.json"
attempt run -b "$B" --config other.json "$ID"
eq "--config, relative to the bundle" "$out" other
attempt run -b "$B" -f "$B/other.json" "$ID"
eq "--config, absolute" "$out" other
fails "--config: no such file" "none.json not found" run -b "$B" --config none.json "$ID"

conf '.process.args=["sleep","1000"]'
for n in a b c; do
	edit ".linux.cgroupsPath=\"/$ID-$n\""
	oci run -d -b "$B" "$ID-$n" </dev/null >/dev/null 2>&1
done
attempt kill --regex "^$ID-[ab]\$" KILL
eq "kill --regex" "$status" 0
sleep 0.3
eq "kill --regex: who is left" "$(for n in a b c; do oci state "$ID-$n" | jq -r .status; done | tr '\n' ' ')" \
	"stopped stopped running "
fails "delete --regex: a running one is refused" "not stopped" delete --regex "^$ID-[bc]\$"
attempt delete --force --regex "^$ID-"
eq "delete --force --regex" "$status $(oci list -q | grep -c "^$ID-")" "0 0"
fails "--regex: no regular expression" "regex: '\\['" delete --regex '['

conf "$(script 'id -G')" '.annotations={"run.oci.keep_original_groups":"1"}' '.process.user={uid:7,gid:8,additionalGids:[9]}'
# shellcheck disable=SC2016
out=$(setpriv --groups 11,12 "$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
eq "annotation keep_original_groups" "$out" "8 11 12"
edit '.annotations={"run.oci.keep_original_groups":"0"}'
out=$(setpriv --groups 11,12 "$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
eq "annotation keep_original_groups=0" "$out" "8 9"

hook='{path:"/bin/sh",args:["sh","-c","echo to-out $WHO; echo to-err >&2"]}'
conf "$(script true)" ".hooks={prestart:[$hook],poststop:[$hook]}" \
	".annotations={\"run.oci.hooks.stdout\":\"$T/hook.out\",\"run.oci.hooks.stderr\":\"$T/hook.err\"}"
WHO=me attempt run -b "$B" "$ID"
eq "annotation hooks.stdout; environment of the caller" "$(cat "$T/hook.out")" $'to-out me\nto-out me'
eq "annotation hooks.stderr" "$(cat "$T/hook.err")" $'to-err\nto-err'
eq "the container's own output" "$out" ""

seccomp='.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:[{names:["no_such_call"],action:"SCMP_ACT_ERRNO"}]}'
gives "an unknown system call is skipped" 'echo ran' ran "$seccomp"
refuse "annotation seccomp_fail_unknown_syscall" "invalid seccomp syscall 'no_such_call' in rule 0" "$seccomp" \
	'.annotations={"run.oci.seccomp_fail_unknown_syscall":"1"}'

conf "$(script 'echo "[$LISTEN_FDS]"')"
LISTEN_FDS=1 LISTEN_PID=1 attempt run -b "$B" "$ID"
eq "LISTEN_FDS of another process" "$out" "[]"
out=$(cd "$B" && LISTEN_FDS=1 bash -c 'LISTEN_PID=$$ exec "$0" "$@"' "$OCI" --root "$ROOT" run "$ID" 3</dev/null 2>&1 </dev/null)
eq "LISTEN_FDS of our own" "$out" "[1]"
