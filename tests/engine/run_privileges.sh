#!/bin/bash
# SPDX-License-Identifier: MIT
# Options about privileges: capabilities, security options, devices, groups, sysctls, --privileged.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@"; }
caps() { inside "$@" cleave/tiny grep CapEff /proc/self/status | cut -f2; }
default=00000000a80425fb
hostcaps=$(grep CapBnd /proc/self/status | cut -f2)
is "by default" "$(caps)" $default
is "--cap-add" "$(caps --cap-add NET_ADMIN)" 00000000a80435fb
is "--cap-add in small letters, with CAP_" "$(caps --cap-add cap_net_admin)" 00000000a80435fb
is "--cap-drop" "$(caps --cap-drop chown)" 00000000a80425fa
is "--cap-drop ALL" "$(caps --cap-drop all)" 0000000000000000
is "--cap-drop ALL --cap-add" "$(caps --cap-drop ALL --cap-add KILL)" 0000000000000020
is "--cap-add ALL" "$(caps --cap-add ALL)" "$hostcaps"
is "--cap-add ALL --cap-drop" "$(caps --cap-add ALL --cap-drop CHOWN)" "$(printf '%016x' $((0x$hostcaps & ~1)))"
is "what is added and dropped is added" "$(caps --cap-add NET_ADMIN --cap-drop NET_ADMIN)" 00000000a80435fb
is "another user has none" "$(caps -u 1000)" 0000000000000000
is "but the bounding set" "$(inside -u 1000 cleave/tiny grep CapBnd /proc/self/status | cut -f2)" $default
refuse 125 '--cap-add: unknown capability: "NONSENSE"' run --rm --cap-add NONSENSE cleave/tiny true
refuse 125 '--cap-drop: unknown capability' run --rm --cap-drop "$(printf '%0999d' 0)" cleave/tiny true

