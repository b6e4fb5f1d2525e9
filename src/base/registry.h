/* SPDX-License-Identifier: MIT */
/*
 * Linker sets: a verb, a device, a format is added by adding one file.  A set holds pointers to
 * constant descriptors; the archive that defines them is linked with link_whole, or a linker that
 * sees no reference drops them.
 */
#pragma once

#define REGISTRY_ADD(set, obj)                                                         \
	static const typeof(obj) *const registry_##set##_##obj __attribute__((used, retain, section(#set))) = \
		&(obj)

#define REGISTRY_DECLARE(set, type) extern const type *const __start_##set[], *const __stop_##set[]

#define REGISTRY_FOREACH(it, set) for (typeof(&__start_##set[0]) it = __start_##set; it < __stop_##set; it++)
