/* SPDX-License-Identifier: MIT */
/**
 * DOC: signatures made with GPG
 *
 * Those of others are checked in a directory of its own for one policy, so that every key there is one that may sign.  What
 * gpg found it says in lines for programs; anything but one good signature is none.  Our own are made with the key ring of
 * the user, and with their environment: gpg asks their agent.
 */
#include "registry/gpg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "registry/signature.h"

#define STATUS_MAX (256u << 10) /* bytes of what gpg says */
#define MARK "[GNUPG:] "

#define WORDS_MAX 24 /* of a command line */

/** struct reg_gpg - @dir: for files, and the key ring unless that is the user's (@own); @fd: of it */
struct reg_gpg {
	char dir[64];
	int fd;
	bool own;
};

int reg_gpg_new(struct reg_gpg **ret, struct err *err)
{
	_cleanup_(reg_gpg_freep) struct reg_gpg *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return err_set(err, -ENOMEM, "make a key ring");
	g->fd = -EBADF;
	(void) snprintf(g->dir, sizeof(g->dir), "/tmp/cleave-gpg.XXXXXX"); /* gpg takes no long names */
	if (mkdtemp(g->dir) == NULL) {
		g->dir[0] = '\0';
		return err_set(err, -errno, "make a directory in /tmp");
	}
	g->fd = open(g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->fd < 0)
		return err_set(err, -errno, "open '%s'", g->dir);
	*ret = take_ptr(g);
	return 0;
}

int reg_gpg_own(struct reg_gpg **ret, struct err *err)
{
	int r = reg_gpg_new(ret, err);

	if (r == 0)
		(*ret)->own = true;
	return r;
}

static int spawn(char *const *argv, char *const *env, int out, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = posix_spawnp(ret, argv[0], &actions, NULL, argv, env);
	(void) posix_spawn_file_actions_destroy(&actions); /* never fails */
	return -r;
}

