/* SPDX-License-Identifier: MIT */
/**
 * DOC: host name, /etc/hosts, /etc/resolv.conf, ports
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "net/publish.h"

#define HOSTNAME_MAX 63 /* bytes */

static bool is_address(const char *text)
{
	unsigned char raw[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

static bool is_one_word(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (isspace((unsigned char) *p) || iscntrl((unsigned char) *p))
			return false;
	return *text != '\0';
}

/* NAME:ADDRESS or NAME=ADDRESS; an IPv6 address may be in brackets */
static int read_host(struct eng_config *c, const char *text, struct err *err)
{
	size_t n = strcspn(text, ":=");
	char address[128];
	const char *entry;
	size_t len;

	if (n == 0 || text[n] == '\0' || text[n + 1] == '\0' || strlen(text + n) > sizeof(address))
		return err_msg(err, -EINVAL, "bad format for add-host: \"%.200s\"", text);
	(void) snprintf(address, sizeof(address), "%s", text + n + 1);
	len = strlen(address);
	if (address[0] == '[' && address[len - 1] == ']') {
		address[len - 1] = '\0';
		memmove(address, address + 1, len - 1);
	}
	if (strcmp(address, "host-gateway") != 0 && !is_address(address))
		return err_msg(err, -EINVAL, "invalid IP address in add-host: \"%.100s\"", address);
	entry = arena_printf(&c->arena, "%.*s:%s", (int) n, text, address);
	if (entry != NULL && !is_one_word(entry))
		return err_msg(err, -EINVAL, "bad format for add-host: \"%.200s\"", text);
	return entry == NULL || eng_words_add(&c->arena, &c->add_hosts, entry) < 0 ? run_nomem(err)
										   : 0;
}

static int read_dns(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < o->dns.n; i++)
		if (!is_address(o->dns.v[i]))
			return err_msg(err, -EINVAL,
				       "--dns '%.100s': %.100s is not an ip address", o->dns.v[i],
				       o->dns.v[i]);
	for (size_t i = 0; i < o->dns_search.n; i++)
		if (!is_one_word(o->dns_search.v[i]) || strlen(o->dns_search.v[i]) > 255)
			return err_msg(err, -EINVAL, "--dns-search '%.100s' is not a valid domain",
				       o->dns_search.v[i]);
	for (size_t i = 0; i < o->dns_option.n; i++)
		if (!is_one_word(o->dns_option.v[i]))
			return err_msg(err, -EINVAL, "--dns-option '%.100s' is not one word",
				       o->dns_option.v[i]);
	r = run_list(c, &o->dns, &c->dns, err);
	if (r == 0)
		r = run_list(c, &o->dns_search, &c->dns_search, err);
	return r == 0 ? run_list(c, &o->dns_option, &c->dns_options, err) : r;
}

static bool is_protocol(const char *p)
{
	return *p == '\0' || strcmp(p, "/tcp") == 0 || strcmp(p, "/udp") == 0 ||
	       strcmp(p, "/sctp") == 0;
}

static bool is_exposed(const struct eng_config *c, const char *port)
{
	for (size_t i = 0; i < c->expose.n; i++)
		if (strcmp(c->expose.v[i], port) == 0)
			return true;
	return false;
}

/* "80", "80/udp", "80-90": kept as "80/tcp" each */
static int expose(struct eng_config *c, const char *text, struct err *err)
{
	unsigned n = 0, first = 0;
	const char *p = net_port_range(text, &first, &n);

	if (p == NULL || !is_protocol(p))
		return err_msg(err, -EINVAL, "invalid port format for --expose: %.100s", text);
	for (unsigned i = 0; i < n; i++) {
		const char *port = arena_printf(&c->arena, "%u%s", first + i,
						*p != '\0' ? p : "/tcp");

		if (port == NULL || (!is_exposed(c, port) &&
				     eng_words_add(&c->arena, &c->expose, port) < 0))
			return run_nomem(err);
	}
	return 0;
}

/* Is it in a network of which the host has an address? */
static bool is_networked(const struct eng_config *c)
{
	return c->network != NULL && strcmp(c->network, "none") != 0 && strcmp(c->network, "host") != 0;
}

static int read_ports(struct eng_config *c, const struct run_opts *o,
		      const struct img_config *image, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->publish.n; i++) {
		_cleanup_free_ struct net_publish *list = NULL;

		r = net_publish_parse(o->publish.v[i], &list, err);
		r = r < 0 ? r : 0;
	}
	if (r == 0)
		r = run_list(c, &o->publish, &c->ports, err);
	for (size_t i = 0; r == 0 && i < image->ports.n; i++)
		r = eng_words_add(&c->arena, &c->expose, image->ports.v[i]) < 0 ? run_nomem(err) : 0;
	for (size_t i = 0; r == 0 && i < o->expose.n; i++)
		r = expose(c, o->expose.v[i], err);
	if (r == 0 && (o->publish.n > 0 || o->publish_all) && !is_networked(c))
		log_warning("Published ports are discarded when using %s network mode",
			    c->network != NULL ? c->network : "none");
	return r;
}

int run_names(struct eng_config *c, const struct run_opts *o, const struct img_config *image,
	      struct err *err)
{
	int r = 0;

	if (o->hostname != NULL &&
	    (!is_one_word(o->hostname) || strlen(o->hostname) > HOSTNAME_MAX ||
	     strchr(o->hostname, '/') != NULL))
		return err_msg(err, -EINVAL, "--hostname '%.80s': 1 to %d characters are allowed",
			       o->hostname, HOSTNAME_MAX);
	if (o->domainname != NULL &&
	    (!is_one_word(o->domainname) || strlen(o->domainname) > HOSTNAME_MAX))
		return err_msg(err, -EINVAL,
			       "--domainname '%.80s': 1 to %d characters are allowed",
			       o->domainname, HOSTNAME_MAX);
	if (o->no_hosts && o->add_host.n > 0)
		return err_msg(err, -EINVAL, "--no-hosts and --add-host cannot be set together");
	c->no_hosts = o->no_hosts;
	c->no_hostname = o->no_hostname;
	r = run_text(c, o->hostname, &c->hostname, err);
	if (r == 0)
		r = run_text(c, o->domainname, &c->domainname, err);
	for (size_t i = 0; r == 0 && i < o->add_host.n; i++)
		r = read_host(c, o->add_host.v[i], err);
	if (r == 0)
		r = read_dns(c, o, err);
	return r == 0 ? read_ports(c, o, image, err) : r;
}
