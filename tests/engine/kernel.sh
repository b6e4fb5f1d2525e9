#!/bin/bash
# SPDX-License-Identifier: MIT
# Kernels of virtual machines: what is unpacked and how, packages, hostile files, the default, kills.
. "$(dirname "$0")/lib.sh"
setup python3
cd "$T" || exit 1
names() { cleave kernel ls -q | tr '\n' ' '; }

# Small files with the form of kernels: vmlinux, z.NAME (bzImages), *.deb.
cat >make.py <<'PY'
import gzip, lzma, struct, subprocess, sys, io, tarfile

def elf(pvh=True, banner=b"Linux version 6.1.0-test (me@here) #1\n\0"):
    note = struct.pack("<III4sQ", 4, 8, 18 if pvh else 17, b"Xen\0", 0x1000000)
    head = 64 + 56 * 2
    body = note + banner + bytes(range(256)) * 400
    e = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x1000000, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    p = struct.pack("<IIQQQQQQ", 1, 5, head, 0x1000000, 0x1000000, len(body), len(body), 4096)
    p += struct.pack("<IIQQQQQQ", 4, 4, head, 0, 0x1000000, len(note), len(note), 4)
    return e + p + body

def lz4(data):  # literals only
    out = struct.pack("<I", 0x184C2102)
    for at in range(0, len(data), 8 << 20):
        piece = data[at:at + (8 << 20)]
        n = len(piece) - 15
        block = b"\xf0" + b"\xff" * (n // 255) + bytes([n % 255]) + piece
        out += struct.pack("<I", len(block)) + block
    return out

def bzimage(payload, size=None, release=b"6.1.0-test (me) #1\0", offset=0, length=None, protocol=0x20f):
    b = bytearray(512 * 5)
    b[0x1f1] = 4
    b[0x1fe:0x200] = b"\x55\xaa"
    b[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", b, 0x206, protocol)
    struct.pack_into("<H", b, 0x20e, 0x300)
    b[0x500:0x500 + len(release)] = release
    if size is not None:
        payload += struct.pack("<I", size)
    struct.pack_into("<II", b, 0x248, offset, len(payload) if length is None else length)
    return bytes(b) + payload

def put(name, data):
    open(name, "wb").write(data)

def deb(name, members, kernel_dir="./boot/", packing="xz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:" + packing) as t:
        for path, data in members:
            i = tarfile.TarInfo(path)
            i.size = len(data)
            t.addfile(i, io.BytesIO(data))
    ar = b"!<arch>\n"
    for m, data in (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), ("data.tar." + packing, out.getvalue())):
        ar += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (m.encode(), 0, 0, 0, b"100644", len(data)) + data + b"\n" * (len(data) % 2)
    put(name, ar)

e = elf()
alone = lzma.compress(e, format=lzma.FORMAT_ALONE)
zstd = subprocess.run(["zstd", "-q", "-c"], input=e, stdout=subprocess.PIPE).stdout
put("vmlinux", e)
put("z.gzip", bzimage(gzip.compress(e)))
put("z.xz", bzimage(lzma.compress(e, check=lzma.CHECK_CRC32), len(e)))
put("z.lzma", bzimage(alone, len(e)))
put("z.zstd", bzimage(zstd, len(e)))
put("z.lz4", bzimage(lz4(e), len(e)))
put("z.nopvh", bzimage(gzip.compress(elf(pvh=False))))
put("nopvh", elf(pvh=False))
put("nameless", elf(banner=b""))
put("z.path", bzimage(gzip.compress(elf(banner=b"Linux version 6/../../x\n"))))
# hostile ones
put("h.size", bzimage(lz4(e), len(e) + 1))
put("h.bzip2", bzimage(b"BZh91AY" + bytes(100), 5))
put("h.none", bzimage(b"what is this" + bytes(100), 5))
put("h.old", bzimage(gzip.compress(e), protocol=0x207))
put("h.behind", bzimage(gzip.compress(e), offset=0xfffffff0))
put("h.long", bzimage(gzip.compress(e), length=0xfffffff0))
put("h.cutgzip", bzimage(gzip.compress(e)[:200]))
put("h.cutlz4", bzimage(lz4(e)[:3000], len(e)))
put("h.cutxz", bzimage(lzma.compress(e)[:200], len(e)))
put("h.lz4len", bzimage(struct.pack("<II", 0x184C2102, 0xffffffff) + e, len(e)))
put("h.short", e[:300])
put("h.phnum", e[:56] + b"\xff\xff" + e[58:])
put("h.phoff", e[:32] + b"\xff" * 8 + e[40:])
put("h.text", b"no kernel" * 1000)
with gzip.open("bomb", "wb", 1) as f:
    for i in range(1100):
        f.write(bytes(1 << 20))
put("h.bomb", bzimage(open("bomb", "rb").read()))
modules = [("./lib/modules/6.1.0-test/kernel/a/b.ko", b"module b"), ("./lib/modules/6.1.0-test/modules.order", b"x"),
           ("./lib/modules/6.1.0-test/kernel/c.ko.xz", lzma.compress(b"module c")), ("./usr/share/doc/x", b"text")]
kernel = ("./boot/vmlinuz-6.1.0-test", bzimage(lz4(e), len(e)))
deb("good.deb", [kernel] + modules)
deb("gz.deb", [("./usr/lib/modules/6.1.0-test/kernel/a.ko", b"a"), ("boot/vmlinuz-6.1.0-test", kernel[1])], packing="gz")
deb("h.empty.deb", modules)
deb("h.two.deb", [kernel, ("./boot/vmlinuz-2", b"x")])
deb("h.up.deb", [kernel, ("./lib/modules/6.1.0-test/../../../../../../escaped.ko", b"x")])
put("h.ar.deb", b"!<arch>\n" + b"data.tar.xz     " + b"9" * 42 + b"`\n" + bytes(100))
PY
command -v zstd >/dev/null || skip "no zstd"
python3 make.py || exit 1

is "none" "$(names)" ''
refuse 1 "there is no default kernel: get one with 'cleave kernel fetch'" kernel default
is "add" "$(cleave kernel add vmlinux)" 6.1.0-test
is "image" "$(sha256sum <root/kernels/6.1.0-test/image)" "$(sha256sum <vmlinux)"
is "the first one is the default" "$(cleave kernel default)" 6.1.0-test
refuse 1 "kernel '6.1.0-test' exists" kernel add vmlinux
for kind in gzip xz lzma zstd lz4; do
	is "add, $kind" "$(cleave kernel add --name "with-$kind" z.$kind)" "with-$kind"
	cmp vmlinux "root/kernels/with-$kind/image" && yes || no "image of $kind"
done
is "without PVH entry" "$(cleave kernel add --name old z.nopvh)" old
cmp z.nopvh root/kernels/old/image && yes || no "it stays a bzImage"
is "formats" "$(cleave kernel ls --format '{{.Name}} {{.Format}} {{.Release}} {{.Default}}' | grep -E '^(old|with-lz4|6)' | tr '\n' ,)" \
	'6.1.0-test elf 6.1.0-test *,old bzimage 6.1.0-test ,with-lz4 elf 6.1.0-test ,'
is "ls" "$(names)" '6.1.0-test old with-gzip with-lz4 with-lzma with-xz with-zstd '
like "ls, table" "$(cleave kernel ls)" $'^NAME +RELEASE +MODULES +SIZE +CREATED +DEFAULT\n6.1.0-test +6.1.0-test +0 +10[0-9]kB .* ago +\*'
is "ls, json" "$(cleave kernel ls --format json | jq -r 'select(.Name=="with-xz")|"\(.Modules) \(.Path) \(.Source) \(.Version)"')" \
	"0 $T/root/kernels/with-xz z.xz 6.1.0-test (me@here) #1"
like "help" "$(cleave kernel --help)" 'kernel default'

# the default
is "default" "$(cleave kernel default old; cleave kernel default)" $'old\nold'
refuse 1 "no such kernel 'gone'" kernel default gone
is "add --default" "$(cleave kernel add --default --name new vmlinux; cleave kernel default)" $'new\nnew'
is "rm" "$(cleave kernel rm new with-gzip)" $'new\nwith-gzip'
refuse 1 "no such kernel 'new'" kernel default
refuse 1 "no such kernel 'new'" kernel rm new
is "rm -f" "$(cleave kernel rm -f new)" new
is "the next one that is added is the default" "$(cleave kernel add --name newer vmlinux; cleave kernel default)" $'newer\nnewer'

# modules
mkdir -p mods/kernel/drivers/net mods/build
echo one >mods/kernel/drivers/net/one.ko
zstd -q <<<two >mods/kernel/two.ko.zst
echo no >mods/kernel/source.c
echo x >mods/modules.dep
echo no >mods/build/three.ko
ln -s /etc/passwd mods/kernel/link.ko
is "--modules" "$(cleave kernel add --name m --modules mods vmlinux)" m
is "what is taken" "$(cd root/kernels/m && find modules -type f | sort | tr '\n' ' ')" \
	'modules/kernel/drivers/net/one.ko modules/kernel/two.ko.zst modules/modules.alias modules/modules.dep '
is "number" "$(cleave kernel ls --format '{{.Name}} {{.Modules}}' | grep '^m ')" 'm 2'
refuse 1 "open the modules' directory 'nowhere': no such file" kernel add --name n --modules nowhere vmlinux
mkdir empty
refuse 1 "directory 'empty' has no kernel modules" kernel add --name n --modules empty vmlinux

# what needs what, and is wanted for what, when nobody has found out: a chain, a circle, compressed ones
mkdir -p needs/kernel
needs() { printf 'x\0license=GPL\0depends=%s\0name=y\0' "$2" >"needs/kernel/$1"; }
needs top-most.ko left,right
needs left.ko base_one
needs right.ko left,gone
needs base-one.ko ''
needs chicken.ko egg
needs egg.ko chicken
printf 'x\0alias=fs-left\0alias=nft-expr-[1-9]-*\0depends=\0alias=two words\0alias=cut off' >needs/kernel/named-so.ko
needs packed.ko right && printf 'alias=char-major-10-*\0' >>needs/kernel/packed.ko && xz -C crc32 needs/kernel/packed.ko
cleave kernel add --name needs --modules needs vmlinux >/dev/null
is "modules.dep" "$(sort root/kernels/needs/modules/modules.dep | sed 's,kernel/,,g' | grep -v -e chicken -e named)" 'base-one.ko:
left.ko: base-one.ko
packed.ko.xz: right.ko left.ko base-one.ko
right.ko: left.ko base-one.ko
top-most.ko: right.ko left.ko base-one.ko'
is "modules.alias" "$(sort root/kernels/needs/modules/modules.alias)" 'alias char-major-10-* packed
alias fs-left named_so
alias nft-expr-[1-9]-* named_so'
is "a circle" "$(grep -c chicken.ko root/kernels/needs/modules/modules.dep)" 2
is "modules.dep that is there" "$(cat root/kernels/m/modules/modules.dep)" x
printf 'x' >needs/kernel/broken.ko.xz
refuse 1 'broken.ko.xz is compressed with nothing that is known' kernel add --name needs2 --modules needs vmlinux

# packages
cleave kernel rm 6.1.0-test >/dev/null
is "package" "$(cleave kernel add good.deb)" 6.1.0-test
cmp vmlinux root/kernels/6.1.0-test/image && yes || no "image of a package"
is "its modules" "$(cd root/kernels/6.1.0-test && find . -type f | sort | tr '\n' ' ')" \
	'./image ./kernel.json ./modules/kernel/a/b.ko ./modules/kernel/c.ko.xz ./modules/modules.alias ./modules/modules.dep ./modules/modules.order '
is "package, gzip, usr/lib" "$(cleave kernel add --name gz gz.deb; cat root/kernels/gz/modules/kernel/a.ko)" $'gz\na'
refuse 1 "'good.deb' is a package, which has its own modules" kernel add --name x --modules mods good.deb

# fetch: APT is asked for one package, which may only name another
mkdir fake
cat >fake/apt-cache <<SH
#!/bin/sh
[ "\$3" != linux-image-gone ] || exit 100
echo "Package: \$3"
[ "\$3" != linux-image-cloud-amd64 ] || echo "Depends: libc6 (>= 1), linux-image-6.1.0-fetched (= 6.1.1)"
SH
cat >fake/apt-get <<SH
#!/bin/sh
echo "\$*" >>$T/asked
for p; do :; done
[ "\$p" != linux-image-broken ] || exit 1
[ "\$p" = linux-image-nothing ] || echo noise
[ "\$p" = linux-image-nothing ] || cp $T/good.deb ./\$p.deb
SH
chmod +x fake/*
PATH=$T/fake:$PATH
is "fetch" "$(cleave kernel fetch --name got 2>/dev/null)" got
is "what was asked" "$(cat asked)" 'download -qq -o APT::Sandbox::User=root linux-image-6.1.0-fetched'
is "source" "$(cleave kernel ls --format '{{.Name}} {{.Source}}' | grep '^got')" 'got linux-image-6.1.0-fetched'
is "fetch again" "$(cleave kernel fetch --name got; wc -l <asked)" $'got\n1'
refuse 1 "APT knows no package 'linux-image-gone'" kernel fetch linux-image-gone
refuse 1 "'bash' is no name of a package with a kernel" kernel fetch bash
refuse 1 "apt-get downloaded nothing" kernel fetch linux-image-nothing
refuse 1 "'apt-get download' failed with status 1" kernel fetch linux-image-broken


# what is refused
before=$(names)
bad() { refuse 1 "$2" kernel add --name bad "$1"; }
refuse 1 "does not say its release: give it a name with --name" kernel add nameless
refuse 1 "invalid kernel name '6/../../x'" kernel add z.path
refuse 1 "invalid kernel name '.x'" kernel add --name .x vmlinux
refuse 1 "invalid kernel name ''" kernel add --name '' vmlinux
refuse 1 "invalid kernel name '../x'" kernel rm ../x
bad nopvh "has no PVH entry: build it with CONFIG_PVH=y"
bad h.size 'its payload has [0-9]+ bytes, its header says [0-9]+'
bad h.bzip2 'is compressed with bzip2; gzip, xz, lzma, zstd and lz4 can be unpacked'
bad h.none 'is compressed with nothing that is known'
bad h.old 'boot protocol 2.07, older than 2.08'
bad h.behind 'payload of [0-9]+ bytes at [0-9]+ is not inside the file'
bad h.long 'payload of 4294967280 bytes at 2560 is not inside the file'
bad h.cutgzip 'its gzip data is damaged'
bad h.cutlz4 'its lz4 data is damaged'
bad h.cutxz 'its xz data is damaged'
bad h.lz4len 'its lz4 data is damaged'
bad h.short "'h.short' is no kernel: it has 300 bytes"
bad h.phnum '65535 program headers of 56 bytes; 1 to 64 of 56 are possible'
bad h.phoff "h.phoff"
bad h.text 'neither a bzImage nor ELF'
bad h.bomb 'unpacked, it is larger than 1073741824 bytes'
bad h.empty.deb "package 'h.empty.deb' has no kernel"
bad h.two.deb 'more than one kernel'
bad h.up.deb 'h.up.deb'
bad h.ar.deb 'ends early'
printf '!<arch>\nrubbish' >h.none.deb
bad h.none.deb 'no Debian package: it has no data'
bad /dev/zero "no regular file"
bad . "no regular file"
bad nowhere "open 'nowhere': no such file"
truncate -s 300M big
bad big 'has 314572800 bytes, limit 268435456'
is "nothing was added" "$(names)" "$before"
is "nothing escaped" "$(find "$T" -name 'escaped*')" ''

# whoever is killed leaves nothing that is seen, and the next one removes the rest
dd if=/dev/urandom of=large bs=1M count=40 status=none
cat vmlinux large >vmlinux.large
for i in 1 2 3 4 5 6; do
	"$CLEAVE" kernel add --name killed vmlinux.large >/dev/null 2>&1 &
	sleep "0.0$i"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	if [ -e root/kernels/killed ]; then
		cmp -s vmlinux.large root/kernels/killed/image && [ -s root/kernels/killed/kernel.json ] &&
			cleave kernel rm killed >/dev/null || no "a kernel that is not whole"
	fi
done
cleave kernel add --name after vmlinux >/dev/null
is "tmp" "$(ls root/tmp)" ''
