/* SPDX-License-Identifier: MIT */
/*
 * Without root: a user namespace in which the user is root, one for everything that runs from a run root.
 */
#pragma once

struct engine;
struct err;

/**
 * eng_rootless_enter() - become root of the namespace that belongs to @e's run root
 * @e: its directories are open; @e->keeper is set
 *
 * Nothing happens to root of the host.
 * Context: a single thread; afterwards the process has a mount namespace of its own.
 * Return: 0; -errno with a message.
 */
int eng_rootless_enter(struct engine *e, struct err *err);

/** eng_rootless_leave() - the command is over: who is the last and leaves nothing running ends the namespace */
void eng_rootless_leave(struct engine *e);
