/* SPDX-License-Identifier: MIT */
#include "oci/spec_test.h"

#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sys/resource.h>

#define HEAD SPEC_TOP_HEAD "'process':{'cwd':'/','args':['sh'],"
#define TAIL "}}"

static struct oci_spec *process(const char *members)
{
	return spec_good(HEAD, members, TAIL);
}

static void smallest(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = process("'x':1");
	const struct oci_process *p = &spec->process;

	(void) state;
	assert_true(spec->process_set);
	assert_false(p->terminal || p->no_new_privileges);
	assert_int_equal(p->uid, 0);
	assert_false(p->umask.set || p->oom_score_adj.set || p->io_priority.set);
	assert_int_equal(p->args.n, 1);
	assert_null(p->args.v[1]);
	assert_int_equal(p->env.n, 0);
	assert_non_null(p->env.v);
	assert_null(p->env.v[0]);
	assert_string_equal(p->cwd, "/");
	assert_null(p->caps);
	assert_null(p->scheduler);
	assert_null(p->apparmor_profile);
	assert_null(p->cpu_affinity_initial);
	assert_int_equal(p->nr_rlimits, 0);
}

static void everything(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = process(
		"'terminal':true,'consoleSize':{'height':25,'width':65535},"
		"'user':{'uid':4294967295,'gid':7,'umask':511,'additionalGids':[4294967295,5,4294967295],"
		"'username':'ignored'},'env':['A=','B=c=d'],"
		"'capabilities':{'bounding':['CAP_CHOWN','CAP_CHECKPOINT_RESTORE','CAP_NOPE',"
		"'cap_kill'],'effective':['CAP_CHOWN','CAP_NOPE'],'inheritable':[],"
		"'permitted':['CAP_SYS_ADMIN'],'ambient':['CAP_KILL']},"
		"'noNewPrivileges':true,'apparmorProfile':'p','selinuxLabel':'l',"
		"'oomScoreAdj':-1000,'ioPriority':{'class':'IOPRIO_CLASS_IDLE','priority':7},"
		"'execCPUAffinity':{'initial':'0-3,7','final':' 1 , 65535,'}");
	const struct oci_process *p = &spec->process;

	(void) state;
	assert_true(p->terminal && p->no_new_privileges);
	assert_int_equal(p->console_height, 25);
	assert_int_equal(p->console_width, 65535);
	assert_int_equal(p->uid, UINT32_MAX);
	assert_int_equal(p->gid, 7);
	assert_true(p->umask.set && p->umask.v == 0777);
	assert_int_equal(p->nr_additional_gids, 2);
	assert_int_equal(p->additional_gids[0], 5);
	assert_int_equal(p->additional_gids[1], UINT32_MAX);
	assert_string_equal(p->env.v[1], "B=c=d");
	assert_true(p->caps->bounding == (1ull << 0 | 1ull << 40));
	assert_true(p->caps->effective == 1ull << 0);
	assert_true(p->caps->inheritable == 0);
	assert_true(p->caps->permitted == 1ull << 21);
	assert_true(p->caps->ambient == 1ull << 5);
	assert_string_equal(p->apparmor_profile, "p");
	assert_string_equal(p->selinux_label, "l");
	assert_true(p->oom_score_adj.set && p->oom_score_adj.v == -1000);
	assert_int_equal(p->io_priority.class, IOPRIO_CLASS_IDLE);
	assert_int_equal(p->io_priority.priority, 7);
	assert_string_equal(p->cpu_affinity_initial, "0-3,7");
	assert_string_equal(p->cpu_affinity_final, " 1 , 65535,");
}

