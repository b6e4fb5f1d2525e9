#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""network.py ROUNDS NAME=COMMAND...: what network.sh measures, of each engine; ours is the first."""
import ctypes
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

ROUNDS = int(sys.argv[1])
INSTANCES = int(os.environ["INSTANCES"])
ENGINES = {name: command.split() for name, command in (word.split("=", 1) for word in sys.argv[2:])}
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
# limits as far as any host goes
MORE = {"podman": ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--log-driver", "k8s-file"]}
LIBC = ctypes.CDLL(None)


def timed(words):
    begin = time.monotonic()
    subprocess.run(words, check=True, **QUIET)
    return (time.monotonic() - begin) * 1e3


def run(engine, *words):
    return [*ENGINES[engine], "run", *MORE.get(engine, []), *words]


def remove(engine, *names):
    subprocess.run([*ENGINES[engine], "rm", "-f", *(["--time", "0"] if engine == "podman" else []), *names], check=True, **QUIET)


def inspect(engine, name, what):
    return subprocess.run([*ENGINES[engine], "inspect", "-f", what, name], check=True, capture_output=True, text=True).stdout.strip()


def first_answer(engine, port):
    begin = time.monotonic()
    subprocess.run(run(engine, "-d", "--name", "bn", "-p", f"{port}:80", "bench/web", "httpd", "-f", "-h", "/www"), check=True, **QUIET)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if b"200" in s.recv(100):
                    break
        except OSError:
            time.sleep(0.0002)
    spent = (time.monotonic() - begin) * 1e3
    remove(engine, "bn")
    return spent


def inside(pid):
    """This thread's sockets are those of the network of a process."""
    fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if LIBC.setns(fd, 0x40000000) != 0:
        raise OSError("setns")
    os.close(fd)


def serve(pid, ready):
    inside(pid)
    with socket.create_server(("", 9)) as listener:
        ready.set()
        for bulk in (True, False):
            c, _ = listener.accept()
            with c:
                c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                buffer = bytearray(1 << 20)
                while n := c.recv_into(buffer):
                    if not bulk:
                        c.sendall(buffer[:n])
                if bulk:
                    c.sendall(b"x")


def between(engine, size=2 << 30, trips=20000):
    """Gbit/s, and microseconds there and back."""
    subprocess.run([*ENGINES[engine], "network", "create", "bench-net"], check=True, **QUIET)
    for name in ("bn-a", "bn-b"):
        subprocess.run(run(engine, "-d", "--name", name, "--network", "bench-net", "bench/web", "sleep", "1000"), check=True, **QUIET)
    address = inspect(engine, "bn-b", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
    ready, result = threading.Event(), []
    server = threading.Thread(target=serve, args=(inspect(engine, "bn-b", "{{.State.Pid}}"), ready))

    def client(pid):
        inside(pid)
        block = bytes(1 << 20)
        with socket.create_connection((address, 9)) as s:
            begin = time.monotonic()
            for _ in range(size >> 20):
                s.sendall(block)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
            result.append(size * 8 / (time.monotonic() - begin) / 1e9)
        with socket.create_connection((address, 9)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begin = time.monotonic()
            for _ in range(trips):
                s.sendall(b"x")
                s.recv(1)
            result.append((time.monotonic() - begin) / trips * 1e6)

    server.start()
    ready.wait()
    asker = threading.Thread(target=client, args=(inspect(engine, "bn-a", "{{.State.Pid}}"),))
    asker.start()
    asker.join()
    server.join()
    remove(engine, "bn-a", "bn-b")
    subprocess.run([*ENGINES[engine], "network", "rm", "bench-net"], check=True, **QUIET)
    return result


def many(engine):
    """Medians of the first and last tenth, and seconds of all."""
    subprocess.run([*ENGINES[engine], "network", "create", "bench-net"], check=True, **QUIET)
    spent = [timed(run(engine, "-d", "--name", f"bn{n}", "--network", "bench-net", "-p", f"{21000 + n}:80", "bench/web", "sleep", "1000"))
             for n in range(INSTANCES)]
    begin = time.monotonic()
    remove(engine, *(f"bn{n}" for n in range(INSTANCES)))
    ended = time.monotonic() - begin
    subprocess.run([*ENGINES[engine], "network", "rm", "bench-net"], check=True, **QUIET)
    tenth = max(1, INSTANCES // 10)
    return statistics.median(spent[:tenth]), statistics.median(spent[-tenth:]), sum(spent) / 1e3, ended


def main():
    none, bridge, answers = [], [], {name: [] for name in ENGINES}
    for name in ENGINES:
        timed(run(name, "--rm", "bench/web", "true"))
    for n in range(ROUNDS):
        none.append(timed(run("cleave", "--rm", "--network", "none", "bench/web", "true")))
        bridge.append(timed(run("cleave", "--rm", "bench/web", "true")))
        for k, name in enumerate(ENGINES):
            if name == "cleave" or n < max(3, ROUNDS // 4):
                answers[name].append(first_answer(name, 20080 + k))
    print(f"run --rm, no network                     {statistics.median(none):8.1f} ms")
    print(f"run --rm, on a bridge                    {statistics.median(bridge):8.1f} ms")
    for name in ENGINES:
        print(f"{name}: run -d -p to the first answer    {statistics.median(answers[name]):8.1f} ms")
    for name in ENGINES:
        print("{}: container to container          {:8.1f} Gbit/s, {:.1f} us there and back".format(name, *between(name)))
    for name in ENGINES:
        print("{}: {} instances with a port        {:8.1f} ms each at first, {:.1f} ms at last; all {:.1f} s, removal {:.1f} s".format(
            name, INSTANCES, *many(name)))


main()
