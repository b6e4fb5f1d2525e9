#!/bin/bash
# SPDX-License-Identifier: MIT
# SCMP_ACT_NOTIFY: the agent gets descriptor and state, answers calls; missing agent; exec.
. "$(dirname "$0")/lib.sh"
setup python3

cat >"$T/agent.py" <<'PY'
"""Take one descriptor from a socket, write the state to a file, answer `answers` calls with errno 44."""
import array, ctypes, fcntl, json, os, socket, struct, sys
path, state, answers = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_UNIX)
s.bind(path)
s.listen(1)
open(state + ".ready", "w").close()
conn, _ = s.accept()
data, fds = b"", array.array("i")
while True:
    text, anc, _, _ = conn.recvmsg(65536, socket.CMSG_SPACE(64))
    for level, kind, payload in anc:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
    data += text
    if not text:
        break
    try:
        doc = json.loads(data)
        break
    except ValueError:
        pass
doc["_nfds"] = len(fds)
json.dump(doc, open(state + ".tmp", "w"))
os.rename(state + ".tmp", state)
RECV, SEND = 0xc0502100, 0xc0182101
for _ in range(answers):
    buf = bytearray(80)
    fcntl.ioctl(fds[0], RECV, buf)
    ident = struct.unpack_from("Q", buf)[0]
    fcntl.ioctl(fds[0], SEND, struct.pack("QqiI", ident, 0, -44, 0))
PY
agent() { # ANSWERS
	rm -f "$T/sock" "$T/state.txt" "$T/state.txt.ready"
	python3 "$T/agent.py" "$T/sock" "$T/state.txt" "$1" &
	agent_pid=$!
	soon test -e "$T/state.txt.ready"
}
rule='.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",listenerPath:"'$T/sock'",listenerMetadata:"meta \"data\"",
	syscalls:[{names:["mkdir","mkdirat"],action:"SCMP_ACT_NOTIFY"}]}'

agent 1
ct 'mkdir /tmp/x 2>&1; echo after' "$rule" '.annotations={"k":"v"}'
like "the agent decides" "$out" 'Channel number out of range.*after' # errno 44
kill "$agent_pid" 2>/dev/null
wait "$agent_pid" 2>/dev/null
eq "one descriptor, named" "$(jq -c '[._nfds,.fds]' "$T/state.txt")" '[1,["seccompFd"]]'
eq "metadata" "$(jq -r .metadata "$T/state.txt")" 'meta "data"'
eq "state of the container" "$(jq -c '[.ociVersion,.state.id,.state.bundle,.state.annotations.k]' "$T/state.txt")" \
	"[\"$(jq -r .ociVersion "$B/config.json")\",\"$ID\",\"$B\",\"v\"]"
check "its pid is a number" jq -e '.pid > 1 and .state.pid > 1' "$T/state.txt"

agent 1
up "$rule"
soon test -e "$T/state.txt"
wait "$agent_pid" 2>/dev/null &
kill "$agent_pid"
wait
rm -f "$T/sock"
agent 1
attempt exec "$ID" mkdir /tmp/y
like "exec sends its own" "$out" 'Channel number out of range'
kill "$agent_pid" 2>/dev/null
wait "$agent_pid" 2>/dev/null
down
rm -f "$T/sock"
refuse "no agent there" "$T/sock|listenerPath" "$rule"
refuse "SCMP_ACT_NOTIFY without a listener" 'listenerPath|NOTIFY' "$rule | del(.linux.seccomp.listenerPath)"
refuse "SCMP_ACT_NOTIFY for write, which the hand-over needs" 'write|NOTIFY' "$rule | .linux.seccomp.syscalls[0].names=[\"write\"]"
