/* SPDX-License-Identifier: MIT */
/*
 * A guest without an operating system, entered by PVH.  The first letter of its command line says what it does:
 *   o  turn the machine off        r  reset it            t  triple fault
 *   p  tell of a panic             h  halt for ever       e  send back a line from the serial port, turn off
 *   a  write and read ports, configuration space and devices' registers all over, then turn off
 *   i  an instruction that not every KVM can emulate, then turn off
 */
	.section .note, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	mov $stack, %esp
	mov 24(%ebx), %esi	/* command line */
	mov (%esi), %al
	mov $hello, %esi
	call print
	mov %al, %bl
	cmp $'o', %bl
	je off
	cmp $'r', %bl
	je reset
	cmp $'t', %bl
	je triple
	cmp $'p', %bl
	je panic
	cmp $'e', %bl
	je echo
	cmp $'a', %bl
	je attack
	cmp $'i', %bl
	je instruction
halt:
	hlt
	jmp halt

off:
	mov $0x600, %edx
	mov $0x34, %al
	out %al, %dx
	jmp halt

reset:
	mov $0x602, %edx
	mov $1, %al
	out %al, %dx
	jmp halt

triple:
	lidt no_idt
	ud2

panic:
	mov $0x505, %edx
	mov $1, %al
	out %al, %dx
	jmp halt

instruction:
	mov $7, %ecx
	popcnt %ecx, %eax
	jmp off

/* Print the text at esi. */
print:
	push %eax
	push %edx
	mov $0x3F8, %edx
1:	mov (%esi), %al
	test %al, %al
	jz 2f
	out %al, %dx
	inc %esi
	jmp 1b
2:	pop %edx
	pop %eax
	ret

echo:
	mov $0x3FD, %edx
1:	in %dx, %al
	test $1, %al
	jz 1b
	mov $0x3F8, %edx
	in %dx, %al
	out %al, %dx
	cmp $'\n', %al
	jne echo
	jmp off

/* edi: random numbers; ecx: how many rounds are left */
attack:
	mov $12345, %edi
	mov $4000, %ecx
round:
	call random
	and $0x7FF, %eax
	mov %eax, %edx
	and $~7, %eax
	cmp $0x600, %eax	/* those that end the machine are left out */
	je 1f
	cmp $0x500, %eax
	je 1f
	cmp $0x60, %eax
	je 1f
	call random
	out %al, %dx
	out %ax, %dx
	out %eax, %dx
	in %dx, %al
	in %dx, %ax
	in %dx, %eax
1:	call random
	and $0x3FFFF, %eax	/* slots 0 to 7 */
	lea 0xB0000000(%eax), %esi
	call access
	call random
	and $0x3FFFF, %eax	/* registers of 8 devices */
	lea 0xC0000000(%eax), %esi
	call access
	call random
	and $0xFF, %eax		/* the beginning of a device's registers, more often */
	mov %edi, %edx
	and $0x38000, %edx
	lea 0xC0000000(%eax,%edx), %esi
	call access
	dec %ecx
	jnz round
	mov $0x3FB, %edx
	mov $3, %al
	out %al, %dx
	mov $0x3FC, %edx
	out %al, %dx
	mov $done, %esi
	call print
	jmp off

random:
	imul $1664525, %edi, %edi
	add $1013904223, %edi
	mov %edi, %eax
	shr $7, %eax
	ret

access:
	call random
	test $1, %al
	jz 1f
	mov %eax, (%esi)
	mov (%esi), %edx
	ret
1:	test $2, %al
	jz 2f
	mov %ax, (%esi)
	mov (%esi), %dx
	ret
2:	mov %al, (%esi)
	mov (%esi), %dl
	ret

	.data
no_idt:	.word 0
	.long 0
hello:	.asciz "BARE\n"
done:	.asciz "DONE\n"
	.bss
	.skip 4096
stack:
