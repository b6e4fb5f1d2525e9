#!/bin/bash
# SPDX-License-Identifier: MIT
# NOTIFY_SOCKET: what the program tells the service manager arrives there, created or run, also as a user.
. "$(dirname "$0")/lib.sh"
setup python3

# receive - one message that arrives at $T/notify, in $T/message
receive() {
	rm -f "$T/notify" "$T/message"
	timeout 20 python3 - "$T/notify" >"$T/message" <<'END' &
import socket, os, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
print(s.recv(4096).decode())
END
	soon test -S "$T/notify"
}
message() {
	soon test -s "$T/message"
	cat "$T/message"
}

chmod 711 "$T"
for link in lib lib64; do [ -e "$B/rootfs/$link" ] || ln -s "usr/$link" "$B/rootfs/$link"; done
tell='import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ["NOTIFY_SOCKET"]); s.send(b"READY=1 " + os.environ["NOTIFY_SOCKET"].encode())'
args=$(jq -n --arg c "$tell" '["/usr/bin/python3","-c",$c]')
conf ".process.args=$args" '.mounts+=[{destination:"/usr",type:"bind",source:"/usr",options:["rbind","ro"]}]' '.process.env+=["NOTIFY_SOCKET=/of/the/configuration"]'

receive
NOTIFY_SOCKET=$T/notify oci run -b "$B" "$ID" >"$T/out" 2>&1 </dev/null
eq "run: status" "$? $(cat "$T/out")" '0 '
eq "run: the message" "$(message)" 'READY=1 /run/notify/notify.sock'

receive
NOTIFY_SOCKET=$T/notify oci create -b "$B" "$ID" >"$T/out" 2>&1 </dev/null
eq "create" "$? $(cat "$T/out")" '0 '
oci start "$ID"
eq "create and start: the message" "$(message)" 'READY=1 /run/notify/notify.sock'
oci delete -f "$ID"

conf ".process.args=$args" '.mounts+=[{destination:"/usr",type:"bind",source:"/usr",options:["rbind","ro"]}]' '.linux.namespaces+=[{type:"user"}] | .linux.uidMappings=[{containerID:0,hostID:100000,size:65536}] | .linux.gidMappings=.linux.uidMappings'
receive
NOTIFY_SOCKET=$T/notify oci run -b "$B" "$ID" >"$T/out" 2>&1 </dev/null
eq "in a user namespace" "$(message)" 'READY=1 /run/notify/notify.sock'

conf "$(script 'echo ${NOTIFY_SOCKET-none}')"
eq "without the variable" "$(oci run -b "$B" "$ID" </dev/null)" none
eq "a socket without a path cannot be passed" "$(NOTIFY_SOCKET=@abstract oci run -b "$B" "$ID" </dev/null)" none
out=$(NOTIFY_SOCKET=$T/none oci run -b "$B" "$ID" 2>&1 </dev/null)
like "one that is not there" "$? $out" '^1 .*is not a socket'
