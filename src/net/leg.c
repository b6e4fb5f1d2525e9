/* SPDX-License-Identifier: MIT */
/**
 * DOC: joining an instance to its networks
 *
 * All devices are made by one datagram to the host's rtnetlink, each end where it belongs and with its name,
 * so nothing moves between namespaces; another one to the instance's brings them up with addresses and routes.
 * The device on the bridge ends when that in the instance does, so it can never outlive it.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/link.h"
#include "net/link_parts.h"
#include "sys/netlink.h"
#include "sys/netlink_batch.h"

#define BURST_MS 20 /* of a limited rate */
#define BURST_MIN 16384 /* bytes */
#define QUEUE_MS 50

static const char *const kinds[] = { "veth", "macvlan", "ipvlan" }; /* those that are made here */

static void add_common(struct netlink_batch *b, const struct net_leg *leg, unsigned mtu)
{
	if (leg->has_mac && leg->kind != NET_LEG_IPVLAN)
		netlink_batch_attr(b, IFLA_ADDRESS, leg->mac, NET_MAC_LEN);
	if (mtu != 0)
		netlink_batch_attr(b, IFLA_MTU, &mtu, sizeof(mtu));
}

/* Both ends: that of the host in the bridge and up, that of the instance in its namespace. */
static void add_veth(struct netlink_batch *b, const struct net_leg *leg, const struct net_link *bridge, int netns)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	const struct ifinfomsg peer = { .ifi_family = AF_UNSPEC };
	unsigned mtu = leg->mtu != 0 ? leg->mtu : bridge->mtu;
	size_t info, data, other;

	netlink_batch_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	netlink_batch_text(b, IFLA_IFNAME, leg->host);
	netlink_batch_attr(b, IFLA_MASTER, &bridge->index, sizeof(bridge->index));
	netlink_batch_attr(b, IFLA_MTU, &mtu, sizeof(mtu));
	info = netlink_batch_nest(b, IFLA_LINKINFO);
	netlink_batch_text(b, IFLA_INFO_KIND, kinds[leg->kind]);
	data = netlink_batch_nest(b, IFLA_INFO_DATA);
	other = netlink_batch_nest(b, VETH_INFO_PEER);
	str_add(&b->bytes, &peer, sizeof(peer)); /* comes before the attributes in it */
	netlink_batch_text(b, IFLA_IFNAME, leg->inside);
	netlink_batch_attr(b, IFLA_NET_NS_FD, &netns, sizeof(netns));
	add_common(b, leg, mtu);
	netlink_batch_end(b, other);
	netlink_batch_end(b, data);
	netlink_batch_end(b, info);
}

void net_leg_port(struct netlink_batch *b, const struct net_leg *leg)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	const uint8_t on = 1;
	size_t info, data;

	if (!leg->hairpin && !leg->alone)
		return;
	netlink_batch_add(b, RTM_NEWLINK, 0, &link, sizeof(link));
	netlink_batch_text(b, IFLA_IFNAME, leg->host);
	info = netlink_batch_nest(b, IFLA_LINKINFO);
	netlink_batch_text(b, IFLA_INFO_SLAVE_KIND, "bridge");
	data = netlink_batch_nest(b, IFLA_INFO_SLAVE_DATA);
	if (leg->hairpin)
		netlink_batch_attr(b, IFLA_BRPORT_MODE, &on, sizeof(on));
	if (leg->alone)
		netlink_batch_attr(b, IFLA_BRPORT_ISOLATED, &on, sizeof(on));
	netlink_batch_end(b, data);
	netlink_batch_end(b, info);
}

/* A device on top of the host's */
static void add_vlan(struct netlink_batch *b, const struct net_leg *leg, const struct net_link *parent, int netns)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	const uint32_t macvlan = leg->mode;
	const uint16_t ipvlan = (uint16_t) leg->mode;
	size_t info, data;

	netlink_batch_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	netlink_batch_text(b, IFLA_IFNAME, leg->inside);
	netlink_batch_attr(b, IFLA_LINK, &parent->index, sizeof(parent->index));
	netlink_batch_attr(b, IFLA_NET_NS_FD, &netns, sizeof(netns));
	add_common(b, leg, leg->mtu);
	info = netlink_batch_nest(b, IFLA_LINKINFO);
	netlink_batch_text(b, IFLA_INFO_KIND, kinds[leg->kind]);
	data = netlink_batch_nest(b, IFLA_INFO_DATA);
	if (leg->kind == NET_LEG_MACVLAN)
		netlink_batch_attr(b, IFLA_MACVLAN_MODE, &macvlan, sizeof(macvlan));
	else
		netlink_batch_attr(b, IFLA_IPVLAN_MODE, &ipvlan, sizeof(ipvlan));
	netlink_batch_end(b, data);
	netlink_batch_end(b, info);
}

static int make_failed(int r, const struct net_leg *leg, struct err *err)
{
	if (r == -EOPNOTSUPP)
		return err_msg(err, r, "the kernel has no devices of kind %s (CONFIG_%s)", kinds[leg->kind],
			       leg->kind == NET_LEG_VETH ? "VETH" : leg->kind == NET_LEG_MACVLAN ? "MACVLAN" : "IPVLAN");
	return err_set(err, r, "join the instance to '%s'", leg->parent);
}

