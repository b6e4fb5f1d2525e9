#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""faults.py UPSTREAM-PORT MODE-FILE: a proxy in front of a registry that does what registries should not do.

Prints its port.  MODE-FILE is read for every request; words:

  cut=N      answers with a layer end after N bytes         cuts=K     but only the first K of each
  stall=N    they stay open after N bytes                   config     a byte of small blobs is another one
  flip=N     byte N of a blob is another one                long       a blob has a byte too many
  short      a blob has a byte too few                      norange    Range is ignored
  wrongrange a part begins elsewhere                        fail=K     the first K answers to a request are 503
  always=S   every answer has status S                      redirect   blobs are redirected for ever
  digest     the digest in the header is wrong              endless    a manifest without an end
  token=N    tokens are wanted, and good for N requests     garbage    manifests are no JSON
  both       manifests are lists, too                       tags=T    the list of tags has T
  upcut=N    the connection ends after N bytes of an upload, once for each upload
  slow=N     no more than N bytes in a second
  refresh=W  tokens are given for the refresh token W only
  location=U uploads go on at U                             esc        errors that would change a terminal
  referrers  there is a list of what belongs to manifests, in two pages
  leak       layers are redirected to another name of this host; MODE-FILE.leak appears when a password comes along

As a proxy of HTTP it sends everything to that registry, whatever its name; what is to be connected it connects to the port of
that number on this machine.  MODE-FILE.log gets lines: "blob BYTES" for each answer with one, "connect HOST:PORT [USER:PASSWORD]".
"""

import base64
import http.client
import http.server
import json
import socket
import sys
import threading
import time

UPSTREAM = int(sys.argv[1])
LAYER_MIN = 10000
counts = {}
tokens = {}
cut_uploads = set()


def modes():
    with open(sys.argv[2], encoding="ascii") as f:
        return dict((w.split("=", 1) + ["0"])[:2] for w in f.read().split())


def log(line):
    with open(sys.argv[2] + ".log", "a", encoding="ascii") as f:
        f.write(line + "\n")


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def token_wanted(self, m):
        host = self.headers["Host"]
        if self.path.startswith("/token"):
            form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if "refresh" in m and f"refresh_token={m['refresh']}" not in form.split("&"):
                self.answer(401, body=b'{"details":"no such refresh token"}')
                return True
            name = f"t{len(tokens)}"
            tokens[name] = int(m["token"])
            self.answer(200, body=json.dumps({"token": name, "expires_in": 60}).encode())
            return True
        name = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if tokens.get(name, 0) <= 0:
            self.drain()
            self.answer(401, [("WWW-Authenticate", f'Bearer realm="http://{host}/token",service="s"')],
                        b'{"errors":[{"code":"UNAUTHORIZED","message":"token expired"}]}')
            return True
        tokens[name] -= 1
        return False

    def drain(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def refused(self, m):
        if "token" in m and self.token_wanted(m):
            return True
        if "esc" in m:
            self.drain()
            text = "a\x1b[2Jb\u009b2Jc\nd"
            self.answer(403, body=json.dumps({"errors": [{"code": "DENIED", "message": text}]}).encode())
            return True
        if "referrers" in m and "/referrers/" in self.path:
            self.referrers()
            return True
        if "tags" in m and "/tags/" in self.path:
            self.answer(200, body=json.dumps({"tags": [m["tags"]]}).encode())
            return True
        if "both" in m and "/manifests/" in self.path:
            self.answer(200, [("Content-Type", "application/vnd.oci.image.index.v1+json")],
                        b'{"manifests":[],"layers":[],"config":{}}')
            return True
        if "location" in m and self.command == "POST":
            self.answer(202, [("Location", m["location"])])
            return True
        if "always" in m:
            self.drain()
            self.answer(int(m["always"]))
            return True
        key = (self.command, self.path)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= int(m.get("fail", 0)):
            self.drain()
            self.answer(503)
            return True
        if "redirect" in m and "/blobs/" in self.path:
            self.answer(307, [("Location", self.path)])
            return True
        if "garbage" in m and "/manifests/" in self.path:
            self.answer(200, [("Content-Type", "application/vnd.oci.image.manifest.v1+json")], b"{\xff}")
            return True
        if "endless" in m and "/manifests/" in self.path:
            self.send_response(200)
            self.end_headers()
            for _ in range(10000):
                self.wfile.write(b" " * 65536)
            return True
        return False

    def referrers(self):
        second = "page=2" in self.path
        entry = {"digest": "sha256:" + ("2" if second else "1") * 64, "size": 7,
                 "artifactType": "application/x-two" if second else "application/x-one"}
        headers = [("Content-Type", "application/vnd.oci.image.index.v1+json")]
        if not second:
            headers.append(("Link", f'<{self.path}?page=2>; rel="next"'))
        self.answer(200, headers, json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())

    def upload(self, m):
        """The body of the request; None when the connection was to break in it."""
        length = int(self.headers.get("Content-Length", 0))
        at = int(m.get("upcut", 0))
        upload = self.path.split("?")[0]
        if at and length > at and upload not in cut_uploads:
            cut_uploads.add(upload)
            self.rfile.read(at)
            return None
        return self.rfile.read(length)

    def change(self, m, body, headers):
        if "config" in m and len(body) < LAYER_MIN:
            return body[:-1] + bytes([body[-1] ^ 1])
        if len(body) < LAYER_MIN:
            return body
        if "flip" in m:
            at = int(m["flip"])
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        if "long" in m:
            body += b"x"
        if "short" in m:
            body = body[:-1]
        if "wrongrange" in m and "Content-Range" in headers:
            headers["Content-Range"] = "bytes 1-2/3"
        return body

    def send_slowly(self, body, rate):
        for at in range(0, len(body), rate):
            self.wfile.write(body[at:at + rate])
            self.wfile.flush()
            time.sleep(1)

    def send_body(self, m, body):
        for word in ("cut", "stall"):
            at = int(m.get(word, 0))
            key = (word, self.path)
            counts[key] = counts.get(key, 0) + 1
            if at and len(body) > max(at, LAYER_MIN) and counts[key] <= int(m.get("cuts", "1000000")):
                self.wfile.write(body[:at])
                self.wfile.flush()
                while word == "stall" and not self.connection.recv(1):
                    break
                self.close_connection = True
                return
        if "slow" in m:
            self.send_slowly(body, int(m["slow"]))
        else:
            self.wfile.write(body)

    def forward(self):
        m = modes()
        if self.path.startswith("http://"):
            self.path = "/" + self.path.split("/", 3)[3]
        if self.path.startswith("/leak/"):
            self.path = self.path[len("/leak"):]
            if "Authorization" in self.headers:
                with open(sys.argv[2] + ".leak", "w", encoding="ascii"):
                    pass
        elif self.refused(m):
            return
        elif "leak" in m and "/blobs/sha256:" in self.path:
            port = self.server.server_address[1]
            self.answer(307, [("Location", f"http://localhost:{port}/leak{self.path}")])
            return
        body = self.upload(m)
        if body is None:
            self.close_connection = True
            return
        up = http.client.HTTPConnection("127.0.0.1", UPSTREAM)
        headers = {k: v for k, v in self.headers.items() if k not in ("Authorization", "Content-Length")
                   and not (k == "Range" and "norange" in m)}
        up.request(self.command, self.path, body, headers)
        got = up.getresponse()
        text = got.read()
        back = {k: v for k, v in got.getheaders() if k not in ("Content-Length", "Date", "Connection")}
        blob = "/blobs/sha256:" in self.path and self.command == "GET"
        if blob:
            log(f"blob {len(text)}")
            text = self.change(m, text, back)
        if "digest" in m and "Docker-Content-Digest" in back:
            back["Docker-Content-Digest"] = "sha256:" + "0" * 64
        self.send_response(got.status)
        for name, value in back.items():
            self.send_header(name, value)
        length = got.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(text))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(m if blob else {}, text)
        up.close()

    def do_CONNECT(self):
        user = self.headers.get("Proxy-Authorization", "").removeprefix("Basic ")
        log(f"connect {self.path} {base64.b64decode(user).decode()}".rstrip())
        with socket.create_connection(("127.0.0.1", int(self.path.rsplit(":", 1)[1]))) as up:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pump, args=(up, self.connection))
            back.start()
            pump(self.connection, up)
            back.join()
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
