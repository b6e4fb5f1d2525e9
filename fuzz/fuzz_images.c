/* SPDX-License-Identifier: MIT */
/**
 * DOC: archives of images
 *
 * The input is an archive as `load` gets it, compressed or not; one that is none is read as its JSON.  Whatever is
 * refused is refused with a reason, and nothing is read from outside of the archive.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "fuzz.h"
#include "image/archive.h"
#include "image/config.h"
#include "image/edit.h"
#include "image/manifest.h"
#include "image/store.h"

static void check(int r, const struct err *err)
{
	if (r < 0 && r != -ENOMEM && err->text[0] == '\0')
		abort(); /* a failure without a reason */
}

static void parse(const char *text, size_t len)
{
	static const char *const changes[] = { "ENV A=${PATH:-x}", "LABEL a=b", "CMD x" };
	const struct img_edit edit = { .changes = changes, .nr_changes = ARRAY_LEN(changes) };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str out = { 0 };
	_cleanup_(img_config_fini) struct img_config config = { 0 };
	struct img_saved *saved = NULL;
	struct img_manifest m;
	struct img_index index;
	struct err err[5] = { 0 };
	int r = img_manifest_parse("manifest", &arena, text, len, &m, &err[0]);

	check(r, &err[0]);
	if (r == 0)
		img_manifest_format(&m.config, m.layers, m.nr_layers, &out);
	if (r == 0 && img_manifest_parse("written", &arena, out.p, out.len, &m, NULL) < 0)
		abort(); /* what was read can be written */
	check(img_index_parse("index", &arena, text, len, &index, &err[1]), &err[1]);
	check(img_saved_parse(&arena, text, len, &saved, &err[2]), &err[2]);
	check(img_config_parse("config", text, len, &config, &err[3]), &err[3]);
	str_fini(&out);
	check(img_edit_config(text, len, &edit, "sha256:0", &out, &err[4]), &err[4]);
}

static void read_archive(const struct img_archive *a)
{
	static const char *const names[] = { "manifest.json", "index.json", "oci-layout", "c.json",
					     "../x" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_(str_fini) struct str text = { 0 };
		struct err err = { 0 };
		int r = img_archive_text(a, names[i], &text, &err);

		check(r, &err);
		if (r == 0)
			parse(text.p != NULL ? text.p : "", text.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(img_archive_freep) struct img_archive *a = NULL;
	_cleanup_close_ int file = memfd_create("archive", MFD_CLOEXEC);
	char top[] = "/tmp/fuzz-images.XXXXXX";
	struct img_work work = { .lock = -EBADF };
	struct err err = { 0 };
	int r;

	if (file < 0 || fd_write_full(file, data, size) < 0 || lseek(file, 0, SEEK_SET) < 0 ||
	    mkdtemp(top) == NULL)
		abort();
	work.dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (work.dir < 0)
		abort();
	r = img_archive_open(file, &work, &a, &err);
	check(r, &err);
	if (r == 0)
		read_archive(a);
	else
		parse((const char *) data, size);
	(void) close(work.dir);
	if (dir_remove(AT_FDCWD, top) < 0)
		abort();
	return 0;
}
