/* SPDX-License-Identifier: MIT */
/* Each attribute is applied in a forked child, which then looks at itself. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/cpulist.h"
#include "oci/init.h"
#include "oci/process.h"
#include "oci/process_parts.h"
#include "sys/cap.h"

#define BIT(n) (1ULL << (n))

/* What a child tells its parent, in memory both see */
struct report {
	int code;
	struct err err;
	uid_t uid;
	gid_t gid, groups[4];
	int nr_groups, no_new_privs, keep_caps;
	mode_t umask;
	struct cap_sets caps;
	uint64_t bounding, ambient;
};

struct fixture {
	struct oci_spec spec;
	struct oci_init init;
	struct report *report;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	f->init.spec = &f->spec;
	f->init.process = &f->spec.process;
	f->init.id = "process_test";
	f->init.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->report = mmap(NULL, sizeof(*f->report), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = f;
	return f->init.proc_fd < 0 || f->report == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void) munmap(f->report, sizeof(*f->report));
	(void) close(f->init.proc_fd);
	free(f);
	return 0;
}

/* Run @f in a child.  Return: its exit code. */
static int in_child(int (*f)(struct fixture *), struct fixture *fixture)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(f(fixture));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void skip_unless_root(void)
{
	if (geteuid() != 0)
		skip();
}

static uint64_t mask_of(int option, unsigned long sub)
{
	uint64_t mask = 0;

	for (unsigned long cap = 0; cap < 64; cap++) {
		int r = option == PR_CAP_AMBIENT ? prctl(option, sub, cap, 0, 0) :
						   prctl(option, cap, 0, 0, 0);
		if (r == 1)
			mask |= BIT(cap);
	}
	return mask;
}

static int become(struct fixture *f, bool keep_admin)
{
	struct report *r = f->report;

	r->code = oci_process_identity(&f->init, keep_admin, &r->err);
	r->uid = geteuid();
	r->gid = getegid();
	r->nr_groups = getgroups(4, r->groups);
	r->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	r->umask = umask(0);
	r->bounding = mask_of(PR_CAPBSET_READ, 0);
	r->ambient = mask_of(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET);
	return cap_get(&r->caps) < 0;
}

static int become_user(struct fixture *f)
{
	return become(f, false);
}

static int become_user_with_admin(struct fixture *f)
{
	return become(f, true);
}

static void user_without_caps(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	uint32_t groups[] = { 7, 8 };

	skip_unless_root();
	f->spec.process.uid = 1234;
	f->spec.process.gid = 2345;
	f->spec.process.additional_gids = groups;
	f->spec.process.nr_additional_gids = 2;
	f->spec.process.no_new_privileges = true;
	f->spec.process.umask = (struct opt_u64) { true, 077 };
	assert_int_equal(in_child(become_user, f), 0);
	assert_string_equal(r->err.text, "");
	assert_int_equal(r->code, 0);
	assert_int_equal(r->uid, 1234);
	assert_int_equal(r->gid, 2345);
	assert_int_equal(r->nr_groups, 2);
	assert_int_equal(r->groups[0], 7);
	assert_int_equal(r->groups[1], 8);
	assert_int_equal(r->no_new_privs, 1);
	assert_int_equal(r->umask, 077);
	assert_true(r->bounding == 0 && r->ambient == 0);
	assert_true(r->caps.effective == 0 && r->caps.permitted == 0 && r->caps.inheritable == 0);
}

static void user_with_caps(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	struct oci_caps caps = {
		.bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_SETUID),
		.permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.effective = BIT(CAP_KILL),
		.inheritable = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.ambient = BIT(CAP_CHOWN),
	};

	skip_unless_root();
	f->spec.process.caps = &caps;
	for (uid_t uid = 0; uid < 2; uid++) { /* root keeps its sets in another way */
		f->spec.process.uid = uid;
		assert_int_equal(in_child(become_user, f), 0);
		assert_int_equal(r->code, 0);
		assert_int_equal(r->uid, uid);
		assert_int_equal(r->umask, 022);
		assert_int_equal(r->no_new_privs, 0);
		assert_true(r->bounding == caps.bounding);
		assert_true(r->caps.permitted == caps.permitted);
		assert_true(r->caps.effective == caps.effective);
		assert_true(r->caps.inheritable == caps.inheritable);
		assert_true(r->ambient == caps.ambient);
	}
}

