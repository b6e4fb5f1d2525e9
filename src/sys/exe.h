/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct err;

#define EXE_FOLDER_ENV "CLEAVE_LIBEXEC" /* folder of helper programs; kept if the user sets it */

/**
 * exe_seal() - run this program from a copy that a container cannot write to
 * @argv: of main()
 *
 * A process of a container can open /proc/<pid>/exe of a runtime process that is about to become its
 * init, and write to the runtime's file on the host once that is no longer busy (CVE-2019-5736).
 * So the program executes itself again: from a detached read-only clone of the mount its file is on
 * (shares the page cache) or, without the privilege for that, from a sealed memfd.
 * Called before anything else by verbs that clone a container process.
 * Return: 0 this process is the protected copy; -errno with a message.
 */
int exe_seal(char **argv, struct err *err);

/**
 * exe_helper() - find a program of ours that nobody types
 * @path: returns, of @size bytes; the last place that was tried when there is none
 *
 * In the folder that the environment names, beside this program, or where both were installed.
 * Return: 0; -ENOENT; -ENAMETOOLONG.
 */
int exe_helper(const char *name, char *path, size_t size);
