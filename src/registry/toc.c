/* SPDX-License-Identifier: MIT */
#include "registry/toc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/store.h"

#define POSITION "zstd-chunked.manifest-position"
#define DIGEST "zstd-chunked.manifest-checksum"
#define KIND 1 /* of table, the only one there is */
#define ENTRY_DEPTH 3 /* objects and lists around what an entry says, itself included */
#define NO_KEY "00000000000000000000000000000000" /* of what is like nothing else */
#define BLOCK 512 /* a tar archive is made of */

struct reader {
	struct reg_chunk *v;
	size_t n, room;
	uint64_t end; /* of the last file */
	struct sha256 headers; /* of what has come since then */
	struct reg_chunk open; /* of the file that has been begun */
	uint64_t file_end; /* 0: none has */
	uint64_t file_size;
};

static bool is_digest(const char *text)
{
	return text != NULL && str_starts(text, "sha256:") && strlen(text) == 71 &&
	       strspn(text + 7, "0123456789abcdef") == SHA256_HEX_LEN;
}

/* Annotations began otherwise before 2022. */
static const char *read_note(struct json_in *in, const struct json *notes, const char *now, const char *before)
{
	const char *text = json_get_str(in, notes, now);

	return text != NULL ? text : json_get_str(in, notes, before);
}

/* Return: true when the annotations name a table that could be */
static bool read_notes(struct json_in *in, const struct json *layer, struct reg_toc *ret)
{
	const struct json *notes = json_to_object(in, layer) ? json_get_object(in, layer, "annotations") : NULL;
	const char *position = notes != NULL ? read_note(in, notes, "io.github.containers." POSITION, "io.containers." POSITION) : NULL;
	const char *digest = notes != NULL ? read_note(in, notes, "io.github.containers." DIGEST, "io.containers." DIGEST) : NULL;
	const char *own = json_get_str(in, layer, "digest");
	unsigned long long at, size, unpacked;
	unsigned kind;

	if (position == NULL || !is_digest(digest) || !is_digest(own) ||
	    sscanf(position, "%19llu:%19llu:%19llu:%9u", &at, &size, &unpacked, &kind) != 4 || kind != KIND || at == 0 ||
	    size == 0 || size > REG_TOC_MAX || unpacked == 0 || unpacked > REG_TOC_MAX)
		return false;
	*ret = (struct reg_toc) { .at = at, .size = size, .unpacked = unpacked };
	memcpy(ret->layer, own, sizeof(ret->layer));
	memcpy(ret->digest, digest, sizeof(ret->digest));
	return true;
}

int reg_tocs_find(const char *manifest, size_t len, struct arena *arena, struct reg_toc **ret)
{
	const struct json *layers = NULL;
	struct reg_toc *v = NULL;
	struct json_in in;
	int n = 0, r = json_parse(&in, "manifest", arena, manifest, len, NULL);

	if (r == 0 && json_to_object(&in, in.root))
		layers = json_get_array(&in, in.root, "layers", IMG_LAYERS_MAX);
	if (layers != NULL)
		v = arena_alloc(arena, layers->len, sizeof(*v));
	if (layers != NULL && v == NULL)
		(void) json_nomem(&in); /* kept in in.code */
	for (const struct json *it = v != NULL ? layers->first : NULL; it != NULL; it = it->next)
		if (read_notes(&in, it, &v[n]))
			n++;
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r < 0)
		return r;
	*ret = v;
	return n;
}

