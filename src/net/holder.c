/* SPDX-License-Identifier: MIT */
/**
 * DOC: who holds a port of the host
 *
 * The kernel's tables of sockets name an inode; the process with a descriptor of that holds it.  Who is root of a
 * namespace only does not see the descriptors of processes outside of it; the tables tell then whose the socket is.
 * Only asked when a port cannot be had.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "net/publish.h"

#define TABLE_MAX (32u << 20) /* bytes of a table of sockets */
#define COMM_MAX 64 /* bytes */
#define LISTENING 10 /* TCP_LISTEN */

/* "sl local_address rem_address st ... uid timeout inode": the inode of the first that has the port; 0 */
static uint64_t inode_in(const char *path, uint16_t port, bool tcp, unsigned *ret_uid)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *save = NULL;

	if (file_read(AT_FDCWD, path, TABLE_MAX, &text) < 0 || text.p == NULL)
		return 0;
	for (char *line = strtok_r(text.p, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		unsigned local, state, uid;
		uint64_t inode;

		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %u %*d %" SCNu64, &local,
			   &state, &uid, &inode) == 4 &&
		    local == port && inode != 0 && (!tcp || state == LISTENING)) {
			*ret_uid = uid;
			return inode;
		}
	}
	return 0;
}

static bool has_socket(const char *pid, const char *want)
{
	char path[64], target[64];
	struct dirent *d;

	(void) snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = '\0';
			if (strcmp(target, want) == 0)
				return true;
		}
	}
	return false;
}

static void describe(const char *pid, char ret[NET_HOLDER_MAX])
{
	_cleanup_(str_fini) struct str comm = { 0 };
	char path[64];

	(void) snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	if (file_read(AT_FDCWD, path, COMM_MAX, &comm) < 0 || comm.p == NULL)
		return;
	comm.p[strcspn(comm.p, "\n")] = '\0';
	(void) snprintf(ret, NET_HOLDER_MAX, "%.20s, process %.20s", comm.p, pid);
}

void net_port_holder(unsigned char protocol, uint16_t port, char ret[NET_HOLDER_MAX])
{
	static const char *const tcp[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	static const char *const udp[] = { "/proc/net/udp", "/proc/net/udp6" };
	uint64_t inode = 0;
	unsigned uid = 0;
	char want[64];
	struct dirent *d;

	ret[0] = '\0';
	for (size_t i = 0; protocol != IPPROTO_SCTP && inode == 0 && i < ARRAY_LEN(tcp); i++)
		inode = inode_in(protocol == IPPROTO_TCP ? tcp[i] : udp[i], port, protocol == IPPROTO_TCP, &uid);
	if (inode == 0)
		return;
	(void) snprintf(want, sizeof(want), "socket:[%" PRIu64 "]", inode);
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	while (dir != NULL && ret[0] == '\0' && (d = readdir(dir)) != NULL)
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && has_socket(d->d_name, want))
			describe(d->d_name, ret);
	if (ret[0] == '\0' && uid == geteuid())
		(void) snprintf(ret, NET_HOLDER_MAX, "a program of yours: see 'ss -%clnp'", protocol == IPPROTO_TCP ? 't' : 'u');
	else if (ret[0] == '\0')
		(void) snprintf(ret, NET_HOLDER_MAX, "a program of another user");
}