# System calls that come with capabilities
run 0 --rm --cap-add SYS_ADMIN --security-opt apparmor=unconfined cleave/tiny sh -c 'mkdir /m && mount -t tmpfs x /m && umount /m'
run 0 --rm --cap-add SYS_ADMIN cleave/tiny unshare -m true
run 1 --rm --cap-add NET_ADMIN cleave/tiny unshare -m true
run 0 --rm --cap-add NET_ADMIN cleave/tiny ip link set lo mtu 1400
run 0 --rm --cap-add SYS_CHROOT cleave/tiny chroot / true
run 1 --rm --cap-drop SYS_CHROOT cleave/tiny chroot / true
is "--security-opt seccomp=unconfined" "$(inside --security-opt seccomp=unconfined cleave/tiny grep '^Seccomp:' /proc/self/status | cut -f2)" 0
is "seccomp:unconfined" "$(inside --security-opt seccomp:unconfined cleave/tiny grep '^Seccomp:' /proc/self/status | cut -f2)" 0
cat >"$T/profile.json" <<'END'
{"defaultAction":"SCMP_ACT_ALLOW",
 "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]},
            {"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]}],
 "syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","args":[],"comment":"x"},
             {"name":"symlinkat","action":"SCMP_ACT_ERRNO"},
             {"names":["symlink"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_NET_ADMIN"]}},
             {"names":["unlink","unlinkat"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_NET_ADMIN"]}},
             {"names":["rmdir"],"action":"SCMP_ACT_ERRNO","includes":{"minKernel":"99.0"}},
             {"names":["chmod","fchmodat"],"action":"SCMP_ACT_ERRNO","includes":{"arches":["s390x"]}}]}
END
run 1 --rm --security-opt "seccomp=$T/profile.json" cleave/tiny mkdir /x
like "a profile of one's own" "$out" 'not permitted'
run 0 --rm --security-opt "seccomp=$T/profile.json" cleave/tiny sh -c 'touch /a && rm /a && touch /b && chmod 600 /b'
run 1 --rm --security-opt "seccomp=$T/profile.json" cleave/tiny ln -s a /b
run 1 --rm --cap-add NET_ADMIN --security-opt "seccomp=$T/profile.json" cleave/tiny sh -c 'touch /a && rm -f /a'
cleave create --name kept --security-opt "seccomp=$T/profile.json" cleave/tiny mkdir /x >/dev/null
rm "$T/profile.json"
like "the profile is kept" "$(cleave start -a kept 2>&1)" 'not permitted'
echo '{"defaultAction":"SCMP_ACT_WHAT"}' >"$T/bad.json"
refuse 125 'defaultAction' run --rm --security-opt "seccomp=$T/bad.json" cleave/tiny true
echo '{"defaultAction":' >"$T/bad.json"
refuse 125 'bad.json: line 2 column 1' run --rm --security-opt "seccomp=$T/bad.json" cleave/tiny true
refuse 125 'opening seccomp profile' run --rm --security-opt seccomp=/no/such/file cleave/tiny true
is "no-new-privileges" "$(inside --security-opt no-new-privileges cleave/tiny grep NoNewPrivs /proc/self/status | cut -f2)" 1
is "no-new-privileges=true" "$(inside --security-opt no-new-privileges=true cleave/tiny grep NoNewPrivs /proc/self/status | cut -f2)" 1
is "no-new-privileges:false" "$(inside --security-opt no-new-privileges:false cleave/tiny grep NoNewPrivs /proc/self/status | cut -f2)" 0
run 0 --rm --security-opt label=disable --security-opt apparmor=unconfined cleave/tiny true
is "read-only paths" "$(inside cleave/tiny grep -c ' /proc/sys ' /proc/self/mountinfo)" 1
is "systempaths=unconfined" "$(inside --security-opt systempaths=unconfined cleave/tiny grep -c ' /proc/' /proc/self/mountinfo)" 0
is "unmask=ALL" "$(inside --security-opt unmask=ALL cleave/tiny grep -c ' /proc/' /proc/self/mountinfo)" 0
is "unmask=PATH" "$(inside --security-opt unmask=/proc/sys cleave/tiny grep -c ' /proc/sys ' /proc/self/mountinfo)" 0
is "unmask=PATTERN" "$(inside --security-opt 'unmask=/proc/*' cleave/tiny grep -c ' /proc/' /proc/self/mountinfo)" 0
is "mask" "$(inside --security-opt mask=/etc/passwd:/proc/version cleave/tiny sh -c 'cat /etc/passwd /proc/version')" ''
refuse 125 'invalid --security-opt: "colour=red"' run --rm --security-opt colour=red cleave/tiny true
refuse 125 'invalid --security-opt: "seccomp"' run --rm --security-opt seccomp cleave/tiny true

# Devices
is "--device" "$(inside --device /dev/zero:/dev/mine cleave/tiny sh -c 'stat -c %t,%T /dev/mine; head -c 3 /dev/mine | wc -c' | tr '\n' ' ')" '1,5 3 '
is "--device in another directory" "$(inside --device /dev/zero:/here/zero cleave/tiny stat -c %F /here/zero)" 'character special file'
mkdir -p "$T/devs/sub"
mknod "$T/devs/a" c 1 3
mknod "$T/devs/sub/b" c 1 5
is "--device of a directory" "$(inside --device "$T/devs:/dev/many" cleave/tiny sh -c 'cd /dev/many; ls a sub/b' | tr '\n' ' ')" 'a sub/b '
# One that no container may use by itself
fuse=$(stat -c '%t %T' /dev/fuse 2>/dev/null)
if [ "$fuse" = 'a e5' ]; then
	run 1 --rm cleave/tiny sh -c 'mknod /k c 10 229 && : <>/k'
	like "others are refused" "$out" 'not permitted'
	run 0 --rm --device-cgroup-rule 'c 10:229 rwm' cleave/tiny sh -c 'mknod /k c 10 229 && : <>/k'
	run 0 --rm --device-cgroup-rule 'c 10:* rwm' cleave/tiny sh -c 'mknod /k c 10 229 && : <>/k'
	run 0 --rm --device /dev/fuse cleave/tiny sh -c ': <>/dev/fuse'
	run 0 --rm --device /dev/fuse:r cleave/tiny sh -c ': </dev/fuse'
	run 1 --rm --device /dev/fuse:r cleave/tiny sh -c ': >>/dev/fuse'
	run 1 --rm --device /dev/fuse:/dev/fuse:w cleave/tiny sh -c ': </dev/fuse'
	run 0 --rm --privileged cleave/tiny sh -c ': <>/dev/fuse'
fi
refuse 125 'error gathering device information' run --rm --device /dev/no-such-device cleave/tiny true
refuse 125 'not a device node' run --rm --device /etc/passwd cleave/tiny true
refuse 125 'invalid device mode: x' run --rm --device /dev/null:/dev/n:x cleave/tiny true
refuse 125 'is not an absolute path' run --rm --device null cleave/tiny true
for rule in x 'c 1' 'c 1:2' 'c 1:2 x' 'd 1:2 r' 'c 1:2 rwmr' 'c 99999999:1 r'; do
	refuse 125 'invalid device cgroup format' run --rm --device-cgroup-rule "$rule" cleave/tiny true
done

# --privileged
is "--privileged: capabilities" "$(caps --privileged)" "$hostcaps"
is "--privileged: no filter" "$(inside --privileged cleave/tiny grep '^Seccomp:' /proc/self/status | cut -f2)" 0
is "--privileged: nothing masked" "$(inside --privileged cleave/tiny grep -c ' /proc/' /proc/self/mountinfo)" 0
like "--privileged: /sys is writable" "$(inside --privileged cleave/tiny grep ' /sys ' /proc/self/mountinfo)" ' /sys rw,'
like "--privileged: cgroups are writable" "$(inside --privileged cleave/tiny grep ' /sys/fs/cgroup ' /proc/self/mountinfo)" ' rw,'
run 0 --rm --privileged cleave/tiny sh -c 'mkdir /m && mount -t tmpfs x /m'

# Groups
like "--group-add" "$(inside --group-add 77 --group-add tty cleave/tiny id -G)" '5 77'
like "--group-add of another user" "$(inside -u user --group-add www-data cleave/tiny id -G)" ' 33( |$)'
refuse 125 'unable to find group nobody-here' run --rm --group-add nobody-here cleave/tiny true
is "its own group is among the additional" "$(inside -u 7:8 cleave/tiny grep Groups: /proc/self/status | tr -d ' \t')" Groups:8

# Sysctls
is "--sysctl" "$(inside --sysctl net.ipv4.ip_forward=1 cleave/tiny cat /proc/sys/net/ipv4/ip_forward)" 1
is "--sysctl kernel.msgmax" "$(inside --sysctl kernel.msgmax=9999 cleave/tiny cat /proc/sys/kernel/msgmax)" 9999
is "ports below 1024 are for everybody" "$(inside cleave/tiny cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" 0
is "unless told otherwise" "$(inside --sysctl net.ipv4.ip_unprivileged_port_start=99 cleave/tiny cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" 99
refuse 125 "sysctl 'kernel.panic=1' is not allowed" run --rm --sysctl kernel.panic=1 cleave/tiny true
refuse 125 "is not allowed" run --rm --sysctl net/../kernel/panic=1 cleave/tiny true
refuse 125 "expected NAME=VALUE" run --rm --sysctl net.ipv4.ip_forward cleave/tiny true
refuse 125 "not allowed in host network namespace" run --rm --network host --sysctl net.ipv4.ip_forward=1 cleave/tiny true
refuse 125 "not allowed in host ipc namespace" run --rm --ipc host --sysctl kernel.msgmax=1 cleave/tiny true
