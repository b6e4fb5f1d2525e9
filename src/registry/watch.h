/* SPDX-License-Identifier: MIT */
/*
 * What can be seen of a pull or a push while it goes on.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum reg_stage {
	REG_STAGE_WAITING,
	REG_STAGE_EXISTS, /* it was there */
	REG_STAGE_MOVING, /* down or up */
	REG_STAGE_MOVED, /* all bytes are here; it is being unpacked */
	REG_STAGE_DONE,
	REG_STAGE_MOUNTED, /* the registry had it in another repository */
};

/**
 * struct reg_part - a layer that is pulled or pushed
 * @digest: "sha256:<hex>"
 * @done, @total: bytes
 * @from: repository, of REG_STAGE_MOUNTED
 */
struct reg_part {
	char digest[72];
	uint64_t total;
	atomic_uint_least64_t done;
	atomic_int stage; /* enum reg_stage */
	const char *from;
};

/**
 * struct reg_watch - who wants to see it
 * @line: a line of text, without its end
 * @begin: the parts of an image, which stay until @end
 * @changed: a part has come to another stage; called by several threads, one at a time
 */
struct reg_watch {
	void *data;
	void (*line)(void *data, const char *text);
	void (*begin)(void *data, const struct reg_part *parts, size_t n);
	void (*changed)(void *data, const struct reg_part *part);
	void (*end)(void *data);
};
