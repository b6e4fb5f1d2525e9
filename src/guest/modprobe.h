/* SPDX-License-Identifier: MIT */
#pragma once

/** modprobe() - load the modules of a name or alias, as the kernel asks for it, with all they need; 0 or -errno */
int modprobe(const char *name);
