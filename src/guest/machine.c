/* SPDX-License-Identifier: MIT */
#include "guest/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "guest/message.h"
#include "guest/os.h"
#include "guest/request.h"

#define CGROUP "/cgroup"
#define INSTANCE CGROUP "/instance"
#define TEXT_SIZE 4096
#define SEED_MAX 256u
#define STEP_NS 2000000 /* between two looks for a device */
#define STEPS_MAX 5000

/* The initramfs holds them in the order in which they are wanted: /m/0, /m/1, ... */
static int load_modules(void)
{
	char path[32] = "/m/";
	char *const number = path + 3;

	for (uint64_t i = 0;; i++) {
		long fd, r;

		*text_number(number, i, 1) = '\0';
		fd = os_open(path, O_RDONLY, 0);
		if (fd == -ENOENT)
			return 0;
		r = fd < 0 ? fd : OS3(__NR_finit_module, fd, "", 0);
		if (fd >= 0)
			(void) sys_close((int) fd); /* read only */
		if (r < 0 && r != -EEXIST) {
			os_say("cannot load module ", number, NULL);
			return (int) r;
		}
	}
}

/* Devices whose driver comes when they are opened. */
static void make_devices(void)
{
	static const struct {
		const char *path;
		unsigned mode, major, minor;
	} nodes[] = { { "/dev/net/tun", 0666, 10, 200 }, { "/dev/loop-control", 0660, 10, 237 } };

	(void) OS1(__NR_umask, 0); /* never fails */
	(void) os_mkdir("/dev/net", 0755); /* the next ones tell, and nobody may miss them */
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		(void) OS4(__NR_mknodat, AT_FDCWD, nodes[i].path, S_IFCHR | nodes[i].mode, nodes[i].major << 8 | nodes[i].minor);
	(void) OS1(__NR_umask, 022); /* likewise */
}

