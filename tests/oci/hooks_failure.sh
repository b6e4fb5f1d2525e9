#!/bin/bash
# SPDX-License-Identifier: MIT
# Hooks that fail, hang, do not exist, or do not read their input.
. "$(dirname "$0")/lib.sh"
setup

printf '#!/bin/sh\necho "went wrong" >&2\nexit 3\n' >"$T/bad"
printf '#!/bin/sh\nsleep 50\n' >"$T/slow"
printf '#!/bin/sh\nexec <&-\nexit 0\n' >"$T/deaf"
printf '#!/bin/sh\ntouch %s\n' "$T/poststop-ran" >"$T/poststop"
chmod +x "$T/bad" "$T/slow" "$T/deaf" "$T/poststop"
cp "$T/bad" "$T/deaf" "$B/rootfs/"
for k in prestart createRuntime createContainer startContainer; do
	dir=$T
	[ $k = startContainer ] && dir=
	refuse "a $k hook that fails" "$k.*(3|went wrong)" ".hooks.$k=[{path:\"$dir/bad\"}]"
	refuse "a $k hook that is missing" "$k.*(No such file|no such file)" ".hooks.$k=[{path:\"/no/hook\"}]"
	conf ".hooks.$k=[{path:\"$dir/deaf\"}]"
	attempt run -b "$B" "$ID"
	eq "a $k hook that does not read is fine" "$status$out" 0
done
refuse "a failing createRuntime hook: the next one is not run" 'createRuntime' ".hooks.createRuntime=[{path:\"$T/bad\"},{path:\"$T/poststop\"}]"
check "it was not" test ! -e "$T/poststop-ran"
refuse "poststop hooks run when creation fails" 'createContainer' ".hooks={createContainer:[{path:\"$T/bad\"}],poststop:[{path:\"$T/poststop\"}]}"
check "they did" test -e "$T/poststop-ran"
conf ".hooks.poststart=[{path:\"$T/bad\"}]" '.process.args=["sleep","100"]'
attempt run -d -b "$B" "$ID"
like "a poststart hook that fails is reported" "$out" 'poststart.*(3|went wrong)'
oci delete --force "$ID"
rm -f "$T/poststop-ran"
conf ".hooks.poststop=[{path:\"$T/bad\"},{path:\"$T/poststop\"}]"
attempt run -b "$B" "$ID"
like "a poststop hook that fails is a warning" "$status $out" '^0 .*poststop'
check "and the next one runs" test -e "$T/poststop-ran"
s=$EPOCHREALTIME
refuse "a hook that takes too long" '(timeout|time).*1' ".hooks.createRuntime=[{path:\"$T/slow\",timeout:1}]"
check "is ended after its timeout" awk "BEGIN { exit !($EPOCHREALTIME - $s < 4) }"
s=$EPOCHREALTIME
refuse "one that reads nothing of a state larger than a pipe" '(timeout|time).*1' ".annotations={big:(\"x\"*200000)} | .hooks.createRuntime=[{path:\"$T/slow\",timeout:1}]"
check "is, too" awk "BEGIN { exit !($EPOCHREALTIME - $s < 4) }"
printf '#!/bin/sh\nwc -c >%s\n' "$T/size" >"$T/count"
chmod +x "$T/count"
conf ".annotations={big:(\"x\"*200000)} | .hooks.createRuntime=[{path:\"$T/count\",timeout:4000000}]"
attempt run -b "$B" "$ID"
check "one that reads gets all of it" test "$(cat "$T/size")" -gt 200000
refuse "a timeout of 0" 'timeout.*0' ".hooks.createRuntime=[{path:\"$T/slow\",timeout:0}]"
refuse "a relative path" 'hooks.createRuntime.*path' '.hooks.createRuntime=[{path:"bin/true"}]'
refuse "hooks that are no list" 'hooks.createRuntime' '.hooks.createRuntime={}'
