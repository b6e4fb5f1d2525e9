/* SPDX-License-Identifier: MIT */
#include "net/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/link_parts.h"
#include "sys/netlink.h"
#include "sys/netlink_batch.h"

/* Handler of RTM_GETLINK */
static int keep_link(const struct nlmsghdr *m, void *arg)
{
	const struct ifinfomsg *link = NLMSG_DATA(m);
	struct net_link *ret = arg;
	const void *mtu;
	size_t size;

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(sizeof(*link)))
		return -EBADMSG;
	ret->index = link->ifi_index;
	ret->up = (link->ifi_flags & IFF_UP) != 0;
	mtu = netlink_msg_attr(m, sizeof(*link), IFLA_MTU, &size);
	if (mtu != NULL && size >= sizeof(ret->mtu))
		memcpy(&ret->mtu, mtu, sizeof(ret->mtu));
	return 0;
}

/* @name or @index */
static int find(int fd, const char *name, int index, struct net_link *ret)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	const uint32_t brief = RTEXT_FILTER_SKIP_STATS;
	struct net_link found = { 0 };
	struct netlink_request req;
	int r = 0;

	netlink_init(&req, RTM_GETLINK, 0, &link, sizeof(link));
	if (name != NULL)
		r = netlink_attr(&req, IFLA_IFNAME, name, strlen(name) + 1);
	if (r == 0)
		r = netlink_attr(&req, IFLA_EXT_MASK, &brief, sizeof(brief));
	if (r == 0)
		r = netlink_call(fd, &req, keep_link, &found);
	if (r == 0 && found.index == 0)
		r = -ENODEV;
	if (r == 0)
		*ret = found;
	return r;
}

int net_link_find(int fd, const char *name, struct net_link *ret)
{
	return find(fd, name, 0, ret);
}

unsigned net_link_mtu(int fd, int index)
{
	struct net_link link;

	return find(fd, NULL, index, &link) == 0 ? link.mtu : 0;
}

int net_link_remove(int fd, const char *name)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	int r;

	netlink_batch_add(&b, RTM_DELLINK, 0, &link, sizeof(link));
	netlink_batch_text(&b, IFLA_IFNAME, name);
	r = netlink_batch_send(fd, &b, NULL, NULL, NULL);
	return r == -ENODEV ? 0 : r;
}

void net_link_up(struct netlink_batch *b, int index)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	netlink_batch_add(b, RTM_NEWLINK, 0, &link, sizeof(link));
}

int net_loopback_up(int fd)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };

	net_link_up(&b, NET_LOOPBACK);
	return netlink_batch_send(fd, &b, NULL, NULL, NULL);
}

void net_link_address(struct netlink_batch *b, int index, const struct net_prefix *p)
{
	const struct ifaddrmsg head = {
		.ifa_family = (unsigned char) p->base.family,
		.ifa_prefixlen = (unsigned char) p->length,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (uint32_t) index,
		.ifa_flags = IFA_F_NODAD, /* of IPv6; the lease says whose it is */
	};
	struct net_address last = net_prefix_last(p);
	size_t size = net_address_size(&p->base);

	if (size == 0)
		return;
	netlink_batch_add(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof(head));
	netlink_batch_attr(b, IFA_LOCAL, p->base.bytes, size);
	netlink_batch_attr(b, IFA_ADDRESS, p->base.bytes, size);
	if (p->base.family == AF_INET && p->length < 31)
		netlink_batch_attr(b, IFA_BROADCAST, last.bytes, size);
}

/* Its own address, so that it does not change with what joins. */
static int random_mac(unsigned char mac[NET_MAC_LEN])
{
	if (getrandom(mac, NET_MAC_LEN, 0) != NET_MAC_LEN)
		return -EIO;
	mac[0] = 0x02; /* local, one host */
	mac[1] = 0x42;
	return 0;
}

static int create_bridge(int fd, const struct net_bridge *br, struct err *err)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	unsigned char mac[NET_MAC_LEN];
	size_t info;
	int r = random_mac(mac);

	if (r < 0)
		return err_set(err, r, "make bridge '%s'", br->name);
	netlink_batch_add(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	netlink_batch_text(&b, IFLA_IFNAME, br->name);
	netlink_batch_attr(&b, IFLA_ADDRESS, mac, sizeof(mac));
	info = netlink_batch_nest(&b, IFLA_LINKINFO);
	netlink_batch_text(&b, IFLA_INFO_KIND, "bridge");
	netlink_batch_end(&b, info);
	r = netlink_batch_send(fd, &b, NULL, NULL, NULL);
	if (r == -EOPNOTSUPP)
		return err_msg(err, r, "the kernel has no bridges (CONFIG_BRIDGE): use --network host or none");
	return r < 0 && r != -EEXIST ? err_set(err, r, "make bridge '%s'", br->name) : 0;
}

int net_bridge_make(int fd, const struct net_bridge *br, struct err *err)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	struct net_link link;
	int r = net_link_find(fd, br->name, &link);

	if (r == -ENODEV) {
		r = create_bridge(fd, br, err);
		if (r < 0)
			return r;
		r = net_link_find(fd, br->name, &link);
	}
	if (r < 0)
		return err_set(err, r, "find bridge '%s'", br->name);
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = link.index };
	if (br->mtu != 0) { /* set after it was made, it does not follow what joins */
		netlink_batch_add(&b, RTM_NEWLINK, 0, &head, sizeof(head));
		netlink_batch_attr(&b, IFLA_MTU, &br->mtu, sizeof(br->mtu));
	}
	net_link_address(&b, link.index, &br->v4);
	net_link_address(&b, link.index, &br->v6);
	net_link_up(&b, link.index);
	r = netlink_batch_send(fd, &b, NULL, NULL, NULL);
	return r < 0 && r != -EEXIST ? err_set(err, r, "set addresses of bridge '%s'", br->name) : 0;
}
