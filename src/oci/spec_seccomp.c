/* SPDX-License-Identifier: MIT */
/**
 * DOC: the seccomp profile
 * Spec: runtime-spec 1.3, config-linux.md "Seccomp".
 */
#include <linux/seccomp.h>
#include <string.h>

#include "oci/spec_internal.h"
#include "oci/spec_names.h"

#define SYSCALL_ARG_MAX 5 /* a system call has six arguments */
#define ERRNO_MAX 4095 /* MAX_ERRNO of the kernel */
#define TRACE_MAX 65535 /* SECCOMP_RET_DATA */

/* An action and the errno beside it */
static void parse_action(struct json_in *in, const struct json *obj, const char *key,
			 const char *errno_key, uint32_t *ret, struct opt_u64 *ret_errno)
{
	const char *name = json_get_str(in, obj, key);

	if (in->code == 0 && (name == NULL || !oci_name_find(&oci_seccomp_action_names, name, ret)))
		(void) json_fail(in, obj, key, "string %.64s is not a valid action for seccomp",
				 name != NULL ? name : "");
	*ret_errno = spec_opt_u64(in, obj, errno_key,
				  *ret == SECCOMP_RET_TRACE ? TRACE_MAX : ERRNO_MAX);
	if (ret_errno->set && *ret != SECCOMP_RET_ERRNO && *ret != SECCOMP_RET_TRACE)
		(void) json_fail(in, obj, errno_key, "action %.64s takes no errno", name);
}

static void parse_arches(struct json_in *in, const struct json *obj, struct oci_seccomp *ret)
{
	const struct json *it;

	ret->arches = spec_array(in, obj, "architectures", SPEC_FLAGS_MAX, sizeof(*ret->arches),
				 &ret->nr_arches, &it);
	for (size_t i = 0; i < ret->nr_arches; i++, it = it->next) {
		const char *name = json_to_str(in, it);

		if (name == NULL)
			return;
		if (!oci_name_find(&oci_seccomp_arch_names, name, &ret->arches[i]))
			(void) json_fail(in, it, NULL, "string %.64s is not a valid arch for seccomp",
					 name);
	}
}

static void parse_flags(struct json_in *in, const struct json *obj, struct oci_seccomp *ret)
{
	const struct json *array = json_get_array(in, obj, "flags", SPEC_FLAGS_MAX);
	uint32_t bit = 0;

	ret->flags_set = json_get(in, obj, "flags") != NULL;
	for (const struct json *it = array != NULL ? array->first : NULL; it != NULL; it = it->next) {
		const char *name = json_to_str(in, it);

		if (name == NULL)
			return;
		if (!oci_name_find(&oci_seccomp_flag_names, name, &bit))
			(void) json_fail(in, it, NULL, "seccomp flag %.64s is not known", name);
		ret->flags |= bit;
	}
}

static void parse_args(struct json_in *in, const struct json *obj, struct oci_seccomp_rule *ret)
{
	const struct json *it;

	ret->args = spec_array(in, obj, "args", SPEC_SYSCALL_ARGS_MAX, sizeof(*ret->args),
			       &ret->nr_args, &it);
	for (size_t i = 0; i < ret->nr_args; i++, it = it->next) {
		struct oci_seccomp_arg *arg = &ret->args[i];
		uint64_t index = 0;
		uint32_t op = 0;
		const char *name;

		if (!json_to_object(in, it))
			return;
		(void) json_get_u64(in, it, "index", SYSCALL_ARG_MAX, &index);
		(void) json_get_u64(in, it, "value", UINT64_MAX, &arg->value);
		(void) json_get_u64(in, it, "valueTwo", UINT64_MAX, &arg->value_two);
		name = json_get_str(in, it, "op");
		if (in->code == 0 &&
		    (name == NULL || !oci_name_find(&oci_seccomp_op_names, name, &op)))
			(void) json_fail(in, it, "op",
					 "string %.64s is not a valid operator for seccomp",
					 name != NULL ? name : "");
		arg->index = (uint32_t) index;
		arg->op = (int) op;
	}
}

static void parse_rule(struct json_in *in, const struct json *node, struct oci_seccomp_rule *ret)
{
	if (!json_to_object(in, node))
		return;
	parse_action(in, node, "action", "errnoRet", &ret->action, &ret->errno_ret);
	ret->names = spec_strv(in, node, "names", SPEC_SYSCALLS_MAX);
	parse_args(in, node, ret);
	if (in->code == 0 && ret->names.n == 0)
		(void) json_fail(in, node, "names", "names no system call");
	for (size_t i = 0; i < ret->names.n && in->code == 0; i++) {
		const char *name = ret->names.v[i];

		if (*name == '\0')
			(void) json_fail(in, node, "names",
					 "empty string is not a valid syscall");
		if (ret->action == SECCOMP_RET_USER_NOTIF && strcmp(name, "write") == 0)
			(void) json_fail(in, node, "names",
					 "SCMP_ACT_NOTIFY cannot be used for the write syscall");
	}
}

static void parse_listener(struct json_in *in, const struct json *obj, struct oci_seccomp *ret)
{
	bool notifies = false;

	ret->listener_path = spec_path(in, obj, "listenerPath");
	ret->listener_metadata = spec_str(in, obj, "listenerMetadata");
	for (size_t i = 0; i < ret->nr_rules; i++)
		notifies |= ret->rules[i].action == SECCOMP_RET_USER_NOTIF;
	if (in->code < 0)
		return;
	if (notifies && ret->listener_path == NULL)
		(void) json_fail(in, obj, "listenerPath", "seccomp listenerPath is not set");
	else if (ret->listener_metadata != NULL && ret->listener_path == NULL)
		(void) json_fail(in, obj, "listenerMetadata",
				 "given without listenerPath, which it is sent to");
	if (!notifies) /* as the spec demands */
		ret->listener_path = ret->listener_metadata = NULL;
}

struct oci_seccomp *spec_seccomp(struct json_in *in, const struct json *obj)
{
	const struct json *member = json_get_object(in, obj, "seccomp");
	const struct json *it;
	struct oci_seccomp *ret;

	if (member == NULL || (spec_str(in, member, "defaultAction") == NULL &&
			       json_get_array(in, member, "syscalls", SPEC_SYSCALLS_MAX) == NULL))
		return NULL;
	ret = arena_alloc(in->strings, 1, sizeof(*ret));
	if (ret == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return NULL;
	}
	parse_action(in, member, "defaultAction", "defaultErrnoRet", &ret->default_action,
		     &ret->default_errno_ret);
	if (in->code == 0 && ret->default_action == SECCOMP_RET_USER_NOTIF)
		(void) json_fail(in, member, "defaultAction",
				 "SCMP_ACT_NOTIFY cannot be used as default action");
	parse_arches(in, member, ret);
	parse_flags(in, member, ret);
	ret->rules = spec_array(in, member, "syscalls", SPEC_SYSCALLS_MAX, sizeof(*ret->rules),
				&ret->nr_rules, &it);
	for (size_t i = 0; i < ret->nr_rules && in->code == 0; i++, it = it->next)
		parse_rule(in, it, &ret->rules[i]);
	parse_listener(in, member, ret);
	return ret;
}
