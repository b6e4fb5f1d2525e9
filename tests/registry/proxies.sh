#!/bin/bash
# SPDX-License-Identifier: MIT
# Proxies of the environment: for TLS and without, with a password, and for whom they are not.
. "$(dirname "$0")/lib.sh"
registry_setup skopeo
registry plain
registry safe tls
faults bad "$plain_port"
layers_image
skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://127.0.0.1:$plain_port/test/tree:1"
skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://127.0.0.1:$safe_port/test/tree:1"
proxy=http://127.0.0.1:$bad_port
log=$T/bad.mode.log
name=registry.invalid # nobody knows it but the proxy
get() { # VARIABLE=VALUE... -- IMAGE
	local vars=()
	while [ "$1" != -- ]; do vars+=("$1") && shift; done
	rm -f "$log"
	: >"$log"
	cleave rmi -f "$2" >/dev/null 2>&1
	timeout 60 env "${vars[@]}" "$CLEAVE" pull -q --tls-verify=false "$2" 2>&1
}
connects() { grep -c "^connect $name:$safe_port" "$log"; }
echo '{"stall": 5, "attempts": 2, "wait": 20}' >"$CLEAVE_REGISTRIES"

for v in HTTPS_PROXY https_proxy ALL_PROXY; do
	is "$v" "$(get $v="$proxy" -- "$name:$safe_port/test/tree:1")" "$name:$safe_port/test/tree:1"
	is "$v was asked" "$(($(connects) > 0))" 1
done
is "with a password" "$(get HTTPS_PROXY="http://me:pass@127.0.0.1:$bad_port" -- "$name:$safe_port/test/tree:1")" "$name:$safe_port/test/tree:1"
is "it came along" "$(head -n 1 "$log")" "connect $name:$safe_port me:pass"
for v in HTTP_PROXY http_proxy; do
	is "$v" "$(get $v="$proxy" -- "$name/test/tree:1")" "$name/test/tree:1"
	is "$v connects nothing" "$(grep -c connect "$log")" 0
done
like "not that of the other kind" "$(HTTP_PROXY=$proxy timeout 60 "$CLEAVE" pull -q "$name:$safe_port/test/tree:1" 2>&1)" 'esolve host'
for v in NO_PROXY no_proxy; do
	like "$v" "$(get HTTPS_PROXY="$proxy" HTTP_PROXY="$proxy" $v="example.org,$name" -- "$name:$safe_port/test/tree:1")" 'esolve host'
	like "$v of a domain" "$(get HTTPS_PROXY="$proxy" HTTP_PROXY="$proxy" $v=.invalid -- "$name:$safe_port/test/tree:1")" 'esolve host'
	is "$v of others" "$(get HTTPS_PROXY="$proxy" $v=example.org -- "$name:$safe_port/test/tree:1")" "$name:$safe_port/test/tree:1"
done
is "never for this machine" "$(get HTTPS_PROXY="$proxy" HTTP_PROXY="$proxy" -- "127.0.0.1:$safe_port/test/tree:1"; cat "$log")" "127.0.0.1:$safe_port/test/tree:1"
like "a proxy that is not there" "$(get HTTPS_PROXY=http://127.0.0.1:1 -- "$name:$safe_port/test/tree:1")" "pull '$name:$safe_port/test/tree:1'"
is "push" "$(get HTTPS_PROXY="$proxy" -- "$name:$safe_port/test/tree:1" >/dev/null; HTTPS_PROXY=$proxy timeout 60 "$CLEAVE" push -q --tls-verify=false "$name:$safe_port/test/tree:1" "$name:$safe_port/test/new:1" 2>&1)" "$name:$safe_port/test/new:1"
true
