/* SPDX-License-Identifier: MIT */
#include "vmm/device_options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "sys/mnt.h"
#include "sys/msg.h"
#include "vmm/dev/virtio/vsock.h"
#include "vmm/machine/machine.h"

#define DISK_SECTOR 512
#define VSOCK_NAME "/guest" /* of the socket in a directory that we chose */

/* What follows "KEY=" in an option's value, NULL if it is another key. */
static char *value_of(char *word, const char *key)
{
	size_t n = strlen(key);

	return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static int parse_queues(const char *option, const char *text, unsigned max, unsigned *ret, struct err *err)
{
	uint64_t n;

	if (str_to_u64(text, &n) < 0 || n == 0 || n > max)
		return err_msg(err, -EINVAL, "option --%s: queues=%s is not a number from 1 to %u", option, text, max);
	*ret = (unsigned) n;
	return 0;
}

/* Images of other formats have to be converted before. */
static int parse_format(const char *format, bool *raw, struct err *err)
{
	*raw = true;
	if (strcmp(format, "raw") != 0)
		return err_msg(err, -EINVAL, "option --disk: format '%s' is not known, only raw: 'qemu-img convert -O raw' makes one", format);
	return 0;
}

static int parse_disk_word(char *word, struct blk_config *d, bool *raw, struct err *err)
{
	char *v;

	if (strcmp(word, "ro") == 0 || strcmp(word, "readonly") == 0 || strcmp(word, "readonly=on") == 0)
		d->readonly = true;
	else if (strcmp(word, "readonly=off") == 0 || strcmp(word, "if=virtio") == 0)
		return 0; /* as it is without */
	else if ((v = value_of(word, "format")) != NULL)
		return parse_format(v, raw, err);
	else if (strcmp(word, "rings=split") == 0)
		d->split = true;
	else if ((v = value_of(word, "queues")) != NULL)
		return parse_queues("disk", v, BLK_QUEUES_MAX, &d->queues, err);
	else if ((v = value_of(word, "id")) != NULL)
		d->id = v;
	else if ((v = value_of(word, "serial")) != NULL && strlen(v) <= BLK_SERIAL_MAX)
		d->serial = v;
	else if (v != NULL)
		return err_msg(err, -EINVAL, "option --disk: serial '%s' has more than %d bytes", v, BLK_SERIAL_MAX);
	else
		return err_msg(err, -EINVAL, "option --disk: unknown word '%s': there are ro, id=, serial=, queues=, rings=split", word);
	return 0;
}

/* The guest gets what is in the file, which people may not have meant. */
static void warn_of_content(const struct blk_config *d, bool raw)
{
	off_t beyond = lseek(d->fd, 0, SEEK_END) % DISK_SECTOR;
	char magic[4];

	if (beyond > 0)
		(void) fprintf(stderr, "cleave-vmm: warning: disk '%s': the last %d bytes are not a whole sector of %d; the guest does not have them\n",
			       d->name, (int) beyond, DISK_SECTOR);
	if (raw)
		return; /* it was said */
	if (pread(d->fd, magic, sizeof(magic), 0) == sizeof(magic) && memcmp(magic, "QFI\xfb", sizeof(magic)) == 0)
		(void) fprintf(stderr, "cleave-vmm: warning: disk '%s' looks like a qcow2 image; the guest gets it byte by byte "
			       "(format=raw says that this is meant)\n", d->name);
}

int device_option_disk(char *text, struct machine_config *c, struct err *err)
{
	char *rest = text, *first = strsep(&rest, ","), *path = value_of(first, "file");
	struct blk_config *d = &c->disk[c->nr_disks];
	bool raw = false;
	int r = 0;

	if (path == NULL)
		path = first;

	if (c->nr_disks == MACHINE_DISKS_MAX)
		return err_msg(err, -EINVAL, "option --disk: more than %d disks", MACHINE_DISKS_MAX);
	*d = (struct blk_config) { .name = path, .queues = c->accel_config.nr_cpus < BLK_QUEUES_MAX ? c->accel_config.nr_cpus : BLK_QUEUES_MAX };
	while (rest != NULL && r == 0)
		r = parse_disk_word(strsep(&rest, ","), d, &raw, err);
	if (r < 0)
		return r;
	d->fd = open(path, (d->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (d->fd < 0)
		return err_set(err, -errno, "option --disk: open '%s'", path);
	warn_of_content(d, raw);
	c->nr_disks++;
	return 0;
}

int device_option_pmem(char *text, struct machine_config *c, struct err *err)
{
	char *rest = text, *path = strsep(&rest, ",");
	struct machine_pmem *p = &c->pmem[c->nr_pmems];

	if (c->nr_pmems == MACHINE_PMEMS_MAX)
		return err_msg(err, -EINVAL, "option --pmem: more than %d files", MACHINE_PMEMS_MAX);
	if (rest != NULL && strcmp(rest, "ro") != 0)
		return err_msg(err, -EINVAL, "option --pmem: unknown word '%s'", rest);
	*p = (struct machine_pmem) { .name = path, .readonly = rest != NULL };
	p->fd = open(path, (p->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (p->fd < 0)
		return err_set(err, -errno, "option --pmem: open '%s'", path);
	c->nr_pmems++;
	return 0;
}

/* Words of the user network. */
static int parse_user_word(char *word, struct usernet_config *u, struct err *err)
{
	char *v = value_of(word, "hostfwd");
	int r;

	if (strcmp(word, "loopback") == 0) {
		u->loopback = true;
		return 0;
	}
	if (v == NULL)
		return err_msg(err, -EINVAL, "option --net: unknown word '%s': there are hostfwd=, loopback, id=, mac=, rings=split", word);
	if (u->nr_forwards == USERNET_FORWARDS_MAX)
		return err_msg(err, -EINVAL, "option --net: more than %d times hostfwd", USERNET_FORWARDS_MAX);
	r = usernet_forward_parse(v, &u->forward[u->nr_forwards], err);
	if (r < 0)
		return err_wrap(err, r, "option --net: hostfwd");
	u->nr_forwards++;
	return 0;
}

static int parse_net_word(char *word, struct net_config *n, struct err *err)
{
	char *v;

	if (strcmp(word, "rings=split") == 0)
		n->split = true;
	else if ((v = value_of(word, "queues")) != NULL)
		return parse_queues("net", v, NET_PAIRS_MAX, &n->pairs, err);
	else if ((v = value_of(word, "mac")) != NULL)
		return net_mac_parse(v, n->mac) == 0 ? 0 :
			err_msg(err, -EINVAL, "option --net: mac=%s is not an address like 52:54:00:12:34:56", v);
	else if ((v = value_of(word, "id")) != NULL)
		n->id = v;
	else if (n->user != NULL)
		return parse_user_word(word, n->user, err);
	else
		return err_msg(err, -EINVAL, "option --net: unknown word '%s': there are queues=, id=, mac=, rings=split", word);
	return 0;
}

/* "5:6": descriptors of one tap device, a queue each */
static int take_taps(char *text, struct net_config *n, struct err *err)
{
	int r = 0;

	n->pairs = 0;
	while (r == 0 && text != NULL) {
		char *one = strsep(&text, ":");
		uint64_t fd;

		if (str_to_u64(one, &fd) < 0 || fd > INT_MAX)
			return err_msg(err, -EINVAL, "option --net: descriptor '%s' is not a number", one);
		if (n->pairs == NET_PAIRS_MAX)
			return err_msg(err, -EINVAL, "option --net: more than %d descriptors", NET_PAIRS_MAX);
		n->tap[n->pairs++] = (int) fd;
		r = net_tap_take((int) fd, err);
	}
	return r < 0 ? err_wrap(err, r, "option --net") : 0;
}

int device_option_net(char *text, struct machine_config *c, struct err *err)
{
	char *rest = text, *first = strsep(&rest, ","), *name = value_of(first, "tap"), *fds = value_of(first, "fd");
	struct net_config n = { .pairs = 1, .mac = { 0x52, 0x54 } };
	int r = 0;

	if (c->nr_nets == MACHINE_NETS_MAX)
		return err_msg(err, -EINVAL, "option --net: more than %d interfaces", MACHINE_NETS_MAX);
	if (strcmp(first, "user") == 0) {
		n.user = &c->usernet[c->nr_nets];
		*n.user = (struct usernet_config) { .resolver = usernet_resolver() };
	} else if (name == NULL && fds == NULL) {
		return err_msg(err, -EINVAL, "option --net: '%s' is neither 'tap=NAME', 'fd=N[:N...]' nor 'user'", first);
	}
	if (getrandom(n.mac + 2, 4, 0) != 4)
		return err_set(err, -errno, "make a network address");
	while (rest != NULL && r == 0)
		r = parse_net_word(strsep(&rest, ","), &n, err);
	if (r == 0 && n.user != NULL && n.pairs > 1)
		r = err_msg(err, -EINVAL, "option --net: a user network has one queue");
	if (r == 0 && fds != NULL)
		r = take_taps(fds, &n, err);
	else if (r == 0 && n.user == NULL)
		r = net_tap_open(name, n.pairs, n.tap, err);
	if (r == 0 || n.user != NULL) /* its sockets are closed with the rest */
		c->net[c->nr_nets++] = n;
	return r;
}

int device_option_fs(char *text, struct machine_config *c, struct err *err)
{
	char *rest = text, *path = strsep(&rest, ",");
	struct fs_config *f = &c->fs[c->nr_fs];

	if (c->nr_fs == MACHINE_FS_MAX)
		return err_msg(err, -EINVAL, "option --fs: more than %d directories", MACHINE_FS_MAX);
	*f = (struct fs_config) { .dir = -1, .proc = -1 };
	while (rest != NULL) {
		char *word = strsep(&rest, ","), *tag = value_of(word, "tag");

		if (tag != NULL)
			f->tag = tag;
		else if (strcmp(word, "ro") == 0)
			f->kind = SHARE_READONLY;
		else if (strcmp(word, "layer") == 0)
			f->kind = SHARE_LAYER;
		else if (strcmp(word, "scratch") == 0)
			f->kind = SHARE_SCRATCH;
		else
			return err_msg(err, -EINVAL, "option --fs: unknown word '%s'", word);
	}
	if (f->tag == NULL || *f->tag == '\0' || strlen(f->tag) > FS_TAG_MAX)
		return err_msg(err, -EINVAL, "option --fs: 'tag=NAME' with 1 to %d bytes is missing", FS_TAG_MAX);
	f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return err_set(err, -errno, "option --fs: open '%s'", path);
	c->nr_fs++;
	f->proc = mnt_clone(AT_FDCWD, "/proc/self/fd", 0); /* its ".." is itself */
	if (f->proc < 0)
		f->proc = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->proc < 0 ? err_set(err, -errno, "option --fs: open /proc/self/fd") : 0;
}

static int open_console(const char *where, struct console_port *p, struct err *err)
{
	if (strcmp(where, "stdio") == 0) {
		p->in = STDIN_FILENO;
		p->out = STDOUT_FILENO;
		return 0;
	}
	if (str_starts(where, "unix:")) {
		p->listener = msg_listen(where + 5);
		p->path = where + 5;
		return p->listener < 0 ? err_set(err, p->listener, "option --console: listen at '%s'", where + 5) : 0;
	}
	p->out = open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
	return p->out < 0 ? err_set(err, -errno, "option --console: open '%s'", where) : 0;
}

int device_option_console(char *text, struct machine_config *c, struct err *err)
{
	char *rest = text, *where = strsep(&rest, ",");
	struct console_port p = { .in = -1, .out = -1, .listener = -1 };
	int r;

	if (c->nr_consoles == CONSOLE_PORTS_MAX)
		return err_msg(err, -EINVAL, "option --console: more than %d ports", CONSOLE_PORTS_MAX);
	if (rest != NULL && (p.name = value_of(rest, "name")) == NULL)
		return err_msg(err, -EINVAL, "option --console: unknown word '%s'", rest);
	if (p.name != NULL && strlen(p.name) > CONSOLE_NAME_MAX)
		return err_msg(err, -EINVAL, "option --console: name '%s' has more than %d bytes", p.name,
			       CONSOLE_NAME_MAX);
	r = open_console(where, &p, err);
	if (r == 0)
		c->console[c->nr_consoles++] = p;
	return r;
}

/* A directory of its own, where the machine is: it may connect to all sockets that are beside its own. */
static int make_vsock_place(uint32_t cid, struct machine_config *c, struct err *err)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	int n;

	if (run == NULL || *run != '/')
		run = geteuid() == 0 ? "/run" : NULL;
	if (run == NULL)
		return err_msg(err, -EINVAL, "option --vsock: 'path=PATH' is missing, and there is no XDG_RUNTIME_DIR to make it in");
	n = snprintf(c->vsock_place, sizeof(c->vsock_place), "%s/cleave-vsock-%u", run, cid);
	if (n < 0 || (size_t) n >= sizeof(c->vsock_place))
		return err_msg(err, -ENAMETOOLONG, "option --vsock: XDG_RUNTIME_DIR '%s' is too long", run);
	if (mkdir(c->vsock_place, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "option --vsock: make directory '%s'", c->vsock_place);
	(void) snprintf(c->vsock_socket, sizeof(c->vsock_socket), "%s" VSOCK_NAME, c->vsock_place);
	c->vsock_path = c->vsock_socket;
	return 0;
}

static int parse_vsock_word(char *word, uint64_t *cid, struct machine_config *c, struct err *err)
{
	static const char *const paths[] = { "path", "uds_path", "socket" };
	char *v = value_of(word, "cid");

	if (v == NULL)
		v = value_of(word, "guest-cid");
	if (v == NULL && strchr(word, '=') == NULL)
		v = word;
	if (v != NULL)
		return str_to_u64(v, cid) == 0 && *cid >= VSOCK_CID_MIN && *cid < UINT32_MAX ? 0 :
			err_msg(err, -EINVAL, "option --vsock: '%s' is not a number from %d to %u", v, VSOCK_CID_MIN, UINT32_MAX - 1);
	for (unsigned i = 0; i < ARRAY_LEN(paths) && v == NULL; i++)
		v = value_of(word, paths[i]);
	if (v == NULL || *v == '\0')
		return err_msg(err, -EINVAL, "option --vsock: unknown word '%s': there are CID, path=PATH", word);
	c->vsock_path = v;
	return 0;
}

int device_option_vsock(char *text, struct machine_config *c, struct err *err)
{
	char *rest = text;
	uint64_t cid = 0;
	int r = 0;

	while (rest != NULL && r == 0)
		r = parse_vsock_word(strsep(&rest, ","), &cid, c, err);
	if (r == 0 && cid == 0)
		r = err_msg(err, -EINVAL, "option --vsock: the guest's address is missing, a number from %d on", VSOCK_CID_MIN);
	if (r == 0 && c->vsock_path == NULL)
		r = make_vsock_place((uint32_t) cid, c, err);
	if (r < 0)
		return r;
	c->vsock_listener = msg_listen(c->vsock_path);
	if (c->vsock_listener < 0)
		return err_set(err, c->vsock_listener, "option --vsock: listen at '%s'", c->vsock_path);
	c->vsock_cid = (uint32_t) cid;
	return 0;
}
