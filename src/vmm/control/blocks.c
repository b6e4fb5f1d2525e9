/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands about disks and the files behind them
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/blk.h"
#include "vmm/dev/virtio/virtio.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/parts.h"

/* What a description of a file may say.  How it is cached and written is for us to say: what is asked for is not refused. */
#define NODE_MEMBERS "node-name driver *file *filename *read-only *auto-read-only *cache *discard *detect-zeroes *aio *locking"
#define NESTED_MAX 4 /* how deep descriptions of files are in each other: format over protocol */

/* The file of "filename", opened or sent along. */
static int open_file(struct machine *m, const char *path, bool readonly, struct err *err)
{
	struct part *sent = parts_find(machine_parts(m), PART_FD, path);
	int r = sent != NULL ? 0 : machine_may_open(m, err), fd;

	if (r < 0)
		return r;
	fd = sent != NULL ? fcntl(sent->fd, F_DUPFD_CLOEXEC, 0) : open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);

	return fd < 0 ? err_set(err, -errno, "blockdev-add: open '%s'", path) : fd;
}

static int add_node(const struct qmp_call *c)
{
	const char *name, *driver, *path;
	const struct json *at;
	struct part *part;
	bool readonly;
	int r = qmp_need(c, "node-name", &name);

	for (at = c->args; r == 0 && at != NULL; at = json_get_object(c->in, at, "file"))
		r = qmp_only(at, NODE_MEMBERS, c->err);
	if (r < 0)
		return r;
	at = c->args;
	readonly = json_get_bool(c->in, c->args, "read-only", false);
	for (int i = 0; i < NESTED_MAX && json_get(c->in, at, "filename") == NULL && json_get(c->in, at, "file") != NULL; i++) {
		driver = json_get_str(c->in, at, "driver");
		if (driver != NULL && strcmp(driver, "raw") != 0)
			return err_msg(c->err, -EINVAL, "blockdev-add: driver '%s' is not known; there are raw and file", driver);
		at = json_get_object(c->in, at, "file");
		if (at == NULL)
			return err_msg(c->err, -EINVAL, "blockdev-add: 'file' is not an object");
	}
	driver = json_get_str(c->in, at, "driver");
	path = json_get_str(c->in, at, "filename");
	if (path == NULL || (driver != NULL && strcmp(driver, "file") != 0 && strcmp(driver, "host_device") != 0))
		return err_msg(c->err, -EINVAL, "blockdev-add: no 'filename' of a file or host_device");
	if (qmp_read(c) < 0)
		return qmp_read(c);
	part = parts_add(machine_parts(c->m), PART_FILE, name, c->err);
	if (part == NULL)
		return -EINVAL;
	part->fd = open_file(c->m, path, readonly, c->err);
	part->path = strdup(path);
	part->readonly = readonly;
	if (part->fd < 0 || part->path == NULL) {
		r = part->fd < 0 ? part->fd : err_set(c->err, -ENOMEM, "blockdev-add");
		parts_remove(machine_parts(c->m), part);
		return r;
	}
	return 0;
}
QMP_COMMAND(blockdev_add, "blockdev-add", NODE_MEMBERS, add_node);

static int del_node(const struct qmp_call *c)
{
	struct part *part;
	const char *name;
	int r = qmp_need(c, "node-name", &name);

	if (r < 0)
		return r;
	part = parts_find(machine_parts(c->m), PART_FILE, name);
	if (part == NULL)
		return err_msg(c->err, -ENOENT, "blockdev-del: there is no node '%s'", name);
	if (part->device[0] != '\0')
		return err_msg(c->err, -EBUSY, "Node '%s' is in use by device '%s'", name, part->device);
	parts_remove(machine_parts(c->m), part);
	return 0;
}
QMP_COMMAND(blockdev_del, "blockdev-del", "node-name", del_node);

static void add_path(struct str *ret, const char *id)
{
	char path[DEV_ID_MAX + sizeof(QMP_PERIPHERAL)];

	(void) snprintf(path, sizeof(path), QMP_PERIPHERAL "%s", id);
	json_text(ret, "qdev", path);
}

/* The file of a disk that somebody brought; NULL for one that was there from the start. */
static const struct part *brought(struct machine *m, const char *id)
{
	const struct part *p = machine_parts(m)->first;

	while (p != NULL && (p->kind != PART_FILE || strcmp(p->device, id) != 0))
		p = p->next;
	return p;
}

/* What the file of a disk is called: as who brought it said, else as the disk. */
static const char *node_of(struct machine *m, const char *id)
{
	const struct part *p = brought(m, id);

	return p != NULL ? p->name : id;
}

/* An array with an object for each disk, which @one completes. */
static void list_disks(struct machine *m, struct str *ret,
		       void (*one)(struct str *ret, const char *node, const struct blk_info *info))
{
	struct blk_info info;

	json_open(ret, NULL, '[');
	for (const struct dev *d = machine_vm(m)->devs; d != NULL; d = d->next) {
		if (blk_query(vio_of(d), &info) < 0)
			continue;
		json_open(ret, NULL, '{');
		json_text(ret, "device", d->id);
		add_path(ret, d->id);
		one(ret, node_of(m, d->id), &info);
		json_close(ret, '}');
	}
	json_close(ret, ']');
}

