#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files and functions stay readable: limits on their lines."""

import re
import sys

from csource import blank, finish, read, files

FILE_MAX, FILE_WARN, TEST_MAX, FUNCTION_MAX = 700, 600, 1000, 120
NAME = re.compile(r"(\w+)\s*\([^;{}]*\)[^;{}()]*$", re.S)


def functions(code):
    """Yield (line, lines, name): bodies open and close with a brace in the first column."""
    lines = code.split("\n")
    start = None
    for i, line in enumerate(lines):
        if line.startswith("{"):
            start = i
        elif line.startswith("}") and start is not None:
            m = NAME.search("\n".join(lines[max(0, start - 6):start]))
            yield start + 1, i - start + 1, m.group(1) if m else "?"
            start = None


def main():
    problems, warnings = [], []
    for path in files("*.c", "*.h", "*.sh", "*.py", "*.build"):
        text = read(path)
        lines = text.count("\n")
        limit = TEST_MAX if path.endswith("_test.c") else FILE_MAX
        if lines > limit:
            problems.append(f"{path}:1: {lines} lines, the limit is {limit}")
        elif lines > FILE_WARN and limit == FILE_MAX:
            warnings.append(f"{path}:1: {lines} lines; is it two nouns?")
        if path.endswith((".c", ".h")):
            problems += [f"{path}:{at}: {name}() has {n} lines, the limit is {FUNCTION_MAX}"
                         for at, n, name in functions(blank(text)) if n > FUNCTION_MAX]
    return finish("check-size", problems, warnings)


sys.exit(main())
