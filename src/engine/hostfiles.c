/* SPDX-License-Identifier: MIT */
#include "engine/hostfiles.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/net/attach.h"

#define FILE_MAX (1u << 20) /* bytes of /etc/hosts or /etc/resolv.conf */
#define SOMEWHERE 0xc0000201 /* 192.0.2.1, RFC 5737: an address that is nobody's */

static int write_file(int dir, const char *name, const struct str *text, struct err *err)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r = text->failed ? -ENOMEM
		: fd < 0     ? -errno
			     : fd_write_full(fd, text->p != NULL ? text->p : "", text->len);

	return r < 0 ? err_set(err, r, "write file '%s' of the instance", name) : 0;
}

static bool is_host(const struct eng_config *c)
{
	return c->network != NULL && strcmp(c->network, "host") == 0;
}

/* The host's address on the way out.  Nothing is sent. */
static int host_gateway(const struct eng_config *c, char ret[INET_ADDRSTRLEN], struct err *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(SOMEWHERE) };
	socklen_t n = sizeof(a);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (is_host(c))
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (fd < 0 || connect(fd, (const struct sockaddr *) &a, sizeof(a)) < 0 ||
		 getsockname(fd, (struct sockaddr *) &a, &n) < 0)
		return err_set(err, -errno,
			       "--add-host: unable to derive the IP value for host-gateway");
	(void) inet_ntop(AF_INET, &a.sin_addr, ret, INET_ADDRSTRLEN); /* there is room */
	return 0;
}

/* NAME:ADDRESS */
static int add_hosts(const struct eng_config *c, const struct eng_net *net, struct str *ret, struct err *err)
{
	char gateway[INET_ADDRSTRLEN];
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->add_hosts.n; i++) {
		const char *name = c->add_hosts.v[i], *address = strchr(name, ':');
		int n = (int) strcspn(name, ":");

		address = address != NULL ? address + 1 : "";
		if (strcmp(address, "host-gateway") == 0 && net != NULL && net->gateway[0] != '\0') {
			address = net->gateway;
		} else if (strcmp(address, "host-gateway") == 0) {
			r = host_gateway(c, gateway, err);
			address = gateway;
		}
		if (r == 0)
			str_printf(ret, "%s\t%.*s\n", address, n, name);
	}
	return r;
}

static int make_hosts(const struct eng_config *c, const struct eng_net *net, struct str *ret, struct err *err)
{
	int r;

	if (is_host(c)) {
		r = file_read(AT_FDCWD, "/etc/hosts", FILE_MAX, ret);
		if (r < 0 && r != -ENOENT)
			return err_set(err, r, "read /etc/hosts");
		return add_hosts(c, net, ret, err);
	}
	str_puts(
		ret,
		"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
		"fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
	r = add_hosts(c, net, ret, err);
	if (net != NULL)
		str_puts(ret, net->hosts);
	else if (c->domainname != NULL)
		str_printf(ret, "127.0.1.1\t%s.%s %s\n", c->hostname, c->domainname, c->hostname);
	else
		str_printf(ret, "127.0.1.1\t%s\n", c->hostname);
	return r;
}

static bool begins_with_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	line += strspn(line, " \t");
	return strncmp(line, word, n) == 0 && (line[n] == ' ' || line[n] == '\t');
}

/* A server of the host's that only the host can reach */
static bool is_loopback(const char *line)
{
	line += strspn(line, " \t") + strlen("nameserver");
	line += strspn(line, " \t");
	return str_starts(line, "127.") || str_starts(line, "::1");
}

/* Lines of the host's that no option replaces; @own_net: it has a network of its own; @resolver: with one */
static void keep_lines(const struct eng_config *c, bool own_net, bool resolver, char *text, struct str *ret)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (begins_with_word(line, "nameserver") && (c->dns.n > 0 || resolver || (own_net && is_loopback(line))))
			continue;
		if ((c->dns_search.n > 0 && (begins_with_word(line, "search") ||
					     begins_with_word(line, "domain"))) ||
		    (c->dns_options.n > 0 && begins_with_word(line, "options")))
			continue;
		str_printf(ret, "%s\n", line);
	}
}

