/* SPDX-License-Identifier: MIT */
#include "engine/vm/network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/net/attach.h"
#include "engine/net/home.h"

#define NAMES "taps" /* in the instance's directory of the run root: per device the host's name and that inside, in a line */
#define NAMES_MAX 4096 /* bytes */
#define COUNTER_MAX 32 /* bytes */

static int write_names(int dir, const struct str *names, struct err *err)
{
	int r = names->failed ? -ENOMEM : file_replace(dir, NAMES, names->p != NULL ? names->p : "", names->len, 0600);

	return r < 0 ? err_set(err, r, "note the network devices of the instance") : 0;
}

/* None when there is no such file. */
static int open_names(const struct engine *e, const char *id, struct str *ret, struct err *err)
{
	int dir = openat(e->run_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (dir < 0)
		return err_set(err, -errno, "open the instance's directory");
	r = file_read(dir, NAMES, NAMES_MAX, ret);
	if (r == 0 || r == -ENOENT)
		return dir;
	(void) close(dir); /* a directory */
	return err_set(err, r, "read the network devices of the instance");
}

int vm_network_open(const struct engine *e, int dir, uint64_t cpus, struct vm_net *ret, size_t *ret_n, struct err *err)
{
	_cleanup_(str_fini) struct str names = { 0 };
	const struct eng_net *net = e->net;
	size_t n = net != NULL ? net->n : 0;
	int r = 0;

	if (n > VM_NETS_MAX)
		return err_msg(err, -E2BIG, "--network: a virtual machine can be in %d networks", VM_NETS_MAX);
	for (size_t i = 0; r == 0 && i < n; i++) {
		ret[i] = (struct vm_net) { .leg = net->legs[i], .queues = cpus < VM_QUEUES_MAX ? (unsigned) cpus : VM_QUEUES_MAX };
		r = home_tap(e, &ret[i].leg, ret[i].queues, ret[i].fds, err);
		str_printf(&names, "%s %s\n", ret[i].leg.host, ret[i].leg.inside);
	}
	if (r == 0 && n > 0)
		r = write_names(dir, &names, err);
	*ret_n = r == 0 ? n : 0;
	return r;
}

int vm_network_note(const struct engine *e, const char *id, const struct net_leg *leg, struct err *err)
{
	_cleanup_(str_fini) struct str names = { 0 };
	_cleanup_close_ int dir = open_names(e, id, &names, err);

	str_printf(&names, "%s %s\n", leg->host, leg->inside);
	return dir < 0 ? dir : write_names(dir, &names, err);
}

int vm_network_cut(const struct engine *e, const char *id, const char *inside, struct err *err)
{
	_cleanup_(str_fini) struct str names = { 0 }, rest = { 0 };
	_cleanup_close_ int dir = open_names(e, id, &names, err), fd = home_netlink(e, err);
	char *save = NULL;
	int r = dir < 0 ? dir : fd < 0 ? fd : 0;

	for (char *line = r == 0 && names.p != NULL ? strtok_r(names.p, "\n", &save) : NULL; r == 0 && line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t n = strcspn(line, " ");

		if (line[n] == '\0' || strcmp(line + n + 1, inside) != 0) {
			str_printf(&rest, "%s\n", line);
			continue;
		}
		line[n] = '\0';
		r = net_link_remove(fd, line);
		if (r < 0)
			(void) err_set(err, r, "remove device '%s'", line);
	}
	return r == 0 ? write_names(dir, &rest, err) : r;
}

static uint64_t read_counter(const char *device, const char *name)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[96];
	uint64_t v;

	(void) snprintf(path, sizeof(path), "/sys/class/net/%.15s/statistics/%s", device, name);
	if (file_read(AT_FDCWD, path, COUNTER_MAX, &text) < 0 || text.p == NULL)
		return 0; /* it has ended */
	text.p[strcspn(text.p, "\n")] = '\0';
	return str_to_u64(text.p, &v) == 0 ? v : 0;
}

void vm_network_usage(const struct engine *e, const char *id, struct eng_usage *ret)
{
	_cleanup_(str_fini) struct str names = { 0 };
	_cleanup_close_ int dir = open_names(e, id, &names, NULL);
	char *save = NULL;

	if (dir < 0 || names.p == NULL)
		return;
	for (char *line = strtok_r(names.p, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, " ")] = '\0';
		ret->net_in += read_counter(line, "tx_bytes"); /* what the host sends */
		ret->net_out += read_counter(line, "rx_bytes");
	}
}
