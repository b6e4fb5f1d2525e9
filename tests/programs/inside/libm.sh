#!/bin/bash
# SPDX-License-Identifier: MIT
# Functions of the C library: every bit, of scalars, x87, and vectors as compilers make them.
cat >libm.c <<'C'
#include <complex.h>
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
static uint64_t sum;
static void put(const void *p, size_t n)
{
	for (const unsigned char *b = p; n-- > 0; b++)
		sum = (sum ^ *b) * 0x100000001b3;
}
#define ONE(T, f, n)                                                                                                       \
	for (int i = 0; i < 400; i++) {                                                                                  \
		T x = (T) ((i - 200) * (i % 3 ? 0.0123 : 1e-5 * i)), r = f;                                              \
		if (r != r)                                                                                                \
			r = 7;                                                                                             \
		put(&r, n);                                                                                                \
	}
#define ALL(g) ONE(double, g(x), 8) ONE(float, g##f(x), 4) ONE(long double, g##l(x), 10)
#define TWO(g) ONE(double, g(x, x / 3 + 1), 8) ONE(float, g##f(x, x / 3 + 1), 4) ONE(long double, g##l(x, x / 3 + 1), 10)
#define TELL(name) printf("same %s %016llx\n", name, (unsigned long long) sum);
static double a[20000], b[20000], c[20000];
static float e[20000], g[20000];
static int n[20000];
int main(void)
{
	const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
	for (int m = 0; m < 4; m++) {
		fesetround(modes[m]);
		ALL(sin) ALL(cos) ALL(tan) ALL(asin) ALL(acos) ALL(atan) TELL("circle")
		ALL(sinh) ALL(cosh) ALL(tanh) ALL(asinh) ALL(acosh) ALL(atanh) TELL("hyperbola")
		ALL(exp) ALL(exp2) ALL(exp10) ALL(expm1) ALL(log) ALL(log2) ALL(log10) ALL(log1p) TELL("powers")
		ALL(sqrt) ALL(cbrt) ALL(erf) ALL(erfc) ALL(tgamma) ALL(lgamma) ALL(j0) ALL(y1) TELL("others")
		ALL(floor) ALL(ceil) ALL(trunc) ALL(round) ALL(rint) ALL(nearbyint) ALL(logb) TELL("integers")
		TWO(pow) TWO(atan2) TWO(hypot) TWO(fmod) TWO(remainder) TWO(fdim) TWO(nextafter) TELL("of two")
		ONE(double, fma(x, x, -x), 8) ONE(float, fmaf(x, x, -x), 4) ONE(long double, fmal(x, x, -x), 10) TELL("fma")
		ONE(double, creal(cexp(x + 1i)) + cimag(clog(x + 2i)), 8) TELL("complex")
		int flags = fetestexcept(FE_ALL_EXCEPT);
		put(&flags, 4);
		TELL("flags")
	}
	fesetround(FE_TONEAREST);
	for (int r = 0; r < 5; r++) {
		for (int i = 0; i < 20000; i++) {
			a[i] = (i + r) * 0.01;
			e[i] = (float) (i - r) * 0.03f;
		}
		for (int i = 0; i < 20000; i++)
			b[i] = sin(a[i]) + exp(-a[i]) * log(a[i] + 1);
		for (int i = 0; i < 20000; i++)
			g[i] = cosf(e[i]) + powf(e[i] * e[i] + 1, 0.3f);
		for (int i = 0; i < 20000; i++)
			n[i] = (int) (b[i] * 1e6) ^ (int) (g[i] * 1e4f);
		for (int i = 0; i < 20000; i++)
			c[i] = n[i] > 0 ? b[n[i] % 20000] : a[i];
		for (int i = 0; i < 20000; i++)
			n[i] = __builtin_popcount((unsigned) n[i]) + __builtin_clz((unsigned) n[i] | 1) * n[i] / (i + 1);
		put(b, sizeof(b));
		put(c, sizeof(c));
		put(g, sizeof(g));
		put(n, sizeof(n));
	}
	TELL("vectors")
	char text[64];
	for (int i = 0; i < 5000; i++) {
		double x = 0;
		snprintf(text, sizeof(text), "%.17g %La", sin(i) * exp(i % 300), (long double) i / 7);
		sscanf(text, "%lf", &x);
		put(&x, 8);
		put(text, strlen(text));
	}
	TELL("text")
	return 0;
}
C
grep -q avx512vl /proc/cpuinfo && v4=-march=x86-64-v4
grep -q avx2 /proc/cpuinfo && v3=-march=x86-64-v3
for level in '-O0' '-O2' '-O2 -mfpmath=387' '-O3 -march=x86-64-v2 -ffast-math' ${v3:+"-O3 $v3 -ffast-math" "-O3 $v3"} \
	${v4:+"-O3 $v4 -ffast-math" "-O3 $v4 -mprefer-vector-width=512"}; do
	# shellcheck disable=SC2086
	gcc -w -D_GNU_SOURCE $level -frounding-math -o libm libm.c -lm || exit 1
	echo "== $level"
	./libm || exit 1
done
for hide in -AVX512F_Usable,-AVX512VL_Usable,-AVX512F,-AVX512VL -AVX2_Usable,-AVX2,-FMA,-AVX512F,-ERMS -AVX2,-AVX,-SSE4_1,-SSE4_2,-SSSE3,-ERMS,-AVX512F; do
	echo "== without $hide"
	GLIBC_TUNABLES=glibc.cpu.hwcaps=$hide ./libm || exit 1
done
