#!/bin/bash
# SPDX-License-Identifier: MIT
# A terminal in the foreground: size and resize, typing, raw mode and its end, exec -t.
. "$(dirname "$0")/lib.sh"
setup python3

cat >"$T/drive.py" <<'PY'
"""Run a command on a new terminal of 20x70: wait for `ready`, resize to 30x90, type, print all that came."""
import fcntl, os, pty, signal, struct, sys, termios, time, select
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
before = termios.tcgetattr(fd)
text, stage, end = "", 0, time.time() + 4
while time.time() < end:
    r, _, _ = select.select([fd], [], [], 0.1)
    if r:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        text += data.decode()
    if stage == 0 and "ready" in text:
        raw = not termios.tcgetattr(fd)[3] & termios.ICANON
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
        os.kill(pid, signal.SIGWINCH)
        stage = 1
    if stage == 1 and "resized" in text:
        os.write(fd, b"typed words\n")
        stage = 2
_, status = os.waitpid(pid, 0)
print(text.replace("\r", ""))
print("raw", raw if stage else None)
print("restored", termios.tcgetattr(fd)[3] == before[3] if stage else None)
print("status", os.waitstatus_to_exitcode(status))
PY
cat >"$B/rootfs/inside" <<'SH'
#!/bin/sh
trap 'echo winch' WINCH
sleep 0.1
echo "first $(stty size)"
echo ready
i=0
while [ "$(stty size)" != "30 90" ] && [ $((i += 1)) -lt 150 ]; do sleep 0.02; done
echo "resized $(stty size)"
read -r line
echo "line: $line"
exit 6
SH
chmod +x "$B/rootfs/inside"
look() {
	like "$1: size of the caller's terminal" "$out" 'first 20 70'
	like "$1: resize" "$out" 'resized 30 90'
	like "$1: the container is told" "$out" 'winch'
	like "$1: typing" "$out" 'line: typed words'
	like "$1: raw mode meanwhile" "$out" 'raw True'
	like "$1: and back" "$out" 'restored True'
	like "$1: status" "$out" 'status 6'
}
conf '.process.terminal=true | .process.args=["/inside"]'
out=$(python3 "$T/drive.py" "$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1)
look run
up
out=$(python3 "$T/drive.py" "$OCI" --root "$ROOT" exec -t "$ID" /inside 2>&1)
look "exec -t"
down
conf '.process.terminal=true' "$(script 'echo from-script; tty')"
type -P script >/dev/null || skip "no script(1)"
out=$(command script -qec "$OCI --root $ROOT run -b $B $ID" /dev/null </dev/null)
like "under script(1)" "$out" 'from-script.*/dev/(pts/0|console)'
conf '.process.terminal=true' "$(script 'i=0; while [ $i -lt 2000 ]; do echo "line $i of many, with enough text to fill buffers"; i=$((i + 1)); done; echo last')"
out=$(command script -qec "$OCI --root $ROOT run -b $B $ID" /dev/null </dev/null | tail -1 | tr -d '\r')
eq "all of a long output arrives" "$out" last

# input that nobody reads does not hold up output, nor signals
conf '.process.terminal=true' "$(script 'trap "echo stopped; exit 7" TERM; stty raw -echo; head -c 300000 /dev/zero | tr "\0" x; echo all; while :; do sleep 0.1; done')"
timeout 10 cat /dev/zero | "$OCI" --root "$ROOT" run -b "$B" "$ID" >"$T/out" 2>&1 &
soon grep -q all "$T/out"
eq "output goes on beside input that is not read" "$(tr -cd x <"$T/out" | wc -c)" 300000
oci state "$ID" | jq -r .status >/dev/null
run=$(pgrep -f "run -b $B $ID")
kill -TERM "$run"
soon grep -q stopped "$T/out"
check "signals, too" grep -q stopped "$T/out"
soon sh -c "! kill -0 $run"
