/* SPDX-License-Identifier: MIT */
#pragma once

struct str;

/**
 * eng_profile_caps() - append the default capabilities as the elements of a JSON list
 * The fourteen that Docker gives.
 */
void eng_profile_caps(struct str *ret);

/** eng_profile_seccomp() - append the default system call filter, linux.seccomp of a config.json */
void eng_profile_seccomp(struct str *ret);
