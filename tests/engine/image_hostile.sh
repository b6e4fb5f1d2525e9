#!/bin/bash
# SPDX-License-Identifier: MIT
# Archives that are hostile or damaged are refused and leave the store as it was.
. "$(dirname "$0")/lib.sh"
setup python3 gzip zstd
cleave run --rm cleave/tiny true
state() { find "$T/root" ! -name 'state.db*' | sort; cleave image ls -q; }
before=$(state)
make_tar() {
	python3 - "$T/bad.tar" "$@" <<'END'
import sys, tarfile, io
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    for spec in sys.argv[2:]:
        kind, name, value = spec.split("|")
        info = tarfile.TarInfo(name)
        info.type = {"f": tarfile.REGTYPE, "s": tarfile.SYMTYPE, "h": tarfile.LNKTYPE, "d": tarfile.DIRTYPE, "c": tarfile.CHRTYPE}[kind]
        if kind in "sh":
            info.linkname = value
        data = value.encode() if kind == "f" else b""
        info.size = len(data)
        if kind == "d" and value:
            key, text = value.split("=")
            info.pax_headers = {key: text}
        tar.addfile(info, io.BytesIO(data))
END
}
bad() {
	local regex=$1
	shift
	make_tar "$@"
	refuse 1 "$regex" image import "$T/bad.tar" bad
	is "the store is unchanged after: $*" "$(state)" "$before"
}
bad "holds '..'" 'f|../x|data'
bad "holds '..'" 'f|a/../../x|data'
bad 'leads outside' 's|out|..' 'f|out/x|data'
bad 'leads outside' "s|out|$T" 'f|out/x|data'
bad "holds '..'" 'h|x|../../etc/passwd'
bad 'leads outside' 's|out|/etc' 'h|x|out/passwd'
bad 'whiteout' 'f|.wh.x|'
bad 'device 0:0' 'c|dev|'
bad 'reserved' 'd|dir|SCHILY.xattr.trusted.overlay.redirect=/etc'
bad 'a name of .* limit' "f|$(printf 'a/%.0s' {1..2500})x|data"
head -c 100000 /dev/urandom >"$T/random"
refuse 1 'no valid tar' image import "$T/random" bad
: >"$T/nothing"
refuse 1 'empty' image import "$T/nothing" bad
make_tar 'f|a|data'
gzip -f "$T/bad.tar"
head -c 60 "$T/bad.tar.gz" >"$T/short.gz"
refuse 1 'gzip data is damaged: it ends early' image import "$T/short.gz" bad
refuse 1 'no such file' image import "$T/no-such-file" bad
refuse 1 'is a directory' image import "$T" bad
refuse 1 'must be lower case' image import "$T/bad.tar.gz" BAD
# A file of zeros that zstd packs to a ten-thousandth
python3 - "$T/head" <<'END'
import sys, tarfile
info = tarfile.TarInfo("zeros")
info.size = 600 << 20
open(sys.argv[1], "wb").write(info.tobuf(tarfile.GNU_FORMAT))
END
{ cat "$T/head"; head -c 601M /dev/zero; } | zstd -q >"$T/bomb.zst"
refuse 1 'limit of 2000 times its size' image import "$T/bomb.zst" bad
is "the store is unchanged at the end" "$(state)" "$before"
