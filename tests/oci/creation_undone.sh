#!/bin/bash
# SPDX-License-Identifier: MIT
# A creation that fails undoes all of it, also what its hooks have left running in the container.
. "$(dirname "$0")/lib.sh"
setup

printf '#!/bin/sh\nsetsid sleep 97 </dev/null >/dev/null 2>&1 &\nexit 0\n' >"$T/stay"
printf '#!/bin/sh\nexit 3\n' >"$T/bad"
chmod +x "$T/stay" "$T/bad"
for ns in pid none; do
	s=$EPOCHREALTIME
	refuse "a hook that fails after one that leaves a process, without namespace: $ns" 'exit status 3' \
		".hooks.createContainer=[{path:\"$T/stay\"},{path:\"$T/bad\"}]" "del(.linux.namespaces[]|select(.type==\"$ns\"))"
	check "the process is gone" sh -c '! pgrep -fx "sleep 97"'
	check "and nobody waited for it" awk "BEGIN { exit !($EPOCHREALTIME - $s < 2) }"
done
