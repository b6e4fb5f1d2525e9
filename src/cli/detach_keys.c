/* SPDX-License-Identifier: MIT */
#include "cli/detach_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* Return: the byte that the key sends; -EINVAL. */
static int key_byte(const char *key, size_t n)
{
	static const char with_ctrl[] = "@abcdefghijklmnopqrstuvwxyz[\\]^_";
	const char *at;

	if (n == 1)
		return (unsigned char) *key;
	if (n == 3 && strncmp(key, "DEL", 3) == 0)
		return 127;
	if (n != 6 || strncmp(key, "ctrl-", 5) != 0)
		return -EINVAL;
	at = strchr(with_ctrl, key[5]);
	return at != NULL ? (int) (at - with_ctrl) : -EINVAL;
}

int cli_detach_keys(const char *text, char ret[CLI_KEYS_HEX_MAX], struct err *err)
{
	char hex[CLI_KEYS_HEX_MAX] = "";
	const char *key = text != NULL ? text : "";

	for (unsigned n = 0; *key != '\0'; n++) {
		size_t len = strcspn(key + 1, ",") + 1; /* a comma may be a key */
		int byte = key_byte(key, len);

		if (byte < 0)
			return err_msg(err, -EINVAL,
				       "invalid detach keys '%s': '%.*s' is none: use one character, or ctrl-"
				       " and one of a-z @ [ \\ ] ^ _",
				       text, (int) len, key);
		if (n == KEYS_MAX)
			return err_msg(err, -EINVAL, "invalid detach keys '%s': over the limit of %d keys",
				       text, KEYS_MAX);
		(void) snprintf(hex + 2 * n, 3, "%02x", (unsigned) byte & 0xffu);
		key += len;
		if (*key == ',' && *++key == '\0')
			return err_msg(err, -EINVAL, "invalid detach keys '%s': one is missing at the end",
				       text);
	}
	memcpy(ret, hex, sizeof(hex));
	return 0;
}
