/* SPDX-License-Identifier: MIT */
#include "oci/hook.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "sys/proc.h"

#define HOOK_ANNOTATION_STDOUT "run.oci.hooks.stdout"
#define HOOK_ANNOTATION_STDERR "run.oci.hooks.stderr"
#define HOOK_OUTPUT_MAX 512 /* bytes of a failing hook's standard error that are shown */

const char *oci_hook_name(enum oci_hook_kind kind)
{
	static const char *const names[OCI_HOOK_N_] = {
		[OCI_HOOK_PRESTART] = "prestart",
		[OCI_HOOK_CREATE_RUNTIME] = "createRuntime",
		[OCI_HOOK_CREATE_CONTAINER] = "createContainer",
		[OCI_HOOK_START_CONTAINER] = "startContainer",
		[OCI_HOOK_POSTSTART] = "poststart",
		[OCI_HOOK_POSTSTOP] = "poststop",
	};

	return names[kind];
}

/* Files that the configuration wants the hooks' output in, -EBADF without */
struct hook_output {
	int out, err;
};

static _Noreturn void hook_child(const struct oci_hook *h, char *const *env_default, int in,
				 const struct hook_output *output, int text)
{
	char *const argv_path[] = { h->path, NULL };
	char *const *env = h->env.n != 0 ? h->env.v : env_default != NULL ? env_default : environ;
	int out = output->out >= 0 ? output->out : STDOUT_FILENO;
	int err = output->err >= 0 ? output->err : text;

	proc_default_signals();
	(void) setpgid(0, 0); /* a timeout kills the group */
	if (dup2(in, STDIN_FILENO) < 0 || (out != STDOUT_FILENO && dup2(out, STDOUT_FILENO) < 0) ||
	    dup2(err, STDERR_FILENO) < 0 || proc_cloexec_from(3) < 0)
		_exit(127);
	(void) execve(h->path, h->args.n != 0 ? h->args.v : argv_path, env);
	dprintf(STDERR_FILENO, "%s: %s", h->path, strerror(errno));
	_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A running hook: @in is not blocking, @json what is left for it, @text the start of its standard error */
struct running {
	int pidfd, in, err;
	const char *json;
	size_t left;
	struct str text;
};

static void feed(struct running *h)
{
	ssize_t n = write(h->in, h->json, h->left);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		h->json += n;
		h->left -= (size_t) n;
	}
	if (n <= 0 || h->left == 0) /* a hook may ignore its input */
		(void) close(take_fd(h->in));
}

static void listen_to(struct running *h)
{
	char buf[256];
	ssize_t n = read(h->err, buf, sizeof(buf));

	if (n > 0 && h->text.len < HOOK_OUTPUT_MAX)
		str_add(&h->text, buf, (size_t) n);
	if (n <= 0)
		(void) close(take_fd(h->err));
}

/* Wait for the end of the hook.  @timeout_ms: < 0 for ever.  Return: 0; -ETIMEDOUT; -errno. */
static int watch(struct running *h, int64_t timeout_ms)
{
	const int64_t end = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd p[] = {
			{ .fd = h->pidfd, .events = POLLIN },
			{ .fd = h->err, .events = POLLIN },
			{ .fd = h->in, .events = POLLOUT },
		};
		int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
		int n;

		if (timeout_ms >= 0 && left <= 0)
			return -ETIMEDOUT;
		n = poll(p, ARRAY_LEN(p), left > INT_MAX ? INT_MAX : (int) left);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		if (p[2].revents != 0)
			feed(h);
		if (p[1].revents != 0)
			listen_to(h); /* all of it, before its end counts */
		else if (p[0].revents != 0)
			return 0;
	}
}

static void running_fini(struct running *h)
{
	cleanup_closep(&h->pidfd);
	cleanup_closep(&h->in);
	cleanup_closep(&h->err);
	str_fini(&h->text);
}

