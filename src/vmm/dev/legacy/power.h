/* SPDX-License-Identifier: MIT */
/*
 * Turning the machine off and on again, by ACPI registers (hardware-reduced), and the power button.
 */
#pragma once

#include <stdint.h>

struct err;
struct vm;

#define POWER_SLEEP_CONTROL 0x600 /* port of ACPI's sleep control register */
#define POWER_SLEEP_STATUS 0x601
#define POWER_RESET 0x602 /* port of the reset register */
#define POWER_EVENTS 0x603 /* port that tells what happened, and forgets it */
#define POWER_PANIC 0x505 /* port where the guest's kernel tells of a panic (pvpanic) */
#define POWER_IRQ 9 /* line that is high while POWER_EVENTS tells something, also to a kernel that is not up yet */

#define POWER_RESET_VALUE 1
#define POWER_SLEEP_TYPE_OFF 5 /* S5 */
#define POWER_EVENT_BUTTON 1u /* bits of POWER_EVENTS */
#define POWER_EVENT_PCI 2u /* devices came or shall go */

struct power;

/**
 * power_add() - registers to sleep, reset and panic
 * @ret: returns; owned by the machine
 * Return: 0; -errno with a message.
 */
int power_add(struct vm *vm, struct power **ret, struct err *err);

/**
 * power_event() - tell the guest of what happened
 * @event: POWER_EVENT_BUTTON, which is repeated while the guest may still be starting; POWER_EVENT_PCI
 */
void power_event(struct power *p, uint8_t event);
