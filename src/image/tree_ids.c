/* SPDX-License-Identifier: MIT */
/**
 * DOC: owners in attributes
 *
 * Access lists name users, and a capability that was set inside a user namespace names the root user it
 * belongs to. In an image all of them are numbers as the instance sees them.
 */
#include "image/tree_ids.h"

#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

#include "base/str.h"
#include "image/tree.h"

uint32_t img_tree_id(const struct img_tree_opts *o, uint32_t id)
{
	return id >= o->id_start && id - o->id_start < o->id_size ? id - o->id_start : id;
}

static void change_acl(const struct img_tree_opts *o, char *value, size_t len)
{
	struct posix_acl_xattr_entry e;

	for (size_t at = sizeof(struct posix_acl_xattr_header); at + sizeof(e) <= len;
	     at += sizeof(e)) {
		memcpy(&e, value + at, sizeof(e));
		if (le16toh(e.e_tag) != ACL_USER && le16toh(e.e_tag) != ACL_GROUP)
			continue;
		e.e_id = htole32(img_tree_id(o, le32toh(e.e_id)));
		memcpy(value + at, &e, sizeof(e));
	}
}

/* One that belongs to the instance's root user becomes one that belongs to no namespace. */
static size_t change_capability(const struct img_tree_opts *o, char *value, size_t len)
{
	struct vfs_ns_cap_data cap;
	uint32_t magic, root;

	if (len != XATTR_CAPS_SZ_3)
		return len;
	memcpy(&cap, value, sizeof(cap));
	magic = le32toh(cap.magic_etc);
	root = img_tree_id(o, le32toh(cap.rootid));
	if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3)
		return len;
	cap.rootid = htole32(root);
	if (root == 0)
		cap.magic_etc = htole32((magic & VFS_CAP_FLAGS_MASK) | VFS_CAP_REVISION_2);
	memcpy(value, &cap, sizeof(cap));
	return root == 0 ? XATTR_CAPS_SZ_2 : len;
}

size_t img_tree_xattr_ids(const struct img_tree_opts *o, const char *name, void *value, size_t len)
{
	if (o->id_size == 0)
		return len;
	if (str_starts(name, "system.posix_acl_"))
		change_acl(o, value, len);
	return strcmp(name, "security.capability") == 0 ? change_capability(o, value, len) : len;
}
