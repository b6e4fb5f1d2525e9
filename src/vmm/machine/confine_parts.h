/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "vmm/machine/confine.h"

/** enum confine_rule - which arguments of an allowed call are fine */
enum confine_rule {
	RULE_ANY,
	RULE_IOCTL, /* of KVM, of terminals, of tap devices */
	RULE_NO_CODE, /* memory that is not executable */
	RULE_UNIX, /* sockets of this machine */
	RULE_SELF, /* signals to this process */
	RULE_OWN_LIMITS, /* of this process, only to read them */
};

/** struct confine_call - @nr: of the system call; @roles: bits of those that may make it */
struct confine_call {
	uint16_t nr;
	uint8_t roles, rule;
};

/** confine_calls() - all that some role may make, the most frequent first; @ret_n of them */
const struct confine_call *confine_calls(unsigned *ret_n);

/** confine_call_name() - of a system call; "?" for one without */
const char *confine_call_name(unsigned nr);

/** confine_role_name() - for messages */
const char *confine_role_name(enum confine_role role);
