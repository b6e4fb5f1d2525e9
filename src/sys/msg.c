/* SPDX-License-Identifier: MIT */
#include "sys/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

int msg_pair(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0 ? -errno : 0;
}

int msg_send(int sock, const void *data, size_t n, const int *fds, size_t nr_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *) data, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t r;

	if (nr_fds > MSG_FDS_MAX)
		return -E2BIG;
	if (nr_fds > 0) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nr_fds * sizeof(int));
	}
	do
		r = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Hand received descriptors to the caller, close what does not fit. */
static void take_fds(struct msghdr *msg, int *fds, size_t *nr_fds)
{
	size_t room = nr_fds != NULL ? *nr_fds : 0, got = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (got < room)
				fds[got++] = fd;
			else
				(void) close(fd); /* not wanted */
		}
	}
	if (nr_fds != NULL)
		*nr_fds = got;
}

ssize_t msg_recv(int sock, void *data, size_t n, int *fds, size_t *nr_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
	struct iovec iov = { .iov_base = data, .iov_len = n };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t r;

	do
		r = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	take_fds(&msg, fds, nr_fds);
	return (msg.msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : r;
}

/* "/proc/self/fd/N/name": reaches any directory within the size of sun_path */
static int address_at(int dirfd, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dirfd, name) >=
	    (int) sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	return 0;
}

int msg_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_close_ int dir = -EBADF;
	char parent[PATH_MAX], base[PATH_MAX];
	int r;

	if (strlen(path) >= sizeof(parent))
		return -ENAMETOOLONG;
	if (strlen(path) < sizeof(addr.sun_path))
		memcpy(addr.sun_path, path, strlen(path) + 1);
	else {
		memcpy(parent, path, strlen(path) + 1);
		memcpy(base, path, strlen(path) + 1);
		dir = open(dirname(parent), O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return -errno;
		r = address_at(dir, basename(base), &addr);
		if (r < 0)
			return r;
	}

	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *) &addr, sizeof(addr)) < 0)
		return -errno;
	return take_fd(sock);
}

static int connect_at(int dirfd, const char *name, int type)
{
	struct sockaddr_un addr;
	int r = address_at(dirfd, name, &addr);

	if (r < 0)
		return r;
	_cleanup_close_ int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *) &addr, sizeof(addr)) < 0)
		return -errno;
	return take_fd(sock);
}

int msg_connect_at(int dirfd, const char *name)
{
	return connect_at(dirfd, name, SOCK_SEQPACKET);
}

int msg_mail_at(int dirfd, const char *name)
{
	return connect_at(dirfd, name, SOCK_DGRAM);
}

static int bind_at(int dirfd, const char *name, int type)
{
	struct sockaddr_un addr;
	int r = address_at(dirfd, name, &addr);

	if (r < 0)
		return r;
	_cleanup_close_ int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (sock < 0 || fchmod(sock, 0600) < 0 || bind(sock, (struct sockaddr *) &addr, sizeof(addr)) < 0)
		return -errno;
	return take_fd(sock);
}

int msg_mailbox_at(int dirfd, const char *name)
{
	return bind_at(dirfd, name, SOCK_DGRAM);
}

int msg_listen_at(int dirfd, const char *name)
{
	_cleanup_close_ int sock = bind_at(dirfd, name, SOCK_SEQPACKET);

	if (sock >= 0 && listen(sock, 8) < 0)
		return -errno;
	return take_fd(sock);
}

int msg_listen(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	_cleanup_free_ char *dir = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t) (slash - path));
	struct sockaddr_un addr;
	int r;

	if (dir == NULL)
		return -ENOMEM;
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	r = address_at(dirfd, name, &addr);
	if (r < 0)
		return r;
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0 || fchmod(sock, 0600) < 0 || bind(sock, (struct sockaddr *) &addr, sizeof(addr)) < 0 ||
	    listen(sock, 8) < 0)
		return -errno;
	return take_fd(sock);
}
