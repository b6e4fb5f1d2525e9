/* SPDX-License-Identifier: MIT */
#include "engine/spec.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/profile.h"
#include "engine/user.h"

#define CPU_PERIOD 100000 /* microseconds */

static const char mounts[] =
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
	"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"ro\",\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=67108864\"]}";

/* Nodes that the runtime makes, terminals, and mknod for any; nothing else */
static const char devices[] =
	"{\"allow\":false,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"access\":\"m\"},{\"allow\":true,\"type\":\"b\",\"access\":\"m\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":5,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":7,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":8,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":9,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":0,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":1,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":2,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":136,\"access\":\"rwm\"}";

static const char paths[] =
	"\"maskedPaths\":[\"/proc/asound\",\"/proc/acpi\",\"/proc/interrupts\",\"/proc/kcore\",\"/proc/keys\","
	"\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/proc/scsi\","
	"\"/sys/firmware\",\"/sys/devices/virtual/powercap\"],"
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]";

static void add_words(const struct img_words *list, struct str *ret)
{
	for (size_t i = 0; i < list->n; i++) {
		str_puts(ret, i > 0 ? "," : "");
		str_json(ret, list->v[i]);
	}
}

static void add_process(const struct eng_config *c, const struct eng_user *user, struct str *ret)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };

	str_printf(
		ret,
		"\"process\":{\"terminal\":%s,\"user\":{\"uid\":%u,\"gid\":%u,\"umask\":18,\"additionalGids\":[",
		c->tty ? "true" : "false", user->uid, user->gid);
	for (size_t i = 0; i < user->nr_groups; i++)
		str_printf(ret, "%s%u", i > 0 ? "," : "", user->groups[i]);
	str_puts(ret, "]},\"args\":[");
	add_words(&c->args, ret);
	str_puts(ret, "],\"env\":[");
	add_words(&c->env, ret);
	str_puts(ret, "],\"cwd\":");
	str_json(ret, c->workdir);
	str_puts(ret, ",\"capabilities\":{");
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		str_printf(ret, "%s\"%s\":[", i > 0 ? "," : "", sets[i]);
		eng_profile_caps(ret);
		str_puts(ret, "]");
	}
	str_puts(ret, "},\"oomScoreAdj\":0}");
}

static void add_file(const char *files, const char *name, struct str *ret)
{
	char path[64 + 4096];

	(void) snprintf(path, sizeof(path), "%s/%s", files, name); /* the store's path is shorter */
	str_printf(
		ret,
		",{\"destination\":\"/etc/%s\",\"type\":\"bind\",\"options\":[\"bind\",\"rprivate\"],\"source\":",
		name);
	str_json(ret, path);
	str_puts(ret, "}");
}

static void add_mounts(const struct eng_config *c, const char *files, struct str *ret)
{
	str_printf(ret, "\"mounts\":[%s", mounts);
	add_file(files, "hosts", ret);
	add_file(files, "hostname", ret);
	add_file(files, "resolv.conf", ret);
	for (size_t i = 0; i < c->nr_mounts; i++) {
		const struct eng_mount *m = &c->mounts[i];

		str_puts(ret, ",{\"type\":\"bind\",\"source\":");
		str_json(ret, m->source);
		str_puts(ret, ",\"destination\":");
		str_json(ret, m->destination);
		str_printf(ret, ",\"options\":[\"%s\",\"%s\",\"%s\"]}",
			   m->recursive_off ? "bind" : "rbind", m->read_only ? "ro" : "rw",
			   m->propagation != NULL ? m->propagation : "rprivate");
	}
	str_puts(ret, "]");
}

static void add_resources(const struct eng_config *c, struct str *ret)
{
	str_printf(ret, "\"resources\":{\"devices\":[%s]", devices);
	if (c->memory != 0) /* as much swap again, as Docker */
		str_printf(ret, ",\"memory\":{\"limit\":%llu,\"swap\":%llu}",
			   (unsigned long long) c->memory, (unsigned long long) c->memory * 2);
	if (c->nano_cpus != 0)
		str_printf(ret, ",\"cpu\":{\"period\":%d,\"quota\":%llu}", CPU_PERIOD,
			   (unsigned long long) (c->nano_cpus / (1000000000 / CPU_PERIOD)));
	if (c->pids_limit > 0)
		str_printf(ret, ",\"pids\":{\"limit\":%lld}", (long long) c->pids_limit);
	str_puts(ret, "}");
}

void eng_spec_format(const struct eng_config *c, const char *id, const struct eng_user *user,
		     const char *rootfs, const char *files, struct str *ret)
{
	str_puts(ret, "{\"ociVersion\":\"1.0.2\",");
	add_process(c, user, ret);
	str_puts(ret, ",\"root\":{\"path\":");
	str_json(ret, rootfs);
	str_printf(ret, ",\"readonly\":%s},\"hostname\":", c->read_only ? "true" : "false");
	str_json(ret, c->hostname);
	str_puts(ret, ",");
	add_mounts(c, files, ret);
	str_printf(ret, ",\"linux\":{\"cgroupsPath\":\"/cleave/%s\",", id);
	add_resources(c, ret);
	str_printf(
		ret,
		",\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\"},{\"type\":\"uts\"},{\"type\":\"pid\"},"
		"{\"type\":\"ipc\"},{\"type\":\"cgroup\"}],%s,\"seccomp\":",
		paths);
	eng_profile_seccomp(ret);
	str_puts(ret, "}}");
}
