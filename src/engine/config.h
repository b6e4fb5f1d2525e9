/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "image/config.h"

struct err;
struct str;

#define ENG_CONFIG_MAX (4u << 20) /* bytes of instances/<id>/config.json */
#define ENG_MOUNTS_MAX 4096

enum eng_mount_kind {
	ENG_MOUNT_BIND,
	ENG_MOUNT_VOLUME,
	ENG_MOUNT_TMPFS,
	ENG_MOUNT_N_,
};

/**
 * struct eng_mount - something of the host's inside an instance
 * @source: bind: absolute path; volume: its name; tmpfs: NULL
 * @destination: absolute
 * @recursive_off: "bind" instead of "rbind"
 * @writable_below: read-only, but mounts below the source stay as they are
 * @no_copy: a new volume stays empty instead of getting what the image has there
 * @anonymous: a volume nobody named; removed with the instance
 * @propagation: "rprivate", "rshared", ...; NULL: rprivate
 * @options: mount options, separated by commas; NULL: none
 */
struct eng_mount {
	enum eng_mount_kind kind;
	const char *source, *destination;
	bool read_only, recursive_off, writable_below, no_copy, anonymous;
	const char *propagation, *options;
};

/**
 * struct eng_config - what an instance is asked to be
 * Complete: with the layers of its image it can be made again from this.  Texts are checked before they
 * get here.  A text that is NULL, a list that is empty and a number that is 0 were not given, but where
 * it says otherwise.
 *
 * @image: as typed; @image_id: what it was
 * @chain: chain ids of the layers, lowest first, separated by spaces
 * @args: the command with its entry point
 * @entrypoint, @cmd: the two parts of it, for people
 * @user: "" for the image's default, already resolved to the image's own
 * @umask: octal digits
 * @no_hosts, @no_hostname: /etc/hosts, /etc/hostname are the image's
 * @detached: made by run --detach
 * @swappiness: digits, 0 to 100
 * @labels, @annotations, @sysctls, @log_opts: NAME=VALUE
 * @network, @pid, @ipc, @uts, @userns, @cgroupns: as of Docker's options, "container:ID" with the whole id
 * @cap_add, @cap_drop: names in capitals with CAP_, or "ALL"
 * @security_opts: NAME=VALUE as of --security-opt; "seccomp=" and a profile as linux.seccomp of a config.json
 * @devices: HOST:INSIDE:rwm, absolute paths
 * @device_rules: "c 1:3 rwm"
 * @ulimits: NAME=SOFT:HARD
 * @add_hosts: NAME:ADDRESS
 * @links: ID:ALIAS:NAME of instances that it knows by one more name
 * @device_read_bps and its like: PATH:NUMBER
 * @ports: published, as typed
 * @mac_address, @ip, @ip6, @network_aliases, @network_rate: in the network @network; bits per second
 * @networks: others that it is in, as of engine/net/attach.h
 * @memory_swap: memory and swap together, -1 unlimited
 * @pids_limit: 0 or less = no limit
 * @userns_start, @userns_size: range of the host's ids that its own are, from 0 on
 * @kernel: name in the store; @append: to its command line; @accel: "kvm", ..., "auto"; @vcpus: processors
 * @oom_score_adj: -1000 to 1000
 * @stop_timeout: seconds, -1 = for ever; whoever makes one sets ENG_STOP_TIMEOUT when not given
 * @restart: "no", "on-failure", "always", "unless-stopped"; NULL: no
 * @restart_max: on-failure: times, 0 = without limit
 * @health: command as of HEALTHCHECK: "CMD" or "CMD-SHELL" and its words; "NONE"
 * @health_on_failure: "kill", "restart", "stop"; NULL: nothing
 * @health_interval and its like: nanoseconds
 * @systemd: "true", "false", "always"; NULL: true
 * @create_command: the command line that made it, without the program's name
 */
