# SPDX-License-Identifier: MIT
"""What the checks need to know about C text, without a parser of the whole language."""

import fnmatch
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


def files(*patterns):
    """Files of the tree that match a pattern (all without), relative to the top, sorted.

    Looks at the disk, so that a source archive can be checked too.
    """
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [f for f in folders if f not in (".git", "build", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, n), TOP) for n in names if n != ".git"]
    return sorted(p for p in found if os.path.isfile(os.path.join(TOP, p)) and (
        not patterns or any(fnmatch.fnmatchcase(p, x) for x in patterns)))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def blank(text, keep_strings=False):
    """Replace comments (and strings) by spaces; line numbers and columns stay."""
    def spaces(m):
        if keep_strings and m.group()[0] in "\"'":
            return m.group()
        return re.sub(r"[^\n]", " ", m.group())
    return TOKEN.sub(spaces, text)


def line_of(text, pos):
    return text.count("\n", 0, pos) + 1


def finish(name, problems, warnings=()):
    """Print what was found; exit status for sys.exit()."""
    for w in warnings:
        print(f"{w} (warning)")
    for p in problems:
        print(p)
    if problems:
        print(f"{name}: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":  # csource.py PATTERN...: print the files
    print("\n".join(files(*sys.argv[1:])))