/* Without them nothing is limited and counted, which is no reason not to start. */
static void make_cgroup(void)
{
	static const char controllers[] = "+memory +pids +cpu";

	if (os_mkdir(CGROUP, 0755) < 0 || os_mount("cgroup", CGROUP, "cgroup2", 0, NULL) < 0)
		return;
	(void) os_write_file(CGROUP "/cgroup.subtree_control", controllers, sizeof(controllers) - 1); /* likewise */
	(void) os_mkdir(INSTANCE, 0755); /* likewise */
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	long sock = OS3(__NR_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return; /* a kernel without IPv4 */
	(void) sys_ioctl((int) sock, SIOCSIFFLAGS, &request); /* there is one, or nobody misses it */
	(void) sys_close((int) sock); /* a socket */
}

static bool image; /* the root directory is one, and what the host shares is mounted in it */

bool machine_has_image(void)
{
	return image;
}

/* The device comes when its driver has looked at all of it, a little after the module. */
static int mount_image(const char *where)
{
	static const struct timespec step = { .tv_nsec = STEP_NS };
	long r = -ENOENT;

	for (int i = 0; r == -ENOENT && i < STEPS_MAX; i++) {
		r = os_mount("/dev/pmem0", where, "erofs", MS_RDONLY, "dax=always");
		if (r == -ENOENT)
			(void) OS2(__NR_nanosleep, &step, NULL); /* shorter is fine */
	}
	return (int) r;
}

/* Above the image; all of it is seen on the host, which looks at it but does not write. */
static int mount_layer(bool scratch)
{
	static const char kept[] = "lowerdir=" MACHINE_IMAGE ",upperdir=" MACHINE_LAYER "/upper,workdir=" MACHINE_LAYER "/work";
	static const char lost[] = "volatile,lowerdir=" MACHINE_IMAGE ",upperdir=" MACHINE_LAYER "/upper,workdir=" MACHINE_LAYER "/work";
	int r = (int) os_mkdir(MACHINE_IMAGE, 0700);

	if (r == 0)
		r = mount_image(MACHINE_IMAGE);
	return r < 0 ? r : (int) os_mount("overlay", "/root", "overlay", 0, scratch ? lost : kept);
}

/*
 * One of three: a shared directory that is it; or an image, and a directory with what is mounted in that; or that image with a
 * layer above it, which is written.
 */
static int mount_root(void)
{
	bool scratch = false;

	int r = (int) os_mount("root", "/root", "virtiofs", 0, NULL);

	if (r != -EINVAL)
		return r;
	image = true;
	r = (int) os_mkdir(MACHINE_SHARED, 0700);
	if (r == 0)
		r = (int) os_mount("shared", MACHINE_SHARED, "virtiofs", 0, NULL);
	if (r == 0)
		r = (int) os_mkdir(MACHINE_LAYER, 0700);
	if (r < 0)
		return r;
	r = (int) os_mount("layer", MACHINE_LAYER, "virtiofs", 0, NULL);
	if (r == -EINVAL) {
		r = (int) os_mount("scratch", MACHINE_LAYER, "virtiofs", 0, NULL);
		scratch = true;
	}
	return r == -EINVAL ? mount_image("/root") : r < 0 ? r : mount_layer(scratch);
}

int machine_boot(void)
{
	static const struct {
		const char *source, *target, *type;
	} mounts[] = { { "dev", "/dev", "devtmpfs" }, { "proc", "/proc", "proc" } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		r = (int) os_mkdir(mounts[i].target, 0755);
		if (r == 0)
			r = (int) os_mount(mounts[i].source, mounts[i].target, mounts[i].type, 0, NULL);
		if (r == -EBUSY) /* the kernel did it */
			r = 0;
	}
	if (r == 0)
		r = load_modules();
	make_devices();
	if (r == 0)
		r = (int) os_mkdir("/root", 0755);
	if (r == 0) {
		r = mount_root();
		if (r < 0)
			os_say("cannot mount the root directory", NULL);
	}
	make_cgroup();
	raise_loopback();
	(void) os_write_file("/proc/sys/kernel/modprobe", "/init", 5); /* a kernel without modules has none */
	return r;
}

void machine_set_time(uint64_t ns)
{
	struct timespec ts = { (time_t) (ns / 1000000000u), (long) (ns % 1000000000u) };

	if (ns != 0)
		(void) OS2(__NR_clock_settime, CLOCK_REALTIME, &ts); /* else it is as the machine's clock says */
}

/* Bytes of the host's, counted as random: the host knows all of the guest anyway. */
static void add_entropy(const struct guest_field *f)
{
	uint32_t pool[2 + SEED_MAX / 4]; /* struct rand_pool_info */
	uint32_t n = f->len < SEED_MAX ? f->len : SEED_MAX;
	long fd = n > 0 ? os_open("/dev/random", O_RDWR, 0) : -ENOENT;

	if (fd < 0)
		return;
	pool[0] = n * 8; /* bits */
	pool[1] = n;
	__builtin_memcpy(pool + 2, f->p, n);
	(void) sys_ioctl((int) fd, RNDADDENTROPY, pool); /* there are other sources */
	(void) sys_close((int) fd); /* nothing to write */
}

void machine_apply(const struct request *r)
{
	char text[24];

	machine_set_time(r->time);
	add_entropy(&r->entropy);
	if (r->pids_max != 0)
		(void) os_write_file(INSTANCE "/pids.max", text, (size_t) (text_number(text, r->pids_max, 1) - text));
}

static uint64_t number_in(const char *path, const char *name)
{
	static char text[TEXT_SIZE];
	const char *at;

	if (os_read_file(path, text, sizeof(text)) <= 0)
		return 0;
	at = name != NULL ? os_find(text, name) : text;
	return at != NULL ? os_number(at) : 0;
}

void machine_usage(int control)
{
	uint8_t buf[128];
	struct guest_out o = { .p = buf, .room = sizeof(buf) };

	guest_begin(&o, GUEST_USAGE);
	guest_put_number(&o, GUEST_CPU_NS, number_in(INSTANCE "/cpu.stat", "usage_usec") * 1000);
	guest_put_number(&o, GUEST_MEMORY, number_in(INSTANCE "/memory.current", NULL));
	guest_put_number(&o, GUEST_PIDS, number_in(INSTANCE "/pids.current", NULL));
	message_send(control, &o);
}

void machine_sync(void)
{
	static const char *const shared[] = { "/root", MACHINE_SHARED, MACHINE_LAYER };

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		(void) OS5(__NR_setxattr, shared[i], GUEST_ENDS, "", 0, 0); /* else its disks may keep us */
	(void) OS0(__NR_sync); /* never fails */
}

_Noreturn void machine_off(void)
{
	machine_sync();
	for (;;)
		(void) OS4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, NULL);
}
