#!/bin/bash
# SPDX-License-Identifier: MIT
#
# boots.bash [OPTION]... [COUNT]: boot Debian's kernel so often (50) in a row, and count what goes wrong
#
#   --cpus LIST      processors, so many boots for each (1,2,4)
#   --kernel FILE    another kernel than the test guest's (linux-image-cloud-amd64)
#   --accel NAME     who executes: soft (default), kvm, or qemu (QEMU's TCG, to compare)
#   --soft HOW       how processors in software work (tlb)
#
# A boot is good when all processors are there, programs run on each of them, the kernel complains of nothing, and the
# machine turns itself off in time.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${CLEAVE_BIN:-$here/../../build/bin}
list=1,2,4 kernel='' accel=soft how=tlb count=50
while [ $# -gt 0 ]; do
	case $1 in
	--cpus) list=${2:?} && shift 2 ;;
	--kernel) kernel=${2:?} && shift 2 ;;
	--accel) accel=${2:?} && shift 2 ;;
	--soft) how=${2:?} && shift 2 ;;
	*) [[ $1 =~ ^[1-9][0-9]*$ ]] || { sed -n '4,12s/^# \{0,1\}//p' "$0"; exit 2; }
		count=$1 && shift ;;
	esac
done
[ -n "$kernel" ] || kernel=$("$here/../guest/setup.sh")/vmlinuz || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/root/{bin,proc,sys,dev,tmp}
cp "$(command -v busybox)" "$work/root/bin/busybox"
cat >"$work/root/init" <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
n=$(grep -c ^processor /proc/cpuinfo) i=0
while [ $i -lt $n ]; do
	taskset -p $(printf %x $((1 << i))) $$ >/dev/null
	j=0 a=0
	while [ $j -lt 20 ]; do
		a=$((a + $(echo $j | md5sum | tr -dc 0-9 | head -c 6 | sed 's/^0*//'))) j=$((j + 1))
	done
	echo "SUM $i $a"
	i=$((i + 1))
done
dmesg | grep -E 'BUG|WARNING|Oops|Call Trace|lockup|rcu.*(stall|detected)|general protection|unchecked MSR|[Cc]locksource.*unstable|not responding' && echo COMPLAINT
echo "BOOTED $n"
poweroff -f
I
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc 2>/dev/null) >"$work/initrd"
append='console=ttyS0 quiet panic=-1 cryptomgr.notests'

machine() {
	if [ "$accel" = qemu ]; then
		timeout -k 10 300 qemu-system-x86_64 -accel tcg -cpu max -smp "$1" -m 512M -nographic -no-reboot -kernel "$kernel" \
			-initrd "$work/initrd" -append "$append" </dev/null
	else
		timeout -k 10 300 "$bin/cleave-vmm" --accel "$accel" --soft "$how" --kernel "$kernel" --initrd "$work/initrd" --memory 512M \
			--cpus "$1" --no-reboot --append "$append" </dev/null
	fi >"$work/out" 2>&1
}

# good CPUS - the output is that of a good boot
good() {
	local i
	grep -q "^BOOTED $1" "$work/out" && ! grep -q COMPLAINT "$work/out" || return
	for ((i = 0; i < $1; i++)); do
		[ "$(sed -n "s/^SUM $i \([0-9]*\).*/\1/p" "$work/out")" = "$(sed -n 's/^SUM 0 \([0-9]*\).*/\1/p' "$work/out")" ] || return
	done
}

failed=0 passed=0
for cpus in ${list//,/ }; do
	: >"$work/times"
	bad=0
	for ((i = 1; i <= count; i++)); do
		from=${EPOCHREALTIME/./} status=0
		machine "$cpus" || status=$?
		echo $(((${EPOCHREALTIME/./} - from) / 1000)) >>"$work/times"
		good "$cpus" && [ $status = 0 ] && continue
		bad=$((bad + 1))
		echo "FAIL boot $i with $cpus processors, status $status"
		tail -n 60 "$work/out"
	done
	sort -n "$work/times" | awk -v cpus="$cpus" -v bad="$bad" '{ t[NR] = $1 }
		END { printf "%d processors: %d boots, %d bad; ms: least %d, median %d, most %d\n", cpus, NR, bad, t[1], t[int((NR + 1) / 2)], t[NR] }'
	failed=$((failed + bad)) passed=$((passed + count - bad))
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
