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
#include "vmm/control/qmp_parts.h"
#include "vmm/core/bytes.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/pci.h"
#include "vmm/dev/virtio/virtio.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/parts.h"

/* What a device may be told.  Of the second line is what does not differ for its guest: it is not refused. */
#define DEVICE_MEMBERS                                                                               \
	"driver id *bus *addr *drive *serial *netdev *mac *num-queues"                               \
	" *bootindex *config-wce *disable-legacy *iothread *mq *romfile *scsi *share-rw *vectors *write-cache"

/* "hostfwd": a list of objects with a member "str". */
static int add_forwards(const struct qmp_call *c, struct usernet_config *u)
{
	const struct json *list = json_get_array(c->in, c->args, "hostfwd", USERNET_FORWARDS_MAX);

	for (const struct json *one = list != NULL ? list->first : NULL; one != NULL; one = one->next) {
		const char *text = json_to_object(c->in, one) ? json_get_str(c->in, one, "str") : NULL;
		int r;

		if (text == NULL)
			return err_msg(c->err, -EINVAL, "netdev_add: hostfwd: 'str' is missing");
		r = usernet_forward_parse(text, &u->forward[u->nr_forwards], c->err);
		if (r < 0)
			return err_wrap(c->err, r, "netdev_add: hostfwd");
		u->nr_forwards++;
	}
	return qmp_read(c);
}

static int open_user(const struct qmp_call *c, struct part *part)
{
	const struct usernet_config *first = machine_usernet(c->m);

	if (first == NULL && machine_may_open(c->m, NULL) < 0)
		return err_msg(c->err, -EPERM, "netdev_add: the machine has left the host's network; start it with --net user");
	part->user.resolver = first != NULL ? first->resolver : usernet_resolver();
	part->user.loopback = !json_get_bool(c->in, c->args, "restrict", true);
	part->net.user = &part->user;
	part->net.pairs = 1;
	return add_forwards(c, &part->user);
}

