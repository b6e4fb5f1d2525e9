/* SPDX-License-Identifier: MIT */
#include "image/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "base/clock.h"
#include "image/config.h"
#include "image/layer.h"
#include "image/reference.h"
#include "image/store.h"
#include "image/stream.h"

/* Unpack into "layer/fs" and copy into "blob" of the work directory, in one pass. */
static int unpack(const struct img_work *work, int fd, struct img_stream_sum *ret_sum,
		  uint64_t *ret_size, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	mode_t old;
	int r;

	_cleanup_close_ int blob = openat(work->dir, "blob",
					  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (blob < 0 || mkdirat(work->dir, "layer", 0700) < 0 ||
	    mkdirat(work->dir, "layer/fs", 0755) < 0)
		return err_set(err, -errno, "create files in the store");
	_cleanup_close_ int fs = openat(work->dir, "layer/fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs < 0)
		return err_set(err, -errno, "open a directory in the store");
	r = img_stream_open(fd, blob, &s, err);
	if (r < 0)
		return r;
	old = umask(0);
	r = img_layer_unpack(s, fs, IMG_LAYER_ROOT, ret_size, err);
	(void) umask(old); /* never fails */
	return r < 0 ? r : img_stream_finish(s, ret_sum, err);
}

static int describe(struct img_store *store, const struct img_work *work,
		    const struct img_stream_sum *sum, const char *cmd, const char *comment,
		    struct img_image *image, char *config_digest, char *manifest_digest,
		    struct err *err)
{
	_cleanup_(str_fini) struct str config = { 0 }, manifest = { 0 };
	struct img_descriptor layer = { .media_type = sum->media_type, .size = sum->blob_size };
	struct img_descriptor desc = { .media_type = "application/vnd.oci.image.config.v1+json" };
	int r;

	img_config_format(image->created, sum->diff_id, cmd, comment, &config);
	if (config.failed)
		return err_set(err, -ENOMEM, "describe the image");
	r = img_work_put(store, work, config.p, config.len, config_digest, err);
	if (r < 0)
		return r;
	memcpy(layer.digest, sum->blob, sizeof(layer.digest));
	memcpy(desc.digest, config_digest, sizeof(desc.digest));
	desc.size = config.len;
	img_manifest_format(&desc, &layer, 1, &manifest);
	if (manifest.failed)
		return err_set(err, -ENOMEM, "describe the image");
	image->manifest_size = (int64_t) manifest.len;
	return img_work_put(store, work, manifest.p, manifest.len, manifest_digest, err);
}

static int import_in(struct img_store *store, const struct img_work *work, int fd,
		     const struct img_reference *ref, const char *cmd, const char *comment,
		     char *ret_id, struct err *err)
{
	char config[72] = "", manifest[72] = "";
	struct img_image image = { .created = time_now_ns(),
				   .id = config + 7,
				   .manifest = manifest };
	struct img_stream_sum sum;
	uint64_t size;
	int r = unpack(work, fd, &sum, &size, err);

	if (r < 0)
		return r;
	image.size = (int64_t) size;
	image.chain = sum.diff_id + 7; /* the chain id of a first layer is its diff id */
	r = describe(store, work, &sum, cmd, comment, &image, config, manifest, err);
	if (r == 0)
		r = img_work_blob(store, work, "blob", sum.blob, err);
	if (r == 0)
		r = img_work_layer(store, work, "layer", image.chain, err);
	if (r == 0)
		r = img_work_sync(work, err);
	if (r == 0)
		r = img_store_add(store, &image, ref, err);
	if (r == 0)
		memcpy(ret_id, image.id, 65);
	return r;
}

int img_import(struct img_store *store, int fd, const char *name, const char *cmd,
	       const char *comment, char *ret_id, struct err *err)
{
	struct img_reference ref;
	struct img_work work;
	int r = img_reference_parse(name, &ref, err);

	if (r < 0)
		return r;
	if (ref.digest[0] != '\0')
		return err_msg(err, -EINVAL,
			       "image name '%s': a new image cannot be named by its digest", name);
	r = img_work_begin(store, &work, err);
	if (r < 0)
		return r;
	r = import_in(store, &work, fd, &ref, cmd, comment, ret_id, err);
	img_work_end(&work);
	return r;
}
