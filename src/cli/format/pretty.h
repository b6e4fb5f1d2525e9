/* SPDX-License-Identifier: MIT */
#pragma once

struct json;
struct str;

/** json_pretty() - append a value as Docker prints it: four spaces for each level, a line per member */
void json_pretty(const struct json *node, struct str *ret);
