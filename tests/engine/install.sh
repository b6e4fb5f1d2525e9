#!/bin/bash
# SPDX-License-Identifier: MIT
# make install: what people type is in bin, what programs start in libexec, and one finds the other wherever both lie.
. "$(dirname "$0")/lib.sh"
setup meson

make -s -C "$(dirname "$0")/../.." install DESTDIR="$T/dest" >"$T/log" 2>&1 || no "make install" "$(tail -n 3 "$T/log")"
there=$T/dest/$(cd "$T/dest" && find . -path '*/bin' -type d)
is bin "$(cd "$there" && echo *)" 'cleave cleave-oci cleave-oci-vm cleave-vmm'
is libexec "$(cd "$there/../libexec/cleave" && echo *)" 'cleave-copy cleave-guest cleave-init cleave-monitor cleave-names cleave-ports cleave-registry cleave-systemd'
CLEAVE=$there/cleave
is "an instance" "$(cleave run --rm --init cleave/tiny cat /proc/1/comm)" docker-init
like "a manual page" "$(man -l "$there/../share/man/man1/cleave-run.1")" 'Run a command in a new instance'
unit=$there/../lib/systemd/system/cleave-restart.service
like "a unit" "$(grep ExecStart= "$unit")" '^ExecStart=/[a-z/]+/bin/cleave start --all'
rm "$there/../libexec/cleave/cleave-monitor"
refuse 125 "find the program '.*cleave-monitor'" run --rm cleave/tiny true
