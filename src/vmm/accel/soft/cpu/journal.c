/* SPDX-License-Identifier: MIT */
#include "vmm/accel/soft/cpu/journal.h"

#include <stddef.h>
#include <string.h>

void journal_clear(struct journal *j)
{
	j->nr = j->used = j->seen = 0;
}

bool journal_note(struct journal *j, uint8_t *at, unsigned size)
{
	if (j->nr == JOURNAL_WRITES || JOURNAL_BYTES - j->used < 3 * size)
		return false;
	j->write[j->nr++] = (struct journal_write) { .at = at, .size = size, .data = j->used };
	memcpy(j->data + j->used, at, size);
	j->used += 3 * size;
	return true;
}

void journal_look(struct journal *j)
{
	for (; j->seen < j->nr; j->seen++) {
		const struct journal_write *w = &j->write[j->seen];

		memcpy(j->data + w->data + w->size, w->at, w->size);
	}
}

void journal_undo(const struct journal *j)
{
	for (unsigned n = j->nr; n-- > 0;)
		memcpy(j->write[n].at, j->data + j->write[n].data, j->write[n].size);
}

/* Backwards from the last one, each taken back after it was looked at; then all again. */
const uint8_t *journal_compare(struct journal *j, unsigned n)
{
	const uint8_t *wrong = NULL;

	for (unsigned k = n; k-- > 0;) {
		const struct journal_write *w = &j->write[k];
		uint8_t *before = j->data + w->data, *after = before + w->size, *found = after + w->size;

		memcpy(found, w->at, w->size);
		if (memcmp(found, after, w->size) != 0)
			wrong = w->at;
		memcpy(w->at, before, w->size);
	}
	for (unsigned k = 0; k < n; k++) {
		const struct journal_write *w = &j->write[k];

		memcpy(w->at, j->data + w->data + 2 * (size_t) w->size, w->size);
	}
	return wrong;
}
