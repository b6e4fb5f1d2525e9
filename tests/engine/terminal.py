#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""terminal.py [STEP...] -- COMMAND...: run a command in a terminal of 40 rows and 100 columns and type.

A STEP is WAIT=TEXT: type TEXT (escapes as in Python) when WAIT has been shown since the last step; an empty
WAIT types at once, a WAIT of "~" waits half a second.  What was shown goes to standard output, the exit status
is the command's; 124 after 20 seconds.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

LIMIT = 20.0


def main() -> int:
    split = sys.argv.index("--")
    steps = [s.split("=", 1) for s in sys.argv[1:split]]
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
    end = time.monotonic() + LIMIT
    seen = b""
    pause = None
    while time.monotonic() < end:
        if steps:
            want, text = steps[0]
            if want == "~":
                pause = pause or time.monotonic() + 0.5
            ready = time.monotonic() >= pause if want == "~" else want.encode() in seen
            if ready:
                os.write(fd, text.encode().decode("unicode_escape").encode("latin-1"))
                steps.pop(0)
                seen, pause = b"", None
        if select.select([fd], [], [], 0.05)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
            os.write(1, data)
    else:
        os.kill(pid, 9)
        return 124
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


sys.exit(main())
