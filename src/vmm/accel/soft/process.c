/* SPDX-License-Identifier: MIT */
/**
 * DOC: a process for a processor
 *
 * This program, started again, with nothing but the descriptors that the processor needs.  Commands and
 * answers are a byte each through a pipe, what they mean is in the world: a process that ends is an end of
 * its pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/accel/soft/soft_internal.h"
#include "vmm/accel/soft/spawn.h"

#define FDS_MAX (VCPU_FD_MORE + CPU_RAM_MAX + WORLD_NOTIFY_MAX)

/** struct pipes - both ways; 0 is for reading */
struct pipes {
	int command[2], answer[2];
};

static void pipes_close(const struct pipes *p)
{
	const int fd[] = { p->command[0], p->command[1], p->answer[0], p->answer[1] };

	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		if (fd[i] >= 0)
			(void) close(fd[i]); /* nothing is lost */
}

static int pipes_open(struct pipes *ret)
{
	*ret = (struct pipes) { { -1, -1 }, { -1, -1 } };
	if (pipe2(ret->command, O_CLOEXEC) == 0 && pipe2(ret->answer, O_CLOEXEC) == 0)
		return 0;
	pipes_close(ret);
	return -errno;
}

/* Which descriptor of ours is which one there; the world is told of those that are there from now on. */
static unsigned list_fds(struct soft *s, const struct pipes *p, int *fd)
{
	unsigned n = VCPU_FD_MORE;

	fd[VCPU_FD_COMMAND] = p->command[0];
	fd[VCPU_FD_ANSWER] = p->answer[1];
	fd[STDERR_FILENO] = STDERR_FILENO;
	fd[VCPU_FD_WORLD] = s->world_fd;
	fd[VCPU_FD_PAGES] = s->pages_fd;
	for (unsigned i = 0; i < s->ram.nr; i++) {
		s->world->region[i] = (struct world_region) { .gpa = s->ram.region[i].gpa, .size = s->ram.region[i].size,
							      .offset = s->region_offset[i], .fd = (int) n,
							      .readonly = s->ram.region[i].readonly };
		fd[n++] = s->region_fd[i];
	}
	s->world->nr_regions = s->ram.nr;
	for (unsigned i = 0; i < WORLD_NOTIFY_MAX; i++) {
		s->world->notify[i].fd = s->notify[i].fd < 0 ? -1 : (int) n;
		if (s->notify[i].fd >= 0)
			fd[n++] = s->notify[i].fd;
	}
	return n;
}

static int wait_answer(struct accel_vcpu *v, bool limited, struct err *err)
{
	char byte;
	ssize_t n;
	int r = patience_wait(&v->patience, v->answer, limited);

	if (r == -ETIMEDOUT) {
		spawn_end(v->pid, v->handle);
		v->pid = 0;
		v->handle = -1;
		return err_msg(err, -EIO, "processor %u: its process does not stop", v->index);
	}
	do
		n = read(v->answer, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	if (n < 0)
		return err_set(err, -errno, "wait for processor %u", v->index);
	r = spawn_wait(v->pid, err);
	v->pid = 0;
	return err_wrap(err, r, "processor %u", v->index);
}

static int result(const struct accel_vcpu *v, const char *what, struct err *err)
{
	int r = __atomic_load_n(&v->soft->world->slot[v->index].result, __ATOMIC_ACQUIRE);

	return r < 0 ? err_set(err, r, "processor %u: %s", v->index, what) : 0;
}

int soft_spawn(struct accel_vcpu *v, struct err *err)
{
	struct soft *s = v->soft;
	int fd[FDS_MAX], r;
	struct pipes p;
	unsigned n;
	char index[16];
	const char *const argv[] = { "cleave-vmm:soft", index, NULL };

	r = pipes_open(&p);
	if (r < 0)
		return err_set(err, r, "make pipes");
	n = list_fds(s, &p, fd);
	(void) snprintf(index, sizeof(index), "%u", v->index);
	r = spawn(s->program, argv, fd, n, &v->pid, &v->handle);
	v->command = p.command[1];
	v->answer = p.answer[0];
	p.command[1] = p.answer[0] = -1;
	pipes_close(&p);
	if (r < 0)
		return err_set(err, r, "start process of processor %u", v->index);
	r = wait_answer(v, true, err);
	return r < 0 ? r : result(v, "begin", err);
}

void soft_reap(struct accel_vcpu *v)
{
	if (v->soft == NULL || v->soft->threads)
		return;
	(void) close(v->command); /* nothing is lost */
	(void) close(v->answer); /* likewise */
	spawn_end(v->pid, v->handle);
	v->pid = 0;
	v->handle = -1;
}

int soft_do(struct accel_vcpu *v, enum world_command command, struct err *err)
{
	struct world_slot *slot = &v->soft->world->slot[v->index];
	int r;

	slot->command = command;
	if (v->vcpu != NULL) {
		slot->result = vcpu_do(v->vcpu);
		return result(v, "run", err);
	}
	if (v->pid == 0)
		return err_msg(err, -EIO, "processor %u: its process is gone", v->index);
	if (write(v->command, "", 1) < 0 && errno != EPIPE)
		return err_set(err, -errno, "processor %u: tell its process", v->index);
	r = wait_answer(v, command != WORLD_RUN, err);
	return r < 0 ? r : result(v, "run", err);
}
