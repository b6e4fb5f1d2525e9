/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct err;
struct str;

#define IMG_CONFIG_SIZE_MAX (4u << 20) /* bytes of a configuration or manifest */

/** struct img_words - strings of a list, @n and a NULL */
struct img_words {
	const char **v;
	size_t n;
};

/** img_words_have() - is @word one of them? */
bool img_words_have(const struct img_words *words, const char *word);

/**
 * struct img_config - what an image says about running it
 * Strings live in @arena and are NULL when absent.
 * @created: ns since 1970, 0 when absent
 * @labels: NAME=VALUE
 * @volumes: directories; @ports: "80/tcp"
 * @shell: words in front of a command in shell form, none for /bin/sh -c; @on_build: instructions
 * @health: "CMD" or "CMD-SHELL" and its words, or "NONE"; times in nanoseconds, 0 when absent
 * Spec: image-spec 1.1, config.md.
 */
struct img_config {
	struct arena arena;
	int64_t created;
	struct img_words env, entrypoint, cmd;
	const char *workdir, *user, *stop_signal, *arch;
	struct img_words diff_ids, labels, volumes, ports, health, shell, on_build;
	uint64_t health_interval, health_timeout, health_start_period, health_start_interval;
	uint64_t health_retries;
};

/**
 * img_config_parse() - read a configuration blob
 * @name: used in messages
 * @ret: filled; release with img_config_fini()
 * Return: 0; -EINVAL with a message naming the field; -ENOMEM.
 */
int img_config_parse(const char *name, const char *text, size_t len, struct img_config *ret,
		     struct err *err);

/** img_config_fini() - release */
void img_config_fini(struct img_config *config);

/**
 * struct img_descriptor - reference to a blob
 */
struct img_descriptor {
	const char *media_type;
	char digest[72];
	uint64_t size;
};

/** img_manifest_format() - append a manifest */
void img_manifest_format(const struct img_descriptor *config, const struct img_descriptor *layers,
			 size_t nr_layers, struct str *ret);
