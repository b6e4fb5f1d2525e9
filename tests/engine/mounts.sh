#!/bin/bash
# SPDX-License-Identifier: MIT
# -v and --read-only.
. "$(dirname "$0")/lib.sh"
setup
mkdir "$T/dir"
echo host >"$T/dir/file"
is "-v" "$(cleave run --rm -v "$T/dir:/mnt/new" cleave/tiny cat /mnt/new/file)" host
cleave run --rm -v "$T/dir:/mnt" cleave/tiny sh -c 'echo inside >/mnt/made'
is "-v is writable" "$(cat "$T/dir/made")" inside
run 1 --rm -v "$T/dir:/mnt:ro" cleave/tiny touch /mnt/x
like "-v :ro" "$out" 'Read-only'
is "-v of a file" "$(cleave run --rm -v "$T/dir/file:/etc/motd" cleave/tiny cat /etc/motd)" host
is "-v ./relative" "$(cd "$T" && cleave run --rm -v ./dir:/mnt cleave/tiny cat /mnt/file)" host
run 1 --rm --read-only cleave/tiny touch /file
like "--read-only" "$out" 'Read-only'
run 0 --rm --read-only cleave/tiny sh -c 'echo x >/dev/shm/x && cat /etc/hosts && ls /proc/1'
run 0 --rm --read-only -v "$T/dir:/mnt/new" cleave/tiny touch /mnt/new/x
run 1 --rm --read-only -v "$T/dir:/mnt/new" cleave/tiny touch /x
run 0 --name one cleave/tiny sh -c 'echo changed >/etc/passwd'
is "instances do not share what they write" "$(cleave run --rm cleave/tiny grep -c root: /etc/passwd)" 1
refuse 125 'No such file' run --rm -v /no/such/dir:/mnt cleave/tiny true
refuse 125 "unknown option 'rx'" run --rm -v "$T/dir:/mnt:rx" cleave/tiny true
refuse 125 'absolute path' run --rm -v dir:/mnt cleave/tiny true
refuse 125 'destination' run --rm -v "$T/dir:mnt" cleave/tiny true
refuse 125 'destination' run --rm -v "$T/dir:/a/../../b" cleave/tiny true
