/* SPDX-License-Identifier: MIT */
#include "oci/device_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/err.h"

void device_rules_fini(struct device_rules *s)
{
	free(s->v);
	*s = (struct device_rules){ 0 };
}

static unsigned access_of(const struct oci_device_rule *r)
{
	return (r->read ? DEVICE_READ : 0U) | (r->write ? DEVICE_WRITE : 0U) |
	       (r->mknod ? DEVICE_MKNOD : 0U);
}

static struct device_rule *find(const struct device_rules *s, const struct oci_device_rule *r)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].type == r->type && s->v[i].major == r->major && s->v[i].minor == r->minor)
			return &s->v[i];
	return NULL;
}

static int add_exception(struct device_rules *s, const struct oci_device_rule *r, struct err *err)
{
	struct device_rule *e = find(s, r);

	if (access_of(r) == 0)
		return 0;
	if (e != NULL) {
		e->access |= access_of(r);
		return 0;
	}
	if (s->n == DEVICE_RULES_MAX)
		return err_msg(err, -E2BIG, "linux.resources.devices: more than %d rules", DEVICE_RULES_MAX);
	if (s->n == s->cap) {
		size_t cap = s->cap != 0 ? s->cap * 2 : 32;

		e = reallocarray(s->v, cap, sizeof(*e));
		if (e == NULL)
			return err_set(err, -ENOMEM, "linux.resources.devices");
		s->v = e;
		s->cap = cap;
	}
	s->v[s->n++] = (struct device_rule){ r->type, r->major, r->minor, access_of(r) };
	return 0;
}

static int remove_exception(struct device_rules *s, const struct oci_device_rule *r, struct err *err)
{
	struct device_rule *e;

	for (size_t i = 0; i < s->n; i++) {
		const struct device_rule *o = &s->v[i];

		if (o->type != r->type || (o->major == r->major && o->minor == r->minor) ||
		    (o->access & access_of(r)) == 0)
			continue;
		if ((o->major == -1 || o->major == r->major) && (o->minor == -1 || o->minor == r->minor))
			return err_msg(err, -EINVAL,
				       "linux.resources.devices: rule %c %" PRId64 ":%" PRId64
				       " takes away a part of an earlier wildcard rule, which is not supported",
				       r->type, r->major, r->minor);
	}
	e = find(s, r);
	if (e == NULL)
		return 0;
	e->access &= ~access_of(r);
	if (e->access == 0) {
		size_t i = (size_t) (e - s->v);

		for (; i + 1 < s->n; i++)
			s->v[i] = s->v[i + 1];
		s->n--;
	}
	return 0;
}

int device_rules_add(struct device_rules *s, const struct oci_device_rule *r, struct err *err)
{
	if (r->type == 'a') {
		s->allow = r->allow;
		s->n = 0;
		return 0;
	}
	if (r->type != 'c' && r->type != 'b')
		return err_msg(err, -EINVAL, "linux.resources.devices: '%c' is no device type", r->type);
	if (r->major < -1 || r->major > UINT32_MAX || r->minor < -1 || r->minor > UINT32_MAX)
		return err_msg(err, -EINVAL,
			       "linux.resources.devices: %" PRId64 ":%" PRId64 " is not in the range 0 to %u",
			       r->major, r->minor, UINT32_MAX);
	return r->allow == s->allow ? remove_exception(s, r, err) : add_exception(s, r, err);
}

int device_rules_build(const struct oci_device_rule *rules, size_t n, struct device_rules *ret,
		       struct err *err)
{
	static const struct oci_device_rule defaults[] = {
		{ true, 'c', -1, -1, false, false, true },
		{ true, 'b', -1, -1, false, false, true },
		{ true, 'c', 1, 3, true, true, true }, /* null */
		{ true, 'c', 1, 8, true, true, true }, /* random */
		{ true, 'c', 1, 7, true, true, true }, /* full */
		{ true, 'c', 5, 0, true, true, true }, /* tty */
		{ true, 'c', 1, 5, true, true, true }, /* zero */
		{ true, 'c', 1, 9, true, true, true }, /* urandom */
		{ true, 'c', 136, -1, true, true, true }, /* pts/N, console */
		{ true, 'c', 5, 2, true, true, true }, /* ptmx */
		{ true, 'c', 10, 200, true, true, true }, /* net/tun */
	};
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = device_rules_add(ret, &rules[i], err);
	for (size_t i = 0; i < ARRAY_LEN(defaults) && r == 0; i++)
		r = device_rules_add(ret, &defaults[i], err);
	return r;
}
