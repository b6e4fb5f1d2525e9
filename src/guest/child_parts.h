/* SPDX-License-Identifier: MIT */
/* Steps of a program on its way to execve(2): 0 or -errno, with the step that failed in *@step. */
#pragma once

struct request;

/** child_machine() - namespaces' names, mounts, devices; in new namespaces */
int child_machine(const struct request *r, int *step);

/** child_identity() - limits, user, capabilities, filter; the last thing before the program */
int child_identity(const struct request *r, int *step);

/** child_make_dirs() - mkdir -p; @parent: all but the last */
int child_make_dirs(const char *path, int parent);
