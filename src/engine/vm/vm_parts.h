/* SPDX-License-Identifier: MIT */
/* Members of the back end, as backend.h describes them. */
#pragma once

#include "engine/backend.h"

struct vm_program;

/** vm_check() - refuse what is not possible; 0; -EOPNOTSUPP, -EINVAL with a message */
int vm_check(const struct eng_config *config, struct err *err);
/** vm_start() - the member start */
int vm_start(struct engine *e, const char *id, const struct eng_config *config, struct eng_running *ret,
	     struct err *err);
/** vm_exec() - the member exec */
int vm_exec(struct engine *e, const char *id, const struct eng_exec *exec, struct eng_running *ret, struct err *err);

/** vm_copy() - the member copy */
int vm_copy(struct engine *e, const char *id, const struct eng_copy *copy, uint64_t *ret_bytes, struct err *err);

/** vm_join() - the member join */
int vm_join(struct engine *e, const char *id, struct net_leg *leg, struct err *err);
/** vm_leave() - the member leave */
int vm_leave(struct engine *e, const char *id, int number, struct err *err);

/**
 * vm_stand_in() - make the process that stands for a program in a machine
 * @be: what it does; must report with vm_report()
 * @child: of the caller; else it is its sibling
 * Return: 0 the program runs; -errno with a message.
 */
int vm_stand_in(void (*be)(void *arg, int report), void *arg, bool child, struct eng_running *ret, struct err *err);

/** vm_report() - tell the starter: it runs, with its terminal's master or -EBADF; or @failure */
void vm_report(int sock, const struct err *failure, int master);

/** vm_stand_for() - what @be ends with when @p runs: report it, conduct it, and end as it ends; @master as of vm_report() */
_Noreturn void vm_stand_for(struct vm_program *p, int report, int master);
