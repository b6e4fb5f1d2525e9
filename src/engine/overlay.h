/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct err;

/* The writable layer, in the directory of an instance: a directory of its own, which a virtual machine may be shown */
#define ENG_OVERLAY_DIR "layer"
#define ENG_OVERLAY_UPPER ENG_OVERLAY_DIR "/upper"
#define ENG_OVERLAY_WORK ENG_OVERLAY_DIR "/work"
#define ENG_OVERLAY_POINTS "mount-points" /* directory beside the layers; empty but for its "fs" */

/**
 * eng_overlay_prepare() - make the directories of a writable layer
 * @dir: of the instance
 * @owner: the host's id of its root user
 * Return: 0; -errno with a message.
 */
int eng_overlay_prepare(int dir, uint32_t owner, struct err *err);

/**
 * eng_overlay_adopt() - move the layer of a store whose instances have it beside their config.json to its place
 * @dir: of the instance, whether it runs or not
 */
void eng_overlay_adopt(int dir);

/**
 * eng_overlay_open() - the root file system of an instance as a mount that nobody sees
 * @dir: of the instance
 * @chain: chain ids, lowest first, separated by spaces
 * @writable: with the layer that eng_overlay_prepare() made; else read-only
 * @volatile_ok: the writable layer need not survive a power failure
 * @userns: user namespace that maps the owners of files, or -EBADF
 *
 * Context: changes the working directory.
 * Return: descriptor of a detached mount; -errno with a message.
 */
int eng_overlay_open(struct engine *e, int dir, const char *chain, bool writable, bool volatile_ok,
		     int userns, struct err *err);

/**
 * eng_overlay_view() - the files of an instance as they are now, while a kernel that is not this one has them mounted
 * @dir, @chain: as of eng_overlay_open()
 * @layer: it has a writable layer
 *
 * What that kernel changes afterwards may be seen or not: for a short look.
 * Context: changes the working directory.
 * Return: descriptor of a detached, read-only mount; -errno with a message.
 */
int eng_overlay_view(struct engine *e, int dir, const char *chain, bool layer, struct err *err);
