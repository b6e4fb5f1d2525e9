/* SPDX-License-Identifier: MIT */
/**
 * DOC: mount options
 *
 * One table, sorted by name for a binary search, tells what every option does.  Whatever is not in
 * it is data for the file system.  Access time flags are an enumeration in the kernel with hairy
 * defaults; oci_mount_attrs() has the same as mount(2): relatime unless told otherwise, strictatime
 * wins over noatime.
 */
#include "oci/mount_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/spec.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

#define IDMAP_PREFIX  "idmap="
#define RIDMAP_PREFIX "ridmap="

enum option_kind {
	KIND_SET,   /* MS_* set */
	KIND_CLEAR, /* MS_* cleared */
	KIND_PROPAGATION,
	KIND_REC_SET, /* MOUNT_ATTR_* set recursively */
	KIND_REC_CLEAR,
	KIND_EXTRA, /* something of ours */
};

enum option_extra {
	EXTRA_COPYUP,
	EXTRA_COPY_SYMLINK,
	EXTRA_SRC,
	EXTRA_DEST,
	EXTRA_IDMAP,
	EXTRA_RIDMAP
};

struct option {
	const char *name;
	enum option_kind kind;
	unsigned long value;
};

/* sorted as strcmp() does */
static const struct option options[] = {
	{ "async", KIND_CLEAR, MS_SYNCHRONOUS },
	{ "atime", KIND_CLEAR, MS_NOATIME },
	{ "bind", KIND_SET, MS_BIND },
	{ "copy-symlink", KIND_EXTRA, EXTRA_COPY_SYMLINK },
	{ "defaults", KIND_SET, 0 },
	{ "dest-nofollow", KIND_EXTRA, EXTRA_DEST },
	{ "dev", KIND_CLEAR, MS_NODEV },
	{ "diratime", KIND_CLEAR, MS_NODIRATIME },
	{ "dirsync", KIND_SET, MS_DIRSYNC },
	{ "exec", KIND_CLEAR, MS_NOEXEC },
	{ "idmap", KIND_EXTRA, EXTRA_IDMAP },
	{ "iversion", KIND_SET, MS_I_VERSION },
	{ "lazytime", KIND_SET, MS_LAZYTIME },
	{ "loud", KIND_CLEAR, MS_SILENT },
	{ "mand", KIND_SET, MS_MANDLOCK },
	{ "noatime", KIND_SET, MS_NOATIME },
	{ "nodev", KIND_SET, MS_NODEV },
	{ "nodiratime", KIND_SET, MS_NODIRATIME },
	{ "noexec", KIND_SET, MS_NOEXEC },
	{ "noiversion", KIND_CLEAR, MS_I_VERSION },
	{ "nolazytime", KIND_CLEAR, MS_LAZYTIME },
	{ "nomand", KIND_CLEAR, MS_MANDLOCK },
	{ "norelatime", KIND_CLEAR, MS_RELATIME },
	{ "nostrictatime", KIND_CLEAR, MS_STRICTATIME },
	{ "nosuid", KIND_SET, MS_NOSUID },
	{ "nosymfollow", KIND_SET, MS_NOSYMFOLLOW },
	{ "private", KIND_PROPAGATION, MS_PRIVATE },
	{ "ratime", KIND_REC_CLEAR, MOUNT_ATTR_NOATIME },
	{ "rbind", KIND_SET, MS_BIND | MS_REC },
	{ "rdev", KIND_REC_CLEAR, MOUNT_ATTR_NODEV },
	{ "rdiratime", KIND_REC_CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "relatime", KIND_SET, MS_RELATIME },
	{ "remount", KIND_SET, MS_REMOUNT },
	{ "rexec", KIND_REC_CLEAR, MOUNT_ATTR_NOEXEC },
	{ "ridmap", KIND_EXTRA, EXTRA_RIDMAP },
	{ "rnoatime", KIND_REC_SET, MOUNT_ATTR_NOATIME },
	{ "rnodev", KIND_REC_SET, MOUNT_ATTR_NODEV },
	{ "rnodiratime", KIND_REC_SET, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", KIND_REC_SET, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime", KIND_REC_CLEAR, MOUNT_ATTR_RELATIME },
	{ "rnostrictatime", KIND_REC_CLEAR, MOUNT_ATTR_STRICTATIME },
	{ "rnosuid", KIND_REC_SET, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow", KIND_REC_SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro", KIND_SET, MS_RDONLY },
	{ "rprivate", KIND_PROPAGATION, MS_PRIVATE | MS_REC },
	{ "rrelatime", KIND_REC_SET, MOUNT_ATTR_RELATIME },
	{ "rro", KIND_REC_SET, MOUNT_ATTR_RDONLY },
	{ "rrw", KIND_REC_CLEAR, MOUNT_ATTR_RDONLY },
	{ "rshared", KIND_PROPAGATION, MS_SHARED | MS_REC },
	{ "rslave", KIND_PROPAGATION, MS_SLAVE | MS_REC },
	{ "rstrictatime", KIND_REC_SET, MOUNT_ATTR_STRICTATIME },
	{ "rsuid", KIND_REC_CLEAR, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", KIND_REC_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable", KIND_PROPAGATION, MS_UNBINDABLE | MS_REC },
	{ "rw", KIND_CLEAR, MS_RDONLY },
	{ "shared", KIND_PROPAGATION, MS_SHARED },
	{ "silent", KIND_SET, MS_SILENT },
	{ "slave", KIND_PROPAGATION, MS_SLAVE },
	{ "src-nofollow", KIND_EXTRA, EXTRA_SRC },
	{ "strictatime", KIND_SET, MS_STRICTATIME },
	{ "suid", KIND_CLEAR, MS_NOSUID },
	{ "symfollow", KIND_CLEAR, MS_NOSYMFOLLOW },
	{ "sync", KIND_SET, MS_SYNCHRONOUS },
	{ "tmpcopyup", KIND_EXTRA, EXTRA_COPYUP },
	{ "unbindable", KIND_PROPAGATION, MS_UNBINDABLE },
};

