/* SPDX-License-Identifier: MIT */
/**
 * DOC: files for a machine that puts its root file system together itself
 *
 * The program that unpacks them runs inside, as what `cleave exec` runs does, with nothing of the instance but its namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/vm/conduct.h"
#include "engine/vm/link.h"
#include "engine/vm/message.h"
#include "engine/vm/vm_parts.h"
#include "oci/spec.h"
#include "sys/proc.h"

#define EXIT_OURS 125
#define ALL_CAPS (~0ull)

/* What the stand-in and who waits for it share: what the program says, or why it does not run */
struct copying {
	struct engine *e;
	const char *id;
	const struct eng_copy *copy;
	int said, complained;
};

static int ask(const struct copying *c, struct vm_program *p, struct err *err)
{
	char owner[2][16];
	char *args[] = { (char *) "cleave-copy", (char *) c->copy->dir, owner[0], owner[1], NULL };
	struct oci_caps caps = { .bounding = ALL_CAPS, .permitted = ALL_CAPS };
	const struct oci_spec spec = { 0 };
	const struct oci_process process = {
		.args = { .v = args, .n = c->copy->owned ? 4 : 2 },
		.cwd = (char *) "/",
		.caps = &caps,
	};
	const struct vm_how how = { .number = vm_message_number(), .input = true, .ours = true };
	_cleanup_(str_fini) struct str message = { 0 };
	int r;

	(void) snprintf(owner[0], sizeof(owner[0]), "%" PRIu32, c->copy->uid);
	(void) snprintf(owner[1], sizeof(owner[1]), "%" PRIu32, c->copy->gid);
	p->dir = openat(c->e->run_fd, c->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return err_set(err, -ESRCH, "open the instance's directory");
	r = vm_message_exec(&spec, &process, &how, &message, err);
	return r == 0 ? vm_conduct_start(p, &message, how.number, args[0], err) : r;
}

static _Noreturn void be_stand_in(const struct copying *c)
{
	struct vm_program p = VM_PROGRAM_NONE;
	struct err err = { 0 };
	int r;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a number that is known */
	(void) setsid(); /* a new process leads no group */
	r = p.signals = vm_conduct_signals(&err);
	p.input = true;
	if (r >= 0 && (dup2(c->copy->fd, STDIN_FILENO) < 0 || dup2(c->said, STDOUT_FILENO) < 0 ||
		       dup2(c->complained, STDERR_FILENO) < 0))
		r = err_set(&err, -errno, "connect to the virtual machine");
	if (r >= 0)
		r = ask(c, &p, &err);
	if (r < 0) {
		(void) dprintf(c->complained, "%s\n", err.text); /* or it is told that something failed */
		_exit(EXIT_OURS);
	}
	r = vm_conduct(&p);
	_exit(r < 0 ? EXIT_OURS : r);
}

/* The beginning of a file in memory, without the end of its line */
static void read_text(int fd, char *ret, size_t size)
{
	ssize_t n = pread(fd, ret, size - 1, 0);

	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

int vm_copy(struct engine *e, const char *id, const struct eng_copy *copy, uint64_t *ret_bytes, struct err *err)
{
	_cleanup_close_ int said = memfd_create("said", MFD_CLOEXEC), complained = memfd_create("complained", MFD_CLOEXEC);
	struct copying c = { .e = e, .id = id, .copy = copy, .said = said, .complained = complained };
	int flags = fcntl(copy->fd, F_GETFL), status;
	char text[512];
	pid_t pid;

	if (said < 0 || complained < 0)
		return err_set(err, -errno, "copy files into a virtual machine");
	pid = fork();
	if (pid == 0)
		be_stand_in(&c);
	if (pid < 0)
		return err_set(err, -errno, "create a process");
	status = proc_wait(pid);
	if (flags >= 0)
		(void) fcntl(copy->fd, F_SETFL, flags); /* as it was, whoever else has it */
	read_text(status == 0 ? said : complained, text, sizeof(text));
	if (status == 0 && str_to_u64(text, ret_bytes) == 0)
		return 0;
	return err_msg(err, -EIO, "%s", text[0] != '\0' ? text : "the virtual machine ended before all was copied");
}
