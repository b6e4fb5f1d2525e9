/* SPDX-License-Identifier: MIT */
#pragma once

#include <systemd/sd-bus.h>

struct err;

/**
 * property_lines() - append "TYPE MINIMUM-VERSION NAME VALUE" lines to a message
 * @m: inside an array "a(sv)"
 * @text: changed
 * @version: of systemd; lines for a newer one are left out
 *
 * Types: s, b, t as in D-Bus; as, au an array of one element; ay a list "0-3,7" that becomes a bit
 * mask; d one element "PATH ACCESS" of an array a(ss), or nothing for an empty one; v a value in
 * GVariant text format, NAMEs that end in Sec take seconds.
 * Return: 0; -EINVAL with a message; -errno of sd-bus.
 */
int property_lines(sd_bus_message *m, char *text, int version, struct err *err);
