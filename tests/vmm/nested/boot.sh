#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

cleave-vmm --probe | grep -qx "$accel: yes" || { echo "FAIL --probe: $(cleave-vmm --probe)"; exit 1; }
initramfs
boot 'echo HELLO $(uname -r) $(grep -c ^processor /proc/cpuinfo); dmesg | grep -iE "acpi.*(error|warn)" && echo FAILED'
expect "power off" 0 'HELLO .* 1'
boot 'echo CPUS $(grep -c ^processor /proc/cpuinfo)' --cpus 2
expect "two processors" 0 'CPUS 2'
boot 'echo CPUS $(grep -c ^processor /proc/cpuinfo); head -1 /proc/meminfo' --cpus 4 --memory 512M
expect "four processors" 0 'CPUS 4' 'MemTotal: *[45]'
boot 'echo CPUS $(grep -c ^processor /proc/cpuinfo); grep MemTotal /proc/meminfo
	grep "System RAM" /proc/iomem' --memory 5G
expect "memory above 4 GiB" 0 'MemTotal: *[45][0-9]{6} ' '^100000000-18fffffff : System RAM'
boot 'read n </proc/uptime; [ -e /sys/firmware/acpi/tables/MCFG ] && echo TABLES; [ "$(date +%Y)" -ge 2024 ] && echo CLOCK
	[ -e /sys/bus/pci/devices/0000:00:00.0 ] && echo BRIDGE'
expect "tables and clock" 0 TABLES CLOCK BRIDGE

KERNEL=lib.sh boot ''
expect "no kernel" 1 "'lib.sh' is neither a bzImage"
head -c 3000000 vmlinuz >short
KERNEL=short BOOT_TIMEOUT=10 boot ""
[ "$status" = 11 ] || status=${status/143/11} # it hangs or crashes, as the bytes that are missing want
expect "kernel that is cut off" 11
finish
