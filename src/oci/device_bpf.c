/* SPDX-License-Identifier: MIT */
/**
 * DOC: device rules as an eBPF program
 *
 * The kernel passes struct bpf_cgroup_dev_ctx in r1.  The program keeps its parts in registers
 *     r2 type (BPF_DEVCG_DEV_*)   r3 access asked for (BPF_DEVCG_ACC_* bits)   r4 major   r5 minor
 * and then has one block per exception; a mismatch jumps to the next block, a match returns:
 *     an allowed device: all of the access asked for is in the exception
 *     a forbidden device: any of it is
 * which is how the v1 controller reads its lists (kernel: security/device_cgroup.c).
 *
 * Verifying and compiling takes longer than all else that v2 needs for a start (0.3 ms), and most
 * containers have the same rules.  So a program is kept in the BPF file system, where there is one, in
 * a directory only root can enter; its name spells the rules out, thus equal names are equal programs.
 */
#include "oci/device_bpf.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

#define HEAD_LEN ((size_t) 6)
#define BLOCK_LEN_MAX ((size_t) 8)
#define TAIL_LEN ((size_t) 2)
#define PROGS_MAX 64 /* programs of one cgroup; the kernel's limit */
#define PROG_NAME "cleave_devices"
#define PIN_DIR "/sys/fs/bpf/cleave"
#define PIN_FORMAT "devices1" /* count up when equal rules give another program */

struct writer {
	struct bpf_insn *v;
	size_t n;
};

static void put(struct writer *w, uint8_t code, unsigned dst, unsigned src, int16_t off, int32_t imm)
{
	w->v[w->n++] = (struct bpf_insn){
		.code = code,
		.dst_reg = (uint8_t) (dst & 15),
		.src_reg = (uint8_t) (src & 15),
		.off = off,
		.imm = imm,
	};
}

static void put_return(struct writer *w, bool allow)
{
	put(w, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, allow);
	put(w, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void put_block(struct writer *w, const struct device_rule *r, bool allow)
{
	size_t jumps[4], n = 0;

	jumps[n++] = w->n;
	put(w, BPF_JMP32 | BPF_JNE | BPF_K, 2, 0, 0, r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (r->major >= 0) {
		jumps[n++] = w->n;
		put(w, BPF_JMP32 | BPF_JNE | BPF_K, 4, 0, 0, (int32_t) (uint32_t) r->major);
	}
	if (r->minor >= 0) {
		jumps[n++] = w->n;
		put(w, BPF_JMP32 | BPF_JNE | BPF_K, 5, 0, 0, (int32_t) (uint32_t) r->minor);
	}
	if (r->access != DEVICE_ALL) {
		int32_t bits = ((r->access & DEVICE_READ) != 0 ? BPF_DEVCG_ACC_READ : 0) |
			       ((r->access & DEVICE_WRITE) != 0 ? BPF_DEVCG_ACC_WRITE : 0) |
			       ((r->access & DEVICE_MKNOD) != 0 ? BPF_DEVCG_ACC_MKNOD : 0);

		put(w, BPF_ALU | BPF_MOV | BPF_X, 1, 3, 0, 0);
		put(w, BPF_ALU | BPF_AND | BPF_K, 1, 0, 0, allow ? ~bits : bits);
		jumps[n++] = w->n;
		put(w, BPF_JMP32 | (allow ? BPF_JNE : BPF_JEQ) | BPF_K, 1, 0, 0, 0);
	}
	put_return(w, allow);
	for (size_t i = 0; i < n; i++) /* offsets count from the next instruction */
		w->v[jumps[i]].off = (int16_t) (w->n - jumps[i] - 1);
}

size_t device_bpf_len(const struct device_rules *rules)
{
	return HEAD_LEN + rules->n * BLOCK_LEN_MAX + TAIL_LEN;
}

size_t device_bpf_write(const struct device_rules *rules, struct bpf_insn *prog)
{
	struct writer w = { .v = prog };

	put(&w, BPF_LDX | BPF_W | BPF_MEM, 2, 1, 0, 0); /* access_type: access << 16 | type */
	put(&w, BPF_ALU | BPF_MOV | BPF_X, 3, 2, 0, 0);
	put(&w, BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
	put(&w, BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16);
	put(&w, BPF_LDX | BPF_W | BPF_MEM, 4, 1, 4, 0);
	put(&w, BPF_LDX | BPF_W | BPF_MEM, 5, 1, 8, 0);
	for (size_t i = 0; i < rules->n; i++)
		put_block(&w, &rules->v[i], !rules->allow);
	put_return(&w, rules->allow);
	return w.n;
}

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int) r;
}

static int load_program(const struct device_rules *rules)
{
	_cleanup_free_ struct bpf_insn *prog = calloc(device_bpf_len(rules), sizeof(*prog));
	union bpf_attr attr;

	if (prog == NULL)
		return -ENOMEM;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t) (uintptr_t) prog;
	attr.insn_cnt = (uint32_t) device_bpf_write(rules, prog);
	attr.license = (uint64_t) (uintptr_t) "MIT";
	memcpy(attr.prog_name, PROG_NAME, sizeof(PROG_NAME));
	return bpf(BPF_PROG_LOAD, &attr);
}

/*
 * Make the directory.  Everybody may make one in the BPF file system, so it counts only if it is root's
 * and nobody else can change it.
 */
static bool pin_dir(void)
{
	struct stat st;

	if (lstat(PIN_DIR, &st) < 0 && (mkdir(PIN_DIR, 0700) < 0 || lstat(PIN_DIR, &st) < 0))
		return false;
	return S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & 077) == 0;
}

