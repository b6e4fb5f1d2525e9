/* SPDX-License-Identifier: MIT */
/**
 * DOC: cache of compiled filters
 *
 * SLOTS files; the hash of a profile's canonical form picks one, and a newer profile replaces the
 * older one there, so the directory cannot grow.  A file holds a head, the whole canonical form and
 * the program.  It counts only when it is a plain file of the caller that nobody else can write, has
 * exactly the length its head promises, holds the same canonical form and the right checksum.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/seccomp.h"
#include "oci/seccomp_parts.h"

#define SLOTS 256u
#define KEY_MAX (1u << 20) /* bytes; a larger profile is compiled every time */
#define MAGIC 0x31707365762d6c63ULL

struct head {
	uint64_t magic, sum; /* @sum covers everything behind the head */
	uint32_t key_len, prog_len; /* bytes; instructions */
};

_Static_assert(sizeof(struct head) == 24, "no holes: the head is written as it is");

/* FNV-1a over 8 bytes at a time, with a final mix for the low bits */
static uint64_t hash(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	while (n > 0) {
		size_t k = n < 8 ? n : 8;
		uint64_t word = 0;

		memcpy(&word, p, k);
		h = (h ^ word) * 0x100000001b3ULL;
		h ^= h >> 29;
		p += k;
		n -= k;
	}
	return h;
}

static void slot_name(const void *key, size_t key_len, char *ret, size_t size)
{
	uint64_t h = hash(0xcbf29ce484222325ULL, key, key_len);

	(void) snprintf(ret, size, "seccomp-%02x", (unsigned) ((h ^ h >> 32) % SLOTS));
}

static uint64_t checksum(const void *key, size_t key_len, const void *prog, size_t prog_size)
{
	return hash(hash(MAGIC, key, key_len), prog, prog_size);
}

static bool is_ours(int fd, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 || st.st_size < (off_t) sizeof(struct head) ||
	    st.st_size > (off_t) (sizeof(struct head) + KEY_MAX +
				  OCI_FILTER_LEN_MAX * sizeof(struct sock_filter)))
		return false;
	*ret_size = (size_t) st.st_size;
	return true;
}

int seccomp_cache_load(int dirfd, const void *key, size_t key_len, struct oci_filter *ret)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_free_ struct sock_filter *prog = NULL;
	struct head head;
	size_t size, prog_size;
	char name[32];

	slot_name(key, key_len, name, sizeof(name));
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !is_ours(fd, &size))
		return -ENOENT;
	data = malloc(size);
	if (data == NULL || read(fd, data, size) != (ssize_t) size)
		return -ENOENT;
	memcpy(&head, data, sizeof(head));
	if (head.magic != MAGIC || head.key_len != key_len || head.prog_len == 0 ||
	    head.prog_len > OCI_FILTER_LEN_MAX)
		return -ENOENT;
	prog_size = head.prog_len * sizeof(*prog);
	if (size != sizeof(head) + key_len + prog_size ||
	    memcmp(data + sizeof(head), key, key_len) != 0)
		return -ENOENT;
	prog = malloc(prog_size);
	if (prog == NULL)
		return -ENOENT;
	memcpy(prog, data + sizeof(head) + key_len, prog_size);
	if (checksum(key, key_len, prog, prog_size) != head.sum)
		return -ENOENT;
	ret->len = (unsigned short) head.prog_len;
	ret->prog = take_ptr(prog);
	return 0;
}

void seccomp_cache_store(int dirfd, const void *key, size_t key_len, const struct oci_filter *filter)
{
	size_t prog_size = filter->len * sizeof(*filter->prog);
	struct head head = {
		.magic = MAGIC,
		.sum = checksum(key, key_len, filter->prog, prog_size),
		.key_len = (uint32_t) key_len,
		.prog_len = filter->len,
	};
	_cleanup_(str_fini) struct str data = { 0 };
	char name[32];
	int r;

	if (key_len > KEY_MAX)
		return;
	slot_name(key, key_len, name, sizeof(name));
	str_add(&data, &head, sizeof(head));
	str_add(&data, key, key_len);
	str_add(&data, filter->prog, prog_size);
	if (data.failed)
		return;
	r = file_replace(dirfd, name, data.p, data.len, 0600);
	if (r < 0)
		log_debug("cannot store the seccomp program '%s': %s", name, strerror(-r));
}
