/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

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

void time_local(int64_t ns, char ret[TIME_TEXT_MAX])
{
	time_t s = ns / NS_PER_S;
	struct tm tm;

	if (localtime_r(&s, &tm) == NULL ||
	    strftime(ret, TIME_TEXT_MAX, "%Y-%m-%d %H:%M:%S %z %Z", &tm) == 0)
		time_rfc3339(ns, ret);
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
		{ 7200, 0, "About an hour" },
		{ 172800, 3600, "hours" },
		{ 1209600, 86400, "days" },
		{ 5184000, 604800, "weeks" },
		{ 63072000, 2592000, "months" },
		{ INT64_MAX, 31536000, "years" },
	};
	int64_t s = ns / NS_PER_S;
	unsigned i = 0;

	if (s >= 3600)
		s = (s + 1800) / 3600 * 3600; /* half an hour counts as one */
	while (s >= steps[i].below)
		i++;
	if (steps[i].unit == 0) {
		(void) snprintf(ret, TIME_TEXT_MAX, "%s", steps[i].text);
		return;
	}
	(void) snprintf(ret, TIME_TEXT_MAX, "%lld %s", (long long) (s / steps[i].unit),
			steps[i].text);
}

/* "12" or "1.5" as @ret / @ret_scale.  Return: what follows; NULL no number, or far too large. */
static const char *read_decimal(const char *p, __uint128_t *ret, uint64_t *ret_scale)
{
	const char *begin = p;
	__uint128_t v = 0;
	uint64_t scale = 1;
	bool point = false;

	for (; isdigit((unsigned char) *p) || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = true;
		} else if (!point || scale < NS_PER_S) {
			v = v * 10 + (unsigned) (*p - '0');
			scale *= point ? 10 : 1;
		}
		if (v >> 96 != 0)
			return NULL;
	}
	*ret = v;
	*ret_scale = scale;
	return p - begin > (point ? 1 : 0) ? p : begin;
}

int time_duration_parse(const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "ns", 1 },	   { "us", 1000 },	  { "ms", 1000000 },
		      { "s", NS_PER_S }, { "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S } };
	__uint128_t sum = 0, v;
	const char *p = text;
	uint64_t scale;

	if (*p == '\0')
		return -EINVAL;
	while (*p != '\0' && strcmp(text, "0") != 0) {
		const char *unit = read_decimal(p, &v, &scale);
		size_t n = unit != NULL ? strspn(unit, "hmnsu") : 0, i = 0;

		if (unit == NULL)
			return -ERANGE;
		while (i < ARRAY_LEN(units) &&
		       (strlen(units[i].name) != n || strncmp(units[i].name, unit, n) != 0))
			i++;
		if (unit == p || i == ARRAY_LEN(units))
			return -EINVAL;
		if (v > (__uint128_t) INT64_MAX * scale)
			return -ERANGE;
		sum += v * units[i].ns / scale;
		if (sum > INT64_MAX)
			return -ERANGE;
		p = unit + n;
	}
	*ret = (uint64_t) sum;
	return 0;
}
