/* SPDX-License-Identifier: MIT */
#pragma once

/** ports_confine() - give up all privileges but that to send from foreign addresses; 0 or -errno */
int ports_confine(void);
