/* SPDX-License-Identifier: MIT */
/*
 * The groups of options of `run` and `create`, a file each.  Every function reads its group into the
 * configuration.  Return: 0; -errno with a message naming the option.
 */
#pragma once

struct arena;
struct eng_config;
struct engine;
struct err;
struct img_config;
struct img_words;
struct opt_strings;
struct run_opts;

/** run_program() - entry point, command, environment, user, working directory, labels */
int run_program(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
		int argc, char **argv, struct err *err);

/** run_mounts() - mounts and volumes, also those of the image and of other instances */
int run_mounts(struct engine *e, struct eng_config *c, const struct run_opts *o,
	       const struct img_config *image, struct err *err);

/** run_namespaces() - namespaces and network */
int run_namespaces(struct engine *e, struct eng_config *c, const struct run_opts *o,
		   struct err *err);

/** run_network() - networks: --network and what goes with it */
int run_network(struct engine *e, struct eng_config *c, const struct run_opts *o, struct err *err);

/**
 * run_mode() - read the value of @option, a kind of namespace, into @ret
 * @text: NULL: not given
 * @modes: those that are known, ends with NULL; "container:" takes an instance
 * Return: 0; -EINVAL; -ENOENT no such instance; with a message.
 */
int run_mode(struct engine *e, struct eng_config *c, const char *option, const char *text,
	     const char *const *modes, const char **ret, struct err *err);

/** run_names() - host name, /etc/hosts, /etc/resolv.conf, ports; after run_namespaces() */
int run_names(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
	      struct err *err);

/** run_privileges() - capabilities, security options, devices, groups, sysctls */
int run_privileges(struct eng_config *c, const struct run_opts *o, struct err *err);

/** run_limits() - limits */
int run_limits(struct eng_config *c, const struct run_opts *o, struct err *err);

/** run_life() - restart, stop, health, log */
int run_life(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
	     struct err *err);

/** run_machine() - isolation, and what only a virtual machine has */
int run_machine(struct eng_config *c, const struct run_opts *o, struct err *err);

/** run_restart() - POLICY[:TIMES] of --restart */
int run_restart(struct eng_config *c, const struct run_opts *o, struct err *err);

/** run_nomem() - -ENOMEM with a message */
int run_nomem(struct err *err);

/** run_text() - copy a value that may be NULL to where it is kept */
int run_text(struct eng_config *c, const char *value, const char **ret, struct err *err);

/** run_list() - append copies of all values to a list */
int run_list(struct eng_config *c, const struct opt_strings *values, struct img_words *ret,
	     struct err *err);

/** run_labels() - labels of --label-file and --label; strings live in @a */
int run_labels(struct arena *a, struct img_words *labels, const struct opt_strings *files,
	       const struct opt_strings *entries, struct err *err);

struct eng_net_want;

/** run_network_check() - are addresses and names of a wish what they should be? */
int run_network_check(const struct eng_net_want *w, struct err *err);
