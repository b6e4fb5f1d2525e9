/* SPDX-License-Identifier: MIT */
/**
 * DOC: hooks
 * Spec: runtime-spec 1.3, config.md "POSIX-platform Hooks".
 */
#include "oci/spec_internal.h"
#include "oci/spec_names.h"

static void parse_hook(struct json_in *in, const struct json *node, struct oci_hook *ret)
{
	if (!json_to_object(in, node))
		return;
	ret->path = spec_path(in, node, "path");
	if (in->code == 0 && ret->path == NULL)
		(void) json_fail(in, node, "path", "missing or empty");
	ret->args = spec_strv(in, node, "args", SPEC_ARGS_MAX);
	ret->env = spec_strv(in, node, "env", SPEC_ENV_MAX);
	ret->timeout = spec_opt_i64(in, node, "timeout", 1, INT32_MAX);
}

void spec_hooks(struct json_in *in, const struct json *root, struct oci_spec *ret)
{
	const struct json *hooks = json_get_object(in, root, "hooks");

	for (size_t k = 0; k < oci_hook_names.n && hooks != NULL; k++) {
		struct oci_hook_list *list = &ret->hooks[oci_hook_names.v[k].value];
		const struct json *it;

		list->v = spec_array(in, hooks, oci_hook_names.v[k].name, SPEC_HOOKS_MAX,
				     sizeof(*list->v), &list->n, &it);
		for (size_t i = 0; i < list->n && in->code == 0; i++, it = it->next)
			parse_hook(in, it, &list->v[i]);
	}
}
