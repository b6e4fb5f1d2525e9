/* SPDX-License-Identifier: MIT */
#pragma once

#include "vmm/accel/kvm/kvm_internal.h"
#include "vmm/accel/state.h"

#define KVM_XSAVE_SIZE 4096 /* bytes that KVM_GET_XSAVE returns */

/** struct kvm_msr_block - struct kvm_msrs with room for its entries */
struct kvm_msr_block {
	uint32_t nr, pad;
	struct kvm_msr_entry entry[KVM_MSRS_MAX];
};

/** struct kvm_state - state of a processor, as the kernel has it */
struct kvm_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	_Alignas(8) uint8_t xsave[KVM_XSAVE_SIZE];
	struct kvm_xcrs xcrs;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct kvm_msr_block msrs;
};

/** kvm_gprs() - general registers, in the order of encodings, to KVM's or from there */
void kvm_gprs(struct kvm_regs *k, uint64_t gpr[16], bool to_kvm);

/** kvm_msr() - KVM_GET_MSRS or KVM_SET_MSRS of one register, of the processor @fd; 0; -EIO the host refuses */
int kvm_msr(int fd, unsigned long request, uint32_t index, uint64_t *value);

/** kvm_state_msr() - where the value of a register is, NULL if the host has none */
uint64_t *kvm_state_msr(struct kvm_state *s, uint32_t index);