static void admin_kept_for_seccomp(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	struct oci_caps caps = { .bounding = BIT(CAP_CHOWN), .permitted = BIT(CAP_CHOWN) };

	skip_unless_root();
	f->spec.process.uid = 1;
	f->spec.process.caps = &caps;
	assert_int_equal(in_child(become_user_with_admin, f), 0);
	assert_int_equal(r->code, 0);
	assert_true(r->bounding == BIT(CAP_CHOWN));
	assert_true(r->caps.effective == BIT(CAP_SYS_ADMIN));
	assert_true(r->caps.permitted == (BIT(CAP_SYS_ADMIN) | BIT(CAP_CHOWN)));
}

/* Loses CAP_KILL for good before it becomes the user */
static int become_user_weaker(struct fixture *f)
{
	struct cap_sets sets;

	if (cap_get(&sets) < 0 || prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0) < 0)
		return 2;
	sets.effective &= ~BIT(CAP_KILL);
	sets.permitted &= ~BIT(CAP_KILL);
	return cap_set(&sets) < 0 ? 3 : become(f, false);
}

static void missing_caps_are_left_out(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	struct oci_caps caps = {
		.bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.effective = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.inheritable = BIT(CAP_KILL) | BIT(CAP_FOWNER), /* the second is not in bounding */
	};

	skip_unless_root();
	f->spec.process.caps = &caps;
	assert_int_equal(in_child(become_user_weaker, f), 0);
	assert_int_equal(r->code, 0);
	assert_true(r->caps.permitted == BIT(CAP_CHOWN));
	assert_true(r->caps.effective == BIT(CAP_CHOWN));
	assert_true(r->caps.inheritable == 0);
}

/* In a user namespace that maps nothing but root, and denies setgroups */
static int become_user_in_userns(struct fixture *f)
{
	char map[32];

	(void) snprintf(map, sizeof(map), "0 %u 1", (unsigned) geteuid());
	if (unshare(CLONE_NEWUSER) < 0)
		return 77;
	if (file_write(AT_FDCWD, "/proc/self/setgroups", "deny") < 0 ||
	    file_write(AT_FDCWD, "/proc/self/uid_map", map) < 0)
		return 2;
	(void) snprintf(map, sizeof(map), "0 %u 1", (unsigned) f->report->gid);
	if (file_write(AT_FDCWD, "/proc/self/gid_map", map) < 0)
		return 3;
	return become(f, false);
}

static void user_namespace(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	int code;

	f->init.in_userns = true;
	r->gid = getegid();
	code = in_child(become_user_in_userns, f);
	if (code == 77)
		skip();
	assert_int_equal(code, 0);
	assert_int_equal(r->code, 0);

	f->spec.process.uid = 5;
	r->gid = getegid();
	assert_int_equal(in_child(become_user_in_userns, f), 0);
	assert_int_equal(r->code, -EINVAL);
	assert_string_equal(r->err.text, "cannot setuid to unmapped uid 5 in user namespace");
}

static int become_user_with_pipe(struct fixture *f)
{
	struct stat st;
	int p[2];

	if (pipe(p) < 0 || dup2(p[1], STDOUT_FILENO) < 0 || close(STDERR_FILENO) < 0)
		return 2;
	if (become(f, false) != 0 || fstat(STDOUT_FILENO, &st) < 0)
		return 3;
	return st.st_uid == 4321 ? 0 : 4;
}

static void streams_change_owner(void **state)
{
	struct fixture *f = *state;

	skip_unless_root();
	f->spec.process.uid = 4321;
	assert_int_equal(in_child(become_user_with_pipe, f), 0);
	assert_int_equal(f->report->code, 0);
}

static int limit(struct fixture *f)
{
	struct report *r = f->report;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	r->code = oci_process_limits(&f->init, false, &r->err);
	if (r->code == 0)
		r->code = oci_process_quota(&f->spec.process, f->init.proc_fd, 0, &r->err);
	r->umask = (mode_t) getpriority(PRIO_PROCESS, 0);
	r->uid = (uid_t) syscall(SYS_ioprio_get, 1, 0);
	r->gid = (gid_t) personality(0xffffffff);
	(void) sched_getaffinity(0, sizeof(cpus), &cpus);
	r->nr_groups = CPU_COUNT(&cpus);
	r->keep_caps = sched_getscheduler(0);

	struct rlimit l;
	(void) getrlimit(RLIMIT_NOFILE, &l);
	r->bounding = l.rlim_cur;
	r->ambient = l.rlim_max;
	return 0;
}