/* Queues of a tap device that were sent: their names, with colons between them */
static int take_queues(const struct qmp_call *c, char *names, struct part *part)
{
	while (names != NULL) {
		const char *name = strsep(&names, ":");
		const struct part *sent = parts_find(machine_parts(c->m), PART_FD, name);
		int fd;

		if (sent == NULL)
			return err_msg(c->err, -ENOENT, "netdev_add: descriptor '%s' is not there", name);
		if (part->net.pairs == NET_PAIRS_MAX)
			return err_msg(c->err, -EINVAL, "netdev_add: more than %d descriptors", NET_PAIRS_MAX);
		fd = fcntl(sent->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return err_set(c->err, -errno, "netdev_add: take descriptor '%s'", name);
		part->net.tap[part->net.pairs++] = fd;
	}
	return 0;
}

static bool runs_nothing(const struct qmp_call *c, const char *key)
{
	const char *script = json_get_str(c->in, c->args, key);

	return script == NULL || str_eq(script, "no");
}

static int open_tap(const struct qmp_call *c, struct part *part)
{
	char *fd = json_get_str(c->in, c->args, "fd"), *fds = json_get_str(c->in, c->args, "fds");
	const char *name = json_get_str(c->in, c->args, "ifname");
	int r = qmp_read(c);

	if (r < 0)
		return r;
	if (!runs_nothing(c, "script") || !runs_nothing(c, "downscript"))
		return err_msg(c->err, -EINVAL, "netdev_add: 'script' and 'downscript' are not run: they may be \"no\"");
	if (fd != NULL || fds != NULL)
		return take_queues(c, fds != NULL ? fds : fd, part);
	if (name == NULL)
		return err_msg(c->err, -EINVAL, "netdev_add: neither 'ifname' nor 'fd' or 'fds' of a tap device that were sent");
	r = machine_may_open(c->m, c->err);
	if (r == 0)
		r = net_tap_open(name, 1, part->net.tap, c->err);
	part->net.pairs = r == 0;
	return r;
}

static int add_net(const struct qmp_call *c)
{
	const char *id = NULL, *type = NULL;
	struct part *part;
	bool user;
	int r = qmp_need(c, "id", &id);

	if (r == 0)
		r = qmp_need(c, "type", &type);
	if (r < 0)
		return r;
	user = strcmp(type, "user") == 0;
	if (!user && strcmp(type, "tap") != 0)
		return err_msg(c->err, -EINVAL, "netdev_add: type '%s' is neither tap nor user", type);
	part = parts_add(machine_parts(c->m), PART_NET, id, c->err);
	if (part == NULL)
		return -EINVAL;
	r = user ? open_user(c, part) : open_tap(c, part);
	if (r < 0)
		parts_remove(machine_parts(c->m), part);
	return r;
}
QMP_COMMAND(netdev_add, "netdev_add", "type id *ifname *fd *fds *hostfwd *restrict *script *downscript *vhost *queues", add_net);

static int del_net(const struct qmp_call *c)
{
	struct part *part;
	const char *id;
	int r = qmp_need(c, "id", &id);

	if (r < 0)
		return r;
	part = parts_find(machine_parts(c->m), PART_NET, id);
	if (part == NULL)
		return qmp_no_device(c, id);
	if (part->device[0] != '\0')
		return err_msg(c->err, -EBUSY, "netdev_del: '%s' is in use by device '%s'", id, part->device);
	parts_remove(machine_parts(c->m), part);
	return 0;
}
QMP_COMMAND(netdev_del, "netdev_del", "id", del_net);

/* The part of @kind that member @key names, in use by nobody. */
static int find_part(const struct qmp_call *c, enum part_kind kind, const char *key, struct part **ret)
{
	const char *name;
	int r = qmp_need(c, key, &name);

	if (r < 0)
		return r;
	*ret = parts_find(machine_parts(c->m), kind, name);
	if (*ret == NULL)
		return err_msg(c->err, -ENOENT, "device_add: '%s' '%s' is not there", key, name);
	if ((*ret)->device[0] != '\0')
		return err_msg(c->err, -EBUSY, "device_add: '%s' is in use by device '%s'", name, (*ret)->device);
	return 0;
}

/* It belongs to a device now, if that was made. */
static int used_by(struct part *part, const char *id, int r)
{
	if (r == 0)
		memcpy(part->device, id, strlen(id) + 1);
	return r;
}

static int add_disk(const struct qmp_call *c, const char *id)
{
	struct blk_config disk = { .queues = 1, .id = id, .serial = json_get_str(c->in, c->args, "serial") };
	struct part *part;
	bool queues = json_get_u32(c->in, c->args, "num-queues", &disk.queues);
	int r = find_part(c, PART_FILE, "drive", &part);

	if (r < 0)
		return r;
	disk.fd = part->fd;
	disk.name = part->path;
	disk.readonly = part->readonly;
	if (queues && (disk.queues == 0 || disk.queues > BLK_QUEUES_MAX))
		return err_msg(c->err, -EINVAL, "device_add: 'num-queues' is not from 1 to %d", BLK_QUEUES_MAX);
	if (disk.serial != NULL && strlen(disk.serial) > BLK_SERIAL_MAX)
		return err_msg(c->err, -EINVAL, "device_add: 'serial' has more than %d bytes", BLK_SERIAL_MAX);
	return used_by(part, id, machine_add_disk(c->m, &disk, c->err));
}

static int add_interface(const struct qmp_call *c, const char *id)
{
	const char *mac = json_get_str(c->in, c->args, "mac");
	struct part *part;
	int r = find_part(c, PART_NET, "netdev", &part);

	if (r < 0)
		return r;
	part->net.id = id;
	part->net.mac[0] = 0x52;
	part->net.mac[1] = 0x54;
	if (getrandom(part->net.mac + 2, 4, 0) != 4)
		return err_set(c->err, -errno, "make a network address");
	if (mac != NULL && net_mac_parse(mac, part->net.mac) < 0)
		return err_msg(c->err, -EINVAL, "device_add: 'mac' '%s' is not an address like 52:54:00:12:34:56", mac);
	r = machine_add_net(c->m, &part->net, c->err);
	part->net.id = NULL;
	return used_by(part, id, r);
}

static int add_device(const struct qmp_call *c)
{
	const char *driver = NULL, *id = NULL;
	int r = qmp_need(c, "driver", &driver);

	if (r == 0)
		r = qmp_need(c, "id", &id);
	if (r < 0)
		return r;
	if (*id == '\0' || strlen(id) > DEV_ID_MAX)
		return err_msg(c->err, -EINVAL, "device_add: 'id' has not 1 to %d bytes", DEV_ID_MAX);
	if (dev_find(machine_vm(c->m), id) != NULL)
		return err_msg(c->err, -EEXIST, "Duplicate device ID '%s'", id);
	if (strncmp(driver, "virtio-blk", 10) == 0)
		return add_disk(c, id);
	if (strncmp(driver, "virtio-net", 10) == 0)
		return add_interface(c, id);
	return err_msg(c->err, -EINVAL, "'%s' is not a valid device model name: there are virtio-blk-pci and virtio-net-pci",
		       driver);
}
QMP_COMMAND(device_add, "device_add", DEVICE_MEMBERS, add_device);

static int del_device(const struct qmp_call *c)
{
	const char *id;
	int r = qmp_need(c, "id", &id);

	if (r < 0)
		return r;
	r = machine_remove(c->m, str_starts(id, QMP_PERIPHERAL) ? id + strlen(QMP_PERIPHERAL) : id);
	if (r == -ENOTSUP)
		return err_msg(c->err, r, "Device '%s' does not support hotplugging", id);
	return r < 0 ? qmp_no_device(c, id) : 0;
}
QMP_COMMAND(device_del, "device_del", "id", del_device);

/* Ranges of addresses; -1 is where one lies that the guest has not enabled. */
static void add_regions(struct str *ret, const struct pci_dev *d)
{
	json_open(ret, "regions", '[');
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *b = &d->bar[i];

		if (b->size == 0)
			continue;
		json_open(ret, NULL, '{');
		json_uint(ret, "bar", i);
		json_text(ret, "type", "memory");
		json_int(ret, "address", b->at != 0 ? (int64_t) b->at : -1);
		json_uint(ret, "size", b->size);
		json_flag(ret, "prefetch", false);
		json_flag(ret, "mem_type_64", true);
		json_close(ret, '}');
	}
	json_close(ret, ']');
}

