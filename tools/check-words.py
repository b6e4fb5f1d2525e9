#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Functions that are never called and words that are never written."""

import re
import sys

from csource import blank, finish, line_of, read, files

BANNED = {
    "strcpy": "memcpy() with a known length", "strcat": "str_puts()", "sprintf": "snprintf()",
    "vsprintf": "vsnprintf()", "strtok": "strcspn()", "atoi": "str_to_i64()", "gets": "fgets()",
    "alloca": "an array with a limit", "system": "fork and exec", "dup": "F_DUPFD_CLOEXEC",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")

# The tree describes what it is: not what it will be, nor where or how it was written.
WORDS = [re.compile(w) for w in (
    r"\b(TODO|FIXME|XXX)\b", r"(?i)\bstub(s|bed)?\b", r"(?<![\w.$}])/work/", r"(?i)\bsub-?agents?\b",
    r"(?i)\b(this|last|previous|next|earlier) session\b", r"(?i)\bas an AI\b",
)]
# Test Anything Protocol has a directive of that name.
ALLOWED = re.compile(r"TAP.*TODO|['(|\"] ?.*# TODO")
SELF = "tools/check-words.py"


def main():
    problems = []
    for path in files():
        text = read(path)
        if "\0" in text or path == SELF:
            continue
        if path.endswith((".c", ".h")):
            code = blank(text)
            problems += [f"{path}:{line_of(code, m.start())}: {m.group(1)}() is banned, use"
                         f" {BANNED[m.group(1)]}" for m in CALL.finditer(code)]
        for i, line in enumerate(text.split("\n"), 1):
            for word in WORDS:
                m = word.search(line)
                if m and not ALLOWED.search(line):
                    problems.append(f"{path}:{i}: '{m.group()}' does not belong into the tree")
    return finish("check-words", problems)


sys.exit(main())
