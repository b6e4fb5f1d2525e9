/* SPDX-License-Identifier: MIT */
/**
 * DOC: config.json and the files of "exec --process" and "update --resources"
 *
 * Every input is given to all three readers.  Beyond what the sanitizers see: a refusal has a code and
 * a printable one-line message that names the file, and what is accepted keeps the promises of
 * oci/spec.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "fuzz.h"
#include "oci/spec.h"

#define FILE_NAME "config.json"

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void check_message(int code, const struct err *err)
{
	need(code == err->code);
	need(strncmp(err->text, FILE_NAME ": ", strlen(FILE_NAME) + 2) == 0);
	for (const char *p = err->text; *p != '\0'; p++)
		need((unsigned char) *p >= 0x20 && *p != 0x7f);
}

static void check_strings(const struct oci_strv *v)
{
	need(v->v == NULL ? v->n == 0 : v->v[v->n] == NULL);
	for (size_t i = 0; i < v->n; i++)
		need(v->v[i] != NULL);
}

static void check_process(const struct oci_process *p)
{
	check_strings(&p->args);
	check_strings(&p->env);
	need(p->args.n > 0 && p->cwd[0] == '/');
	for (size_t i = 0; i < p->env.n; i++)
		need(strchr(p->env.v[i], '=') > p->env.v[i]);
	for (size_t i = 0; i < p->nr_rlimits; i++)
		need(p->rlimits[i].soft <= p->rlimits[i].hard);
}

static void check_resources(const struct oci_resources *r)
{
	for (size_t i = 0; i < r->nr_devices; i++)
		need(strchr("abc", r->devices[i].type) != NULL && r->devices[i].major >= -1);
	for (size_t i = 0; i < r->nr_hugepages; i++)
		need(strchr(r->hugepages[i].page_size, '/') == NULL);
	for (size_t i = 0; i < r->unified.n; i++)
		need(strchr(r->unified.v[i].key, '/') == NULL);
}

static void check_spec(const struct oci_spec *spec)
{
	need(spec->version[0] == '1' && spec->root_path[0] != '\0');
	if (spec->process_set)
		check_process(&spec->process);
	for (size_t i = 0; i < spec->nr_mounts; i++) {
		need(spec->mounts[i].destination[0] == '/');
		check_strings(&spec->mounts[i].options);
	}
	for (size_t k = 0; k < OCI_HOOK_N_; k++)
		for (size_t i = 0; i < spec->hooks[k].n; i++)
			need(spec->hooks[k].v[i].path[0] == '/');
	for (size_t i = 0; i < spec->annotations.n; i++)
		need(oci_spec_annotation(spec, spec->annotations.v[i].key) ==
		     spec->annotations.v[i].value);
	check_resources(&spec->linux.resources);
	for (size_t i = 0; i < spec->linux.nr_devices; i++)
		need(strchr("cbp", spec->linux.devices[i].type) != NULL);
	for (size_t i = 0; spec->linux.seccomp != NULL && i < spec->linux.seccomp->nr_rules; i++)
		need(spec->linux.seccomp->rules[i].names.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	struct oci_spec *spec = NULL, owner = { 0 };
	struct oci_resources resources = { 0 };
	struct oci_process process = { 0 };
	struct err err = { 0 };
	int r;

	(void) log_open(NULL, LOG_FORMAT_TEXT, LOG_LEVEL_NONE, NULL); /* no path, cannot fail */
	r = oci_spec_parse(FILE_NAME, text, size, &spec, &err);
	if (r < 0)
		check_message(r, &err);
	else
		check_spec(spec);
	oci_spec_free(spec);

	r = oci_process_parse(&owner, FILE_NAME, text, size, &process, &err);
	if (r < 0)
		check_message(r, &err);
	else
		check_process(&process);
	r = oci_resources_parse(&owner, FILE_NAME, text, size, &resources, &err);
	if (r < 0)
		check_message(r, &err);
	else
		check_resources(&resources);
	arena_fini(&owner.arena);
	return 0;
}
