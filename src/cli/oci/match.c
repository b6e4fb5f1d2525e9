/* SPDX-License-Identifier: MIT */
#include "cli/oci/match.h"

#include <errno.h>
#include <regex.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/oci/verb.h"
#include "oci/container.h"

static void ids_freep(char ***ids)
{
	oci_container_list_free(*ids);
}

int oci_match_each(const struct oci_cli *cli, const char *pattern,
		   int (*fn)(const struct oci_cli *cli, const char *id, const void *data, struct err *err),
		   const void *data, struct err *err)
{
	_cleanup_(ids_freep) char **ids = NULL;
	regex_t re;
	int r = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), n;

	if (r != 0) {
		char why[128];

		(void) regerror(r, &re, why, sizeof(why));
		return err_msg(err, -EINVAL, "--regex: '%s': %s", pattern, why);
	}
	r = 0;
	n = oci_container_list(cli->root, &ids, err);
	for (int i = 0; i < n; i++) {
		struct err late = { 0 };

		if (regexec(&re, ids[i], 0, NULL, 0) != 0)
			continue;
		if (r == 0)
			r = fn(cli, ids[i], data, err);
		else if (fn(cli, ids[i], data, &late) < 0)
			log_error("container '%s': %s", ids[i], late.text);
	}
	regfree(&re);
	return n == -ENOENT ? 0 : n < 0 ? n : r;
}
