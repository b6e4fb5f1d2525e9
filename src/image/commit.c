/* SPDX-License-Identifier: MIT */
#include "image/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/edit.h"
#include "image/fetch.h"
#include "image/internal.h"
#include "image/manifest.h"
#include "image/parts.h"
#include "image/settle.h"
#include "image/sink.h"
#include "image/stream.h"
#include "image/tar_write.h"
#include "image/tree.h"

/* Without a base: what every image of a root file system begins with */
static const char first_config[] =
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":["
	"\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"]}}";

int img_layer_pack(int upper, const struct img_tree_opts *opts, int fd, struct img_meter *meter,
		   struct img_stream_sum *ret, struct err *err)
{
	_cleanup_(img_sink_freep) struct img_sink *sink = NULL;
	int r = img_sink_open(fd, true, true, &sink, err);

	if (r == 0)
		img_sink_meter(sink, meter);
	if (r == 0)
		r = img_tree_write(sink, upper, opts, err);
	if (r == 0)
		r = img_tar_end(sink, err);
	return r < 0 ? r : img_sink_finish(sink, ret, err);
}

static int read_blob(struct img_store *store, const char *hex, struct str *ret, struct err *err)
{
	char path[IMG_BLOB_PATH_SIZE];
	int r;

	img_blob_path(hex, path);
	r = file_read(store->root, path, IMG_CONFIG_SIZE_MAX, ret);
	return r < 0 ? err_set(err, r, "read blob '%.12s'", hex) : 0;
}

/* Layers of @base, and room for one more */
static int base_layers(struct img_store *store, const struct img_image *base, struct arena *arena,
		       struct img_manifest *ret, struct err *err)
{
	struct img_manifest m = { 0 };
	struct img_descriptor *layers;
	int r = base != NULL ? img_manifest_read(store, base, arena, &m, err) : 0;

	if (r < 0)
		return r;
	if (m.nr_layers + 1 >= IMG_LAYERS_MAX)
		return err_msg(err, -E2BIG, "the image has %d layers, which is the limit",
			       IMG_LAYERS_MAX - 1);
	layers = arena_alloc(arena, m.nr_layers + 1, sizeof(*layers));
	if (layers == NULL)
		return err_set(err, -ENOMEM, "make the image");
	if (m.nr_layers > 0)
		memcpy(layers, m.layers, m.nr_layers * sizeof(*layers));
	m.layers = layers;
	*ret = m;
	return 0;
}

static int put_manifest(struct img_store *store, const struct img_work *work,
			const struct img_image *base, const struct img_stream_sum *sum,
			const char *config_digest, size_t config_len, struct img_image *image,
			char *manifest_digest, struct err *err)
{
	struct img_descriptor config = { .media_type = IMG_MEDIA_CONFIG, .size = config_len };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct img_manifest m = { 0 };
	int r = base_layers(store, base, &arena, &m, err);

	if (r < 0)
		return r;
	m.layers[m.nr_layers].media_type = sum->media_type;
	m.layers[m.nr_layers].size = sum->blob_size;
	memcpy(m.layers[m.nr_layers++].digest, sum->blob, sizeof(sum->blob));
	memcpy(config.digest, config_digest, sizeof(config.digest));
	img_manifest_format(&config, m.layers, m.nr_layers, &text);
	if (text.failed)
		return err_set(err, -ENOMEM, "describe the image");
	image->manifest_size = (int64_t) text.len;
	return img_work_put(store, work, text.p, text.len, manifest_digest, err);
}

static int put_config(struct img_store *store, const struct img_work *work,
		      const struct img_image *base, const struct img_edit *edit,
		      const char *diff_id, char *ret_digest, size_t *ret_len, struct err *err)
{
	_cleanup_(str_fini) struct str old = { 0 }, text = { 0 };
	int r = 0;

	if (base != NULL)
		r = read_blob(store, base->id, &old, err);
	else
		str_puts(&old, first_config);
	if (r == 0 && old.p == NULL)
		r = err_set(err, -ENOMEM, "describe the image");
	if (r == 0)
		r = img_edit_config(old.p, old.len, edit, diff_id, &text, err);
	if (r < 0)
		return r;
	*ret_len = text.len;
	return img_work_put(store, work, text.p, text.len, ret_digest, err);
}