struct eng_config {
	struct arena arena;
	const char *image, *image_id, *chain;
	struct img_words args, entrypoint, cmd, env, labels, annotations;
	const char *workdir, *user, *hostname, *domainname, *umask;
	bool tty, open_stdin, read_only, auto_remove, privileged, init, publish_all, detached;
	struct eng_mount *mounts;
	size_t nr_mounts;
	struct img_words volumes_from;
	/* namespaces */
	const char *network, *pid, *ipc, *uts, *userns, *cgroupns;
	uint64_t userns_start, userns_size;
	/* virtual machine */
	const char *kernel, *append, *accel;
	uint64_t vcpus;
	/* privileges */
	struct img_words cap_add, cap_drop, security_opts, groups, devices, device_rules, sysctls;
	/* limits */
	uint64_t memory, memory_reservation, nano_cpus, cpu_shares, cpu_period, cpu_quota;
	int64_t memory_swap, pids_limit, oom_score_adj, cpu_rt_runtime;
	uint64_t cpu_rt_period;
	const char *swappiness;
	uint64_t blkio_weight, shm_size;
	bool oom_kill_disable;
	const char *cpuset_cpus, *cpuset_mems, *cgroup_parent;
	struct img_words ulimits, blkio_weight_device, device_read_bps, device_write_bps;
	struct img_words device_read_iops, device_write_iops;
	/* names of hosts */
	bool no_hosts, no_hostname;
	struct img_words add_hosts, links, dns, dns_search, dns_options, ports, expose;
	const char *mac_address, *ip, *ip6;
	struct img_words network_aliases, networks;
	uint64_t network_rate;
	/* life */
	const char *stop_signal, *restart, *systemd;
	int64_t stop_timeout;
	uint64_t restart_max;
	struct img_words health;
	const char *health_on_failure;
	uint64_t health_interval, health_timeout, health_start_period, health_start_interval;
	uint64_t health_retries;
	/* log */
	const char *log_driver;
	struct img_words log_opts;
	const char *platform;
	struct img_words create_command;
};

#define ENG_VM_MEMORY (256ull << 20) /* bytes of a virtual machine when nothing is said */
#define ENG_VM_MEMORY_MIN (80ull << 20) /* with less, stock kernels end as they begin */
#define ENG_STOP_TIMEOUT 10 /* seconds, as Docker */

/** eng_config_json() - append it as one JSON object, the text of instances/<id>/config.json */
void eng_config_json(const struct eng_config *c, struct str *ret);

/**
 * eng_config_read() - read what eng_config_json() wrote
 * @file: name for messages
 * @ret: filled; release with eng_config_fini()
 * Return: 0; -EINVAL with a message naming the field; -ENOMEM.
 */
int eng_config_read(const char *file, const char *text, size_t len, struct eng_config *ret,
		    struct err *err);

/** eng_config_fini() - release */
void eng_config_fini(struct eng_config *c);

/** eng_words_add() - append to a list; 0 or -ENOMEM */
int eng_words_add(struct arena *a, struct img_words *list, const char *word);

/** eng_env_set() - append "NAME=value", or replace the entry with this name; 0 or -ENOMEM */
int eng_env_set(struct arena *a, struct img_words *env, const char *entry);

/** eng_env_is_given() - an entry of c->env came from the image or a person; false for $HOSTNAME and the usual $TERM */
bool eng_env_is_given(const struct eng_config *c, const char *entry);

/**
 * eng_size_parse() - "512m", "1.5g", "4096"; b k m g t p, also kb, mib and the like, after a blank
 * Return: 0; -EINVAL; -ERANGE.
 */
int eng_size_parse(const char *text, uint64_t *ret);

/** eng_cpus_parse() - "1.5" to 1500000000; 0; -EINVAL; -ERANGE */
int eng_cpus_parse(const char *text, uint64_t *ret);

/**
 * eng_duration_parse() - "1h30m", "1.5s", "500ms", "0" to nanoseconds; h m s ms us ns
 * Return: 0; -EINVAL; -ERANGE over INT64_MAX.
 */
int eng_duration_parse(const char *text, uint64_t *ret);
