/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands about devices that come and go, and the networks that they are made of
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/virtio.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/parts.h"

/* "hostfwd": a list of objects with a member "str". */
static int add_forwards(struct json_in *in, const struct json *args, struct usernet_config *u, struct err *err)
{
	const struct json *one = json_get_array(in, args, "hostfwd", USERNET_FORWARDS_MAX);

	for (; one != NULL; one = one->next) {
		const char *text = json_to_object(in, one) ? json_get_str(in, one, "str") : NULL;
		int r;

		if (text == NULL)
			return err_msg(err, -EINVAL, "netdev_add: hostfwd: 'str' is missing");
		r = usernet_forward_parse(text, &u->forward[u->nr_forwards], err);
		if (r < 0)
			return err_wrap(err, r, "netdev_add: hostfwd");
		u->nr_forwards++;
	}
	return 0;
}

static int open_net(struct machine *m, struct json_in *in, const struct json *args, struct part *part,
		    struct err *err)
{
	const char *type = json_get_str(in, args, "type"), *fd = json_get_str(in, args, "fd"),
		   *name = json_get_str(in, args, "ifname");
	struct part *sent = fd != NULL ? parts_find(machine_parts(m), PART_FD, fd) : NULL;

	if (type != NULL && strcmp(type, "user") == 0) {
		const struct usernet_config *first = machine_usernet(m);

		if (first == NULL && machine_may_open(m, NULL) < 0)
			return err_msg(err, -EPERM, "netdev_add: the machine has left the host's network; start it with --net user");
		part->user.resolver = first != NULL ? first->resolver : usernet_resolver();
		part->net.user = &part->user;
		part->net.pairs = 1;
		part->user.loopback = !json_get_bool(in, args, "restrict", true);
		return add_forwards(in, args, &part->user, err);
	}
	if (type == NULL || strcmp(type, "tap") != 0)
		return err_msg(err, -EINVAL, "netdev_add: 'type' is neither tap nor user");
	if (sent != NULL) {
		part->net.tap[0] = fcntl(sent->fd, F_DUPFD_CLOEXEC, 0);
		if (part->net.tap[0] < 0)
			return err_set(err, -errno, "netdev_add: take descriptor '%s'", fd);
	} else if (name != NULL) {
		int r = machine_may_open(m, err);

		if (r == 0)
			r = net_tap_open(name, 1, part->net.tap, err);

		if (r < 0)
			return r;
	} else {
		return err_msg(err, -EINVAL, "netdev_add: neither 'ifname' nor the 'fd' of a tap device that was sent");
	}
	part->net.pairs = 1;
	return 0;
}

static int add_net(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	const char *id = args != NULL ? json_get_str(in, args, "id") : NULL;
	struct part *part = id != NULL ? parts_add(machine_parts(m), PART_NET, id, err) : NULL;
	int r;

	(void) ret;
	if (id == NULL)
		return err_msg(err, -EINVAL, "netdev_add: 'id' is missing");
	if (part == NULL)
		return -EINVAL;
	r = open_net(m, in, args, part, err);
	if (r < 0)
		parts_remove(machine_parts(m), part);
	return r;
}
QMP_COMMAND(netdev_add, "netdev_add", add_net);

static int del_net(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	const char *id = args != NULL ? json_get_str(in, args, "id") : NULL;
	struct part *part = id != NULL ? parts_find(machine_parts(m), PART_NET, id) : NULL;

	(void) ret;
	if (part == NULL)
		return err_msg(err, -ENOENT, "netdev_del: there is no network '%s'", id != NULL ? id : "");
	if (part->device[0] != '\0')
		return err_msg(err, -EBUSY, "netdev_del: '%s' is in use by device '%s'", id, part->device);
	parts_remove(machine_parts(m), part);
	return 0;
}
QMP_COMMAND(netdev_del, "netdev_del", del_net);

/* The part of @kind that member @key names, in use by nobody. */
static struct part *find_part(struct machine *m, struct json_in *in, const struct json *args, enum part_kind kind,
			      const char *key, struct err *err)
{
	const char *name = json_get_str(in, args, key);
	struct part *part = name != NULL ? parts_find(machine_parts(m), kind, name) : NULL;

	if (part == NULL)
		(void) err_msg(err, -ENOENT, "device_add: '%s' '%s' is not there", key, name != NULL ? name : "");
	else if (part->device[0] != '\0')
		(void) err_msg(err, -EBUSY, "device_add: '%s' is in use by device '%s'", name, part->device);
	return part != NULL && part->device[0] == '\0' ? part : NULL;
}

