#!/bin/bash
# SPDX-License-Identifier: MIT
# Python's own tests: those that fail elsewhere, too, are not ours.
export PYTHONDONTWRITEBYTECODE=1
useradd -m tester && cd /home/tester || exit 1
set -- array ast asyncio audioop base64 bigmem binascii bool bytes bz2 call capi cmath codecs compile complex concurrent_futures \
	context coroutines ctypes datetime decimal deque dict dis eintr enum epoll faulthandler fcntl float fork1 format fractions \
	functools gc generators hashlib heapq hmac inspect int io itertools json kqueue list long long_future lzma marshal math memoryview mmap \
	multiprocessing_fork multiprocessing_spawn operator ordered_dict os pickle pipes poll posix pty pwd queue random range re \
	regrtest resource sched select selectors set shutil signal slice socket sort sqlite3 statistics str string strtod struct \
	subprocess sys tarfile tempfile thread threadedtempfile threading threading_local time timeit timeout tokenize tuple \
	unicode unicodedata wait3 wait4 weakref xml_etree_c zipfile zlib
# shellcheck disable=SC2046
set -- $(for t; do [ ! -e /usr/lib/python3.11/test/test_$t.py ] && [ ! -e /usr/lib/python3.11/test/test_$t ] || echo "test_$t"; done)
[ -z "${ONLY:-}" ] || set -- $ONLY
su tester -c "PYTHONDONTWRITEBYTECODE=1 timeout 6000 python3 -m test -j $(nproc) --timeout 1500 $*" >log 2>&1
failed=$(sed -n '/^[0-9]* tests\? failed:/,/^$/p' log | grep -o 'test_[a-z0-9_]*' | sort -u | xargs)
echo "same failed: $failed"
[ -z "$failed" ] || tail -n 150 log
grep -q '^Result: \|tests OK' log || { tail -n 50 log; exit 1; }
tail -n 3 log
