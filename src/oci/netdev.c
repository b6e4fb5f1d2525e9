/* SPDX-License-Identifier: MIT */
/**
 * DOC: network devices that move into the container
 *
 * The device goes down, its addresses are read, and one request moves and renames it, so no other
 * device can take the name between.  The kernel keeps MTU and hardware address but forgets addresses;
 * permanent ones with global scope are added again in the new namespace, others meant something only
 * in the old one.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/process.h"
#include "oci/spec.h"
#include "sys/netlink.h"

#define ADDRESSES_MAX 256 /* of one device */
#define ADDRESS_BYTES 16
#define TEMPLATE_MAX 1024 /* names tried for a template */

struct address {
	unsigned char family, prefix_len, n;
	unsigned char local[ADDRESS_BYTES];
};

struct addresses {
	int ifindex;
	struct address v[ADDRESSES_MAX];
	size_t n;
};

/* Handler of RTM_GETLINK: keeps the index. */
static int keep_index(const struct nlmsghdr *m, void *arg)
{
	const struct ifinfomsg *link = NLMSG_DATA(m);
	int *ret = arg;

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(sizeof(*link)))
		return -EBADMSG;
	*ret = link->ifi_index;
	return 0;
}

/* Return: index of device @name; -ENODEV; -errno. */
static int find_link(int fd, const char *name)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct netlink_request req;
	int index = -ENODEV, r;

	netlink_init(&req, RTM_GETLINK, 0, &link, sizeof(link));
	r = netlink_attr(&req, IFLA_IFNAME, name, strlen(name) + 1);
	if (r == 0)
		r = netlink_call(fd, &req, keep_index, &index);
	return r < 0 ? r : index;
}

static int set_up(int fd, int index, bool up)
{
	const struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = index,
		.ifi_flags = up ? IFF_UP : 0,
		.ifi_change = IFF_UP,
	};
	struct netlink_request req;

	netlink_init(&req, RTM_NEWLINK, 0, &link, sizeof(link));
	return netlink_call(fd, &req, NULL, NULL);
}

/* Handler of RTM_GETADDR: keeps what goes along. */
static int keep_address(const struct nlmsghdr *m, void *arg)
{
	const struct ifaddrmsg *a = NLMSG_DATA(m);
	struct addresses *ret = arg;
	const void *data, *flags;
	size_t size, flags_size;
	uint32_t f;

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(sizeof(*a)))
		return -EBADMSG;
	flags = netlink_msg_attr(m, sizeof(*a), IFA_FLAGS, &flags_size);
	f = a->ifa_flags;
	if (flags != NULL && flags_size >= sizeof(f))
		memcpy(&f, flags, sizeof(f));
	if ((int) a->ifa_index != ret->ifindex || a->ifa_scope != RT_SCOPE_UNIVERSE ||
	    (f & IFA_F_PERMANENT) == 0)
		return 0;
	data = netlink_msg_attr(m, sizeof(*a), IFA_LOCAL, &size);
	if (data == NULL) /* IPv6 has it only where there is a peer */
		data = netlink_msg_attr(m, sizeof(*a), IFA_ADDRESS, &size);
	if (data == NULL || size > ADDRESS_BYTES)
		return -EBADMSG;
	if (ret->n == ADDRESSES_MAX)
		return -E2BIG;

	struct address *to = &ret->v[ret->n++];
	to->family = a->ifa_family;
	to->prefix_len = a->ifa_prefixlen;
	to->n = (unsigned char) size;
	memcpy(to->local, data, size);
	return 0;
}

static int read_addresses(int fd, struct addresses *ret)
{
	const struct ifaddrmsg a = { .ifa_family = AF_UNSPEC, .ifa_index = (uint32_t) ret->ifindex };
	struct netlink_request req;

	netlink_init(&req, RTM_GETADDR, NLM_F_DUMP, &a, sizeof(a));
	return netlink_call(fd, &req, keep_address, ret);
}

static int add_address(int fd, int index, const struct address *from)
{
	const struct ifaddrmsg a = {
		.ifa_family = from->family,
		.ifa_prefixlen = from->prefix_len,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (uint32_t) index,
	};
	struct netlink_request req;
	int r;

	netlink_init(&req, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &a, sizeof(a));
	r = netlink_attr(&req, IFA_LOCAL, from->local, from->n);
	if (r == 0)
		r = netlink_attr(&req, IFA_ADDRESS, from->local, from->n);
	return r < 0 ? r : netlink_call(fd, &req, NULL, NULL);
}

