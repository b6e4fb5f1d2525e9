#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGKILL of the runtime at any moment: delete --force removes everything.
. "$(dirname "$0")/lib.sh"
setup python3
nap=88$$ # seconds to sleep, by which this test's processes are known

cat >"$T/rounds.py" <<'PY'
"""Start the runtime and kill it after a random time, many times; after each round delete --force and look for leaks."""
import os, random, signal, subprocess, sys, time, glob
oci, root, bundle, ident, seconds, nap = sys.argv[1:7]
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
            if root.encode() in words or nap.encode() in words:
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
            "exec": ["exec", ident, "sleep", nap], "delete": ["delete", "--force", ident]}[kind]
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
conf '.process.args=["sleep","'$nap'"]' '.linux.resources={memory:{limit:67108864},pids:{limit:50}}' '.hooks.createRuntime=[{path:"/bin/true"}]'
check "killed at random moments" python3 "$T/rounds.py" "$OCI" "$ROOT" "$B" "$ID" 1.2 $nap
conf '.process.args=["sleep","'$nap'"]' '.linux.namespaces |= map(select(.type != "pid"))' '.hooks={prestart:[{path:"/bin/true"}],createContainer:[{path:"/bin/true"}]}'
check "without a pid namespace" python3 "$T/rounds.py" "$OCI" "$ROOT" "$B" "$ID" 0.7 $nap
conf '.process.args=["sleep","'$nap'"]' '.linux.namespaces+=[{type:"user"},{type:"cgroup"}] | .linux.uidMappings=[{containerID:0,hostID:0,size:1000}] | .linux.gidMappings=.linux.uidMappings' \
	'.mounts |= map(select(.destination != "/dev/pts"))'
check "with a user namespace" python3 "$T/rounds.py" "$OCI" "$ROOT" "$B" "$ID" 0.7 $nap

# killed while a hook hangs, which nobody waits for any more
printf '#!/bin/sh\n/bin/sleep %s\n' $nap >"$T/hang"
chmod +x "$T/hang"
for kind in prestart createRuntime createContainer; do
	for filter in . '.linux.namespaces |= map(select(.type != "pid"))'; do
		conf '.process.args=["sleep","1"]' ".hooks.$kind=[{path:\"$T/hang\"}]" "$filter"
		"$OCI" --root "$ROOT" create -b "$B" "$ID" >/dev/null 2>&1 </dev/null &
		pid=$!
		check "$kind hook hangs" soon pgrep -f "sleep[ ]$nap"
		kill -9 $pid
		wait $pid 2>/dev/null
		check "delete --force after that" oci delete --force "$ID"
		[ $kind = createContainer ] || kill -9 $(pgrep -f "sleep[ ]$nap") # a hook of the host is the host's
		soon sh -c "! pgrep -f 'sleep[ ]$nap'" || no "the hook is left"
	done
done
