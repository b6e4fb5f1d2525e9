/* SPDX-License-Identifier: MIT */
/*
 * void differ_enter(struct differ_frame *f): load all registers and jump to the instruction; comes
 * back by way of a signal handler that continues at differ_leave.
 */
#define HOST_RSP 0(%rdi)
#define TARGET 8(%rdi)
#define FLAGS 16(%rdi)
#define AREA 24(%rdi)
#define COMPONENTS 32(%rdi)
#define REG(n) (40 + (n) * 8)(%rdi)

	.text
	.globl differ_enter
	.type differ_enter, @function
differ_enter:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, HOST_RSP
	mov COMPONENTS, %rax
	mov %rax, %rdx
	shr $32, %rdx
	mov AREA, %rcx
	xrstor64 (%rcx)
	mov TARGET, %rax
	mov %rax, differ_target(%rip)
	push FLAGS
	popfq
	mov REG(0), %rax
	mov REG(1), %rcx
	mov REG(2), %rdx
	mov REG(3), %rbx
	mov REG(4), %rsp
	mov REG(5), %rbp
	mov REG(6), %rsi
	mov REG(8), %r8
	mov REG(9), %r9
	mov REG(10), %r10
	mov REG(11), %r11
	mov REG(12), %r12
	mov REG(13), %r13
	mov REG(14), %r14
	mov REG(15), %r15
	mov REG(7), %rdi
	jmp *differ_target(%rip)

	.globl differ_leave
differ_leave:
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
	.size differ_enter, . - differ_enter

	.data
	.balign 8
differ_target:
	.quad 0

	.section .note.GNU-stack, "", @progbits
