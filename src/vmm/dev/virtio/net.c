/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio network device, over a tap device or a network made of sockets
 *
 * Headers of virtio and of the tap device are the same, so that checksums and segmentation are left to
 * whoever can do them best.  Sent packets go to the kernel from the guest's memory; received ones are
 * read into one buffer first, because only then their length is known, and spread over as many of the
 * guest's buffers as they need.
 *
 * That a packet was sent interests few: its sender's memory is free again.  Who sends questions gets an answer, and
 * looks for what was sent with it; so of a few small packets the guest is told a little later, and mostly knows by then.
 * Spec: virtio 1.2, 5.1.
 */
#include "vmm/dev/virtio/net.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/core/bytes.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/usernet/usernet.h"
#include "vmm/dev/virtio/virtio.h"

#define HEADER 12u
#define HEADER_BUFFERS 10u /* offset of the number of buffers */
#define PACKET_MAX (HEADER + 65535u + 18u) /* bytes: header, largest segment, Ethernet with a tag */
#define SPREAD_MAX 64 /* buffers for one packet */
#define ROUND_MAX 64 /* packets received in one go */
#define SMALL 2048 /* bytes of a packet that nobody waits to have back */
#define SMALL_MAX 32 /* of them */

#define F_CSUM (1ull << 0)
#define F_GUEST_CSUM (1ull << 1)
#define F_MAC (1ull << 5)
#define F_GUEST_TSO4 (1ull << 7)
#define F_GUEST_TSO6 (1ull << 8)
#define F_GUEST_ECN (1ull << 9)
#define F_HOST_TSO4 (1ull << 11)
#define F_HOST_TSO6 (1ull << 12)
#define F_HOST_ECN (1ull << 13)
#define F_MRG_RXBUF (1ull << 15)
#define F_STATUS (1ull << 16)
#define F_CTRL_VQ (1ull << 17)
#define F_CTRL_RX (1ull << 18)
#define F_MQ (1ull << 22)

#define STATUS_UP 1

enum { CLASS_RX = 0, CLASS_MAC = 1, CLASS_MQ = 4 };
enum { ACK_OK, ACK_ERR };

/**
 * struct pair - two rings and a queue of the tap device
 * @len: bytes of @packet, which the guest had no buffers for; 0 when there is none
 * @active: the guest uses it
 */
struct pair {
	struct net *net;
	int tap;
	struct loop_source source;
	bool active, watched;
	size_t len;
	uint8_t packet[PACKET_MAX];
};

/** struct net - @user: NULL with a tap device; @large: a packet was sent that is not small */
struct net {
	struct vio_dev vio;
	bool large;
	struct usernet *user;
	unsigned nr_pairs;
	struct pair *pair[NET_PAIRS_MAX];
};

static unsigned index_of(const struct pair *p)
{
	unsigned i = 0;

	while (p->net->pair[i] != p)
		i++;
	return i;
}

static void watch(struct pair *p, bool on)
{
	if (p->watched == on || p->tap < 0)
		return;
	p->watched = on;
	(void) loop_change(p->net->vio.vm->loop, &p->source, on ? EPOLLIN : 0); /* it is watched */
}

/* Copy pieces into a buffer of the guest, and cut off what was copied; returns bytes. */
static size_t fill(struct vq_chain *chain, struct iovec *iov, unsigned nr)
{
	size_t done = 0;

	for (unsigned i = 0; i < nr; i++) {
		size_t k = iov[i].iov_len > 0 ? vq_chain_write(chain, iov[i].iov_base, iov[i].iov_len) : 0;

		iov[i].iov_base = (uint8_t *) iov[i].iov_base + k;
		iov[i].iov_len -= k;
		done += k;
	}
	return done;
}

/*
 * Give a packet to the guest; the first piece has its header.  Return: 1 done; 0 not enough buffers: the guest
 * tells when it adds one to those that are there; -errno.  A packet that does not fit a single buffer when it must
 * is lost.
 */
static int deliver(struct vio_dev *d, unsigned q, struct iovec *iov, unsigned nr)
{
	struct vq_chain chain[SPREAD_MAX];
	uint32_t written[SPREAD_MAX];
	bool merge = d->features & F_MRG_RXBUF;
	size_t room = 0, len = 0;
	unsigned n = 0;
	int r = 1;

	for (unsigned i = 0; i < nr; i++)
		len += iov[i].iov_len;
	while (room < len && n < (merge ? SPREAD_MAX : 1)) {
		r = vio_pop(d, q, &chain[n]);
		if (r == 0 && vq_rearm(&d->queue[q].vq))
			continue; /* one came just now */
		if (r <= 0)
			break;
		room += chain[n++].in_len;
	}
	if (r < 0 || room < len) {
		for (unsigned i = n; i > 0; i--)
			vq_unpop(&d->queue[q].vq, &chain[i - 1]);
		return r <= 0 ? r : 1; /* buffers that are too small for it: lost */
	}
	put_le16((uint8_t *) iov[0].iov_base + HEADER_BUFFERS, (uint16_t) n);
	for (unsigned i = 0; i < n; i++)
		written[i] = (uint32_t) fill(&chain[i], iov, nr);
	vio_push_all(d, q, chain, written, n);
	return 1;
}