/* Unknown capabilities are told once, each one once */
static void unknown_caps_are_logged(void **state)
{
	char name[] = "/tmp/spec_process_test.XXXXXX", text[256] = "";
	int fd = mkstemp(name);
	ssize_t n;

	(void) state;
	assert_true(fd >= 0);
	assert_int_equal(log_open(name, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING, NULL), 0);
	oci_spec_free(process("'capabilities':{'bounding':['CAP_B','CAP_KILL','CAP_BC','CAP_B'],"
			      "'ambient':['CAP_B','CAP_A']}"));
	assert_int_equal(log_open(NULL, LOG_FORMAT_TEXT, LOG_LEVEL_NONE, NULL), 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	assert_non_null(strstr(text, "level=warning msg=\"ignoring unknown or unavailable "
				     "capabilities: [CAP_B CAP_BC CAP_A]\"\n"));
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
	(void) close(fd);
	(void) unlink(name);
}

static void console_size_needs_a_terminal(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = process("'consoleSize':{'height':-1}");

	(void) state;
	assert_int_equal(spec->process.console_height, 0);
}

static void rlimits(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = process(
		"'rlimits':[{'type':'RLIMIT_NOFILE','soft':1,'hard':2},"
		"{'type':'RLIMIT_MEMLOCK','soft':18446744073709551615,"
		"'hard':18446744073709551615},{'type':'RLIMIT_RTTIME'}]");

	(void) state;
	assert_int_equal(spec->process.nr_rlimits, 3);
	assert_int_equal(spec->process.rlimits[0].type, RLIMIT_NOFILE);
	assert_int_equal(spec->process.rlimits[0].soft, 1);
	assert_int_equal(spec->process.rlimits[0].hard, 2);
	assert_true(spec->process.rlimits[1].hard == RLIM_INFINITY);
	assert_int_equal(spec->process.rlimits[2].type, RLIMIT_RTTIME);
}

static void refusals(void **state)
{
	static const struct spec_row rows[] = {
		{ "'env':['A']",
		  "config.json: process.env: invalid environment variable: missing '='" },
		{ "'env':['=x']",
		  "config.json: process.env: invalid environment variable: name cannot be empty" },
		{ "'env':['A=\\u0000']", "config.json: process.env[0]: contains null byte" },
		{ "'user':{'uid':4294967296}",
		  "config.json: process.user.uid: 4294967296 is over the limit 4294967295" },
		{ "'user':{'uid':-1}", "config.json: process.user.uid: -1 is under the limit 0" },
		{ "'user':{'uid':1.0}",
		  "config.json: process.user.uid: expected an integer, got 1.0" },
		{ "'user':{'uid':'0'}",
		  "config.json: process.user.uid: expected an integer, got a string" },
		{ "'user':0", "config.json: process.user: expected an object, got a number" },
		{ "'user':{'umask':512}",
		  "config.json: process.user.umask: 512 is over the limit 511" },
		{ "'user':{'additionalGids':[1,-1]}",
		  "config.json: process.user.additionalGids[1]: -1 is under the limit 0" },
		{ "'terminal':true,'consoleSize':{'height':65536}",
		  "config.json: process.consoleSize.height: 65536 is over the limit 65535" },
		{ "'terminal':'yes'",
		  "config.json: process.terminal: expected a boolean, got a string" },
		{ "'capabilities':['CAP_KILL']",
		  "config.json: process.capabilities: expected an object, got an array" },
		{ "'capabilities':{'bounding':[5]}",
		  "config.json: process.capabilities.bounding[0]: expected a string, got a number" },
		{ "'rlimits':[{}]", "config.json: process.rlimits[0].type: missing" },
		{ "'rlimits':[{'type':'RLIMIT_FOO'}]",
		  "config.json: process.rlimits[0].type: wrong rlimit value: RLIMIT_FOO" },
		{ "'rlimits':[{'type':'rlimit_cpu'}]",
		  "config.json: process.rlimits[0].type: wrong rlimit value: rlimit_cpu" },
		{ "'rlimits':[{'type':'RLIMIT_CPU'},{'type':'RLIMIT_AS'},{'type':'RLIMIT_CPU'}]",
		  "config.json: process.rlimits[2].type: RLIMIT_CPU is given twice" },
		{ "'rlimits':[{'type':'RLIMIT_CPU','soft':3,'hard':2}]",
		  "config.json: process.rlimits[0].soft: 3 is over the hard limit 2" },
		{ "'rlimits':[{'type':'RLIMIT_CPU','soft':-1}]",
		  "config.json: process.rlimits[0].soft: -1 is under the limit 0" },
		{ "'rlimits':[{'type':'RLIMIT_CPU','hard':18446744073709551616}]",
		  "config.json: process.rlimits[0].hard: 18446744073709551616 is over the limit "
		  "18446744073709551615" },
		{ "'oomScoreAdj':1001",
		  "config.json: process.oomScoreAdj: 1001 is over the limit 1000" },
		{ "'oomScoreAdj':-1001",
		  "config.json: process.oomScoreAdj: -1001 is under the limit -1000" },
		{ "'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':8}",
		  "config.json: process.ioPriority.priority: invalid ioPriority.Priority: 8" },
		{ "'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':-1}",
		  "config.json: process.ioPriority.priority: invalid ioPriority.Priority: -1" },
		{ "'ioPriority':{'class':'IOPRIO_CLASS_NONE','priority':0}",
		  "config.json: process.ioPriority.class: invalid ioPriority.Class: "
		  "\"IOPRIO_CLASS_NONE\"" },
		{ "'ioPriority':{}",
		  "config.json: process.ioPriority.class: invalid ioPriority.Class: \"\"" },
		{ "'execCPUAffinity':{'initial':'3-1'}",
		  "config.json: process.execCPUAffinity.initial: bad CPUAffinity.Initial: '3-1' is "
		  "not a list of CPUs" },
		{ "'execCPUAffinity':{'final':','}",
		  "config.json: process.execCPUAffinity.final: bad CPUAffinity.Final: ',' is not a "
		  "list of CPUs" },
		{ "'apparmorProfile':1",
		  "config.json: process.apparmorProfile: expected a string, got a number" },
	};
	static const char *const lists[] = { "x",   "1-",   "-1",    "1-2-3", "65536", "1;2",
					     "0x1", "1 2",  "1,,-",  "0-65536",
					     "99999999999999999999999" };

	(void) state;
	spec_check_rows(HEAD, TAIL, rows, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		char members[128], message[256];
		const struct spec_row row = { members, message };

		(void) snprintf(members, sizeof(members), "'execCPUAffinity':{'final':'%s'}",
				lists[i]);
		(void) snprintf(message, sizeof(message),
				"config.json: process.execCPUAffinity.final: bad CPUAffinity.Final: "
				"'%s' is not a list of CPUs",
				lists[i]);
		spec_check_rows(HEAD, TAIL, &row, 1);
	}
}

static void command_refusals(void **state)
{
	static const struct spec_row rows[] = {
		{ "'args':['sh']", "config.json: process.cwd: Cwd property must not be empty" },
		{ "'args':['sh'],'cwd':''",
		  "config.json: process.cwd: Cwd property must not be empty" },
		{ "'args':['sh'],'cwd':'a/b'",
		  "config.json: process.cwd: Cwd must be an absolute path" },
		{ "'cwd':'/'", "config.json: process.args: args must not be empty" },
		{ "'cwd':'/','args':[]", "config.json: process.args: args must not be empty" },
		{ "'cwd':'/','args':['a',null]",
		  "config.json: process.args[1]: expected a string, got null" },
		{ "'cwd':'/','args':'sh'",
		  "config.json: process.args: expected an array, got a string" },
		{ "'cwd':'/','args':['a\\u0000b']",
		  "config.json: process.args[0]: contains null byte" },
	};

	(void) state;
	spec_check_rows(SPEC_TOP_HEAD "'process':{", TAIL, rows, ARRAY_LEN(rows));
}

static void schedulers(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *deadline = process(
		"'scheduler':{'policy':'SCHED_DEADLINE','runtime':1024,'deadline':2048,"
		"'period':18446744073709551615,"
		"'flags':['SCHED_FLAG_RESET_ON_FORK','SCHED_FLAG_DL_OVERRUN']}");
	_cleanup_(oci_spec_freep) struct oci_spec *fifo =
		process("'scheduler':{'policy':'SCHED_FIFO','priority':99,'nice':40}");
	_cleanup_(oci_spec_freep) struct oci_spec *batch =
		process("'scheduler':{'policy':'SCHED_BATCH','nice':-20}");

	(void) state;
	assert_int_equal(deadline->process.scheduler->policy, SCHED_DEADLINE);
	assert_int_equal(deadline->process.scheduler->runtime, 1024);
	assert_int_equal(deadline->process.scheduler->deadline, 2048);
	assert_true(deadline->process.scheduler->period == UINT64_MAX);
	assert_int_equal(deadline->process.scheduler->flags,
			 SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_DL_OVERRUN);
	assert_int_equal(fifo->process.scheduler->priority, 99);
	assert_int_equal(batch->process.scheduler->nice, -20);
}

static void scheduler_refusals(void **state)
{
	static const struct spec_row rows[] = {
		{ "", "config.json: process.scheduler.policy: scheduler policy is required" },
		{ "'policy':'SCHED_ISO'",
		  "config.json: process.scheduler.policy: invalid scheduler policy: SCHED_ISO" },
		{ "'policy':'SCHED_OTHER','nice':20",
		  "config.json: process.scheduler.nice: invalid scheduler.nice: 20 when "
		  "scheduler.policy is SCHED_OTHER" },
		{ "'policy':'SCHED_BATCH','nice':-21",
		  "config.json: process.scheduler.nice: invalid scheduler.nice: -21 when "
		  "scheduler.policy is SCHED_BATCH" },
		{ "'policy':'SCHED_OTHER','nice':2147483648",
		  "config.json: process.scheduler.nice: 2147483648 is over the limit 2147483647" },
		{ "'policy':'SCHED_OTHER','priority':1",
		  "config.json: process.scheduler.priority: scheduler.priority can only be specified "
		  "for SchedFIFO or SchedRR policy" },
		{ "'policy':'SCHED_RR','priority':-1",
		  "config.json: process.scheduler.priority: -1 is under the limit 0" },
		{ "'policy':'SCHED_RR','period':5",
		  "config.json: process.scheduler: scheduler runtime/deadline/period can only be "
		  "specified for SchedDeadline policy" },
		{ "'policy':'SCHED_DEADLINE','deadline':4096",
		  "config.json: process.scheduler: sched_setattr: `SCHED_DEADLINE` requires `runtime`" },
		{ "'policy':'SCHED_DEADLINE','runtime':2048",
		  "config.json: process.scheduler: sched_setattr: `SCHED_DEADLINE` requires `deadline`" },
		{ "'policy':'SCHED_DEADLINE','runtime':0,'deadline':4096",
		  "config.json: process.scheduler.runtime: sched_setattr: `SCHED_DEADLINE` runtime must be "
		  "greater than 0" },
		{ "'policy':'SCHED_DEADLINE','runtime':1023,'deadline':4096",
		  "config.json: process.scheduler.runtime: sched_setattr: `SCHED_DEADLINE` runtime 1023 must "
		  "be between 1024 and 9223372036854775807" },
		{ "'policy':'SCHED_DEADLINE','runtime':4097,'deadline':4096",
		  "config.json: process.scheduler.runtime: sched_setattr: `SCHED_DEADLINE` runtime 4097 must "
		  "be <= deadline 4096" },
		{ "'policy':'SCHED_DEADLINE','runtime':1024,'deadline':4096,'period':4095",
		  "config.json: process.scheduler.deadline: sched_setattr: `SCHED_DEADLINE` deadline 4096 "
		  "must be <= period 4095" },
		{ "'policy':'SCHED_RR','flags':['SCHED_FLAG_X']",
		  "config.json: process.scheduler.flags[0]: invalid scheduler flag: SCHED_FLAG_X" },
		{ "'policy':'SCHED_RR','flags':[1]",
		  "config.json: process.scheduler.flags[0]: expected a string, got a number" },
	};

	(void) state;
	spec_check_rows(HEAD "'scheduler':{", "}}}", rows, ARRAY_LEN(rows));
}

static void counts_have_limits(void **state)
{
	static const struct {
		const char *head, *element, *tail, *message;
		int count;
	} rows[] = {
		{ "'env':[", "'A='", "]",
		  "config.json: process.env: 65537 elements are over the limit 65536", 65537 },
		{ "'user':{'additionalGids':[", "1", "]}",
		  "config.json: process.user.additionalGids: 65537 elements are over the limit 65536",
		  65537 },
		{ "'capabilities':{'ambient':[", "'CAP_KILL'", "]}",
		  "config.json: process.capabilities.ambient: 257 elements are over the limit 256",
		  257 },
		{ "'rlimits':[", "{}", "]",
		  "config.json: process.rlimits: 33 elements are over the limit 32", 33 },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(str_fini) struct str s = { 0 };
		struct spec_row row = { NULL, rows[i].message };

		str_puts(&s, rows[i].head);
		for (int n = 0; n < rows[i].count; n++)
			str_printf(&s, "%s%s", n > 0 ? "," : "", rows[i].element);
		str_puts(&s, rows[i].tail);
		row.members = s.p;
		spec_check_rows(HEAD, TAIL, &row, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest),
		cmocka_unit_test(everything),
		cmocka_unit_test(unknown_caps_are_logged),
		cmocka_unit_test(console_size_needs_a_terminal),
		cmocka_unit_test(rlimits),
		cmocka_unit_test(refusals),
		cmocka_unit_test(command_refusals),
		cmocka_unit_test(schedulers),
		cmocka_unit_test(scheduler_refusals),
		cmocka_unit_test(counts_have_limits),
	};

	(void) log_open(NULL, LOG_FORMAT_TEXT, LOG_LEVEL_NONE, NULL); /* never fails without a path */
	return cmocka_run_group_tests_name("spec_process", tests, NULL, NULL);
}
