/* SPDX-License-Identifier: MIT */
/*
 * int simd_call_X(struct simd_regs *regs, const void *cell): load the operands, call a cell, store
 * them.  The cell runs under the guest's MXCSR; when it raises an exception, the signal handler of
 * fault.c continues at simd_call_fault with the function's result in EAX, and the operands stay as
 * they were.
 */
#define V(n) ((n) * 64)(%rbx)
#define K(n) (256 + (n) * 8)(%rbx)
#define G(n) (288 + (n) * 8)(%rbx)
#define M(n) (320 + (n) * 8)(%rbx)
#define FLAGS 352(%rbx)
#define MXCSR 360(%rbx)
#define HOST_MXCSR (%rsp)

	.text

.macro begin name
	.globl \name
	.hidden \name
	.type \name, @function
	.balign 16
\name:
	push %rbx
	sub $16, %rsp
	mov %rdi, %rbx
	stmxcsr HOST_MXCSR
	ldmxcsr MXCSR
	mov G(0), %rax
	mov G(1), %rcx
	mov G(2), %rdx
.endm

.macro middle
	call *%rsi
	pushfq
	popq FLAGS
	mov %rax, G(0)
	mov %rcx, G(1)
	mov %rdx, G(2)
	stmxcsr MXCSR
	ldmxcsr HOST_MXCSR
.endm

.macro end name
	xor %eax, %eax
	add $16, %rsp
	pop %rbx
	ret
	.size \name, . - \name
.endm

.macro vectors insn, reg
	\insn V(0), %\reg\()0
	\insn V(1), %\reg\()1
	\insn V(2), %\reg\()2
	\insn V(3), %\reg\()3
.endm

.macro store_vectors insn, reg
	\insn %\reg\()0, V(0)
	\insn %\reg\()1, V(1)
	\insn %\reg\()2, V(2)
	\insn %\reg\()3, V(3)
.endm

	begin simd_call_sse
	vectors movaps, xmm
	middle
	store_vectors movaps, xmm
	end simd_call_sse

	begin simd_call_mmx
	vectors movaps, xmm
	movq M(0), %mm0
	movq M(2), %mm2
	middle
	movq %mm0, M(0)
	movq %mm2, M(2)
	emms
	store_vectors movaps, xmm
	end simd_call_mmx

	begin simd_call_avx
	vectors vmovaps, ymm
	middle
	store_vectors vmovaps, ymm
	vzeroupper
	end simd_call_avx

	begin simd_call_avx512
	vectors vmovaps, zmm
	kmovq K(0), %k0
	kmovq K(1), %k1
	kmovq K(2), %k2
	kmovq K(3), %k7
	middle
	store_vectors vmovaps, zmm
	kmovq %k0, K(0)
	vzeroupper
	end simd_call_avx512

	.globl simd_call_fault
	.hidden simd_call_fault
	.balign 16
simd_call_fault:
	add $8, %rsp
	stmxcsr MXCSR
	ldmxcsr HOST_MXCSR
	add $16, %rsp
	pop %rbx
	ret

/*
 * void simd_call_x87(void *image, const void *cell, void *operand): the x87 state of the FXSAVE64
 * image goes to the host, the cell runs on @operand, and the state comes back.
 */
	.globl simd_call_x87
	.hidden simd_call_x87
	.type simd_call_x87, @function
	.balign 16
simd_call_x87:
	push %rbx
	sub $16, %rsp
	mov %rdi, %rbx
	stmxcsr HOST_MXCSR
	fxrstor64 (%rbx)
	mov %rsi, %rax
	mov %rdx, %rsi
	mov 512(%rbx), %rdx
	push %rdx
	popfq
	call *%rax
	pushfq
	popq 512(%rbx)
	mov %rax, 520(%rbx)
	fxsave64 (%rbx)
	fninit
	ldmxcsr HOST_MXCSR
	add $16, %rsp
	pop %rbx
	ret
	.size simd_call_x87, . - simd_call_x87

	.section .note.GNU-stack, "", @progbits
