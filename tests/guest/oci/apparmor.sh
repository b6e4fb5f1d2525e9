#!/bin/bash
# SPDX-License-Identifier: MIT
# process.apparmorProfile: enforced for run and exec; unknown profiles are refused.
. "$(dirname "$0")/../../oci/lib.sh"
setup apparmor_parser
[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip "no AppArmor"

apparmor_parser -r <<'P' || exit 1
profile cleave-one flags=(attach_disconnected,mediate_deleted) {
	file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
	deny /proc/version r,
	deny /etc/group w,
}
profile cleave-two flags=(attach_disconnected,mediate_deleted) {
	file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
	deny /etc/passwd r,
}
P
try='cat /proc/self/attr/current; for f in /proc/version /etc/passwd; do head -c1 $f >/dev/null 2>&1 && echo $f; done'
gives "no profile" "$try" $'unconfined\n/proc/version\n/etc/passwd'
gives "a profile is enforced" "$try" $'cleave-one (enforce)\n/etc/passwd' '.process.apparmorProfile="cleave-one"'
gives "with no_new_privs" "$try" $'cleave-one (enforce)\n/etc/passwd' '.process.apparmorProfile="cleave-one"' '.process.noNewPrivileges=true'
gives "without" "$try" $'cleave-one (enforce)\n/etc/passwd' '.process.apparmorProfile="cleave-one"' '.process.noNewPrivileges=false'
gives "as a user without capabilities" "$try" $'cleave-one (enforce)\n/etc/passwd' '.process.apparmorProfile="cleave-one"' \
	'.process.user={uid:1000,gid:1000}' 'del(.process.capabilities)'
gives "writing" '(echo x >>/etc/group) 2>/dev/null || echo refused' refused '.process.apparmorProfile="cleave-one"'
refuse "a profile that is not loaded" 'apparmor|AppArmor' '.process.apparmorProfile="cleave-none"'
refuse "a profile with a line break" 'apparmor|AppArmor' '.process.apparmorProfile="cleave-one\nx"'

up '.process.apparmorProfile="cleave-one"'
attempt exec "$ID" sh -c "$try"
eq "exec has the container's profile" "$out" $'cleave-one (enforce)\n/etc/passwd'
attempt exec --apparmor cleave-two "$ID" sh -c "$try"
eq "exec --apparmor" "$out" $'cleave-two (enforce)\n/proc/version'
jq '.process | .args=["sh","-c","cat /proc/self/attr/current"] | .apparmorProfile="cleave-two"' "$B/config.json" >"$T/process.json"
attempt exec --process "$T/process.json" "$ID"
eq "exec --process" "$out" 'cleave-two (enforce)'
fails "exec --apparmor of none" 'apparmor|AppArmor' exec --apparmor cleave-none "$ID" true
down
