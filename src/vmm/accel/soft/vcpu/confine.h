/* SPDX-License-Identifier: MIT */
#pragma once

/** vcpu_confine() - from now on this process computes, and can do nothing else; 0 or -errno */
int vcpu_confine(void);