static void limits(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	struct oci_rlimit nofile = { RLIMIT_NOFILE, 100, 200 };
	struct oci_scheduler batch = { .policy = SCHED_BATCH, .nice = 19 };

	f->spec.process.rlimits = &nofile;
	f->spec.process.nr_rlimits = 1;
	f->spec.process.scheduler = &batch;
	f->spec.process.io_priority.set = true;
	f->spec.process.io_priority.class = 2;
	f->spec.process.io_priority.priority = 4;
	f->spec.process.oom_score_adj = (struct opt_i64) { true, 1000 };
	f->spec.linux.personality_set = true;
	f->spec.linux.personality = PER_LINUX32;
	assert_int_equal(in_child(limit, f), 0);
	assert_string_equal(r->err.text, "");
	assert_int_equal(r->code, 0);
	assert_int_equal(r->umask, 19);
	assert_int_equal(r->uid, 2 << 13 | 4);
	assert_int_equal(r->gid, PER_LINUX32);
	assert_int_equal(r->keep_caps, SCHED_BATCH);
	assert_int_equal(r->bounding, 100);
	assert_int_equal(r->ambient, 200);
}

static int limit_oom(struct fixture *f)
{
	_cleanup_(str_fini) struct str text = { 0 };

	f->report->code = oci_process_quota(&f->spec.process, f->init.proc_fd, 0, &f->report->err);
	if (file_read(AT_FDCWD, "/proc/self/oom_score_adj", 32, &text) < 0)
		return 1;
	return strcmp(text.p, "567\n") != 0;
}

static void oom_score(void **state)
{
	struct fixture *f = *state;

	f->spec.process.oom_score_adj = (struct opt_i64) { true, 567 };
	assert_int_equal(in_child(limit_oom, f), 0);
	assert_int_equal(f->report->code, 0);
	/* a value out of range is the kernel's to refuse; the message names the field */
	f->spec.process.oom_score_adj.v = 1001;
	assert_int_equal(in_child(limit_oom, f), 1);
	assert_int_equal(f->report->code, -EINVAL);
	assert_non_null(strstr(f->report->err.text, "process.oomScoreAdj 1001"));
}

static void refused_rlimit(void **state)
{
	struct fixture *f = *state;
	struct oci_rlimit bad = { RLIMIT_NOFILE, 300, 200 };

	f->spec.process.rlimits = &bad;
	f->spec.process.nr_rlimits = 1;
	assert_int_equal(in_child(limit, f), 0);
	assert_int_equal(f->report->code, -EINVAL);
	assert_non_null(strstr(f->report->err.text,
			       "error setting rlimit type 7 (RLIMIT_NOFILE, soft 300, hard 200)"));
}

static int limit_from_one_cpu(struct fixture *f)
{
	const unsigned long first = 1;

	if (syscall(SYS_sched_setaffinity, 0, sizeof(first), &first) < 0)
		return 77;
	return limit(f);
}

static void affinity(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	struct oci_process exec = { .cpu_affinity_final = (char *) "0" };
	cpu_set_t cpus;
	int code;

	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	if (CPU_COUNT(&cpus) < 2 || !CPU_ISSET(0, &cpus))
		skip();
	code = in_child(limit_from_one_cpu, f);
	assert_int_equal(code, 0);
	assert_true(r->nr_groups >= CPU_COUNT(&cpus)); /* reset to all */
	f->init.process = &exec;
	f->init.exec = true;
	assert_int_equal(in_child(limit, f), 0);
	assert_int_equal(r->nr_groups, 1);
	exec.cpu_affinity_final = NULL;
	exec.cpu_affinity_initial = (char *) "0";
	assert_int_equal(in_child(limit_from_one_cpu, f), 0);
	assert_int_equal(r->nr_groups, 1); /* stays as the parent set it */
	exec.cpu_affinity_final = (char *) "3-1";
	assert_int_equal(in_child(limit, f), 0);
	assert_int_equal(r->code, -EINVAL);
	assert_non_null(strstr(r->err.text, "bad process.execCPUAffinity.final '3-1'"));
}

static int limit_memory(struct fixture *f)
{
	unsigned long nodes[32] = { 0 };
	int mode = -1;

	f->report->code = oci_process_limits(&f->init, false, &f->report->err);
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0) < 0)
		return 77;
	f->report->umask = (mode_t) mode;
	f->report->bounding = nodes[0];
	return 0;
}

