/* SPDX-License-Identifier: MIT */
#include "oci/features.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/mount_option.h"
#include "oci/ns.h"
#include "oci/spec.h"
#include "oci/spec_names.h"
#include "sys/cap.h"

#define OCI_SPEC_VERSION_MIN "1.0.0"

/* Start a line that is @depth deep */
static void line(struct str *ret, int depth)
{
	static const char blanks[] = "                    ";

	str_printf(ret, "\n%.*s", depth * 4, blanks);
}

/* One element of an array, with the comma in front where it needs one */
static void add_element(struct str *ret, int depth, const char *name)
{
	str_puts(ret, ret->len == 0 || ret->p[ret->len - 1] == '[' ? "" : ",");
	line(ret, depth);
	str_json(ret, name);
}

static void open_array(struct str *ret, int depth, const char *key)
{
	line(ret, depth);
	str_printf(ret, "\"%s\": [", key);
}

static void close_array(struct str *ret, int depth, const char *after)
{
	line(ret, depth);
	str_printf(ret, "]%s", after);
}

static void add_names(struct str *ret, int depth, const char *key, const struct oci_names *names,
		      const char *after)
{
	open_array(ret, depth, key);
	for (size_t i = 0; i < names->n; i++)
		add_element(ret, depth + 1, names->v[i].name);
	close_array(ret, depth, after);
}

/* A kernel that knows a flag looks at the program next, which is not there */
static bool flag_is_supported(uint32_t flag)
{
	if (flag == 0)
		return true;
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) /* valid only together */
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

static void add_seccomp(struct str *ret)
{
	const struct oci_names *flags = &oci_seccomp_flag_names;

	str_puts(ret, "\n        \"seccomp\": {\n            \"enabled\": true,");
	add_names(ret, 3, "actions", &oci_seccomp_action_names, ",");
	add_names(ret, 3, "operators", &oci_seccomp_op_names, ",");
	add_names(ret, 3, "archs", &oci_seccomp_arch_names, ",");
	add_names(ret, 3, "knownFlags", flags, ",");
	open_array(ret, 3, "supportedFlags");
	for (size_t i = 0; i < flags->n; i++) {
		if (flag_is_supported(flags->v[i].value))
			add_element(ret, 4, flags->v[i].name);
	}
	close_array(ret, 3, "\n        },");
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void add_namespaces(struct str *ret)
{
	const char *names[OCI_NS_N_];

	for (size_t i = 0; i < OCI_NS_N_; i++)
		names[i] = oci_ns_infos[i].name;
	qsort(names, OCI_NS_N_, sizeof(names[0]), compare);
	open_array(ret, 2, "namespaces");
	for (size_t i = 0; i < OCI_NS_N_; i++)
		add_element(ret, 3, names[i]);
	close_array(ret, 2, ",");
}

static void add_linux(struct str *ret)
{
	str_puts(ret, "\n    \"linux\": {");
	add_namespaces(ret);
	open_array(ret, 2, "capabilities");
	for (int cap = 0; cap <= cap_last(); cap++)
		add_element(ret, 3, cap_name(cap));
	close_array(ret, 2, ",");
	str_puts(ret, "\n        \"cgroup\": {\n"
		      "            \"v1\": true,\n"
		      "            \"v2\": true,\n"
		      "            \"systemd\": true,\n"
		      "            \"systemdUser\": true,\n"
		      "            \"rdma\": true\n"
		      "        },");
	add_seccomp(ret);
	str_puts(ret, "\n        \"apparmor\": {\n"
		      "            \"enabled\": true\n"
		      "        },\n"
		      "        \"selinux\": {\n"
		      "            \"enabled\": true\n"
		      "        },\n"
		      "        \"intelRdt\": {\n"
		      "            \"enabled\": true,\n"
		      "            \"schemata\": true,\n"
		      "            \"monitoring\": true\n"
		      "        },\n"
		      "        \"memoryPolicy\": {");
	add_names(ret, 3, "modes", &oci_mpol_names, ",");
	add_names(ret, 3, "flags", &oci_mpol_flag_names, "\n        },");
	str_puts(ret, "\n        \"mountExtensions\": {\n"
		      "            \"idmap\": {\n"
		      "                \"enabled\": true\n"
		      "            }\n"
		      "        },\n"
		      "        \"netDevices\": {\n"
		      "            \"enabled\": true\n"
		      "        }\n"
		      "    },");
}

static void add_annotations(struct str *ret)
{
	const struct scmp_version *v = seccomp_version();

	str_printf(ret,
		   "\n    \"annotations\": {\n"
		   "        \"io.github.seccomp.libseccomp.version\": \"%u.%u.%u\",\n"
		   "        \"org.opencontainers.runc.checkpoint.enabled\": \"false\"\n"
		   "    }\n"
		   "}",
		   v->major, v->minor, v->micro);
}

void oci_features(struct str *ret)
{
	str_puts(ret, "{\n    \"ociVersionMin\": \"" OCI_SPEC_VERSION_MIN "\",\n"
		      "    \"ociVersionMax\": \"" OCI_SPEC_VERSION "\",");
	add_names(ret, 1, "hooks", &oci_hook_names, ",");
	open_array(ret, 1, "mountOptions");
	for (size_t i = 0; oci_mount_opt_name(i) != NULL; i++)
		add_element(ret, 2, oci_mount_opt_name(i));
	close_array(ret, 1, ",");
	add_linux(ret);
	add_annotations(ret);
}
