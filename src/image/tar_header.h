/* SPDX-License-Identifier: MIT */
#pragma once

#define TAR_BLOCK 512 /* bytes */

/**
 * struct tar_header - a header block
 * Spec: POSIX.1-2017 pax, table "ustar Header Block".
 */
struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type;
	char link[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155],
		pad[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "on-disk layout");
