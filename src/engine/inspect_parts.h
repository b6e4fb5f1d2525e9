/* SPDX-License-Identifier: MIT */
/*
 * The parts of inspect.c.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"

struct eng_config;
struct eng_instance;
struct eng_mount;
struct engine;
struct img_words;
struct str;

/** struct inspect - what is described, and where the text goes; @arena: strings that live until its end */
struct inspect {
	struct engine *e;
	const struct eng_instance *i;
	const struct eng_config *c;
	struct arena arena;
	struct str *s;
};

/** inspect_words() - a list; null when it is empty */
void inspect_words(struct str *s, const char *key, const struct img_words *list);

/** inspect_or_empty() - "" for NULL */
const char *inspect_or_empty(const char *text);

/**
 * inspect_open_mounts() - begin a list of the mounts of a kind
 * Return: there is one; false: the list is null, and not open.
 */
bool inspect_open_mounts(struct inspect *in, const char *key, char bracket,
			 bool (*wanted)(const struct eng_mount *m));

/** inspect_host_config() - the member HostConfig */
void inspect_host_config(struct inspect *in);
