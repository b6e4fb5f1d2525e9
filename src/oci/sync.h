/* SPDX-License-Identifier: MIT */
/*
 * What the runtime (parent) and the future container process (child) tell each other, one record of
 * a SOCK_SEQPACKET pair each.  A peer that dies is seen as end of file.
 *
 *   parent            child
 *     |  <--- PID ---  |   only from the helper that joined namespaces: the child's pid
 *     |  ---- GO --->  |   id maps are written, the scope exists; only when asked to wait
 *     |  <-- HOOKS --  |   mounts are made, prestart and createRuntime hooks may run
 *     |  ---- GO --->  |
 *     |  <-- READY --  |   everything is set up but seccomp
 *     |  -- PERSIST->  |   state.json names the child; from now on it may outlive the parent
 *     |  <-- ERROR --  |   at any time instead
 *     (end of file: execve() succeeded)
 */
#pragma once

#include <stdint.h>

struct err;

enum oci_sync_kind {
	OCI_SYNC_NONE,
	OCI_SYNC_PID,
	OCI_SYNC_GO,
	OCI_SYNC_HOOKS,
	OCI_SYNC_READY,
	OCI_SYNC_PERSIST,
	OCI_SYNC_START,
	OCI_SYNC_ERROR,
};

/** oci_sync_send() - tell the peer; @value belongs to the kind; 0 or -errno */
int oci_sync_send(int sock, enum oci_sync_kind kind, int32_t value);

/** oci_sync_send_err() - tell the peer that it failed with @err; never fails */
void oci_sync_send_err(int sock, const struct err *err);

/**
 * oci_sync_recv() - wait for the next record
 * @ret_value: may be NULL
 * Return: the kind; 0 end of file; -errno: the peer's ERROR, copied into @err, or a broken socket.
 */
int oci_sync_recv(int sock, int32_t *ret_value, struct err *err);

/**
 * oci_sync_expect() - wait for one certain kind
 * Return: 0; -EPIPE end of file; -EPROTO another kind; the peer's error.
 */
int oci_sync_expect(int sock, enum oci_sync_kind kind, int32_t *ret_value, struct err *err);
