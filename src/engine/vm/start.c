/* SPDX-License-Identifier: MIT */
/**
 * DOC: starting a virtual machine
 *
 * The process that stands for the program puts the files together, starts the machine as its child, has the
 * guest run the program, and stays until that has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/hostfiles.h"
#include "engine/overlay.h"
#include "engine/rootfs.h"
#include "engine/spec.h"
#include "engine/vm/cgroup.h"
#include "engine/vm/image.h"
#include "engine/vm/life.h"
#include "engine/vm/network.h"
#include "engine/vm/tree.h"
#include "engine/vm/vm_parts.h"
#include "engine/volume.h"
#include "oci/spec.h"

#define EXIT_OURS 125
#define PATH_SIZE 4096

struct starting {
	struct engine *e;
	const char *id;
	const struct eng_config *config;
	struct oci_spec *spec;
	struct vm_life life;
	struct vm_net nets[VM_NETS_MAX];
	int master;
};

static int open_dirs(struct starting *s, char path[PATH_SIZE], struct err *err)
{
	struct vm_machine *m = &s->life.machine;

	if (snprintf(path, PATH_SIZE, "%s/instances/%s", s->e->root, s->id) >= PATH_SIZE)
		return err_set(err, -ENAMETOOLONG, "start a virtual machine");
	m->files = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	m->dir = openat(s->e->run_fd, s->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->files < 0 || m->dir < 0)
		return err_set(err, -errno, "open the instance's directories");
	eng_overlay_adopt(m->files);
	(void) unlinkat(m->dir, VM_OOM, 0); /* of the last time, as the next ones */
	(void) unlinkat(m->dir, VM_OWN, 0);
	(void) unlinkat(m->files, ENG_CONSOLE, 0);
	return 0;
}

/*
 * The image is memory of the machine, and what is written lies above it: the guest's kernel puts both together.  That
 * of a user who is not root could not set the marks which that takes.
 */
static void choose_image(struct starting *s)
{
	const struct eng_config *c = s->config;
	struct vm_machine *m = &s->life.machine;
	bool alone = !eng_spec_needs_layer(c);

	if (!alone && !vm_image_is_for(s->e, c))
		return;
	m->image = vm_image_open(s->e, c->chain, c->memory != 0 ? c->memory : ENG_VM_MEMORY);
	if (m->image < 0 || alone)
		return;
	m->scratch = c->auto_remove;
	m->layer = openat(m->files, ENG_OVERLAY_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->layer >= 0)
		return;
	cleanup_closep(&m->image); /* as a shared directory: that says what is missing */
	m->image = -EBADF;
}

/* The files as somebody on this host sees them: to read if the guest has them to itself, else for the guest. */
static int open_files(const struct starting *s, struct err *err)
{
	const struct eng_config *c = s->config;
	const struct vm_machine *m = &s->life.machine;
	bool layer = eng_spec_needs_layer(c);

	if (m->image >= 0)
		return eng_overlay_view(s->e, m->files, c->chain, layer, err);
	return eng_overlay_open(s->e, m->files, c->chain, layer, c->auto_remove, -EBADF, err);
}

static int share_files(struct starting *s, int *files, struct err *err)
{
	struct vm_machine *m = &s->life.machine;
	int r;

	if (m->image < 0) {
		m->root = take_fd(*files);
	} else {
		m->root = vm_tree_new(err);
		if (m->root >= 0 && file_replace(m->dir, VM_OWN, "", 0, 0600) < 0)
			return err_set(err, -EIO, "note how the machine has its files");
	}
	r = m->root < 0 ? m->root : vm_tree_attach(s->spec, m->root, err);
	return r == 0 && m->image >= 0 ? vm_tree_show_copier(m->root, err) : r;
}

static int make_files(struct starting *s, const char *path, struct err *err)
{
	const struct eng_config *c = s->config;
	struct vm_machine *m = &s->life.machine;
	_cleanup_(str_fini) struct str json = { 0 };
	_cleanup_close_ int files = open_files(s, err);
	int r = files < 0 ? files : eng_hostfiles_renew(s->e->net, c, m->files, err);

	if (r == 0)
		r = eng_volumes_fill(s->e, c, files, err);
	if (r == 0) /* not before: kernels want layers of a namespace that is theirs */
		r = eng_rootfs_unshare(err);
	if (r == 0)
		r = eng_spec_make(s->e, s->id, c, true, files, path, &json, err);
	if (r == 0)
		r = oci_spec_parse("config.json", json.p, json.len, &s->spec, err);
	return r == 0 ? share_files(s, &files, err) : r;
}

static int boot(struct starting *s, const char *path, struct err *err)
{
	const struct eng_config *c = s->config;
	const struct vm_want want = {
		.kernel = c->kernel,
		.append = c->append,
		.accel = c->accel,
		.memory = c->memory,
		.cpus = c->vcpus != 0 ? c->vcpus : (c->nano_cpus + 999999999) / 1000000000,
	};
	struct vm_machine *m = &s->life.machine;
	int r = vm_network_open(s->e, m->dir, want.cpus != 0 ? want.cpus : 1, s->nets, &m->nr_nets, err);

	m->nets = m->nr_nets > 0 ? s->nets : NULL;
	choose_image(s);
	if (r == 0 && m->layer >= 0)
		r = vm_tree_layer(&m->layer, err);
	if (r == 0) /* first: the kernel may not be able to use the image */
		r = vm_machine_prepare(s->e, &want, m, err);
	if (r == 0)
		r = make_files(s, path, err);
	if (r == 0)
		r = vm_cgroup_enter(s->e, s->id, s->spec, err);
	return r == 0 ? vm_life_boot(&s->life, &want, err) : r;
}

static int begin(struct starting *s, struct err *err)
{
	char path[PATH_SIZE];
	int r = 0;

	(void) setsid(); /* a new process leads no group */
	s->life.program.signals = vm_conduct_signals(err);
	if (s->life.program.signals < 0)
		return s->life.program.signals;
	if (s->config->tty)
		r = vm_conduct_terminal(&s->master, &s->life.program.terminal, err);
	if (r == 0)
		r = open_dirs(s, path, err);
	if (r == 0)
		r = boot(s, path, err);
	return r == 0 ? vm_life_run(&s->life, s->spec, err) : r;
}

static _Noreturn void be_stand_in(void *arg, int report)
{
	struct starting *s = arg;
	struct err err = { 0 };
	int r;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a number that is known */
	r = begin(s, &err);
	if (r < 0) {
		err.code = r;
		vm_life_end(&s->life);
		vm_report(report, &err, -EBADF);
		_exit(EXIT_OURS);
	}
	vm_report(report, NULL, s->master);
	vm_life_stay(&s->life);
}

int vm_start(struct engine *e, const char *id, const struct eng_config *config, struct eng_running *ret, struct err *err)
{
	struct starting s = {
		.e = e,
		.id = id,
		.config = config,
		.life = VM_LIFE_NONE,
		.master = -EBADF,
	};
	int r;

	s.life.program.input = config->open_stdin;
	r = vm_stand_in(be_stand_in, &s, false, ret, err);

	if (r == 0 && (config->read_only || vm_image_is_for(e, config)))
		vm_image_make_later(e, config->chain);
	return r;
}
