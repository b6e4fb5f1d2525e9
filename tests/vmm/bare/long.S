/* SPDX-License-Identifier: MIT */
/*
 * The beginning of a guest in C: entered by PVH, then 64-bit code with the first 4 GiB mapped at their own addresses,
 * and once more at 1 << 38.  The first processor calls main(); those that are sent to AP_CODE call other(number).
 */
#define AP_CODE 0x8000
#define STACK_SHIFT 14

	.section .note, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	mov 24(%ebx), %esi	/* command line */
	mov (%esi), %al
	mov %al, letter
	mov $tables, %edi	/* 1 GiB in each of four tables of 2 MiB pages */
	mov $0x83, %eax
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x200000, %eax
	jnc 1b
	mov $tables + 3, %eax
	mov $pdpt, %edi
2:	mov %eax, (%edi)
	mov %eax, 256 * 8(%edi)
	add $8, %edi
	add $0x1000, %eax
	cmp $tables + 0x4003, %eax
	jne 2b
	movl $pdpt + 3, pml4
	mov $ap_begin, %esi
	mov $AP_CODE, %edi
	mov $ap_end - ap_begin, %ecx
	rep movsb
	lgdt gdt_pointer
	ljmp $0x18, $begin_32

	.code16
ap_begin:
	cli
	lgdtl %cs:(ap_gdt_pointer - ap_begin)
	mov $1, %eax
	mov %eax, %cr0
	ljmpl $0x18, $begin_32
ap_gdt_pointer:
	.word 4 * 8 - 1
	.long gdt
ap_end:

	.code32
begin_32:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x620, %eax	/* PAE, SSE */
	mov %eax, %cr4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0xC0000080, %ecx
	mov $0x901, %eax	/* LME, NXE, SCE */
	xor %edx, %edx
	wrmsr
	mov $0x80010033, %eax	/* PG, WP, NE, ET, MP, PE */
	mov %eax, %cr0
	ljmp $0x08, $begin_64
	.code64
begin_64:
	mov $1, %edi
	lock xadd %edi, processors
	mov %edi, %eax
	inc %eax
	shl $STACK_SHIFT, %eax
	lea stacks(%rax), %rsp
	test %edi, %edi
	jnz other
	movzbl letter, %edi
	jmp main

	.globl on_interrupt
on_interrupt:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	call interrupted
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	iretq

	.data
	.balign 8
gdt:	.quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF
gdt_pointer:
	.word 4 * 8 - 1
	.long gdt
	.globl processors
processors:
	.long 0
letter:	.byte 0
	.bss
	.balign 4096
pml4:	.skip 4096
	.globl pdpt
pdpt:	.skip 4096
tables:	.skip 4 * 4096
stacks:	.skip 33 << STACK_SHIFT