static int add_disk(struct machine *m, struct json_in *in, const struct json *args, const char *id, struct err *err)
{
	struct part *part = find_part(m, in, args, PART_FILE, "drive", err);
	struct blk_config disk = { .queues = 1, .id = id };
	int r;

	if (part == NULL)
		return -ENOENT;
	disk.fd = part->fd;
	disk.name = part->path;
	disk.readonly = part->readonly;
	disk.serial = json_get_str(in, args, "serial");
	if (disk.serial != NULL && strlen(disk.serial) > BLK_SERIAL_MAX)
		return err_msg(err, -EINVAL, "device_add: 'serial' has more than %d bytes", BLK_SERIAL_MAX);
	r = machine_add_disk(m, &disk, err);
	if (r == 0)
		memcpy(part->device, id, strlen(id) + 1);
	return r;
}

static int add_interface(struct machine *m, struct json_in *in, const struct json *args, const char *id,
			 struct err *err)
{
	struct part *part = find_part(m, in, args, PART_NET, "netdev", err);
	const char *mac = json_get_str(in, args, "mac");
	int r;

	if (part == NULL)
		return -ENOENT;
	part->net.id = id;
	part->net.mac[0] = 0x52;
	part->net.mac[1] = 0x54;
	if (getrandom(part->net.mac + 2, 4, 0) != 4)
		return err_set(err, -errno, "make a network address");
	if (mac != NULL && net_mac_parse(mac, part->net.mac) < 0)
		return err_msg(err, -EINVAL, "device_add: 'mac' '%s' is not an address like 52:54:00:12:34:56", mac);
	r = machine_add_net(m, &part->net, err);
	if (r == 0)
		memcpy(part->device, id, strlen(id) + 1);
	part->net.id = NULL;
	return r;
}

static int add_device(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		      struct err *err)
{
	const char *driver = args != NULL ? json_get_str(in, args, "driver") : NULL;
	const char *id = args != NULL ? json_get_str(in, args, "id") : NULL;

	(void) ret;
	if (driver == NULL || id == NULL || *id == '\0' || strlen(id) > DEV_ID_MAX)
		return err_msg(err, -EINVAL, "device_add: 'driver' is missing, or 'id' of 1 to %d bytes", DEV_ID_MAX);
	if (dev_find(machine_vm(m), id) != NULL)
		return err_msg(err, -EEXIST, "Duplicate device ID '%s'", id);
	if (strncmp(driver, "virtio-blk", 10) == 0)
		return add_disk(m, in, args, id, err);
	if (strncmp(driver, "virtio-net", 10) == 0)
		return add_interface(m, in, args, id, err);
	return err_msg(err, -EINVAL, "'%s' is not a valid device model name: there are virtio-blk-pci and virtio-net-pci",
		       driver);
}
QMP_COMMAND(device_add, "device_add", add_device);

static int del_device(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		      struct err *err)
{
	const char *id = args != NULL ? json_get_str(in, args, "id") : NULL;

	(void) ret;
	if (id == NULL)
		return err_msg(err, -EINVAL, "device_del: 'id' is missing");
	return machine_remove(m, id, err);
}
QMP_COMMAND(device_del, "device_del", del_device);

static int query_pci(struct machine *m, struct json_in *in, const struct json *args, struct str *ret, struct err *err)
{
	(void) in;
	(void) args;
	(void) err;
	json_open(ret, NULL, '[');
	json_open(ret, NULL, '{');
	json_uint(ret, "bus", 0);
	json_open(ret, "devices", '[');
	for (const struct dev *d = machine_vm(m)->devs; d != NULL; d = d->next) {
		const struct vio_dev *v = vio_of(d);
		int slot = machine_slot(m, d);

		if (v == NULL || slot < 0)
			continue;
		json_open(ret, NULL, '{');
		json_uint(ret, "bus", 0);
		json_int(ret, "slot", slot);
		json_uint(ret, "function", 0);
		json_open(ret, "class_info", '{');
		json_text(ret, "desc", v->ops->name);
		json_uint(ret, "class", v->ops->class >> 8);
		json_close(ret, '}');
		json_open(ret, "id", '{');
		json_uint(ret, "vendor", 0x1AF4);
		json_uint(ret, "device", 0x1040u + v->ops->id);
		json_close(ret, '}');
		json_text(ret, "qdev_id", d->id);
		json_open(ret, "regions", '[');
		json_close(ret, ']');
		json_close(ret, '}');
	}
	json_close(ret, ']');
	json_close(ret, '}');
	json_close(ret, ']');
	return 0;
}
QMP_COMMAND(pci, "query-pci", query_pci);
