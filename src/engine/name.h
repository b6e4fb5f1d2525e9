/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine/instance.h"

struct err;

/** eng_name_random() - a name that is easy to say, "calm_heron" */
void eng_name_random(char ret[ENG_NAME_MAX + 1]);

/** eng_name_valid() - @min to @max letters, digits, '_', '.', '-', the first a letter or digit? */
bool eng_name_valid(const char *name, size_t min, size_t max);

/** eng_name_check() - a name a person chose; 0 or -EINVAL with a message */
int eng_name_check(const char *name, struct err *err);

/** eng_id_random() - 64 random hexadecimal digits; 0 or -errno */
int eng_id_random(char ret[ENG_ID_LEN + 1], struct err *err);
