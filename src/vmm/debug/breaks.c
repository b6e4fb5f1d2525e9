/* SPDX-License-Identifier: MIT */
#include "vmm/debug/breaks.h"

#include <errno.h>
#include <string.h>

#define INT3 0xCC

int breaks_find(const struct breaks *b, uint64_t lin)
{
	for (unsigned i = 0; i < b->nr_sw; i++)
		if (b->sw[i].lin == lin)
			return (int) i;
	return -1;
}

int breaks_add(struct breaks *b, uint64_t lin, uint64_t gpa, uint8_t *host)
{
	if (breaks_find(b, lin) >= 0)
		return 0;
	if (b->nr_sw == BREAKS_MAX)
		return -ENOSPC;
	b->sw[b->nr_sw].lin = lin;
	b->sw[b->nr_sw].gpa = gpa;
	b->sw[b->nr_sw].old = *host;
	breaks_hide(b, gpa, &b->sw[b->nr_sw].old, 1); /* two linear addresses of one byte */
	b->nr_sw++;
	*host = INT3;
	b->changed = true;
	return 0;
}

/* The guest may have loaded other code since. */
void breaks_remove(struct breaks *b, unsigned index, uint8_t *host)
{
	uint64_t gpa = b->sw[index].gpa;
	uint8_t old = b->sw[index].old;

	b->nr_sw--;
	memmove(&b->sw[index], &b->sw[index + 1], (b->nr_sw - index) * sizeof(b->sw[0]));
	for (unsigned i = 0; i < b->nr_sw; i++)
		if (b->sw[i].gpa == gpa)
			return;
	if (host == NULL || *host != INT3)
		return;
	*host = old;
	b->changed = true;
}

void breaks_hide(const struct breaks *b, uint64_t gpa, uint8_t *data, uint64_t len)
{
	for (unsigned i = 0; i < b->nr_sw; i++)
		if (b->sw[i].gpa - gpa < len && data[b->sw[i].gpa - gpa] == INT3)
			data[b->sw[i].gpa - gpa] = b->sw[i].old;
}

void breaks_keep(struct breaks *b, uint64_t gpa, uint8_t *host, uint64_t len)
{
	for (unsigned i = 0; i < b->nr_sw; i++)
		if (b->sw[i].gpa - gpa < len)
			b->sw[i].old = host[b->sw[i].gpa - gpa];
	for (unsigned i = 0; i < b->nr_sw; i++)
		if (b->sw[i].gpa - gpa < len)
			host[b->sw[i].gpa - gpa] = INT3;
	b->changed = true;
}

static int find_hw(const struct breaks *b, uint64_t lin, enum accel_break_kind kind, uint64_t len)
{
	for (unsigned i = 0; i < b->nr_hw; i++)
		if (b->hw[i].addr == lin && b->hw[i].kind == kind && b->hw[i].len == len)
			return (int) i;
	return -1;
}

/* How much of @len bytes one break of a processor covers: as much as is aligned. */
static unsigned piece(uint64_t lin, uint64_t len)
{
	unsigned n = 8;

	while (n > len || lin % n != 0)
		n /= 2;
	return n;
}

int breaks_add_hw(struct breaks *b, uint64_t lin, enum accel_break_kind kind, uint64_t len)
{
	unsigned before = b->nr_hw, n;

	if (len == 0 || len > ACCEL_BREAKS_MAX * 8 || len - 1 > UINT64_MAX - lin || (kind == ACCEL_BREAK_EXECUTE && len != 1))
		return -EINVAL;
	for (; len > 0; lin += n, len -= n) {
		n = piece(lin, len);
		if (find_hw(b, lin, kind, n) >= 0)
			continue;
		if (b->nr_hw == ACCEL_BREAKS_MAX) {
			b->nr_hw = before;
			return -ENOSPC;
		}
		b->hw[b->nr_hw++] = (struct accel_break) { .addr = lin, .kind = kind, .len = n };
	}
	return 0;
}

void breaks_remove_hw(struct breaks *b, uint64_t lin, enum accel_break_kind kind, uint64_t len)
{
	for (unsigned n; len > 0 && len <= ACCEL_BREAKS_MAX * 8; lin += n, len -= n) {
		int i;

		n = piece(lin, len);
		i = find_hw(b, lin, kind, n);
		if (i >= 0)
			b->hw[i] = b->hw[--b->nr_hw];
	}
}
