/* SPDX-License-Identifier: MIT */
/*
 * What need not be received of a layer, because other layers of the store have the same bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct img_store;
struct reg_plan;
struct reg_toc;

/**
 * struct reg_piece - bytes of a layer that are here, too
 * @fd, @from: of another layer
 */
struct reg_piece {
	uint64_t at, size, from;
	int fd;
};

/**
 * reg_sources() - the layers of the store that have a table of contents
 * @repository: its images come first
 * @ret: array in @arena
 * Return: number; -errno with a message.
 */
int reg_sources(struct img_store *store, const char *repository, struct arena *arena, struct reg_toc **ret, struct err *err);

/**
 * reg_plan_make() - find out what of a layer is here
 * @root: directory of the store
 * @t, @packed: its table, as of reg_toc_read()
 * @sources: @n layers of the store; one that is damaged or gone gives nothing
 * @ret: returns; free with reg_plan_free()
 * Return: 0; codes of reg_toc_read().
 */
int reg_plan_make(int root, const struct reg_toc *t, const void *packed, const struct reg_toc *sources, size_t n,
		  struct reg_plan **ret, struct err *err);

/**
 * reg_plan_next() - the piece that holds the byte at @at, or the first behind it
 * Return: borrowed from @plan; NULL when there is none, also without a plan.
 */
const struct reg_piece *reg_plan_next(const struct reg_plan *plan, uint64_t at);

/** reg_plan_free() - release; NULL is fine */
void reg_plan_free(struct reg_plan *plan);

static inline void reg_plan_freep(struct reg_plan **plan)
{
	reg_plan_free(*plan);
}
