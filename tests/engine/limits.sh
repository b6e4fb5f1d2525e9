#!/bin/bash
# SPDX-License-Identifier: MIT
# Limits are what the control groups say.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@"; }
if [ -d /sys/fs/cgroup/memory ]; then
	is "--memory" "$(inside -m 64m cleave/tiny cat /sys/fs/cgroup/memory/memory.limit_in_bytes)" 67108864
	is "--cpus" "$(inside --cpus 1.5 cleave/tiny cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us)" 150000
	is "--pids-limit" "$(inside --pids-limit 9 cleave/tiny cat /sys/fs/cgroup/pids/pids.max)" 9
	is "no limit" "$(inside --pids-limit -1 cleave/tiny cat /sys/fs/cgroup/pids/pids.max)" max
else
	is "--memory" "$(inside -m 64m cleave/tiny cat /sys/fs/cgroup/memory.max)" 67108864
	is "--cpus" "$(inside --cpus 1.5 cleave/tiny cat /sys/fs/cgroup/cpu.max)" '150000 100000'
	is "--pids-limit" "$(inside --pids-limit 9 cleave/tiny cat /sys/fs/cgroup/pids.max)" 9
fi
run 137 --rm -m 16m cleave/tiny sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'
out=$(cleave run --rm --pids-limit 5 cleave/tiny sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait' 2>&1)
like "forks beyond the limit fail" "$out" "can't fork"
refuse 125 "minimum is 6m" run --rm -m 1m cleave/tiny true
refuse 125 "--memory 'lots'" run --rm -m lots cleave/tiny true
refuse 125 "--cpus '1.x'" run --rm --cpus 1.x cleave/tiny true
refuse 125 "--pids-limit" run --rm --pids-limit many cleave/tiny true
