/* SPDX-License-Identifier: MIT */
/*
 * A guest without an operating system that asks everything of the interrupt controllers, one letter before each step:
 * S interrupt to itself, P priorities, O one-shot timer, R periodic timer, D deadline timer, N NMI, L a line of the
 * I/O APIC, A start of the second processor and interrupts to it while it halts, X x2APIC.  Then DONE, and off.
 * A step that fails waits for ever.
 */
#define LAPIC 0xFEE00000
#define IOAPIC 0xFEC00000
#define AP_CODE 0x8000 /* guest address, below 1 MiB */

	.section .note, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.macro step letter
	mov $0x3F8, %edx
	mov $\letter, %al
	out %al, %dx
	.endm

	.macro until_count address, value
1:	cmpl $\value, \address
	jne 1b
	.endm

	/* sleep until it is so; STI takes effect behind HLT */
	.macro sleep_until address, value
1:	cli
	cmpl $\value, \address
	jae 2f
	sti
	hlt
	jmp 1b
2:	sti
	.endm

	.text
	.code32
	.globl start
start:
	mov $stack, %esp
	lgdt gdt_pointer
	ljmp $0x08, $1f
1:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	call fill_idt
	lidt idt_pointer
	movl $0x1FF, LAPIC + 0xF0

	step 'S'
	movl $0, LAPIC + 0x310
	movl $0x40, LAPIC + 0x300
	cmpl $0, count_40	/* not before STI */
	jne halt
	sti
	until_count count_40, 1

	step 'P'
	movl $0x50, LAPIC + 0x80
	movl $0x41, LAPIC + 0x300
	nop
	cmpl $0, count_41
	jne halt
	testl $2, LAPIC + 0x220	/* requested */
	jz halt
	movl $0, LAPIC + 0x80
	until_count count_41, 1
	cmpl $0, LAPIC + 0x120	/* none is in service */
	jne halt

	step 'O'
	movl $0xB, LAPIC + 0x3E0
	movl $0x42, LAPIC + 0x320
	movl $1000000, LAPIC + 0x380
	sleep_until count_42, 1
	cmpl $0, LAPIC + 0x390
	jne halt

	step 'R'
	movl $0x20042, LAPIC + 0x320
	movl $500000, LAPIC + 0x380
	sleep_until count_42, 6
	movl $0, LAPIC + 0x380

	step 'D'
	cli
	movl $0, count_42
	movl $0x40042, LAPIC + 0x320
	rdtsc
	add $2000000, %eax
	adc $0, %edx
	mov $0x6E0, %ecx
	wrmsr
	sleep_until count_42, 1

	step 'N'
	cli
	movl $0x4400, LAPIC + 0x300
	until_count count_nmi, 1
	sti

	step 'L'
	movl $0x19, IOAPIC	/* entry 4, upper half */
	movl $0, IOAPIC + 0x10
	movl $0x18, IOAPIC
	movl $0x43, IOAPIC + 0x10
	mov $0x3FC, %edx
	mov $8, %al		/* OUT2 lets the interrupt through */
	out %al, %dx
	mov $0x3F9, %edx
	mov $2, %al		/* when there is room to send */
	out %al, %dx
2:	cmpl $0, count_43
	je 2b
	mov $0, %al
	out %al, %dx

	step 'A'
	mov $ap_begin, %esi
	mov $AP_CODE, %edi
	mov $ap_end - ap_begin, %ecx
	rep movsb
	movl $0x01000000, LAPIC + 0x310
	movl $0x4500, LAPIC + 0x300
	movl $0x4600 | AP_CODE >> 12, LAPIC + 0x300
	until_count ap_ready, 1
	mov $1, %ebx
3:	movl $0xC0044, LAPIC + 0x300	/* everybody else */
4:	cmp %ebx, count_44
	jne 4b
	inc %ebx
	cmp $200, %ebx
	jne 3b

	step 'X'
	mov $0x1B, %ecx
	rdmsr
	or $0xC00, %eax
	wrmsr
	mov $0x83F, %ecx
	mov $0x45, %eax
	xor %edx, %edx
	wrmsr
	until_count count_45, 1

	mov $done, %esi
	mov $0x3F8, %edx
5:	lodsb
	out %al, %dx
	cmp $done_end, %esi
	jne 5b
	mov $0x600, %edx
	mov $0x34, %al
	out %al, %dx
halt:	cli
	hlt
	jmp halt

/* The second processor: sleeps, and counts what wakes it. */
	.code16
ap_begin:
	cli
	lgdtl %cs:(ap_gdt_pointer - ap_begin)
	mov $1, %eax
	mov %eax, %cr0
	ljmpl $0x08, $ap_32
ap_gdt_pointer:
	.word 3 * 8 - 1
	.long gdt
ap_end:
	.code32
ap_32:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $ap_stack, %esp
	lidt idt_pointer
	movl $0x1FF, LAPIC + 0xF0
	lock incl ap_ready
1:	sti
	hlt
	jmp 1b

fill_idt:
	mov $idt, %edi
	mov $256, %ecx
	mov $unexpected, %eax
1:	call gate
	loop 1b
	mov $on_nmi, %eax
	mov $idt + 2 * 8, %edi
	call gate
	mov $idt + 0x40 * 8, %edi
	mov $on_40, %eax
	call gate
	mov $on_41, %eax
	call gate
	mov $on_42, %eax
	call gate
	mov $on_43, %eax
	call gate
	mov $on_44, %eax
	call gate
	mov $on_45, %eax
	call gate
	ret

/* An interrupt gate at edi for the code at eax; edi goes on. */
gate:
	mov %ax, (%edi)
	movw $0x08, 2(%edi)
	movw $0x8E00, 4(%edi)
	mov %eax, %edx
	shr $16, %edx
	mov %dx, 6(%edi)
	add $8, %edi
	ret

	.macro counter vector
on_\vector:
	lock incl count_\vector
	movl $0, LAPIC + 0xB0
	iret
	.endm
	counter 40
	counter 41
	counter 42
	counter 44

on_43:	push %eax
	push %edx
	mov $0x3FA, %edx
	in %dx, %al
	lock incl count_43
	movl $0, LAPIC + 0xB0
	pop %edx
	pop %eax
	iret

on_45:	lock incl count_45
	mov $0x80B, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr
	iret

on_nmi:	lock incl count_nmi
	iret

unexpected:
	step '!'
	jmp halt

	.data
	.balign 8
gdt:	.quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF
gdt_pointer:
	.word 3 * 8 - 1
	.long gdt
idt_pointer:
	.word 256 * 8 - 1
	.long idt
done:	.ascii "\nDONE\n"
done_end:
	.bss
	.balign 8
idt:	.skip 256 * 8
	.irp name, count_40, count_41, count_42, count_43, count_44, count_45, count_nmi, ap_ready
\name:	.skip 4
	.endr
	.skip 4096
ap_stack:
	.skip 4096
stack:
