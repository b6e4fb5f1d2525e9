/* SPDX-License-Identifier: MIT */
/* Moves one end of a veth pair from one new network namespace to another. */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/process.h"
#include "oci/spec.h"
#include "sys/netlink.h"

#define UNABLE 77 /* exit code: no privilege, or no veth in the kernel */

static int open_netns(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* Attributes nested in one another; the length of the outer is that of the whole. */
static void nest(struct netlink_request *req, uint16_t outer, uint16_t inner, const void *data, size_t n)
{
	char space[128];
	struct rtattr a = { .rta_type = inner, .rta_len = (unsigned short) RTA_LENGTH(n) };

	memcpy(space, &a, sizeof(a));
	memcpy(space + RTA_LENGTH(0), data, n);
	(void) netlink_attr(req, outer, space, RTA_LENGTH(n));
}

static int add_veth(int fd, const char *name)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct netlink_request req;

	netlink_init(&req, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	(void) netlink_attr(&req, IFLA_IFNAME, name, strlen(name) + 1);
	nest(&req, IFLA_LINKINFO, IFLA_INFO_KIND, "veth", 5);
	return netlink_call(fd, &req, NULL, NULL);
}

static int add_address(int fd, int index, uint8_t scope, uint32_t address)
{
	struct ifaddrmsg a = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_scope = scope,
			       .ifa_index = (uint32_t) index };
	struct netlink_request req;

	netlink_init(&req, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &a, sizeof(a));
	address = htonl(address);
	(void) netlink_attr(&req, IFA_LOCAL, &address, sizeof(address));
	return netlink_call(fd, &req, NULL, NULL);
}

static int add_address6(int fd, int index)
{
	struct ifaddrmsg a = { .ifa_family = AF_INET6, .ifa_prefixlen = 64,
			       .ifa_index = (uint32_t) index };
	static const uint8_t address[16] = { 0xfd, [15] = 7 };
	struct netlink_request req;

	netlink_init(&req, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &a, sizeof(a));
	(void) netlink_attr(&req, IFA_LOCAL, address, sizeof(address));
	return netlink_call(fd, &req, NULL, NULL);
}

static bool has_ipv4(const char *name, uint32_t address)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		struct sockaddr_in in;

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET ||
		    strcmp(i->ifa_name, name) != 0)
			continue;
		memcpy(&in, i->ifa_addr, sizeof(in));
		found = found || in.sin_addr.s_addr == htonl(address);
	}
	freeifaddrs(all);
	return found;
}

static bool has_ipv6(const char *name)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		struct sockaddr_in6 in;

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET6 ||
		    strcmp(i->ifa_name, name) != 0)
			continue;
		memcpy(&in, i->ifa_addr, sizeof(in));
		found = found || in.sin6_addr.s6_addr[0] == 0xfd;
	}
	freeifaddrs(all);
	return found;
}

static bool is_up(const char *name, int *ret_mtu)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { 0 };

	(void) snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &req) < 0)
		return false;
	*ret_mtu = req.ifr_mtu;
	return ioctl(fd, SIOCGIFFLAGS, &req) == 0 && (req.ifr_flags & IFF_UP) != 0;
}

/* Return: 0; UNABLE; the number of the step that failed. */
static int move(const char *rename_to, const char *expected)
{
	struct oci_net_device dev = { (char *) "clv0", (char *) rename_to };
	struct oci_spec spec = { .linux = { .net_devices = &dev, .nr_net_devices = 1 } };
	struct err err = { 0 };
	int mtu = 0, index;

	if (unshare(CLONE_NEWNET) < 0)
		return UNABLE;
	_cleanup_close_ int target = open_netns();
	if (unshare(CLONE_NEWNET) < 0)
		return UNABLE;
	_cleanup_close_ int fd = netlink_open();
	if (target < 0 || fd < 0)
		return 1;
	if (add_veth(fd, "clv0") < 0)
		return UNABLE;
	index = (int) if_nametoindex("clv0");
	if (add_address(fd, index, RT_SCOPE_UNIVERSE, 0x0a000007) < 0 ||
	    add_address(fd, index, RT_SCOPE_HOST, 0x0a000107) < 0 || add_address6(fd, index) < 0)
		return 2;
	struct ifreq req = { .ifr_name = "clv0", .ifr_mtu = 1789 };
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(sock, SIOCSIFMTU, &req) < 0)
		return 3;
	if (oci_netdev_move(&spec, target, &err) < 0) {
		(void) fprintf(stderr, "%s\n", err.text);
		return 4;
	}
	if (if_nametoindex("clv0") != 0)
		return 5;
	/* once more: it is gone, and the message says which one */
	if (oci_netdev_move(&spec, target, &err) != -ENODEV || strstr(err.text, "clv0") == NULL)
		return 6;
	if (setns(target, CLONE_NEWNET) < 0 || if_nametoindex(expected) == 0)
		return 7;
	if (!is_up(expected, &mtu) || mtu != 1789)
		return 8;
	if (!has_ipv4(expected, 0x0a000007) || has_ipv4(expected, 0x0a000107))
		return 9;
	return has_ipv6(expected) ? 0 : 10;
}

static int move_same_name(void)
{
	return move(NULL, "clv0");
}

static int move_renamed(void)
{
	return move("inside", "inside");
}

static int move_template(void)
{
	return move("eth%d", "eth0");
}

static int bad_names(void)
{
	static const char *const bad[] = { "a/b", "..", "sixteen-or-longer", "a b", "" };
	int target = open_netns();

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct oci_net_device dev = { (char *) bad[i], NULL };
		struct oci_spec spec = { .linux = { .net_devices = &dev, .nr_net_devices = 1 } };
		struct err err = { 0 };
		int r = oci_netdev_move(&spec, target, &err);

		if (r == -EPERM)
			return UNABLE;
		if (r != -EINVAL || strstr(err.text, "invalid network device name") == NULL)
			return 1 + (int) i;
	}
	return 0;
}

static int loopback(void)
{
	int mtu;

	if (unshare(CLONE_NEWNET) < 0)
		return UNABLE;
	if (is_up("lo", &mtu))
		return 1;
	if (oci_lo_up(NULL) < 0)
		return 2;
	return is_up("lo", &mtu) && has_ipv4("lo", 0x7f000001) ? 0 : 3;
}

/* The namespaces go with the child that made them. */
static void in_child(int (*f)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == UNABLE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void same_name(void **state)
{
	(void) state;
	in_child(move_same_name);
}

static void renamed(void **state)
{
	(void) state;
	in_child(move_renamed);
}

static void template_name(void **state)
{
	(void) state;
	in_child(move_template);
}

static void names_refused(void **state)
{
	(void) state;
	in_child(bad_names);
}

static void loopback_up(void **state)
{
	(void) state;
	in_child(loopback);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_name),	 cmocka_unit_test(renamed),
		cmocka_unit_test(template_name), cmocka_unit_test(names_refused),
		cmocka_unit_test(loopback_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
