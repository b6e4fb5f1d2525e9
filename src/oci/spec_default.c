/* SPDX-License-Identifier: MIT */
#include "oci/spec_default.h"

#include <linux/magic.h>
#include <stddef.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/spec.h"
#include "sys/cg_layout.h"


/* Lists end with NULL */
#define OPTIONS(...) ((const char *const[]) { __VA_ARGS__, NULL })

static const char *const caps[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL };

static const char *const masked[] = {
	"/proc/acpi",	     "/proc/asound",	  "/proc/kcore",     "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/sys/firmware",     "/proc/scsi",	  NULL,
};

static const char *const readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static const struct {
	const char *destination, *type, *source;
	const char *const *options;
} mounts[] = {
	{ "/proc", "proc", "proc", NULL },
	{ "/dev", "tmpfs", "tmpfs", OPTIONS("nosuid", "strictatime", "mode=755", "size=65536k") },
	{ "/dev/pts", "devpts", "devpts",
	  OPTIONS("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5") },
	{ "/dev/shm", "tmpfs", "shm",
	  OPTIONS("nosuid", "noexec", "nodev", "mode=1777", "size=65536k") },
	{ "/dev/mqueue", "mqueue", "mqueue", OPTIONS("nosuid", "noexec", "nodev") },
	{ "/sys", "sysfs", "sysfs", OPTIONS("nosuid", "noexec", "nodev", "ro") },
	{ CG_TOP, "cgroup", "cgroup",
	  OPTIONS("nosuid", "noexec", "nodev", "relatime", "ro") },
};

static const char *const rootless_sys[] = { "rbind", "nosuid", "noexec", "nodev", "ro", NULL };

/* Start a line that is @depth deep */
static void line(struct str *ret, int depth)
{
	static const char tabs[] = "\t\t\t\t\t\t\t\t";

	str_printf(ret, "\n%.*s", depth, tabs);
}

/* One member that is a list of strings, without the line break in front and the comma behind */
static void add_list(struct str *ret, int depth, const char *key, const char *const *list,
		     bool rootless)
{
	bool first = true;

	str_printf(ret, "\"%s\": [", key);
	for (; *list != NULL; list++) {
		if (rootless && (str_starts(*list, "gid=") || str_starts(*list, "uid=")))
			continue; /* ids that the caller's user namespace does not have */
		str_puts(ret, first ? "" : ",");
		line(ret, depth + 1);
		str_json(ret, *list);
		first = false;
	}
	line(ret, depth);
	str_puts(ret, "]");
}

static void add_process(struct str *ret)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };

	str_puts(ret, "\t\"process\": {\n"
		      "\t\t\"terminal\": true,\n"
		      "\t\t\"user\": {\n"
		      "\t\t\t\"uid\": 0,\n"
		      "\t\t\t\"gid\": 0\n"
		      "\t\t},\n"
		      "\t\t\"args\": [\n"
		      "\t\t\t\"sh\"\n"
		      "\t\t],\n"
		      "\t\t\"env\": [\n"
		      "\t\t\t\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\n"
		      "\t\t\t\"TERM=xterm\"\n"
		      "\t\t],\n"
		      "\t\t\"cwd\": \"/\",\n"
		      "\t\t\"capabilities\": {");
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		str_puts(ret, i > 0 ? "," : "");
		line(ret, 3);
		add_list(ret, 3, sets[i], caps, false);
	}
	str_puts(ret, "\n\t\t},\n"
		      "\t\t\"rlimits\": [\n"
		      "\t\t\t{\n"
		      "\t\t\t\t\"type\": \"RLIMIT_NOFILE\",\n"
		      "\t\t\t\t\"hard\": 1024,\n"
		      "\t\t\t\t\"soft\": 1024\n"
		      "\t\t\t}\n"
		      "\t\t],\n"
		      "\t\t\"noNewPrivileges\": true\n"
		      "\t},\n");
}

static void add_mounts(struct str *ret, bool rootless)
{
	str_puts(ret, "\t\"mounts\": [");
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		const bool bind = rootless && strcmp(mounts[i].destination, "/sys") == 0;
		const char *const *options = bind ? rootless_sys : mounts[i].options;

		str_printf(ret,
			   "%s\n\t\t{\n\t\t\t\"destination\": \"%s\",\n\t\t\t\"type\": \"%s\",\n"
			   "\t\t\t\"source\": \"%s\"",
			   i > 0 ? "," : "", mounts[i].destination, bind ? "none" : mounts[i].type,
			   bind ? "/sys" : mounts[i].source);
		if (options != NULL) {
			str_puts(ret, ",");
			line(ret, 3);
			add_list(ret, 3, "options", options, rootless);
		}
		str_puts(ret, "\n\t\t}");
	}
	str_puts(ret, "\n\t],\n");
}

static void add_mapping(struct str *ret, const char *key, unsigned int host)
{
	str_printf(ret,
		   "\t\t\"%s\": [\n\t\t\t{\n\t\t\t\t\"containerID\": 0,\n\t\t\t\t\"hostID\": %u,\n"
		   "\t\t\t\t\"size\": 1\n\t\t\t}\n\t\t],\n",
		   key, host);
}

static void add_linux(struct str *ret, bool rootless)
{
	const char *names[8] = { "pid", "ipc", "uts", "mount" };
	struct statfs fs;
	size_t n = 4;

	if (!rootless)
		names[n++] = "network";
	if (statfs(CG_TOP, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		names[n++] = "cgroup";
	if (rootless)
		names[n++] = "user";

	str_puts(ret, "\t\"linux\": {\n");
	if (rootless) {
		add_mapping(ret, "uidMappings", (unsigned int) geteuid());
		add_mapping(ret, "gidMappings", (unsigned int) getegid());
	} else {
		str_puts(ret, "\t\t\"resources\": {\n"
			      "\t\t\t\"devices\": [\n"
			      "\t\t\t\t{\n"
			      "\t\t\t\t\t\"allow\": false,\n"
			      "\t\t\t\t\t\"access\": \"rwm\"\n"
			      "\t\t\t\t}\n"
			      "\t\t\t]\n"
			      "\t\t},\n");
	}
	str_puts(ret, "\t\t\"namespaces\": [");
	for (size_t i = 0; i < n; i++)
		str_printf(ret, "%s\n\t\t\t{\n\t\t\t\t\"type\": \"%s\"\n\t\t\t}", i > 0 ? "," : "",
			   names[i]);
	str_puts(ret, "\n\t\t],\n\t\t");
	add_list(ret, 2, "maskedPaths", masked, false);
	str_puts(ret, ",\n\t\t");
	add_list(ret, 2, "readonlyPaths", readonly, false);
	str_puts(ret, "\n\t}\n");
}

void oci_spec_default(bool rootless, struct str *ret)
{
	str_puts(ret, "{\n\t\"ociVersion\": \"" OCI_SPEC_VERSION "\",\n");
	add_process(ret);
	str_puts(ret, "\t\"root\": {\n"
		      "\t\t\"path\": \"rootfs\",\n"
		      "\t\t\"readonly\": true\n"
		      "\t},\n"
		      "\t\"hostname\": \"cleave\",\n");
	add_mounts(ret, rootless);
	add_linux(ret, rootless);
	str_puts(ret, "}\n");
}