/* A packet from the user network. */
static int deliver_user(void *arg, struct iovec *iov, unsigned nr)
{
	struct vio_dev *d = arg;
	int r;

	if (!d->started || d->queue[0].vq.desc == NULL)
		return 1; /* nobody is there: it is lost */
	r = deliver(d, 0, iov, nr);
	if (r < 0)
		vio_broken(d);
	vio_signal(d, 0);
	return r != 0;
}

static int receive(struct pair *p)
{
	struct vio_dev *d = &p->net->vio;
	unsigned q = index_of(p) * 2;
	int r = 1;

	for (unsigned i = 0; i < ROUND_MAX && r > 0; i++) {
		if (p->len == 0) {
			ssize_t n = read(p->tap, p->packet, sizeof(p->packet));

			if (n < (ssize_t) HEADER)
				break; /* nothing there */
			p->len = (size_t) n;
		}
		r = deliver(d, q, &(struct iovec) { p->packet, p->len }, 1);
		if (r > 0)
			p->len = 0;
	}
	vio_signal(d, q);
	watch(p, r > 0);
	return r;
}

static void tap_ready(void *arg, uint32_t events)
{
	struct pair *p = arg;

	if (events & (EPOLLERR | EPOLLHUP)) {
		loop_remove(p->net->vio.vm->loop, &p->source); /* the tap device is gone */
		return;
	}
	if (!p->net->vio.started || !p->active || p->net->vio.queue[index_of(p) * 2].vq.desc == NULL)
		watch(p, false);
	else if (receive(p) < 0)
		vio_broken(&p->net->vio);
}

static int send_one(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	struct net *n = (struct net *) d;

	n->large |= chain->out_len > SMALL;
	if (n->user != NULL) {
		struct vq_chain id = { .id = chain->id, .slots = chain->slots };

		usernet_send(n->user, chain);
		vio_push(d, q, &id, 0);
		return 0;
	}
	if (chain->out_len > HEADER && chain->out_len <= PACKET_MAX)
		(void) !writev(n->pair[q / 2]->tap, chain->iov, (int) chain->nr_out); /* what is refused is lost */
	vio_push(d, q, chain, 0);
	return 0;
}

static int send_all(struct net *n, unsigned q)
{
	const struct virtq *vq = &n->vio.queue[q].vq;
	uint32_t max = vq->size / 4u < SMALL_MAX ? vq->size / 4u : SMALL_MAX;
	int r;

	n->large = false;
	r = vio_take(&n->vio, q, send_one);
	if (r < 0)
		return r;
	if (n->large || vq->unsignalled > max)
		vio_signal(&n->vio, q);
	else
		vio_signal_later(&n->vio, q);
	return 0;
}

static unsigned offloads(uint64_t features)
{
	unsigned v = 0;

	if (!(features & F_GUEST_CSUM))
		return 0;
	v |= TUN_F_CSUM;
	v |= features & F_GUEST_TSO4 ? TUN_F_TSO4 : 0u;
	v |= features & F_GUEST_TSO6 ? TUN_F_TSO6 : 0u;
	v |= (features & F_GUEST_ECN) && (features & (F_GUEST_TSO4 | F_GUEST_TSO6)) ? TUN_F_TSO_ECN : 0u;
	return v;
}

/* Pairs from 0 on take part. */
static void use_pairs(struct net *n, unsigned nr)
{
	for (unsigned i = 0; i < n->nr_pairs; i++) {
		struct pair *p = n->pair[i];
		bool on = i < nr;

		if (on != p->active && n->nr_pairs > 1)
			(void) net_tap_attach(p->tap, on); /* packets of one that stays go nowhere */
		p->active = on;
		watch(p, on);
	}
}

static uint8_t control(struct net *n, const uint8_t head[2], struct vq_chain *chain)
{
	uint8_t v[2];
	unsigned nr;

	if (head[0] == CLASS_RX || head[0] == CLASS_MAC)
		return ACK_OK; /* a tap device hands over all that is sent to it */
	if (head[0] != CLASS_MQ || head[1] != 0 || vq_chain_read(chain, v, sizeof(v)) != sizeof(v))
		return ACK_ERR;
	nr = get_le16(v);
	if (nr == 0 || nr > n->nr_pairs || !(n->vio.features & F_MQ))
		return ACK_ERR;
	use_pairs(n, nr);
	return ACK_OK;
}

