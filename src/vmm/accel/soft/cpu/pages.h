/* SPDX-License-Identifier: MIT */
/*
 * Pages of guest memory: who may write to them without a word, and who keeps translations of them.
 *
 * Who wants to write sets its bit of struct cpu_page.write and then looks at @code, and tells those who are there;
 * who wants to translate sets its bit of @code and then looks at @write, and does not translate before those who are there
 * have given up.  So one of two sees the other always, and nobody waits.
 *
 * Who is told learns it by an event, which it looks for before it enters code in another page: whoever sees what was
 * written, sees the event too.
 */
#pragma once

#include <stddef.h>

#include "vmm/accel/soft/cpu/state.h"

/** page_of() - what is known of the page of @gpa; NULL: nobody cares, or it is no memory */
static inline struct cpu_page *page_of(const struct cpu *c, uint64_t gpa)
{
	return gpa >> 12 < c->nr_pages ? &c->pages[gpa >> 12] : NULL;
}

/** page_me() - the bit of @c */
static inline uint32_t page_me(const struct cpu *c)
{
	return 1u << c->index;
}

/** page_may_write() - may @c make an entry of its TLB that lets it write to @gpa without page_write()? */
static inline bool page_may_write(const struct cpu *c, uint64_t gpa)
{
	const struct cpu_page *p = page_of(c, gpa);

	return p == NULL || __atomic_load_n(&p->write, __ATOMIC_RELAXED) & page_me(c);
}

/** page_write() - @c is about to write to @gpa: translations of the page are dropped, everywhere */
void page_write(struct cpu *c, uint64_t gpa);

/**
 * page_claim() - @c wants to translate what is at @gpa now
 * Return: false: not yet, others may still be writing to the page.
 */
bool page_claim(struct cpu *c, uint64_t gpa);

/** page_unclaim() - @c has no translations of the page of @gpa any more */
void page_unclaim(struct cpu *c, uint64_t gpa);

/** page_give_up() - @c will call page_write() before it writes to the page of @gpa */
void page_give_up(struct cpu *c, uint64_t gpa);

/** page_give_up_all() - the same for all pages */
void page_give_up_all(struct cpu *c);
