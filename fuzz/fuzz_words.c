/* SPDX-License-Identifier: MIT */
/**
 * DOC: values of options, and the small texts of config.json
 *
 * Every input is given, cut at its first zero byte, to every reader of such a word.  Beyond what the
 * sanitizers see: a refusal has a code, and what is accepted keeps the promises of its header.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/mount_parse.h"
#include "fuzz.h"
#include "image/reference.h"
#include "oci/cpulist.h"
#include "oci/mount_option.h"
#include "oci/spec.h"
#include "oci/sysctl.h"

#define OPTIONS_MAX 64

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void try_cpulist(const char *text)
{
	struct err err = { 0 };
	struct cpulist *list = calloc(1, sizeof(*list));

	need(list != NULL);
	if (cpulist_parse(text, list, &err) == 0)
		need(list->count > 0 && list->highest <= CPULIST_MAX);
	else
		need(err.text[0] != '\0');
	free(list);
}

static void try_mount_options(const char *text)
{
	char *copy = strdup(text), *v[OPTIONS_MAX + 1] = { 0 }, *save = NULL;
	struct oci_mount m = { .destination = "/d", .type = "tmpfs", .source = "s" };
	struct oci_mount_opts opts;
	struct err err = { 0 };

	need(copy != NULL);
	m.options.v = v;
	for (char *o = strtok_r(copy, ",", &save); o != NULL && m.options.n < OPTIONS_MAX;
	     o = strtok_r(NULL, ",", &save))
		v[m.options.n++] = o;
	if (oci_mount_opts_parse(&m, &opts, &err) == 0) {
		need((opts.flags & opts.cleared) == 0);
		need(opts.nr_propagation <= OCI_MOUNT_PROPAGATIONS_MAX);
	} else {
		need(err.text[0] != '\0');
	}
	free(copy);
}

static void try_reference(const char *text)
{
	struct str out = { 0 }, again = { 0 };
	struct img_reference ref, copy;
	struct err err = { 0 };

	if (img_reference_parse(text, &ref, &err) == 0) {
		img_reference_format(&ref, &out);
		need(img_reference_parse(out.p, &copy, &err) == 0);
		img_reference_format(&copy, &again);
		need(strcmp(out.p, again.p) == 0);
	}
	str_fini(&out);
	str_fini(&again);
}

static void try_mounts(const char *text)
{
	struct arena a = { 0 };
	struct eng_mount m = { 0 };
	struct err err = { 0 };

	if (eng_mount_parse(&a, text, &m, &err) == 0)
		need(m.destination[0] == '/');
	memset(&m, 0, sizeof(m));
	if (eng_mount_parse_long(&a, text, &m, &err) == 0)
		need(m.destination[0] == '/');
	memset(&m, 0, sizeof(m));
	if (eng_mount_parse_tmpfs(&a, text, &m, &err) == 0)
		need(m.destination[0] == '/');
	arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), key[OCI_SYSCTL_KEY_MAX + 1];
	uint64_t number;

	need(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	try_cpulist(text);
	try_mount_options(text);
	try_reference(text);
	try_mounts(text);
	need((oci_sysctl_key(text, '.', key) == 0) == (strlen(text) <= OCI_SYSCTL_KEY_MAX));
	(void) eng_size_parse(text, &number); /* any answer will do */
	(void) eng_cpus_parse(text, &number); /* the same */
	(void) eng_duration_parse(text, &number); /* the same */
	free(text);
	return 0;
}
