/* SPDX-License-Identifier: MIT */
#pragma once

#include "guest/proto/proto.h"

/** network_set_up() - name the devices that a request names, give them addresses and routes; 0 or -errno */
int network_set_up(const struct guest_in *fields);
