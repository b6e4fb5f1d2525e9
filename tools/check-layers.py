#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Includes point one way, along the layer table of docs/code-map.md.

A folder may include itself, the folders below it, and what its row names; a file belongs to the
row with the longest matching folder.  Private headers stay inside their folder.
"""

import os
import re
import sys

from csource import TOP, blank, finish, line_of, read, files

TABLE = "docs/code-map.md"
PRIVATE = re.compile(r"_(priv|parts|internal)\.h$|(^|/)internal\.h$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]*)"', re.M)


def read_table():
    """Rows '| `folder` | `may` `include` | ... |' under the heading 'Layers'."""
    section = re.search(r"^## Layers$(.*?)(?=^## |\Z)", read(TABLE), re.M | re.S)
    rows = {}
    for line in section.group(1).splitlines() if section else []:
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) >= 2 and re.fullmatch(r"`[\w/]+`", cells[0]):
            rows[cells[0].strip("`")] = re.findall(r"`([\w/]+)`", cells[1])
    return rows


def row_of(folder, rows):
    while folder and folder not in rows:
        folder = os.path.dirname(folder)
    return folder


def allowed(source, target, rows):
    row = row_of(source, rows)
    return any(target == f or target.startswith(f + "/") for f in [row, *rows[row]])


def main():
    rows = read_table()
    if not rows:
        print(f"{TABLE}: no layer table under '## Layers'")
        return 1
    problems = []
    for row, may in rows.items():
        problems += [f"{TABLE}: `{row}` names `{f}`, which has no row" for f in may if f not in rows]
    for path in files("src/*.c", "src/*.h"):
        folder = os.path.dirname(path)[len("src/"):]
        text = blank(read(path), keep_strings=True)
        if not row_of(folder, rows):
            problems.append(f"{path}:1: folder has no row in {TABLE}")
            continue
        for m in INCLUDE.finditer(text):
            where = f"{path}:{line_of(text, m.start(1))}"
            target = os.path.dirname(m.group(1))
            if not target or not row_of(target, rows):
                problems.append(f'{where}: "{m.group(1)}" is not a path from src/')
            elif not os.path.isfile(os.path.join(TOP, "src", m.group(1))):
                problems.append(f'{where}: no file src/{m.group(1)}')
            elif not allowed(folder, target, rows):
                problems.append(f'{where}: {folder} may not include "{m.group(1)}"')
            elif PRIVATE.search(m.group(1)) and target != folder:
                problems.append(f'{where}: "{m.group(1)}" is private to src/{target}')
    return finish("check-layers", problems)


sys.exit(main())