static int move_link(int fd, int index, const char *name, int netns_fd)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct netlink_request req;
	int r;

	netlink_init(&req, RTM_NEWLINK, 0, &link, sizeof(link));
	r = netlink_attr(&req, IFLA_IFNAME, name, strlen(name) + 1);
	if (r == 0)
		r = netlink_attr(&req, IFLA_NET_NS_FD, &netns_fd, sizeof(netns_fd));
	return r < 0 ? r : netlink_call(fd, &req, NULL, NULL);
}

/* Names as the kernel takes them; checked here for a message that names the field. */
static int check_name(const char *name, struct err *err)
{
	size_t n = strlen(name);

	if (n == 0 || n >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strpbrk(name, "/: \t\n\v\f\r") != NULL)
		return err_msg(err, -EINVAL, "invalid network device name '%s'", name);
	return 0;
}

/*
 * Name for a template such as "eth%d": the first that is free inside.
 * Return: 0; -ENFILE none is; -errno.
 */
static int expand(int inside, const char *to, char ret[IFNAMSIZ])
{
	const char *mark = strstr(to, "%d");

	if (mark == NULL) {
		memcpy(ret, to, strlen(to) + 1);
		return 0;
	}
	for (int i = 0; i < TEMPLATE_MAX; i++) {
		int n = snprintf(ret, IFNAMSIZ, "%.*s%d%s", (int) (mark - to), to, i, mark + 2), r;

		if (n < 0 || n >= IFNAMSIZ)
			return -ENAMETOOLONG;
		r = find_link(inside, ret);
		if (r < 0)
			return r == -ENODEV ? 0 : r;
	}
	return -ENFILE;
}

/* @host, @inside: rtnetlink sockets of both namespaces */
static int move_device(const struct oci_net_device *dev, int host, int inside, int netns_fd,
		       struct err *err)
{
	const char *name = dev->host_name, *wish = dev->container_name;
	struct addresses addrs = { 0 };
	char to[IFNAMSIZ];
	int r;

	if (wish == NULL || *wish == '\0')
		wish = name;
	r = check_name(name, err);
	if (r == 0)
		r = check_name(wish, err);
	if (r < 0)
		return r;
	r = expand(inside, wish, to);
	if (r < 0)
		return err_set(err, r, "find a name for '%s'", wish);
	addrs.ifindex = find_link(host, name);
	if (addrs.ifindex < 0)
		return err_set(err, addrs.ifindex,
			       "link not found for interface %s on runtime namespace", name);
	r = set_up(host, addrs.ifindex, false);
	if (r < 0)
		return err_set(err, r, "fail to set link %s down", name);
	r = read_addresses(host, &addrs);
	if (r < 0)
		return err_set(err, r, "fail to get ip addresses of %s, limit %d", name,
			       ADDRESSES_MAX);
	r = move_link(host, addrs.ifindex, to, netns_fd);
	if (r < 0)
		return err_set(err, r, "fail to move network device %s to the container's network "
				       "namespace", name);
	addrs.ifindex = find_link(inside, to);
	if (addrs.ifindex < 0)
		return err_set(err, addrs.ifindex, "link not found for interface %s on the "
						   "container's network namespace", to);
	for (size_t i = 0; i < addrs.n; i++) {
		r = add_address(inside, addrs.ifindex, &addrs.v[i]);
		if (r < 0)
			return err_set(err, r, "fail to set up an address of %s in the container's "
					       "network namespace", to);
	}
	r = set_up(inside, addrs.ifindex, true);
	return r < 0 ? err_set(err, r, "fail to set up interface %s in the container's network "
				       "namespace", to) : 0;
}

int oci_netdev_move(const struct oci_spec *spec, int netns_fd, struct err *err)
{
	_cleanup_close_ int host = -EBADF;
	_cleanup_close_ int inside = -EBADF;

	if (spec->linux.nr_net_devices == 0)
		return 0;
	host = netlink_open();
	if (host < 0)
		return err_set(err, host, "netlink socket");
	inside = netlink_open_in(netns_fd);
	if (inside < 0)
		return err_set(err, inside, "netlink socket in the container's network namespace");
	for (size_t i = 0; i < spec->linux.nr_net_devices; i++) {
		int r = move_device(&spec->linux.net_devices[i], host, inside, netns_fd, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int oci_lo_up(struct err *err)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	/* any socket will do: the call is the namespace's, not the protocol's */
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, -errno, "socket for the loopback device");
	if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return err_set(err, -errno, "bring up the loopback device");
	return 0;
}
