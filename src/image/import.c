/* SPDX-License-Identifier: MIT */
#include "image/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/commit.h"
#include "image/edit.h"
#include "image/meter.h"
#include "image/reference.h"
#include "image/store.h"
#include "image/stream.h"

/* Unpack into "layer" and copy into "blob" of the work directory, in one pass. */
static int unpack(const struct img_work *work, int fd, struct img_stream_sum *ret_sum,
		  uint64_t *ret_size, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	struct stat st;
	int r;

	_cleanup_close_ int blob = openat(work->dir, "blob",
					  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (blob < 0)
		return err_set(err, -errno, "create files in the store");
	r = img_stream_open(fd, blob, &s, err);
	if (r < 0)
		return r;
	img_stream_meter(s, work->meter);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		img_meter_expect(work->meter, (uint64_t) st.st_size);
	r = img_work_unpack(work, "layer", s, IMG_LAYER_ROOT, ret_size, err);
	return r < 0 ? r : img_stream_finish(s, ret_sum, err);
}

static int import_in(struct img_store *store, const struct img_work *work, int fd,
		     const struct img_reference *ref, const struct img_edit *edit, char *ret_id,
		     struct err *err)
{
	struct img_stream_sum sum;
	uint64_t size;
	int r = unpack(work, fd, &sum, &size, err);

	return r < 0 ? r : img_make(store, work, NULL, &sum, size, edit, ref, ret_id, err);
}

int img_import(struct img_store *store, int fd, const char *name, const struct img_edit *edit,
	       char *ret_id, struct err *err)
{
	struct img_reference ref = { 0 };
	struct img_work work;
	int r = name != NULL ? img_reference_parse(name, &ref, err) : 0;

	if (r < 0)
		return r;
	if (ref.digest[0] != '\0')
		return err_msg(err, -EINVAL,
			       "image name '%s': a new image cannot be named by its digest", name);
	r = img_work_begin(store, &work, err);
	if (r < 0)
		return r;
	r = import_in(store, &work, fd, name != NULL ? &ref : NULL, edit, ret_id, err);
	img_work_end(&work);
	return r;
}
