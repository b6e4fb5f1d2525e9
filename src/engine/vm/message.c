/* SPDX-License-Identifier: MIT */
/**
 * DOC: a runtime configuration as a message to the guest
 */
#include "engine/vm/message.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/vm/network.h"
#include "guest/proto/proto.h"
#include "oci/mount_option.h"
#include "oci/seccomp.h"
#include "oci/spec.h"

#define ENTROPY 64 /* bytes */
#define LINK_MAX_BYTES 512 /* of a message about one device */

static void put_text(struct guest_out *o, enum guest_tag tag, const char *text)
{
	guest_put(o, tag, text, strlen(text) + 1);
}

static void put_texts(struct guest_out *o, enum guest_tag tag, const struct oci_strv *list)
{
	for (size_t i = 0; i < list->n; i++)
		put_text(o, tag, list->v[i]);
}

static void put_rlimits(struct guest_out *o, const struct oci_process *p)
{
	for (size_t i = 0; i < p->nr_rlimits; i++) {
		uint8_t b[24];

		guest_put64(b, (uint64_t) p->rlimits[i].type);
		guest_put64(b + 8, p->rlimits[i].soft);
		guest_put64(b + 16, p->rlimits[i].hard);
		guest_put(o, GUEST_RLIMIT, b, sizeof(b));
	}
}

static uint64_t process_flags(const struct oci_process *p, const struct vm_how *how)
{
	return (p->terminal ? GUEST_TTY : 0u) | (how->input ? GUEST_STDIN : 0u) |
	       (p->no_new_privileges ? GUEST_NO_NEW_PRIVS : 0u) | (how->ours ? GUEST_OURS : 0u);
}

static void put_process(struct guest_out *o, const struct oci_process *p, const struct vm_how *how, uint64_t flags)
{
	guest_put_number(o, GUEST_NUMBER, how->number);
	put_texts(o, GUEST_ARG, &p->args);
	put_texts(o, GUEST_ENV, &p->env);
	put_text(o, GUEST_CWD, p->cwd);
	guest_put_number(o, GUEST_UID, p->uid);
	guest_put_number(o, GUEST_GID, p->gid);
	for (size_t i = 0; i < p->nr_additional_gids; i++)
		guest_put_number(o, GUEST_GROUP, p->additional_gids[i]);
	guest_put_number(o, GUEST_UMASK, p->umask.set ? p->umask.v : 022);
	guest_put_number(o, GUEST_CAPS, p->caps != NULL ? p->caps->permitted : 0);
	guest_put_number(o, GUEST_CAPS_BOUND, p->caps != NULL ? p->caps->bounding : 0);
	put_rlimits(o, p);
	guest_put_number(o, GUEST_FLAGS, process_flags(p, how) | flags);
	if (p->oom_score_adj.set)
		guest_put_number(o, GUEST_OOM_SCORE, (uint64_t) p->oom_score_adj.v);
	guest_put_number(o, GUEST_ROWS, how->size.rows);
	guest_put_number(o, GUEST_COLUMNS, how->size.columns);
}

static int put_filter(struct guest_out *o, const struct oci_spec *spec, struct err *err)
{
	struct oci_filter filter = { 0 };
	int r;

	if (spec->linux.seccomp == NULL)
		return 0;
	r = oci_seccomp_compile(spec->linux.seccomp, -EBADF, &filter, err);
	if (r < 0)
		return r;
	guest_put(o, GUEST_FILTER, filter.prog, filter.len * sizeof(*filter.prog));
	oci_filter_fini(&filter);
	return 0;
}

static bool is_bind(const struct oci_mount *m, const struct oci_mount_opts *opts)
{
	return (opts->flags & MS_BIND) != 0 || (m->type != NULL && strcmp(m->type, "bind") == 0);
}

/* Options of the file system itself, separated by commas */
static void data_of(const struct oci_mount *m, struct str *ret)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (oci_mount_opt_is_data(m->options.v[i]))
			str_printf(ret, "%s%s", ret->len > 0 ? "," : "", m->options.v[i]);
}

