/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/exec.h"
#include "engine/instance.h"
#include "engine/rootfs.h"
#include "engine/spec.h"
#include "engine/user.h"
#include "engine/vm/conduct.h"
#include "engine/vm/link.h"
#include "engine/vm/message.h"
#include "engine/vm/vm_parts.h"
#include "oci/spec.h"

#define EXIT_OURS 125
#define ALL_CAPS (~0ull)

struct starting {
	struct engine *e;
	const char *id;
	const struct eng_exec *exec;
	struct vm_program program;
	int master;
};

/* The instance's configuration with this program in the place of its own */
static void replace_program(struct eng_config *c, const struct eng_exec *x)
{
	c->args = x->args;
	c->tty = x->tty;
	c->init = false;
	c->systemd = "false";
	if (x->user != NULL)
		c->user = x->user;
	if (x->workdir != NULL)
		c->workdir = x->workdir;
}

static int make_spec(struct starting *s, struct oci_spec **ret, struct err *err)
{
	struct eng_instance i = { .id = s->id, .name = s->id, .state = ENG_STATE_RUNNING };
	_cleanup_(eng_rootfs_fini) struct eng_rootfs fs = ENG_ROOTFS_NONE;
	_cleanup_(str_fini) struct str json = { 0 };
	struct eng_config config;
	int r = eng_instance_config(s->e, &i, &config, err);

	if (r < 0)
		return r;
	replace_program(&config, s->exec);
	r = eng_rootfs_open(s->e, &i, &config, 0, &fs, err);
	if (r == 0)
		r = eng_spec_make(s->e, s->id, &config, true, fs.root, s->e->root, &json, err);
	if (r == 0)
		r = oci_spec_parse("config.json", json.p, json.len, ret, err);
	if (r == 0)
		r = eng_exec_env(&(*ret)->arena, s->exec, &(*ret)->process.env);
	eng_config_fini(&config);
	if (r == 0 && s->exec->privileged && (*ret)->process.caps != NULL)
		(*ret)->process.caps->permitted = (*ret)->process.caps->bounding = ALL_CAPS;
	return r < 0 && err->code == 0 ? err_set(err, r, "describe the program") : r;
}

static int begin(struct starting *s, struct err *err)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
	_cleanup_(str_fini) struct str message = { 0 };
	struct vm_how how = { .number = vm_message_number(), .input = s->exec->open_stdin };
	int r;

	(void) setsid(); /* a new process leads no group */
	s->program.signals = vm_conduct_signals(err);
	if (s->program.signals < 0)
		return s->program.signals;
	r = s->exec->tty ? vm_conduct_terminal(&s->master, &s->program.terminal, err) : 0;
	if (r == 0)
		r = make_spec(s, &spec, err);
	if (r < 0)
		return r;
	s->program.dir = openat(s->e->run_fd, s->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->program.dir < 0)
		return err_set(err, -ESRCH, "open the instance's directory");
	how.size = vm_conduct_size(s->program.terminal);
	r = vm_message_exec(spec, &spec->process, &how, &message, err);
	return r == 0 ? vm_conduct_start(&s->program, &message, how.number, spec->process.args.v[0], err) : r;
}

static _Noreturn void be_stand_in(void *arg, int report)
{
	struct starting *s = arg;
	struct err err = { 0 };
	int r = begin(s, &err);

	if (r == 0)
		vm_stand_for(&s->program, report, s->master);
	err.code = r;
	vm_report(report, &err, s->master);
	_exit(EXIT_OURS);
}

int vm_exec(struct engine *e, const char *id, const struct eng_exec *exec, struct eng_running *ret, struct err *err)
{
	struct starting s = {
		.e = e,
		.id = id,
		.exec = exec,
		.program = VM_PROGRAM_NONE,
		.master = -EBADF,
	};

	s.program.input = exec->open_stdin;
	return vm_stand_in(be_stand_in, &s, false, ret, err);
}
