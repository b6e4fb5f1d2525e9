/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/clock.h"

struct eng_instance;
struct str;

#define INSTANCE_STATUS_MAX (TIME_TEXT_MAX * 2)

/** instance_status() - "Up 2 minutes", "Exited (0) 3 hours ago", "Created" */
void instance_status(const struct eng_instance *i, char ret[INSTANCE_STATUS_MAX]);

/** instance_command() - append it in quotes, as Docker does; what does not fit ends in an ellipsis */
void instance_command(const struct eng_instance *i, bool no_trunc, struct str *ret);
