// SPDX-License-Identifier: MIT
/*
 * What keeps the devices of a guest busy, and who is on the other side:
 *
 *   load disk DEVICE read|write sequential|random BLOCK COUNT DEPTH   COUNT requests, DEPTH of them at a time
 *   load tcp ADDRESS PORT send|receive|echo AMOUNT                     bytes, or bytes there and back one at a time
 *   load vsock CID PORT send|receive|echo AMOUNT
 *   load serve tcp PORT | unix PATH | vsock PORT                       until it is killed
 *
 * A client begins with HELLO bytes that say what it will do.  Exit status 0 when all of it was done.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO 32
#define CHUNK 65536
#define DEPTH_MAX 128

static void die(const char *what)
{
	fprintf(stderr, "FAILED %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

/* Where request @i goes: in order, or all over the disk, the same every time. */
static uint64_t place(uint64_t i, uint64_t blocks, int random)
{
	uint64_t v = i;

	if (random) {
		v = (i + 1) * 0x9E3779B97F4A7C15u;
		v = (v ^ v >> 29) * 0xBF58476D1CE4E5B9u;
		v ^= v >> 32;
	}
	return v % blocks;
}

static int disk(char **arg)
{
	int write = strcmp(arg[1], "write") == 0, random = strcmp(arg[2], "random") == 0;
	uint64_t block = number(arg[3]), count = number(arg[4]), depth = number(arg[5]), sent = 0, done = 0, blocks;
	int fd = open(arg[0], O_RDWR | O_DIRECT);
	struct iocb cb[DEPTH_MAX] = { 0 }, *one;
	struct io_event event[DEPTH_MAX];
	aio_context_t context = 0;
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	char *data;

	if (size < 0)
		die(arg[0]);
	blocks = (uint64_t) size / block;
	data = mmap(NULL, depth * block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (blocks == 0 || depth > DEPTH_MAX || data == MAP_FAILED || syscall(SYS_io_setup, depth, &context) < 0)
		die("prepare requests");
	for (uint64_t i = 0; i < depth; i++)
		event[i].data = i;
	for (long free = (long) depth; done < count;) {
		for (long k = 0; k < free && sent < count; k++) {
			uint64_t i = event[k].data;

			one = &cb[i];
			*one = (struct iocb) { .aio_data = i, .aio_fildes = (uint32_t) fd,
					       .aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
					       .aio_buf = (uint64_t) (uintptr_t) (data + i * block), .aio_nbytes = block,
					       .aio_offset = (int64_t) (place(sent++, blocks, random) * block) };
			if (syscall(SYS_io_submit, context, 1, &one) != 1)
				die("io_submit");
		}
		free = syscall(SYS_io_getevents, context, 1, depth, event, NULL);
		if (free < 1)
			die("io_getevents");
		for (long k = 0; k < free; k++)
			if (event[k].res != (int64_t) block)
				die("a request");
		done += (uint64_t) free;
	}
	return 0;
}

static void write_all(int fd, const char *data, uint64_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, data, n);

		if (k < 0)
			die("write");
		data += k;
		n -= (uint64_t) k;
	}
}

/* Return: false: the other side has ended before. */
static int read_all(int fd, char *data, uint64_t n)
{
	while (n > 0) {
		ssize_t k = read(fd, data, n);

		if (k <= 0)
			return 0;
		data += k;
		n -= (uint64_t) k;
	}
	return 1;
}

static char chunk[CHUNK];

static void give(int fd, uint64_t amount)
{
	for (uint64_t k; amount > 0; amount -= k) {
		k = amount < CHUNK ? amount : CHUNK;
		write_all(fd, chunk, k);
	}
}

static void take(int fd, uint64_t amount)
{
	while (amount > 0) {
		ssize_t k = read(fd, chunk, CHUNK);

		if (k <= 0)
			die("read");
		amount -= (uint64_t) k;
	}
}

static int talk(int fd, const char *what, const char *amount)
{
	uint64_t n = number(amount);
	char hello[HELLO] = { 0 }, byte = 'b';

	snprintf(hello, sizeof(hello), "%c %s", *what, amount);
	write_all(fd, hello, sizeof(hello));
	switch (*what) {
	case 's':
		give(fd, n);
		return !read_all(fd, &byte, 1); /* all of it is there */
	case 'r':
		take(fd, n);
		return 0;
	default:
		for (; n > 0; n--) {
			write_all(fd, &byte, 1);
			if (!read_all(fd, &byte, 1))
				die("read");
		}
		return 0;
	}
}

static void answer(int fd)
{
	char hello[HELLO + 1] = { 0 }, byte;
	uint64_t n;

	if (!read_all(fd, hello, HELLO))
		return;
	n = number(hello + 2);
	if (hello[0] == 's') {
		take(fd, n);
		write_all(fd, "x", 1);
	} else if (hello[0] == 'r') {
		give(fd, n);
		(void) read_all(fd, &byte, 1); /* until the guest has it */
	} else {
		for (; n > 0 && read_all(fd, &byte, 1); n--)
			write_all(fd, &byte, 1);
	}
}

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

static int make_socket(union address *a, socklen_t *len, const char *kind, const char *where, const char *port)
{
	int one = 1, fd;

	*a = (union address) { 0 };
	if (strcmp(kind, "tcp") == 0) {
		a->in = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons((uint16_t) number(port)),
					       .sin_addr.s_addr = inet_addr(where) };
		*len = sizeof(a->in);
	} else if (strcmp(kind, "vsock") == 0) {
		a->vm = (struct sockaddr_vm) { .svm_family = AF_VSOCK, .svm_port = (uint32_t) number(port),
					       .svm_cid = (uint32_t) number(where) };
		*len = sizeof(a->vm);
	} else {
		a->un.sun_family = AF_UNIX;
		snprintf(a->un.sun_path, sizeof(a->un.sun_path), "%s", port);
		*len = sizeof(a->un);
	}
	fd = socket(a->any.sa_family, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (a->any.sa_family == AF_INET)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int client(char **arg)
{
	union address a;
	socklen_t len;
	int fd = make_socket(&a, &len, arg[0], arg[1], arg[2]);

	for (int tries = 0; connect(fd, &a.any, len) < 0; tries++) { /* the other side's device may be new */
		if (tries == 50)
			die("connect");
		usleep(100000);
	}
	return talk(fd, arg[3], arg[4]);
}

static int serve(char **arg)
{
	int tcp = strcmp(arg[0], "tcp") == 0, one = 1;
	union address a;
	socklen_t len;
	int fd = make_socket(&a, &len, arg[0], tcp ? "0.0.0.0" : "0xffffffff", arg[1]);

	signal(SIGCHLD, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a.any, len) < 0 || listen(fd, 16) < 0)
		die(arg[1]);
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c >= 0 && fork() == 0) {
			if (tcp)
				setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
			answer(c);
			exit(0);
		}
		close(c);
	}
}

int main(int argc, char **argv)
{
	if (argc == 8 && strcmp(argv[1], "disk") == 0)
		return disk(argv + 2);
	if (argc == 6 && (strcmp(argv[1], "tcp") == 0 || strcmp(argv[1], "vsock") == 0))
		return client(argv + 1);
	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		return serve(argv + 2);
	fprintf(stderr, "FAILED usage, see load.c\n");
	return 2;
}
