/* SPDX-License-Identifier: MIT */
#include "net/device.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "net/link_parts.h"
#include "sys/netlink.h"

/* @full: what there is more of than we take; @busy: a machine has them */
struct survey {
	struct net_device *v;
	size_t n;
	const char *full;
	bool busy;
};

static struct net_device *device_of(const struct survey *s, int index)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].index == index)
			return &s->v[i];
	return NULL;
}

/* Handler of RTM_GETLINK */
static int keep_link(const struct nlmsghdr *m, void *arg)
{
	const struct ifinfomsg *link = NLMSG_DATA(m);
	struct survey *s = arg;
	const void *mac, *mtu;
	const char *name;
	struct net_device *d;
	size_t name_size, mac_size, mtu_size;

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(sizeof(*link)))
		return -EBADMSG;
	name = netlink_msg_attr(m, sizeof(*link), IFLA_IFNAME, &name_size);
	mac = netlink_msg_attr(m, sizeof(*link), IFLA_ADDRESS, &mac_size);
	mtu = netlink_msg_attr(m, sizeof(*link), IFLA_MTU, &mtu_size);
	if (link->ifi_type != ARPHRD_ETHER || !(link->ifi_flags & IFF_UP) || mac == NULL || mac_size != NET_MAC_LEN)
		return 0;
	if (name == NULL || name_size > IFNAMSIZ || name[name_size - 1] != '\0' || mtu == NULL || mtu_size != sizeof(d->mtu))
		return -EBADMSG;
	s->busy = s->busy || str_starts(name, NET_DIVERT_PREFIX);
	s->full = s->n == NET_DEVICES_MAX ? "devices" : s->full;
	if (s->full != NULL)
		return 0;
	d = &s->v[s->n++];
	*d = (struct net_device) { .index = link->ifi_index };
	memcpy(d->name, name, name_size);
	memcpy(d->mac, mac, NET_MAC_LEN);
	memcpy(&d->mtu, mtu, sizeof(d->mtu));
	return 0;
}

/* Return: 0; -EBADMSG it is no address of that family. */
static int get_address(const struct nlmsghdr *m, size_t head, uint16_t attr, int family, struct net_address *ret)
{
	size_t size;
	const void *data = netlink_msg_attr(m, head, attr, &size);

	ret->family = 0;
	if (data == NULL)
		return 0;
	ret->family = family;
	if (size != net_address_size(ret))
		return -EBADMSG;
	memcpy(ret->bytes, data, size);
	return 0;
}

/* Handler of RTM_GETADDR; those of links make themselves */
static int keep_address(const struct nlmsghdr *m, void *arg)
{
	const struct ifaddrmsg *a = NLMSG_DATA(m);
	struct net_prefix p = { 0 };
	struct survey *s = arg;
	struct net_device *d;
	int r;

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(sizeof(*a)))
		return -EBADMSG;
	d = device_of(s, (int) a->ifa_index);
	if (d == NULL || (a->ifa_family != AF_INET && a->ifa_family != AF_INET6) ||
	    (a->ifa_family == AF_INET6 && a->ifa_scope == RT_SCOPE_LINK))
		return 0;
	r = get_address(m, sizeof(*a), IFA_LOCAL, a->ifa_family, &p.base);
	if (r == 0 && p.base.family == 0)
		r = get_address(m, sizeof(*a), IFA_ADDRESS, a->ifa_family, &p.base);
	p.length = a->ifa_prefixlen;
	if (r < 0 || p.base.family == 0 || p.length > net_address_size(&p.base) * 8)
		return -EBADMSG;
	if (d->nr_addresses == NET_DEVICE_ADDRESSES_MAX)
		s->full = "addresses";
	else
		d->addresses[d->nr_addresses++] = p;
	return 0;
}

static void keep_way(struct survey *s, struct net_device *d, const struct net_way *w)
{
	size_t at = d->nr_ways;

	if (at == NET_DEVICE_WAYS_MAX) {
		s->full = "routes";
		return;
	}
	for (; w->gateway.family == 0 && at > 0 && d->ways[at - 1].gateway.family != 0; at--)
		d->ways[at] = d->ways[at - 1];
	d->ways[at] = *w;
	d->nr_ways++;
}

/* Handler of RTM_GETROUTE; what the kernel adds with an address it adds again */
static int keep_route(const struct nlmsghdr *m, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(m);
	struct net_way w = { 0 };
	struct survey *s = arg;
	struct net_device *d = NULL;
	const void *oif;
	int index, r;
	size_t size;

	if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)))
		return -EBADMSG;
	oif = netlink_msg_attr(m, sizeof(*rt), RTA_OIF, &size);
	if (oif != NULL && size == sizeof(index)) {
		memcpy(&index, oif, sizeof(index));
		d = device_of(s, index);
	}
	if (d == NULL || rt->rtm_type != RTN_UNICAST || rt->rtm_table != RT_TABLE_MAIN || rt->rtm_protocol == RTPROT_KERNEL ||
	    (rt->rtm_flags & RTM_F_CLONED) != 0 || (rt->rtm_family != AF_INET && rt->rtm_family != AF_INET6))
		return 0;
	r = get_address(m, sizeof(*rt), RTA_DST, rt->rtm_family, &w.to.base);
	if (r == 0)
		r = get_address(m, sizeof(*rt), RTA_GATEWAY, rt->rtm_family, &w.gateway);
	w.to.base.family = rt->rtm_family;
	w.to.length = rt->rtm_dst_len;
	if (r < 0 || w.to.length > net_address_size(&w.to.base) * 8)
		return -EBADMSG;
	keep_way(s, d, &w);
	return 0;
}

static int dump(int fd, uint16_t type, const void *head, size_t head_size,
		int (*each)(const struct nlmsghdr *m, void *arg), struct survey *s)
{
	struct netlink_request req;

	netlink_init(&req, type, NLM_F_DUMP, head, head_size);
	return netlink_call(fd, &req, each, s);
}

int net_devices_read(struct net_device *ret, size_t *ret_n, struct err *err)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	const struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	const struct rtmsg route = { .rtm_family = AF_UNSPEC };
	_cleanup_close_ int fd = netlink_open();
	struct survey s = { .v = ret };
	int r = fd < 0 ? fd : dump(fd, RTM_GETLINK, &link, sizeof(link), keep_link, &s);

	if (r == 0)
		r = dump(fd, RTM_GETADDR, &address, sizeof(address), keep_address, &s);
	if (r == 0)
		r = dump(fd, RTM_GETROUTE, &route, sizeof(route), keep_route, &s);
	if (r < 0)
		return err_set(err, r, "read the devices of the network namespace");
	if (s.busy)
		return err_msg(err, -EBUSY, "the network namespace is another virtual machine's");
	if (s.full != NULL)
		return err_msg(err, -E2BIG, "the network namespace has more %s than a virtual machine takes (%d devices, %d addresses and %d routes of each)",
			       s.full, NET_DEVICES_MAX, NET_DEVICE_ADDRESSES_MAX, NET_DEVICE_WAYS_MAX);
	*ret_n = s.n;
	return 0;
}
