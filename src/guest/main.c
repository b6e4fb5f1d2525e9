/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-guest`, the first program of a virtual machine
 *
 * The kernel starts it from the initramfs.  It prepares the machine, tells the host that it is ready, and
 * runs what the host asks for.  When the connection to the host ends, the machine is turned off.
 */
#include <errno.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "guest/conn.h"
#include "guest/machine.h"
#include "guest/message.h"
#include "guest/modprobe.h"
#include "guest/os.h"
#include "guest/process.h"

#define FDS_PER_PROCESS 6
#define MANY 3072u /* bytes at once: less than a packet of the host's */
#define BUFFER (1u << 20) /* bytes of a connection that were not read yet */
#define PATIENCE 16 /* rounds after the last with that many */
#define POLL_MAX (2 + CONNS_MAX + PROCESSES_MAX * FDS_PER_PROCESS)

static struct pollfd fds[POLL_MAX];
static unsigned nr_fds;

static long open_socket(void)
{
	return OS3(__NR_socket, AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long listen_here(void)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = GUEST_PORT };
	const uint64_t buffer = BUFFER;
	long sock = open_socket(), r;

	if (sock < 0)
		return sock;
	r = OS3(__NR_bind, sock, &a, sizeof(a));
	if (r == 0)
		r = OS2(__NR_listen, sock, 64);
	/* connections inherit it; as it is, it holds the host up */
	(void) OS5(__NR_setsockopt, sock, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, &buffer, sizeof(buffer));
	(void) OS5(__NR_setsockopt, sock, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &buffer, sizeof(buffer));
	return r < 0 ? r : sock;
}

static long connect_host(void)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = GUEST_HOST_PORT };
	long sock = open_socket(), r;

	if (sock < 0)
		return sock;
	r = OS3(__NR_connect, sock, &a, sizeof(a));
	return r < 0 ? r : sock;
}

/* Programs of the guest may connect to our port, too: only the host is listened to. */
static void take_connection(int listener)
{
	struct sockaddr_vm peer = { 0 };
	unsigned len = sizeof(peer);
	long fd = OS4(__NR_accept4, listener, &peer, &len, SOCK_CLOEXEC);

	if (fd < 0)
		return; /* it is gone */
	if (peer.svm_cid == VMADDR_CID_HOST)
		conn_add((int) fd, 0);
	else
		(void) sys_close((int) fd); /* a socket */
}

static void wait_for(int fd, short events)
{
	if (fd >= 0 && events != 0)
		fds[nr_fds++] = (struct pollfd) { .fd = fd, .events = events };
}

static void wait_for_process(const struct process *p)
{
	const struct stream *const streams[] = { &p->input, &p->output[0], &p->output[1] };

	if (p->state == PROCESS_STARTING) {
		wait_for(p->report, POLLIN);
		return;
	}
	for (int i = 0; i < 3; i++) {
		wait_for(streams[i]->from, stream_reads(streams[i]) ? POLLIN : 0);
		wait_for(streams[i]->to, stream_writes(streams[i]) ? POLLOUT : 0);
	}
}

static int is_ready(int fd)
{
	for (unsigned i = 0; i < nr_fds; i++)
		if (fds[i].fd == fd && fds[i].revents != 0)
			return 1;
	return 0;
}

static void reap(int signals)
{
	int status;
	long pid;

	while (sys_next_signal(signals) > 0)
		;
	while ((pid = sys_wait(&status)) > 0)
		process_ended(pid, status);
}

static void wait_for_all(int listener, int signals)
{
	nr_fds = 0;
	wait_for(signals, POLLIN);
	wait_for(listener, POLLIN);
	for (int i = 0; i < CONNS_MAX; i++)
		wait_for(conns[i].fd, conns[i].waiting ? POLLRDHUP : POLLIN);
	for (int i = 0; i < PROCESSES_MAX; i++)
		if (processes[i].state != PROCESS_NONE)
			wait_for_process(&processes[i]);
	(void) sys_poll(fds, nr_fds, -1); /* EINTR is as good */
}

static _Noreturn void serve(int listener, int signals)
{
	unsigned patience = 0; /* rounds */

	for (;;) {
		bool patient = patience > 0;
		size_t moved = 0;

		patience -= patient;
		wait_for_all(listener, signals);
		if (is_ready(listener))
			take_connection(listener);
		for (int i = 0; i < CONNS_MAX; i++)
			if (conns[i].fd >= 0 && is_ready(conns[i].fd))
				conn_read(&conns[i]);
		for (int i = 0; i < PROCESSES_MAX; i++)
			if (processes[i].state == PROCESS_STARTING && is_ready(processes[i].report))
				process_reported(&processes[i]);
		reap(signals);
		for (int i = 0; i < PROCESSES_MAX; i++)
			if (processes[i].state == PROCESS_RUNNING || processes[i].state == PROCESS_ENDED)
				moved += process_run(&processes[i]);
		patience = moved >= MANY ? PATIENCE : patience;
		if (patient != (patience > 0))
			os_be_patient(patience > 0);
	}
}

/* The kernel's: "PROGRAM -q -- NAME" */
static int be_another(int argc, char **argv)
{
	static const char text[] = "cleave-guest is the first program of a virtual machine\n";

	if (argc == 4 && argv[1][0] == '-' && argv[1][1] == 'q')
		return modprobe(argv[3]) < 0;
	(void) sys_write_all(2, text, sizeof(text) - 1); /* nobody else to tell */
	return 125;
}

int program(int argc, char **argv)
{
	long listener, host, signals;

	if (OS0(__NR_getpid) != 1)
		return be_another(argc, argv);
	for (int i = 0; i < CONNS_MAX; i++)
		conns[i].fd = -1;
	if (machine_boot() < 0)
		machine_off();
	signals = sys_signals(~0ull, 1ull << (SIGCHLD - 1));
	listener = listen_here();
	host = listener < 0 || signals < 0 ? -EIO : connect_host();
	if (host < 0) {
		os_say("cannot connect to the host", NULL);
		machine_off();
	}
	conn_add((int) host, 1);
	message_plain((int) host, GUEST_HELLO);
	serve((int) listener, (int) signals);
}
