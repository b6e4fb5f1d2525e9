#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Doc comments agree with the code; folders have a README.

In every header of src: each function that is not static has a doc comment that starts with its
name; a comment of several lines says what is returned, unless that is nothing; each @name it
describes is in the declaration, also for structs.
"""

import fnmatch
import os
import re
import sys

from csource import TOP, blank, finish, line_of, read, files

README_LINES = 60
DOC = re.compile(r"/\*\*(.*?)\*/", re.S)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)|_Noreturn")
PROTOTYPE = re.compile(r"^(?!typedef|struct\s+\w+\s*\{|static|_Static_assert|[A-Z_]+\()"
                       r"([\w\s*]+?)\b(\w+)\s*\((.*)\)\s*$", re.S)


def declarations(code):
    """Yield (start, text) of what ends with ';' or '}' outside of braces."""
    depth, start = 0, 0
    for i, c in enumerate(code):
        if c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
        if depth == 0 and (c == ";" or (c == "}" and code[i + 1:].lstrip()[:1] not in ("", ";")
                                        and not re.match(r"\s*[\w_]+\s*[;\[(]", code[i + 1:]))):
            text = code[start:i + (c == "}")]
            lead = len(text) - len(text.lstrip())
            yield start + lead, text.strip()
            start = i + 1


def group_of(doc):
    """Patterns of a comment like 'cg_v1_*(), cg_v2_*() - ...' that stands for a block of functions."""
    m = re.match(r"[\s*]*((?:\w+\*?\w*\(\)(?:, )?)+) - \S", doc or "")
    return [n for n in re.findall(r"([\w*]+)\(\)", m.group(1))] if m and "*" in m.group(1) else []


def fnmatch_any(name, patterns):
    return any(fnmatch.fnmatchcase(name, p) for p in patterns)


def check_header(path):
    text = read(path)
    code = PREPROCESSOR.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), blank(text))
    docs, group, last = {}, [], 0
    problems = []
    for m in DOC.finditer(text):
        docs[m.end()] = m.group(1)
    for start, declaration in declarations(code):
        end = max((e for e in docs if e <= start and not text[e:start].strip()), default=None)
        doc = docs[end] if end is not None else None
        where = f"{path}:{line_of(text, start)}"
        plain = ATTRIBUTE.sub("", declaration).strip()
        m = PROTOTYPE.match(plain)
        if m is not None and "{" not in plain:
            kind, name = m.group(1).strip(), m.group(2)
            if doc is None and fnmatch_any(name, group) and "\n\n" not in text[last:start]:
                continue
            group = group_of(doc)
            if doc is not None and fnmatch_any(name, group):
                last = start + len(declaration)
                continue
            if doc is None:
                problems.append(f"{where}: {name}() has no doc comment")
                continue
            if not re.match(rf"[\s*]*{name}\(\) - \S", doc):
                problems.append(f"{where}: the comment of {name}() does not start with"
                                f" '{name}() - '")
            if kind != "void" and "\n" in doc.strip() and "Return:" not in doc:
                problems.append(f"{where}: the comment of {name}() has no 'Return:'")
        if doc is None:
            continue
        for line in doc.split("\n"):
            names = re.match(r"\s*\*?\s*((?:@[\w.]+(?:, )?)+):", line)
            for name in re.findall(r"@(\w+)", names.group(1)) if names else []:
                if not re.search(rf"\b{name}\b", declaration):
                    problems.append(f"{where}: the comment describes @{name},"
                                    " which the declaration does not have")
    return problems


def check_readmes():
    problems = []
    folders = {os.path.dirname(p) for p in files("src/*.c", "src/*.h")}
    for folder in sorted(folders):
        path = f"{folder}/README.md"
        if not os.path.isfile(os.path.join(TOP, path)):
            problems.append(f"{path}: missing (purpose, rules, files in reading order, non-goals)")
            continue
        text = read(path)
        if text.count("\n") >= README_LINES:
            problems.append(f"{path}: not under {README_LINES} lines")
        for name in re.findall(r"`([\w./-]+\.[ch])`", text):
            if not any(os.path.isfile(os.path.join(TOP, d, name)) for d in (folder, "src", "")):
                problems.append(f"{path}: no file '{name}'")
    return problems


def main():
    problems = []
    for path in files("src/*.h"):
        problems += check_header(path)
    return finish("check-docs", problems + check_readmes())


sys.exit(main())
