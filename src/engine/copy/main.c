/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-copy DIR [UID GID]`
 *
 * Unpacks the archive on standard input into a directory, whose owner may be changing it meanwhile.  Prints how many bytes
 * that were, or why it was not possible.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/files.h"
#include "image/layer.h"

static int copy(int argc, char **argv, uint64_t *ret_bytes, struct err *err)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct img_copy to = { .root = root, .dir = argv[1], .owned = argc == 4 };
	uint64_t uid = 0, gid = 0;

	if (root < 0)
		return err_set(err, -errno, "open the root directory");
	if (to.owned && (str_to_u64(argv[2], &uid) < 0 || str_to_u64(argv[3], &gid) < 0 || uid > UINT32_MAX || gid > UINT32_MAX))
		return err_msg(err, -EINVAL, "'%.32s:%.32s' is no owner", argv[2], argv[3]);
	to.uid = (uint32_t) uid;
	to.gid = (uint32_t) gid;
	return eng_file_unpack(STDIN_FILENO, &to, ret_bytes, err);
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	uint64_t bytes = 0;

	if (argc != 2 && argc != 4) {
		fprintf(stderr, "cleave-copy is started by cleave\n");
		return 125;
	}
	(void) umask(0); /* the archive says it */
	if (copy(argc, argv, &bytes, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("%" PRIu64 "\n", bytes);
	return 0;
}
