/* SPDX-License-Identifier: MIT */
#pragma once

/**
 * names_confine() - give up all privileges, and all system calls but those of a resolver
 * @parent: pid; this process dies with it
 * Return: 0; -errno.
 */
int names_confine(long parent);