static void add_function(struct str *ret, const struct pci_dev *d)
{
	const struct vio_dev *v = d->owner != NULL ? vio_of(d->owner) : NULL;

	json_open(ret, NULL, '{');
	json_uint(ret, "bus", 0);
	json_uint(ret, "slot", d->slot);
	json_uint(ret, "function", 0);
	json_open(ret, "class_info", '{');
	json_text(ret, "desc", v != NULL ? v->ops->name : "Host bridge");
	json_uint(ret, "class", get_le16(d->initial + PCI_CLASS));
	json_close(ret, '}');
	json_open(ret, "id", '{');
	json_uint(ret, "vendor", get_le16(d->initial + PCI_VENDOR));
	json_uint(ret, "device", get_le16(d->initial + PCI_DEVICE));
	json_uint(ret, "subsystem-vendor", get_le16(d->initial + PCI_SUBSYSTEM_VENDOR));
	json_uint(ret, "subsystem", get_le16(d->initial + PCI_SUBSYSTEM));
	json_close(ret, '}');
	json_uint(ret, "irq_pin", 0); /* they send messages */
	json_text(ret, "qdev_id", d->owner != NULL ? d->owner->id : "");
	add_regions(ret, d);
	json_close(ret, '}');
}

static int query_pci(const struct qmp_call *c)
{
	json_open(c->ret, NULL, '[');
	json_open(c->ret, NULL, '{');
	json_uint(c->ret, "bus", 0);
	json_open(c->ret, "devices", '[');
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		const struct pci_dev *d = pci_dev_at(machine_pci(c->m), i);

		if (d != NULL)
			add_function(c->ret, d);
	}
	json_close(c->ret, ']');
	json_close(c->ret, '}');
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(pci, "query-pci", "", query_pci);
