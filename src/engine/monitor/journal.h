/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** journal_open() - @fields: lines of NAME=value, kept */
void journal_open(const char *fields);

/** journal_add() - one entry; @error: of standard error; @partial: the line goes on in the next */
void journal_add(const char *text, size_t n, bool error, bool partial);
