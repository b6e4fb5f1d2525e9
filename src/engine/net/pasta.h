/* SPDX-License-Identifier: MIT */
/*
 * Network "pasta": without root, an instance's packets become sockets of the user, by the program pasta(1) beside it.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct eng_config;
struct eng_instance;
struct engine;
struct err;

#define ENG_NETWORK_PASTA "pasta" /* name of the network */

/** eng_pasta_found() - are the program and the device that it needs there? */
bool eng_pasta_found(void);

/** pasta_lease() - take the ports of an instance that is about to be started; e->net is set; as eng_net_start() */
int pasta_lease(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct err *err);

/** pasta_connect() - start it for the namespace of process @pid; back when the device is there; 0 or -errno with a message */
int pasta_connect(struct engine *e, pid_t pid, struct err *err);

/** pasta_end() - end that of an instance; nothing happens when there is none */
void pasta_end(struct engine *e, const char *id);
