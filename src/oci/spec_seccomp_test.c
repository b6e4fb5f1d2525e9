/* SPDX-License-Identifier: MIT */
#include "oci/spec_test.h"

#include <linux/seccomp.h>
#include <seccomp.h>

#define HEAD SPEC_TOP_HEAD "'linux':{'seccomp':{"
#define TAIL "}}}"

static struct oci_spec *profile(const char *members)
{
	return spec_good(HEAD, members, TAIL);
}

static void none(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *empty = profile("");
	_cleanup_(oci_spec_freep) struct oci_spec *arches = profile(
		"'defaultAction':'','architectures':['SCMP_ARCH_X86'],'syscalls':[]");

	(void) state;
	assert_null(empty->linux.seccomp);
	assert_null(arches->linux.seccomp);
}

static void actions(void **state)
{
	static const struct {
		const char *name;
		uint32_t value;
	} rows[] = {
		{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
		{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
		{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
		{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
		{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
		{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(oci_spec_freep) struct oci_spec *spec =
			spec_good(HEAD "'defaultAction':'", rows[i].name, "'}}}");

		assert_int_equal(spec->linux.seccomp->default_action, rows[i].value);
		assert_false(spec->linux.seccomp->flags_set);
	}
}

static void everything(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = profile(
		"'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
		"'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X32','SCMP_ARCH_AARCH64'],"
		"'flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_TSYNC'],"
		"'listenerPath':'/run/l','listenerMetadata':'m','syscalls':["
		"{'names':['read','write'],'action':'SCMP_ACT_ALLOW'},"
		"{'names':['clone'],'action':'SCMP_ACT_ERRNO','errnoRet':1,'args':["
		"{'index':5,'value':18446744073709551615,'valueTwo':3,'op':'SCMP_CMP_MASKED_EQ'},"
		"{'index':0,'value':0,'op':'SCMP_CMP_NE'}]},"
		"{'names':['ptrace'],'action':'SCMP_ACT_TRACE','errnoRet':65535},"
		"{'names':['mkdir'],'action':'SCMP_ACT_NOTIFY'}]");
	const struct oci_seccomp *s = spec->linux.seccomp;

	(void) state;
	assert_true(s->default_errno_ret.set && s->default_errno_ret.v == 38);
	assert_int_equal(s->nr_arches, 3);
	assert_int_equal(s->arches[0], SCMP_ARCH_X86_64);
	assert_int_equal(s->arches[1], SCMP_ARCH_X32);
	assert_int_equal(s->arches[2], SCMP_ARCH_AARCH64);
	assert_true(s->flags_set);
	assert_int_equal(s->flags, SECCOMP_FILTER_FLAG_LOG);
	assert_string_equal(s->listener_path, "/run/l");
	assert_string_equal(s->listener_metadata, "m");
	assert_int_equal(s->nr_rules, 4);
	assert_string_equal(s->rules[0].names.v[1], "write");
	assert_false(s->rules[0].errno_ret.set);
	assert_int_equal(s->rules[1].nr_args, 2);
	assert_int_equal(s->rules[1].errno_ret.v, 1);
	assert_int_equal(s->rules[1].args[0].index, 5);
	assert_true(s->rules[1].args[0].value == UINT64_MAX);
	assert_int_equal(s->rules[1].args[0].value_two, 3);
	assert_int_equal(s->rules[1].args[0].op, SCMP_CMP_MASKED_EQ);
	assert_int_equal(s->rules[1].args[1].op, SCMP_CMP_NE);
	assert_int_equal(s->rules[2].errno_ret.v, 65535);
	assert_int_equal(s->rules[3].action, SECCOMP_RET_USER_NOTIF);
}

static void listener_without_notify_is_ignored(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = profile(
		"'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/l','listenerMetadata':'m',"
		"'flags':[]");

	(void) state;
	assert_null(spec->linux.seccomp->listener_path);
	assert_null(spec->linux.seccomp->listener_metadata);
	assert_true(spec->linux.seccomp->flags_set);
	assert_int_equal(spec->linux.seccomp->flags, 0);
}

static void refusals(void **state)
{
#define S "config.json: linux.seccomp."
#define ALLOW "'defaultAction':'SCMP_ACT_ALLOW',"
#define RULE(members) ALLOW "'syscalls':[{" members "}]"
#define ARG(members) RULE("'names':['a'],'action':'SCMP_ACT_LOG','args':[{" members "}]")
	static const struct spec_row rows[] = {
		{ "'defaultAction':'ALLOW'",
		  S "defaultAction: string ALLOW is not a valid action for seccomp" },
		{ "'defaultAction':'SCMP_ACT_NOTIFY'",
		  S "defaultAction: SCMP_ACT_NOTIFY cannot be used as default action" },
		{ "'defaultAction':5", S "defaultAction: expected a string, got a number" },
		{ "'syscalls':[{'names':['a'],'action':'SCMP_ACT_LOG'}]",
		  S "defaultAction: string  is not a valid action for seccomp" },
		{ ALLOW "'defaultErrnoRet':1",
		  S "defaultErrnoRet: action SCMP_ACT_ALLOW takes no errno" },
		{ "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':4096",
		  S "defaultErrnoRet: 4096 is over the limit 4095" },
		{ "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':-1",
		  S "defaultErrnoRet: -1 is under the limit 0" },
		{ "'defaultAction':'SCMP_ACT_TRACE','defaultErrnoRet':65536",
		  S "defaultErrnoRet: 65536 is over the limit 65535" },
		{ ALLOW "'architectures':['SCMP_ARCH_X86','x86']",
		  S "architectures[1]: string x86 is not a valid arch for seccomp" },
		{ ALLOW "'architectures':[3]",
		  S "architectures[0]: expected a string, got a number" },
		{ ALLOW "'flags':['SECCOMP_FILTER_FLAG_NEW_LISTENER']",
		  S "flags[0]: seccomp flag SECCOMP_FILTER_FLAG_NEW_LISTENER is not known" },
		{ ALLOW "'listenerPath':'@abstract'",
		  S "listenerPath: '@abstract' is not an absolute path" },
		{ ALLOW "'listenerMetadata':'m'",
		  S "listenerMetadata: given without listenerPath, which it is sent to" },
		{ RULE("'names':['mkdir'],'action':'SCMP_ACT_NOTIFY'"),
		  S "listenerPath: seccomp listenerPath is not set" },
		{ RULE("'names':['read','write'],'action':'SCMP_ACT_NOTIFY'"),
		  S "syscalls[0].names: SCMP_ACT_NOTIFY cannot be used for the write syscall" },
		{ RULE("'names':['a']"),
		  S "syscalls[0].action: string  is not a valid action for seccomp" },
		{ RULE("'names':['a'],'action':'scmp_act_allow'"),
		  S "syscalls[0].action: string scmp_act_allow is not a valid action for seccomp" },
		{ RULE("'action':'SCMP_ACT_ALLOW'"), S "syscalls[0].names: names no system call" },
		{ RULE("'names':[],'action':'SCMP_ACT_ALLOW'"),
		  S "syscalls[0].names: names no system call" },
		{ RULE("'names':[''],'action':'SCMP_ACT_ALLOW'"),
		  S "syscalls[0].names: empty string is not a valid syscall" },
		{ RULE("'names':['a'],'action':'SCMP_ACT_KILL','errnoRet':1"),
		  S "syscalls[0].errnoRet: action SCMP_ACT_KILL takes no errno" },
		{ ALLOW "'syscalls':[1]", S "syscalls[0]: expected an object, got a number" },
		{ ARG("'index':6,'op':'SCMP_CMP_EQ'"),
		  S "syscalls[0].args[0].index: 6 is over the limit 5" },
		{ ARG("'index':0,'op':'=='"),
		  S "syscalls[0].args[0].op: string == is not a valid operator for seccomp" },
		{ ARG("'index':0"),
		  S "syscalls[0].args[0].op: string  is not a valid operator for seccomp" },
		{ ARG("'value':18446744073709551616,'op':'SCMP_CMP_EQ'"),
		  S "syscalls[0].args[0].value: 18446744073709551616 is over the limit "
		    "18446744073709551615" },
	};

	(void) state;
	spec_check_rows(HEAD, TAIL, rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none),
		cmocka_unit_test(actions),
		cmocka_unit_test(everything),
		cmocka_unit_test(listener_without_notify_is_ignored),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("spec_seccomp", tests, NULL, NULL);
}
