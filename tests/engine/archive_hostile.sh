#!/bin/bash
# SPDX-License-Identifier: MIT
# Archives of images that are hostile or damaged: one line says why, and the store stays as it was.
. "$(dirname "$0")/lib.sh"
setup python3 gzip zstd xz tar
cleave run --rm cleave/tiny true
state() { cleave image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}' && find "$T/root/images" "$T/root/layers" "$T/root/tmp" -printf '%P %s\n' | sort; }
before=$(state)
canary=$T/canary && echo safe >"$canary"

# make.py NAME writes $T/NAME: each function of it is one archive
cat >"$T/make.py" <<'END'
import gzip, hashlib, io, json, os, sys, tarfile

top = sys.argv[1]
sha = lambda b: hashlib.sha256(b).hexdigest()
big = lambda n: b"\0" * n

def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, data, *more in members:
            info = tarfile.TarInfo(name)
            info.type = more[0] if more else tarfile.REGTYPE
            if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname, data = data, b""
            elif info.type == tarfile.CHRTYPE:
                info.devmajor, info.devminor = data
                data = b""
            if len(more) > 1:
                info.pax_headers = more[1]
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()

LAYER = tar([("file", b"data")])

def config(diffs, **more):
    return json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diffs}, **more}).encode()

def docker(layers, diffs=None, tags=["bad:1"], extra=[], conf=None):
    conf = conf or config(diffs or ["sha256:" + sha(l) for l in layers])
    names = [f"{i}.tar" for i in range(len(layers))]
    m = json.dumps([{"Config": "c.json", "RepoTags": tags, "Layers": names}]).encode()
    return tar([("manifest.json", m), ("c.json", conf)] + list(zip(names, layers)) + extra)

def blob(store, data):
    store["blobs/sha256/" + sha(data)] = data
    return {"digest": "sha256:" + sha(data), "size": len(data)}

