#!/bin/bash
# SPDX-License-Identifier: MIT
# crun CVE-2022-27650: inheritable and ambient capabilities of a file-capability program after exec --process.
. "$(dirname "$0")/lib.sh"
setup python3 gcc

up '.process.noNewPrivileges=false' '.process.capabilities=({bounding:["CAP_CHOWN","CAP_SETUID"]} | .permitted=.bounding | .effective=.bounding)'
# a program of the image with inheritable file capabilities: with a non-empty inheritable set it gains them
static bin/gainer <<'C'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, argv[1], strlen(argv[1])) == 0)
			printf("%s", line + strlen(argv[1]) + 2);
	return 0;
}
C
python3 - "$B/rootfs/bin/gainer" <<'PY' || skip "no file capabilities on this file system"
import os, struct, sys
# VFS_CAP_REVISION_2, effective; permitted none, inheritable CAP_CHOWN and CAP_SETUID
os.setxattr(sys.argv[1], "security.capability", struct.pack("<IIIII", 0x02000001, 0, 0x81, 0, 0))
PY
attempt exec --user 1000 "$ID" /bin/gainer CapPrm
eq "a user gains nothing by exec" "$out" 0000000000000000
jq '.process | .user={uid:1000,gid:1000} | .args=["/bin/gainer","CapPrm"]' "$B/config.json" >"$T/p.json"
attempt exec --process "$T/p.json" "$ID"
eq "nor by exec --process" "$out" 0000000000000000
attempt exec --user 1000 --cap CAP_CHOWN "$ID" /bin/gainer CapInh
eq "nor is --cap inheritable" "$out" 0000000000000000
down
conf '.process.noNewPrivileges=false | .process.user.uid=1000 | .process.args=["/bin/gainer","CapPrm"]' \
	'.process.capabilities=({bounding:["CAP_CHOWN","CAP_SETUID"]} | .permitted=.bounding | .effective=.bounding)'
attempt run -b "$B" "$ID"
eq "nor by run" "$out" 0000000000000000
conf '.process.noNewPrivileges=false | .process.user.uid=1000 | .process.args=["/bin/gainer","CapPrm"]' \
	'.process.capabilities=({bounding:["CAP_CHOWN","CAP_SETUID"]} | .permitted=.bounding | .effective=.bounding | .inheritable=.bounding)'
attempt run -b "$B" "$ID"
eq "with an inheritable set that is asked for it does: the attack is real" "$out" 0000000000000081
