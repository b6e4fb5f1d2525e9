/* SPDX-License-Identifier: MIT */
/*
 * Options that add devices.  Each takes its value apart where it is, and opens what it names.
 */
#pragma once

struct err;
struct machine_config;

/** device_option_disk() - --disk FILE[,OPTION...]; 0 or -errno with a message */
int device_option_disk(char *text, struct machine_config *c, struct err *err);

/** device_option_pmem() - --pmem FILE[,ro]; 0 or -errno with a message */
int device_option_pmem(char *text, struct machine_config *c, struct err *err);

/** device_option_net() - --net tap=NAME|fd=N[:N...]|user[,OPTION...]; 0 or -errno with a message */
int device_option_net(char *text, struct machine_config *c, struct err *err);

/** device_option_fs() - --fs DIR,tag=NAME[,ro]; 0 or -errno with a message */
int device_option_fs(char *text, struct machine_config *c, struct err *err);

/** device_option_console() - --console WHERE[,name=NAME]; 0 or -errno with a message */
int device_option_console(char *text, struct machine_config *c, struct err *err);

/** device_option_vsock() - --vsock CID[,path=PATH]; 0 or -errno with a message */
int device_option_vsock(char *text, struct machine_config *c, struct err *err);
