/* SPDX-License-Identifier: MIT */
/*
 * Writes to memory that will be taken back: who compares two ways to execute the same code needs the first one's to
 * leave nothing behind.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define JOURNAL_WRITES 1024u
#define JOURNAL_BYTES 131072u

/**
 * struct journal_write - @size bytes at @at
 * @data: offset in struct journal.data of what was there before, behind it of what was written, and of what is found
 */
struct journal_write {
	uint8_t *at;
	uint32_t size, data;
};

/**
 * struct journal - @nr writes, the first one first
 * @used: bytes of @data; @seen: writes whose new bytes are known, see journal_look()
 */
struct journal {
	unsigned nr, used, seen;
	struct journal_write write[JOURNAL_WRITES];
	uint8_t data[JOURNAL_BYTES];
};

/** journal_clear() - no writes */
void journal_clear(struct journal *j);

/** journal_note() - @size bytes at @at are about to be written.  Return: there was room */
bool journal_note(struct journal *j, uint8_t *at, unsigned size);

/** journal_look() - what was noted is written now */
void journal_look(struct journal *j);

/** journal_undo() - memory as it was before all of them */
void journal_undo(const struct journal *j);

/**
 * journal_compare() - is memory as the first @n writes have left it?
 * Return: NULL; or where it is not.
 */
const uint8_t *journal_compare(struct journal *j, unsigned n);
