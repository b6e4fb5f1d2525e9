/* SPDX-License-Identifier: MIT */
#include "engine/info.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "sys/cg_layout.h"

#define SMALL_FILE_MAX 65536 /* bytes */
#define XFS_MAGIC 0x58465342 /* newer headers have it in linux/magic.h */
#define ZFS_MAGIC 0x2fc12fc1

static const char *filesystem_name(int fd)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} known[] = {
		{ EXT4_SUPER_MAGIC, "extfs" },	    { XFS_MAGIC, "xfs" },
		{ BTRFS_SUPER_MAGIC, "btrfs" },	    { TMPFS_MAGIC, "tmpfs" },
		{ OVERLAYFS_SUPER_MAGIC, "overlayfs" }, { ZFS_MAGIC, "zfs" },
	};
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return "<unknown>";
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].magic == (unsigned long) st.f_type)
			return known[i].name;
	return "<unknown>";
}

/* First line of a small file; "" when it cannot be read */
static const char *first_line(const char *path, struct arena *arena)
{
	_cleanup_(str_fini) struct str text = { 0 };
	const char *line = NULL;

	if (file_read(AT_FDCWD, path, SMALL_FILE_MAX, &text) == 0 && text.p != NULL)
		line = arena_strndup(arena, text.p, strcspn(text.p, "\n"));
	return line != NULL ? line : "";
}

/* Value of a line NAME="..." of os-release(5) */
static const char *release_value(const char *text, const char *name, struct arena *arena)
{
	size_t n = strlen(name);
	const char *value = NULL;

	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n')
		if (strncmp(p, name, n) == 0 && p[n] == '=') {
			const char *begin = p + n + 1;
			bool quoted = *begin == '"';

			begin += quoted;
			value = arena_strndup(arena, begin, strcspn(begin, quoted ? "\"\n" : "\n"));
		}
	return value != NULL ? value : "";
}

static void read_system(struct eng_info *info, struct arena *arena)
{
	_cleanup_(str_fini) struct str text = { 0 };

	if (file_read(AT_FDCWD, "/etc/os-release", SMALL_FILE_MAX, &text) < 0 || text.p == NULL)
		(void) file_read(AT_FDCWD, "/usr/lib/os-release", SMALL_FILE_MAX, &text);
	info->system = release_value(text.p != NULL ? text.p : "", "PRETTY_NAME", arena);
	info->system_version = release_value(text.p != NULL ? text.p : "", "VERSION_ID", arena);
	if (info->system[0] == '\0')
		info->system = "Linux";
	info->forwarding = first_line("/proc/sys/net/ipv4/ip_forward", arena)[0] == '1';
}

/* @v2: of the root; a controller may also be on a v1 hierarchy beside it */
static bool has_controller(const struct cg_layout *l, const char *v2, const char *v1_name,
			   const char *v2_name)
{
	size_t n = strlen(v2_name);

	for (size_t i = 0; i < l->nr_v1; i++)
		if (cg_hier_has(l->v1[i].controllers, v1_name))
			return true;
	for (const char *p = v2; *p != '\0'; p += strcspn(p, " "), p += strspn(p, " "))
		if (strcspn(p, " ") == n && strncmp(p, v2_name, n) == 0)
			return true;
	return false;
}

static void read_cgroups(struct eng_info *info, struct arena *arena)
{
	struct cg_layout l = { 0 };
	char path[4096];
	const char *v2 = "";

	if (cg_layout_read(&l) < 0)
		return;
	if (l.v2.mount != NULL &&
	    snprintf(path, sizeof(path), "%s/cgroup.controllers", l.v2.mount) < (int) sizeof(path))
		v2 = first_line(path, arena);
	info->cgroup_version = l.nr_v1 > 0 ? 1 : 2;
	info->memory = has_controller(&l, v2, "memory", "memory");
	info->cpu_quota = info->cpu_shares = has_controller(&l, v2, "cpu", "cpu");
	info->cpuset = has_controller(&l, v2, "cpuset", "cpuset");
	info->pids = has_controller(&l, v2, "pids", "pids");
	for (size_t i = 0; i < l.nr_v1; i++) {
		if (!cg_hier_has(l.v1[i].controllers, "memory"))
			continue;
		info->oom_kill_disable = true;
		info->swap = snprintf(path, sizeof(path), "%s/memory.memsw.limit_in_bytes",
				      l.v1[i].mount) < (int) sizeof(path) &&
			     access(path, F_OK) == 0;
	}
	if (!info->oom_kill_disable)
		info->swap = info->memory;
	cg_layout_fini(&l);
}

static void read_security(struct eng_info *info, bool rootless, struct arena *arena)
{
	info->security[info->nr_security++] = "name=seccomp,profile=builtin";
	if (first_line("/sys/module/apparmor/parameters/enabled", arena)[0] == 'Y')
		info->security[info->nr_security++] = "name=apparmor";
	if (access("/sys/fs/selinux/enforce", F_OK) == 0)
		info->security[info->nr_security++] = "name=selinux";
	if (rootless)
		info->security[info->nr_security++] = "name=rootless";
	if (access("/proc/self/ns/cgroup", F_OK) == 0)
		info->security[info->nr_security++] = "name=cgroupns";
}

