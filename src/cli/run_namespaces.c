/* SPDX-License-Identifier: MIT */
/**
 * DOC: namespaces
 *
 * "container:NAME" is kept with the whole id of the other instance.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/userns.h"

#define JOINED "container:"
#define HOSTNAME_SIZE 256

/* @modes: ends with NULL */
int run_mode(struct engine *e, struct eng_config *c, const char *option, const char *text,
		const char *const *modes, const char **ret, struct err *err)
{
	_cleanup_(str_fini) struct str known = { 0 };
	struct eng_instance other;
	int r;

	if (text == NULL || *text == '\0')
		return 0;
	for (; *modes != NULL; modes++) {
		bool joins = strcmp(*modes, JOINED) == 0;

		str_printf(&known, "%s'%s%s'", known.len > 0 ? ", " : "", *modes,
			   joins ? "NAME" : "");
		if (strcmp(text, *modes) == 0 && !joins)
			return run_text(c, text, ret, err);
		if (!joins || !str_starts(text, JOINED))
			continue;
		r = eng_instance_find(e, text + strlen(JOINED), &c->arena, &other, err);
		if (r < 0)
			return r;
		*ret = arena_printf(&c->arena, JOINED "%s", other.id);
		return *ret != NULL ? 0 : run_nomem(err);
	}
	return err_msg(err, -EINVAL, "%s '%.200s': invalid mode: %s are known", option, text,
		       known.failed ? "" : known.p);
}

/* An instance that shares its IPC namespace has to have been made for that. */
static int check_ipc(struct engine *e, struct eng_config *c, struct err *err)
{
	struct eng_instance other;
	struct eng_config config;
	int r;

	if (c->ipc == NULL || !str_starts(c->ipc, JOINED))
		return 0;
	r = eng_instance_find(e, c->ipc + strlen(JOINED), &c->arena, &other, err);
	if (r == 0)
		r = eng_instance_config(e, &other, &config, err);
	if (r < 0)
		return r;
	if (config.ipc == NULL || strcmp(config.ipc, "shareable") != 0)
		r = err_msg(
			err, -EINVAL,
			"can't join IPC of container %.12s: non-shareable IPC (hint: use --ipc shareable for the donor container)",
			other.id);
	eng_config_fini(&config);
	return r;
}

static int read_userns(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	const char *text = o->userns;

	if (text == NULL || *text == '\0' || strcmp(text, "host") == 0)
		return run_text(c, text, &c->userns, err);
	if (strcmp(text, "keep-id") == 0 || str_starts(text, "keep-id:") ||
	    strcmp(text, "nomap") == 0)
		return err_msg(err, -EINVAL, "--userns %s is only supported in rootless mode", text);
	if (!str_starts(text, "auto"))
		return err_msg(
			err, -EINVAL,
			"--userns '%.200s': invalid mode: 'host', 'auto' and, rootless, 'keep-id' are known",
			text);
	if (o->privileged)
		return err_msg(err, -EINVAL, "conflicting options: --privileged and --userns %s",
			       text);
	int r = eng_userns_parse(text, &c->userns_size, err);
	return r == 0 ? run_text(c, text, &c->userns, err) : r;
}

/* With the host's UTS namespace or network, an instance has the host's name. */
static int host_name(struct eng_config *c, struct err *err)
{
	char name[HOSTNAME_SIZE] = "";

	if (gethostname(name, sizeof(name) - 1) < 0)
		return err_set(err, -errno, "get the host's name");
	return run_text(c, name, &c->hostname, err);
}

/* It has the host name of the instance whose UTS namespace it joins. */
static int joined_name(struct engine *e, struct eng_config *c, struct err *err)
{
	struct eng_instance other;
	struct eng_config config;
	int r = eng_instance_find(e, c->uts + strlen(JOINED), &c->arena, &other, err);

	if (r == 0)
		r = eng_instance_config(e, &other, &config, err);
	if (r < 0)
		return r;
	r = run_text(c, config.hostname, &c->hostname, err);
	eng_config_fini(&config);
	return r;
}

static int check_conflicts(const struct eng_config *c, const struct run_opts *o, struct err *err)
{
	bool joined = c->network != NULL && str_starts(c->network, JOINED);

	if (c->uts != NULL && strcmp(c->uts, "private") != 0 &&
	    (o->hostname != NULL || o->domainname != NULL))
		return err_msg(err, -EINVAL, "conflicting options: hostname and the UTS mode");
	if (joined && o->hostname != NULL)
		return err_msg(err, -EINVAL, "conflicting options: hostname and the network mode");
	if (joined && (o->dns.n > 0 || o->dns_search.n > 0 || o->dns_option.n > 0))
		return err_msg(err, -EINVAL, "conflicting options: dns and the network mode");
	if (joined && o->add_host.n > 0)
		return err_msg(err, -EINVAL,
			       "conflicting options: custom host-to-IP mapping and the network mode");
	if (joined && o->mac_address != NULL)
		return err_msg(err, -EINVAL,
			       "conflicting options: mac-address and the network mode");
	if (joined && (o->publish.n > 0 || o->publish_all))
		return err_msg(err, -EINVAL,
			       "conflicting options: port publishing and the container type network mode");
	if (joined && o->expose.n > 0)
		return err_msg(err, -EINVAL,
			       "conflicting options: port exposing and the container type network mode");
	return 0;
}

int run_namespaces(struct engine *e, struct eng_config *c, const struct run_opts *o,
		   struct err *err)
{
	static const char *const ipc[] = { "private", "shareable", "host", "none", JOINED, NULL };
	static const char *const modes[] = { "private", "host", JOINED, NULL };
	bool host;
	int r = run_network(e, c, o, err);

	if (r == 0)
		r = run_mode(e, c, "--ipc", o->ipc, ipc, &c->ipc, err);
	if (r == 0)
		r = check_ipc(e, c, err);
	if (r == 0)
		r = run_mode(e, c, "--pid", o->pid, modes, &c->pid, err);
	if (r == 0)
		r = run_mode(e, c, "--uts", o->uts, modes, &c->uts, err);
	if (r == 0)
		r = run_mode(e, c, "--cgroupns", o->cgroupns, modes, &c->cgroupns, err);
	if (r == 0)
		r = read_userns(c, o, err);
	if (r == 0 && c->uts != NULL && str_starts(c->uts, JOINED))
		r = joined_name(e, c, err);
	if (r == 0)
		r = check_conflicts(c, o, err);
	host = (c->network != NULL && strcmp(c->network, "host") == 0) ||
	       (c->uts != NULL && strcmp(c->uts, "host") == 0);
	return r == 0 && host && o->hostname == NULL ? host_name(c, err) : r;
}
