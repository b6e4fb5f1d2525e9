/* SPDX-License-Identifier: MIT */
#include "cli/instance_match.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/str.h"
#include "cli/filter.h"
#include "engine/engine.h"
#include "engine/instance.h"

const struct eng_config *instance_match_config(struct instance_match *m)
{
	if (!m->has_config) {
		m->config = (struct eng_config) { 0 };
		(void) eng_instance_config(m->e, m->i, &m->config, NULL);
		m->has_config = true;
	}
	return &m->config;
}

const char *instance_state(const struct eng_instance *i)
{
	return i->paused ? "paused" : eng_state_name(i->state);
}

/* "name", "name:tag", or the beginning of an id */
static bool has_ancestor(const struct eng_instance *i, const char *value)
{
	size_t n = strlen(value);

	if (strcmp(i->image, value) == 0 ||
	    (strncmp(i->image, value, n) == 0 && strcmp(i->image + n, ":latest") == 0))
		return true;
	if (str_starts(value, i->image) && strcmp(value + strlen(i->image), ":latest") == 0)
		return true;
	return str_starts(i->image_id, str_starts(value, "sha256:") ? value + 7 : value);
}

static bool has_volume(const struct eng_config *c, const char *value)
{
	for (size_t i = 0; i < c->nr_mounts; i++)
		if (strcmp(c->mounts[i].destination, value) == 0 ||
		    (c->mounts[i].source != NULL && strcmp(c->mounts[i].source, value) == 0))
			return true;
	return false;
}

static bool has_network(const struct eng_config *c, const char *value)
{
	if (strcmp(c->network != NULL ? c->network : "none", value) == 0)
		return true;
	for (size_t i = 0; i < c->networks.n; i++)
		if (strncmp(c->networks.v[i], value, strlen(value)) == 0 &&
		    (c->networks.v[i][strlen(value)] == '\0' || c->networks.v[i][strlen(value)] == ','))
			return true;
	return false;
}

/* The port inside of what --publish was given: "[ADDRESS:]PORT:PORT/PROTOCOL" */
static const char *inner_port(const char *publish)
{
	const char *colon = strrchr(publish, ':');

	return colon != NULL ? colon + 1 : publish;
}

/*
 * "80", "80-90", "80/udp"; @ports: "80/tcp", of @name "publish" what was given to that option.
 * Which ports --publish-all took is for the network to know.
 */
static int has_port(const char *name, const struct img_words *ports, const char *value, struct err *err)
{
	unsigned long first, last, low, high;
	char *end;

	first = last = strtoul(value, &end, 10);
	if (*end == '-' && isdigit((unsigned char) end[1]))
		last = strtoul(end + 1, &end, 10);
	if (!isdigit((unsigned char) *value) || (*end != '\0' && *end != '/'))
		return err_msg(err, -EINVAL, "invalid filter '%s=%.100s': 80, 80-90 or 80/udp", name,
			       value);
	for (size_t i = 0; i < ports->n; i++) {
		const char *port = inner_port(ports->v[i]), *protocol = strchr(port, '/');
		char *dash;

		low = high = strtoul(port, &dash, 10);
		if (*dash == '-')
			high = strtoul(dash + 1, NULL, 10);
		if (high >= first && low <= last &&
		    strcmp(*end != '\0' ? end : "/tcp", protocol != NULL ? protocol : "/tcp") == 0)
			return 1;
	}
	return 0;
}

static int test_status(const struct eng_instance *i, const char *value, struct err *err)
{
	static const char *const known[] = { "created", "restarting", "running", "removing",
					     "paused",  "exited",     "dead" };

	if (strcmp(value, "stopped") == 0)
		value = "exited"; /* Podman's word */
	for (size_t n = 0; n < ARRAY_LEN(known); n++)
		if (strcmp(value, known[n]) == 0)
			return strcmp(instance_state(i), value) == 0;
	return err_msg(err, -EINVAL,
		       "invalid filter 'status=%.100s': created, restarting, running, removing, paused,"
		       " exited or dead",
		       value);
}

/* With or without the slash of Docker's names */
static int has_name(const struct eng_instance *i, const char *value, struct err *err)
{
	char slashed[ENG_NAME_MAX + 2];

	(void) snprintf(slashed, sizeof(slashed), "/%s", i->name);
	return filter_regex("name", value, 0, i->name, slashed, err);
}