/* Return: exit status; -errno with a message. */
static int execute(const char *const *argv, char *const *env, struct str *said, struct err *err)
{
	int pipes[2], r, status = 0;
	pid_t pid = -1;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, -errno, "create a pipe");
	r = spawn((char *const *) argv, env, pipes[1], &pid);
	(void) close(pipes[1]);
	if (r == 0) {
		r = fd_read_str(pipes[0], STATUS_MAX, said);
		if (r < 0)
			(void) kill(pid, SIGKILL); /* it is our child */
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	(void) close(pipes[0]);
	if (r < 0)
		return err_set(err, r, "run gpg, which makes and checks such signatures (package gpg)");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* @words: up to four, ended by NULL.  Return: as of execute(). */
static int run(const struct reg_gpg *g, const char *const *words, struct str *said, struct err *err)
{
	static char *const alone[] = { "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	const char *argv[WORDS_MAX] = { "gpg", "--no-options", "--batch", "--no-tty", "--no-autostart", "--disable-dirmngr",
					"--no-auto-key-retrieve", "--trust-model", "always", "--status-fd", "1" };
	size_t n = 11;

	if (!g->own) {
		argv[n++] = "--homedir";
		argv[n++] = g->dir;
	}
	while (*words != NULL)
		argv[n++] = *words++;
	return execute(argv, g->own ? environ : alone, said, err);
}

/* Lines "[GNUPG:] WORD ..." */
static unsigned count(const struct str *said, const char *word)
{
	size_t n = strlen(word);
	unsigned found = 0;

	for (const char *p = said->p; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (str_starts(p, MARK) && strncmp(p + strlen(MARK), word, n) == 0 && strchr(" \n", p[strlen(MARK) + n]) != NULL)
			found++;
	}
	return found;
}

/* The first word after "VALIDSIG" */
static void read_signer(const struct str *said, char ret[REG_GPG_SIGNER_MAX])
{
	const char *p = strstr(said->p, MARK "VALIDSIG ");

	p += strlen(MARK "VALIDSIG ");
	(void) snprintf(ret, REG_GPG_SIGNER_MAX, "%.*s", (int) strcspn(p, " \n"), p); /* longer ones differ before the end */
}

static int put(const struct reg_gpg *g, const char *name, const void *data, size_t len, struct err *err)
{
	int r = file_replace(g->fd, name, data, len, 0600);

	return r < 0 ? err_set(err, r, "write '%s/%s'", g->dir, name) : 0;
}

int reg_gpg_import(struct reg_gpg *g, const char *name, const void *keys, size_t len, struct err *err)
{
	_cleanup_(str_fini) struct str said = { 0 };
	char path[80];
	int r = put(g, "keys", keys, len, err);

	(void) snprintf(path, sizeof(path), "%s/keys", g->dir); /* fits */
	if (r == 0)
		r = run(g, (const char *const[]) { "--import", path, NULL }, &said, err);
	if (r < 0)
		return r;
	return count(&said, "IMPORT_OK") > 0 ? 0 : err_msg(err, -EINVAL, "'%s' has no public key of GPG", name);
}

int reg_gpg_verify(struct reg_gpg *g, const void *signature, size_t len, struct str *ret, char signer[REG_GPG_SIGNER_MAX],
		   struct err *err)
{
	static const char *const bad[] = { "BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "KEYREVOKED", "NODATA", "UNEXPECTED" };
	_cleanup_(str_fini) struct str said = { 0 };
	char in[80], out[80];
	int r = put(g, "signature", signature, len, err);

	(void) snprintf(in, sizeof(in), "%s/signature", g->dir); /* fits, as below */
	(void) snprintf(out, sizeof(out), "%s/text", g->dir);
	(void) unlinkat(g->fd, "text", 0); /* of the one before, or of none */
	if (r == 0)
		r = run(g, (const char *const[]) { "--output", out, "--verify", in, NULL }, &said, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (count(&said, bad[i]) > 0)
			return -EPERM;
	if (r != 0 || count(&said, "GOODSIG") != 1 || count(&said, "VALIDSIG") != 1)
		return -EPERM;
	read_signer(&said, signer);
	r = file_read(g->fd, "text", REG_SIGNATURE_MAX, ret);
	return r < 0 ? err_set(err, r, "read '%s'", out) : 0;
}

/* Codes of libgpg-error in "FAILURE sign NUMBER" that are about passphrases: wrong, none, nobody to ask */
static bool lacks_passphrase(const struct str *said)
{
	static const unsigned codes[] = { 11, 177, 86, 85, 99 };
	const char *p = said->p != NULL ? strstr(said->p, MARK "FAILURE sign ") : NULL;
	unsigned long code = p != NULL ? strtoul(p + strlen(MARK "FAILURE sign "), NULL, 10) & 0xffff : 0;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

static int refused(const char *key, int status, const struct str *said, struct err *err)
{
	if (count(said, "INV_SGNR") > 0)
		return err_msg(err, -ENOENT, "gpg has no secret key '%.200s' that can sign (see 'gpg --list-secret-keys')", key);
	if (lacks_passphrase(said) || count(said, "PINENTRY_LAUNCHED") > 0)
		return err_msg(err, -EACCES, "the passphrase of key '%.200s' is wrong, or missing (see --sign-passphrase-file)", key);
	return err_msg(err, -EACCES, "gpg did not sign with key '%.200s': exit status %d", key, status);
}

int reg_gpg_sign(struct reg_gpg *g, const char *key, const char *passphrase_file, const void *text, size_t len,
		 struct str *ret, struct err *err)
{
	const char *argv[WORDS_MAX] = { "gpg", "--batch", "--no-tty", "--status-fd", "1" };
	_cleanup_(str_fini) struct str said = { 0 };
	char in[80], out[80];
	size_t n = 5;
	int r = put(g, "text", text, len, err);

	(void) snprintf(in, sizeof(in), "%s/text", g->dir); /* fits, as below */
	(void) snprintf(out, sizeof(out), "%s/signature", g->dir);
	if (passphrase_file != NULL) {
		argv[n++] = "--pinentry-mode";
		argv[n++] = "loopback";
		argv[n++] = "--passphrase-file";
		argv[n++] = passphrase_file;
	}
	argv[n++] = "--local-user";
	argv[n++] = key;
	argv[n++] = "--output";
	argv[n++] = out;
	argv[n++] = "--sign";
	argv[n++] = in;
	if (r == 0)
		r = execute(argv, environ, &said, err);
	if (r < 0)
		return r;
	if (r != 0 || count(&said, "SIG_CREATED") != 1)
		return refused(key, r, &said, err);
	r = file_read(g->fd, "signature", REG_SIGNATURE_MAX, ret);
	return r < 0 ? err_set(err, r, "read '%s'", out) : 0;
}

void reg_gpg_free(struct reg_gpg *g)
{
	if (g == NULL)
		return;
	cleanup_closep(&g->fd);
	if (g->dir[0] != '\0')
		(void) dir_remove(AT_FDCWD, g->dir); /* what stays is in /tmp */
	free(g);
}
