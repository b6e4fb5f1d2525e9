/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/** cli_confirm() - ask on standard error whether to do @what, a sentence; true for yes */
bool cli_confirm(const char *what);
