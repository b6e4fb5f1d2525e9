/* SPDX-License-Identifier: MIT */
/**
 * DOC: restart, stop, health, log
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/attach.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/health.h"
#include "engine/log.h"
#include "engine/spec.h"
#include "oci/lifecycle.h"

#define SYSTEMD_STOP_SIGNAL "SIGRTMIN+3"
#define HEALTH_MIN 1000000 /* nanoseconds, as Docker */

int run_restart(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	static const char *const policies[] = { "no", "on-failure", "always", "unless-stopped" };
	const char *text = o->restart, *colon;
	size_t n, i = 0;

	if (text == NULL || *text == '\0')
		return 0;
	c->restart_max = 0;
	n = strcspn(text, ":");
	colon = text[n] == ':' ? text + n + 1 : NULL;
	while (i < ARRAY_LEN(policies) &&
	       (strlen(policies[i]) != n || strncmp(policies[i], text, n) != 0))
		i++;
	if (i == ARRAY_LEN(policies))
		return err_msg(
			err, -EINVAL,
			"invalid restart policy: unknown policy '%.*s'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
			(int) (n < 100 ? n : 100), text);
	if (colon != NULL && (str_to_u64(colon, &c->restart_max) < 0 || c->restart_max > INT32_MAX))
		return err_msg(
			err, -EINVAL,
			"invalid restart policy format: maximum retry count must be an integer, not '%.100s'",
			colon);
	if (colon != NULL && i != 1)
		return err_msg(
			err, -EINVAL,
			"invalid restart policy: maximum retry count can only be used with 'on-failure'");
	if (o->auto_remove && i != 0)
		return err_msg(err, -EINVAL,
			       "conflicting options: cannot specify both --restart and --rm");
	return run_text(c, policies[i], &c->restart, err);
}

static int read_stop(struct eng_config *c, const struct run_opts *o,
		     const struct img_config *image, struct err *err)
{
	const char *s = o->stop_signal != NULL ? o->stop_signal : image->stop_signal;

	if (o->systemd != NULL && strcmp(o->systemd, "true") != 0 &&
	    strcmp(o->systemd, "false") != 0 && strcmp(o->systemd, "always") != 0)
		return err_msg(err, -EINVAL,
			       "--systemd '%.100s': true, false and always are known", o->systemd);
	int r = run_text(c, o->systemd, &c->systemd, err);
	if (r < 0)
		return r;
	if (s == NULL && eng_spec_is_systemd(c))
		s = SYSTEMD_STOP_SIGNAL;
	if (o->stop_timeout != NULL &&
	    (str_to_i64(o->stop_timeout, &c->stop_timeout) < 0 || c->stop_timeout < -1 ||
	     c->stop_timeout > INT32_MAX))
		return err_msg(err, -EINVAL,
			       "--stop-timeout '%.100s': expected a number of seconds, -1 for ever",
			       o->stop_timeout);
	if (o->stop_signal != NULL && oci_signal_parse(o->stop_signal) <= 0)
		return err_msg(err, -EINVAL, "--stop-signal: invalid signal: %.100s",
			       o->stop_signal);
	return s != NULL && oci_signal_parse(s) > 0 ? run_text(c, s, &c->stop_signal, err) : 0;
}

/* Given, else the image's. */
static int duration(const char *name, const char *text, uint64_t image, uint64_t *ret,
		    struct err *err)
{
	*ret = image;
	if (text == NULL)
		return 0;
	if (eng_duration_parse(text, ret) < 0)
		return err_msg(err, -EINVAL,
			       "%s '%.100s': expected a time such as 30s or 1m30s", name, text);
	if (*ret != 0 && *ret < HEALTH_MIN)
		return err_msg(err, -EINVAL, "%s '%.100s': cannot be less than 1ms", name, text);
	return 0;
}

