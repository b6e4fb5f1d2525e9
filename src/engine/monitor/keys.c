/* SPDX-License-Identifier: MIT */
#include "engine/monitor/keys.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool keys_open(struct keys *k, const char *hex)
{
	k->n = k->matched = 0;
	for (; *hex != '\0'; hex += 2) {
		int high = digit(hex[0]), low = high < 0 ? -1 : digit(hex[1]);

		if (low < 0 || k->n == KEYS_MAX)
			return false;
		k->sequence[k->n++] = (unsigned char) (high << 4 | low);
	}
	return true;
}

/* Does the sequence begin with its own keys from @skip on, as far as they are matched? */
static bool repeats(const struct keys *k, unsigned skip)
{
	for (unsigned i = skip; i < k->matched; i++)
		if (k->sequence[i] != k->sequence[i - skip])
			return false;
	return true;
}

bool keys_filter(struct keys *k, const char *data, size_t n, char *to, size_t *ret_n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char) data[i];

		/* pass on held keys until the rest of them and this one may be the beginning */
		while (k->matched > 0 && c != k->sequence[k->matched]) {
			unsigned skip = 1;

			while (!repeats(k, skip))
				skip++;
			for (unsigned held = 0; held < skip; held++)
				to[len++] = (char) k->sequence[held];
			k->matched -= skip;
		}
		if (k->n == 0 || c != k->sequence[k->matched])
			to[len++] = (char) c;
		else if (++k->matched == k->n) {
			k->matched = 0;
			*ret_n = len;
			return true;
		}
	}
	*ret_n = len;
	return false;
}
