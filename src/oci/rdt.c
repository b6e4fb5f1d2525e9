/* SPDX-License-Identifier: MIT */
/**
 * DOC: Intel RDT
 *
 * A group is a directory of the resctrl file system, named closID ("/" is the root itself) or else
 * like the container.  A group named by closID may be shared and is never removed; without any schema
 * it must exist already, and if it exists the schemata asked for must be those it has.  Monitoring
 * adds a directory named like the container below it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/process.h"
#include "oci/process_parts.h"
#include "oci/spec.h"
#include "sys/mnt.h"

#define DEFAULT_MOUNT "/sys/fs/resctrl"
#define RESCTRL_MAGIC 0x7655821
#define STATUS_MAX 4096 /* bytes of last_cmd_status */
#define SCHEMATA_MAX 65536 /* bytes of a schemata file */

/* Mount point in a line of mountinfo.  Return: points into @line; NULL another file system. */
static char *mount_point(char *line)
{
	char *p = line, *sep = strstr(line, " - ");

	if (sep == NULL || !str_starts(sep + 3, "resctrl "))
		return NULL;
	*sep = '\0';
	for (int field = 0; field < 4; field++) {
		p = strchr(p, ' ');
		if (p == NULL)
			return NULL;
		p++;
	}
	p[strcspn(p, " ")] = '\0';
	mnt_unescape(p);
	return p;
}

static int find_mount(char **ret)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *line, *rest, *found = NULL;
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", MNT_INFO_MAX, &text);

	if (r < 0)
		return r;
	for (rest = text.p; found == NULL && (line = strsep(&rest, "\n")) != NULL;)
		found = mount_point(line);
	if (found == NULL)
		return -ENOENT;
	*ret = strdup(found);
	return *ret != NULL ? 0 : -ENOMEM;
}

/* Return: descriptor of the file system's root; -errno with a message. */
static int open_root(struct err *err)
{
	_cleanup_free_ char *path = NULL;
	struct statfs st;
	int fd, r = -ENOENT;

	if (statfs(DEFAULT_MOUNT, &st) == 0) {
		if (st.f_type == RESCTRL_MAGIC)
			path = strdup(DEFAULT_MOUNT);
		else
			r = find_mount(&path);
	}
	if (path == NULL)
		return err_msg(err, r == -ENOENT ? -ENOTSUP : r,
			       "intelRdt is specified in config, but Intel RDT is not enabled");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open '%s'", path) : fd;
}

/* Add what the kernel says about the last failure. */
static int fail(int root, int r, struct err *err, const char *what)
{
	_cleanup_(str_fini) struct str status = { 0 };

	if (file_read(root, "info/last_cmd_status", STATUS_MAX, &status) < 0 || status.p == NULL)
		return err_set(err, r, "intelrdt: %s", what);
	status.p[strcspn(status.p, "\n")] = '\0';
	return err_msg(err, r, "intelrdt: %s: %s, last_cmd_status: %s", what, strerror(-r), status.p);
}

static bool has_clos(const struct oci_intel_rdt *rdt)
{
	return rdt->clos_id != NULL && *rdt->clos_id != '\0';
}

/* Name of the group below the root.  Return: borrowed; NULL when it is not a plain directory name. */
static const char *group_name(const struct oci_intel_rdt *rdt, const char *id)
{
	const char *name = has_clos(rdt) ? rdt->clos_id : id;

	if (strcmp(name, "/") == 0)
		return ".";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/') != NULL ||
	    strlen(name) > NAME_MAX)
		return NULL;
	return name;
}

static void add_line(struct str *s, const char *line)
{
	if (line != NULL && *line != '\0') {
		str_puts(s, line);
		str_puts(s, "\n");
	}
}