static int health_command(struct eng_config *c, const struct run_opts *o,
			  const struct img_config *image, struct err *err)
{
	int r = 0;

	if (o->no_health && (o->health_cmd != NULL || o->health_interval != NULL ||
			     o->health_timeout != NULL || o->health_retries != NULL ||
			     o->health_start_period != NULL || o->health_start_interval != NULL))
		return err_msg(err, -EINVAL,
			       "--no-healthcheck conflicts with --health-* options");
	if (o->no_health)
		r = eng_words_add(&c->arena, &c->health, "NONE");
	else if (o->health_cmd != NULL && *o->health_cmd != '\0') {
		r = eng_words_add(&c->arena, &c->health, "CMD-SHELL");
		if (r == 0)
			r = eng_words_add(&c->arena, &c->health, o->health_cmd);
	} else
		for (size_t i = 0; r == 0 && i < image->health.n; i++)
			r = eng_words_add(&c->arena, &c->health, image->health.v[i]);
	return r < 0 ? run_nomem(err) : 0;
}

static int read_reaction(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	static const char *const known[] = { "kill", "restart", "stop" };
	const char *what = o->health_on_failure;

	if (what == NULL || strcmp(what, "none") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(what, known[i]) == 0) {
			if (!eng_health_wanted(c))
				return err_msg(err, -EINVAL,
					       "--health-on-failure '%s': there is no health check",
					       what);
			return run_text(c, what, &c->health_on_failure, err);
		}
	return err_msg(err, -EINVAL,
		       "--health-on-failure '%.32s': none, kill, restart and stop are known", what);
}

static int read_health(struct eng_config *c, const struct run_opts *o,
		       const struct img_config *image, struct err *err)
{
	int r = health_command(c, o, image, err);

	if (r == 0 && o->health_interval != NULL && strcmp(o->health_interval, "disable") == 0)
		c->health_interval = ENG_HEALTH_NEVER;
	else if (r == 0)
		r = duration("--health-interval", o->health_interval, image->health_interval,
			     &c->health_interval, err);
	if (r == 0)
		r = duration("--health-timeout", o->health_timeout, image->health_timeout,
			     &c->health_timeout, err);
	if (r == 0)
		r = duration("--health-start-period", o->health_start_period,
			     image->health_start_period, &c->health_start_period, err);
	if (r == 0)
		r = duration("--health-start-interval", o->health_start_interval,
			     image->health_start_interval, &c->health_start_interval, err);
	c->health_retries = image->health_retries;
	if (r == 0 && o->health_retries != NULL &&
	    (str_to_u64(o->health_retries, &c->health_retries) < 0 ||
	     c->health_retries > INT32_MAX))
		return err_msg(err, -EINVAL, "--health-retries '%.100s': expected a number",
			       o->health_retries);
	return r == 0 ? read_reaction(c, o, err) : r;
}

static int read_log(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	const char *driver = o->log_driver != NULL ? o->log_driver : "json-file";
	struct eng_log log;
	int r = 0;

	if (strcmp(driver, "k8s-file") == 0 || strcmp(driver, "local") == 0)
		driver = "json-file"; /* Podman's and Docker's names of such a file */
	for (size_t k = 0; r == 0 && k < o->log_opt.n; k++)
		r = eng_env_set(&c->arena, &c->log_opts, o->log_opt.v[k]);
	r = r < 0 ? run_nomem(err) : eng_log_parse(driver, &c->log_opts, &log, err);
	return r == 0 && o->log_driver != NULL ? run_text(c, driver, &c->log_driver, err) : r;
}

/* What only the foreground needs is checked, and not kept. */
static int check_foreground(const struct run_opts *o, struct err *err)
{
	struct cli_client client = { .detach_keys = o->detach_keys };
	int r = cli_client_check(&client, err);

	if (r == 0)
		r = cli_client_streams(&client, &o->attach, err);
	if (r == 0 && o->attach.n > 0 && o->detach)
		return err_msg(err, -EINVAL,
			       "conflicting options: cannot specify both --attach and --detach");
	return r;
}

int run_life(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
	     struct err *err)
{
	int r = run_restart(c, o, err);

	if (r == 0)
		r = read_stop(c, o, image, err);
	if (r == 0)
		r = read_health(c, o, image, err);
	if (r == 0)
		r = read_log(c, o, err);
	return r == 0 ? check_foreground(o, err) : r;
}
