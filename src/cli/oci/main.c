/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-oci`, the OCI runtime, and `cleave-oci-vm`, which makes virtual machines of the same bundles
 *
 * Global options, then a verb, then its options and operands; the same words as runc, so that
 * engines can use it in its place, also by the name of that (a link `runc`), which it then goes by.  Failures are logged once, here: to standard error for people
 * and, with --log, to that file in the format asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/oci/runtime.h"
#include "cli/oci/verb.h"
#include "oci/spec.h"
#include "sys/exe.h"

struct global_opts {
	bool debug, systemd_cgroup, version;
	const char *log, *log_format, *log_level, *root, *rootless, *criu, *cgroup_manager;
};

static const struct opt global_table[] = {
	{ "debug", 0, OPT_BOOL, offsetof(struct global_opts, debug), NULL, "log debug messages" },
	{ "log", 0, OPT_STRING, offsetof(struct global_opts, log), "FILE", "log file (default: standard error)" },
	{ "log-format", 0, OPT_STRING, offsetof(struct global_opts, log_format), "FORMAT", "text or json" },
	{ "log-level", 0, OPT_STRING, offsetof(struct global_opts, log_level), "LEVEL",
	  "error, warning, info (default) or debug" },
	{ "root", 0, OPT_STRING, offsetof(struct global_opts, root), "DIR", "directory of container state" },
	{ "systemd-cgroup", 0, OPT_BOOL, offsetof(struct global_opts, systemd_cgroup), NULL,
	  "let systemd make the cgroups; cgroupsPath is \"slice:prefix:name\"" },
	{ "cgroup-manager", 0, OPT_STRING, offsetof(struct global_opts, cgroup_manager), "MANAGER",
	  "cgroupfs (default), systemd (as --systemd-cgroup) or disabled" },
	{ "rootless", 0, OPT_STRING, offsetof(struct global_opts, rootless), "BOOL",
	  "true, false or auto; taken for compatibility, detected anyway" },
	{ "criu", 0, OPT_STRING, offsetof(struct global_opts, criu), "PATH", "taken for compatibility, not used" },
	{ "version", 'v', OPT_BOOL, offsetof(struct global_opts, version), NULL, "print the version" },
	{ 0 },
};

static void print_version(void)
{
	printf("%s version %s\ncommit: %s\nspec: %s\n", program_invocation_short_name, CLEAVE_VERSION,
	       CLEAVE_COMMIT, OCI_SPEC_VERSION);
}

static int compare_verbs(const void *a, const void *b)
{
	return strcmp((*(const struct oci_verb *const *) a)->name, (*(const struct oci_verb *const *) b)->name);
}

static void print_help(FILE *out)
{
	size_t n = (size_t) (__stop_oci_verbs - __start_oci_verbs);
	_cleanup_free_ const struct oci_verb **verbs = calloc(n, sizeof(*verbs));
	_cleanup_(str_fini) struct str s = { 0 };

	if (verbs == NULL)
		return;
	memcpy(verbs, __start_oci_verbs, n * sizeof(*verbs));
	qsort(verbs, n, sizeof(*verbs), compare_verbs);
	str_printf(&s, "NAME:\n  %s - Open Container Initiative runtime\n\n"
		       "USAGE:\n  %s [global options] command [command options] [arguments...]\n\n"
		     "VERSION:\n  " CLEAVE_VERSION "\n  spec: " OCI_SPEC_VERSION "\n\nCOMMANDS:\n",
		   program_invocation_short_name, program_invocation_short_name);
	for (size_t i = 0; i < n; i++)
		str_printf(&s, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
	str_puts(&s, "\nGLOBAL OPTIONS:\n");
	opt_help(global_table, &s);
	if (!s.failed)
		fputs(s.p, out);
}

static void print_verb_help(const struct oci_verb *v)
{
	_cleanup_(str_fini) struct str s = { 0 };

	str_printf(&s, "NAME:\n  %s %s - %s\n\nUSAGE:\n  %s %s [command options] %s\n\nOPTIONS:\n",
		   program_invocation_short_name, v->name, v->summary, program_invocation_short_name, v->name,
		   v->args);
	if (v->opts != NULL)
		opt_help(v->opts, &s);
	if (!s.failed)
		fputs(s.p, stdout);
}

static const struct oci_verb *find_verb(const char *name)
{
	REGISTRY_FOREACH(v, oci_verbs)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

/* Root of the host, not of a user namespace that a rootless engine made. */
static bool is_host_root(void)
{
	_cleanup_(str_fini) struct str map = { 0 };
	unsigned inside, outside, n;

	if (geteuid() != 0)
		return false;
	if (file_read(AT_FDCWD, "/proc/self/uid_map", 4096, &map) < 0)
		return true; /* no user namespaces here */
	return sscanf(map.p, "%u %u %u", &inside, &outside, &n) == 3 && n == UINT32_MAX;
}

/*
 * /run/cleave-oci for root (or cleave-oci-vm), else below XDG_RUNTIME_DIR or what systemd makes in its stead: never in
 * a directory where others can put something first.
 */
static int default_root(char *buf, size_t size)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int n;

	if (xdg != NULL && *xdg != '\0' && !is_host_root())
		n = snprintf(buf, size, "%s/%s", xdg, oci_runtime.name);
	else if (geteuid() == 0)
		n = snprintf(buf, size, "/run/%s", oci_runtime.name);
	else
		n = snprintf(buf, size, "/run/user/%u/%s", (unsigned) geteuid(), oci_runtime.name);
	return n < 0 || (size_t) n >= size ? -ENAMETOOLONG : 0;
}

/* A relative --root stays valid after a chdir(). */
static int resolve_root(const struct global_opts *g, char *buf, size_t size, struct err *err)
{
	char cwd[4096];

	if (g->root == NULL || *g->root == '\0')
		return default_root(buf, size) < 0 ? err_msg(err, -ENAMETOOLONG, "XDG_RUNTIME_DIR is too long") : 0;
	if (g->root[0] == '/') {
		if ((size_t) snprintf(buf, size, "%s", g->root) < size)
			return 0;
	} else if (getcwd(cwd, sizeof(cwd)) != NULL &&
		   (size_t) snprintf(buf, size, "%s/%s", cwd, g->root) < size)
		return 0;
	return err_msg(err, -ENAMETOOLONG, "--root '%.64s...' is too long", g->root);
}

/*
 * As runc: the message goes to the log and, if that is a file, to standard error too; what execve()
 * said of the program in the foreground is not ours and goes to standard error as it is.
 */
static void report(const char *verb, const struct err *err)
{
	if (strcmp(verb, "run") == 0 && str_starts(err->text, "exec /") && log_fd() == STDERR_FILENO)
		dprintf(STDERR_FILENO, "%s\n", err->text);
	else if (strcmp(verb, "run") == 0 || strcmp(verb, "exec") == 0 || strcmp(verb, "create") == 0)
		log_error("%s %s failed: unable to start container process: %s", program_invocation_short_name, verb,
			  err->text);
	else
		log_error("%s", err->text);
	if (log_fd() != STDERR_FILENO)
		dprintf(STDERR_FILENO, "%s\n", err->text);
}

static int run_with(const struct oci_verb *v, const struct opt *table, void *opts, struct oci_cli *cli,
		    int argc, char **argv)
{
	struct err err = { 0 };
	int r = opt_parse(table, opts, &argc, argv, v->interspersed, &err);

	if (r == 1) {
		print_verb_help(v);
		return 0;
	}
	if (r == 0 && (argc < v->min_args || (v->max_args >= 0 && argc > v->max_args)))
		r = err_msg(&err, -EINVAL, "%s: wrong number of arguments: usage: %s %s %s", v->name,
			    program_invocation_short_name,
			    v->name, v->args);
	if (r == 0 && v->seal && oci_runtime.seal)
		r = exe_seal(cli->argv, &err);
	if (r == 0)
		r = v->run(cli, opts, argc, argv, &err);
	if (r >= 0)
		return r;
	report(v->name, &err);
	return v->fail_status != 0 ? v->fail_status : 1;
}

static int run_verb(const struct oci_verb *v, struct oci_cli *cli, int argc, char **argv)
{
	_cleanup_free_ void *opts = calloc(1, v->opts_size != 0 ? v->opts_size : 1);
	static const struct opt none[] = { { 0 } };
	const struct opt *table = v->opts != NULL ? v->opts : none;
	int r;

	if (opts == NULL)
		return 1;
	r = run_with(v, table, opts, cli, argc, argv);
	opt_fini(table, opts);
	return r;
}

static int parse_level(const struct global_opts *g, enum log_level *ret, struct err *err)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};

	*ret = g->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	if (g->log_level == NULL || g->debug)
		return 0;
	for (int i = LOG_LEVEL_ERROR; i < (int) ARRAY_LEN(names); i++)
		if (strcmp(g->log_level, names[i]) == 0) {
			*ret = (enum log_level) i;
			return 0;
		}
	return err_msg(err, -EINVAL, "invalid log-level '%s': error, warning, info and debug are known",
		       g->log_level);
}

static int open_log(const struct global_opts *g, struct err *err)
{
	enum log_format format = LOG_FORMAT_TEXT;
	enum log_level level;
	int r = parse_level(g, &level, err);

	if (r < 0)
		return r;

	if (g->log_format != NULL && strcmp(g->log_format, "json") == 0)
		format = LOG_FORMAT_JSON;
	else if (g->log_format != NULL && strcmp(g->log_format, "text") != 0 && *g->log_format != '\0')
		return err_msg(err, -EINVAL, "invalid log-format '%s': text and json are known", g->log_format);
	return log_open(g->log != NULL && *g->log != '\0' ? g->log : NULL, format, level, err);
}

static int set_cgroup_manager(const struct global_opts *g, struct oci_cli *cli, struct err *err)
{
	const char *name = g->cgroup_manager;

	cli->systemd_cgroup = g->systemd_cgroup;
	if (name == NULL)
		return 0;
	cli->systemd_cgroup = strcmp(name, "systemd") == 0;
	cli->no_cgroup = strcmp(name, "disabled") == 0;
	if (!cli->systemd_cgroup && !cli->no_cgroup && strcmp(name, "cgroupfs") != 0)
		return err_msg(err, -EINVAL, "invalid cgroup-manager '%s': cgroupfs, systemd and disabled are known",
			       name);
	return 0;
}

int main(int argc, char **argv)
{
	struct global_opts g = { 0 };
	struct oci_cli cli = { 0 };
	const struct oci_verb *v;
	struct err err = { 0 };
	char root[4096];
	/* opt_parse() reorders its words; exe_seal() needs them as they were */
	_cleanup_free_ char **words = calloc((size_t) argc + 1, sizeof(*words));
	int n = argc - 1, r;

	if (words == NULL || argc < 1)
		return 1;
	memcpy(words, argv, (size_t) argc * sizeof(*words));
	(void) umask(0); /* modes are given exactly */
	(void) signal(SIGCHLD, SIG_DFL); /* where it is ignored, nobody can be waited for */
	cli.argv = words;
	r = opt_parse(global_table, &g, &n, argv + 1, false, &err);
	if (r == 0)
		r = open_log(&g, &err);
	if (r == 0)
		r = resolve_root(&g, root, sizeof(root), &err);
	if (r == 0)
		r = set_cgroup_manager(&g, &cli, &err);
	if (r < 0) {
		report("", &err);
		return 1;
	}
	if (g.version) {
		print_version();
		return 0;
	}
	if (r == 1 || n == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	v = find_verb(argv[1]);
	if (v == NULL) {
		(void) err_msg(&err, -EINVAL, "No help topic for '%s': no such command; see %s --help", argv[1],
			       oci_runtime.name);
		report("", &err);
		return 1;
	}
	cli.root = root;
	cli.root_given = g.root != NULL && *g.root != '\0';
	return run_verb(v, &cli, n - 1, argv + 2);
}
