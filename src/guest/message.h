/* SPDX-License-Identifier: MIT */
/* Messages to the host, which block: they are small, and a host that does not read has ended. */
#pragma once

#include <stdint.h>

#include "guest/proto/proto.h"

/** message_send() - send what was made */
void message_send(int sock, struct guest_out *o);

/** message_number() - a message with one number */
void message_number(int sock, enum guest_type type, enum guest_tag tag, uint64_t v);

/** message_failed() - tell what was not done, and close; @error: -errno */
void message_failed(int sock, uint64_t step, int error);
