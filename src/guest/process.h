/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest/proto/proto.h"
#include "guest/stream.h"

#define PROCESSES_MAX 64

/** enum process_state - of a place in the table */
enum process_state {
	PROCESS_NONE,
	PROCESS_STARTING, /* until the program runs or could not be started */
	PROCESS_RUNNING,
	PROCESS_ENDED, /* its output is passed on */
};

/**
 * struct process - a program that somebody on the host asked for
 * @first: the instance's own: the others end with it
 * @control: connection that asked for it; -1 is gone
 * @number: by which its streams know it
 * @report: where it tells how its start goes
 * @socket: connections of its streams, -1 are not there yet
 * @master, @slave: its terminal; the other end is held open so that it never hangs up
 * @input, @output: streams; those of a terminal share its descriptors
 */
struct process {
	enum process_state state;
	bool first, tty;
	uint64_t number;
	int control, report;
	long pid;
	int status;
	int socket[GUEST_STREAM_N_];
	int master, slave;
	struct stream input, output[GUEST_STREAM_N_];
};

extern struct process processes[PROCESSES_MAX];

/** process_new() - begin what a message asks for; 0 or -errno: the connection is still the caller's */
int process_new(int control, bool first, const struct guest_in *fields);

/** process_find() - by the connection that asked for it; NULL */
struct process *process_find(int control);

/** process_attach() - give a program a connection for a stream; 0; -ENOENT */
int process_attach(uint64_t number, uint64_t stream, int sock);

/** process_reported() - its report has come, or the end of that */
void process_reported(struct process *p);

/** process_ended() - it was reaped */
void process_ended(long pid, int status);

/** process_run() - pass on its bytes; tell when it is over; returns how many bytes came */
size_t process_run(struct process *p);

/** process_left() - who asked for it is gone */
void process_left(struct process *p);