static int make(int host, int netns, const struct net_leg *legs, size_t n, struct err *err)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	uint32_t failed = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		struct net_link parent;

		r = net_link_find(host, legs[i].parent, &parent);
		if (r < 0)
			return err_set(err, r, "find network device '%s'", legs[i].parent);
		if (legs[i].kind == NET_LEG_VETH)
			add_veth(&b, &legs[i], &parent, netns);
		else
			add_vlan(&b, &legs[i], &parent, netns);
	}
	for (size_t i = 0; i < n; i++) /* after all others, whose numbers tell which one failed */
		if (legs[i].kind == NET_LEG_VETH)
			net_leg_port(&b, &legs[i]);
	r = netlink_batch_send(host, &b, NULL, NULL, &failed);
	return r < 0 ? make_failed(r, &legs[failed < n ? failed : 0], err) : 0;
}

static void add_route(struct netlink_batch *b, int index, const struct net_address *gateway)
{
	const struct rtmsg route = {
		.rtm_family = (unsigned char) gateway->family,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};

	if (gateway->family == 0)
		return;
	netlink_batch_add(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof(route));
	netlink_batch_attr(b, RTA_GATEWAY, gateway->bytes, net_address_size(gateway));
	netlink_batch_attr(b, RTA_OIF, &index, sizeof(index));
}

/* A token bucket at the device's end */
void net_leg_rate(struct netlink_batch *b, int index, uint64_t bits)
{
	const struct tcmsg head = { .tcm_family = AF_UNSPEC, .tcm_ifindex = index, .tcm_parent = TC_H_ROOT };
	uint64_t rate = bits / 8, burst = rate * BURST_MS / 1000, limit;
	struct tc_tbf_qopt q = { .rate = { .linklayer = TC_LINKLAYER_ETHERNET } };
	uint32_t bytes;
	size_t options;

	if (bits == 0)
		return;
	burst = burst < BURST_MIN ? BURST_MIN : burst > UINT32_MAX / 4 ? UINT32_MAX / 4 : burst;
	limit = burst + rate * QUEUE_MS / 1000;
	bytes = (uint32_t) burst;
	q.rate.rate = rate < UINT32_MAX ? (uint32_t) rate : UINT32_MAX;
	q.limit = limit < UINT32_MAX ? (uint32_t) limit : UINT32_MAX;
	netlink_batch_add(b, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof(head));
	netlink_batch_text(b, TCA_KIND, "tbf");
	options = netlink_batch_nest(b, TCA_OPTIONS);
	netlink_batch_attr(b, TCA_TBF_PARMS, &q, sizeof(q));
	netlink_batch_attr(b, TCA_TBF_BURST, &bytes, sizeof(bytes));
	if (rate >= UINT32_MAX)
		netlink_batch_attr(b, TCA_TBF_RATE64, &rate, sizeof(rate));
	netlink_batch_end(b, options);
}

static int set_up(int inside, const struct net_leg *legs, size_t n, struct err *err)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	int r;

	for (size_t i = 0; i < n; i++) {
		struct net_link link;

		r = net_link_find(inside, legs[i].inside, &link);
		if (r < 0)
			return err_set(err, r, "find device %s of the instance", legs[i].inside);
		net_link_address(&b, link.index, &legs[i].v4);
		net_link_address(&b, link.index, &legs[i].v6);
		net_link_up(&b, link.index);
		for (size_t k = 0; k < ARRAY_LEN(legs[i].gateways); k++)
			add_route(&b, link.index, &legs[i].gateways[k]);
		net_leg_rate(&b, link.index, legs[i].rate);
	}
	r = netlink_batch_send(inside, &b, NULL, NULL, NULL);
	return r < 0 ? err_set(err, r, "set addresses and routes of the instance") : 0;
}

/* The ends on the bridge limit what comes to the instance. */
static int limit_rates(int host, const struct net_leg *legs, size_t n, struct err *err)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	int r;

	for (size_t i = 0; i < n; i++) {
		struct net_link link;

		if (legs[i].rate == 0 || legs[i].kind != NET_LEG_VETH)
			continue;
		r = net_link_find(host, legs[i].host, &link);
		if (r < 0)
			return err_set(err, r, "find device '%s'", legs[i].host);
		net_leg_rate(&b, link.index, legs[i].rate);
	}
	r = netlink_batch_send(host, &b, NULL, NULL, NULL);
	return r < 0 ? err_set(err, r, "limit the rate of the network (CONFIG_NET_SCH_TBF)") : 0;
}

static int open_inside(int netns, struct err *err)
{
	int fd = netlink_open_in(netns);

	return fd < 0 ? err_set(err, fd, "netlink socket in the network namespace of the instance") : fd;
}

int net_legs_attach(int netns, const struct net_leg *legs, size_t n, struct err *err)
{
	_cleanup_close_ int host = netlink_open();
	int r;

	if (host < 0)
		return err_set(err, host, "netlink socket");
	_cleanup_close_ int inside = open_inside(netns, err);
	if (inside < 0)
		return inside;
	r = make(host, netns, legs, n, err);
	if (r == 0)
		r = set_up(inside, legs, n, err);
	return r == 0 ? limit_rates(host, legs, n, err) : r;
}

int net_leg_detach(int netns, const char *inside, struct err *err)
{
	_cleanup_close_ int fd = open_inside(netns, err);
	int r;

	if (fd < 0)
		return fd;
	r = net_link_remove(fd, inside);
	return r < 0 ? err_set(err, r, "remove device %s of the instance", inside) : 0;
}
