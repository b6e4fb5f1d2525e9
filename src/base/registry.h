/* SPDX-License-Identifier: MIT */
/*
 * Sets of descriptors that the linker collects: a verb, later a device or a disk format, is added by
 * adding one file.  A set holds pointers to static const objects; it has no order.  Libraries that
 * hold members are linked with link_whole, a plain archive would drop them.
 */
#pragma once

#define REGISTRY_ADD(set, obj)                                 \
	static const typeof(obj) *const registry_##set##_##obj \
		__attribute__((used, retain, section(#set))) = &(obj)

#define REGISTRY_DECLARE(set, type) extern const type *const __start_##set[], *const __stop_##set[]

#define REGISTRY_FOREACH(it, set) \
	for (typeof(&__start_##set[0]) it = __start_##set; it < __stop_##set; it++)
