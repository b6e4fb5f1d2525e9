/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

enum reg_scheme {
	REG_SCHEME_NONE,
	REG_SCHEME_BASIC, /* user and password with every request */
	REG_SCHEME_BEARER, /* a token from @realm */
};

/** struct reg_challenge - how a registry wants to know who asks; "" for what it does not say */
struct reg_challenge {
	enum reg_scheme scheme;
	char realm[1024], service[256], scope[1024];
};

/**
 * reg_challenge_parse() - read a WWW-Authenticate header
 * @text: one or more challenges; a token is preferred to a password, others are not known
 * @ret: scheme REG_SCHEME_NONE when it has none that is known
 * Return: 0; -EINVAL with a message.
 * Spec: RFC 9110, 11.6.1; distribution's token authentication.
 */
int reg_challenge_parse(const char *text, struct reg_challenge *ret, struct err *err);
