/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000LL

int64_t time_now_ns(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_REALTIME, &ts); /* fails for unknown clocks only */
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void time_rfc3339(int64_t ns, char ret[TIME_TEXT_MAX])
{
	time_t s = ns / NS_PER_S;
	struct tm tm;

	if (ns == 0 || gmtime_r(&s, &tm) == NULL) {
		(void) snprintf(ret, TIME_TEXT_MAX, "0001-01-01T00:00:00Z");
		return;
	}
	(void) snprintf(ret, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ",
			tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			tm.tm_sec, (long long) (ns % NS_PER_S));
}

void time_span(int64_t ns, char ret[TIME_TEXT_MAX])
{
	static const struct {
		int64_t below, unit; /* seconds; unit 0: the text says it all */
		const char *text;
	} steps[] = {
		{ 1, 0, "Less than a second" },
		{ 2, 0, "1 second" },
		{ 60, 1, "seconds" },
		{ 120, 0, "About a minute" },
		{ 3600, 60, "minutes" },
		{ 5400, 0, "About an hour" },
		{ 172800, 3600, "hours" },
		{ 1209600, 86400, "days" },
		{ 5184000, 604800, "weeks" },
		{ 63072000, 2592000, "months" },
		{ INT64_MAX, 31536000, "years" },
	};
	int64_t s = ns / NS_PER_S;
	unsigned i = 0;

	while (s >= steps[i].below)
		i++;
	if (steps[i].unit == 0) {
		(void) snprintf(ret, TIME_TEXT_MAX, "%s", steps[i].text);
		return;
	}
	(void) snprintf(ret, TIME_TEXT_MAX, "%lld %s", (long long) (s / steps[i].unit),
			steps[i].text);
}
