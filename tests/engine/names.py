#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Questions for names, and a server that answers them.

names.py ask SERVER NAME TYPE [tcp]   one line: the code, then the sorted answers
names.py serve ADDRESS LOG            UDP and TCP, port 53; names that were asked for are written to LOG
"""
import ipaddress
import random
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "PTR": 12, "AAAA": 28, "TXT": 16}
CODES = {0: "OK", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


def labels(name):
    return b"".join(bytes([len(x)]) + x.encode("latin-1") for x in name.split(".")) + b"\0"


def read_name(p, at):
    out, end = [], None
    while p[at]:
        if p[at] & 0xC0:
            end = end or at + 2
            at = (p[at] & 0x3F) << 8 | p[at + 1]
            continue
        out.append(p[at + 1:at + 1 + p[at]].decode("latin-1"))
        at += 1 + p[at]
    return ".".join(out), end or at + 1


def read_all(s, n):
    got = b""
    while len(got) < n:
        more = s.recv(n - len(got))
        if not more:
            raise OSError("closed")
        got += more
    return got


def exchange(server, query, tcp):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect((server, 53))
        if not tcp:
            s.send(query)
            return s.recv(65535)
        s.sendall(struct.pack(">H", len(query)) + query)
        return read_all(s, struct.unpack(">H", read_all(s, 2))[0])


def ask(server, name, kind, tcp=False):
    number = random.randrange(65536)
    query = struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + labels(name) + struct.pack(">2H", TYPES[kind], 1)
    reply = exchange(server, query, tcp)
    got, flags, _, n, _, _ = struct.unpack(">6H", reply[:12])
    assert got == number and flags & 0x8000, "not an answer"
    if flags & 0x200 and not tcp:
        return ask(server, name, kind, True) + " by TCP"
    at, words = read_name(reply, 12)[1] + 4, []
    for _ in range(n):
        at = read_name(reply, at)[1]
        rtype, _, _, size = struct.unpack(">2HIH", reply[at:at + 10])
        at += 10
        data = reply[at:at + size]
        words.append(str(ipaddress.ip_address(data)) if rtype in (1, 28) else read_name(reply, at)[0] if rtype == 12 else str(size))
        at += size
    return " ".join([CODES[flags & 15], *sorted(words)])


def answer(query, tcp):
    """up.test has an address, big.test much text, broken.test a server that fails; nothing else exists."""
    name, end = read_name(query, 12)
    kind = struct.unpack(">H", query[end:end + 2])[0]
    code, data, flags = 0, [], 0x8180
    if name.lower() == "up.test" and kind == 1:
        data = [bytes([192, 0, 2, 9])]
    elif name == "big.test" and kind == 16:
        data = [b"\xff" + b"x" * 255] * 20 if tcp else []
        flags |= 0 if tcp else 0x200
    elif name == "broken.test":
        code = 2
    elif name != "up.test":
        code = 3
    reply = query[:2] + struct.pack(">5H", flags | code, 1, len(data), 0, 0) + query[12:end + 4]
    return name, reply + b"".join(struct.pack(">3HIH", 0xC00C, kind, 1, 60, len(d)) + d for d in data)


def serve_tcp(listener, log):
    while True:
        s, _ = listener.accept()
        with s:
            try:
                query = read_all(s, struct.unpack(">H", read_all(s, 2))[0])
                name, reply = answer(query, True)
                print("tcp", name, file=log, flush=True)
                s.sendall(struct.pack(">H", len(reply)) + reply)
            except OSError:
                pass


def serve(address, path):
    log = open(path, "w", encoding="utf-8")
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 53))
    threading.Thread(target=serve_tcp, args=(socket.create_server((address, 53)), log), daemon=True).start()
    print("ready", file=log, flush=True)
    while True:
        query, sender = udp.recvfrom(65535)
        name, reply = answer(query, False)
        print("udp", name, file=log, flush=True)
        if name == "up.test":  # who guesses is not believed
            udp.sendto(bytes([reply[0] ^ 1]) + reply[1:-1] + b"\x01", sender)
            udp.sendto(reply[:13] + b"x" + reply[14:], sender)
        udp.sendto(reply, sender)


if sys.argv[1] == "serve":
    serve(sys.argv[2], sys.argv[3])
else:
    try:
        print(ask(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:] == ["tcp"]))
    except OSError as e:
        print("no answer:", e.strerror or e)
