/* SPDX-License-Identifier: MIT */
#pragma once

struct eng_instance;
struct engine;
struct err;
struct str;

/**
 * eng_inspect() - append all that is known of an instance as a JSON object, in the shape of Docker's
 * Return: 0; -errno with a message.
 * Spec: Docker Engine API 1.43, ContainerInspect.
 */
int eng_inspect(struct engine *e, const struct eng_instance *i, struct str *ret, struct err *err);
