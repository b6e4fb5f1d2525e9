/* SPDX-License-Identifier: MIT */
/**
 * DOC: pasta
 *
 * It makes the device in the namespace of the instance, with the addresses of the host, and forwards ports: connections
 * keep the sender's address.  It is started when the namespace is there, goes to the background when it is ready, and is
 * ended with the instance: its pid is in a file beside the instance's lock, and its command line names that file.
 */
#include "engine/net/pasta.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "engine/net/port.h"
#include "net/publish.h"
#include "sys/proc.h"

#define PROGRAM "pasta"
#define TUN "/dev/net/tun"
#define PID_FILE "pasta.pid"
#define NETNS_FILE "netns"
#define PIDS_MAX 64 /* bytes of that file */
#define WORDS_MAX 1048576 /* bytes of a command line */
#define OUTPUT_MAX 4096 /* bytes of a message */
#define PATH_SIZE 4096
#define END_WAIT_MS 2000

/* As execvp(3) looks for it.  Return: 0; -ENOENT. */
static int find_program(char ret[PATH_SIZE])
{
	const char *path = getenv("PATH");
	size_t n;

	path = path != NULL ? path : "/usr/bin:/bin";
	for (; *path != '\0'; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		if (snprintf(ret, PATH_SIZE, "%.*s/" PROGRAM, (int) n, path) < PATH_SIZE && access(ret, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

bool eng_pasta_found(void)
{
	char path[PATH_SIZE];

	return find_program(path) == 0 && access(TUN, R_OK | W_OK) == 0;
}

static int add(struct arena *a, struct img_words *argv, const char *word)
{
	return word != NULL && eng_words_add(a, argv, word) == 0 ? 0 : -ENOMEM;
}

int pasta_words(struct arena *a, const char *device, struct img_words *ret, struct err *err)
{
	const char *const options[] = { "--quiet", "--config-net", "--ns-ifname", device, "--dns-forward", PASTA_RESOLVER, "--no-map-gw",
					"-T", "none", "-U", "none" };
	char path[PATH_SIZE];
	int r = find_program(path);

	if (r < 0)
		return err_msg(err, r, "networks without root need the program '" PROGRAM "' (Debian: package passt): use --network host or none");
	if (access(TUN, R_OK | W_OK) < 0)
		return err_set(err, -errno, "networks without root need " TUN " (its usual mode is 0666): use --network host or none");
	r = add(a, ret, arena_strdup(a, path));
	for (size_t k = 0; r == 0 && k < ARRAY_LEN(options); k++)
		r = add(a, ret, options[k]);
	return r < 0 ? err_set(err, r, "start '%s'", path) : 0;
}

/* "-t ADDRESS/PORT:INSIDE" for each port, or "-t none" */
static int add_ports(struct arena *a, struct img_words *argv, const struct port_list *ports, unsigned char protocol, const char *option)
{
	char address[NET_TEXT_MAX];
	bool none = true;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ports->n; i++) {
		const struct net_table_port *p = &ports->v[i];

		if (p->protocol != protocol)
			continue;
		none = false;
		net_address_text(&p->host, address);
		r = add(a, argv, option);
		if (r == 0)
			r = add(a, argv, net_address_is_any(&p->host) ? arena_printf(a, "%u:%u", p->port, p->to_port)
								      : arena_printf(a, "%s/%u:%u", address, p->port, p->to_port));
	}
	if (none && r == 0)
		r = add(a, argv, option);
	return none && r == 0 ? add(a, argv, "none") : r;
}

/* Nothing of the host's 127.0.0.1 is seen inside: only what was published, and that from outside. */
static int make_words(struct engine *e, const struct eng_instance *i, const struct port_list *ports, struct err *err)
{
	struct arena *a = &e->net->arena;
	struct img_words *words = &e->net->pasta;
	int r = pasta_words(a, "eth0", words, err);

	if (r < 0)
		return r;
	r = add_ports(a, words, ports, IPPROTO_TCP, "-t");
	if (r == 0)
		r = add_ports(a, words, ports, IPPROTO_UDP, "-u");
	if (r == 0)
		r = add(a, words, "--pid");
	if (r == 0)
		r = add(a, words, arena_printf(a, "%s/%s/" PID_FILE, e->runroot, i->id));
	if (r == 0)
		r = add(a, words, "--netns");
	if (r == 0) /* the last word: pasta_run() needs it */
		r = add(a, words, arena_printf(a, "%s/%s/" NETNS_FILE, e->runroot, i->id));
	return r < 0 ? err_set(err, r, "start instance '%s'", i->name) : 0;
}

static int take_ports(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct port_list *ports, struct err *err)
{
	const struct net_leg self = { .v4 = { { .family = AF_INET }, 32 } }; /* its address is the host's */
	int r = db_begin(e->db, err);

	if (r < 0)
		return r;
	r = db_run(e->db, err, "DELETE FROM port WHERE instance = ?", "s", i->id);
	if (r >= 0)
		r = eng_port_take(e, i->id, c, NULL, &self, &e->net->arena, ports, err);
	if (r >= 0)
		return db_commit(e->db, err);
	db_rollback(e->db);
	return r;
}

int pasta_lease(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct err *err)
{
	const char *name = c->hostname != NULL ? c->hostname : i->name;
	struct port_list ports = { 0 };
	int r = take_ports(e, i, c, &ports, err);

	if (r == 0)
		r = make_words(e, i, &ports, err);
	if (r < 0)
		return r;
	e->net->hosts = c->domainname != NULL ? arena_printf(&e->net->arena, "127.0.1.1\t%s.%s %s\n", name, c->domainname, name)
					      : arena_printf(&e->net->arena, "127.0.1.1\t%s\n", name);
	e->net->resolver = c->dns.n == 0 ? PASTA_RESOLVER : NULL; /* else it asks those itself */
	return e->net->hosts != NULL ? 0 : err_set(err, -ENOMEM, "start instance '%s'", i->name);
}

/*
 * Pasta has no rights over the instance's processes, so it cannot look into their /proc.  What is mounted here is seen by
 * this process and those that it starts.
 */
static int show_netns(const char *path, int netns, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char from[32];

	(void) snprintf(from, sizeof(from), "/proc/self/fd/%d", netns);
	if (fd < 0 || mount(from, path, NULL, MS_BIND, NULL) < 0)
		return err_set(err, -errno, "mount a network namespace at '%s'", path);
	return 0;
}

/* @out: where its messages go */
static _Noreturn void become(const struct img_words *words, int out)
{
	char **argv = calloc(words->n + 1, sizeof(*argv));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (argv == NULL)
		_exit(125);
	memcpy(argv, words->v, words->n * sizeof(*argv));
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
	    proc_cloexec_from(STDERR_FILENO + 1) < 0)
		_exit(125);
	proc_default_signals();
	(void) setsid();
	(void) execve(argv[0], argv, environ);
	_exit(127);
}

/* The last of its lines that says something of its own */
static void last_line(struct str *said)
{
	char *found = said->p, *save = NULL;

	for (char *line = said->p != NULL ? strtok_r(said->p, "\n", &save) : NULL; line != NULL; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, "syslog") == NULL)
			found = line;
	if (found != NULL)
		memmove(said->p, found, strlen(found) + 1);
}

int pasta_run(const struct img_words *words, int netns, struct err *err)
{
	_cleanup_(str_fini) struct str said = { 0 };
	char text[OUTPUT_MAX];
	const char *file = words->v[words->n - 1];
	int out[2], status = show_netns(file, netns, err);
	pid_t child;

	if (status < 0)
		return status;
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(err, -errno, "create a pipe");
	child = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (child == 0)
		become(words, out[1]);
	(void) close(out[1]);
	status = child < 0 ? (int) child : proc_wait(child);
	(void) umount2(file, MNT_DETACH); /* it has opened it, and ends when the file is gone */
	/* what went to the background may keep the pipe: no more than what is there */
	ssize_t n = status != 0 && fcntl(out[0], F_SETFL, O_NONBLOCK) == 0 ? read(out[0], text, sizeof(text)) : 0;
	(void) close(out[0]);
	if (status == 0)
		return 0;
	if (n > 0)
		str_add(&said, text, (size_t) n);
	last_line(&said);
	return err_msg(err, status < 0 ? status : -EIO, "'%s' failed: %s", words->v[0],
		       said.p != NULL && *said.p != '\0' ? said.p : "it said nothing");
}

/* It, and not another process with its number */
static bool is_ours(const char *pid_file, pid_t pid)
{
	_cleanup_(str_fini) struct str words = { 0 };
	char path[64];

	(void) snprintf(path, sizeof(path), "/proc/%d/cmdline", (int) pid);
	if (file_read(AT_FDCWD, path, WORDS_MAX, &words) < 0)
		return false;
	for (size_t at = 0; at < words.len; at += strlen(words.p + at) + 1)
		if (strcmp(words.p + at, pid_file) == 0)
			return true;
	return false;
}

int pasta_find(const char *pid_file)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int pid;

	if (file_read(AT_FDCWD, pid_file, PIDS_MAX, &text) < 0 || text.p == NULL || sscanf(text.p, "%d", &pid) != 1 || pid <= 0)
		return -ESRCH;
	_cleanup_close_ int fd = proc_pidfd_open(pid);
	return fd >= 0 && !is_ours(pid_file, pid) ? -ESRCH : take_fd(fd);
}

void pasta_kill(const char *pid_file)
{
	_cleanup_close_ int fd = pasta_find(pid_file);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd >= 0 && proc_pidfd_kill(fd, SIGKILL) == 0)
		(void) poll(&p, 1, END_WAIT_MS); /* so that its ports are free */
}

void pasta_end(struct engine *e, const char *id)
{
	char file[PATH_SIZE];

	if (snprintf(file, sizeof(file), "%s/%s/" PID_FILE, e->runroot, id) < (int) sizeof(file))
		pasta_kill(file);
}
