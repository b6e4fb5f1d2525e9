/* SPDX-License-Identifier: MIT */
/* Where things are in the guest of state_test.c; for C and for the assembler. */
#pragma once

#define GDT 0x500
#define GDT_POINTER 0x580
#define IDT_POINTER 0x590
#define TABLES 0x9000
#define CODE 0x10000
#define BLOCK 0x20000
#define BLOCK_SIZE 0x1000
#define NOTED_IN_SERVICE (BLOCK + 0x290) /* interrupts 0x20 to 0x3F */
#define NOTED_XSAVE (BLOCK + 0x400)
#define SOURCE 0x30000
#define SOURCE_VECTORS (SOURCE + 160)
#define LEVEL 0x31000 /* 0: what a KVM that only emulates can execute; 1: with XSAVE */
#define COMPONENTS 0x31008
#define WAIT 0x31010
#define TIMER_FLAG 0x31018
#define IDT 0x40000
#define TSS 0x42000
#define STACK 0x60000

#define SEL_CODE 0x10
#define SEL_DATA 0x18
#define SEL_TSS 0x20

#define INTERRUPT_VECTOR 0x30
#define TIMER_VECTOR 0x31
#define ROUND_PORT 0x80
#define END_PORT 0x81
#define FAULT_PORT 0x82
#define ROUNDS 12
