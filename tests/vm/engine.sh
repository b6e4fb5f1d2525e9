#!/bin/bash
# SPDX-License-Identifier: MIT
#
# engine.sh [test|soak|list]: tests of ../engine with instances that are virtual machines, from the one source
#
# test (the default): a few.  soak: all that hold for both isolations.  list: those that do not, and why.
# engine.list says which is which.
here=$(cd "$(dirname "$0")" && pwd)
what=${1:-test}
differ() { sed -n 's/^\([a-z_]*\) *no *\(.*\)/\1: \2/p' "$here/engine.list"; }
case $what in
list) differ && exit ;;
test) when='^test$' ;;
soak) when='^(test|soak)$' ;;
*) sed -n '4,7s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
bin=$(realpath -m "${CLEAVE_BIN:-$here/../../build/bin}")
[ "$(id -u)" = 0 ] || { echo "skip: needs root"; exit 77; }
"$bin/cleave-vmm" --probe | grep -q ': yes' || { echo "skip: nothing here runs a stock kernel"; exit 77; }
command -v debugfs >/dev/null || { echo "skip: no debugfs"; exit 77; }
# shellcheck source=lib.sh
. "$here/lib.sh"
image=$("$here/../guest/setup.sh") || exit 1
take_modules "$image"
export ISOLATION=vm KERNEL=$image/vmlinuz MODULES
MODULES=$(echo "$image"/modules/modules/*)
failed=0
while read -r name how _; do
	[[ $how =~ $when ]] || continue
	"$here/../engine/$name.sh" </dev/null || failed=$((failed + 1))
done < <(grep -v '^#' "$here/engine.list")
echo "not for machines:"
differ | sed 's/^/  /'
[ "$failed" = 0 ]
