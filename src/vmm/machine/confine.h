/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

/**
 * confine() - give up what a running machine does not need
 *
 * Capabilities, those that a program could get by execve(2), and privileges that programs could add.
 * Context: the only thread, after everything is opened; threads made later have nothing either.
 * Return: 0; -errno with a message.
 */
int confine(struct err *err);
