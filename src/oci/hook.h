/* SPDX-License-Identifier: MIT */
#pragma once

#include "oci/state.h"

struct err;

/** oci_hook_name() - name of a kind in config.json */
const char *oci_hook_name(enum oci_hook_kind kind);

/**
 * oci_hook_run() - run all hooks of a kind, one after the other
 * @state: borrows; passed on standard input as JSON with @status
 * @env_default: environment for hooks without "env", NULL for the caller's own
 *
 * The annotations run.oci.hooks.stdout and run.oci.hooks.stderr name files on the host that the output
 * is appended to; startContainer hooks, which run where the host's files are out of sight, ignore them.
 *
 * Stops at the first hook that fails (poststart and poststop callers only warn).  A hook over its
 * timeout is killed with its process group.
 * Context: blocks; forks; single-threaded process.
 * Return: 0; -errno with a message "error running NAME hook #N: ...".
 * Spec: runtime-spec 1.3 config.md "POSIX-platform Hooks".
 */
int oci_hook_run(const struct oci_spec *spec, enum oci_hook_kind kind, const struct oci_state *state,
		 enum oci_status status, char *const *env_default, struct err *err);

/**
 * oci_hook_warn() - oci_hook_run() where the spec wants failures logged and ignored
 * Every hook of the kind is run, also after one that failed.
 */
void oci_hook_warn(const struct oci_spec *spec, enum oci_hook_kind kind, const struct oci_state *state,
		   enum oci_status status);
