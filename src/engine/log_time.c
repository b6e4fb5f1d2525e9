/* SPDX-License-Identifier: MIT */
#include "engine/log_time.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define NS_PER_S 1000000000ll
#define SECONDS_MAX (INT64_MAX / NS_PER_S - 1)

/* @digits digits.  Return: their value; -1. */
static int number(const char **p, const char *end, int digits)
{
	int v = 0;

	if (end - *p < digits)
		return -1;
	for (int i = 0; i < digits; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + **p - '0';
	}
	return v;
}

static bool skip(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

/* Digits after a point to ns; those beyond nine do not count.  Return: -1 when there are none. */
static int64_t fraction(const char **p, const char *end)
{
	const char *start = *p;
	int64_t ns = 0, unit = NS_PER_S;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		unit /= 10;
		ns += unit * (**p - '0');
	}
	return *p > start ? ns : -1;
}

/* Days from 1970-01-01, in years that begin in March, so that leap days come last */
static int64_t days(int year, int month, int day)
{
	int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct moment {
	int year, month, day, hour, minute, second;
	int64_t ns;
};

static bool in_range(const struct moment *m)
{
	return m->year >= 1970 && m->year < 2262 && m->month >= 1 && m->month <= 12 && m->day >= 1 &&
	       m->day <= 31 && m->hour >= 0 && m->hour < 24 && m->minute >= 0 && m->minute < 60 &&
	       m->second >= 0 && m->second <= 60;
}

/* What may be missing at the end is zero.  Return: false when it is no date. */
static bool read_moment(const char **p, const char *end, struct moment *m)
{
	*m = (struct moment) { 0 };
	m->year = number(p, end, 4);
	if (!skip(p, end, '-'))
		return false;
	m->month = number(p, end, 2);
	if (!skip(p, end, '-'))
		return false;
	m->day = number(p, end, 2);
	if (!skip(p, end, 'T'))
		return in_range(m);
	m->hour = number(p, end, 2);
	if (skip(p, end, ':')) {
		m->minute = number(p, end, 2);
		if (skip(p, end, ':'))
			m->second = number(p, end, 2);
		if (skip(p, end, '.') || skip(p, end, ',')) /* as date(1) prints it */
			m->ns = fraction(p, end);
	}
	return in_range(m) && m->ns >= 0;
}

static int64_t utc(const struct moment *m)
{
	return (days(m->year, m->month, m->day) * 86400 + m->hour * 3600 + m->minute * 60 +
		m->second) * NS_PER_S + m->ns;
}

static int local(const struct moment *m, int64_t *ret)
{
	struct tm tm = {
		.tm_year = m->year - 1900,
		.tm_mon = m->month - 1,
		.tm_mday = m->day,
		.tm_hour = m->hour,
		.tm_min = m->minute,
		.tm_sec = m->second,
		.tm_isdst = -1,
	};
	time_t t = mktime(&tm);

	if (t < 0)
		return -EINVAL;
	*ret = (int64_t) t * NS_PER_S + m->ns;
	return 0;
}

/* "Z", "+01:00".  Return: seconds east; INT32_MIN when it is neither. */
static int offset(const char **p, const char *end)
{
	int sign, hours, minutes;

	if (skip(p, end, 'Z'))
		return 0;
	if (skip(p, end, '+'))
		sign = 1;
	else if (skip(p, end, '-'))
		sign = -1;
	else
		return INT32_MIN;
	hours = number(p, end, 2);
	if (!skip(p, end, ':'))
		return INT32_MIN;
	minutes = number(p, end, 2);
	return hours < 0 || hours > 23 || minutes < 0 || minutes > 59
		       ? INT32_MIN
		       : sign * (hours * 3600 + minutes * 60);
}

int eng_log_time_rfc3339(const char *text, size_t n, int64_t *ret)
{
	const char *p = text, *end = text + n;
	struct moment m;
	int east;

	if (!read_moment(&p, end, &m))
		return -EINVAL;
	east = offset(&p, end);
	if (east == INT32_MIN || p != end)
		return -EINVAL;
	*ret = utc(&m) - east * NS_PER_S;
	return 0;
}

/* Digits.  Return: -1 when there are none or too many. */
static int64_t whole(const char **p, const char *end)
{
	const char *start = *p;
	int64_t v = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		v = v * 10 + **p - '0';
		if (v > SECONDS_MAX)
			return -1;
	}
	return *p > start ? v : -1;
}

static int unix_time(const char *p, const char *end, int64_t *ret)
{
	int64_t s = whole(&p, end), ns = 0;

	if (s < 0 || (skip(&p, end, '.') && (ns = fraction(&p, end)) < 0) || p != end)
		return -EINVAL;
	*ret = s * NS_PER_S + ns;
	return 0;
}

/* As Go writes durations: numbers with units, the number may have a fraction */
static int duration(const char *p, const char *end, int64_t *ret)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "ns", 1 },      { "us", 1000 },     { "\u00b5s", 1000 }, { "ms", 1000000 },
		      { "s", NS_PER_S }, { "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S } };
	int64_t sum = 0;

	while (p < end) {
		int64_t v = whole(&p, end), part = 0;
		size_t len, i = 0;

		if (v < 0 || (skip(&p, end, '.') && (part = fraction(&p, end)) < 0))
			return -EINVAL;
		for (len = 0; p + len < end && (p[len] < '0' || p[len] > '9'); len++)
			;
		while (i < ARRAY_LEN(units) &&
		       (strlen(units[i].name) != len || memcmp(units[i].name, p, len) != 0))
			i++;
		if (i == ARRAY_LEN(units) || v > INT64_MAX / 4 / units[i].ns)
			return -EINVAL;
		sum += v * units[i].ns + (int64_t) ((double) part / NS_PER_S * (double) units[i].ns);
		if (sum > INT64_MAX / 4)
			return -EINVAL;
		p += len;
	}
	*ret = sum;
	return 0;
}

int eng_log_time_parse(const char *text, int64_t now, int64_t *ret)
{
	const char *p = text, *end = text + strlen(text);
	struct moment m;
	int64_t ago;
	int east;

	if (p == end)
		return -EINVAL;
	if (unix_time(p, end, ret) == 0)
		return 0;
	if (duration(p, end, &ago) == 0) {
		*ret = now - ago;
		return 0;
	}
	if (*p == '-' && duration(p + 1, end, &ago) == 0) { /* ahead, as Docker */
		*ret = now + ago;
		return 0;
	}
	if (!read_moment(&p, end, &m))
		return -EINVAL;
	if (p == end)
		return local(&m, ret);
	east = offset(&p, end);
	if (east == INT32_MIN || p != end)
		return -EINVAL;
	*ret = utc(&m) - east * NS_PER_S;
	return 0;
}
