#!/bin/bash
# SPDX-License-Identifier: MIT
# run and create: --bundle, --pid-file, --detach, --keep, --no-pivot, --no-new-keyring, --pidfd-socket; status.
. "$(dirname "$0")/lib.sh"
setup python3

conf "$(script 'exit 7')"
attempt run -b "$B" "$ID"
eq "status of the program" "$status" 7
conf "$(script 'kill -15 $$; sleep 1')" '.linux.namespaces |= map(select(.type != "pid"))'
attempt run -b "$B" "$ID"
eq "status of a signal" "$status" 143
conf "$(script 'echo out; echo err >&2')"
oci run -b "$B" "$ID" >"$T/o" 2>"$T/e" </dev/null
eq "standard streams" "$(cat "$T/o")-$(cat "$T/e")" out-err
eq "standard input" "$(conf '.process.args=["cat"]'; echo typed | oci run -b "$B" "$ID")" typed
conf '.process.args=["true"]'
attempt run --keep -b "$B" "$ID"
eq "--keep" "$status $(field status)" "0 stopped"
oci delete "$ID"
conf '.process.args=["sleep","1000"]'
oci run -d --pid-file "$T/pid" -b "$B" "$ID" >/dev/null 2>&1 </dev/null
eq "--pid-file" "$(cat "$T/pid")" "$(field pid)"
eq "without a newline" "$(wc -c <"$T/pid")" "$(printf %s "$(field pid)" | wc -c)"
eq "--detach: the process is nobody's child but init's or a reaper's" "$([ "$(awk '{ print $4 }' "/proc/$(cat "$T/pid")/stat")" != $$ ] && echo yes)" yes
down
(cd "$B" && oci run -d "$ID" >/dev/null 2>&1 </dev/null)
eq "the bundle is the working directory by default" "$(field bundle)" "$B"
down
(cd "$T" && oci run -d --bundle bundle "$ID" >/dev/null 2>&1 </dev/null)
eq "a relative bundle is shown in full" "$(field bundle)" "$B"
down
fails "a bundle that is missing" '/nowhere' run -b /nowhere "$ID"
mkdir "$T/empty"
fails "a bundle without config.json" 'config.json' run -b "$T/empty" "$ID"
fails "a pid file that cannot be written" '/nowhere/pid' run --pid-file /nowhere/pid -b "$B" "$ID"
eq "leaves nothing" "$(leftovers)" ""
conf "$(script 'cat /etc/passwd | wc -l; ls / | grep -c etc; awk "\$5 == \"/\"" /proc/self/mountinfo | wc -l')"
attempt run --no-pivot -b "$B" "$ID"
eq "--no-pivot" "$(head -2 <<<"$out")" $'2\n1'
conf '.process.args=["sh","-c","cat /proc/keys 2>/dev/null | wc -l; cd ..; cd ../..; pwd; ls -d /work /home/../../../tmp 2>/dev/null"]'
attempt run --no-pivot -b "$B" "$ID"
like "--no-pivot: no way up" "$out" $'/\n/home/../../../tmp'
conf '.process.args=["cat","/proc/keys"]' '.linux.maskedPaths=[]'
attempt run -b "$B" "$ID"
like "a session keyring of its own" "$out" "_ses.$ID"
attempt run --no-new-keyring -b "$B" "$ID-k"
unlike "--no-new-keyring" "$out" "_ses.$ID-k"

cat >"$T/pidfd.py" <<'PY'
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1); open(sys.argv[1] + ".ready", "w")
c, _ = s.accept()
_, anc, _, _ = c.recvmsg(4096, socket.CMSG_SPACE(4))
fd = array.array("i", anc[0][2])[0]
print([l.split()[1] for l in open("/proc/self/fdinfo/%d" % fd) if l.startswith("Pid:")][0])
PY
python3 "$T/pidfd.py" "$T/sock" >"$T/pidfd" &
soon test -e "$T/sock.ready"
conf '.process.args=["sleep","1000"]'
oci run -d --pidfd-socket "$T/sock" -b "$B" "$ID" >/dev/null 2>&1 </dev/null
wait $!
eq "--pidfd-socket" "$(cat "$T/pidfd")" "$(field pid)"
down