static void add_line(const char *word, const struct img_words *list, struct str *ret)
{
	str_puts(ret, list->n > 0 ? word : "");
	for (size_t i = 0; i < list->n; i++)
		str_printf(ret, " %s", list->v[i]);
	str_puts(ret, list->n > 0 ? "\n" : "");
}

static bool has_server(const char *text)
{
	for (const char *p = text; p != NULL && *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n')
		if (begins_with_word(p, "nameserver") && !is_loopback(p))
			return true;
	return false;
}

/* The servers behind one that only the host can reach, where systemd tells them */
static int read_resolv(bool own_net, struct str *ret, struct err *err)
{
	_cleanup_(str_fini) struct str behind = { 0 };
	int r = file_read(AT_FDCWD, "/etc/resolv.conf", FILE_MAX, ret);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read /etc/resolv.conf");
	if (own_net && !has_server(ret->p) &&
	    file_read(AT_FDCWD, "/run/systemd/resolve/resolv.conf", FILE_MAX, &behind) == 0 && has_server(behind.p)) {
		str_fini(ret);
		*ret = (struct str) { 0 };
		str_puts(ret, behind.p);
	}
	return 0;
}

/* A host without resolv.conf gives an empty one. */
static int make_resolv(const struct eng_config *c, const char *resolver, struct str *ret, struct err *err)
{
	_cleanup_(str_fini) struct str host = { 0 };
	bool own_net = c->network != NULL && !is_host(c) && strcmp(c->network, "none") != 0;
	int r = read_resolv(own_net, &host, err);

	if (r < 0)
		return r;
	if (c->dns.n == 0 && c->dns_search.n == 0 && c->dns_options.n == 0 && !own_net) {
		str_add(ret, host.p != NULL ? host.p : "", host.len);
		return 0;
	}
	if (resolver != NULL)
		str_printf(ret, "nameserver %s\n", resolver);
	if (host.p != NULL)
		keep_lines(c, own_net, resolver != NULL, host.p, ret);
	for (size_t i = 0; resolver == NULL && i < c->dns.n; i++) /* else those are asked by the resolver */
		str_printf(ret, "nameserver %s\n", c->dns.v[i]);
	if (c->dns_search.n != 1 || strcmp(c->dns_search.v[0], ".") != 0)
		add_line("search", &c->dns_search, ret);
	if (resolver != NULL && c->dns_options.n == 0) /* a name without a dot is one of the network first */
		str_puts(ret, "options ndots:0\n");
	add_line("options", &c->dns_options, ret);
	return 0;
}

int eng_hostfiles_resolver(const char *resolver, const struct eng_config *c, int dir, struct err *err)
{
	_cleanup_(str_fini) struct str resolv = { 0 };
	int r = make_resolv(c, resolver, &resolv, err);

	return r == 0 ? write_file(dir, "resolv.conf", &resolv, err) : r;
}

static int write_network_files(const struct eng_net *net, const struct eng_config *c, int dir, struct err *err)
{
	_cleanup_(str_fini) struct str hosts = { 0 };
	int r = make_hosts(c, net, &hosts, err);

	if (r == 0)
		r = write_file(dir, "hosts", &hosts, err);
	return r == 0 ? eng_hostfiles_resolver(net != NULL ? net->resolver : NULL, c, dir, err) : r;
}

int eng_hostfiles_write(const struct eng_config *c, int dir, struct err *err)
{
	_cleanup_(str_fini) struct str name = { 0 };
	int r = write_network_files(NULL, c, dir, err);

	str_printf(&name, "%s\n", c->hostname);
	return r == 0 ? write_file(dir, "hostname", &name, err) : r;
}

int eng_hostfiles_renew(const struct eng_net *net, const struct eng_config *c, int dir, struct err *err)
{
	return net != NULL ? write_network_files(net, c, dir, err) : 0;
}
