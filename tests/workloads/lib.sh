# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests of this folder: those of tests/engine (setup, is, like, run, ...), and an image of
# a whole Debian system, local/debian.
. "$(dirname "${BASH_SOURCE[0]}")/../engine/lib.sh"

# setup_debian [PROGRAM...] - setup, then import the image into this test's store
setup_debian() {
	local tar status=0
	setup mmdebstrap "$@"
	tar=$("$(dirname "$0")/image.bash") || status=$?
	[ "$status" != 77 ] || skip "no Debian mirror"
	[ "$status" = 0 ] || exit 1
	cleave import "$tar" local/debian >/dev/null || exit 1
}

# logged INSTANCE TEXT - its log has TEXT by now
logged() { cleave logs "$1" 2>&1 | grep -qF -e "$2"; }