static int compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct option *) row)->name);
}

static const struct option *find(const char *name)
{
	return bsearch(name, options, ARRAY_LEN(options), sizeof(options[0]), compare);
}

bool oci_mount_opt_is_data(const char *option)
{
	return find(option) == NULL && !str_starts(option, IDMAP_PREFIX) &&
	       !str_starts(option, RIDMAP_PREFIX);
}

const char *oci_mount_opt_name(size_t i)
{
	return i < ARRAY_LEN(options) ? options[i].name : NULL;
}

uint64_t oci_mount_attrs(unsigned long flags)
{
	uint64_t attrs = 0;

	if (flags & MS_RDONLY)
		attrs |= MOUNT_ATTR_RDONLY;
	if (flags & MS_NOSUID)
		attrs |= MOUNT_ATTR_NOSUID;
	if (flags & MS_NODEV)
		attrs |= MOUNT_ATTR_NODEV;
	if (flags & MS_NOEXEC)
		attrs |= MOUNT_ATTR_NOEXEC;
	if (flags & MS_NOSYMFOLLOW)
		attrs |= MOUNT_ATTR_NOSYMFOLLOW;
	if (flags & MS_NODIRATIME)
		attrs |= MOUNT_ATTR_NODIRATIME;
	if (flags & MS_STRICTATIME)
		attrs |= MOUNT_ATTR_STRICTATIME;
	else if (flags & MS_NOATIME)
		attrs |= MOUNT_ATTR_NOATIME;
	return attrs;
}

static void apply_extra(struct oci_mount_opts *o, enum option_extra extra)
{
	switch (extra) {
	case EXTRA_COPYUP:
		o->copyup = true;
		break;
	case EXTRA_COPY_SYMLINK:
		o->copy_symlink = true;
		break;
	case EXTRA_SRC:
		o->src_nofollow = true;
		break;
	case EXTRA_DEST:
		o->dest_nofollow = true;
		break;
	case EXTRA_IDMAP:
		o->idmap = true;
		o->idmap_rec = false;
		break;
	case EXTRA_RIDMAP:
		o->idmap = true;
		o->idmap_rec = true;
		break;
	}
}

