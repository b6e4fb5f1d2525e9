/* SPDX-License-Identifier: MIT */
/**
 * DOC: a virtual machine in the place of a device
 *
 * The device keeps its addresses, so that whoever made it finds it as it was, but all frames that come to it are
 * redirected to the tap device before anybody else sees them, and the other way round.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/device.h"
#include "net/link_parts.h"
#include "sys/netlink.h"
#include "sys/netlink_batch.h"

#define INGRESS TC_H_MAKE(TC_H_INGRESS, 0)
#define PRIORITY 1u
#define FIRST_ACTION 1

static void add_ingress(struct netlink_batch *b, int index)
{
	const struct tcmsg head = { .tcm_ifindex = index, .tcm_handle = INGRESS, .tcm_parent = TC_H_INGRESS };

	netlink_batch_add(b, RTM_NEWQDISC, NLM_F_CREATE, &head, sizeof(head));
	netlink_batch_text(b, TCA_KIND, "ingress");
}

/* All that comes to device @from goes out by @to. */
static void add_redirect(struct netlink_batch *b, int from, int to)
{
	const struct tcmsg head = { .tcm_ifindex = from,
				    .tcm_parent = INGRESS,
				    .tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_ALL)) };
	const struct tc_u32_sel all = { .flags = TC_U32_TERMINAL };
	const struct tc_mirred redirect = { .action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (uint32_t) to };
	size_t options, actions, action, parameters;

	netlink_batch_add(b, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	netlink_batch_text(b, TCA_KIND, "u32");
	options = netlink_batch_nest(b, TCA_OPTIONS);
	netlink_batch_attr(b, TCA_U32_SEL, &all, sizeof(all));
	actions = netlink_batch_nest(b, TCA_U32_ACT);
	action = netlink_batch_nest(b, FIRST_ACTION);
	netlink_batch_text(b, TCA_ACT_KIND, "mirred");
	parameters = netlink_batch_nest(b, TCA_ACT_OPTIONS);
	netlink_batch_attr(b, TCA_MIRRED_PARMS, &redirect, sizeof(redirect));
	netlink_batch_end(b, parameters);
	netlink_batch_end(b, action);
	netlink_batch_end(b, actions);
	netlink_batch_end(b, options);
}

/* Those of a machine that was there before */
static void remove_ingress(int fd, int index)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	const struct tcmsg head = { .tcm_ifindex = index, .tcm_handle = INGRESS, .tcm_parent = TC_H_INGRESS };

	netlink_batch_add(&b, RTM_DELQDISC, 0, &head, sizeof(head));
	(void) netlink_batch_send(fd, &b, NULL, NULL, NULL); /* mostly there are none */
}

static int connect_tap(const struct net_device *d, const char *tap, struct err *err)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	const struct ifinfomsg up = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	_cleanup_close_ int fd = netlink_open();
	struct net_link link;
	int r = fd < 0 ? fd : net_link_find(fd, tap, &link);

	if (r < 0)
		return err_set(err, r, "find tap device '%s'", tap);
	remove_ingress(fd, d->index);
	netlink_batch_add(&b, RTM_NEWLINK, 0, &up, sizeof(up));
	netlink_batch_text(&b, IFLA_IFNAME, tap);
	netlink_batch_attr(&b, IFLA_MTU, &d->mtu, sizeof(d->mtu));
	add_ingress(&b, d->index);
	add_ingress(&b, link.index);
	add_redirect(&b, d->index, link.index);
	add_redirect(&b, link.index, d->index);
	r = netlink_batch_send(fd, &b, NULL, NULL, NULL);
	return r < 0 ? err_set(err, r, "divert device '%s' to the virtual machine (kernel modules sch_ingress, cls_u32, act_mirred)",
			       d->name)
		     : 0;
}

int net_device_divert(const struct net_device *d, unsigned queues, int *fds, struct err *err)
{
	char tap[IFNAMSIZ];
	unsigned n = 0;
	int r = 0;

	(void) snprintf(tap, sizeof(tap), NET_DIVERT_PREFIX "%d", d->index);
	while (r == 0 && n < queues) {
		fds[n] = net_tap_queue(tap, queues > 1, err);
		r = fds[n] < 0 ? fds[n] : 0;
		n += r == 0;
	}
	if (r == 0)
		r = connect_tap(d, tap, err);
	while (r < 0 && n > 0)
		(void) close(fds[--n]); /* nothing was sent */
	return r;
}
