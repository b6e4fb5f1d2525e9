/* SPDX-License-Identifier: MIT */
/* Messages to the host, which block: they are small, and a host that does not read has ended. */
#pragma once

#include <stdint.h>

#include "guest/proto/proto.h"

/** message_send() - send what was made */
void message_send(int sock, struct guest_out *o);

/** message_plain() - a message without fields */
void message_plain(int sock, enum guest_type type);

/** message_failed() - tell what was not done, and close; @error: -errno */
void message_failed(int sock, uint64_t step, int error);
