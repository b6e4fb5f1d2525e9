/* SPDX-License-Identifier: MIT */
/**
 * DOC: options of drivers
 *
 * Those of Docker and Podman that mean something here.  All others are refused: an option without effect is worse than none.
 */
#include "cli/network_options.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/net/network.h"

#define MTU_MIN 68
#define MTU_MAX 65535

enum kind { KIND_MTU, KIND_DEVICE, KIND_SWITCH, KIND_MODE, KIND_ADDRESS, KIND_ISOLATE };

static const struct {
	const char *name;
	enum kind kind;
	bool bridge, other; /* drivers that have it */
} known[] = {
	{ "mtu", KIND_MTU, true, true },
	{ "com.docker.network.driver.mtu", KIND_MTU, true, true },
	{ "com.docker.network.bridge.name", KIND_DEVICE, true, false },
	{ ENG_NETWORK_ICC, KIND_SWITCH, true, false },
	{ ENG_NETWORK_MASQUERADE, KIND_SWITCH, true, false },
	{ ENG_NETWORK_BINDING, KIND_ADDRESS, true, false },
	{ "isolate", KIND_ISOLATE, true, false },
	{ "parent", KIND_DEVICE, false, true },
	{ "mode", KIND_MODE, false, true },
	{ "macvlan_mode", KIND_MODE, false, true },
	{ "ipvlan_mode", KIND_MODE, false, true },
};

int network_device(const char *name, struct eng_network *n, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IFNAMSIZ || strpbrk(name, "/: \t\n%") != NULL || name[0] == '.')
		return err_msg(err, -EINVAL, "'%.64s' cannot be the name of a network device", name);
	n->device = name;
	return 0;
}

static int read_mtu(const char *value, struct eng_network *n, struct err *err)
{
	uint64_t number = 0;

	if (str_to_u64(value, &number) < 0 || number < MTU_MIN || number > MTU_MAX)
		return err_msg(err, -EINVAL, "invalid mtu '%.64s': %d to %d are possible", value, MTU_MIN, MTU_MAX);
	n->mtu = (unsigned) number;
	return 0;
}

static bool is_one_of(const char *value, const char *const *list)
{
	while (*list != NULL && strcmp(*list, value) != 0)
		list++;
	return *list != NULL;
}

static int read_value(const char *name, enum kind kind, const char *value, struct eng_network *n, struct err *err)
{
	static const char *const switches[] = { "true", "false", "1", "0", NULL }, *const on[] = { "true", "1", "strict", NULL };
	struct net_address a;

	switch (kind) {
	case KIND_MTU:
		return read_mtu(value, n, err);
	case KIND_DEVICE:
		return network_device(value, n, err);
	case KIND_MODE: /* looked at with the driver */
		return 0;
	case KIND_SWITCH:
		return is_one_of(value, switches) ? 0 : err_msg(err, -EINVAL, "invalid option %s=%.64s: expected true or false", name, value);
	case KIND_ADDRESS:
		return net_address_parse(value, &a) == 0 && a.family == AF_INET
			       ? 0 : err_msg(err, -EINVAL, "invalid option %s=%.64s: expected an address of IPv4", name, value);
	case KIND_ISOLATE:
		return is_one_of(value, on) ? 0 : err_msg(err, -EINVAL, "invalid option isolate=%.64s: networks are always isolated from "
									 "each other; an instance can be in several (see 'network connect')", value);
	}
	return -EINVAL;
}

int network_option(const char *option, struct eng_network *n, struct err *err)
{
	size_t len = strcspn(option, "=");
	bool bridge = strcmp(n->driver, "bridge") == 0;

	if (option[len] == '\0' || len == 0)
		return err_msg(err, -EINVAL, "invalid option '%.100s': expected NAME=VALUE", option);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strlen(known[i].name) == len && strncmp(option, known[i].name, len) == 0 && (bridge ? known[i].bridge : known[i].other))
			return read_value(known[i].name, known[i].kind, option + len + 1, n, err);
	if (bridge && strncmp(option, "vlan", len) == 0)
		return err_msg(err, -EINVAL, "bridges have no VLANs here: --driver macvlan --opt parent=DEVICE.ID makes a network of one");
	return err_msg(err, -EINVAL, "a network of driver %.64s has no option '%.*s': %s are known", n->driver, (int) (len < 100 ? len : 100),
		       option, bridge ? "mtu, isolate, and bridge.name, bridge.enable_icc, bridge.enable_ip_masquerade, "
					"bridge.host_binding_ipv4 after com.docker.network."
				      : "mtu, parent and mode");
}

int network_servers(const struct opt_strings *values, struct arena *a, struct img_words *ret, struct err *err)
{
	for (size_t i = 0; i < values->n; i++)
		for (const char *p = values->v[i]; p != NULL;) { /* several may be separated by commas */
			size_t len = strcspn(p, ",");
			char *one = arena_strndup(a, p, len), text[NET_TEXT_MAX];
			struct net_address address;

			if (one == NULL)
				return err_set(err, -ENOMEM, "read addresses");
			if (net_address_parse(one, &address) < 0)
				return err_msg(err, -EINVAL, "'%.64s' is not the address of a server for names", one);
			net_address_text(&address, text);
			one = arena_strdup(a, text);
			if (one == NULL || eng_words_add(a, ret, one) < 0)
				return err_set(err, -ENOMEM, "read addresses");
			p = p[len] == ',' ? p + len + 1 : NULL;
		}
	return 0;
}
