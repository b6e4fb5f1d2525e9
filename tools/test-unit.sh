#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test-unit.sh BUILD: run the unit tests of a meson build and count their cases.
set -uo pipefail

status=0
CMOCKA_MESSAGE_OUTPUT=TAP meson test -C "$1" --no-rebuild --print-errorlogs || status=$?
python3 - "$1/meson-logs/testlog.json" <<'PY'
import json, re, sys
passed = failed = skipped = 0
for line in open(sys.argv[1]):
    test = json.loads(line)
    cases = re.findall(r"^(not )?ok\b(.*)$", test.get("stdout", ""), re.M)
    bad = sum(1 for no, _ in cases if no)
    skip = sum(1 for no, text in cases if not no and re.search(r"# skip", text, re.I))
    if test["result"] == "SKIP":
        skip = max(skip, 1)
    elif test["result"] != "OK":
        bad = max(bad, 1)  # a crash or a sanitizer's report ends the list of cases
    passed += max(len(cases) - bad - skip, 0 if cases or test["result"] != "OK" else 1)
    failed += bad
    skipped += skip
print(f"{passed} passed, {failed} failed, {skipped} skipped")
PY
exit $status
