/* SPDX-License-Identifier: MIT */
/**
 * DOC: a server of the FUSE protocol
 *
 * A request is copied whole, but for data to write; what it names is checked, and carried out with the
 * rights of this process: the guest's kernel has checked those of its own users (it is told so by virtiofs'
 * rules).  A process that has the capabilities for it makes files in the name of the guest's user.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sys/cap.h"
#include "vmm/dev/share/share_parts.h"

#define CAP(name) (1ull << CAP_##name)
#define CAPS (CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(SETGID) | CAP(SETUID) | CAP(SETFCAP))
#define MAJOR_SIZE 8u /* bytes of an answer that tells the version only */
#define BACKGROUND 16 /* requests that may be under way without somebody waiting */

#define FLAGS                                                                                              \
	(FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO | FUSE_ASYNC_DIO |     \
	 FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_AUTO_INVAL_DATA | FUSE_ATOMIC_O_TRUNC |                  \
	 FUSE_HANDLE_KILLPRIV_V2)

static void set_caps(uint64_t effective, uint64_t permitted)
{
	struct cap_sets sets = { .effective = effective, .permitted = permitted };

	(void) cap_set(&sets); /* fewer than it has */
}

bool share_is_privileged(void)
{
	struct cap_sets have;

	return geteuid() == 0 && cap_get(&have) == 0 && (have.permitted & CAPS) == CAPS;
}

/* Nodes that the guest makes are the guest's: where no device can be opened, they are names on this host. */
static bool cannot_open_devices(int dir)
{
	struct statvfs st;

	return fstatvfs(dir, &st) == 0 && (st.f_flag & ST_NODEV) != 0;
}

int share_enter(struct share *s)
{
	struct cap_sets have;
	int r = cap_get(&have);

	if (r < 0)
		return r;
	if (unshare(CLONE_FS) < 0)
		return -errno;
	s->privileged = share_is_privileged();
	if (s->privileged && (have.effective & CAP(SYS_CHROOT)) && (fchdir(s->dir) < 0 || chroot(".") < 0))
		return -errno; /* the shared directory is all that it sees */
	if (fchdir(s->proc) < 0) /* attributes have no other way to be reached */
		return -errno;
	(void) umask(0); /* the guest's kernel has applied its users' */
	if (s->privileged) { /* only administrators set the marks of an overlay; the thread's system calls are limited to files */
		s->caps = CAPS | (share_is_layer(s) ? have.permitted & CAP(SYS_ADMIN) : 0);
		s->caps |= cannot_open_devices(s->dir) ? have.permitted & CAP(MKNOD) : 0;
	}
	set_caps(s->caps, s->caps);
	s->keep_suid = true;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int share_act_as(struct share_call *c)
{
	const struct fuse_in_header *h = c->head;

	if (!c->share->privileged || (h->uid == 0 && h->gid == 0))
		return 0;
	(void) setfsgid(h->gid); /* tells nothing but what it was before */
	(void) setfsuid(h->uid);
	if ((uint32_t) setfsuid(UINT_MAX) != h->uid || (uint32_t) setfsgid(UINT_MAX) != h->gid) {
		share_act_as_self(c->share);
		return -EPERM; /* a user that this host has no number for */
	}
	set_caps(CAP(DAC_OVERRIDE), c->share->caps); /* groups of the user, which only the guest knows, may have let it in */
	return 0;
}

void share_act_as_self(struct share *s)
{
	if (!s->privileged)
		return;
	(void) setfsuid(0); /* it is 0 in all but this respect */
	(void) setfsgid(0);
	s->keep_suid = true;
	set_caps(s->caps, s->caps);
}

void share_keep_suid(struct share *s, bool keep)
{
	if (!s->privileged || s->keep_suid == keep)
		return;
	s->keep_suid = keep;
	set_caps(keep ? s->caps : s->caps & ~CAP(FSETID), s->caps);
}

const char *share_text(const struct share_call *c, size_t *at)
{
	const char *p = (const char *) c->args + *at;
	size_t left = *at < c->args_len ? c->args_len - *at : 0, n = strnlen(left > 0 ? p : "", left);

	if (n == left)
		return NULL;
	*at += n + 1;
	return p;
}

const char *share_name(const struct share_call *c, size_t *at)
{
	const char *p = share_text(c, at);

	if (p == NULL || *p == '\0' || strchr(p, '/') != NULL || strcmp(p, ".") == 0 ||
	    strcmp(p, "..") == 0)
		return NULL;
	return p;
}

static int64_t init(struct share_call *c)
{
	const struct fuse_init_in *in = (const struct fuse_init_in *) c->args;
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = 31 };

	if (in->major < FUSE_KERNEL_VERSION || (in->major == FUSE_KERNEL_VERSION && in->minor < 31))
		return -EPROTO;
	if (in->major > FUSE_KERNEL_VERSION) { /* it tries again with ours */
		memcpy(c->out, &out, MAJOR_SIZE);
		return MAJOR_SIZE;
	}
	share_forget_all(c->share);
	out.max_readahead = in->max_readahead;
	out.flags = in->flags & FLAGS;
	out.max_background = BACKGROUND;
	out.congestion_threshold = BACKGROUND * 3 / 4;
	out.max_write = SHARE_PAGES_MAX * 4096;
	out.max_pages = SHARE_PAGES_MAX;
	out.time_gran = 1;
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}
SHARE_OP(init, FUSE_INIT, 16, 0, init);