/* Flags, then type, source, target, data */
static int put_one(struct guest_out *o, unsigned long how, const char *const text[4], struct err *err)
{
	_cleanup_(str_fini) struct str all = { 0 };
	uint8_t flags[8];

	guest_put64(flags, how);
	str_add(&all, flags, sizeof(flags));
	for (int i = 0; i < 4; i++)
		str_add(&all, text[i], strlen(text[i]) + 1);
	if (all.failed)
		return err_set(err, -ENOMEM, "describe the mounts");
	guest_put(o, GUEST_MOUNT, all.p, all.len);
	return 0;
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 0 && dir[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* The guest mounts something of its own over the place before this one's turn. */
static bool is_covered(const struct oci_spec *spec, const struct oci_mount *m)
{
	struct oci_mount_opts opts;

	for (const struct oci_mount *before = spec->mounts; before < m; before++)
		if (is_below(m->destination, before->destination) && oci_mount_opts_parse(before, &opts, NULL) == 0 &&
		    !is_bind(before, &opts))
			return true;
	return false;
}

/*
 * The host has mounted it in the shared root directory, with its options.  What the guest covers, or does not use as
 * its root directory, has to be brought up again; and what must not be done there is said to the guest's kernel, too: set-user-id and
 * devices mean something there only.
 */
static int put_bind(struct guest_out *o, const struct oci_spec *spec, const struct oci_mount *m,
		    const struct oci_mount_opts *opts, bool image, struct err *err)
{
	bool covered = image || is_covered(spec, m);
	unsigned long limits = (opts->flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)) |
			       ((opts->rec_set & MOUNT_ATTR_RDONLY) ? MS_RDONLY : 0u);
	const char *const text[] = { covered ? GUEST_MOUNT_SHARED : "none", m->destination, m->destination, "" };
	int r = 0;

	if (covered || limits != 0)
		r = put_one(o, MS_BIND | MS_REC, text, err);
	return r == 0 && limits != 0 ? put_one(o, MS_BIND | MS_REMOUNT | limits, text, err) : r;
}

static int put_mount(struct guest_out *o, const struct oci_spec *spec, const struct oci_mount *m, bool image,
		     struct err *err)
{
	_cleanup_(str_fini) struct str data = { 0 };
	const char *type = m->type != NULL ? m->type : "none";
	struct oci_mount_opts opts;
	int r = oci_mount_opts_parse(m, &opts, err);

	if (r < 0 || is_bind(m, &opts))
		return r < 0 ? r : put_bind(o, spec, m, &opts, image, err);
	if (strcmp(type, "cgroup") == 0)
		type = "cgroup2"; /* the guest's own */
	else
		data_of(m, &data);
	if (data.failed)
		return err_set(err, -ENOMEM, "describe the mounts");
	return put_one(o, opts.flags,
		       (const char *const[]) { type, m->source != NULL ? m->source : type, m->destination,
					       data.p != NULL ? data.p : "" },
		       err);
}

/* "net.ipv4.ip_forward", as a path */
static int put_sysctl(struct guest_out *o, const struct oci_pair *pair, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };

	str_add(&text, pair->key, strlen(pair->key) + 1);
	str_add(&text, pair->value, strlen(pair->value) + 1);
	if (text.failed)
		return err_set(err, -ENOMEM, "describe the kernel's parameters");
	if (strchr(text.p, '/') == NULL)
		for (char *p = text.p; *p != '\0'; p++)
			*p = *p == '.' ? '/' : *p;
	guest_put(o, GUEST_SYSCTL, text.p, text.len);
	return 0;
}

static int put_machine(struct guest_out *o, const struct oci_spec *spec, bool image, struct err *err)
{
	uint8_t entropy[ENTROPY];
	int r = 0;

	if (spec->hostname != NULL)
		put_text(o, GUEST_HOSTNAME, spec->hostname);
	if (spec->domainname != NULL)
		put_text(o, GUEST_DOMAINNAME, spec->domainname);
	guest_put_number(o, GUEST_TIME, (uint64_t) time_now_ns());
	if (getrandom(entropy, sizeof(entropy), 0) == sizeof(entropy))
		guest_put(o, GUEST_ENTROPY, entropy, sizeof(entropy));
	for (size_t i = 0; r == 0 && i < spec->nr_mounts; i++)
		r = put_mount(o, spec, &spec->mounts[i], image, err);
	for (size_t i = 0; r == 0 && i < spec->linux.sysctl.n; i++)
		r = put_sysctl(o, &spec->linux.sysctl.v[i], err);
	put_texts(o, GUEST_MASK, &spec->linux.masked_paths);
	put_texts(o, GUEST_READONLY, &spec->linux.readonly_paths);
	if (spec->linux.resources.pids_limit.set && spec->linux.resources.pids_limit.v > 0)
		guest_put_number(o, GUEST_PIDS_MAX, (uint64_t) spec->linux.resources.pids_limit.v);
	return r;
}

