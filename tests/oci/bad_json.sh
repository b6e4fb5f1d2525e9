#!/bin/bash
# SPDX-License-Identifier: MIT
# config.json that is not JSON, too large, too deep, of another version: one line, status 1, nothing left.
. "$(dirname "$0")/lib.sh"
setup python3

put() { # WHAT ERE TEXT
	printf '%s' "$3" >"$B/config.json"
	refused "$1" "$2"
}
put "empty" 'config.json' ''
put "cut short" 'config.json' '{"ociVersion":"1.0.2","process":'
put "text behind the end" 'config.json' '{"ociVersion":"1.0.2"} x'
put "an array" 'config.json' '[]'
put "null" 'config.json' 'null'
put "no version" 'ociVersion' '{}'
put "version of another major" 'ociVersion.*2\.0\.0' '{"ociVersion":"2.0.0"}'
put "version 0" 'ociVersion.*0\.' '{"ociVersion":"0.9.0"}'
put "version that is no version" 'ociVersion.*one' '{"ociVersion":"one"}'
put "version that is a number" 'ociVersion' '{"ociVersion":1}'
put "no process" 'process' '{"ociVersion":"1.0.2","root":{"path":"rootfs"}}'
put "single quotes" 'config.json' "{'ociVersion':'1.0.2'}"
put "a comma too many" 'config.json' '{"ociVersion":"1.0.2",}'
put "a broken escape" 'config.json' '{"ociVersion":"\u12"}'
put "control characters" 'config.json' $'{"ociVersion":"1.0.2\x01"}'
put "invalid UTF-8" 'config.json' $'{"ociVersion":"1.0.2\xff\xfe"}'
put "a NUL escape in a path" 'config.json' '{"ociVersion":"1.0.2","root":{"path":"root\u0000fs"},"process":{"args":["x"],"cwd":"/"}}'
put "a number out of range" 'config.json' '{"ociVersion":"1.0.2","process":{"args":["x"],"cwd":"/","oomScoreAdj":1e999}}'
python3 -c 'print("[" * 200000 + "]" * 200000)' >"$B/config.json"
refused "very deep" 'config.json'
python3 -c 'print("{\"a\":" * 200000 + "1" + "}" * 200000)' >"$B/config.json"
refused "very deep objects" 'config.json'
head -c 17000000 /dev/zero | tr '\0' ' ' >"$B/config.json"
refused "over the size limit" 'config.json.*16777216'
: >"$B/config.json"
truncate -s 4T "$B/config.json" 2>/dev/null || truncate -s 1G "$B/config.json"
refused "a sparse file of terabytes" 'config.json.*(limit|16777216)'
head -c 100000 /dev/urandom >"$B/config.json"
refused "noise" 'config.json'
rm "$B/config.json"
refused "none" 'config.json'
mkdir "$B/config.json"
refused "a directory" 'config.json'
rmdir "$B/config.json"
mkfifo "$B/config.json"
timeout -k 1 3 "$OCI" --root "$ROOT" run -b "$B" "$ID" >"$T/out" 2>&1 </dev/null
s=$?
like "a fifo does not hang it" "$s $(cat "$T/out")" '^1 .*config.json'
rm "$B/config.json"
ln -s /dev/zero "$B/config.json"
refused "/dev/zero" 'config.json'
rm "$B/config.json"
conf . # unknown fields are no mistake
edit '.unknown={a:[1,2]} | .process.unknown=1 | .linux.unknown="x"'
attempt run -b "$B" "$ID"
eq "unknown fields are ignored" "$status $out" "0 "
python3 - "$B/config.json" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["annotations"] = {"k%d" % i: "v" * 100 for i in range(3000)}
c["process"]["env"] += ["V%d=%s" % (i, "x" * 50) for i in range(5000)]
json.dump(c, open(sys.argv[1], "w"))
PY
attempt run -b "$B" "$ID"
eq "thousands of annotations and variables are fine" "$status $out" "0 "
