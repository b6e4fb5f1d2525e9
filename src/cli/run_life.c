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
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/spec.h"
#include "oci/lifecycle.h"

#define SYSTEMD_STOP_SIGNAL "SIGRTMIN+3"
#define HEALTH_MIN 1000000 /* nanoseconds, as Docker */

/* POLICY[:TIMES] */
static int read_restart(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	static const char *const policies[] = { "no", "on-failure", "always", "unless-stopped" };
	const char *text = o->restart, *colon;
	size_t n, i = 0;

	if (text == NULL || *text == '\0')
		return 0;
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

static int read_health(struct eng_config *c, const struct run_opts *o,
		       const struct img_config *image, struct err *err)
{
	int r = health_command(c, o, image, err);

	if (r == 0)
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
	return r;
}

/* max-size, max-file: what a log is rotated by */
static int check_log_opt(const char *driver, const char *text, struct err *err)
{
	static const char *const others[] = { "labels", "labels-regex", "env", "env-regex", "tag",
					      "path", "mode", "max-buffer-size" };
	size_t n = strcspn(text, "=");
	const char *value = text[n] == '=' ? text + n + 1 : NULL;
	uint64_t v;

	if (value == NULL || n == 0)
		return err_msg(err, -EINVAL, "invalid logging opt: %.100s: expected NAME=VALUE",
			       text);
	if (strncmp(text, "max-size", n) == 0 && n == 8)
		return strcmp(value, "-1") == 0 || (eng_size_parse(value, &v) == 0 && v > 0)
			       ? 0
			       : err_msg(err, -EINVAL, "--log-opt '%.100s': invalid size", text);
	if (strncmp(text, "max-file", n) == 0 && n == 8)
		return str_to_u64(value, &v) == 0 && v >= 1 && v <= 10000
			       ? 0
			       : err_msg(err, -EINVAL,
					 "--log-opt '%.100s': max-file must be 1 to 10000", text);
	if (strncmp(text, "compress", n) == 0 && n == 8)
		return strcmp(value, "true") == 0 || strcmp(value, "false") == 0
			       ? 0
			       : err_msg(err, -EINVAL, "--log-opt '%.100s': true or false", text);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strlen(others[i]) == n && strncmp(others[i], text, n) == 0)
			return 0;
	return err_msg(err, -EINVAL, "unknown log opt '%.*s' for %s log driver", (int) n, text,
		       driver);
}

static int read_log(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	static const char *const drivers[] = { "json-file", "journald", "none" };
	const char *driver = o->log_driver != NULL ? o->log_driver : "json-file";
	size_t i = 0;
	int r = 0;

	if (strcmp(driver, "k8s-file") == 0 || strcmp(driver, "local") == 0)
		driver = "json-file"; /* Podman's and Docker's names of such a file */
	while (i < ARRAY_LEN(drivers) && strcmp(drivers[i], driver) != 0)
		i++;
	if (i == ARRAY_LEN(drivers))
		return err_msg(
			err, -EINVAL,
			"logger: no log driver named '%.100s' is registered: json-file, journald and none are",
			driver);
	if (strcmp(driver, "none") == 0 && o->log_opt.n > 0)
		return err_msg(err, -EINVAL,
			       "invalid logging opts for driver none: %.100s", o->log_opt.v[0]);
	for (size_t k = 0; r == 0 && k < o->log_opt.n; k++) {
		r = check_log_opt(driver, o->log_opt.v[k], err);
		if (r == 0 && eng_env_set(&c->arena, &c->log_opts, o->log_opt.v[k]) < 0)
			r = run_nomem(err);
	}
	return r == 0 && o->log_driver != NULL ? run_text(c, driver, &c->log_driver, err) : r;
}

/* One letter, or ctrl- and one of a-z @ [ \\ ] ^ _ */
static bool is_key(const char *p, size_t n)
{
	if (n == 1)
		return *p > ' ' && *p < 0x7f;
	return n == 6 && strncmp(p, "ctrl-", 5) == 0 &&
	       ((p[5] >= 'a' && p[5] <= 'z') || (p[5] != '\0' && strchr("@[\\]^_", p[5]) != NULL));
}

/* What only the foreground needs is checked, and not kept. */
static int check_foreground(const struct run_opts *o, struct err *err)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };

	for (const char *p = o->detach_keys; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, ",");

		if (!is_key(p, n))
			return err_msg(err, -EINVAL,
				       "invalid detach keys (%.100s): expected e.g. ctrl-p,ctrl-q or a letter",
				       o->detach_keys);
		p += n + (p[n] == ',');
	}
	for (size_t i = 0; i < o->attach.n; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(streams) && strcasecmp(streams[k], o->attach.v[i]) != 0)
			k++;
		if (k == ARRAY_LEN(streams))
			return err_msg(err, -EINVAL,
				       "--attach '%.100s': valid streams are STDIN, STDOUT and STDERR",
				       o->attach.v[i]);
	}
	if (o->attach.n > 0 && o->detach)
		return err_msg(err, -EINVAL,
			       "conflicting options: cannot specify both --attach and --detach");
	return 0;
}

int run_life(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
	     struct err *err)
{
	int r = read_restart(c, o, err);

	if (r == 0)
		r = read_stop(c, o, image, err);
	if (r == 0)
		r = read_health(c, o, image, err);
	if (r == 0)
		r = read_log(c, o, err);
	return r == 0 ? check_foreground(o, err) : r;
}
