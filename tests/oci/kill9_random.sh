#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGKILL of the runtime at any moment: delete --force removes everything.
. "$(dirname "$0")/lib.sh"
setup python3

cat >"$T/rounds.py" <<'PY'
"""Start the runtime and kill it after a random time, many times; after each round delete --force and look for leaks."""
import os, random, signal, subprocess, sys, time, glob
oci, root, bundle, ident, seconds = sys.argv[1:6]
random.seed(int.from_bytes(os.urandom(4), "little"))
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def run(*args):
    return subprocess.run([oci, "--root", root, *args], capture_output=True, stdin=subprocess.DEVNULL, timeout=15)
def killed(delay, *args):
    p = subprocess.Popen([oci, "--root", root, *args], **quiet)
    time.sleep(delay)
    p.send_signal(signal.SIGKILL)
    p.wait()
def ours():
    out = []
    for f in glob.glob("/proc/[0-9]*/cmdline"):
        if f.split("/")[2] == str(os.getpid()):
            continue
        try:
            words = open(f, "rb").read().split(b"\0")
            if root.encode() in words or b"88888" in words:
                out.append((f, words, open(f.replace("cmdline", "stat")).read().split(") ")[1][0]))
        except OSError:
            pass
    return [x for x in out if x[2] not in "ZX"]
end, rounds, bad = time.time() + float(seconds), 0, []
kinds = ["create", "run", "start", "exec", "delete"]
while time.time() < end and len(bad) < 3:
    kind = kinds[rounds % len(kinds)]
    rounds += 1
    if kind in ("start", "delete", "exec"):
        r = subprocess.run([oci, "--root", root, "create", "-b", bundle, ident], **quiet)
        if r.returncode:
            bad.append("create failed"); break
        if kind != "start":
            subprocess.run([oci, "--root", root, "start", ident], **quiet)
    delay = random.random() ** 2 * 0.02
    args = {"create": ["create", "-b", bundle, ident], "run": ["run", "-b", bundle, ident], "start": ["start", ident],
            "exec": ["exec", ident, "sleep", "88888"], "delete": ["delete", "--force", ident]}[kind]
    killed(delay, *args)
    r = run("delete", "--force", ident)
    if r.returncode:
        bad.append("%s killed after %.5f s: delete --force: %s" % (kind, delay, r.stderr.decode()))
    left = []
    for _ in range(100):
        left = ours() + glob.glob(root + "/*") + glob.glob("/sys/fs/cgroup/*/" + ident)
        if not left:
            break
        time.sleep(0.01)
    if left:
        bad.append("%s killed after %.5f s: left: %s" % (kind, delay, left))
        for f, *_ in [x for x in left if isinstance(x, tuple)]:
            os.kill(int(f.split("/")[2]), 9)
print(rounds, "rounds")
print("\n".join(bad))
sys.exit(bool(bad))
PY
conf '.process.args=["sleep","88888"]' '.linux.resources={memory:{limit:67108864},pids:{limit:50}}' '.hooks.createRuntime=[{path:"/bin/true"}]'
check "killed at random moments" python3 "$T/rounds.py" "$OCI" "$ROOT" "$B" "$ID" 1.5
conf '.process.args=["sleep","88888"]' '.linux.namespaces |= map(select(.type != "pid"))' '.hooks={prestart:[{path:"/bin/true"}],createContainer:[{path:"/bin/true"}]}'
check "without a pid namespace" python3 "$T/rounds.py" "$OCI" "$ROOT" "$B" "$ID" 1
conf '.process.args=["sleep","88888"]' '.linux.namespaces+=[{type:"user"},{type:"cgroup"}] | .linux.uidMappings=[{containerID:0,hostID:0,size:1000}] | .linux.gidMappings=.linux.uidMappings' \
	'.mounts |= map(select(.destination != "/dev/pts"))'
check "with a user namespace" python3 "$T/rounds.py" "$OCI" "$ROOT" "$B" "$ID" 1
