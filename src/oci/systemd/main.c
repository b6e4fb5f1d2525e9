/* SPDX-License-Identifier: MIT */
/**
 * DOC: cleave-systemd
 *
 * A helper of the container runtime that asks systemd for transient units.  It is a program of its
 * own because libsystemd is a shared library and the runtime is static.
 *     cleave-systemd [--user] start|set|attach|stop UNIT < properties
 * "start" prints the unit's cgroup.  A failure is one line on standard error and exit status 1.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/systemd/property.h"

#define NAME "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define MANAGER NAME ".Manager"
#define INPUT_MAX (1u << 20)
#define JOB_TIMEOUT 30 /* seconds */
#define WAIT_STEP 1000000 /* us */

/**
 * struct session - one run
 * @job: object path of the job that is waited for
 * @result: how it ended, empty until then
 */
struct session {
	sd_bus *bus;
	const char *unit;
	char job[128], result[32];
};

/* The manager's own socket, which also works without D-Bus daemon; NULL when it cannot be used. */
static sd_bus *connect_private(const char *dir)
{
	char address[PATH_MAX];
	sd_bus *bus = NULL;

	if (sd_bus_new(&bus) < 0)
		return NULL;
	if (snprintf(address, sizeof(address), "unix:path=%s/systemd/private", dir) < (int) sizeof(address) &&
	    sd_bus_set_address(bus, address) >= 0 && sd_bus_start(bus) >= 0)
		return bus;
	sd_bus_unref(bus);
	return NULL;
}

static int connect_bus(bool user, sd_bus **ret)
{
	char runtime[64];
	const char *dir = "/run";

	if (user) {
		dir = getenv("XDG_RUNTIME_DIR");
		if (dir == NULL || *dir == '\0') {
			(void) snprintf(runtime, sizeof(runtime), "/run/user/%u", (unsigned) getuid());
			(void) setenv("XDG_RUNTIME_DIR", runtime, 1); /* without memory the bus is not found */
			dir = runtime;
		}
	}
	*ret = user || geteuid() == 0 ? connect_private(dir) : NULL;
	if (*ret != NULL)
		return 0;
	return user ? sd_bus_open_user(ret) : sd_bus_open_system(ret);
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct session *s = userdata;
	const char *path, *unit, *result;
	uint32_t id;

	(void) e;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0 && strcmp(path, s->job) == 0)
		(void) snprintf(s->result, sizeof(s->result), "%s", result); /* known words fit */
	return 0;
}

static int wait_job(struct session *s, struct err *err)
{
	time_t end = time(NULL) + JOB_TIMEOUT;

	while (s->result[0] == '\0') {
		int r = sd_bus_process(s->bus, NULL);

		if (r == 0)
			r = sd_bus_wait(s->bus, WAIT_STEP);
		if (r < 0)
			return err_set(err, r, "wait for systemd");
		if (time(NULL) > end)
			return err_msg(err, -ETIMEDOUT, "systemd has not finished after %d seconds", JOB_TIMEOUT);
	}
	return strcmp(s->result, "done") == 0 ? 0 : err_msg(err, -EIO, "the job ended as '%s'", s->result);
}

static int version_of(sd_bus *bus)
{
	_cleanup_free_ char *text = NULL;
	int v;

	if (sd_bus_get_property_string(bus, NAME, PATH, MANAGER, "Version", NULL, &text) < 0)
		return 0;
	return sscanf(text + strcspn(text, "0123456789"), "%d", &v) == 1 ? v : 0;
}

/* Message of a refused call. */
static int bus_failed(int r, sd_bus_error *e, struct err *err)
{
	return e->message != NULL ? err_msg(err, r, "%s", e->message) : err_set(err, r, "talk to systemd");
}

static void reset_failed(struct session *s)
{
	/* a unit that is not failed refuses, which is fine */
	(void) sd_bus_call_method(s->bus, NAME, PATH, MANAGER, "ResetFailedUnit", NULL, NULL, "s", s->unit);
}

/* Send @m, whose reply is a job; the caller waits for it. */
static int call_job(struct session *s, sd_bus_message *m, sd_bus_error *e)
{
	sd_bus_message *reply = NULL;
	const char *job;
	int r = sd_bus_call(s->bus, m, 0, e, &reply);

	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job);
	if (r >= 0)
		(void) snprintf(s->job, sizeof(s->job), "%s", job); /* ".../job/" and a number */
	sd_bus_message_unref(reply);
	return r;
}

static int start_once(struct session *s, const char *input, sd_bus_error *e, struct err *err)
{
	_cleanup_free_ char *text = strdup(input);
	sd_bus_message *m = NULL;
	int version = version_of(s->bus), r;

	if (text == NULL)
		return err_set(err, -ENOMEM, "read properties");
	r = sd_bus_message_new_method_call(s->bus, &m, NAME, PATH, MANAGER, "StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", s->unit, "replace");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = property_lines(m, text, version, err);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = call_job(s, m, e);
	sd_bus_message_unref(m);
	return r;
}