/* The beginning of an id, or an expression */
static int has_id(const struct eng_instance *i, const char *value, struct err *err)
{
	if (strspn(value, "0123456789abcdefABCDEF") == strlen(value))
		return strncasecmp(i->id, value, strlen(value)) == 0;
	return filter_regex("id", value, REG_ICASE, i->id, i->id, err);
}

/* It was running when the machine stopped, or ended by itself; not what a person stopped. */
static bool starts_on_boot(const struct eng_instance *i)
{
	if (i->started == 0)
		return false;
	return strcmp(i->restart, "always") == 0 ||
	       (strcmp(i->restart, "unless-stopped") == 0 && !i->stopped);
}

static int test_restart(const struct eng_instance *i, const char *value, struct err *err)
{
	static const char *const known[] = { "no", "on-failure", "always", "unless-stopped" };

	if (strcmp(value, "none") == 0 || *value == '\0')
		value = "no";
	for (size_t n = 0; n < ARRAY_LEN(known); n++)
		if (strcmp(value, known[n]) == 0)
			return strcmp(i->restart[0] != '\0' ? i->restart : "no", value) == 0;
	return err_msg(err, -EINVAL, "invalid filter 'restart-policy=%.100s'", value);
}

static int test(const void *what, const char *name, const char *value, struct err *err)
{
	struct instance_match *m = (struct instance_match *) what; /* reads the configuration late */
	const struct eng_instance *i = m->i;
	int64_t code;
	bool flag;

	if (strcmp(name, "id") == 0)
		return has_id(i, value, err);
	if (strcmp(name, "name") == 0)
		return has_name(i, value, err);
	if (strcmp(name, "status") == 0)
		return test_status(i, value, err);
	if (strcmp(name, "exited") == 0) {
		if (str_to_i64(value, &code) < 0)
			return err_msg(err, -EINVAL, "invalid filter 'exited=%.100s'", value);
		return i->state == ENG_STATE_EXITED && i->exit_code == code;
	}
	if (strcmp(name, "label") == 0 || strcmp(name, "label!") == 0)
		return filter_label(&instance_match_config(m)->labels, value) == (name[5] == '\0');
	if (strcmp(name, "ancestor") == 0)
		return has_ancestor(i, value);
	if (strcmp(name, "health") == 0)
		return strcmp(i->health[0] != '\0' ? i->health : "none", value) == 0;
	if (strcmp(name, "isolation") == 0)
		return strcmp(i->isolation, value) == 0;
	if (strcmp(name, "volume") == 0)
		return has_volume(instance_match_config(m), value);
	if (strcmp(name, "restart-policy") == 0)
		return test_restart(i, value, err);
	if (strcmp(name, "should-start-on-boot") == 0) {
		int r = filter_flag(name, value, &flag, err);

		return r < 0 ? r : starts_on_boot(i) == flag;
	}
	if (strcmp(name, "before") == 0)
		return m->has_before && i->created < m->before;
	if (strcmp(name, "since") == 0)
		return m->has_since && i->created > m->since;
	if (strcmp(name, "network") == 0)
		return has_network(instance_match_config(m), value);
	if (strcmp(name, "is-task") == 0) { /* of a swarm, which nothing here is */
		int r = filter_flag(name, value, &flag, err);

		return r < 0 ? r : !flag;
	}
	if (strcmp(name, "publish") == 0)
		return has_port(name, &instance_match_config(m)->ports, value, err);
	return has_port(name, &instance_match_config(m)->expose, value, err);
}

int instance_match_limits(struct instance_match *m, const struct opt_strings *filters,
			  struct arena *arena, struct err *err)
{
	struct eng_instance limit;
	int r = filter_check(filters, INSTANCE_FILTERS, err);

	for (size_t n = 0; r == 0 && n < filters->n; n++) {
		const char *f = filters->v[n];

		if (str_starts(f, "before=")) {
			r = eng_instance_find(m->e, f + 7, arena, &limit, err);
			m->has_before = r == 0;
			m->before = r == 0 ? limit.created : 0;
		} else if (str_starts(f, "since=")) {
			r = eng_instance_find(m->e, f + 6, arena, &limit, err);
			m->has_since = r == 0;
			m->since = r == 0 ? limit.created : 0;
		}
	}
	return r;
}

int instance_match(struct instance_match *m, const struct eng_instance *i,
		   const struct opt_strings *filters, struct err *err)
{
	instance_match_fini(m);
	m->i = i;
	return filter_match(filters, test, m, err);
}

void instance_match_fini(struct instance_match *m)
{
	if (m->has_config)
		eng_config_fini(&m->config);
	m->has_config = false;
}
