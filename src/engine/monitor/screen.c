/* SPDX-License-Identifier: MIT */
/**
 * DOC: recent output of a terminal
 *
 * A client that attaches is sent the last SCREEN_SIZE bytes again, so that its screen shows what
 * the last one's did.  Questions to a terminal ("where is the cursor?") are not remembered: a
 * replay would have the new terminal answer them, and the program would read that as typed.
 *
 * Questions are, as of ECMA-48 and xterm's control sequences: ENQ; ESC Z; CSI ... c, n, x, and CSI ... $ p;
 * OSC ... with "?"; DCS that begins with "$q" or "+q".  A sequence of more than SEQUENCE_MAX bytes is output.
 */
#include "engine/monitor/screen.h"

#include <stdbool.h>

#define SEQUENCE_MAX 256 /* bytes */
#define LINE_SEARCH 4096 /* bytes looked through for the beginning of a line */
#define ENQ 5
#define ESC 27
#define BEL 7

static char ring[SCREEN_SIZE];
static uint64_t end;
static char sequence[SEQUENCE_MAX]; /* an escape sequence that has not ended yet */
static size_t sequence_len;

static void keep(const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring[end++ % SCREEN_SIZE] = data[i];
}

static bool contains(char c)
{
	for (size_t i = 2; i < sequence_len; i++)
		if (sequence[i] == c)
			return true;
	return false;
}

static bool is_question(void)
{
	char kind = sequence[1], last = sequence[sequence_len - 1];

	switch (kind) {
	case 'Z':
		return true;
	case '[':
		return last == 'c' || last == 'n' || last == 'x' || (last == 'p' && contains('$'));
	case ']':
		return contains('?');
	case 'P':
		return sequence_len > 3 && sequence[3] == 'q' &&
		       (sequence[2] == '$' || sequence[2] == '+');
	default:
		return false;
	}
}

/* Is it complete with the byte just added? */
static bool is_complete(void)
{
	char kind = sequence[1], last = sequence[sequence_len - 1];

	if (sequence_len < 2)
		return false;
	switch (kind) {
	case '[':
		return sequence_len > 2 && last >= 0x40 && last <= 0x7e;
	case ']':
	case 'P':
		return sequence_len > 2 &&
		       (last == BEL || (last == '\\' && sequence[sequence_len - 2] == ESC));
	default:
		return last >= 0x30; /* intermediate bytes are below */
	}
}

void screen_add(const char *data, size_t n)
{
	while (n > 0) {
		size_t plain = 0;

		if (sequence_len == 0)
			while (plain < n && data[plain] != ESC && data[plain] != ENQ)
				plain++;
		keep(data, plain);
		data += plain;
		n -= plain;
		if (n == 0)
			break;
		if (sequence_len > 0 || *data == ESC) {
			sequence[sequence_len++] = *data;
			if (is_complete() || sequence_len == sizeof(sequence)) {
				if (sequence_len == sizeof(sequence) || !is_question())
					keep(sequence, sequence_len);
				sequence_len = 0;
			}
		}
		data++;
		n--;
	}
}

uint64_t screen_end(void)
{
	return end;
}

uint64_t screen_start(void)
{
	if (end <= SCREEN_SIZE)
		return 0;
	for (uint64_t pos = end - SCREEN_SIZE; pos < end - SCREEN_SIZE + LINE_SEARCH; pos++)
		if (ring[pos % SCREEN_SIZE] == '\n')
			return pos + 1;
	return end - SCREEN_SIZE;
}

size_t screen_read(uint64_t pos, const char **ret)
{
	size_t at = pos % SCREEN_SIZE, n = (size_t) (end - pos);

	*ret = ring + at;
	return n < SCREEN_SIZE - at ? n : SCREEN_SIZE - at;
}
