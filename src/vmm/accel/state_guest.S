/* SPDX-License-Identifier: MIT */
/*
 * The guest of state_test.c: 64-bit code, where every register that lasts has a value of its own.  Each round notes all of
 * them in BLOCK, changes them, and writes to a port; in between it may be moved to another processor, which it does not
 * notice.  After ROUNDS it waits for its timer, halted, and writes to another port.
 */
#include "vmm/accel/state_guest.h"

#define COUNT (BLOCK + 0x3F8) /* rounds */
#define TAKEN (BLOCK + 0x3F0) /* interrupts */
#define ARRIVED (BLOCK + 0x3E8)
#define NOTED_GPR BLOCK
#define NOTED_FLAGS (BLOCK + 0x80)
#define NOTED_SYSTEM (BLOCK + 0x100)
#define NOTED_MSRS (BLOCK + 0x200)

	.section .rodata
	.balign 8
	.globl state_guest, state_guest_end, state_guest_interrupt, state_guest_timer, state_guest_fault
	.code64
state_guest:
	mov $STACK, %esp
	lgdt GDT_POINTER
	lidt IDT_POINTER
	mov $SEL_TSS, %eax
	ltr %ax
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %cr0, %rax
	or $0x10002, %rax	/* WP, MP */
	mov %rax, %cr0
	mov %cr4, %rax
	or $0x600, %rax		/* SSE */
	cmpb $0, LEVEL
	je 1f
	or $0x40000, %rax	/* XSAVE */
1:	mov %rax, %cr4
	cmpb $0, LEVEL
	je 1f
	xor %ecx, %ecx
	xor %edx, %edx
	mov COMPONENTS, %eax
	xsetbv
1:	mov $0x1B, %ecx		/* x2APIC */
	rdmsr
	or $0x400, %eax
	wrmsr
	mov $0x80F, %ecx
	mov $0x1FF, %eax
	xor %edx, %edx
	wrmsr
	mov $0x832, %ecx	/* timer: TSC deadline */
	mov $0x40000 | TIMER_VECTOR, %eax
	wrmsr
	mov $0x835, %ecx	/* whatever it was */
	mov $0x10700, %eax
	wrmsr
	mov $0x6E0, %ecx
	mov $0x7FFF0000, %edx
	wrmsr
	mov $1, %eax
	mov %rax, %cr8
	mov $msrs - state_guest + CODE, %ebx
1:	mov (%rbx), %ecx
	mov 4(%rbx), %eax
	mov 8(%rbx), %edx
	wrmsr
	add $16, %ebx
	cmp $msrs_end - state_guest + CODE, %ebx
	jne 1b
	mov $0x1111, %eax
	mov %rax, %dr0
	mov $0x2222, %eax
	mov %rax, %dr1
	mov $0x3333, %eax
	mov %rax, %dr2
	mov $0x4444, %eax
	mov %rax, %dr3
	mov $0x1234567890AB, %rax
	mov %rax, %cr2
	mov $0x8D5, %eax
	push %rax
	mov $0x0101010101010101, %rax
	lea (%rax,%rax), %rcx
	lea (%rcx,%rax), %rdx
	lea (%rdx,%rax), %rbx
	lea (%rbx,%rax), %rbp
	lea (%rbp,%rax), %rsi
	lea (%rsi,%rax), %rdi
	lea (%rdi,%rax), %r8
	lea (%r8,%rax), %r9
	lea (%r9,%rax), %r10
	lea (%r10,%rax), %r11
	lea (%r11,%rax), %r12
	lea (%r12,%rax), %r13
	lea (%r13,%rax), %r14
	lea (%r14,%rax), %r15
	popf

round:
	mov %rax, NOTED_GPR
	mov %rcx, NOTED_GPR + 8
	mov %rdx, NOTED_GPR + 16
	mov %rbx, NOTED_GPR + 24
	mov %rsp, NOTED_GPR + 32
	mov %rbp, NOTED_GPR + 40
	mov %rsi, NOTED_GPR + 48
	mov %rdi, NOTED_GPR + 56
	mov %r8, NOTED_GPR + 64
	mov %r9, NOTED_GPR + 72
	mov %r10, NOTED_GPR + 80
	mov %r11, NOTED_GPR + 88
	mov %r12, NOTED_GPR + 96
	mov %r13, NOTED_GPR + 104
	mov %r14, NOTED_GPR + 112
	mov %r15, NOTED_GPR + 120
	pushf
	pop %rax
	mov %rax, NOTED_FLAGS
	cld
	/* what the system has */
	mov %cr0, %rax
	mov %rax, NOTED_SYSTEM
	mov %cr2, %rax
	mov %rax, NOTED_SYSTEM + 8
	add $0x1000, %rax
	mov %rax, %cr2
	mov %cr3, %rax
	mov %rax, NOTED_SYSTEM + 16
	mov %cr4, %rax
	mov %rax, NOTED_SYSTEM + 24
	mov %cr8, %rax
	mov %rax, NOTED_SYSTEM + 32
	mov %dr0, %rax
	mov %rax, NOTED_SYSTEM + 40
	inc %rax
	mov %rax, %dr0
	mov %dr1, %rax
	mov %rax, NOTED_SYSTEM + 48
	mov %dr2, %rax
	mov %rax, NOTED_SYSTEM + 56
	mov %dr3, %rax
	mov %rax, NOTED_SYSTEM + 64
	mov %dr7, %rax
	mov %rax, NOTED_SYSTEM + 72
	sgdt NOTED_SYSTEM + 80
	sidt NOTED_SYSTEM + 96
	str %eax
	mov %ax, NOTED_SYSTEM + 112
	mov %ds, %eax
	mov %ax, NOTED_SYSTEM + 114
	mov %ss, %eax
	mov %ax, NOTED_SYSTEM + 116
	mov %cs, %eax
	mov %ax, NOTED_SYSTEM + 118
	mov $msrs - state_guest + CODE, %ebx
	mov $NOTED_MSRS, %edi
