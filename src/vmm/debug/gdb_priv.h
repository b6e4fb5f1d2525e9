/* SPDX-License-Identifier: MIT */
#pragma once

#include "vmm/core/vm.h"
#include "vmm/debug/gdb.h"

/*
 * Packets about registers, memory and breakpoints: @at is what follows their letter, what they answer is appended to
 * @reply.
 */

/** gdb_regs_read() - "g": all registers */
void gdb_regs_read(struct gdb *g, const char *at, struct str *reply);

/** gdb_regs_write() - "G" */
void gdb_regs_write(struct gdb *g, const char *at, struct str *reply);

/** gdb_reg_read() - "p": one of them */
void gdb_reg_read(struct gdb *g, const char *at, struct str *reply);

/** gdb_reg_write() - "P" */
void gdb_reg_write(struct gdb *g, const char *at, struct str *reply);

/** gdb_memory_read() - "m": by linear address */
void gdb_memory_read(struct gdb *g, const char *at, struct str *reply);

/** gdb_memory_write() - "M": of digits */
void gdb_memory_write(struct gdb *g, const char *at, struct str *reply);

/** gdb_memory_write_binary() - "X": of bytes */
void gdb_memory_write_binary(struct gdb *g, const char *at, struct str *reply);

/** gdb_break_add() - "Z" */
void gdb_break_add(struct gdb *g, const char *at, struct str *reply);

/** gdb_break_remove() - "z" */
void gdb_break_remove(struct gdb *g, const char *at, struct str *reply);

/** gdb_error() - append an answer that something failed; @code: -errno */
void gdb_error(struct str *reply, int code);

/** gdb_debug_all() - tell all processors how they are debugged; @action: NULL: none runs yet; 0 or -errno */
int gdb_debug_all(struct gdb *g, const enum gdb_action *action);
