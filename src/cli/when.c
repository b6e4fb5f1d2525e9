/* SPDX-License-Identifier: MIT */
#include "cli/when.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "engine/log_time.h"

int cli_when(const char *option, const char *text, int64_t *ret, struct err *err)
{
	if (eng_log_time_parse(text, time_now_ns(), ret) == 0)
		return 0;
	return err_msg(err, -EINVAL,
		       "%s '%.60s': expected a time such as 2026-01-31T12:00:00Z, seconds since 1970, or"
		       " how long ago, such as 10m",
		       option, text);
}