static void memory_policy(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	struct oci_memory_policy p = { MPOL_INTERLEAVE, (char *) "0" };
	static const struct {
		int mode;
		const char *nodes, *text;
	} bad[] = {
		{ MPOL_DEFAULT, "0-7", "memory policy mode requires 0 nodes but got 8" },
		{ MPOL_BIND, NULL, "requires at least one node but got 0" },
		{ MPOL_BIND, "0-9876543210", "invalid memory policy nodes '0-9876543210': values "
					     "larger than 65536 are not supported" },
	};
	int code;

	f->spec.linux.memory_policy = &p;
	code = in_child(limit_memory, f);
	if (code == 77 || r->code == -ENOSYS)
		skip();
	assert_int_equal(code, 0);
	assert_int_equal(r->code, 0);
	assert_int_equal(r->umask, MPOL_INTERLEAVE);
	assert_int_equal(r->bounding, 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		p = (struct oci_memory_policy) { bad[i].mode, (char *) bad[i].nodes };
		assert_int_equal(in_child(limit_memory, f), 0);
		assert_int_equal(r->code, -EINVAL);
		assert_non_null(strstr(r->err.text, bad[i].text));
	}
}

static int join_keyring(struct fixture *f)
{
	char text[256] = "";
	long n;

	f->report->code = oci_process_limits(&f->init, true, &f->report->err);
	n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1);
	if (n < 0)
		return errno == ENOSYS ? 77 : 2;
	return strstr(text, f->init.in_userns ? ";3f130008;_ses.process_test" :
						";3f1b0000;_ses.process_test") == NULL;
}

static void keyring(void **state)
{
	struct fixture *f = *state;
	int code = in_child(join_keyring, f);

	if (code == 77)
		skip();
	assert_int_equal(code, 0);
	assert_int_equal(f->report->code, 0);
}

static int label(struct fixture *f)
{
	f->report->code = oci_process_label(&f->init, &f->report->err);
	return 0;
}

static void labels_without_modules(void **state)
{
	struct fixture *f = *state;
	struct report *r = f->report;
	_cleanup_(str_fini) struct str fs = { 0 };

	assert_int_equal(file_read(AT_FDCWD, "/proc/filesystems", 65536, &fs), 0);
	if (access("/proc/self/attr/apparmor", F_OK) < 0) {
		f->spec.process.apparmor_profile = (char *) "no-such-profile";
		assert_int_equal(in_child(label, f), 0);
		assert_int_equal(r->code, 0);
		f->spec.process.apparmor_profile = (char *) "unconfined";
		assert_int_equal(in_child(label, f), 0);
		assert_int_equal(r->code, 0);
	}
	f->spec.process.apparmor_profile = NULL;
	if (strstr(fs.p, "\tselinuxfs\n") == NULL) {
		f->spec.process.selinux_label = (char *) "a:b:c:s0";
		assert_int_equal(in_child(label, f), 0);
		assert_true(r->code < 0);
		assert_string_equal(r->err.text, "selinux label is specified in config, but selinux "
						 "is disabled or not supported");
	}
}

static void executables(void **state)
{
	char dir[] = "/tmp/process_test.XXXXXX";
	_cleanup_(str_fini) struct str path = { 0 };

	(void) state;
	assert_non_null(mkdtemp(dir));
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(fd, "a", 0755), 0);
	assert_int_equal(mkdirat(fd, "b", 0755), 0);
	assert_int_equal(mkdirat(fd, "a/tool", 0755), 0); /* a directory is no program */
	assert_int_equal(file_replace(fd, "plain", "", 0, 0644), 0);
	(void) close(openat(fd, "a/other", O_CREAT | O_WRONLY, 0644));
	(void) close(openat(fd, "b/tool", O_CREAT | O_WRONLY, 0755));
	(void) close(openat(fd, "b/other", O_CREAT | O_WRONLY, 0755));
	str_printf(&path, "PATH=%s/a:%s/b", dir, dir);
	assert_int_equal(chdir(dir), 0);

	char file[64], here[64];
	(void) snprintf(file, sizeof(file), "%s/b/tool", dir);
	(void) snprintf(here, sizeof(here), "%s/plain", dir);
	const struct {
		const char *arg, *env;
		int code;
		const char *text; /* the path, or the message */
	} cases[] = {
		{ "tool", path.p, 0, file },
		{ file, "PATH=", 0, file },
		{ "b/tool", NULL, 0, "b/tool" },
		{ "nope", path.p, -ENOENT, "exec: \"nope\": executable file not found in $PATH" },
		{ "tool", NULL, -ENOENT, "exec: \"tool\": executable file not found in $PATH" },
		{ "", path.p, -ENOENT, "exec: \"\": executable file not found in $PATH" },
		{ "/no/such", path.p, -ENOENT,
		  "exec: \"/no/such\": stat /no/such: no such file or directory" },
		{ "plain/x", path.p, -ENOTDIR, "exec: \"plain/x\": stat plain/x: not a directory" },
		{ "./plain", path.p, -EACCES, "exec: \"./plain\": permission denied" },
		{ "./a", path.p, -EISDIR, "exec: \"./a\": is a directory: permission denied" },
		{ "tool", "PATH=b", -EACCES, "exec: \"tool\": cannot run executable found relative "
					     "to current directory" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oci_process p = {
			.args = { (char *[]) { (char *) cases[i].arg, NULL }, 1 },
			.env = { (char *[]) { (char *) "PATH=/wrong", (char *) cases[i].env, NULL },
				 cases[i].env != NULL ? 2 : 1 },
		};
		_cleanup_free_ char *found = NULL;
		struct err err = { 0 };

		assert_int_equal(oci_process_find(&p, &found, &err), cases[i].code);
		assert_string_equal(cases[i].code == 0 ? found : err.text, cases[i].text);
	}
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(dir_remove(AT_FDCWD, dir), 0);
}