static int add(struct reader *rd, const struct reg_chunk *c)
{
	if (c->size == 0)
		return 0;
	if (rd->n == rd->room) {
		size_t room = rd->room * 2 + 256;
		struct reg_chunk *more = reallocarray(rd->v, room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		rd->v = more;
		rd->room = room;
	}
	rd->v[rd->n++] = *c;
	return 0;
}

static void key_of(const char *hex, unsigned char ret[REG_TOC_KEY])
{
	for (size_t i = 0; i < REG_TOC_KEY; i++)
		(void) sscanf(hex + 2 * i, "%2hhx", &ret[i]); /* they are digits */
}

/* The chunk that is open ends before @at */
static int close_chunk(struct reader *rd, uint64_t at)
{
	if (at < rd->open.at)
		return -EBADMSG;
	rd->open.size = at - rd->open.at;
	return add(rd, &rd->open);
}

/* What follows begins with the padding of this file */
static int close_file(struct reader *rd)
{
	uint64_t padding = rd->file_size % BLOCK;
	int r = rd->file_end != 0 ? close_chunk(rd, rd->file_end) : 0;

	if (rd->file_end == 0)
		return 0;
	rd->end = rd->file_end;
	rd->file_end = 0;
	sha256_init(&rd->headers);
	sha256_update(&rd->headers, &padding, sizeof(padding));
	return r;
}

static void hash_text(struct sha256 *s, const char *text, size_t n)
{
	sha256_update(s, &n, sizeof(n));
	sha256_update(s, text, n);
}

/* All that the archive says of a file; where its data is and what that is differs */
static void hash_header(struct sha256 *s, const struct json *o)
{
	static const char *const others[] = { "digest", "offset", "endOffset", "chunkSize", "chunkOffset", "chunkDigest", "chunkType" };

	for (const struct json *it = o->first; it != NULL; it = it->next) {
		bool other = false;

		for (size_t i = 0; i < ARRAY_LEN(others); i++)
			other = other || strcmp(it->key, others[i]) == 0;
		if (other)
			continue;
		hash_text(s, it->key, it->key_len);
		if (it->kind == JSON_KIND_STRING || it->kind == JSON_KIND_NUMBER)
			hash_text(s, it->text, it->len);
		else if (it->kind == JSON_KIND_OBJECT)
			hash_header(s, it);
	}
}

static const char *data_key(struct json_in *in, const struct json *o)
{
	const char *part = json_get_str(in, o, "chunkDigest"), *whole = json_get_str(in, o, "digest");

	return is_digest(part) ? part + 7 : is_digest(whole) ? whole + 7 : NO_KEY;
}

/* The data of a file begins, after what the archive says of it and of those without data */
static int open_file(struct reader *rd, struct json_in *in, const struct json *o, uint64_t at, uint64_t end)
{
	struct reg_chunk gap = { .at = rd->end, .size = at - rd->end };
	char hex[SHA256_HEX_LEN + 1];
	int r;

	if (at < rd->end || end < at)
		return -EBADMSG;
	sha256_final_hex(&rd->headers, hex);
	key_of(hex, gap.key);
	r = add(rd, &gap);
	rd->open.at = at;
	rd->file_end = end;
	key_of(data_key(in, o), rd->open.key);
	return r;
}

static int read_entry(struct reader *rd, struct json_in *in, const struct reg_toc *t)
{
	const struct json *o = in->root;
	const char *type = json_to_object(in, o) ? json_get_str(in, o, "type") : NULL;
	uint64_t at = 0, end = 0, size = 0;
	int r;

	(void) json_get_u64(in, o, "offset", t->at, &at); /* 0 without; a failure is in in->code, as below */
	(void) json_get_u64(in, o, "endOffset", t->at, &end);
	(void) json_get_u64(in, o, "size", INT64_MAX, &size);
	if (type == NULL || in->code < 0)
		return -EBADMSG;
	if (strcmp(type, "chunk") != 0) {
		r = close_file(rd);
		hash_header(&rd->headers, o);
		rd->file_size = size;
		return r < 0 || at == 0 || end == 0 ? r : open_file(rd, in, o, at, end);
	}
	if (at == 0 || rd->file_end == 0)
		return 0;
	r = at > rd->file_end ? -EBADMSG : close_chunk(rd, at);
	rd->open.at = at;
	key_of(data_key(in, o), rd->open.key);
	return r;
}

static int parse_entry(struct reader *rd, const char *text, size_t len, const struct reg_toc *t)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct json_in in;
	int r = json_parse(&in, "table of contents", &arena, text, len, NULL);

	if (r == 0)
		r = read_entry(rd, &in, t);
	json_fini(&in);
	return r;
}

/* One entry after the other is made a tree of: all of them would take much memory. */
static int parse(struct reader *rd, const char *text, size_t len, const struct reg_toc *t)
{
	bool quoted = false;
	size_t begin = 0;
	int depth = 0, r = 0;

	for (size_t i = 0; r == 0 && i < len; i++) {
		if (quoted && text[i] == '\\') {
			i++;
		} else if (text[i] == '"') {
			quoted = !quoted;
		} else if (quoted) {
			continue;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth == ENTRY_DEPTH)
				begin = i;
		} else if (text[i] == '}' || text[i] == ']') {
			if (depth-- == ENTRY_DEPTH && text[begin] == '{')
				r = parse_entry(rd, text + begin, i + 1 - begin, t);
		}
	}
	return r == 0 ? close_file(rd) : r;
}

int reg_toc_parse(const struct reg_toc *t, const char *text, size_t len, struct reg_chunk **ret, size_t *ret_n, struct err *err)
{
	struct reader rd = { 0 };
	int r;

	sha256_init(&rd.headers);
	r = parse(&rd, text, len, t);
	if (r < 0) {
		free(rd.v);
		return r == -ENOMEM ? err_set(err, r, "read the table of layer %.19s", t->layer)
				    : err_msg(err, -EBADMSG, "the table of layer %.19s makes no sense", t->layer);
	}
	*ret = rd.v;
	*ret_n = rd.n;
	return 0;
}

int reg_toc_read(const struct reg_toc *t, const void *packed, struct reg_chunk **ret, size_t *ret_n, struct err *err)
{
	_cleanup_free_ char *text = malloc(t->unpacked);
	char hex[SHA256_HEX_LEN + 1];

	if (text == NULL)
		return err_set(err, -ENOMEM, "read the table of layer %.19s", t->layer);
	sha256_hex(packed, t->size, hex);
	if (strcmp(hex, t->digest + 7) != 0)
		return err_msg(err, -EBADMSG, "the table of layer %.19s has the digest sha256:%s", t->layer, hex);
	if (ZSTD_decompress(text, t->unpacked, packed, t->size) != t->unpacked)
		return err_msg(err, -EBADMSG, "the table of layer %.19s is damaged", t->layer);
	return reg_toc_parse(t, text, t->unpacked, ret, ret_n, err);
}
