/* SPDX-License-Identifier: MIT */
#include "engine/caps.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "engine/config.h"
#include "sys/cap.h"

#define BIT(cap) (1ull << (cap))
#define NAME_MAX_LEN 64

static const uint64_t defaults =
	BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
	BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) |
	BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) |
	BIT(CAP_AUDIT_WRITE);

/* What the kernel has and this process may hand on; a machine's own kernel hands on everything. */
static uint64_t all(bool machine)
{
	uint64_t set = 0;

	if (machine)
		return BIT(cap_last()) | (BIT(cap_last()) - 1);
	for (int cap = 0; cap <= cap_last(); cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			set |= BIT(cap);
	return set;
}

static uint64_t named(const struct img_words *names, bool *ret_all)
{
	uint64_t set = 0;

	*ret_all = false;
	for (size_t i = 0; i < names->n; i++) {
		int cap = cap_from_name(names->v[i]);

		if (strcmp(names->v[i], "ALL") == 0)
			*ret_all = true;
		else if (cap >= 0)
			set |= BIT(cap);
	}
	return set;
}

uint64_t eng_caps(const struct eng_config *c, bool machine)
{
	bool add_all, drop_all;
	uint64_t add = named(&c->cap_add, &add_all), drop = named(&c->cap_drop, &drop_all);

	if (c->privileged)
		return all(machine);
	if (add_all)
		return all(machine) & ~drop;
	return drop_all ? add : (defaults & ~drop) | add;
}

int eng_cap_parse(struct arena *a, const char *option, const char *text, const char **ret,
		  struct err *err)
{
	char name[NAME_MAX_LEN] = "CAP_";
	size_t n = strncasecmp(text, "CAP_", 4) == 0 ? 0 : 4;

	if (strcasecmp(text, "ALL") == 0) {
		*ret = "ALL";
		return 0;
	}
	for (size_t i = 0; n < sizeof(name) - 1 && text[i] != '\0'; i++)
		name[n++] = (char) toupper((unsigned char) text[i]);
	name[n] = '\0';
	if (cap_from_name(name) < 0)
		return err_msg(err, -EINVAL, "%s: unknown capability: \"%.64s\"", option, text);
	*ret = arena_strdup(a, name);
	return *ret != NULL ? 0 : err_set(err, -ENOMEM, "read %s", option);
}
