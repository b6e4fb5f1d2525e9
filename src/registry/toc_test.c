/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/sha256.h"
#include "registry/toc.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The table that @text is; at 1000 bytes of its layer */
static int read_text(const char *text, struct reg_chunk **ret, size_t *ret_n, struct err *err)
{
	struct reg_toc t = { .layer = A, .at = 1000, .unpacked = strlen(text) };
	unsigned char packed[8192];

	t.size = ZSTD_compress(packed, sizeof(packed), text, t.unpacked, 1);
	assert_false(ZSTD_isError(t.size));
	memcpy(t.digest, "sha256:", 7);
	sha256_hex(packed, t.size, t.digest + 7);
	return reg_toc_read(&t, packed, ret, ret_n, err);
}

#define DIR "{\"type\":\"dir\",\"name\":\"d \\\"{[\",\"mode\":493}"
#define FILE_A "{\"type\":\"reg\",\"name\":\"a\",\"size\":700,\"digest\":\"" A "\",\"offset\":100,\"endOffset\":200}"
#define EMPTY "{\"type\":\"reg\",\"name\":\"e\"}"
#define PARTS                                                                                                                 \
	"{\"type\":\"reg\",\"name\":\"p\",\"size\":9,\"digest\":\"" A "\",\"offset\":230,\"endOffset\":400,\"chunkDigest\":\"" B "\"}," \
	"{\"type\":\"chunk\",\"name\":\"p\",\"offset\":300,\"chunkDigest\":\"" A "\"}"
#define TABLE(entries) "{\"version\":1,\"entries\":[" entries "],\"tarSplitDigest\":\"x\"}"

static void chunks(void **state)
{
	static const struct {
		uint64_t at, size;
		int key; /* first byte; -1: any */
	} want[] = { { 0, 100, -1 }, { 100, 100, 0xaa }, { 200, 30, -1 }, { 230, 70, 0xbb }, { 300, 100, 0xaa } };
	_cleanup_free_ struct reg_chunk *v = NULL, *other = NULL, *same = NULL;
	struct err err = { 0 };
	size_t n = 0;

	(void) state;
	if (read_text(TABLE(DIR "," FILE_A "," EMPTY "," PARTS), &v, &n, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(v[i].at, want[i].at);
		assert_int_equal(v[i].size, want[i].size);
		if (want[i].key >= 0)
			assert_int_equal(v[i].key[0], want[i].key);
	}
	/* what an archive says of files is the same when the table says the same of them */
	assert_int_equal(read_text(TABLE(DIR "," FILE_A "," PARTS), &other, &n, &err), 0);
	assert_memory_equal(v[0].key, other[0].key, REG_TOC_KEY);
	assert_memory_not_equal(v[2].key, other[2].key, REG_TOC_KEY);
	assert_int_equal(read_text(TABLE("{\"type\":\"dir\",\"name\":\"d \\\"{[\",\"mode\":492}," FILE_A), &same, &n, &err), 0);
	assert_memory_not_equal(v[0].key, same[0].key, REG_TOC_KEY);
}

static void nonsense(void **state)
{
	static const char *const bad[] = {
		TABLE("{\"type\":\"reg\",\"offset\":200,\"endOffset\":100}"),
		TABLE("{\"type\":\"reg\",\"offset\":200,\"endOffset\":1001}"),
		TABLE(FILE_A "," FILE_A),
		TABLE(PARTS ",{\"type\":\"chunk\",\"offset\":401}"),
		TABLE(PARTS ",{\"type\":\"chunk\",\"offset\":299}"),
		TABLE("{\"name\":\"a\"}"),
		TABLE("{\"type\":\"reg\",\"offset\":-1}"),
		TABLE("{\"type\":\"reg\" 1}"),
	};
	static const char *const empty[] = { "", "[", "}}}}{{[[", TABLE(""), "{\"entries\":[1,[2],\"{\\", "\"" };

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct reg_chunk *v = NULL;
		struct err err = { 0 };
		size_t n = 0;

		if (read_text(bad[i], &v, &n, &err) != -EBADMSG)
			fail_msg("case %zu", i);
		assert_null(v);
	}
	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		struct reg_chunk *v = NULL;
		size_t n = 1;

		if (strlen(empty[i]) > 0)
			assert_int_equal(read_text(empty[i], &v, &n, NULL), 0);
		free(v);
	}
}

static void notes(void **state)
{
#define NOTES(position, digest)                                                                                        \
	"{\"layers\":[{\"digest\":\"" A "\"},{\"digest\":\"" B "\",\"annotations\":{"                                       \
	"\"io.github.containers.zstd-chunked.manifest-position\":\"" position "\","                                       \
	"\"io.github.containers.zstd-chunked.manifest-checksum\":\"" digest "\"}}]}"
	static const char *const none[] = {
		NOTES("1:2:3:2", A),  NOTES("0:2:3:1", A),	   NOTES("1:0:3:1", A),		NOTES("1:2:99999999999:1", A),
		NOTES("1:2:3:1", ""), NOTES("1:2:3:1", "sha256:a"), NOTES("99999999999999999999:2:3:1x", A), "{}",
	};
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct reg_toc *v = NULL;
	static const char good[] = NOTES("1:2:3:1", A);

	(void) state;
	assert_int_equal(reg_tocs_find(good, strlen(good), &a, &v), 1);
	assert_string_equal(v[0].layer, B);
	assert_string_equal(v[0].digest, A);
	assert_int_equal(v[0].at, 1);
	assert_int_equal(v[0].size, 2);
	assert_int_equal(v[0].unpacked, 3);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (reg_tocs_find(none[i], strlen(none[i]), &a, &v) != 0)
			fail_msg("case %zu", i);
	assert_true(reg_tocs_find("[", 1, &a, &v) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
