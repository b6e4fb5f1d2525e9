#!/bin/bash
# SPDX-License-Identifier: MIT
# --root, --log, --log-format, --debug, --version, --help, --systemd-cgroup, spec, features.
. "$(dirname "$0")/lib.sh"
setup

attempt --version
like "--version" "$out" $'^cleave-oci version [0-9.]+.*\nspec: 1\\.3'
for a in --help help -h; do
	attempt "$a"
	like "$a names every verb" "$status $out" '^0 .*create.*delete.*events.*exec.*kill.*list.*pause.*ps.*resume.*run.*spec.*start.*state.*update'
done
for v in create delete events exec kill list pause ps resume run spec start state update; do
	attempt "$v" --help
	like "$v --help" "$status $out" "^0 .*cleave-oci $v"
done
attempt --log "$T/log" --log-format json state nobody
eq "a failure goes to the log and to standard error" "$status $(wc -l <"$T/log")" "1 1"
like "standard error" "$out" "^container does not exist: 'nobody'"
check "--log-format json: level, msg, time" jq -e '.level == "error" and (.msg | test("nobody")) and (.time | test("^20[0-9-]+T[0-9:]+Z$"))' "$T/log"
attempt --log "$T/log" --log-format json state 'a"\b'
check "quotes in messages are escaped" jq -es 'length == 2 and (.[1].msg | test("a\"\\\\b"))' "$T/log"
attempt --log "$T/text" --log-format text state nobody
like "--log-format text" "$(cat "$T/text")" '^time="20.*" level=error msg="container does not exist'
attempt --log="$T/text" state nobody
eq "--log=FILE appends" "$(wc -l <"$T/text")" 2
attempt state nobody
like "without --log all goes to standard error" "$out" 'level=error'
fails "an unknown format" 'xml' --log-format xml state nobody
fails "a log that cannot be opened" '/nowhere/log' --log /nowhere/log state nobody
fails "an unknown option" 'no-such' --no-such state
attempt --debug --log "$T/debug" run -b "$B" "$ID"
eq "--debug does not fail" "$status" 0
conf '.process.args=["sh","-c","exit 3"]'
attempt --log "$T/clean" run -b "$B" "$ID"
eq "a program that fails is no message" "$status $(cat "$T/clean" 2>/dev/null)" "3 "
mkdir "$T/cwd"
(cd "$T/cwd" && "$OCI" --root rel run -b "$B" "$ID-rel" >/dev/null 2>&1 </dev/null)
check "a relative --root" test -d "$T/cwd/rel"
up
out=$("$OCI" --root "$T/other" state "$ID" 2>&1)
like "another --root does not see it" "$out" 'does not exist'
down
mkdir "$T/spec"
check "spec --bundle" oci spec -b "$T/spec"
check "its result is a configuration" jq -e '.ociVersion | startswith("1.")' "$T/spec/config.json"
fails "spec does not overwrite" 'config.json' spec -b "$T/spec"
rm "$T/spec/config.json"
(cd "$T/spec" && oci spec --rootless)
check "spec --rootless" jq -e '(.linux.namespaces | any(.type == "user")) and .linux.uidMappings[0].hostID == 0' "$T/spec/config.json"
fails "spec in a folder that is missing" '/nowhere' spec -b /nowhere
if oci --help | grep -q '^ *features'; then
	attempt features
	check "features is JSON" jq -e '(.ociVersionMin | startswith("1.")) and (.ociVersionMax | startswith("1.")) and (.hooks | length == 6)
		and (.mountOptions | index("rbind")) and (.linux.namespaces | length == 8) and (.linux.capabilities | index("CAP_CHOWN"))
		and .linux.cgroup.v1 and (.linux.seccomp.actions | index("SCMP_ACT_NOTIFY"))' <<<"$out"
fi
if [ ! -d /run/systemd/system ]; then
	conf ".linux.cgroupsPath=\"system.slice:cleave:$ID\""
	fails "--systemd-cgroup without systemd is said" 'systemd' --systemd-cgroup run -b "$B" "$ID"
	eq "and leaves nothing" "$(leftovers)" ""
	oci delete --force "$ID"
fi