/*
 * Path of the kept program: a name like "devices1-deny-c1_3-b8__4"; the BPF file system allows no dots.
 * Return: false when programs cannot be kept or the name is too long.
 */
static bool pin_path(const struct device_rules *rules, struct str *ret)
{
	size_t dir = strlen(PIN_DIR "/");

	if (geteuid() != 0 || !pin_dir())
		return false;
	str_printf(ret, PIN_DIR "/" PIN_FORMAT "-%s", rules->allow ? "allow" : "deny");
	for (size_t i = 0; i < rules->n && ret->len < dir + NAME_MAX; i++) {
		const struct device_rule *r = &rules->v[i];

		str_printf(ret, "-%c", r->type);
		if (r->major >= 0)
			str_printf(ret, "%" PRId64, r->major);
		str_puts(ret, "_");
		if (r->minor >= 0)
			str_printf(ret, "%" PRId64, r->minor);
		if (r->access != DEVICE_ALL)
			str_printf(ret, "_%u", r->access);
	}
	return !ret->failed && ret->len <= dir + NAME_MAX;
}

static int open_pinned(const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uint64_t) (uintptr_t) path;
	return bpf(BPF_OBJ_GET, &attr);
}

/* Keep a program; a failure costs time next time, nothing else. */
static void pin(int fd, const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uint64_t) (uintptr_t) path;
	attr.bpf_fd = (uint32_t) fd;
	(void) bpf(BPF_OBJ_PIN, &attr);
}

/* The program for these rules, kept or new.  Return: descriptor; -errno. */
static int get_program(const struct device_rules *rules)
{
	_cleanup_(str_fini) struct str path = { 0 };
	bool keep = pin_path(rules, &path);
	int fd = keep ? open_pinned(path.p) : -ENOENT;

	if (fd >= 0)
		return fd;
	fd = load_program(rules);
	if (fd >= 0 && keep)
		pin(fd, path.p);
	return fd;
}

/* Open program @id if we made it.  Return: descriptor; -ENOENT it is another's; -errno. */
static int open_ours(uint32_t id)
{
	struct bpf_prog_info info;
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	_cleanup_close_ int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return fd;
	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t) fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t) (uintptr_t) &info;
	r = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (r < 0)
		return r;
	return strncmp(info.name, PROG_NAME, sizeof(info.name)) == 0 ? take_fd(fd) : -ENOENT;
}

/* Find our program in a cgroup.  Return: descriptor; -ENOENT none; -errno. */
static int find_ours(int cgroup_fd)
{
	uint32_t ids[PROGS_MAX];
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t) cgroup_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t) (uintptr_t) ids;
	attr.query.prog_cnt = PROGS_MAX;
	r = bpf(BPF_PROG_QUERY, &attr);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < attr.query.prog_cnt; i++) {
		int fd = open_ours(ids[i]);

		if (fd != -ENOENT)
			return fd;
	}
	return -ENOENT;
}

int device_bpf_attach(int cgroup_fd, const struct device_rules *rules, bool replace, struct err *err)
{
	_cleanup_close_ int old = replace ? find_ours(cgroup_fd) : -ENOENT;
	union bpf_attr attr;
	int r;

	if (old < 0 && old != -ENOENT)
		return err_set(err, old, "look for the device program of the cgroup");
	_cleanup_close_ int fd = get_program(rules);
	if (fd < 0)
		return err_set(err, fd, "load the device program of %zu rules", rules->n);
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t) cgroup_fd;
	attr.attach_bpf_fd = (uint32_t) fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI | (old >= 0 ? BPF_F_REPLACE : 0);
	if (old >= 0)
		attr.replace_bpf_fd = (uint32_t) old;
	r = bpf(BPF_PROG_ATTACH, &attr);
	return r < 0 ? err_set(err, r, "attach the device program to the cgroup") : 0;
}
