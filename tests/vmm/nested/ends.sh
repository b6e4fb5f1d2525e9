#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

initramfs pvpanic-mmio
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
# signals are told in the exit status
(sleep 8 && pkill -TERM -x cleave-vmm) &
boot 'sleep 100'
expect "signal" 143 'ended by signal 15'
joined
finish
