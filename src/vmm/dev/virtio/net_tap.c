/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/dev/virtio/net.h"

#define FOR_VIRTIO (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
#define HEADER 12 /* bytes in front of packets: virtio's, with the number of buffers */

static int open_queue(const char *name, bool several, struct err *err)
{
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct ifreq r = { .ifr_flags = FOR_VIRTIO };
	int header = HEADER;

	if (fd < 0)
		return err_set(err, -errno, "open /dev/net/tun (module tun)");
	if (several)
		r.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(r.ifr_name, name, strlen(name));
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		return err_set(err, -errno, "open tap device '%s'", name);
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return err_set(err, -errno, "tap device '%s': set size of headers", name);
	return take_fd(fd);
}

int net_tap_open(const char *name, unsigned pairs, int *fds, struct err *err)
{
	unsigned n;
	int r = 0;

	if (*name == '\0' || strlen(name) >= IFNAMSIZ)
		return err_msg(err, -EINVAL, "tap device '%s': a name has 1 to %d bytes", name, IFNAMSIZ - 1);
	for (n = 0; n < pairs && r >= 0; n++) {
		r = open_queue(name, pairs > 1, err);
		fds[n] = r;
	}
	while (r < 0 && --n > 0)
		(void) close(fds[n - 1]); /* nothing was sent */
	return r < 0 ? r : 0;
}

int net_tap_take(int fd, struct err *err)
{
	struct ifreq r = { 0 };
	int header = 0, flags = fcntl(fd, F_GETFL);

	if (flags < 0 || ioctl(fd, TUNGETIFF, &r) < 0)
		return err_set(err, -errno, "descriptor %d as a tap device", fd);
	if ((r.ifr_flags & FOR_VIRTIO) != FOR_VIRTIO || ioctl(fd, TUNGETVNETHDRSZ, &header) < 0 || header != HEADER)
		return err_msg(err, -EINVAL, "tap device '%s' was not made for virtio: IFF_NO_PI, IFF_VNET_HDR, headers of %d bytes",
			       r.ifr_name, HEADER);
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, -errno, "tap device '%s': set it up", r.ifr_name);
	return 0;
}

int net_tap_offload(int fd, unsigned flags)
{
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long) flags) < 0 ? -errno : 0;
}

int net_tap_attach(int fd, bool on)
{
	struct ifreq r = { .ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	return ioctl(fd, TUNSETQUEUE, &r) < 0 ? -errno : 0;
}
