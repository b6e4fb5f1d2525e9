/* SPDX-License-Identifier: MIT */
#pragma once

struct arena;
struct err;
struct http_tls;

#define REG_CA_MAX (4u << 20) /* bytes of certificates for one registry */

/**
 * reg_trust_read() - certificates for a registry: *.crt of authorities, *.cert and *.key of our own
 * @dir: that has them; NULL: HOST of the first certs.d there is, as for Docker and Podman
 * @host: of struct reg_place
 * @arena: owns the strings of @ret
 * Return: 0 also when there are none; -errno with a message.
 */
int reg_trust_read(const char *dir, const char *host, struct arena *arena, struct http_tls *ret,
		   struct err *err);
