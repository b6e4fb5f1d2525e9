#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""check-globals.py BUILD: no writable global variables but those that tools/globals.txt explains.

Reads the symbol tables of the object files of a meson build, without those of unit tests.
"""

import os
import re
import subprocess
import sys

from csource import finish, read

LIST = "tools/globals.txt"
# objdump -t: value, flags, section, size, name; .data.rel.ro is only written while loading
SYMBOL = re.compile(r"^[0-9a-f]+ .{7} (\.data|\.bss|\.tdata|\.tbss|\*COM\*)(?!\.rel\.ro)\S*\s+"
                    r"[0-9a-f]+ (?:\.\w+ )?(\S+)$")


def objects(build):
    for folder, _, names in os.walk(build):
        if folder.endswith("_test.p"):
            continue
        for name in names:
            if name.endswith(".o") and not name.endswith("_test.c.o"):
                yield os.path.join(folder, name)


def source_of(obj):
    """src/base/libbase.a.p/log.c.o -> src/base/log.c"""
    return re.sub(r"[^/]+\.p/(?:\.\._.*_)?([^/]+)\.o$", r"\1", obj)


def main(build):
    known, problems, found = {}, [], set()
    for i, line in enumerate(read(LIST).splitlines(), 1):
        fields = line.split(None, 2)
        if not fields or line.startswith("#"):
            continue
        if len(fields) < 3:
            problems.append(f"{LIST}:{i}: not 'file symbol reason'")
            continue
        known[fields[0], fields[1]] = i
    for obj in sorted(objects(build)):
        out = subprocess.run(["objdump", "-t", obj], check=True, capture_output=True, text=True)
        source = source_of(os.path.relpath(obj, build))
        for line in out.stdout.splitlines():
            m = SYMBOL.match(line)
            if not m or m.group(2).startswith("."):
                continue
            name = re.sub(r"\.\d+$", "", m.group(2))
            found.add((source, name))
            if (source, name) not in known:
                problems.append(f"{source}: global variable '{name}' is writable; pass it as an"
                                f" argument, make it const, or give the reason in {LIST}")
    problems += [f"{LIST}:{i}: '{k[1]}' is not in {k[0]} any more"
                 for k, i in known.items() if k not in found]
    return finish("check-globals", problems)


sys.exit(main(sys.argv[1]))
