/* SPDX-License-Identifier: MIT */
#include "vmm/core/keys.h"

#include <stdio.h>
#include <unistd.h>

#include "vmm/core/vm.h"

#define CONTROL_A 1

void keys_init(struct keys *k, int fd)
{
	*k = (struct keys) { .on = fd == STDIN_FILENO && isatty(fd) };
}

static void obey(struct vm *vm, uint8_t key)
{
	switch (key) {
	case 'x':
	case 'X':
		vm_request(vm, VM_CAUSE_QUIT);
		break;
	case 'h':
	case 'H':
	case '?':
		(void) fputs("cleave-vmm: " KEYS_HELP "\n", stderr);
		break;
	default:
		break; /* means nothing */
	}
}

size_t keys_take(struct keys *k, struct vm *vm, uint8_t *data, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		bool control = k->on && data[i] == CONTROL_A;

		if (k->begun && !control)
			obey(vm, data[i]);
		else if (k->begun || !control)
			data[left++] = data[i];
		k->begun = control && !k->begun;
	}
	return left;
}