/* Return: descriptor; -errno. */
static int make_group(int dir, const char *name, bool *ret_made)
{
	int fd;

	*ret_made = mkdirat(dir, name, 0755) == 0;
	if (!*ret_made && errno != EEXIST)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Number of bytes of @s before one of @ends, without spaces and zeros in front. */
static size_t value_len(const char **s, const char *ends)
{
	*s += strspn(*s, " \t");
	while (**s == '0' && strchr(ends, (*s)[1]) == NULL)
		(*s)++;
	return strcspn(*s, ends);
}

/* The value of cache @id in "0=ff;1=f". */
static bool has_pair(const char *list, const char *id, size_t id_len, const char *value, size_t value_n)
{
	while (*list != '\0' && *list != '\n') {
		size_t n = value_len(&list, "=;\n");
		bool same = n == id_len && strncmp(list, id, n) == 0;

		list += n;
		if (*list == '=') {
			list++;
			n = value_len(&list, ";\n");
			if (same)
				return n == value_n && strncasecmp(list, value, n) == 0;
			list += n;
		}
		list += *list == ';';
	}
	return false;
}

bool oci_rdt_matches(const char *have, const char *want)
{
	size_t name_len = strcspn(want, ":");
	const char *p = want + name_len;

	while (*have != '\0') {
		have += strspn(have, " \t");
		if (strncmp(have, want, name_len) == 0 && have[name_len] == ':')
			break;
		have += strcspn(have, "\n");
		have += *have == '\n';
	}
	if (*have == '\0' || *p != ':')
		return false;
	for (p++; *p != '\0' && *p != '\n'; p += *p == ';') {
		size_t id_len = value_len(&p, "=;\n");
		const char *id = p;

		p += id_len;
		if (*p != '=')
			return false;
		p++;
		size_t n = value_len(&p, ";\n");
		if (!has_pair(have + name_len + 1, id, id_len, p, n))
			return false;
		p += n;
	}
	return true;
}

/* A group that was there before has what @schemata asks for.  Return: 0; -errno with a message. */
static int check_schemata(int group, const char *schemata, struct err *err)
{
	_cleanup_(str_fini) struct str have = { 0 };
	int r = file_read(group, "schemata", SCHEMATA_MAX, &have);

	if (r < 0)
		return err_set(err, r, "read schemata of resctrl group");
	for (const char *line = schemata; *line != '\0'; line += strcspn(line, "\n") + 1)
		if (!oci_rdt_matches(have.p != NULL ? have.p : "", line))
			return err_msg(err, -EINVAL, "intelRdt: the existing group does not have the "
						     "schema '%.*s'", (int) strcspn(line, "\n"), line);
	return 0;
}

static int add_task(int dir, int pid)
{
	char text[16];

	(void) snprintf(text, sizeof(text), "%d", pid);
	return file_write(dir, "tasks", text);
}

static int monitor(int root, int group, const char *id, int pid, struct err *err)
{
	_cleanup_close_ int all = openat(group, "mon_groups", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool made;
	_cleanup_close_ int own = all < 0 ? -errno : make_group(all, id, &made);
	int r = own < 0 ? own : add_task(own, pid);

	return r < 0 ? fail(root, r, err, "unable to create monitoring group") : 0;
}

/* Root, group name and schemata of a container with intelRdt. */
struct rdt {
	int root;
	const char *name;
	struct str schemata;
};

static void rdt_fini(struct rdt *r)
{
	cleanup_closep(&r->root);
	str_fini(&r->schemata);
}

static int rdt_init(struct rdt *ret, const struct oci_intel_rdt *rdt, const char *id, struct err *err)
{
	ret->name = group_name(rdt, id);
	if (ret->name == NULL)
		return err_msg(err, -EINVAL, "linux.intelRdt.closID '%s' is not a directory name",
			       has_clos(rdt) ? rdt->clos_id : id);
	add_line(&ret->schemata, rdt->l3_cache_schema);
	add_line(&ret->schemata, rdt->mem_bw_schema);
	for (size_t i = 0; i < rdt->schemata.n; i++)
		add_line(&ret->schemata, rdt->schemata.v[i]);
	if (ret->schemata.failed)
		return -ENOMEM;
	ret->root = open_root(err);
	return ret->root < 0 ? ret->root : 0;
}

static int write_schemata(const struct rdt *r, int group, struct err *err)
{
	int q = r->schemata.len > 0 ? file_write(group, "schemata", r->schemata.p) : 0;

	return q < 0 ? fail(r->root, q, err, "unable to write schemata") : 0;
}

static int join(const struct rdt *r, int group, const struct oci_intel_rdt *rdt, const char *id, int pid,
		struct err *err)
{
	int q = add_task(group, pid);

	if (q < 0)
		return fail(r->root, q, err, "unable to add the process");
	return rdt->enable_monitoring ? monitor(r->root, group, id, pid, err) : 0;
}

int oci_rdt_apply(const struct oci_spec *spec, const char *id, int pid, struct err *err)
{
	const struct oci_intel_rdt *rdt = spec->linux.intel_rdt;
	_cleanup_(rdt_fini) struct rdt r = { .root = -EBADF };
	bool made;
	int q;

	if (rdt == NULL)
		return 0;
	q = rdt_init(&r, rdt, id, err);
	if (q < 0)
		return q;
	if (has_clos(rdt) && r.schemata.len == 0 && faccessat(r.root, r.name, F_OK, 0) < 0)
		return err_set(err, -errno, "clos dir not accessible (must be pre-created when "
					    "schemata, l3CacheSchema and memBwSchema are empty)");

	_cleanup_close_ int group = make_group(r.root, r.name, &made);
	if (group < 0)
		return fail(r.root, group, err, "unable to create group");
	if (r.schemata.len > 0 && !made && has_clos(rdt))
		q = check_schemata(group, r.schemata.p, err);
	else
		q = write_schemata(&r, group, err);
	if (q < 0)
		return q;
	return join(&r, group, rdt, id, pid, err);
}

/* The group of a container that runs.  Return: descriptor; -errno with a message. */
static int open_group(struct rdt *ret, const struct oci_intel_rdt *rdt, const char *id, struct err *err)
{
	int r = rdt_init(ret, rdt, id, err), fd;

	if (r < 0)
		return r;
	fd = openat(ret->root, ret->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "intelrdt: open group '%s'", ret->name) : fd;
}

int oci_rdt_join(const struct oci_spec *spec, const char *id, int pid, struct err *err)
{
	const struct oci_intel_rdt *rdt = spec->linux.intel_rdt;
	_cleanup_(rdt_fini) struct rdt r = { .root = -EBADF };

	if (rdt == NULL)
		return 0;

	_cleanup_close_ int group = open_group(&r, rdt, id, err);
	return group < 0 ? group : join(&r, group, rdt, id, pid, err);
}

int oci_rdt_update(const struct oci_spec *spec, const char *id, struct err *err)
{
	const struct oci_intel_rdt *rdt = spec->linux.intel_rdt;
	_cleanup_(rdt_fini) struct rdt r = { .root = -EBADF };

	if (rdt == NULL)
		return 0;

	_cleanup_close_ int group = open_group(&r, rdt, id, err);
	return group < 0 ? group : write_schemata(&r, group, err);
}

int oci_rdt_remove(const struct oci_spec *spec, const char *id, struct err *err)
{
	const struct oci_intel_rdt *rdt = spec->linux.intel_rdt;
	const char *name = rdt != NULL ? group_name(rdt, id) : NULL;
	_cleanup_(str_fini) struct str path = { 0 };

	if (name == NULL || (has_clos(rdt) && !rdt->enable_monitoring))
		return 0;

	_cleanup_close_ int root = open_root(err);
	if (root == -ENOTSUP)
		return 0; /* unmounted meanwhile: the groups went with it */
	if (root < 0)
		return root;
	str_puts(&path, name);
	if (has_clos(rdt)) {
		str_puts(&path, "/mon_groups/");
		str_puts(&path, id);
	}
	if (path.failed)
		return -ENOMEM;
	if (unlinkat(root, path.p, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, -errno, "remove resctrl group '%s'", path.p);
	return 0;
}
