#!/bin/bash
# SPDX-License-Identifier: MIT
# Go's own tests of what is near to the processor: signals that preempt, assembler for vectors, atomics.
export GOCACHE=/tmp/go GOFLAGS=-count=1 CGO_ENABLED=0 GOTRACEBACK=all HOME=/tmp
cd "$(go env GOROOT)/src" || exit 1
# shellcheck disable=SC2086
timeout 7000 go test -short ${ONLY:-bytes compress/flate crypto/aes crypto/cipher crypto/ed25519 crypto/elliptic crypto/md5 crypto/rc4 crypto/sha1 \
	crypto/sha256 crypto/sha512 encoding/json hash/crc32 hash/crc64 hash/maphash internal/bytealg math math/big math/bits math/cmplx \
	math/rand os/signal reflect runtime runtime/debug sort strconv strings sync sync/atomic time unicode/utf8} >/tmp/log 2>&1
failed=$(sed -n 's/^FAIL\t\([a-z0-9/]*\)\t.*/\1/p' /tmp/log | sort | xargs)
echo "same failed: $failed"
[ -z "$failed" ] || cat /tmp/log
grep -c ^ok /tmp/log