static int print_cgroup(struct session *s, struct err *err)
{
	const char *kind = strstr(s->unit, ".slice") != NULL ? NAME ".Slice" : NAME ".Scope";
	_cleanup_free_ char *path = NULL, *cgroup = NULL;
	int r = sd_bus_path_encode(PATH "/unit", s->unit, &path);

	if (r >= 0)
		r = sd_bus_get_property_string(s->bus, NAME, path, kind, "ControlGroup", NULL, &cgroup);
	if (r < 0)
		return err_set(err, r, "ask for the unit's cgroup");
	(void) puts(cgroup);
	return 0;
}

static int do_start(struct session *s, const char *input, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = start_once(s, input, &e, err);

	if (r < 0 && sd_bus_error_has_name(&e, NAME ".UnitExists")) { /* failed before and kept */
		sd_bus_error_free(&e);
		reset_failed(s);
		r = start_once(s, input, &e, err);
	}
	if (r < 0)
		r = err != NULL && err->code < 0 ? r : bus_failed(r, &e, err);
	else
		r = wait_job(s, err);
	sd_bus_error_free(&e);
	if (r < 0) {
		reset_failed(s);
		return r;
	}
	return print_cgroup(s, err);
}

static int do_set(struct session *s, char *input, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(s->bus, &m, NAME, PATH, MANAGER, "SetUnitProperties");

	if (r >= 0)
		r = sd_bus_message_append(m, "sb", s->unit, 1);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = property_lines(m, input, version_of(s->bus), err);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_call(s->bus, m, 0, &e, NULL);
	if (r < 0 && err->code == 0)
		(void) bus_failed(r, &e, err);
	sd_bus_message_unref(m);
	sd_bus_error_free(&e);
	return r;
}

static int do_stop(struct session *s, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(s->bus, &m, NAME, PATH, MANAGER, "StopUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", s->unit, "replace");
	if (r >= 0)
		r = call_job(s, m, &e);
	if (r >= 0)
		r = wait_job(s, err);
	else if (sd_bus_error_has_name(&e, NAME ".NoSuchUnit"))
		r = 0;
	else
		(void) bus_failed(r, &e, err);
	reset_failed(s);
	sd_bus_message_unref(m);
	sd_bus_error_free(&e);
	return r;
}

/* @input: the number of a process of the caller's user, which systemd moves into the unit. */
static int do_attach(struct session *s, const char *input, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	unsigned long pid = strtoul(input != NULL ? input : "", NULL, 10);
	int r;

	if (pid == 0 || pid > INT_MAX)
		return err_msg(err, -EINVAL, "'%s' is no process", input != NULL ? input : "");
	r = sd_bus_call_method(s->bus, NAME, PATH, MANAGER, "AttachProcessesToUnit", &e, NULL,
			       "ssau", s->unit, "", 1, (uint32_t) pid);
	if (r < 0)
		(void) bus_failed(r, &e, err);
	sd_bus_error_free(&e);
	return r;
}

static int run(int argc, char **argv, struct err *err)
{
	bool user = argc > 1 && strcmp(argv[1], "--user") == 0;
	_cleanup_(str_fini) struct str input = { 0 };
	struct session s = { 0 };
	int r;

	argc -= user;
	argv += user;
	if (argc != 3)
		return err_msg(err, -EINVAL, "usage: cleave-systemd [--user] start|set|attach|stop UNIT");
	s.unit = argv[2];
	r = fd_read_str(0, INPUT_MAX, &input);
	if (r < 0)
		return err_set(err, r, "read properties");
	r = connect_bus(user, &s.bus);
	if (r < 0)
		return err_set(err, r, "connect to systemd%s", user ? " of the user" : "");
	r = sd_bus_match_signal(s.bus, NULL, NULL, PATH, MANAGER, "JobRemoved", on_job_removed, &s);
	if (r < 0)
		r = err_set(err, r, "listen to systemd");
	else if (strcmp(argv[1], "start") == 0)
		r = do_start(&s, input.p, err);
	else if (strcmp(argv[1], "set") == 0)
		r = do_set(&s, input.p, err);
	else if (strcmp(argv[1], "attach") == 0)
		r = do_attach(&s, input.p, err);
	else if (strcmp(argv[1], "stop") == 0)
		r = do_stop(&s, err);
	else
		r = err_msg(err, -EINVAL, "unknown command '%s'", argv[1]);
	sd_bus_flush_close_unref(s.bus);
	return r;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };

	if (run(argc, argv, &err) >= 0)
		return EXIT_SUCCESS;
	(void) fprintf(stderr, "%s\n", err.text);
	return EXIT_FAILURE;
}
