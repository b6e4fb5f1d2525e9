/* SPDX-License-Identifier: MIT */
#pragma once

#include "image/reference.h"

struct err;
struct img_store;

#define IMG_TINY "cleave/tiny" /* repository of the image inside the program */

/**
 * img_tiny_import() - put the embedded image into the store
 * Return: 0; codes of img_import().
 */
int img_tiny_import(struct img_store *store, struct err *err);
