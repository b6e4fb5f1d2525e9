/* SPDX-License-Identifier: MIT */
/**
 * DOC: requests to a shared directory
 *
 * The input is requests, one after the other: length, opcode, number of the file, arguments.  Nothing may crash, and
 * what lies beside the directory stays as it is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmm/core/bytes.h"
#include "vmm/dev/share/share_parts.h"

#define HEADER 4u /* of a request in the input: length, opcode, file, bytes of room for the answer by 64 */
#define REQUESTS_MAX 500

static int top = -1, dir = -1, proc = -1;

static void prepare(void)
{
	static char path[] = "/tmp/fuzz_share.XXXXXX";

	if (mkdtemp(path) == NULL)
		abort();
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(top, "in", 0755) < 0 || mkdirat(top, "beside", 0755) < 0)
		abort();
	dir = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	proc = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void ask(struct share *s, const uint8_t *p, size_t len)
{
	static uint8_t answer[256 * 64];
	uint8_t request[sizeof(struct fuse_in_header) + 256];
	struct fuse_in_header head = { .opcode = p[1] & 63, .nodeid = p[2], .uid = 0, .gid = 0 };
	size_t args = len - HEADER, total = sizeof(head) + args;
	struct vq_chain c = { .nr_out = 1, .nr_in = 1, .out_len = total, .in_len = p[3] * 64u };

	memcpy(request, &head, sizeof(head));
	memcpy(request + sizeof(head), p + HEADER, args);
	c.iov[0] = (struct iovec) { request, total };
	c.iov[1] = (struct iovec) { answer, c.in_len };
	if (head.opcode == FUSE_FALLOCATE || head.opcode == FUSE_COPY_FILE_RANGE || head.opcode == FUSE_SYNCFS ||
	    head.opcode == FUSE_FSYNC)
		return; /* the disk of whoever fuzzes */
	(void) share_answer(s, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct share *s;
	struct stat st;

	if (top < 0)
		prepare();
	if (share_new(dir, proc, SHARE_FILES, &s, NULL) < 0)
		abort();
	for (int i = 0; i < REQUESTS_MAX && size >= HEADER; i++) {
		size_t len = data[0] < HEADER ? HEADER : data[0];

		len = len < size ? len : size;
		ask(s, data, len);
		data += len;
		size -= len;
	}
	share_free(s);
	if (fstatat(top, "beside", &st, 0) < 0 || st.st_nlink != 2)
		abort(); /* something got out */
	return 0;
}
