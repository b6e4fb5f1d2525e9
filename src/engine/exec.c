/* SPDX-License-Identifier: MIT */
#include "engine/exec.h"

#include <errno.h>

#include "base/err.h"
#include "engine/config.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "engine/launch.h"
#include "engine/stop.h"
#include "oci/spec.h"

int eng_exec(struct engine *e, const struct eng_instance *i, const struct eng_exec *exec,
	     bool attach, int *ret_client, struct err *err)
{
	int pid = eng_pid(e, i), r;

	if (i->state == ENG_STATE_RESTARTING)
		return err_msg(err, -ESRCH, "instance '%s' is restarting: wait until it runs",
			       i->name);
	if (i->state != ENG_STATE_RUNNING)
		return err_msg(err, -ESRCH, "instance '%s' is not running: see 'cleave start'",
			       i->name);
	if (i->paused)
		return err_msg(err, -EBUSY, "instance '%s' is paused: see 'cleave unpause'",
			       i->name);
	r = eng_launch_exec(e, i, exec, attach, ret_client, err);
	return r < 0 && eng_has_ended(e, i, pid, err) ? -ESRCH : r;
}

int eng_exec_env(struct arena *a, const struct img_words *more, struct oci_strv *env)
{
	struct img_words all = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < env->n; i++)
		r = eng_words_add(a, &all, env->v[i]);
	for (size_t i = 0; r == 0 && i < more->n; i++)
		r = eng_env_set(a, &all, more->v[i]);
	*env = (struct oci_strv) { .v = (char **) all.v, .n = all.n };
	return r;
}