static int run_one(const struct oci_hook *h, const struct str *json, char *const *env_default,
		   const struct hook_output *output, struct err *err)
{
	_cleanup_(running_fini) struct running run = {
		.pidfd = -EBADF, .in = -EBADF, .err = -EBADF, .json = json->p, .left = json->len,
	};
	int in[2], out[2], r, status;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_set(err, -errno, "create a pipe");
	_cleanup_close_ int in_r = in[0];
	run.in = in[1];
	if (pipe2(out, O_CLOEXEC) < 0 || fcntl(run.in, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, -errno, "create a pipe");
	_cleanup_close_ int out_w = out[1];
	run.err = out[0];

	pid = proc_clone(0, SIGCHLD, -EBADF, &run.pidfd);
	if (pid < 0)
		return err_set(err, (int) pid, "fork");
	if (pid == 0)
		hook_child(h, env_default, in_r, output, out_w);
	(void) close(take_fd(in_r)); /* so that a hook which reads nothing breaks the pipe */
	(void) close(take_fd(out_w));

	r = watch(&run, h->timeout.set ? h->timeout.v * 1000 : -1);
	if (r < 0) { /* it may have ended just now, or have no group yet */
		(void) kill(-pid, SIGKILL);
		(void) proc_pidfd_kill(run.pidfd, SIGKILL);
	}
	status = proc_wait(pid);
	if (r == -ETIMEDOUT)
		return err_msg(err, r, "hook ran past specified timeout of %d.0s", (int) h->timeout.v);
	if (r < 0 || status < 0)
		return err_set(err, r < 0 ? r : status, "wait for hook");
	if (WIFSIGNALED(status)) {
		const char *name = strsignal(WTERMSIG(status));

		return err_msg(err, -ECANCELED, "signal: %c%s, stdout: , stderr: %s", tolower(name[0]), name + 1,
			       run.text.p != NULL ? run.text.p : "");
	}
	if (status != 0)
		return err_msg(err, -ECANCELED, "exit status %d, stdout: , stderr: %s", WEXITSTATUS(status),
			       run.text.p != NULL ? run.text.p : "");
	return 0;
}

static int open_output(const struct oci_spec *spec, const char *annotation, int *ret, struct err *err)
{
	const char *path = oci_spec_annotation(spec, annotation);

	*ret = -EBADF;
	if (path == NULL)
		return 0;
	*ret = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0700);
	return *ret < 0 ? err_set(err, -errno, "open '%s' of the annotation %s", path, annotation) : 0;
}

/* @ignore: log failures and go on */
static int run_all(const struct oci_spec *spec, enum oci_hook_kind kind, const struct oci_state *state,
		   enum oci_status status, char *const *env_default, bool ignore, struct err *err)
{
	const struct oci_hook_list *list = &spec->hooks[kind];
	struct sigaction sa = { .sa_handler = SIG_IGN }, old;
	_cleanup_close_ int out_fd = -EBADF, err_fd = -EBADF;
	_cleanup_(str_fini) struct str json = { 0 };
	int r = 0;

	if (list->n == 0)
		return 0;
	if (kind != OCI_HOOK_START_CONTAINER) { /* the host's paths mean nothing in there */
		r = open_output(spec, HOOK_ANNOTATION_STDOUT, &out_fd, err);
		if (r == 0)
			r = open_output(spec, HOOK_ANNOTATION_STDERR, &err_fd, err);
		if (r < 0)
			return r;
	}
	const struct hook_output output = { .out = out_fd, .err = err_fd };
	oci_state_json(state, status, NULL, false, &json);
	if (json.failed)
		return err_set(err, -ENOMEM, "run %s hooks", oci_hook_name(kind));
	(void) sigaction(SIGPIPE, &sa, &old); /* a hook may close its input */
	for (size_t i = 0; r == 0 && i < list->n; i++) {
		r = run_one(&list->v[i], &json, env_default, &output, err);
		if (r < 0)
			r = err_wrap(err, r, "error running %s hook #%zu", oci_hook_name(kind), i);
		if (r < 0 && ignore) {
			log_warning("%s", err->text);
			r = 0;
		}
	}
	(void) sigaction(SIGPIPE, &old, NULL);
	return r;
}

int oci_hook_run(const struct oci_spec *spec, enum oci_hook_kind kind, const struct oci_state *state,
		 enum oci_status status, char *const *env_default, struct err *err)
{
	return run_all(spec, kind, state, status, env_default, false, err);
}

void oci_hook_warn(const struct oci_spec *spec, enum oci_hook_kind kind, const struct oci_state *state,
		   enum oci_status status)
{
	struct err err = { 0 };

	(void) run_all(spec, kind, state, status, NULL, true, &err); /* logged there */
}
