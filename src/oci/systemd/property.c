/* SPDX-License-Identifier: MIT */
#include "oci/systemd/property.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/systemd/variant.h"

#define CPU_MAX 65536 /* of a CPU or node list */
#define USEC_PER_SEC 1000000.0
#define LIST_MAX 256 /* elements of an array in an annotation */

/* "0-3,7" as bytes, bit 0 of byte 0 is number 0.  Return: bytes; -EINVAL. */
static ssize_t list_to_mask(const char *p, uint8_t *mask, size_t size)
{
	size_t used = 0;

	while (*(p += strspn(p, ", ")) != '\0') {
		unsigned long first, last;
		char *end;

		if (!isdigit((unsigned char) *p))
			return -EINVAL;
		first = strtoul(p, &end, 10);
		last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		if (first > last || last / 8 >= size || (*end != '\0' && *end != ',' && *end != ' '))
			return -EINVAL;
		for (; first <= last; first++)
			mask[first / 8] |= (uint8_t) (1U << first % 8);
		if (last / 8 + 1 > used)
			used = last / 8 + 1;
		p = end;
	}
	return used != 0 ? (ssize_t) used : -EINVAL;
}

static int add_mask(sd_bus_message *m, const char *name, const char *list, struct err *err)
{
	uint8_t mask[CPU_MAX / 8] = { 0 };
	ssize_t n = list_to_mask(list, mask, sizeof(mask));
	int r;

	if (n < 0)
		return err_msg(err, -EINVAL, "%s: '%s' is no list of numbers", name, list);
	r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "ay");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', mask, (size_t) n);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int add_u64(sd_bus_message *m, const char *name, const char *value, struct err *err)
{
	uint64_t v;
	int r = str_to_u64(value, &v);

	return r < 0 ? err_msg(err, r, "%s: '%s' is no number", name, value) :
		       sd_bus_message_append(m, "(sv)", name, "t", v);
}

static int add_device(sd_bus_message *m, const char *name, char *value)
{
	char *access = strchr(value, ' ');

	if (access == NULL)
		return sd_bus_message_append(m, "(sv)", name, "a(ss)", 0);
	*access++ = '\0';
	return sd_bus_message_append(m, "(sv)", name, "a(ss)", 1, value, access);
}

/* Seconds as a property in microseconds: "FooSec" is "FooUSec" on the bus. */
static int add_seconds(sd_bus_message *m, const char *name, const struct variant *v, struct err *err)
{
	char usec[128];
	double seconds = variant_number(v);

	if (isnan(seconds) || seconds < 0 || seconds * USEC_PER_SEC >= 18446744073709551615.0)
		return err_msg(err, -EINVAL, "%s: the value is no number of seconds", name);
	(void) snprintf(usec, sizeof(usec), "%.*sUSec", (int) strlen(name) - 3, name);
	return sd_bus_message_append(m, "(sv)", usec, "t", (uint64_t) (seconds * USEC_PER_SEC));
}

static int append_variant(sd_bus_message *m, const char *name, const char *type,
			  const struct variant *v, size_t n)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', type);
	if (r >= 0 && type[0] == 'a')
		r = sd_bus_message_open_container(m, 'a', type + 1);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = sd_bus_message_append_basic(m, v[i].type, variant_data(&v[i]));
	if (r >= 0 && type[0] == 'a')
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int add_variant(sd_bus_message *m, const char *name, const char *value, struct err *err)
{
	struct variant v[LIST_MAX];
	char type[3];
	size_t n, len = strlen(name);
	int r = variant_parse(value, type, v, LIST_MAX, &n);

	if (r < 0)
		return err_msg(err, r, "%s: cannot read the value '%s'", name, value);
	if (len > 3 && len < 100 && strcmp(name + len - 3, "Sec") == 0 && islower((unsigned char) name[len - 4]) &&
	    type[0] != 'a')
		r = add_seconds(m, name, &v[0], err);
	else
		r = append_variant(m, name, type, v, n);
	variant_free(v, n);
	return r;
}

static int add_line(sd_bus_message *m, const char *type, const char *name, char *value, struct err *err)
{
	uint64_t n;

	if (strcmp(type, "s") == 0)
		return sd_bus_message_append(m, "(sv)", name, "s", value);
	if (strcmp(type, "b") == 0)
		return sd_bus_message_append(m, "(sv)", name, "b", *value == '1');
	if (strcmp(type, "t") == 0)
		return add_u64(m, name, value, err);
	if (strcmp(type, "as") == 0)
		return sd_bus_message_append(m, "(sv)", name, "as", 1, value);
	if (strcmp(type, "au") == 0 && str_to_u64(value, &n) == 0 && n <= UINT32_MAX)
		return sd_bus_message_append(m, "(sv)", name, "au", 1, (uint32_t) n);
	if (strcmp(type, "ay") == 0)
		return add_mask(m, name, value, err);
	if (strcmp(type, "d") == 0)
		return add_device(m, name, value);
	if (strcmp(type, "v") == 0)
		return add_variant(m, name, value, err);
	return err_msg(err, -EINVAL, "%s: type '%s' with value '%s' is not known", name, type, value);
}

int property_lines(sd_bus_message *m, char *text, int version, struct err *err)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char type[4], name[128];
		int minimum, at = 0, r;

		if (sscanf(line, "%3s %d %127s%n", type, &minimum, name, &at) != 3)
			return err_msg(err, -EINVAL, "property line '%s' is malformed", line);
		if (minimum > version)
			continue;
		r = add_line(m, type, name, line + at + (line[at] == ' '), err);
		if (r < 0)
			return r;
	}
	return 0;
}
