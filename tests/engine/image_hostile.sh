#!/bin/bash
# SPDX-License-Identifier: MIT
# Archives that are hostile or damaged are refused and leave the store as it was.
. "$(dirname "$0")/lib.sh"
setup python3 gzip
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
bad "absolute name '/etc/x'" 'f|/etc/x|data'
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
refuse 1 'No such file' image import "$T/no-such-file" bad
refuse 1 'Is a directory' image import "$T" bad
refuse 1 'must be lower case' image import "$T/bad.tar.gz" BAD
head -c 1500M /dev/zero | gzip -1 >"$T/bomb.gz"
python3 - "$T/bomb.tar.gz" <<'END'
import sys, gzip, zlib
# a member of 100 GiB whose zeros compress a thousandfold: refused by the ratio long before its end
import tarfile
info = tarfile.TarInfo("big"); info.size = 100 << 30
c = zlib.compressobj(9, zlib.DEFLATED, 31)
chunk = bytes(1 << 24)
with open(sys.argv[1], "wb") as f:
    f.write(c.compress(info.tobuf(tarfile.GNU_FORMAT)))
    for i in range(20):
        f.write(c.compress(chunk))
    f.write(c.flush())
END
refuse 1 'ends early' image import "$T/bomb.tar.gz" bad
is "the store is unchanged at the end" "$(state)" "$before"
