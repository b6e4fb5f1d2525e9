#!/bin/bash
# SPDX-License-Identifier: MIT
# --log-driver journald: what the journal's socket gets, and what is read back by journalctl.
#
# The test plays both sides of the journal in a mount name space of its own: a program that listens on the
# socket, and one that is called journalctl and prints what it is told to.
if [ -z "${JOURNALD_TEST_INSIDE:-}" ]; then
	JOURNALD_TEST_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
setup python3
mount -t tmpfs tmpfs /run/systemd 2>/dev/null || { mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd; }
refuse 125 'journald does not run here' run --rm --log-driver journald cleave/tiny true
mkdir /run/systemd/journal
python3 - "$T/got" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
with open(sys.argv[1], "wb", buffering=0) as out:
    while True:
        out.write(s.recv(1 << 20) + b"--\n")
END
journal=$!
until_true [ -S /run/systemd/journal/socket ]
run 0 --name jour --log-driver journald --log-opt 'tag={{.Name}}/{{.ID}}' cleave/tiny \
	sh -c 'echo one; sleep 0.2; echo two >&2; sleep 0.2; printf end'
id=$(cleave ps -a --no-trunc --format json | jq -r .ID)
fields=$(printf 'CONTAINER_ID=%s\nCONTAINER_ID_FULL=%s\nCONTAINER_NAME=jour\nIMAGE_NAME=cleave/tiny\nCONTAINER_TAG=jour/%s\nSYSLOG_IDENTIFIER=jour/%s' \
	"${id:0:12}" "$id" "${id:0:12}" "${id:0:12}")
is "what the journal got" "$(cat "$T/got")" "$(printf '%s\n%s\n--\n' "$fields" $'PRIORITY=6\nMESSAGE=one' "$fields" $'PRIORITY=3\nMESSAGE=two' \
	"$fields" $'PRIORITY=6\nCONTAINER_PARTIAL_MESSAGE=true\nMESSAGE=end')"
is "there is no file" "$(find "$T/root/instances" -name 'log*')" ''
# A journal that went away: the instance runs as before
kill $journal
rm /run/systemd/journal/socket
run 125 --rm --name none --log-driver journald cleave/tiny echo x
mkdir "$T/bin"
cat >"$T/bin/journalctl" <<END
#!/bin/sh
echo "\$@" >>"$T/args"
case "\$*" in *--sync*) exit ;; esac
cat <<'LINES'
{"__REALTIME_TIMESTAMP":"1700000000000000","PRIORITY":"6","MESSAGE":"one"}
{"__REALTIME_TIMESTAMP":"1700000001000000","PRIORITY":"3","MESSAGE":"two"}
not json
{"__REALTIME_TIMESTAMP":"1700000002000000","PRIORITY":"6","MESSAGE":[1,255,33]}
{"__REALTIME_TIMESTAMP":"1700000003000000","PRIORITY":"6","CONTAINER_PARTIAL_MESSAGE":"true","MESSAGE":"end"}
LINES
END
chmod +x "$T/bin/journalctl"
PATH=$T/bin:$PATH
is "read back" "$(cleave logs jour 2>/dev/null | od -An -c | tr -d ' \n')" 'one\n001377!\nend'
is "standard error" "$(cleave logs jour 2>&1 >/dev/null)" two
is "with times" "$(cleave logs -t jour 2>/dev/null | head -n 1)" '2023-11-14T22:13:20.000000000Z one'
is "--until" "$(cleave logs --until 1700000000 jour 2>&1)" one
cleave logs -n 5 --since 1700000000 jour >/dev/null 2>&1
is "what journalctl is asked" "$(tail -n 1 "$T/args")" \
	"--quiet --no-pager --all --output=json CONTAINER_ID_FULL=$id --lines=5 --since=@1700000000"
is "-f of one that ended ends" "$(timeout 10 "$CLEAVE" logs -f jour 2>/dev/null | head -n 1)" one
out=$(PATH=/nonexistent "$CLEAVE" logs jour 2>&1)
is "status without journalctl" $? 1
like "which is said" "$out" 'run journalctl, which reads the journal: no such file'
