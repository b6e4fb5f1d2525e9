/* SPDX-License-Identifier: MIT */
/**
 * DOC: networks that a running machine enters and leaves
 *
 * The machine gets a device, which the guest finds some time later, and then its address.  On the way out the host's
 * end goes first: whatever the guest does with its device then reaches nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/net/home.h"
#include "engine/vm/control.h"
#include "engine/vm/link.h"
#include "engine/vm/message.h"
#include "engine/vm/network.h"
#include "engine/vm/vm_parts.h"
#include "net/link.h"

#define COMMAND_MAX 256 /* bytes */
#define FOUND_MS 30000 /* until the guest's kernel has found a device, or let go of it */
#define STEP_MS 20

static int open_control(const struct engine *e, const char *id, struct err *err)
{
	int r = vm_control_open(e, id, err);

	return r == -ENOENT ? err_msg(err, -EOPNOTSUPP, "a virtual machine that was started without networks can be connected to one while it is stopped only")
			    : r;
}

static int add_device(int control, const struct net_leg *leg, int tap, struct err *err)
{
	const unsigned char *m = leg->mac;
	char text[COMMAND_MAX];
	int r;

	(void) snprintf(text, sizeof(text), "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"%s\"}}", leg->inside);
	r = vm_control_run(control, text, tap, err);
	(void) snprintf(text, sizeof(text), "{\"execute\":\"netdev_add\",\"arguments\":{\"type\":\"tap\",\"id\":\"net-%s\",\"fd\":\"%s\"}}",
			leg->inside, leg->inside);
	if (r == 0)
		r = vm_control_run(control, text, -EBADF, err);
	(void) snprintf(text, sizeof(text), "{\"execute\":\"closefd\",\"arguments\":{\"fdname\":\"%s\"}}", leg->inside);
	if (r == 0)
		r = vm_control_run(control, text, -EBADF, err);
	(void) snprintf(text, sizeof(text),
			"{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"virtio-net-pci\",\"netdev\":\"net-%s\",\"id\":\"%s\","
			"\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"}}",
			leg->inside, leg->inside, m[0], m[1], m[2], m[3], m[4], m[5]);
	return r == 0 ? vm_control_run(control, text, -EBADF, err) : r;
}

/* Return: -ENODEV the guest has not found it yet. */
static int ask_guest(int dir, const struct str *message, struct err *err)
{
	_cleanup_close_ int sock = vm_link_begin(dir, message->p, message->len, err);
	int r = sock < 0 ? sock : vm_link_begun(sock, err);

	return r < 0 ? r : vm_link_answer(sock, GUEST_DONE, "", err);
}

static int set_up(const struct engine *e, const char *id, const struct vm_net *net, struct err *err)
{
	_cleanup_close_ int dir = openat(e->run_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(str_fini) struct str message = { 0 };
	int r = dir < 0 ? err_set(err, -errno, "open the instance's directory") : vm_message_connect(net, &message, err);

	for (int ms = 0; r == 0 && ms < FOUND_MS; ms += STEP_MS) {
		r = ask_guest(dir, &message, err);
		if (r != -ENODEV)
			break;
		(void) poll(NULL, 0, STEP_MS);
		r = ms + STEP_MS < FOUND_MS ? 0 : r;
	}
	if (cwd >= 0)
		(void) fchdir(cwd); /* it is where we were */
	return r;
}

/* The guest may keep its device as long as it likes: it leads nowhere. */
static void remove_device(int control, const char *inside)
{
	char text[COMMAND_MAX];

	(void) snprintf(text, sizeof(text), "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"%s\"}}", inside);
	if (vm_control_run(control, text, -EBADF, NULL) < 0)
		return;
	(void) snprintf(text, sizeof(text), "{\"execute\":\"netdev_del\",\"arguments\":{\"id\":\"net-%s\"}}", inside);
	for (int ms = 0; ms < FOUND_MS; ms += STEP_MS) {
		struct err err = { 0 };

		if (vm_control_run(control, text, -EBADF, &err) != -EIO || strstr(err.text, "in use") == NULL)
			break;
		(void) poll(NULL, 0, STEP_MS);
	}
}

int vm_join(struct engine *e, const char *id, struct net_leg *leg, struct err *err)
{
	_cleanup_close_ int control = open_control(e, id, err);
	struct vm_net net = { .queues = 1 };
	_cleanup_close_ int tap = -EBADF;
	int r = control < 0 ? control : 0;

	leg->kind = NET_LEG_TAP;
	if (r == 0)
		r = home_tap(e, leg, 1, net.fds, err);
	if (r < 0)
		return r;
	tap = net.fds[0];
	net.leg = *leg;
	r = add_device(control, leg, tap, err);
	if (r == 0)
		r = set_up(e, id, &net, err);
	if (r == 0)
		r = vm_network_note(e, id, leg, err);
	if (r < 0) {
		(void) vm_network_cut(e, id, leg->inside, NULL);
		remove_device(control, leg->inside);
	}
	return r;
}

int vm_leave(struct engine *e, const char *id, int number, struct err *err)
{
	_cleanup_close_ int control = -EBADF;
	char inside[IF_NAMESIZE];
	int r;

	(void) snprintf(inside, sizeof(inside), "eth%d", number);
	r = vm_network_cut(e, id, inside, err);
	if (r < 0)
		return r;
	control = vm_control_open(e, id, NULL);
	if (control >= 0)
		remove_device(control, inside);
	return 0;
}
