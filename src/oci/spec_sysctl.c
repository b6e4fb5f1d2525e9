/* SPDX-License-Identifier: MIT */
/**
 * DOC: kernel parameters
 *
 * /proc/sys is only partly split by namespaces; a key is taken when it belongs to a namespace that the
 * container does not share with its creator.  Whether a network namespace given by path is the
 * creator's own can only be seen on the host, which oci_spec_check_host() does.
 * Spec: runtime-spec 1.3, config-linux.md "Sysctl".
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/spec_internal.h"
#include "oci/sysctl.h"

/* No part of the path under /proc/sys is empty, "." or ".." */
static bool key_is_plain(const char *dots)
{
	for (const char *p = dots;; p++) {
		const size_t n = strcspn(p, ".");

		/* a slash stands for a dot of the file name */
		if (n == 0 || (n == 1 && p[0] == '/') || (n == 2 && p[0] == '/' && p[1] == '/'))
			return false;
		p += n;
		if (*p == '\0')
			return true;
	}
}

static bool key_is_ipc(const char *dots)
{
	static const char *const keys[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(dots, keys[i]) == 0)
			return true;
	}
	return str_starts(dots, "fs.mqueue.");
}

static bool check_key(struct json_in *in, const struct json *map, const char *key,
		      const struct oci_namespace *ns)
{
	char dots[OCI_SYSCTL_KEY_MAX + 1];

	if (oci_sysctl_key(key, '.', dots) < 0)
		return json_fail(in, map, NULL, "a key of %zu bytes is over the limit %d",
				 strlen(key), OCI_SYSCTL_KEY_MAX);
	if (!key_is_plain(dots))
		return json_fail(in, map, NULL, "sysctl \"%s\" is not a valid key", key);
	if (key_is_ipc(dots))
		return ns[OCI_NS_IPC].set ||
		       json_fail(in, map, NULL,
				 "sysctl \"%s\" is not allowed in the hosts ipc namespace", dots);
	if (str_starts(dots, "net."))
		return ns[OCI_NS_NETWORK].set ||
		       json_fail(in, map, NULL,
				 "sysctl \"%s\" not allowed in host network namespace", dots);
	if (ns[OCI_NS_UTS].set && strcmp(dots, "kernel.domainname") == 0)
		return true;
	if (ns[OCI_NS_UTS].set && strcmp(dots, "kernel.hostname") == 0)
		return json_fail(in, map, NULL,
				 "sysctl \"%s\" is not allowed as it conflicts with the OCI "
				 "\"hostname\" field",
				 dots);
	if (str_starts(dots, "user."))
		return ns[OCI_NS_USER].set ||
		       json_fail(in, map, NULL,
				 "setting ucounts without a user namespace not allowed: %s", dots);
	return json_fail(in, map, NULL, "sysctl \"%s\" is not in a separate kernel namespace", dots);
}

void spec_sysctl(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const struct json *map = json_get_object(in, obj, "sysctl");

	ret->sysctl = spec_pairs(in, obj, "sysctl");
	for (size_t i = 0; i < ret->sysctl.n; i++) {
		if (!check_key(in, map, ret->sysctl.v[i].key, ret->namespaces))
			return;
	}
}

void spec_sysctl_domainname(struct json_in *in, const struct json *root, const struct oci_spec *spec)
{
	const struct oci_pairs *sysctl = &spec->linux.sysctl;
	char dots[OCI_SYSCTL_KEY_MAX + 1];

	if (spec->domainname == NULL || in->code < 0) /* keys over the limit were refused */
		return;
	for (size_t i = 0; i < sysctl->n; i++) {
		(void) oci_sysctl_key(sysctl->v[i].key, '.', dots);
		if (strcmp(dots, "kernel.domainname") == 0 && strcmp(sysctl->v[i].value, spec->domainname) != 0)
			(void) json_fail(in, root, "domainname", "\"%s\" conflicts with sysctl \"%s\", \"%s\"",
					 spec->domainname, dots, sysctl->v[i].value);
	}
}
