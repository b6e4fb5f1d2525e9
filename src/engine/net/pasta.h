/* SPDX-License-Identifier: MIT */
/*
 * Network "pasta": without root, an instance's packets become sockets of the user, by the program pasta(1) beside it.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct arena;
struct eng_config;
struct eng_instance;
struct engine;
struct err;
struct img_words;

#define ENG_NETWORK_PASTA "pasta" /* name of the network */
#define PASTA_RESOLVER "169.254.1.1" /* an address that leads to the host's servers for names */

/** eng_pasta_found() - are the program and the device that it needs there? */
bool eng_pasta_found(void);

/** pasta_lease() - take the ports of an instance that is about to be started; e->net is set; as eng_net_start() */
int pasta_lease(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct err *err);

/** pasta_end() - end that of an instance; nothing happens when there is none */
void pasta_end(struct engine *e, const char *id);

/**
 * pasta_words() - begin a command line
 * @device: name of what it makes in the namespace
 * What follows are ports, "--pid" and a file, and at last "--netns" and a file, which is where it sees the namespace.
 * Return: 0; -errno with a message that says what is missing.
 */
int pasta_words(struct arena *a, const char *device, struct img_words *ret, struct err *err);

/** pasta_run() - start it for a network namespace; back when the device is there; 0 or -errno with a message */
int pasta_run(const struct img_words *words, int netns, struct err *err);

/** pasta_find() - the process of a pid file; pidfd; -ESRCH */
int pasta_find(const char *pid_file);

/** pasta_kill() - end it, and wait; nothing happens when there is none */
void pasta_kill(const char *pid_file);
