/* SPDX-License-Identifier: MIT */
/*
 * Words of an instruction, for change.c.
 */
#pragma once

#include "image/config.h"

#define CHANGE_WORDS_MAX 4096 /* in one instruction or list */

struct err;

/** change_add() - append to a list; 0 or -ENOMEM (also for a NULL @word) with a message */
int change_add(struct arena *a, struct img_words *list, const char *word, struct err *err);

/** change_set() - replace the entry with the same text in front of "=", or append */
int change_set(struct arena *a, struct img_words *list, const char *word, struct err *err);

/** change_list() - read ["a", "b"]; 1, 0 it is none, or -ENOMEM with a message */
int change_list(struct arena *a, const char *text, struct img_words *ret, struct err *err);

/**
 * change_word() - take one word: quotes and backslashes as in a shell, $NAME and ${NAME} from c->env
 * @p: moved behind it
 * @blanks: they are part of the word
 * Return: 1; 0 there is none; -EINVAL with a message; -ENOMEM.
 */
int change_word(struct img_config *c, const char **p, int blanks, const char **ret,
		struct err *err);

/** change_split() - all words; codes of change_word() */
int change_split(struct img_config *c, const char *text, struct img_words *ret, struct err *err);
