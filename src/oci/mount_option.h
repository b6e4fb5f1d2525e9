/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_mount;

#define OCI_MOUNT_PROPAGATIONS_MAX 4

/**
 * struct oci_mount_opts - the options of one mount, sorted by what they act on
 * @flags: MS_* that were asked for
 * @cleared: MS_* that were explicitly taken away ("rw", "dev", ...)
 * @propagation: MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC, in order
 * @rec_set: MOUNT_ATTR_* to set on the whole tree
 * @rec_clr: MOUNT_ATTR_* to clear on the whole tree
 * @idmap: id-mapped: "idmap", "ridmap", "idmap=..." or mappings in the configuration
 * @idmap_rec: "ridmap"
 * @idmap_text: borrows; what follows "idmap=" or "ridmap=", NULL without
 * @has_data: some option is none of ours and meant for the file system
 */
struct oci_mount_opts {
	unsigned long flags, cleared;
	unsigned long propagation[OCI_MOUNT_PROPAGATIONS_MAX];
	size_t nr_propagation;
	uint64_t rec_set, rec_clr;
	bool idmap, idmap_rec;
	const char *idmap_text;
	bool copyup, copy_symlink, src_nofollow, dest_nofollow;
	bool has_data;
};

/**
 * oci_mount_opts_parse() - sort the options of a mount
 * @m: borrows
 * @ret: filled; strings point into @m
 *
 * Later options win over earlier ones.  A mount of type "bind" is one with the option "bind".
 * Context: allocates nothing.
 * Return: 0; -EINVAL with a message: options that exclude each other.
 */
int oci_mount_opts_parse(const struct oci_mount *m, struct oci_mount_opts *ret, struct err *err);

/** oci_mount_opt_is_data() - true when @option is for the file system, not for the mount */
bool oci_mount_opt_is_data(const char *option);

/** oci_mount_opt_name() - name of the @i-th option that is known, NULL behind the last */
const char *oci_mount_opt_name(size_t i);

/** oci_mount_attrs() - MOUNT_ATTR_* of a new mount with these MS_* @flags */
uint64_t oci_mount_attrs(unsigned long flags);
