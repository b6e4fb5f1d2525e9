/* SPDX-License-Identifier: MIT */
/*
 * Page tables and the soft TLB.
 *
 * Each remembered address space (PCID) has arrays of its own, so that a switch costs nothing; an entry
 * is only made with the accessed and dirty bits set as the access needs them.
 */
#pragma once

#include "vmm/accel/soft/cpu/state.h"

/** struct page - where a linear address is */
struct page {
	uint64_t gpa; /* of the address itself */
	bool write; /* may be written by who asked; the dirty bit is set */
	bool global;
	uint8_t large; /* 1: 2 or 4 MiB, 2: 1 GiB */
};

/**
 * mmu_translate() - walk the page tables
 * @access: enum mem_access bits, or MMU_FETCH
 * Return: with accessed and dirty bits set; raises #PF, #GP or #SS.
 */
void mmu_translate(struct cpu *c, uint64_t lin, unsigned access, struct page *ret);

#define MMU_FETCH 8u

/** mmu_ram() - host address of @gpa, or NULL if it is no RAM; @left: bytes from there on in its region */
uint8_t *mmu_ram(const struct cpu *c, uint64_t gpa, uint64_t *left, bool *readonly);

/** mmu_code() - the page that instructions at @lin come from; host is NULL if it is no RAM.  Raises */
const struct tlb_code *mmu_code(struct cpu *c, uint64_t lin);

/** mmu_fill() - make the entry of array @tlb for @lin as translated */
void mmu_fill(struct cpu *c, struct tlb_entry *tlb, uint64_t lin, const struct page *page, uint8_t *host, bool readonly);

/** mmu_set_cr3() - as MOV to CR3 does, checks done; bit 63 keeps what is remembered */
void mmu_set_cr3(struct cpu *c, uint64_t value);

/** mmu_load_pdptes() - for PAE paging; false: reserved bits are set, nothing changed */
bool mmu_load_pdptes(struct cpu *c, uint64_t cr3);

/** mmu_invlpg() - forget one page in all address spaces */
void mmu_invlpg(struct cpu *c, uint64_t lin);

/** mmu_invpcid() - forget what is not global of address space @pcid */
void mmu_invpcid(struct cpu *c, unsigned pcid);

/** mmu_protect() - forget entries that let guest page @gpa be written; see pages.h */
void mmu_protect(struct cpu *c, uint64_t gpa);

/** mmu_reset() - no entries at all */
void mmu_reset(struct cpu *c);

/** mmu_select() - choose the arrays for the current address space and rights */
void mmu_select(struct cpu *c);
