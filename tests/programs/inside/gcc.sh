#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs are compiled, run, and are those that a compiler elsewhere makes.
cat >threads.c <<'C'
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
static atomic_int n;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int m;
static void *f(void *p)
{
	for (int i = 0; i < 200000; i++) {
		n++;
		pthread_mutex_lock(&lock);
		m++;
		pthread_mutex_unlock(&lock);
	}
	return p;
}
int main(void)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, f, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return printf("%d %d\n", n, m) != 14;
}
C
for level in -O0 -O2; do
	gcc $level -pthread -o threads threads.c && ./threads || exit 1
done
# shellcheck disable=SC2016
perl -e 'print "#include <stdio.h>\n#include <string.h>\n#include <math.h>\n";
	for $i (1 .. 60) { print "double f$i(double *a, int n) { double s = $i; char b[64]; for (int i = 0; i < n; i++) { s += sqrt(a[i] * $i) / (i + $i); if (s > 1e$i % 7) s -= memchr(b, i, snprintf(b, 64, \"%d\", i + $i)) != 0; } return s; }\n" }' >big.c
sed -i 's/ % 7)/)/; s/1e\([0-9]*\))/1e\1)/' big.c
for level in -O0 -O2 '-O3 -march=x86-64-v3'; do
	# shellcheck disable=SC2086 # options
	gcc $level -w -c -o big.o big.c || exit 1
	echo "same $level $(sha256sum <big.o)"
done
