/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave cp`
 *
 * A process of its own packs what is copied into a tar, this one unpacks it, each below its own root.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/cp_paths.h"
#include "cli/format/table.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/user.h"
#include "image/layer.h"
#include "image/sink.h"
#include "image/tar_write.h"
#include "image/tree.h"

struct cp_opts {
	bool archive, follow, quiet;
};

static const struct opt cp_table[] = {
	{ "archive", 'a', OPT_BOOL, offsetof(struct cp_opts, archive), NULL,
	  "keep owners on this machine; in an instance the files get its user" },
	{ "follow-link", 'L', OPT_BOOL, offsetof(struct cp_opts, follow), NULL,
	  "copy what SRC points to if it is a link" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct cp_opts, quiet), NULL,
	  "do not say how much was copied" },
	{ 0 },
};

static int pack(const struct cp_side *src, const char *as, int fd, struct err *err)
{
	const struct img_tree_opts opts = {
		.prefix = "",
		.id_start = (uint32_t) src->files.config.userns_start,
		.id_size = (uint32_t) src->files.config.userns_size,
	};
	_cleanup_(img_sink_freep) struct img_sink *sink = NULL;
	int r = img_sink_open(fd, false, false, &sink, err);

	if (r == 0)
		r = eng_file_pack(src->root, &src->file, as, &opts, sink, err);
	if (r == 0)
		r = img_tar_end(sink, err);
	return r < 0 ? r : img_sink_finish(sink, NULL, err);
}

/* Who owns the copies: Docker's rules */
static int set_owner(const struct cp_side *dest, bool archive, struct img_copy *to, struct err *err)
{
	const struct eng_config *c = &dest->files.config;
	struct eng_user user;
	int r;

	if (dest->instance == NULL) {
		to->owned = !archive;
		to->uid = geteuid();
		to->gid = getegid();
		return 0;
	}
	to->id_start = (uint32_t) c->userns_start;
	to->id_size = (uint32_t) c->userns_size;
	if (!archive || c->user == NULL || c->user[0] == '\0')
		return 0;
	r = eng_user_find(dest->root, c->user, &user, err);
	to->owned = true;
	to->uid = user.uid;
	to->gid = user.gid;
	return r;
}

/* Return: 0; -errno with a message; *ret_bytes of the archive. */
static int unpack(const struct cp_side *dest, const struct cp_target *target, bool archive, int fd,
		  uint64_t *ret_bytes, struct err *err)
{
	const struct instance_files *files = dest->inside != NULL ? dest->inside : &dest->files;
	struct img_copy to = { .root = dest->root, .dir = target->dir };
	int r = set_owner(dest, archive, &to, err);

	if (r < 0 || !files->fs.own)
		return r < 0 ? r : eng_file_unpack(fd, &to, ret_bytes, err);
	const struct eng_copy copy = { .fd = fd, .dir = to.dir, .owned = to.owned, .uid = to.uid, .gid = to.gid };
	return eng_backend_find(files->i.isolation)->copy(files->e, files->i.id, &copy, ret_bytes, err);
}

/* In a child; the parent reads what went wrong from shared memory. */
static pid_t start_packing(const struct cp_side *src, const char *as, int pipe_fds[2],
			   struct err *shared)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void) close(pipe_fds[0]); /* so that it notices when the parent gives up */
	(void) signal(SIGPIPE, SIG_IGN);
	_exit(pack(src, as, pipe_fds[1], shared) < 0);
}

static int copy(const struct cp_side *src, const struct cp_side *dest,
		const struct cp_target *target, bool archive, uint64_t *ret_bytes, struct err *err)
{
	struct err *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct err why = { 0 };
	int fds[2], status = 0, r;
	pid_t pid;

	if (shared == MAP_FAILED)
		return err_set(err, -errno, "share memory with a process");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	pid = start_packing(src, target->as, fds, shared);
	(void) close(fds[1]); /* the child's end */
	r = pid < 0 ? err_set(&why, -errno, "start a process")
		    : unpack(dest, target, archive, fds[0], ret_bytes, &why);
	(void) close(fds[0]); /* read-only */
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && shared->code != 0 && shared->code != -EPIPE)
		why = *shared; /* an archive that ends too early is not the reason */
	else if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		r = err_msg(&why, -EIO, "the process that reads the files died");
	r = why.code != 0 ? why.code : r;
	(void) munmap(shared, sizeof(*shared)); /* nothing can be done */
	return r < 0 ? err_msg(err, r, "%s", why.text) : 0;
}

static void tell(const struct cp_side *dest, uint64_t bytes)
{
	char size[32];

	cli_size((int64_t) bytes, size);
	fprintf(stderr, "Successfully copied %s to %s\n", size, dest->typed);
}

static int cp(const struct cp_opts *o, struct cp_side *src, struct cp_side *dest, struct err *err)
{
	struct cp_target target;
	uint64_t bytes = 0;
	int r = src->stream ? 0 : cp_source(src, o->follow, err);

	if (r == 0 && dest->stream) {
		cp_name(src->path, target.as);
		return pack(src, target.as, STDOUT_FILENO, err);
	}
	if (r == 0)
		r = cp_target(src, dest, &target, err);
	if (r == 0)
		r = src->stream ? unpack(dest, &target, o->archive, STDIN_FILENO, &bytes, err)
				: copy(src, dest, &target, o->archive, &bytes, err);
	if (r == 0 && !o->quiet && !src->stream && isatty(STDERR_FILENO))
		tell(dest, bytes);
	return r;
}

/* Files that are missing suddenly may be of an instance that somebody removes: its directory goes first. */
static int explain(const struct cp_side *side, int r, struct err *err)
{
	_cleanup_close_ int dir = r == -ENOENT && side->files.e != NULL ?
		eng_instance_dir(side->files.e, &side->files.i, NULL) : -EBADF;

	return dir != -ENOENT ? r : err_msg(err, r, "instance '%s' was removed meanwhile", side->files.i.name);
}

static int cp_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(cp_side_fini) struct cp_side src = CP_SIDE_NONE;
	_cleanup_(cp_side_fini) struct cp_side dest = CP_SIDE_NONE;
	int r = cp_side_parse(argv[0], &src, err);

	(void) argc;
	if (r == 0)
		r = cp_side_parse(argv[1], &dest, err);
	if (r == 0 && src.instance == NULL && dest.instance == NULL)
		r = err_msg(err, -EINVAL, "must specify at least one container source: INSTANCE:PATH");
	if (r == 0)
		r = eng_rootfs_unshare(err);
	if (r == 0)
		r = cp_side_open(cli, &src, err);
	if (r == 0)
		r = str_eq(src.instance, dest.instance) ? cp_side_share(&src, &dest, err)
							: cp_side_open(cli, &dest, err);
	if (r < 0)
		return r;
	r = cp(opts, &src, &dest, err);
	return explain(&dest, explain(&src, r, err), err);
}

CLI_VERB(cp_verb) = {
	.name = "cp",
	.args = "[INSTANCE:]SRC [INSTANCE:]DEST",
	.summary = "Copy files between an instance and this machine; '-' is a tar archive",
	.min_args = 2,
	.max_args = 2,
	.opts = cp_table,
	.opts_size = sizeof(struct cp_opts),
	.interspersed = true,
	.run = cp_run,
};
