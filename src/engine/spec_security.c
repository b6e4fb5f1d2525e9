/* SPDX-License-Identifier: MIT */
/**
 * DOC: system calls and paths that a config.json closes
 */
#include <fnmatch.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/profile.h"
#include "engine/spec_parts.h"

static const char *const masked[] = {
	"/proc/asound",      "/proc/acpi",        "/proc/interrupts",  "/proc/kcore",
	"/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
	"/proc/sched_debug", "/proc/scsi",        "/sys/firmware",
	"/sys/devices/virtual/powercap",
};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* unmask=ALL, or a pattern among those between colons matches */
static bool unmasked(const struct eng_config *c, const char *path)
{
	for (size_t i = 0; i < c->security_opts.n; i++) {
		const char *p = c->security_opts.v[i];

		if (!str_starts(p, "unmask="))
			continue;
		for (p += strlen("unmask="); *p != '\0'; p += *p == ':') {
			char pattern[512];
			size_t n = strcspn(p, ":");

			if (n == 3 && strncmp(p, "ALL", n) == 0)
				return true;
			if (n < sizeof(pattern)) {
				memcpy(pattern, p, n);
				pattern[n] = '\0';
				if (fnmatch(pattern, path, FNM_PATHNAME) == 0)
					return true;
			}
			p += n;
		}
	}
	return false;
}

static void add_paths(struct spec *s, const char *const *paths, size_t n, bool *first)
{
	for (size_t i = 0; i < n; i++)
		if (!unmasked(s->c, paths[i])) {
			str_printf(s->out, "%s\"%s\"", *first ? "" : ",", paths[i]);
			*first = false;
		}
}

/* mask=/a:/b */
static void add_more_masked(struct spec *s, bool *first)
{
	for (size_t i = 0; i < s->c->security_opts.n; i++) {
		const char *p = s->c->security_opts.v[i];

		if (!str_starts(p, "mask="))
			continue;
		for (p += strlen("mask="); *p != '\0'; p += *p == ':') {
			size_t n = strcspn(p, ":");
			char *path = arena_strndup(&s->arena, p, n);

			str_puts(s->out, *first ? "" : ",");
			str_json(s->out, path != NULL ? path : "");
			s->out->failed = s->out->failed || path == NULL;
			*first = false;
			p += n;
		}
	}
}

void spec_add_security(struct spec *s)
{
	const char *seccomp = spec_security(s->c, "seccomp");
	const char *system = spec_security(s->c, "systempaths");
	bool open = s->c->privileged || (system != NULL && strcmp(system, "unconfined") == 0);
	bool first = true;

	str_puts(s->out, ",\"maskedPaths\":[");
	if (!open)
		add_paths(s, masked, ARRAY_LEN(masked), &first);
	add_more_masked(s, &first);
	str_puts(s->out, "],\"readonlyPaths\":[");
	first = true;
	if (!open)
		add_paths(s, read_only, ARRAY_LEN(read_only), &first);
	str_puts(s->out, "]");
	if (seccomp != NULL && strcmp(seccomp, "unconfined") == 0)
		return;
	if (seccomp == NULL && s->c->privileged)
		return;
	str_puts(s->out, ",\"seccomp\":");
	if (seccomp != NULL && strcmp(seccomp, "builtin") != 0)
		str_puts(s->out, seccomp);
	else
		eng_profile_seccomp(s->caps, s->out);
}
