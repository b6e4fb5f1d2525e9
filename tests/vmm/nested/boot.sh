#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

cleave-vmm --probe | grep -qx 'kvm: yes' || { echo "FAIL --probe: $(cleave-vmm --probe)"; exit 1; }
initramfs pvpanic-mmio
boot 'echo HELLO $(uname -r) $(grep -c ^processor /proc/cpuinfo); dmesg | grep -iE "acpi.*(error|warn)" && echo FAILED'
expect "power off" 0 'HELLO .* 1'
boot 'echo CPUS $(grep -c ^processor /proc/cpuinfo); head -1 /proc/meminfo' --cpus 4 --memory 512M
expect "four processors" 0 'CPUS 4' 'MemTotal: *[45]'
boot 'reboot -f' --no-reboot
expect "reset" 10 'asked for a reset'
APPEND=reboot=k boot 'reboot -f' --no-reboot
expect "reset by the keyboard controller" 10
APPEND=reboot=a boot 'reboot -f' --no-reboot
expect "reset by ACPI" 10
APPEND=reboot=t boot 'reboot -f' --no-reboot
expect "triple fault" 11 'triple fault'
boot 'echo c >/proc/sysrq-trigger'
[ "$status" = 12 ] && grep -q "kernel panicked" $log.err && echo "ok panic" || fail "panic: $status"
boot 'read n </proc/uptime; [ -e /sys/firmware/acpi/tables/MCFG ] && echo TABLES; [ "$(date +%Y)" -ge 2024 ] && echo CLOCK
	[ -e /sys/bus/pci/devices/0000:00:00.0 ] && echo BRIDGE'
expect "tables and clock" 0 TABLES CLOCK BRIDGE

# signals are told in the exit status
(sleep 8 && pkill -TERM -x cleave-vmm) &
boot 'sleep 100'
expect "signal" 143 'ended by signal 15'
wait

KERNEL=lib.sh boot ''
expect "no kernel" 1 "'lib.sh' is neither a bzImage"
head -c 3000000 vmlinuz >short
KERNEL=short BOOT_TIMEOUT=10 boot ""
expect "kernel that is cut off" 143
finish