static void cpu_lists(void **state)
{
	static const struct {
		const char *text;
		unsigned long word; /* 0: refused */
		size_t count;
		unsigned highest;
	} cases[] = {
		{ "0", 1, 1, 0 },
		{ "0-3,7", 0x8f, 5, 7 },
		{ " 1 , 3-4 ,,", 0x1a, 3, 4 },
		{ "2,2,1-2", 6, 2, 2 },
		{ "0,65536", 1, 2, 65536 },
		{ "", 0, 0, 0 },
		{ ",", 0, 0, 0 },
		{ "3-1", 0, 0, 0 },
		{ "1-", 0, 0, 0 },
		{ "-1", 0, 0, 0 },
		{ "1-2-3", 0, 0, 0 },
		{ "1 2", 0, 0, 0 },
		{ "0x1", 0, 0, 0 },
		{ "65537", 0, 0, 0 },
		{ "0-99999999999999999999", 0, 0, 0 },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		struct cpulist list;
		int r = cpulist_parse(cases[i].text, &list, &err);

		assert_int_equal(r, cases[i].word != 0 ? 0 : -EINVAL);
		if (r < 0) {
			assert_true(err.text[0] != '\0');
			continue;
		}
		assert_int_equal(list.bits[0], cases[i].word);
		assert_int_equal(list.count, cases[i].count);
		assert_int_equal(list.highest, cases[i].highest);
	}
}

static void rdt_schemata(void **state)
{
	static const char have[] = "    MB:0=100;1=50\n    L3:0=7ff;1=00f\nL3CODE:0=1\n";
	static const struct {
		const char *want;
		bool yes;
	} cases[] = {
		{ "L3:0=7ff;1=f", true },    { "L3:1=0F", true },     { "L3: 0 = 7FF", false },
		{ "MB:1=50\nL3:0=0", true }, { "MB:1=5", false },     { "MB:2=50", false },
		{ "L3:0=7fff", false },	     { "L2:0=1", false },     { "L3", false },
		{ "L3:0", false },	     { "L3:0=7ff;2=1", false }, { "L3CODE:0=1", true },
		{ "", false },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (oci_rdt_matches(have, cases[i].want) != cases[i].yes)
			fail_msg("'%s'", cases[i].want);
}

static void rdt_without_hardware(void **state)
{
	struct oci_intel_rdt rdt = { .clos_id = (char *) "a/b" };
	struct oci_spec spec = { 0 };
	struct err err = { 0 };

	(void) state;
	assert_int_equal(oci_rdt_apply(&spec, "id", 1, &err), 0); /* not asked for */
	spec.linux.intel_rdt = &rdt;
	assert_int_equal(oci_rdt_apply(&spec, "id", 1, &err), -EINVAL);
	assert_string_equal(err.text, "linux.intelRdt.closID 'a/b' is not a directory name");
	if (access("/sys/fs/resctrl", F_OK) == 0)
		skip();
	rdt.clos_id = NULL;
	assert_int_equal(oci_rdt_apply(&spec, "id", 1, &err), -ENOTSUP);
	assert_string_equal(err.text, "intelRdt is specified in config, but Intel RDT is not enabled");
	assert_int_equal(oci_rdt_remove(&spec, "id", &err), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(user_without_caps),
		TEST(user_with_caps),
		TEST(admin_kept_for_seccomp),
		TEST(missing_caps_are_left_out),
		TEST(user_namespace),
		TEST(streams_change_owner),
		TEST(limits),
		TEST(oom_score),
		TEST(refused_rlimit),
		TEST(affinity),
		TEST(memory_policy),
		TEST(keyring),
		TEST(labels_without_modules),
		cmocka_unit_test(executables),
		cmocka_unit_test(cpu_lists),
		cmocka_unit_test(rdt_schemata),
		cmocka_unit_test(rdt_without_hardware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
