#!/bin/bash
# SPDX-License-Identifier: MIT
# Images as other tools make them: names from the root, several processors, entry points and labels that say nothing, one program only.
. "$(dirname "$0")/lib.sh"
setup python3
cat >"$T/make.py" <<'END'
import gzip, hashlib, io, json, os, sys, tarfile

top, type = sys.argv[1], "application/vnd.oci.image."

def tar(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, data, *link in members:
            info = tarfile.TarInfo(name)
            info.mode, info.size = 0o755, len(data)
            if link:
                info.type, info.linkname = tarfile.LNKTYPE, link[0]
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()

class Layout:
    def __init__(self, name):
        self.dir, self.list = os.path.join(top, name), []
        os.makedirs(self.dir + "/blobs/sha256")

    def blob(self, data, kind, **more):
        digest = hashlib.sha256(data).hexdigest()
        open(f"{self.dir}/blobs/sha256/{digest}", "wb").write(data)
        return {"mediaType": type + kind, "digest": "sha256:" + digest, "size": len(data), **more}

    def image(self, layers, config, **more):
        diffs = ["sha256:" + hashlib.sha256(l).hexdigest() for l in layers]
        c = {"architecture": "amd64", "os": "linux", "config": config, "rootfs": {"type": "layers", "diff_ids": diffs}}
        m = {"schemaVersion": 2, "config": self.blob(json.dumps(c).encode(), "config.v1+json"),
             "layers": [self.blob(gzip.compress(l, 1, mtime=0), "layer.v1.tar+gzip") for l in layers]}
        self.list.append(self.blob(json.dumps(m).encode(), "manifest.v1+json", **more))
        return self

    def nest(self):
        self.list = [self.blob(json.dumps({"schemaVersion": 2, "manifests": self.list}).encode(), "index.v1+json")]
        return self

    def end(self):
        self.list[0]["annotations"] = {"org.opencontainers.image.ref.name": os.path.basename(self.dir) + ":1"}
        json.dump({"schemaVersion": 2, "manifests": self.list}, open(self.dir + "/index.json", "w"))
        open(self.dir + "/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')

busybox = open("/bin/busybox", "rb").read()
one, run = tar(("busybox", busybox)), ["/busybox", "echo", "works"]
Layout("program").image([one], {"Entrypoint": run}).end()
Layout("slash").image([tar(("/ko-app/busybox", busybox), ("//busybox", b"", "/ko-app/busybox"))], {"Cmd": run}).end()
Layout("entry").image([one], {"Entrypoint": [""], "Cmd": run}).end()
Layout("label").image([one], {"Cmd": run, "Labels": {"a": None, "b": "c"}}).end()
Layout("chain").image([one] + [tar((f"f{i}", b"x")) for i in range(126)], {"Cmd": run}).end()
Layout("nothing").image([one, bytes(1024), tar()], {"Cmd": run}).end()
for name, variants in ("variants", ("v3", "v2", None, "v4")), ("first", ("v3", "v2")), ("named", ("v3", "v1")):
    layout = Layout(name)
    for v in variants:
        platform = {"architecture": "amd64", "os": "linux", **({"variant": v} if v else {})}
        layout.image([one], {"Cmd": ["/busybox", "echo", v or "plain"]}, platform=platform)
    layout.nest().end()
END
python3 "$T/make.py" "$T" || no "images are made"

# said NAME - load it and run it
said() { cleave load -q -i "$T/$1" >/dev/null && cleave run --rm --network none "$1:1" 2>&1; }
for name in program slash entry label chain nothing; do
	is "$name" "$(said "$name")" works
done
is "a label beside one without a value" "$(cleave inspect -f '{{.Config.Labels.b}}' label:1)" c
is "any processor's" "$(said variants)" plain
is "the oldest's by its name" "$(said named)" v1
is "the first, if all ask for a newer one" "$(said first)" v3
refuse 125 'unable to find user user' run --rm -u user --network none program:1
is "the store is sound" "$(cleave system check)" ''
