#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""network.py NETLOAD ROUNDS NAME=COMMAND...: what network.sh measures, of each engine; ours is the first."""
import json
import os
import socket
import statistics
import subprocess
import sys
import time

NETLOAD = sys.argv[1]
ROUNDS = int(sys.argv[2])
INSTANCES = int(os.environ["INSTANCES"])
MIB = int(os.environ.get("MIB", "2048"))
TRIPS = int(os.environ.get("TRIPS", "20000"))
ENGINES = {name: command.split() for name, command in (word.split("=", 1) for word in sys.argv[3:])}
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
# limits as far as any host goes
MORE = {"podman": ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--log-driver", "k8s-file"]}


def timed(words):
    begin = time.monotonic()
    subprocess.run(words, check=True, **QUIET)
    return (time.monotonic() - begin) * 1e3


def run(engine, *words):
    return [*ENGINES[engine], "run", *MORE.get(engine, []), *words]


def do(engine, *words):
    subprocess.run([*ENGINES[engine], *words], check=True, **QUIET)


def remove(engine, *names):
    do(engine, "rm", "-f", *(["--time", "0"] if engine == "podman" else []), *names)


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


class Server:
    """netload in the network of a process, "0": of the host."""

    def __init__(self, pid, port):
        self.process = subprocess.Popen([NETLOAD, pid, "serve", str(port)], stdout=subprocess.PIPE, start_new_session=True)
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, 9)
        self.process.wait()


def load(pid, address, port):
    """Gbit/s, requests per second, microseconds there and back."""
    what = {"bulk": MIB, "requests": TRIPS, "echo": TRIPS}
    return [float(subprocess.run([NETLOAD, pid, kind, address, str(port), str(n)], check=True, capture_output=True, text=True).stdout)
            for kind, n in what.items()]


class Pair:
    """Two containers in a network, the second with a port."""

    def __init__(self, engine, port):
        self.engine, self.port = engine, port
        do(engine, "network", "create", "bench-net")
        for name, more in (("bn-a", []), ("bn-b", ["-p", f"{port}:9"])):
            subprocess.run(run(engine, "-d", "--name", name, "--network", "bench-net", *more, "bench/web", "sleep", "1000"), check=True, **QUIET)
        self.address = inspect(engine, "bn-b", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
        self.gateway = inspect(engine, "bn-a", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}")
        self.a, self.b = (inspect(engine, name, "{{.State.Pid}}") for name in ("bn-a", "bn-b"))

    def measure(self):
        with Server(self.b, 9):
            between, published = load(self.a, self.address, 9), load("0", self.gateway, self.port)
        with Server("0", 9):
            return between, load(self.a, self.gateway, 9), published

    def end(self):
        remove(self.engine, "bn-a", "bn-b")
        do(self.engine, "network", "rm", "bench-net")


def traffic():
    """Medians over rounds that take turns; the networks of all engines are there all the time."""
    pairs = {name: Pair(name, 20180 + k) for k, name in enumerate(ENGINES)}
    rounds = {name: [] for name in ENGINES}
    for _ in range(max(3, ROUNDS // 4)):
        for name, pair in pairs.items():
            rounds[name].append(pair.measure())
    for pair in pairs.values():
        pair.end()
    for k, what in enumerate(("container to container", "container to the host", "host to a published port")):
        for name, results in rounds.items():
            print("{}: {:26}{:8.1f} Gbit/s, {:8.0f} requests/s, {:6.1f} us there and back".format(
                name, what, *(statistics.median(r[k][i] for r in results) for i in range(3))))


def kernel():
    """Rules of the host in tables of all kinds, and elements of their sets and maps."""
    rules = elements = 0
    said = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True)
    for item in json.loads(said.stdout or "{}").get("nftables", []):
        rules += "rule" in item
        for kind in ("set", "map"):
            elements += len(item.get(kind, {}).get("elem", []))
    for program in ("iptables-legacy-save", "ip6tables-legacy-save"):
        try:
            said = subprocess.run([program], capture_output=True, text=True)
            rules += sum(line.startswith("-A") for line in said.stdout.splitlines())
        except FileNotFoundError:
            pass
    return rules, elements


def processes():
    return sum(name.isdigit() for name in os.listdir("/proc"))


def many(engine):
    do(engine, "network", "create", "bench-net")
    rules, elements = kernel()
    before = processes()
    spent = [timed(run(engine, "-d", "--name", f"bn{n}", "--network", "bench-net", "-p", f"{21000 + n}:80", "bench/web", "sleep", "1000"))
             for n in range(INSTANCES)]
    more_rules, more_elements = kernel()
    more = processes()
    begin = time.monotonic()
    remove(engine, *(f"bn{n}" for n in range(INSTANCES)))
    ended = time.monotonic() - begin
    do(engine, "network", "rm", "bench-net")
    tenth = max(1, INSTANCES // 10)
    print("{}: {} instances with a port  {:8.1f} ms each at first, {:.1f} ms at last; all {:.1f} s, removal {:.1f} s".format(
        engine, INSTANCES, statistics.median(spent[:tenth]), statistics.median(spent[-tenth:]), sum(spent) / 1e3, ended))
    print("{}: for each of them    {:8.2f} rules, {:.2f} elements of sets and maps, {:.2f} processes".format(
        engine, (more_rules - rules) / INSTANCES, (more_elements - elements) / INSTANCES, (more - before) / INSTANCES))


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
    traffic()
    for name in ENGINES:
        many(name)


main()
