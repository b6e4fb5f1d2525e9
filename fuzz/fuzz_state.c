/* SPDX-License-Identifier: MIT */
/**
 * DOC: files that we wrote ourselves and read again, and what the kernel says of cgroups
 *
 * A container's state.json, an instance's config.json and /proc/self/mountinfo, whose lines hold names
 * that containers choose.  Beyond what the sanitizers see: a refusal has a code and a message, and what
 * is accepted is written so that reading it again gives the same.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/config.h"
#include "fuzz.h"
#include "oci/state.h"
#include "sys/cg_layout.h"

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void try_state(int dir, const uint8_t *data, size_t size)
{
	struct oci_state state = { 0 }, again = { 0 };
	struct err err = { 0 };

	need(file_replace(dir, "state.json", data, size, 0600) == 0);
	if (oci_state_load(dir, &state, &err) < 0) {
		need(err.text[0] != '\0');
	} else {
		need(state.id != NULL && state.bundle != NULL);
		need(oci_state_save(dir, &state, &err) == 0);
		need(oci_state_load(dir, &again, &err) == 0);
		need(strcmp(state.id, again.id) == 0 && state.pid == again.pid);
	}
	oci_state_fini(&state);
	oci_state_fini(&again);
}

static void try_config(const char *text, size_t size)
{
	struct eng_config config = { 0 }, again = { 0 };
	struct str first = { 0 }, second = { 0 };
	struct err err = { 0 };

	if (eng_config_read("config.json", text, size, &config, &err) < 0) {
		need(err.text[0] != '\0');
	} else {
		eng_config_json(&config, &first);
		need(eng_config_read("config.json", first.p, first.len, &again, &err) == 0);
		eng_config_json(&again, &second);
		need(strcmp(first.p, second.p) == 0);
	}
	eng_config_fini(&config);
	eng_config_fini(&again);
	str_fini(&first);
	str_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char top[] = "/tmp/fuzz_state.XXXXXX", *text = malloc(size + 1);
	struct cg_layout layout = { 0 };

	need(text != NULL && mkdtemp(top) != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(dir >= 0);
	try_state(dir, data, size);
	try_config(text, size);
	if (cg_layout_parse(text, text, &layout) == 0)
		need(layout.nr_v1 <= CG_V1_MAX && (layout.nr_v1 > 0 || layout.v2.mount != NULL));
	cg_layout_fini(&layout);
	(void) unlinkat(dir, "state.json", 0); /* checked by the next line */
	need(rmdir(top) == 0);
	(void) close(dir); /* read-only */
	free(text);
	return 0;
}
