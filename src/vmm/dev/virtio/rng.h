/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct pci_bus;
struct vm;

/** rng_add() - a source of random numbers; 0 or -errno with a message */
int rng_add(struct vm *vm, struct pci_bus *bus, struct err *err);