static int64_t destroy(struct share_call *c)
{
	share_forget_all(c->share);
	return 0;
}
SHARE_OP(destroy, FUSE_DESTROY, 0, 0, destroy);

static int64_t forget(struct share_call *c)
{
	share_forget(c->share, c->head->nodeid, ((const struct fuse_forget_in *) c->args)->nlookup);
	return 0;
}
SHARE_OP(forget, FUSE_FORGET, sizeof(struct fuse_forget_in), SHARE_SILENT, forget);

static int64_t forget_many(struct share_call *c)
{
	const struct fuse_batch_forget_in *in = (const struct fuse_batch_forget_in *) c->args;
	const struct fuse_forget_one *one = (const struct fuse_forget_one *) (in + 1);
	size_t n = (c->args_len - sizeof(*in)) / sizeof(*one);

	for (size_t i = 0; i < n && i < in->count; i++)
		share_forget(c->share, one[i].nodeid, one[i].nlookup);
	return 0;
}
SHARE_OP(forget_many, FUSE_BATCH_FORGET, sizeof(struct fuse_batch_forget_in), SHARE_SILENT, forget_many);

/* Requests are carried out one after the other: when this one comes, the other is done. */
static int64_t interrupt(struct share_call *c)
{
	(void) c;
	return 0;
}
SHARE_OP(interrupt, FUSE_INTERRUPT, sizeof(struct fuse_interrupt_in), SHARE_SILENT, interrupt);

static const struct share_op *find(uint32_t opcode)
{
	REGISTRY_FOREACH(it, share_ops)
		if ((*it)->opcode == opcode)
			return *it;
	return NULL;
}

static int64_t carry_out(struct share_call *c, const struct share_op *op)
{
	if (op == NULL)
		return -ENOSYS;
	if (c->args_len < op->args_min)
		return -EINVAL;
	if ((op->flags & SHARE_CHANGES) && c->share->kind == SHARE_READONLY)
		return -EROFS;
	return op->run(c);
}

/* Copy the request but for what is to be written. */
static int take_args(struct share_call *c)
{
	size_t n = c->chain->out_len;

	if (c->head->opcode == FUSE_WRITE)
		n = n < sizeof(struct fuse_write_in) ? n : sizeof(struct fuse_write_in);
	if (n > SHARE_IN_MAX - sizeof(struct fuse_in_header))
		return -E2BIG;
	c->args_len = vq_chain_read(c->chain, c->share->in + sizeof(struct fuse_in_header), n);
	return 0;
}

int64_t share_answer(struct share *s, struct vq_chain *chain)
{
	struct fuse_out_header head = { 0 };
	struct share_call c = { .share = s, .head = (void *) s->in, .args = s->in + sizeof(struct fuse_in_header),
				.out = s->out, .chain = chain };
	struct vq_chain answer;
	const struct share_op *op;
	int64_t r;

	if (vq_chain_read(chain, s->in, sizeof(struct fuse_in_header)) != sizeof(struct fuse_in_header))
		return -EPROTO;
	r = take_args(&c);
	answer = *chain;
	if (chain->in_len >= sizeof(head)) {
		(void) vq_chain_write(chain, &head, sizeof(head)); /* its place; there is room */
		c.room = chain->in_len < SHARE_OUT_MAX ? chain->in_len : SHARE_OUT_MAX;
	}
	op = find(c.head->opcode);
	memset(s->out, 0, sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out));
	if (r == 0)
		r = carry_out(&c, op);
	if (answer.in_len < sizeof(head) || (op != NULL && (op->flags & SHARE_SILENT)))
		return 0;
	if (r > 0 && !(op->flags & SHARE_DIRECT) && vq_chain_write(chain, s->out, (size_t) r) != (size_t) r)
		r = -EIO; /* the guest left less room than the answer has */
	head.unique = c.head->unique;
	head.error = r < 0 ? (int32_t) r : 0;
	head.len = (uint32_t) (sizeof(head) + (r > 0 ? (size_t) r : 0));
	(void) vq_chain_write(&answer, &head, sizeof(head)); /* there is room */
	return head.len;
}
