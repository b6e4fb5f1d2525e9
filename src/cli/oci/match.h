/* SPDX-License-Identifier: MIT */
/*
 * Verbs that act on every container whose id matches a regular expression.
 */
#pragma once

struct err;
struct oci_cli;

/**
 * oci_match_each() - call @fn for each container of this root whose id matches
 * @pattern: extended regular expression, found anywhere in the id
 * @fn: gets the id and @data
 *
 * One that fails does not keep the others from their turn: it is logged, but for the first one, which
 * is returned.  A root that does not exist has no containers.
 * Return: 0; -EINVAL bad @pattern; what @fn returned.
 */
int oci_match_each(const struct oci_cli *cli, const char *pattern,
		   int (*fn)(const struct oci_cli *cli, const char *id, const void *data, struct err *err),
		   const void *data, struct err *err);
