/* SPDX-License-Identifier: MIT */
/**
 * DOC: pages of guest memory that are code for some and data for others
 */
#include "vmm/accel/soft/cpu/pages.h"

#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"

void page_write(struct cpu *c, uint64_t gpa)
{
	struct cpu_page *p = page_of(c, gpa);
	uint32_t me = page_me(c), code;

	if (p == NULL)
		return;
	if (!(__atomic_load_n(&p->write, __ATOMIC_RELAXED) & me))
		(void) __atomic_fetch_or(&p->write, me, __ATOMIC_SEQ_CST);
	code = __atomic_load_n(&p->code, __ATOMIC_SEQ_CST);
	if (code == 0)
		return;
	/* They are told before their bits go: another writer that does not find them need not tell them. */
	if (code & ~me)
		c->ops->page_ask(c, gpa, code & ~me, PAGE_DROP);
	(void) __atomic_fetch_and(&p->code, ~code, __ATOMIC_SEQ_CST);
	if (code & me)
		c->ops->code_write(c, gpa);
}

bool page_claim(struct cpu *c, uint64_t gpa)
{
	struct cpu_page *p = page_of(c, gpa);
	uint32_t me = page_me(c), write;

	if (p == NULL)
		return false;
	if (!(__atomic_load_n(&p->code, __ATOMIC_RELAXED) & me))
		(void) __atomic_fetch_or(&p->code, me, __ATOMIC_SEQ_CST);
	write = __atomic_load_n(&p->write, __ATOMIC_SEQ_CST);
	if (write & me)
		page_give_up(c, gpa);
	if (write & ~me)
		c->ops->page_ask(c, gpa, write & ~me, PAGE_GIVE_UP);
	return !(write & ~me);
}

void page_unclaim(struct cpu *c, uint64_t gpa)
{
	struct cpu_page *p = page_of(c, gpa);

	if (p != NULL && __atomic_load_n(&p->code, __ATOMIC_RELAXED) & page_me(c))
		(void) __atomic_fetch_and(&p->code, ~page_me(c), __ATOMIC_SEQ_CST);
}

void page_give_up(struct cpu *c, uint64_t gpa)
{
	struct cpu_page *p = page_of(c, gpa);

	if (p == NULL)
		return;
	mmu_protect(c, gpa);
	(void) __atomic_fetch_and(&p->write, ~page_me(c), __ATOMIC_SEQ_CST);
}

void page_give_up_all(struct cpu *c)
{
	cpu_flush_tlb(c, true);
	for (uint64_t n = 0; n < c->nr_pages; n++) {
		if (__atomic_load_n(&c->pages[n].write, __ATOMIC_RELAXED) & page_me(c))
			(void) __atomic_fetch_and(&c->pages[n].write, ~page_me(c), __ATOMIC_SEQ_CST);
	}
}