static int count(struct engine *e, struct eng_info *info, struct arena *arena, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct eng_instance *list = NULL;
	int n = eng_instance_list(e, arena, &list, err), r;

	for (int i = 0; i < n; i++) {
		info->paused += list[i].paused;
		info->running += list[i].state == ENG_STATE_RUNNING && !list[i].paused;
	}
	if (n < 0)
		return n;
	info->instances = (size_t) n;
	r = db_query(e->db, &rows, err, "SELECT count(*) FROM image", "");
	if (r == 0)
		r = db_next(rows, err);
	if (r == 1)
		info->images = (size_t) db_i64(rows, 0);
	return r < 0 ? r : 0;
}

int eng_info_read(struct engine *e, struct arena *arena, struct eng_info *ret, struct err *err)
{
	struct eng_info info = { .filesystem = filesystem_name(e->root_fd) };
	struct sysinfo si;
	struct utsname u;
	int r = count(e, &info, arena, err);

	if (r < 0)
		return r;
	if (uname(&u) < 0 || sysinfo(&si) < 0)
		return err_set(err, -errno, "read what the kernel says of itself");
	info.root = arena_strdup(arena, e->root);
	info.hostname = arena_strdup(arena, u.nodename);
	info.kernel = arena_strdup(arena, u.release);
	info.machine = arena_strdup(arena, u.machine);
	if (info.root == NULL || info.hostname == NULL || info.kernel == NULL || info.machine == NULL)
		return err_set(err, -ENOMEM, "describe the host");
	info.cpus = sysconf(_SC_NPROCESSORS_ONLN);
	info.memory_bytes = (uint64_t) si.totalram * si.mem_unit;
	read_system(&info, arena);
	read_cgroups(&info, arena);
	read_security(&info, e->rootless, arena);
	*ret = info;
	return 0;
}

static void add_plugins(struct str *s)
{
	json_open(s, "Plugins", '{');
	json_texts(s, "Volume", (const char *const[]) { "local" }, 1);
	json_texts(s, "Network", (const char *const[]) { "host", "none" }, 2);
	json_raw(s, "Authorization", "null");
	json_texts(s, "Log", (const char *const[]) { "journald", "json-file", "none" }, 3);
	json_close(s, '}');
}

static void add_limits(const struct eng_info *info, struct str *s)
{
	json_flag(s, "MemoryLimit", info->memory);
	json_flag(s, "SwapLimit", info->swap);
	json_flag(s, "CpuCfsPeriod", info->cpu_quota);
	json_flag(s, "CpuCfsQuota", info->cpu_quota);
	json_flag(s, "CPUShares", info->cpu_shares);
	json_flag(s, "CPUSet", info->cpuset);
	json_flag(s, "PidsLimit", info->pids);
	json_flag(s, "IPv4Forwarding", info->forwarding);
	json_flag(s, "OomKillDisable", info->oom_kill_disable);
}

static void add_host(const struct eng_info *info, struct str *s)
{
	char now[TIME_TEXT_MAX];

	time_rfc3339(time_now_ns(), now);
	json_text(s, "SystemTime", now);
	json_text(s, "LoggingDriver", "json-file");
	json_text(s, "CgroupDriver", "cgroupfs");
	json_text(s, "CgroupVersion", info->cgroup_version == 2 ? "2" : "1");
	json_text(s, "KernelVersion", info->kernel);
	json_text(s, "OperatingSystem", info->system);
	json_text(s, "OSVersion", info->system_version);
	json_text(s, "OSType", "linux");
	json_text(s, "Architecture", info->machine);
	json_int(s, "NCPU", info->cpus);
	json_uint(s, "MemTotal", info->memory_bytes);
	json_text(s, "DockerRootDir", info->root);
	json_text(s, "Name", info->hostname);
}

void eng_info_json(const struct eng_info *info, struct str *ret)
{
	struct str *s = ret;

	json_open(s, NULL, '{');
	json_uint(s, "Containers", info->instances);
	json_uint(s, "ContainersRunning", info->running);
	json_uint(s, "ContainersPaused", info->paused);
	json_uint(s, "ContainersStopped", info->instances - info->running - info->paused);
	json_uint(s, "Images", info->images);
	json_text(s, "Driver", "overlay");
	json_open(s, "DriverStatus", '[');
	json_texts(s, NULL, (const char *const[]) { "Backing Filesystem", info->filesystem }, 2);
	json_close(s, ']');
	add_plugins(s);
	add_limits(info, s);
	json_flag(s, "Debug", false);
	add_host(info, s);
	json_texts(s, "Labels", NULL, 0);
	json_flag(s, "ExperimentalBuild", false);
	json_text(s, "ServerVersion", CLEAVE_VERSION);
	json_raw(s, "Runtimes", "{\"cleave-oci\":{\"path\":\"cleave-oci\"}}");
	json_text(s, "DefaultRuntime", "cleave-oci");
	json_texts(s, "Isolations", (const char *const[]) { "container", "vm" }, 2);
	json_raw(s, "Swarm", "{\"LocalNodeState\":\"inactive\"}");
	json_flag(s, "LiveRestoreEnabled", true);
	json_text(s, "InitBinary", "cleave-init");
	json_texts(s, "SecurityOptions", info->security, info->nr_security);
	json_texts(s, "Warnings", NULL, 0);
	json_close(s, '}');
}