static int add_image(struct img_store *store, struct img_image *image, const char *base_chain,
		     const char *chain, const struct img_reference *ref, struct err *err)
{
	_cleanup_(str_fini) struct str chains = { 0 };
	struct img_reference copy = { 0 };
	struct img_new new = { .refs = &copy };
	const struct img_new *list = &new;

	str_printf(&chains, "%s%s%s", base_chain, *base_chain != '\0' ? " " : "", chain);
	if (chains.failed)
		return err_set(err, -ENOMEM, "make the image");
	image->chain = chains.p;
	new.image = *image;
	if (ref != NULL) {
		copy = *ref;
		new.nr_refs = 1;
	}
	return img_store_add_all(store, &list, 1, err);
}

int img_make(struct img_store *store, const struct img_work *work, const struct img_image *base,
	     const struct img_stream_sum *sum, uint64_t size, const struct img_edit *edit,
	     const struct img_reference *ref, char *ret_id, struct err *err)
{
	char config[72] = "", manifest[72] = "", chain[65];
	struct img_image image = { .created = edit->created,
				   .id = config + strlen("sha256:"),
				   .manifest = manifest,
				   .size = (int64_t) size + (base != NULL ? base->size : 0) };
	const char *base_chain = base != NULL ? base->chain : "", *top = strrchr(base_chain, ' ');
	struct img_new_layer layer = { chain, sum->diff_id, sum->blob };
	struct img_settle settle = { .fd = -EBADF };
	size_t config_len;
	int r = put_config(store, work, base, edit, sum->diff_id, config, &config_len, err);

	if (r == 0)
		r = put_manifest(store, work, base, sum, config, config_len, &image, manifest, err);
	img_fetch_chain(top != NULL ? top + 1 : base_chain, sum->diff_id, chain);
	if (r == 0)
		r = img_settle_note(store, work, &layer, 1, &image.id, 1, &settle, err);
	if (r == 0)
		r = img_work_blob(store, work, "blob", sum->blob, err);
	if (r == 0)
		r = img_work_layer(store, work, "layer", chain, err);
	if (r == 0)
		r = add_image(store, &image, base_chain, chain, ref, err);
	img_settle_later(store, &settle);
	if (r == 0)
		memcpy(ret_id, image.id, 65);
	return r;
}

/* The packed layer becomes the layer of the new image: what others will unpack is what is used here. */
static int unpack_blob(const struct img_work *work, int blob, const struct img_stream_sum *sum,
		       uint64_t *ret_size, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	int r = img_stream_open_range(blob, 0, sum->blob_size, -EBADF, &s, err);

	if (r < 0)
		return r;
	img_stream_no_digests(s);
	return img_work_unpack(work, "layer", s, IMG_LAYER_CHANGES, ret_size, err);
}

static int commit_in(struct img_store *store, const struct img_work *work,
		     const struct img_image *base, int upper, const struct img_tree_opts *opts,
		     const struct img_edit *edit, const struct img_reference *ref, char *ret_id,
		     struct err *err)
{
	struct img_stream_sum sum;
	uint64_t size = 0;
	int r;

	_cleanup_close_ int blob = openat(work->dir, "blob", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
					  0600);
	if (blob < 0)
		return err_set(err, -errno, "create a file in the store");
	r = img_layer_pack(upper, opts, blob, work->meter, &sum, err);
	if (r == 0)
		r = unpack_blob(work, blob, &sum, &size, err);
	return r < 0 ? r : img_make(store, work, base, &sum, size, edit, ref, ret_id, err);
}

int img_commit(struct img_store *store, const struct img_image *base, int upper, uint32_t id_start,
	       uint32_t id_size, const struct img_edit *edit, const struct img_reference *ref,
	       char *ret_id, struct err *err)
{
	const struct img_tree_opts opts = { .prefix = "", .flags = IMG_TREE_CHANGES,
					    .id_start = id_start, .id_size = id_size };
	struct img_work work;
	int r = img_work_begin(store, &work, err);

	if (r < 0)
		return r;
	r = commit_in(store, &work, base, upper, &opts, edit, ref, ret_id, err);
	img_work_end(&work);
	return r;
}