static int finish(struct guest_out *o, struct str *ret, struct err *err)
{
	if (guest_end(o) < 0)
		return err_msg(err, -E2BIG, "arguments, variables and mounts are over the %u bytes that a virtual machine takes",
			       GUEST_BODY_MAX);
	str_add(ret, o->p, o->len);
	return ret->failed ? err_set(err, -ENOMEM, "describe the program") : 0;
}

static void put_address(struct guest_out *o, const struct net_prefix *p)
{
	size_t size = net_address_size(&p->base);
	uint8_t b[8 + sizeof(p->base.bytes)];

	if (size == 0)
		return;
	guest_put64(b, p->length);
	memcpy(b + 8, p->base.bytes, size);
	guest_put(o, GUEST_ADDRESS, b, 8 + size);
}

static void put_route(struct guest_out *o, const struct net_way *w)
{
	size_t size = net_address_size(&w->to.base);
	uint8_t b[8 + 2 * sizeof(w->to.base.bytes)] = { 0 };

	guest_put64(b, w->to.length);
	memcpy(b + 8, w->to.base.bytes, size);
	memcpy(b + 8 + size, w->gateway.bytes, net_address_size(&w->gateway));
	guest_put(o, GUEST_ROUTE, b, 8 + 2 * size);
}

static void put_link(struct guest_out *o, const struct vm_net *net)
{
	const struct net_leg *leg = &net->leg;
	uint8_t b[8 + GUEST_LINK_MAC + IFNAMSIZ];
	size_t n = strlen(leg->inside) + 1;

	guest_put64(b, leg->mtu);
	memcpy(b + 8, leg->mac, GUEST_LINK_MAC);
	memcpy(b + 8 + GUEST_LINK_MAC, leg->inside, n);
	guest_put(o, GUEST_LINK, b, 8 + GUEST_LINK_MAC + n);
	put_address(o, &leg->v4);
	put_address(o, &leg->v6);
	for (size_t i = 0; i < ARRAY_LEN(leg->gateways); i++)
		if (leg->gateways[i].family != 0)
			put_route(o, &(struct net_way) { .to.base.family = leg->gateways[i].family,
							 .gateway = leg->gateways[i] });
	for (size_t i = 0; net->device != NULL && i < net->device->nr_addresses; i++)
		put_address(o, &net->device->addresses[i]);
	for (size_t i = 0; net->device != NULL && i < net->device->nr_ways; i++)
		put_route(o, &net->device->ways[i]);
}

uint64_t vm_message_number(void)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t) time_now_ns();
	return number;
}

int vm_message_run(const struct oci_spec *spec, const struct vm_how *how, const struct vm_net *nets, size_t nr_nets,
		   struct str *ret, struct err *err)
{
	_cleanup_free_ uint8_t *buf = malloc(GUEST_BODY_MAX);
	struct guest_out o = { .p = buf, .room = GUEST_BODY_MAX };
	int r;

	if (buf == NULL)
		return err_set(err, -ENOMEM, "describe the program");
	guest_begin(&o, GUEST_RUN);
	put_process(&o, &spec->process, how, spec->root_readonly ? GUEST_ROOT_RO : 0u);
	r = put_filter(&o, spec, err);
	if (r == 0)
		r = put_machine(&o, spec, how->image, err);
	for (size_t i = 0; i < nr_nets; i++)
		put_link(&o, &nets[i]);
	return r == 0 ? finish(&o, ret, err) : r;
}

int vm_message_connect(const struct vm_net *net, struct str *ret, struct err *err)
{
	uint8_t buf[LINK_MAX_BYTES];
	struct guest_out o = { .p = buf, .room = sizeof(buf) };

	guest_begin(&o, GUEST_CONNECT);
	put_link(&o, net);
	return finish(&o, ret, err);
}

int vm_message_exec(const struct oci_spec *spec, const struct oci_process *p, const struct vm_how *how, struct str *ret,
		    struct err *err)
{
	_cleanup_free_ uint8_t *buf = malloc(GUEST_BODY_MAX);
	struct guest_out o = { .p = buf, .room = GUEST_BODY_MAX };
	int r;

	if (buf == NULL)
		return err_set(err, -ENOMEM, "describe the program");
	guest_begin(&o, GUEST_EXEC);
	put_process(&o, p, how, 0);
	r = put_filter(&o, spec, err);
	return r == 0 ? finish(&o, ret, err) : r;
}