1:	mov (%rbx), %ecx
	rdmsr
	mov %eax, (%rdi)
	mov %edx, 4(%rdi)
	add 12(%rbx), %eax
	wrmsr
	add $8, %edi
	add $16, %ebx
	cmp $msrs_end - state_guest + CODE, %ebx
	jne 1b
	mov $reads - state_guest + CODE, %ebx
1:	mov (%rbx), %ecx
	rdmsr
	mov %eax, (%rdi)
	mov %edx, 4(%rdi)
	add $8, %edi
	add $4, %ebx
	cmp $reads_end - state_guest + CODE, %ebx
	jne 1b
	/* x87 and vectors: noted, and others loaded */
	mov $32, %ecx
	mov $SOURCE_VECTORS, %ebx
1:	addq $3, (%rbx)
	add $8, %ebx
	dec %ecx
	jne 1b
	cmpb $0, LEVEL
	je 2f
	mov $-1, %eax
	mov $-1, %edx
	xsave64 NOTED_XSAVE
	xrstor64 SOURCE
	jmp 3f
2:	movdqu %xmm0, NOTED_XSAVE
	movdqu %xmm1, NOTED_XSAVE + 16
	movdqu %xmm2, NOTED_XSAVE + 32
	movdqu SOURCE_VECTORS, %xmm0
	movdqu SOURCE_VECTORS + 16, %xmm1
	movdqu SOURCE_VECTORS + 32, %xmm2
3:	/* an interrupt: it waits, or it is served, while this is moved */
	mov $0x80B, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr
	mov $0x83F, %ecx
	mov $INTERRUPT_VECTOR, %eax
	wrmsr
	incq COUNT
	testb $1, COUNT
	jz 1f
	call take
1:	cmpq $ROUNDS, COUNT
	ja wait
	pushq NOTED_FLAGS
	popf
	mov NOTED_GPR, %rax
	mov NOTED_GPR + 8, %rcx
	mov NOTED_GPR + 16, %rdx
	mov NOTED_GPR + 24, %rbx
	mov NOTED_GPR + 40, %rbp
	mov NOTED_GPR + 48, %rsi
	mov NOTED_GPR + 56, %rdi
	out %al, $ROUND_PORT
	pushf
	testb $1, COUNT
	jnz 1f
	call take
1:	xorl $0x8C1, (%rsp)
	popf
	lea 1(%rax), %rax
	lea 2(%rcx), %rcx
	lea 3(%rdx), %rdx
	lea 4(%rbx), %rbx
	lea -16(%rsp), %rsp
	lea 5(%rbp), %rbp
	lea 6(%rsi), %rsi
	lea 7(%rdi), %rdi
	lea 8(%r8), %r8
	lea 9(%r9), %r9
	lea 10(%r10), %r10
	lea 11(%r11), %r11
	lea 12(%r12), %r12
	lea 13(%r13), %r13
	lea 14(%r14), %r14
	lea 15(%r15), %r15
	jmp round

	/* Until the interrupt has come: it may take a few instructions. */
take:	sti
1:	nop
	testb $1, ARRIVED
	jz 1b
	cli
	movb $0, ARRIVED
	ret

wait:	testb $1, COUNT
	jnz 1f
	call take
1:	mov $0x80B, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr
	rdtsc
	add WAIT, %eax
	adc $0, %edx
	mov $0x6E0, %ecx
	wrmsr
1:	sti
	hlt
	cli
	cmpb $0, TIMER_FLAG
	je 1b
	out %al, $END_PORT
2:	hlt
	jmp 2b

state_guest_interrupt:
	incq TAKEN
	movb $1, ARRIVED
	iretq

state_guest_fault:
	out %al, $FAULT_PORT
	jmp state_guest_fault

state_guest_timer:
	movb $1, TIMER_FLAG
	iretq

	/* number, low half, high half, what is added each round */
msrs:	.long 0xC0000081, 0x11111111, 0x00100008, 1
	.long 0xC0000082, 0x22222222, 0xFFFFFFFF, 0x10
	.long 0xC0000083, 0x33333333, 0xFFFFFFFF, 0x10
	.long 0xC0000084, 0x00044444, 0, 0x100
	.long 0xC0000100, 0x55555555, 0x00005555, 0x10
	.long 0xC0000101, 0x66666666, 0xFFFFFFFF, 0x10
	.long 0xC0000102, 0x77777777, 0x00007777, 0x10
	.long 0x174, 0x10, 0, 8
	.long 0x175, 0x08888888, 0, 0x10
	.long 0x176, 0x09999999, 0, 0x10
	.long 0x277, 0x00070106, 0x00070106, 0
	.long 0x200, 0x80000006, 0, 0x1000
	.long 0x201, 0xC0000800, 0xFF, 0
	.long 0x26F, 0x05050505, 0x06060606, 0
	.long 0x2FF, 0xC06, 0, 0
msrs_end:
	/* of the local APIC, and EFER */
reads:	.long 0x802, 0x808, 0x80F, 0x811, 0x821, 0x832, 0x835, 0x6E0, 0xC0000080, 0x1B
reads_end:
state_guest_end:

	.section .note.GNU-stack, "", @progbits