/* mount_setattr(2) wants the whole field cleared before one access time mode is set */
static void apply_recursive(struct oci_mount_opts *o, uint64_t attr, bool set)
{
	if (set) {
		o->rec_set |= attr;
		o->rec_clr &= ~attr;
	} else {
		o->rec_clr |= attr;
		o->rec_set &= ~attr;
	}
	if ((attr & MOUNT_ATTR__ATIME) == attr) {
		o->rec_clr |= MOUNT_ATTR__ATIME;
		if (set)
			o->rec_set = (o->rec_set & ~(uint64_t) MOUNT_ATTR__ATIME) | attr;
	}
}

static int apply(struct oci_mount_opts *o, const struct option *row)
{
	switch (row->kind) {
	case KIND_SET:
		o->flags |= row->value;
		o->cleared &= ~row->value;
		break;
	case KIND_CLEAR:
		o->flags &= ~row->value;
		o->cleared |= row->value;
		break;
	case KIND_PROPAGATION:
		if (o->nr_propagation == ARRAY_LEN(o->propagation))
			return -E2BIG;
		o->propagation[o->nr_propagation++] = row->value;
		break;
	case KIND_REC_SET:
	case KIND_REC_CLEAR:
		apply_recursive(o, row->value, row->kind == KIND_REC_SET);
		break;
	case KIND_EXTRA:
		apply_extra(o, (enum option_extra) row->value);
		break;
	}
	return 0;
}

static int check(const struct oci_mount *m, const struct oci_mount_opts *o, struct err *err)
{
	bool bind = o->flags & MS_BIND;

	if (bind && o->has_data)
		log_warning("mount '%s': a bind mount takes no options of a file system, ignoring them",
			    m->destination);
	if (o->idmap && !bind)
		return err_msg(err, -EINVAL,
			       "invalid mount \"%s\": id-mapped mounts are only supported "
			       "for bind-mounts",
			       m->destination);
	if ((m->uid_mappings.n == 0) != (m->gid_mappings.n == 0))
		return err_msg(err, -EINVAL,
			       "invalid mount \"%s\": id-mapped mounts must have both uid "
			       "and gid mappings specified",
			       m->destination);
	if (o->copy_symlink && (o->src_nofollow || o->dest_nofollow))
		return err_msg(err, -EINVAL,
			       "invalid mount \"%s\": copy-symlink excludes src-nofollow "
			       "and dest-nofollow",
			       m->destination);
	if (o->copyup && !str_eq(m->type, "tmpfs"))
		return err_msg(err, -EINVAL,
			       "invalid mount \"%s\": tmpcopyup is for the type tmpfs",
			       m->destination);
	return 0;
}

int oci_mount_opts_parse(const struct oci_mount *m, struct oci_mount_opts *ret, struct err *err)
{
	struct oci_mount_opts o = { 0 };

	for (size_t i = 0; i < m->options.n; i++) {
		const char *name = m->options.v[i];
		const struct option *row = find(name);

		if (row != NULL) {
			if (apply(&o, row) < 0)
				return err_msg(err, -EINVAL,
					       "invalid mount \"%s\": more than %d propagation "
					       "options",
					       m->destination, OCI_MOUNT_PROPAGATIONS_MAX);
		} else if (str_starts(name, IDMAP_PREFIX)) {
			apply_extra(&o, EXTRA_IDMAP);
			o.idmap_text = name + strlen(IDMAP_PREFIX);
		} else if (str_starts(name, RIDMAP_PREFIX)) {
			apply_extra(&o, EXTRA_RIDMAP);
			o.idmap_text = name + strlen(RIDMAP_PREFIX);
		} else {
			o.has_data = o.has_data || *name != '\0';
		}
	}
	if (str_eq(m->type, "bind"))
		o.flags |= MS_BIND;
	if (m->uid_mappings.n != 0 || m->gid_mappings.n != 0)
		o.idmap = true;
	*ret = o;
	return check(m, ret, err);
}
