/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;
struct http;
struct http_request;
struct reg_challenge;
struct reg_creds;
struct reg_settings;
struct str;

#define REG_TOKEN_MAX (256u << 10) /* bytes */

/**
 * reg_token_get() - ask for a token
 * @settings: how often it is tried
 * @base: a request whose way of reaching servers is used
 * @scopes: words, separated by spaces
 * @ret: appended to: value of the Authorization header
 * Return: 0; -EACCES it is refused; -errno; with a message.
 * Spec: distribution's token authentication and its OAuth2 form.
 */
int reg_token_get(struct http *h, const struct reg_settings *settings, const struct http_request *base,
		  const struct reg_challenge *c, const struct reg_creds *creds, const char *scopes,
		  struct str *ret, struct err *err);

/** reg_token_basic() - append the value of an Authorization header with user and password */
void reg_token_basic(struct str *ret, const char *user, const char *password);

/** reg_token_parse() - take the token out of an answer, in @arena; 0; -EINVAL with a message */
int reg_token_parse(const char *text, size_t len, struct arena *arena, const char **ret, struct err *err);