def oci(change=lambda d: None, layer=LAYER, entry={}, manifest={}):
    d = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    l = dict(blob(d, layer), mediaType="application/vnd.oci.image.layer.v1.tar")
    c = dict(blob(d, config(["sha256:" + sha(layer)])), mediaType="application/vnd.oci.image.config.v1+json")
    m = blob(d, json.dumps({"schemaVersion": 2, "config": c, "layers": [l], **manifest}).encode())
    e = {**m, "mediaType": "application/vnd.oci.image.manifest.v1+json", "annotations": {"org.opencontainers.image.ref.name": "bad:1"}, **entry}
    d["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [e]}).encode()
    d["m"], d["c"], d["l"] = m["digest"], c["digest"], l["digest"]
    change(d)
    return tar([(k, v) for k, v in d.items() if isinstance(v, bytes)])

path = lambda d, k: "blobs/sha256/" + d[k][7:]
def damage(k):
    def change(d): d[path(d, k)] = d[path(d, k)][:-1] + b" "
    return change
def remove(k):
    def change(d): del d[path(d, k)]
    return change

def nested(depth):
    def change(d):
        inner = json.loads(d["index.json"])
        for _ in range(depth):
            inner = {"schemaVersion": 2, "manifests": [dict(blob(d, json.dumps(inner).encode()), mediaType="application/vnd.oci.image.index.v1+json")]}
        d["index.json"] = json.dumps(inner).encode()
    return change

def loop(d):
    e = dict(blob(d, d["index.json"]), mediaType="application/vnd.oci.image.index.v1+json")
    i = json.dumps({"schemaVersion": 2, "manifests": [e]}).encode()
    d["index.json"] = i
    d["blobs/sha256/" + e["digest"][7:]] = i

def long_chain():
    diffs = [f"sha256:{i:064x}" for i in range(600)]
    return tar([("manifest.json", json.dumps([{"Config": "c.json", "RepoTags": None, "Layers": ["l"] * 600}]).encode()), ("c.json", config(diffs))])

def many_layers():
    # a few hundred images with layers of their own
    members, entries = [], []
    for i in range(200):
        c = config([f"sha256:{i * 1000 + j:064x}" for j in range(499)])
        members.append((f"c{i}", c))
        entries.append({"Config": f"c{i}", "RepoTags": None, "Layers": ["l"] * 499})
    return tar([("manifest.json", json.dumps(entries).encode())] + members)

S, H, D, C = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE
layer = lambda *m: docker([tar(m)])
good = docker([LAYER])
cases = {
    # damaged
    "cut-header": good[:700], "cut-manifest": good[:1500][:1030], "cut-layer": good[:good.index(b"data") - 100],
    "cut-gzip": gzip.compress(good)[:-200], "text": b"this is no archive\n" * 100, "empty": b"", "zeros": big(10240),
    "nothing": tar([("file", b"x")]), "bad-sum": good[:512 * 3].replace(b"c.json", b"d.json") + good[512 * 3:],
    # digests
    "wrong-diff-id": docker([LAYER], diffs=["sha256:" + "0" * 64]),
    "wrong-layer": oci(damage("l")), "wrong-config": oci(damage("c")), "wrong-manifest": oci(damage("m")),
    "wrong-size": oci(manifest={"layers": [{"digest": "sha256:" + sha(LAYER), "size": 3, "mediaType": "application/vnd.oci.image.layer.v1.tar"}]}),
    "no-layer": oci(remove("l")), "no-config": oci(remove("c")), "no-manifest": oci(remove("m")),
    "sha512": oci(entry={"digest": "sha512:" + "0" * 128}), "climb-digest": oci(entry={"digest": "sha256:../../../../etc/passwd" + "0" * 37}),
    "diff-count": docker([LAYER], diffs=["sha256:" + sha(LAYER)] * 2), "diff-text": docker([LAYER], diffs=["../../x"]),
    # sizes and loops
    "huge-manifest": tar([("manifest.json", b"[" + b" " * (5 << 20) + b"]")]),
    "million-entries": tar([("manifest.json", b"[" + b"{}," * 999999 + b"{}]")]),
    "million-layers": tar([("manifest.json", b'[{"Config":"c","Layers":[' + b'"",' * 999999 + b'""]}]')]),
    "million-tags": tar([("manifest.json", b'[{"Config":"c","RepoTags":[' + b'"",' * 999999 + b'""]}]')]),
    "long-chain": long_chain(), "many-layers": many_layers(),
    "deep-json": tar([("manifest.json", b"[" * 100000 + b"]" * 100000)]),
    "nested-4": oci(nested(6)), "loop": oci(loop),
    "link-loop": tar([("manifest.json", "m2", S), ("m2", "manifest.json", S)]),
    "link-out": tar([("manifest.json", "/etc/passwd", S)]), "link-up": tar([("manifest.json", "../../etc/passwd", S)]),
    "hard-out": tar([("manifest.json", "../etc/passwd", H)]),
    "member-up": tar([("../manifest.json", b"[]")]),
    "layer-up": tar([("manifest.json", json.dumps([{"Config": "c.json", "Layers": ["../../etc/passwd"]}]).encode()), ("c.json", config(["sha256:" + sha(LAYER)]))]),
    "no-images": tar([("manifest.json", b"[]")]), "no-manifests": oci(lambda d: d.update({"index.json": b'{"schemaVersion":2,"manifests":[]}'})),
    "not-a-list": tar([("manifest.json", b"{}")]), "no-json": tar([("manifest.json", b"\xff\xfe")]),
    "null-config": tar([("manifest.json", b'[{"Config":null,"Layers":null}]')]), "number-config": tar([("manifest.json", b'[{"Config":7,"Layers":[]}]')]),
    "other-machine": oci(entry={"platform": {"architecture": "s390x", "os": "linux"}}),
    "windows": oci(entry={"platform": {"architecture": "amd64", "os": "windows"}}),
    "artifact": oci(manifest={"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "sha256:" + "0" * 64, "size": 2}}),
    "encrypted": oci(manifest={"layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+encrypted", "digest": "sha256:" + "0" * 64, "size": 2}]}),
    "bad-name": docker([LAYER], tags=["../../x:1"]), "option-name": docker([LAYER], tags=["-rf:1"]),
    "control-name": docker([LAYER], tags=["a\033[2Jb:1"]),
    # layers that climb
    "dots": layer(("a/../../x", b"x")),
    "link-escape": layer(("out", "../../../../../..", S), ("out" + os.path.join(top, "canary"), b"bad")),
    "absolute-link-escape": layer(("out", top, S), ("out/canary", b"bad")),
    "hard-escape": layer(("x", "../../../../../../" + os.path.join(top, "canary"), H)),
    "hard-through-link": layer(("out", top, S), ("x", "out/canary", H)),
    "hard-to-nothing": layer(("x", "nothing", H)),
    "dir-over-link": layer(("out", top, S), ("out", b"", D), ("out/../canary", b"bad")),
    "device-through-link": layer(("out", top, S), ("out/dev", (1, 3), C)),
    "whiteout-through-link": layer(("out", top, S), ("out/.wh.canary", b"")),
    "opaque-through-link": layer(("out", top, S), ("out/.wh..wh..opq", b"")),
    "whiteout-dots": layer((".wh...", b"")), "whiteout-itself": layer((".wh..", b"")), "whiteout-no-name": layer((".wh.", b"")),
    "device-0-0": layer(("x", (0, 0), C)), "reserved": layer(("x", b"", D, {"SCHILY.xattr.trusted.overlay.redirect": "/etc"})),
    "user-reserved": layer(("x", b"", D, {"SCHILY.xattr.user.overlay.opaque": "y"})),
    "long-name": layer(("a/" * 3000 + "x", b"x")), "long-part": layer(("n" * 300, b"x")),
    "root-is-file": layer((".", b"x")),
    "negative-size": None,
}
for name, data in cases.items():
    if data is None:
        h = bytearray(tar([("file", b"x" * 600)])[:2048])
        h[124:136] = b"\xff" * 12
        h[148:156] = b"%06o\0 " % (sum(h[:148]) + sum(h[156:512]) + 8 * 32)
        data = docker([bytes(h)])
    open(os.path.join(top, name), "wb").write(data)
open(os.path.join(top, "good"), "wb").write(docker([tar([("a", b"1"), ("a", b"22"), ("d", b"", D), ("d/x", b"3"), ("d", "a", S), ("l", "a", S), ("l", b"4"), ("h", "a", H), ("h", b"5"), ("t", b"", D, {"mtime": "5"}), ("t", b"", D, {"mtime": "6"})])]))
END
mkdir "$T/in"
echo safe >"$T/in/canary"
python3 "$T/make.py" "$T/in" || no "archives are made"

unchanged() {
	local now
	now=$(state)
	if [ "$now" = "$before" ]; then yes; else no "the store is unchanged after: $1" "$(diff <(echo "$before") <(echo "$now") | head -n 5)"; fi
}

# bad REGEX NAME [FILE] - load of the archive fails so
bad() {
	refuse 1 "^cleave: load '[^']*': .*($1)" load -i "${3:-$T/in/$2}"
	unchanged "$2"
}
early='ends early'
bad "$early" cut-header
bad "$early|valid" cut-manifest
bad "$early" cut-layer
bad 'gzip data is damaged: it ends early' cut-gzip
bad 'no valid tar' text
bad "neither 'manifest.json' nor 'index.json'" empty
bad "neither 'manifest.json' nor 'index.json'" zeros
bad "neither 'manifest.json' nor 'index.json'" nothing
bad 'wrong checksum' bad-sum
bad "layer '0.tar' unpacks to sha256:[0-9a-f]{64}, the image says sha256:0{64}" wrong-diff-id
bad "layer 'blobs/sha256/[0-9a-f]+' (unpacks to|has the digest)" wrong-layer
bad "'blobs/sha256/[0-9a-f]+' has the digest sha256:" wrong-config
bad "'blobs/sha256/[0-9a-f]+' has the digest sha256:" wrong-manifest
bad 'has 10240 bytes, the image says 3' wrong-size
for k in layer config manifest; do bad "no file 'blobs/sha256/[0-9a-f]{64}'" no-$k; done
bad 'manifests\[0\].digest.*no SHA-256 digest' sha512
bad 'manifests\[0\].digest.*no SHA-256 digest' climb-digest
bad 'has 1 layers, and its configuration names 2' diff-count
bad "rootfs.diff_ids: '../../x' is no digest" diff-text
bad "'manifest.json' has 5242882 bytes, limit 4194304" huge-manifest
bad '1000000 images are over the limit 1024' million-entries
bad 'Layers.*limit' million-layers
bad 'RepoTags.*limit' million-tags
bad 'Layers.*limit' long-chain
bad 'more than [0-9]+ layers' many-layers
bad 'nest|deep' deep-json
bad 'nested over 4 deep' nested-4
bad 'has the digest' loop
bad "no file 'manifest.json'|neither" link-loop
bad "no file 'manifest.json'|neither" link-out
bad 'leads outside of it' link-up
bad 'leads outside of it' hard-out
bad 'leads outside of it' member-up
bad 'leads outside of the archive' layer-up
bad 'no image' no-images
bad 'no image' no-manifests
bad 'expected a list' not-a-list
bad 'manifest.json' no-json
bad 'manifest.json.*Config' null-config
bad 'manifest.json.*Config' number-config
bad 'no image for this machine' other-machine
bad 'no image for this machine' windows
bad "mediaType: 'application/vnd.cncf.helm.config.v1\+json' is not that of an image" artifact
bad 'no layer that can be unpacked' encrypted
for n in bad-name option-name control-name; do bad 'name|reference' $n; done
bad "holds '..'" dots
for n in link-escape absolute-link-escape hard-through-link device-through-link whiteout-through-link opaque-through-link; do
	bad 'leads outside of the image through a link' $n
done
bad "holds '..'" hard-escape
bad "hard link 'x' to 'nothing'" hard-to-nothing
bad "holds '..'" dir-over-link
for n in whiteout-dots whiteout-itself whiteout-no-name; do bad 'of no file' $n; done
bad 'device 0:0' device-0-0
bad 'reserved' reserved
bad 'reserved' user-reserved
bad 'limit 4096' long-name
bad 'over 255 bytes' long-part
bad 'the root and no directory' root-is-file
bad 'no valid number' negative-size
is "nothing was written outside" "$(cat "$T/in/canary")$(find "$T/in" -name 'dev' -o -name x)" safe

# The same through other ways in
refuse 1 "layer '0.tar' unpacks to" load -q -i <(cat "$T/in/wrong-diff-id")
mkdir "$T/dir" && tar -C "$T/dir" -xf "$T/in/no-layer"
bad "no file 'blobs" no-layer "$T/dir"
ln -sf /etc/passwd "$T/dir/index.json"
bad "index.json" linked-index "$T/dir"
rm "$T/dir/index.json" && mkfifo "$T/dir/index.json"
bad "no regular file|neither 'manifest.json'" fifo-index "$T/dir"
refuse 1 "no such file" load -i "$T/no-such-file"

# Bombs: a layer, the archive around it, and both
python3 - "$T/in/zeros.tar" <<'END'
import sys, tarfile
info = tarfile.TarInfo("zeros")
info.size = 600 << 20
open(sys.argv[1], "wb").write(info.tobuf(tarfile.GNU_FORMAT))
END
{ cat "$T/in/zeros.tar"; head -c 601M /dev/zero; } | zstd -q >"$T/in/bomb.zst"
bad 'limit of 2000 times its size' bomb "$T/in/bomb.zst"
python3 - "$T/in/bomb.zst" "$T/in/bomb.tar" <<'END'
import io, json, sys, tarfile
layer = open(sys.argv[1], "rb").read()
with tarfile.open(sys.argv[2], "w") as t:
    for name, data in (("manifest.json", json.dumps([{"Config": "c", "RepoTags": None, "Layers": ["l"]}]).encode()),
                       ("c", json.dumps({"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}).encode()), ("l", layer)):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
END
bad 'limit of 2000 times its size' bomb-in-layer "$T/in/bomb.tar"

# Strange, and allowed: the later of two members counts
is "members twice" "$(cleave load -i "$T/in/good")" 'Loaded image: bad:1'
cleave create --name twice bad:1 x >/dev/null
is "the later one counts" "$(cleave export twice | tar -xO a d l h 2>/dev/null | tr '\n' ' ')" '2254'
is "of a directory, too" "$(cleave export twice | tar -tv --utc --full-time t | grep -c '1970-01-01 00:00:06')" 1
cleave rm twice >/dev/null
cleave rmi bad:1 >/dev/null
is "and it can be removed" "$(state | grep -v ' layers$')" "$(grep -v ' layers$' <<<"$before")"
