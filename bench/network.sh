#!/bin/bash
# SPDX-License-Identifier: MIT
#
# network.sh [ROUNDS] - what networks cost: a container on a bridge beside one without a network, `run -d -p` until the
# first answer to an HTTP request beside podman, and what passes between two containers. Rounds are interleaved;
# medians in milliseconds, and gigabits per second.
#
# Environment: CLEAVE (build/bin/cleave).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cleave=$(realpath "${CLEAVE:-$here/../build/bin/cleave}")
work=$(mktemp -d)
export CLEAVE_ROOT=$work/root CLEAVE_RUNROOT=$work/run
# with our runtime, since crun does not run on every host
podman=(podman --runtime "$(dirname "$cleave")/cleave-oci" --root "$work/podman" --runroot "$work/podman-run" --cgroup-manager cgroupfs)
end() {
	"$cleave" ps -aq | xargs -r "$cleave" rm -f >/dev/null
	"$cleave" network prune -f >/dev/null
	"${podman[@]}" rm -fa >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap end EXIT

mkdir -p "$work/fs/bin" "$work/fs/www" "$work/fs/tmp"
cp /bin/busybox "$work/fs/bin/busybox"
for name in sh httpd sleep true; do ln -s busybox "$work/fs/bin/$name"; done
echo page >"$work/fs/www/index.html"
tar -C "$work/fs" -cf "$work/fs.tar" .
"$cleave" image import "$work/fs.tar" bench/web >/dev/null
others=()
if command -v podman >/dev/null && "${podman[@]}" import -q "$work/fs.tar" localhost/bench/web >/dev/null 2>&1; then
	others=("${podman[@]}")
fi
python3 - "${1:-20}" "$cleave" "${others[@]}" <<'E'
import socket, statistics, subprocess, sys, threading, time

rounds, cleave, podman = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


def timed(words):
    begin = time.monotonic()
    subprocess.run(words, check=True, **quiet)
    return (time.monotonic() - begin) * 1e3


def answer(port):
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if b"200" in s.recv(100):
                    return
        except OSError:
            time.sleep(0.0002)


def first_answer(words, name, image, port, *options):
    begin = time.monotonic()
    subprocess.run([*words, "run", "-d", *options, "--name", name, "-p", f"{port}:80", image, "httpd", "-f", "-h", "/www"], check=True, **quiet)
    answer(port)
    spent = (time.monotonic() - begin) * 1e3
    subprocess.run([*words, "rm", "-f", name], check=True, **quiet)
    return spent


def serve(pid, got):
    subprocess.run(["nsenter", "-n", "-t", pid, "python3", "-c",
                    "import socket\ns = socket.create_server(('', 9))\nc, _ = s.accept()\n"
                    "while c.recv_into(bytearray(1 << 20)): pass"], check=True)
    got.append(time.monotonic())


def throughput(size=4 << 30):
    names = ["bn-a", "bn-b"]
    for name in names:
        subprocess.run([cleave, "run", "-d", "--name", name, "bench/web", "sleep", "1000"], check=True, **quiet)
    ask = lambda name, what: subprocess.run([cleave, "inspect", "-f", what, name], check=True, capture_output=True, text=True).stdout.strip()
    got = []
    server = threading.Thread(target=serve, args=(ask("bn-b", "{{.State.Pid}}"), got))
    server.start()
    time.sleep(0.5)
    begin = time.monotonic()
    subprocess.run(["nsenter", "-n", "-t", ask("bn-a", "{{.State.Pid}}"), "python3", "-c",
                    "import socket, sys\ns = socket.create_connection((sys.argv[1], 9))\nb = bytes(1 << 20)\n"
                    f"for i in range({size >> 20}): s.sendall(b)", ask("bn-b", "{{.NetworkSettings.IPAddress}}")], check=True)
    server.join()
    subprocess.run([cleave, "rm", "-f", *names], check=True, **quiet)
    return size * 8 / (got[0] - begin) / 1e9


none, bridge, ours, theirs = [], [], [], []
run = [cleave, "run", "--rm"]
timed([*run, "bench/web", "true"])
for n in range(rounds):
    none.append(timed([*run, "--network", "none", "bench/web", "true"]))
    bridge.append(timed([*run, "bench/web", "true"]))
    ours.append(first_answer([cleave], "bn", "bench/web", 20080))
    if podman and n < max(3, rounds // 4):
        theirs.append(first_answer(podman, "bn", "localhost/bench/web", 20081,
                                   "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
                                   "--log-driver", "k8s-file")) # limits as far as any host goes
print(f"run --rm, no network            {statistics.median(none):8.1f} ms")
print(f"run --rm, on a bridge           {statistics.median(bridge):8.1f} ms")
print(f"run -d -p to the first answer   {statistics.median(ours):8.1f} ms")
if theirs:
    print(f"the same by podman              {statistics.median(theirs):8.1f} ms")
print(f"container to container          {throughput():8.1f} Gbit/s")
E
