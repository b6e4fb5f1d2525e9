#!/bin/bash
# SPDX-License-Identifier: MIT
# Terminals: console socket, consoleSize, exec, owner, refusals.
. "$(dirname "$0")/lib.sh"
setup python3

cat >"$T/recv.py" <<'PY'
"""Receive a terminal, print its size and what comes out of it; type the second argument."""
import array, fcntl, os, socket, struct, sys, termios, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1); open(sys.argv[1] + ".ready", "w")
c, _ = s.accept()
name, anc, _, _ = c.recvmsg(4096, socket.CMSG_SPACE(4))
fd = array.array("i", anc[0][2])[0]
print("name", name.decode().strip("\0"))
print("size", *struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))[:2])
sys.stdout.flush()
if len(sys.argv) > 2:
    os.write(fd, sys.argv[2].encode())
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    sys.stdout.write(data.decode()); sys.stdout.flush()
PY
recv() {
	rm -f "$T/sock" "$T/sock.ready"
	timeout 10 python3 "$T/recv.py" "$T/sock" "$@" >"$T/tty" &
	recv_pid=$!
	soon test -e "$T/sock.ready"
}
recv
conf '.process.terminal=true | .process.consoleSize={height:33,width:111}' \
	"$(script 'tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminals; stty size; stat -c %u:%t /dev/console; cut -d" " -f7 /proc/self/stat; ls /proc/$$/fd | tr "\n" " "')" \
	'.process.user.uid=1000'
attempt run -d --console-socket "$T/sock" -b "$B" "$ID"
eq "run -d with a console socket" "$status" 0
wait $recv_pid
out=$(tr -d '\r' <"$T/tty")
like "the terminal is sent with a name" "$out" '^name /dev/(ptmx|pts)'
like "consoleSize" "$out" 'size 33 111'
like "in the container" "$out" 'terminals'
like "stty agrees" "$out" $'\n33 111'
like "tty is in the container's devpts or console" "$out" '/dev/(pts/[0-9]|console)'
like "owner of /dev/console is the user" "$out" '1000:88'
unlike "it is the controlling terminal" "$out" $'\n0\n'
like "only three descriptors" "$out" $'\n0 1 2( 10)? '
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
oci delete "$ID"

recv
conf '.process.terminal=true' '.process.args=["sleep","1000"]'
oci create --console-socket "$T/sock" -b "$B" "$ID" </dev/null >/dev/null 2>&1 || no create
like "create sends it before start" "$(soon grep -q size "$T/tty"; cat "$T/tty")" size
oci start "$ID"
exec 5<"$T/tty"
first=$recv_pid
recv $'echo in-$((1+1))\nexit\n'
attempt exec -d -t --console-socket "$T/sock" "$ID" sh
eq "exec -d -t with a console socket" "$status" 0
wait $recv_pid
like "typing works" "$(cat "$T/tty")" 'in-2'
down
wait "$first"

conf '.process.terminal=true'
fails "detached, without a socket" 'console socket|console-socket' run -d -b "$B" "$ID"
fails "create without a socket" 'console socket|console-socket' create -b "$B" "$ID"
conf '.process.terminal=false'
rm -f "$T/sock"
recv
fails "a socket without a terminal" 'console socket|console-socket' run -d --console-socket "$T/sock" -b "$B" "$ID"
kill $recv_pid
wait $recv_pid 2>/dev/null
conf '.process.terminal=true'
fails "a socket that is not there" '/nowhere' run -d --console-socket /nowhere -b "$B" "$ID"
fails "a socket that is a file" 'passwd' run -d --console-socket /etc/passwd -b "$B" "$ID"
eq "nothing is left of these" "$(leftovers)" ""
refuse "consoleSize that is no number" 'consoleSize.height' '.process.terminal=true | .process.consoleSize={height:"x",width:1}'
refuse "consoleSize that is too large" 'consoleSize.*70000' '.process.terminal=true | .process.consoleSize={height:70000,width:1}'
