/* SPDX-License-Identifier: MIT */
#include "cli/stop_request.h"

#include <errno.h>

#include "base/err.h"
#include "base/str.h"
#include "engine/stop.h"
#include "oci/lifecycle.h"

#define TIMEOUT_MAX (366 * 86400) /* seconds */

int signal_request(const char *text, struct err *err)
{
	int number = oci_signal_parse(text);

	return number > 0 ? number
			  : err_msg(err, -EINVAL, "--signal '%.32s': no such signal", text);
}

int stop_request(const char *signal, const char *time, struct stop_request *ret, struct err *err)
{
	struct stop_request s = { .timeout = ENG_STOP_DEFAULT };

	if (signal != NULL) {
		s.signal = signal_request(signal, err);
		if (s.signal < 0)
			return s.signal;
	}
	if (time != NULL &&
	    (str_to_i64(time, &s.timeout) < 0 || s.timeout < -1 || s.timeout > TIMEOUT_MAX))
		return err_msg(err, -EINVAL, "--time '%.32s': expected seconds, or -1 for no limit",
			       time);
	*ret = s;
	return 0;
}
