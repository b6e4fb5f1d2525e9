/* SPDX-License-Identifier: MIT */
/**
 * DOC: SHA-256
 *
 * Two compression functions with one result: plain C, and the SHA extensions of x86-64 processors,
 * which are about five times as fast and decide how long an image takes to load.
 * Spec: FIPS 180-4, 6.2; Intel SDM, SHA256RNDS2.
 */
#include "base/sha256.h"

#include <stdbool.h>
#include <string.h>

static const uint32_t k[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t ror(uint32_t v, unsigned n)
{
	return v >> n | v << (32 - n);
}

static void compress_c(uint32_t state[8], const unsigned char *p)
{
	uint32_t w[64], v[8];

	for (unsigned i = 0; i < 16; i++, p += 4)
		w[i] = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
	for (unsigned i = 16; i < 64; i++) {
		uint32_t s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	memcpy(v, state, sizeof(v));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t s1 = ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25);
		uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		uint32_t s0 = ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22);
		uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += v[i];
}

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

static bool have_sha(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) != 0 &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
}

/*
 * The instructions keep the state as {A,B,E,F} and {C,D,G,H} and do two rounds each.  @m holds the
 * last sixteen words of the message schedule, four per vector.
 */
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_ni(uint32_t state[8],
								    const unsigned char *p)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
	__m128i lo = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *) state), 0xb1);
	__m128i hi = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *) (state + 4)), 0x1b);
	__m128i abef = _mm_alignr_epi8(lo, hi, 8), cdgh = _mm_blend_epi16(hi, lo, 0xf0);
	const __m128i abef0 = abef, cdgh0 = cdgh;
	__m128i m[4];

	for (unsigned i = 0; i < 4; i++)
		m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) (p + 16 * i)), swap);
	for (unsigned i = 0; i < 16; i++) {
		__m128i wk = _mm_add_epi32(m[0], _mm_load_si128((const __m128i *) (k + 4 * i)));
		__m128i next = _mm_add_epi32(_mm_sha256msg1_epu32(m[0], m[1]),
					     _mm_alignr_epi8(m[3], m[2], 4));

		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
		abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
		next = _mm_sha256msg2_epu32(next, m[3]);
		m[0] = m[1];
		m[1] = m[2];
		m[2] = m[3];
		m[3] = next;
	}
	abef = _mm_add_epi32(abef, abef0);
	cdgh = _mm_add_epi32(cdgh, cdgh0);
	lo = _mm_shuffle_epi32(abef, 0x1b);
	hi = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *) state, _mm_blend_epi16(lo, hi, 0xf0));
	_mm_storeu_si128((__m128i *) (state + 4), _mm_alignr_epi8(hi, lo, 8));
}
#endif

static void compress(uint32_t state[8], const unsigned char *p, size_t blocks)
{
#ifdef __x86_64__
	if (have_sha()) {
		for (; blocks > 0; blocks--, p += 64)
			compress_ni(state, p);
		return;
	}
#endif
	for (; blocks > 0; blocks--, p += 64)
		compress_c(state, p);
}

void sha256_init(struct sha256 *s)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(s->state, start, sizeof(start));
	s->total = 0;
}

void sha256_update(struct sha256 *s, const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t have = s->total % 64;

	s->total += n;
	if (have != 0) {
		size_t room = 64 - have, take = n < room ? n : room;

		memcpy(s->block + have, p, take);
		if (take < room)
			return;
		compress(s->state, s->block, 1);
		p += take;
		n -= take;
	}
	compress(s->state, p, n / 64);
	if (n % 64 != 0)
		memcpy(s->block, p + n / 64 * 64, n % 64);
}

void sha256_final_hex(struct sha256 *s, char ret[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	static const unsigned char pad[64] = { 0x80 };
	uint64_t bits = s->total * 8;
	unsigned char len[8];

	for (unsigned i = 0; i < 8; i++)
		len[i] = (unsigned char) (bits >> (56 - 8 * i));
	sha256_update(s, pad, 1 + (119 - s->total % 64) % 64);
	sha256_update(s, len, sizeof(len));
	for (unsigned i = 0; i < 64; i++)
		ret[i] = digits[s->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
	ret[64] = '\0';
}

void sha256_hex(const void *data, size_t n, char ret[SHA256_HEX_LEN + 1])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, data, n);
	sha256_final_hex(&s, ret);
}