static int take_control(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	uint8_t *ack = vq_chain_cut_status(chain);
	uint8_t head[2];

	if (ack == NULL || vq_chain_read(chain, head, sizeof(head)) != sizeof(head))
		return -EPROTO;
	*ack = control((struct net *) d, head, chain);
	vio_push(d, q, chain, 1);
	return 0;
}

static int net_notify(struct vio_dev *d, unsigned q)
{
	struct net *n = (struct net *) d;
	unsigned last = d->features & F_MQ ? n->nr_pairs * 2 : 2;

	if ((d->features & F_CTRL_VQ) && q == last)
		return vio_each(d, q, take_control);
	if (q >= n->nr_pairs * 2)
		return 0;
	if (q % 2 == 1)
		return send_all(n, q);
	if (n->user != NULL) {
		usernet_room(n->user);
		return 0;
	}
	return n->pair[q / 2]->active ? receive(n->pair[q / 2]) : 0;
}

static int net_start(struct vio_dev *d)
{
	struct net *n = (struct net *) d;

	if (n->user != NULL)
		usernet_offload(n->user, (d->features & F_GUEST_CSUM ? USERNET_CSUM : 0u) |
					 (d->features & F_GUEST_TSO4 ? USERNET_TSO : 0u));
	for (unsigned i = 0; i < n->nr_pairs && n->user == NULL; i++)
		(void) net_tap_offload(n->pair[i]->tap, offloads(d->features)); /* else it computes itself */
	use_pairs(n, 1);
	return 0;
}

static void net_stop(struct vio_dev *d)
{
	struct net *n = (struct net *) d;

	use_pairs(n, 1); /* as the tap device was; nothing is read while it is not started */
	for (unsigned i = 0; i < n->nr_pairs; i++)
		n->pair[i]->len = 0;
	if (n->user != NULL)
		usernet_reset(n->user);
}

static void net_free(struct vio_dev *d)
{
	struct net *n = (struct net *) d;

	for (unsigned i = 0; i < n->nr_pairs; i++) {
		if (n->pair[i] == NULL)
			continue;
		loop_remove(d->vm->loop, &n->pair[i]->source);
		free(n->pair[i]);
	}
	usernet_free(n->user);
	free(n);
}

static const struct vio_ops net_ops = { .name = "virtio-net", .nick = "net", .removable = true, .id = 1, .class = 0x020000, .start = net_start,
					.stop = net_stop, .notify = net_notify, .free = net_free };

static int add_pair(struct net *n, unsigned i, int tap, struct err *err)
{
	struct pair *p = calloc(1, sizeof(*p));
	int r;

	if (p == NULL)
		return err_set(err, -ENOMEM, "make virtio-net");
	p->net = n;
	p->tap = tap;
	p->active = true; /* a tap device begins with all its queues */
	p->source.fd = -1;
	n->pair[i] = p;
	if (tap < 0)
		return 0;
	r = loop_add(n->vio.vm->loop, &p->source, tap, 0, tap_ready, p);
	return r < 0 ? err_set(err, r, "virtio-net: watch the tap device") : 0;
}

int net_mac_parse(const char *text, uint8_t ret[6])
{
	unsigned b[6];
	int end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6 ||
	    text[end] != '\0' || (b[0] & 1))
		return -EINVAL;
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t) b[i];
	return 0;
}

int net_add(struct vm *vm, struct pci_bus *bus, const struct net_config *conf, struct err *err)
{
	uint64_t features = F_CSUM | F_GUEST_CSUM | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_GUEST_ECN | F_HOST_TSO4 |
			    F_HOST_TSO6 | F_HOST_ECN | F_MRG_RXBUF | F_STATUS | F_CTRL_VQ | F_CTRL_RX |
			    (conf->pairs > 1 ? F_MQ : 0);
	struct net *n = calloc(1, sizeof(*n));
	int r;

	if (n == NULL)
		return err_set(err, -ENOMEM, "make virtio-net");
	r = vio_init(&n->vio, vm, &net_ops, features, conf->pairs * 2 + 1, err);
	n->nr_pairs = conf->pairs;
	for (unsigned i = 0; i < conf->pairs && r == 0; i++)
		r = add_pair(n, i, conf->user != NULL ? -1 : conf->tap[i], err);
	if (r == 0 && conf->user != NULL)
		r = usernet_new(vm->loop, conf->user, deliver_user, &n->vio, &n->user, err);
	if (r < 0) {
		vio_fini(&n->vio);
		net_free(&n->vio);
		return r;
	}
	if (conf->split)
		n->vio.offered &= ~VIO_F_PACKED;
	memcpy(n->vio.config, conf->mac, sizeof(conf->mac));
	put_le16(n->vio.config + 6, STATUS_UP);
	put_le16(n->vio.config + 8, (uint16_t) conf->pairs);
	n->vio.config_len = 12;
	r = vio_pci_add(vm, bus, &n->vio, err);
	if (r == 0 && conf->id != NULL)
		dev_name(vm->devs, conf->id); /* the one that was added last */
	return r;
}
