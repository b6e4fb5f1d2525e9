/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** log_journal_open() - @fields: lines of NAME=value, kept */
void log_journal_open(const char *fields);

/** log_journal_add() - one entry; @error: of standard error; @partial: the line goes on in the next */
void log_journal_add(const char *text, size_t n, bool error, bool partial);
