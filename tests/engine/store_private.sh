#!/bin/bash
# SPDX-License-Identifier: MIT
# What is in the store is nobody else's to read.
. "$(dirname "$0")/lib.sh"
setup setpriv
somebody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 2>&1; }
cleave volume create kept >/dev/null
id=$(cleave run -d --name one -e SECRET=1 -v kept:/v cleave/tiny sh -c 'echo secret >/v/file; echo logged; sleep 1000')
until_true test -s "$T/root/volumes/kept/_data/file"
is "the store is its owner's" "$(stat -c %a "$T/root" "$T/run" | xargs)" '700 700'
chmod 755 "$T"
for path in root/state.db root/events "root/instances/$id/config.json" "root/instances/$id/log" \
	"root/instances/$id/layer/upper" root/volumes/kept/_data/file "run/$id" "run/oci/$id/config.json"; do
	[ -e "$T/$path" ] || no "there is $path"
	like "somebody cannot read $path" "$(somebody cat "$T/$path")" 'Permission denied'
done
chmod 755 "$T/root" "$T/run" # as somebody may have made them, and as user namespaces need it
for path in root/state.db root/events "root/instances/$id/config.json" "root/instances/$id/log" "run/$id/log" \
	"run/oci/$id/config.json"; do
	like "nor $path in a store that is open" "$(somebody cat "$T/$path")" 'Permission denied|No such file'
done
like "the files of the image are not to be had, either" "$(somebody ls "$T/root/layers" "$T/root/images")" 'Permission denied'
chmod 700 "$T/root" "$T/run"
run 0 --rm --userns auto -v kept:/v cleave/tiny sh -c 'cat /v/file && cat /proc/self/uid_map'
is "a user namespace opens the way" "$(stat -c %a "$T/root" "$T/run" | xargs)" '711 711'
cp -r "$(dirname "$CLEAVE")" "$T/bin"
chmod -R a+rX "$T/bin"
mkdir -m 777 "$T/theirs"
like "who has no more ids than his own is told so" "$(CLEAVE_ROOT=$T/theirs/root CLEAVE_RUNROOT=$T/theirs/run somebody "$T/bin/cleave" run cleave/tiny true)" \
	"^cleave: .*'./home/user/' belongs to 1000:1000, which is none of your ids: root gives more in /etc/subuid and /etc/subgid$"
