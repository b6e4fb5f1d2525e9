#!/bin/bash
# SPDX-License-Identifier: MIT
# The other tests that hold as an ordinary user; see as_user.sh.
exec "$(dirname "$0")/as_user.sh" soak
