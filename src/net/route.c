/* SPDX-License-Identifier: MIT */
#include "net/route.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sys/netlink.h"
#include "sys/netlink_batch.h"

#define MARKED_TABLE 100 /* of routes */

static int add(struct net_routes *r, const struct net_route *route)
{
	if (r->n == r->room) {
		size_t room = r->room * 2 + 64;
		struct net_route *v = realloc(r->v, room * sizeof(*v));

		if (v == NULL)
			return -ENOMEM;
		r->v = v;
		r->room = room;
	}
	r->v[r->n++] = *route;
	return 0;
}

/* Handler of RTM_GETROUTE */
static int keep_route(const struct nlmsghdr *m, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(m);
	struct net_route route = { 0 };
	struct net_routes *r = arg;
	const void *data;
	size_t size;

	if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)))
		return -EBADMSG;
	if (rt->rtm_type != RTN_UNICAST || rt->rtm_table == RT_TABLE_LOCAL || (rt->rtm_flags & RTM_F_CLONED) != 0 ||
	    (rt->rtm_family != AF_INET && rt->rtm_family != AF_INET6))
		return 0;
	data = netlink_msg_attr(m, sizeof(*rt), RTA_OIF, &size);
	if (data != NULL && size >= sizeof(route.device))
		memcpy(&route.device, data, sizeof(route.device));
	if (rt->rtm_dst_len == 0) {
		if (rt->rtm_family == AF_INET && r->default_device == 0)
			r->default_device = route.device;
		return 0;
	}
	route.to.base.family = rt->rtm_family;
	route.to.length = rt->rtm_dst_len;
	data = netlink_msg_attr(m, sizeof(*rt), RTA_DST, &size);
	if (data == NULL || size != net_address_size(&route.to.base) || route.to.length > size * 8)
		return -EBADMSG;
	memcpy(route.to.base.bytes, data, size);
	/* what every device has, and what is nobody's */
	if (rt->rtm_family == AF_INET6 && (route.to.base.bytes[0] == 0xfe || route.to.base.bytes[0] == 0xff))
		return 0;
	return r->n < NET_ROUTES_MAX ? add(r, &route) : 0;
}

int net_routes_read(int fd, struct net_routes *ret, struct err *err)
{
	const struct rtmsg head = { .rtm_family = AF_UNSPEC };
	struct netlink_request req;
	int r;

	netlink_init(&req, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
	r = netlink_call(fd, &req, keep_route, ret);
	return r < 0 ? err_set(err, r, "read the routes of the host") : 0;
}

void net_routes_fini(struct net_routes *r)
{
	free(r->v);
	*r = (struct net_routes) { 0 };
}

const struct net_route *net_routes_overlap(const struct net_routes *r, const struct net_prefix *p, int device)
{
	for (size_t i = 0; i < r->n; i++)
		if ((device == 0 || r->v[i].device != device) && net_prefix_overlap(&r->v[i].to, p))
			return &r->v[i];
	return NULL;
}

static int add_marked(int fd, unsigned char family, uint32_t mark, int device)
{
	_cleanup_(netlink_batch_fini) struct netlink_batch b = { 0 };
	const struct fib_rule_hdr rule = { .family = family, .table = MARKED_TABLE, .action = FR_ACT_TO_TBL };
	const struct rtmsg route = {
		.rtm_family = family,
		.rtm_table = MARKED_TABLE,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL,
	};

	netlink_batch_add(&b, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &rule, sizeof(rule));
	netlink_batch_attr(&b, FRA_FWMARK, &mark, sizeof(mark));
	netlink_batch_add(&b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof(route));
	netlink_batch_attr(&b, RTA_OIF, &device, sizeof(device));
	return netlink_batch_send(fd, &b, NULL, NULL, NULL);
}

int net_route_marked(int fd, uint32_t mark, int device)
{
	int r = add_marked(fd, AF_INET, mark, device), r6 = add_marked(fd, AF_INET6, mark, device);

	if (r == 0 && r6 < 0 && r6 != -EAFNOSUPPORT && r6 != -EOPNOTSUPP) /* a kernel without IPv6 has none of its packets */
		r = r6;
	return r;
}
