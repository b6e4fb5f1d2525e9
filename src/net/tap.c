/* SPDX-License-Identifier: MIT */
/**
 * DOC: joining a virtual machine to its networks
 *
 * A tap device is there as long as somebody has its descriptors, so it ends with the machine, however that ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/link.h"
#include "net/link_parts.h"
#include "net/table.h"
#include "sys/netlink.h"
#include "sys/netlink_batch.h"

#define TUN "/dev/net/tun"
#define HEADER 12 /* bytes in front of packets, as of virtio 1 */

int net_tap_queue(const char *name, bool several, struct err *err)
{
	_cleanup_close_ int fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct ifreq r = { .ifr_flags = (short) (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (several ? IFF_MULTI_QUEUE : 0)) };
	int header = HEADER;

	if (fd < 0)
		return err_set(err, -errno, "open " TUN " (kernel module tun)");
	(void) snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name); /* names of devices fit */
	if (ioctl(fd, TUNSETIFF, &r) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return err_set(err, -errno, "make tap device '%s'", name);
	return take_fd(fd);
}

/* In its bridge, with its MTU, and up */
static int join(int host, struct net_leg *leg, struct err *err)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	const struct ifinfomsg up = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct net_link bridge;
	int r = net_link_find(host, leg->parent, &bridge);

	if (r < 0)
		return err_set(err, r, "find network device '%s'", leg->parent);
	if (leg->mtu == 0)
		leg->mtu = bridge.mtu;
	netlink_batch_add(&b, RTM_NEWLINK, 0, &up, sizeof(up));
	netlink_batch_text(&b, IFLA_IFNAME, leg->host);
	netlink_batch_attr(&b, IFLA_MTU, &leg->mtu, sizeof(leg->mtu));
	netlink_batch_attr(&b, IFLA_MASTER, &bridge.index, sizeof(bridge.index));
	net_leg_port(&b, leg);
	r = netlink_batch_send(host, &b, NULL, NULL, NULL);
	return r < 0 ? err_set(err, r, "join the virtual machine to '%s'", leg->parent) : 0;
}

/* Its queue limits what the machine gets, a rule what it sends: there is no other end here. */
static int limit(int host, const struct net_leg *leg, struct err *err)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	_cleanup_close_ int rules = net_table_open(err);
	struct net_link link;
	int r = rules < 0 ? rules : net_link_find(host, leg->host, &link);

	if (rules < 0)
		return rules;
	if (r == 0) {
		net_leg_rate(&b, link.index, leg->rate);
		r = netlink_batch_send(host, &b, NULL, NULL, NULL);
	}
	return r < 0 ? err_set(err, r, "limit what device '%s' gets", leg->host)
		     : net_table_limit(rules, leg->table, leg->host, leg->rate, err);
}

int net_leg_tap(struct net_leg *leg, unsigned queues, int *fds, struct err *err)
{
	_cleanup_close_ int host = netlink_open();
	unsigned n = 0;
	int r = host < 0 ? err_set(err, host, "netlink socket") : 0;

	while (r == 0 && n < queues) {
		fds[n] = net_tap_queue(leg->host, queues > 1, err);
		r = fds[n] < 0 ? fds[n] : 0;
		n += r == 0;
	}
	if (r == 0)
		r = join(host, leg, err);
	if (r == 0 && leg->rate != 0)
		r = limit(host, leg, err);
	while (r < 0 && n > 0)
		(void) close(fds[--n]); /* nothing was sent */
	return r;
}