/* Whatever limits there might be, there are none. */
static void add_limits(struct str *ret)
{
	static const char *const none[] = { "backing_file_depth", "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr", "write_threshold" };

	for (unsigned i = 0; i < ARRAY_LEN(none); i++)
		json_uint(ret, none[i], 0);
	json_text(ret, "detect_zeroes", "off");
	json_open(ret, "cache", '{');
	json_flag(ret, "writeback", true);
	json_flag(ret, "direct", false);
	json_flag(ret, "no-flush", false);
	json_close(ret, '}');
}

/* An object, or member @key of one: the file of a disk, or of one to be. */
static void add_file(struct str *ret, const char *key, const char *node, const char *path, bool readonly, uint64_t bytes)
{
	json_open(ret, key, '{');
	json_text(ret, "file", path);
	json_text(ret, "node-name", node);
	json_text(ret, "drv", "raw");
	json_flag(ret, "ro", readonly);
	json_flag(ret, "encrypted", false);
	add_limits(ret);
	json_open(ret, "image", '{');
	json_text(ret, "filename", path);
	json_text(ret, "format", "raw");
	json_uint(ret, "virtual-size", bytes);
	json_close(ret, '}');
	json_close(ret, '}');
}

static void add_block(struct str *ret, const char *node, const struct blk_info *info)
{
	json_text(ret, "type", "unknown");
	json_flag(ret, "removable", false);
	json_flag(ret, "locked", false);
	json_text(ret, "io-status", "ok");
	add_file(ret, "inserted", node, info->name, info->readonly, info->bytes);
}

static int query_block(const struct qmp_call *c)
{
	list_disks(c->m, c->ret, add_block);
	return 0;
}
QMP_COMMAND(block, "query-block", "", query_block);

static void add_kind(struct str *ret, const char *prefix, const char *bytes, const struct blk_count *n)
{
	static const char *const suffix[] = { "operations", "total_time_ns", "merged" };
	const uint64_t value[] = { n->requests, n->ns, 0 };
	char key[40];

	for (unsigned i = 0; i < ARRAY_LEN(suffix); i++) {
		if (bytes == NULL && i == 2)
			continue; /* flushes are not merged anywhere */
		(void) snprintf(key, sizeof(key), "%s_%s", prefix, suffix[i]);
		json_uint(ret, key, value[i]);
	}
	if (bytes != NULL)
		json_uint(ret, bytes, n->bytes);
	(void) snprintf(key, sizeof(key), "failed_%s_operations", prefix);
	json_uint(ret, key, n->failures);
	(void) snprintf(key, sizeof(key), "invalid_%s_operations", prefix);
	json_uint(ret, key, n->invalid);
}

static void add_stats(struct str *ret, const char *node, const struct blk_info *info)
{
	json_text(ret, "node-name", node);
	json_open(ret, "stats", '{');
	add_kind(ret, "rd", "rd_bytes", &info->count[BLK_READS]);
	add_kind(ret, "wr", "wr_bytes", &info->count[BLK_WRITES]);
	add_kind(ret, "unmap", "unmap_bytes", &info->count[BLK_UNMAPS]);
	add_kind(ret, "flush", NULL, &info->count[BLK_FLUSHES]);
	json_uint(ret, "wr_highest_offset", info->highest);
	json_flag(ret, "account_invalid", true);
	json_flag(ret, "account_failed", true);
	json_open(ret, "timed_stats", '[');
	json_close(ret, ']');
	json_close(ret, '}');
}

static int query_stats(const struct qmp_call *c)
{
	list_disks(c->m, c->ret, add_stats);
	return 0;
}
QMP_COMMAND(blockstats, "query-blockstats", "*query-nodes", query_stats);

static int query_nodes(const struct qmp_call *c)
{
	struct blk_info info;

	json_open(c->ret, NULL, '[');
	for (const struct dev *d = machine_vm(c->m)->devs; d != NULL; d = d->next)
		if (blk_query(vio_of(d), &info) == 0 && brought(c->m, d->id) == NULL)
			add_file(c->ret, NULL, d->id, info.name, info.readonly, info.bytes);
	for (const struct part *p = machine_parts(c->m)->first; p != NULL; p = p->next) {
		off_t size = p->kind == PART_FILE ? lseek(p->fd, 0, SEEK_END) : -1;

		if (size >= 0)
			add_file(c->ret, NULL, p->name, p->path, p->readonly, (uint64_t) size);
	}
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(nodes, "query-named-block-nodes", "*flat", query_nodes);

static int resize(const struct qmp_call *c)
{
	const char *id = json_get_str(c->in, c->args, "device"), *node = json_get_str(c->in, c->args, "node-name");
	const struct part *part = node != NULL ? parts_find(machine_parts(c->m), PART_FILE, node) : NULL;
	const struct dev *d;
	uint64_t size;

	if (id == NULL)
		id = part != NULL ? part->device : node;
	d = id != NULL ? dev_find(machine_vm(c->m), id) : NULL;
	if (d == NULL || blk_query(vio_of(d), &(struct blk_info) { 0 }) < 0)
		return qmp_no_device(c, id != NULL ? id : "");
	if (!json_get_u64(c->in, c->args, "size", INT64_MAX, &size))
		return qmp_read(c) < 0 ? qmp_read(c) : err_msg(c->err, -EINVAL, "block_resize: 'size' is missing");
	return blk_resize(vio_of(d), size, c->err);
}
QMP_COMMAND(block_resize, "block_resize", "*device *node-name size", resize);
