/* SPDX-License-Identifier: MIT */
/**
 * DOC: what passes through a network
 *
 *   netload PID serve PORT                   listen, say "ready", and serve until killed
 *   netload PID bulk ADDRESS PORT MIB        Gbit/s of one connection
 *   netload PID echo ADDRESS PORT N          microseconds of a byte there and back
 *   netload PID requests ADDRESS PORT N      requests per second, a connection for each, four at a time
 *
 * In the network namespace of process PID, 0: where it is started.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVERS 8 /* processes that accept */
#define CLIENTS 4
#define BLOCK (1 << 20)
#define ANSWER 1000 /* bytes */

static char block[BLOCK];

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void enter(const char *pid)
{
	char path[64];
	int fd;

	if (strcmp(pid, "0") == 0)
		return;
	(void) snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(path);
	close(fd);
}

/* The first byte says what is wanted: bulk, echo, or a request */
static void serve_one(int fd)
{
	const int on = 1;
	char kind;
	ssize_t n;

	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* the figures tell */
	if (read(fd, &kind, 1) != 1)
		return;
	if (kind == 'b') {
		while (read(fd, block, BLOCK) > 0)
			;
		(void) write(fd, "x", 1); /* who asks notices */
	} else if (kind == 'e') {
		while ((n = read(fd, block, BLOCK)) > 0 && write(fd, block, (size_t) n) == n)
			;
	} else {
		(void) write(fd, block, ANSWER); /* as above */
	}
}

static void serve(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
	const int on = 1;
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(s, (struct sockaddr *) &at, sizeof(at)) < 0 ||
	    listen(s, 512) < 0)
		die("listen");
	printf("ready\n");
	(void) fflush(stdout); /* who waits for it does so for ever */
	for (int i = 1; i < SERVERS; i++)
		if (fork() == 0)
			break;
	for (;;) {
		int fd = accept(s, NULL, NULL);

		if (fd < 0)
			continue;
		serve_one(fd);
		close(fd);
	}
}

static int reach(const char *address, int port, char kind)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 || write(fd, &kind, 1) != 1)
		die("connect");
	return fd;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static double bulk(const char *address, int port, long mib)
{
	double begin = now();
	int fd = reach(address, port, 'b');

	for (long i = 0; i < mib; i++)
		for (size_t done = 0; done < BLOCK;) {
			ssize_t n = write(fd, block + done, BLOCK - done);

			if (n <= 0)
				die("send");
			done += (size_t) n;
		}
	shutdown(fd, SHUT_WR);
	if (read(fd, block, 1) != 1)
		die("receive");
	return (double) mib * BLOCK * 8 / (now() - begin) / 1e9;
}

static double echo(const char *address, int port, long n)
{
	int fd = reach(address, port, 'e');
	double begin = now();

	for (long i = 0; i < n; i++)
		if (write(fd, "x", 1) != 1 || read(fd, block, 1) != 1)
			die("echo");
	return (now() - begin) / (double) n * 1e6;
}

static void request(const char *address, int port)
{
	int fd = reach(address, port, 'r');
	size_t got = 0;
	ssize_t n;

	while ((n = read(fd, block, BLOCK)) > 0)
		got += (size_t) n;
	if (got != ANSWER)
		die("request");
	close(fd);
}

static double requests(const char *address, int port, long n)
{
	double begin = now();
	int status, bad = 0;

	for (int c = 0; c < CLIENTS; c++)
		if (fork() == 0) {
			for (long i = c; i < n; i += CLIENTS)
				request(address, port);
			_exit(0);
		}
	while (wait(&status) > 0)
		bad |= status;
	if (bad != 0)
		exit(1);
	return (double) n / (now() - begin);
}

int main(int argc, char **argv)
{
	bool server = argc == 4 && strcmp(argv[2], "serve") == 0;
	int port = server || argc == 6 ? (int) strtol(argv[server ? 3 : 4], NULL, 10) : 0;
	long n = argc == 6 ? strtol(argv[5], NULL, 10) : 0;

	if (port <= 0 || (!server && n <= 0))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	enter(argv[1]);
	if (server)
		serve(port);
	printf("%.3f\n", strcmp(argv[2], "bulk") == 0   ? bulk(argv[3], port, n)
			 : strcmp(argv[2], "echo") == 0 ? echo(argv[3], port, n)
							: requests(argv[3], port, n));
	return 0;
}
