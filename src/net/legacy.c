/* SPDX-License-Identifier: MIT */
#include "net/legacy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/proc.h"

#define TABLE "filter"
#define NAMES_MAX 4096 /* bytes of the list of tables */
#define ENTRIES_MAX (64u << 20) /* bytes of a table */
#define TAG_MAX 40 /* bytes of a comment */
#define NOT_FOUND 127 /* exit status */

/* The table of IPv4, as the kernel has it */
struct filter {
	struct ipt_getinfo info;
	struct ipt_get_entries *entries;
};

static void filter_fini(struct filter *f)
{
	free(f->entries);
}

/* To ask for a table would make it.  Return: 1 the host uses it; 0. */
static bool is_used(void)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *save = NULL;

	if (file_read(AT_FDCWD, "/proc/thread-self/net/ip_tables_names", NAMES_MAX, &text) < 0 || text.p == NULL)
		return false;
	for (char *line = strtok_r(text.p, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (strcmp(line, TABLE) == 0)
			return true;
	return false;
}

static int read_filter(struct filter *ret)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	socklen_t size = sizeof(ret->info);

	*ret = (struct filter) { .info.name = TABLE };
	if (fd < 0 || getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &ret->info, &size) < 0)
		return -errno;
	if (ret->info.size > ENTRIES_MAX)
		return -EFBIG;
	size = (socklen_t) (sizeof(*ret->entries) + ret->info.size);
	ret->entries = calloc(1, size);
	if (ret->entries == NULL)
		return -ENOMEM;
	(void) snprintf(ret->entries->name, sizeof(ret->entries->name), TABLE);
	ret->entries->size = ret->info.size;
	return getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, ret->entries, &size) < 0 ? -errno : 0;
}

/* The rule at this place, with a verdict of its own; NULL */
static const struct ipt_entry *rule_at(const struct filter *f, unsigned at, int *ret_verdict)
{
	const struct ipt_entry *e = (const struct ipt_entry *) ((const char *) f->entries->entrytable + at);
	const struct xt_standard_target *t;

	if (at + sizeof(*e) > f->info.size || e->next_offset > f->info.size - at || e->next_offset < e->target_offset + sizeof(*t))
		return NULL;
	t = (const struct xt_standard_target *) ((const char *) e + e->target_offset);
	*ret_verdict = t->target.u.user.name[0] == '\0' ? -t->verdict - 1 : -1;
	return e;
}

static bool drops(const struct filter *f, unsigned hook)
{
	int verdict;

	return (f->info.valid_hooks & 1u << hook) != 0 && rule_at(f, f->info.underflow[hook], &verdict) != NULL && verdict == NF_DROP;
}

/* Is there a rule that accepts what comes from the device? */
static bool has_rule(const struct filter *f, unsigned hook, const char *device)
{
	for (unsigned at = f->info.hook_entry[hook]; at < f->info.underflow[hook];) {
		int verdict;
		const struct ipt_entry *e = rule_at(f, at, &verdict);

		if (e == NULL)
			return false;
		if (verdict == NF_ACCEPT && strncmp(e->ip.iniface, device, sizeof(e->ip.iniface)) == 0)
			return true;
		at += e->next_offset;
	}
	return false;
}

/* @what: "-I" or "-D"; what follows the chain is in @match, ended by NULL */
static int change(const char *what, const char *chain, const char *device, const char *const *match, struct err *err)
{
	char tag[TAG_MAX];
	const char *argv[20] = { "iptables-legacy", "-w", what, chain };
	size_t n = 4;
	int status, null;
	pid_t pid;

	(void) snprintf(tag, sizeof(tag), "cleave %s", device);
	while (*match != NULL)
		argv[n++] = *match++;
	memcpy(argv + n, (const char *const[]) { "-m", "comment", "--comment", tag, "-j", "ACCEPT" }, 6 * sizeof(argv[0]));
	pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (pid == 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0) {
			proc_default_signals();
			(void) setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin", 1);
			(void) execvp(argv[0], (char *const *) argv);
		}
		_exit(NOT_FOUND);
	}
	status = pid < 0 ? (int) pid : proc_wait(pid);
	if (status < 0)
		return err_set(err, status, "run iptables-legacy");
	status = proc_exit_code(status);
	if (status == NOT_FOUND)
		return err_msg(err, -ENOENT, "the host's rules of iptables-legacy drop what '%s' sends, and there is no program iptables-legacy to change them",
			       device);
	return status != 0 && strcmp(what, "-I") == 0
		       ? err_msg(err, -EIO, "iptables-legacy could not let '%s' pass: exit status %d", device, status)
		       : 0;
}

static int change_all(const char *what, bool forward, bool names, const char *device, struct err *err)
{
	static const char *const protocols[] = { "udp", "tcp" };
	int r = 0;

	if (forward)
		r = change(what, "FORWARD", device, (const char *const[]) { "-o", device, NULL }, err);
	if (forward && r == 0)
		r = change(what, "FORWARD", device, (const char *const[]) { "-i", device, NULL }, err);
	for (size_t i = 0; names && r == 0 && i < ARRAY_LEN(protocols); i++)
		r = change(what, "INPUT", device, (const char *const[]) { "-i", device, "-p", protocols[i], "--dport", "53", NULL }, err);
	return r;
}

int net_legacy_allow(const char *device, bool names, struct err *err)
{
	_cleanup_(filter_fini) struct filter f = { 0 };
	int r = is_used() ? read_filter(&f) : -ENOENT;

	if (r < 0)
		return r == -ENOENT ? 0 : err_set(err, r, "read the host's rules of iptables-legacy");
	return change_all("-I", drops(&f, NF_INET_FORWARD) && !has_rule(&f, NF_INET_FORWARD, device),
			  names && drops(&f, NF_INET_LOCAL_IN) && !has_rule(&f, NF_INET_LOCAL_IN, device), device, err);
}

int net_legacy_forget(const char *device, struct err *err)
{
	_cleanup_(filter_fini) struct filter f = { 0 };
	int r = is_used() ? read_filter(&f) : -ENOENT;

	if (r < 0)
		return r == -ENOENT ? 0 : err_set(err, r, "read the host's rules of iptables-legacy");
	return change_all("-D", has_rule(&f, NF_INET_FORWARD, device), has_rule(&f, NF_INET_LOCAL_IN, device), device, err);
}
