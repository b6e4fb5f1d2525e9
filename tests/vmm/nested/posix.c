/* SPDX-License-Identifier: MIT */
/*
 * posix DIR: what POSIX and Linux promise of a file system, checked in an empty directory as root.
 * A line for everything that is not so; the last line is "POSIX n checks, m wrong".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FILES 600
#define LARGE (3u << 20)

static int checks, wrong;

static void check(int good, int line, const char *what)
{
	checks++;
	if (good)
		return;
	wrong++;
	printf("WRONG line %d: %s (%s)\n", line, what, strerror(errno));
}

#define YES(e) check((e), __LINE__, #e)
#define OK(e) check((e) >= 0, __LINE__, #e)
#define FAILS(code, e) check((errno = 0, (e) < 0 && errno == (code)), __LINE__, #e " fails with " #code)

static int make(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd >= 0 && text != NULL && write(fd, text, strlen(text)) < 0)
		return -1;
	return fd;
}

static void put(const char *name, const char *text)
{
	int fd = make(name, text);

	OK(fd);
	close(fd);
}

static int is(const char *name, const char *text)
{
	char buf[256] = "";
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	close(fd);
	return n == (ssize_t) strlen(text) && memcmp(buf, text, (size_t) n) == 0;
}

static struct stat of(const char *name)
{
	struct stat st;

	memset(&st, 0, sizeof(st));
	OK(lstat(name, &st));
	return st;
}

/* Run as somebody else; its checks count. */
static void as(uid_t uid, gid_t gid, gid_t more, void (*body)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		checks = wrong = 0;
		OK(setgroups(more != 0, &more));
		OK(setresgid(gid, gid, gid));
		OK(setresuid(uid, uid, uid));
		body();
		fflush(stdout);
		_exit(wrong > 100 ? 100 : wrong);
	}
	waitpid(pid, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, __LINE__, "somebody else's checks");
}

static void names(void)
{
	char longest[NAME_MAX + 2], back[64];
	int fd;

	put("a", "one");
	put("b", "two");
	OK(rename("a", "b"));
	YES(is("b", "one"));
	FAILS(ENOENT, access("a", F_OK));
	OK(mkdir("d", 0755));
	OK(mkdir("e", 0755));
	put("e/x", "x");
	FAILS(ENOTEMPTY, rename("d", "e"));
	FAILS(EISDIR, rename("b", "d"));
	FAILS(ENOTDIR, rename("d", "b"));
	FAILS(EINVAL, rename("e", "e/inside"));
	OK(rename("e", "d"));
	YES(is("d/x", "x"));
	put("c", "three");
	FAILS(EEXIST, renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE));
	OK(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_EXCHANGE));
	YES(is("b", "three") && is("c", "one"));
	OK(rename("c", "d/y"));
	YES(is("d/y", "one"));
	FAILS(ENOTEMPTY, rmdir("d"));
	FAILS(EISDIR, unlink("d"));
	FAILS(ENOTDIR, rmdir("b"));
	FAILS(EEXIST, mkdir("d", 0755));
	FAILS(ENOENT, open("d/none", O_RDONLY));
	FAILS(ENOTDIR, open("b/none", O_RDONLY));
	FAILS(EEXIST, open("b", O_CREAT | O_EXCL | O_RDWR, 0644));
	memset(longest, 'n', sizeof(longest));
	longest[NAME_MAX + 1] = '\0';
	FAILS(ENAMETOOLONG, open(longest, O_CREAT, 0644));
	longest[NAME_MAX] = '\0';
	OK(fd = open(longest, O_CREAT | O_RDWR, 0644));
	close(fd);
	OK(unlink(longest));

	/* links */
	OK(link("b", "b2"));
	YES(of("b").st_ino == of("b2").st_ino && of("b").st_nlink == 2);
	FAILS(EEXIST, link("b", "b2"));
	FAILS(EPERM, link("d", "d2"));
	OK(unlink("b"));
	YES(of("b2").st_nlink == 1 && is("b2", "three"));
	OK(symlink("b2", "s"));
	YES(readlink("s", back, sizeof(back)) == 2 && memcmp(back, "b2", 2) == 0);
	YES(is("s", "three") && S_ISLNK(of("s").st_mode) && of("s").st_size == 2);
	OK(link("s", "s2"));
	YES(S_ISLNK(of("s2").st_mode));
	OK(symlink("loop", "loop"));
	FAILS(ELOOP, open("loop", O_RDONLY));
	FAILS(ELOOP, open("s", O_RDONLY | O_NOFOLLOW));
	OK(lchown("s", 7, 8));
	YES(of("s").st_uid == 7 && of("b2").st_uid == 0);
	YES(utimensat(AT_FDCWD, "s", (struct timespec[2]) { { 5, 0 }, { 6, 0 } }, AT_SYMLINK_NOFOLLOW) == 0);
	YES(of("s").st_mtime == 6 && of("b2").st_mtime > 6);

	/* a file without a name */
	OK(fd = make("gone", "content"));
	OK(unlink("gone"));
	YES(pwrite(fd, "C", 1, 0) == 1 && pread(fd, back, 7, 0) == 7 && memcmp(back, "Content", 7) == 0);
	OK(ftruncate(fd, 3));
	struct stat st;
	OK(fstat(fd, &st));
	YES(st.st_nlink == 0 && st.st_size == 3);
	OK(fchmod(fd, 0600));
	OK(close(fd));
	OK(fd = make("over", "old"));
	put("new", "new");
	OK(rename("new", "over"));
	YES(pread(fd, back, 3, 0) == 3 && memcmp(back, "old", 3) == 0 && is("over", "new"));
	close(fd);
	OK(mkdir("wd", 0755));
	OK(chdir("wd"));
	OK(rmdir("../wd"));
	FAILS(ENOENT, open("x", O_CREAT | O_RDWR, 0644));
	OK(chdir(".."));
}

static void special(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int fd, s = socket(AF_UNIX, SOCK_STREAM, 0);
	char c;

	OK(mkfifo("fifo", 0644));
	YES(S_ISFIFO(of("fifo").st_mode));
	if (fork() == 0) {
		fd = open("fifo", O_WRONLY);
		_exit(write(fd, "p", 1) != 1);
	}
	OK(fd = open("fifo", O_RDONLY));
	YES(read(fd, &c, 1) == 1 && c == 'p');
	close(fd);
	wait(NULL);
	OK(bind(s, (struct sockaddr *) &addr, sizeof(addr)));
	YES(S_ISSOCK(of("sock").st_mode));
	close(s);
	FAILS(EPERM, mknod("dev", S_IFCHR | 0600, 0x103));
}

static void data(void)
{
	char *p = malloc(LARGE), *q = malloc(LARGE);
	int fd, fd2;
	struct stat st;
	struct statvfs v;

	for (unsigned i = 0; i < LARGE; i++)
		p[i] = (char) (i * 2654435761u >> 13);
	OK(fd = make("large", NULL));
	YES(write(fd, p, LARGE) == (ssize_t) LARGE);
	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ? -1 : 0);
	YES(pread(fd, q, LARGE, 0) == (ssize_t) LARGE && memcmp(p, q, LARGE) == 0);
	YES(pwrite(fd, "odd", 3, 4095) == 3 && pread(fd, q, 3, 4095) == 3 && memcmp(q, "odd", 3) == 0);
	OK(fd2 = make("copy", NULL));
	YES(copy_file_range(fd, &(off_t) { 8192 }, fd2, NULL, 100000, 0) == 100000);
	YES(pread(fd2, q, 100000, 0) == 100000 && memcmp(p + 8192, q, 100000) == 0);
	close(fd2);
	OK(ftruncate(fd, 10));
	OK(ftruncate(fd, 100000));
	YES(pread(fd, q, 100, 10) == 100 && q[0] == 0 && q[99] == 0 && q[50] == 0);
	YES(pwrite(fd, "end", 3, 1 << 20) == 3);
	OK(fsync(fd));
	OK(fstat(fd, &st));
	YES(st.st_size == (1 << 20) + 3 && st.st_blocks * 512 < 600000);
	YES(lseek(fd, 200000, SEEK_DATA) > 200000);
	YES(lseek(fd, 0, SEEK_HOLE) < 1 << 20);
	OK(fallocate(fd, 0, 2 << 20, 4096));
	OK(fstat(fd, &st));
	YES(st.st_size == (2 << 20) + 4096);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096));
	YES(pread(fd, q, 3, 1 << 20) == 3 && q[0] == 0);
	close(fd);
	FAILS(EISDIR, open("/proc/self/cwd", O_WRONLY));
	OK(fd = open("log", O_CREAT | O_WRONLY | O_APPEND, 0644));
	OK(fd2 = open("log", O_WRONLY | O_APPEND));
	YES(write(fd, "a", 1) == 1 && write(fd2, "b", 1) == 1 && write(fd, "c", 1) == 1);
	YES(is("log", "abc"));
	close(fd);
	close(fd2);
	OK(fd = open("log", O_WRONLY | O_TRUNC));
	YES(of("log").st_size == 0);
	FAILS(EBADF, read(fd, q, 1));
	close(fd);
	OK(fd = make("map", "mapped text, long enough"));
	char *m = mmap(NULL, 24, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	YES(m != MAP_FAILED);
	memcpy(m, "MAPPED", 6);
	OK(msync(m, 24, MS_SYNC));
	YES(is("map", "MAPPED text, long enough"));
	munmap(m, 24);
	close(fd);
	OK(fd = open(".", O_RDONLY | O_DIRECTORY));
	OK(fsync(fd));
	OK(syncfs(fd));
	close(fd);
	OK(statvfs(".", &v));
	YES(v.f_blocks > 0 && v.f_namemax == 255);
	free(p);
	free(q);
}

static void attributes(void)
{
	char buf[70000], list[256];
	struct stat before, after;
	int fd;

	OK(fd = make("x", "x"));
	OK(setxattr("x", "user.one", "value", 5, 0));
	YES(getxattr("x", "user.one", buf, sizeof(buf)) == 5 && memcmp(buf, "value", 5) == 0);
	YES(getxattr("x", "user.one", NULL, 0) == 5);
	FAILS(ERANGE, getxattr("x", "user.one", buf, 2));
	FAILS(EEXIST, setxattr("x", "user.one", "v", 1, XATTR_CREATE));
	FAILS(ENODATA, setxattr("x", "user.two", "v", 1, XATTR_REPLACE));
	FAILS(ENODATA, getxattr("x", "user.two", buf, 1));
	OK(fsetxattr(fd, "user.two", "", 0, 0));
	YES(flistxattr(fd, list, sizeof(list)) == 18);
	OK(removexattr("x", "user.one"));
	YES(listxattr("x", list, sizeof(list)) == 9 && strcmp(list, "user.two") == 0);
	FAILS(EPERM, setxattr("x", "trusted.t", "v", 1, 0));
	FAILS(E2BIG, setxattr("x", "user.big", buf, 65537, 0));
	OK(symlink("x", "xl"));
	FAILS(EPERM, lsetxattr("xl", "user.one", "v", 1, 0));
	OK(mkdir("xd", 0755));
	OK(setxattr("xd", "user.dir", "d", 1, 0));
	close(fd);

	OK(chmod("x", 04751));
	YES((of("x").st_mode & 07777) == 04751);
	OK(chown("x", 12, 34));
	before = of("x");
	YES(before.st_uid == 12 && before.st_gid == 34 && !(before.st_mode & 04000));
	usleep(20000);
	OK(chmod("x", 0640));
	after = of("x");
	YES(after.st_ctim.tv_sec > before.st_ctim.tv_sec || after.st_ctim.tv_nsec > before.st_ctim.tv_nsec);
	YES(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
	YES(utimensat(AT_FDCWD, "x", (struct timespec[2]) { { 100, 1000 }, { 0, UTIME_OMIT } }, 0) == 0);
	YES(of("x").st_atim.tv_sec == 100 && of("x").st_atim.tv_nsec == 1000 && of("x").st_mtime == before.st_mtime);
	umask(027);
	close(make("masked", NULL));
	YES((of("masked").st_mode & 0777) == 0640);
	umask(022);
	YES(of("xd").st_nlink == 2);
	OK(mkdir("xd/sub", 0755));
	YES(of("xd").st_nlink == 3);
}

static void locks(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = 10, .l_len = 10 };
	int fd = make("locked", "0123456789012345678901234567890"), fd2, status;

	OK(fcntl(fd, F_SETLK, &l));
	if (fork() == 0) {
		struct flock m = { .l_type = F_WRLCK, .l_start = 15, .l_len = 1 };
		int bad = 0, own = open("locked", O_RDWR);

		bad += !(fcntl(own, F_SETLK, &m) < 0 && (errno == EAGAIN || errno == EACCES));
		bad += !(fcntl(own, F_GETLK, &m) == 0 && m.l_type == F_WRLCK && m.l_pid == getppid() && m.l_start == 10);
		m = (struct flock) { .l_type = F_WRLCK, .l_start = 20, .l_len = 5 };
		bad += fcntl(own, F_SETLK, &m) < 0;
		_exit(bad);
	}
	wait(&status);
	YES(status == 0);
	OK(flock(fd, LOCK_EX));
	OK(fd2 = open("locked", O_RDWR));
	FAILS(EWOULDBLOCK, flock(fd2, LOCK_SH | LOCK_NB));
	OK(flock(fd, LOCK_UN));
	OK(flock(fd2, LOCK_SH | LOCK_NB));
	close(fd);
	close(fd2);
}

static void stranger(void)
{
	FAILS(EACCES, open("secret", O_RDONLY));
	FAILS(EACCES, open("new", O_CREAT | O_RDWR, 0644));
	FAILS(EPERM, chmod("public", 0777));
	FAILS(EPERM, chown("public", 1000, 1000));
	FAILS(EACCES, mkdir("dir", 0755));
	FAILS(EACCES, rename("public", "public2"));
	FAILS(EACCES, open("closed/inside", O_RDONLY));
	OK(mkdir("open/mine", 0700));
	OK(chdir("open/mine"));
	close(make("file", "text"));
	YES(of("file").st_uid == 1000 && of("file").st_gid == 1001 && of(".").st_uid == 1000);
	OK(symlink("anywhere", "link"));
	YES(of("link").st_uid == 1000);
	OK(chmod("file", 06755));
	OK(chown("file", -1, 1001));
	YES((of("file").st_mode & 07777) == 0755);
	OK(chdir("../.."));
	FAILS(EPERM, unlink("sticky/root"));
	FAILS(EPERM, rename("sticky/root", "sticky/x"));
	close(make("sticky/mine", NULL));
	OK(unlink("sticky/mine"));
	close(make("setgid/file", NULL));
	YES(of("setgid/file").st_gid == 5000);
	OK(mkdir("setgid/dir", 0755));
	YES(of("setgid/dir").st_gid == 5000 && (of("setgid/dir").st_mode & S_ISGID));
	YES(write(open("suid", O_WRONLY), "w", 1) == 1);
	YES((of("suid").st_mode & 07777) == 0777);
}

static void member(void)
{
	OK(make("group/file", "text"));
	YES(of("group/file").st_gid == 1001);
	FAILS(EACCES, make("setgid2/file", "text"));
}

static void rights(void)
{
	static const char *const dirs[] = { "open", "closed", "sticky", "setgid", "group", "setgid2" };
	static const mode_t modes[] = { 0777, 0700, 01777, 02777, 0770, 02770 };

	for (int i = 0; i < 6; i++) {
		OK(mkdir(dirs[i], 0700));
		OK(chown(dirs[i], 0, i == 3 ? 5000 : i == 4 ? 2000 : 0));
		OK(chmod(dirs[i], modes[i]));
	}
	put("secret", "s");
	OK(chmod("secret", 0600));
	put("public", "p");
	put("closed/inside", "i");
	put("sticky/root", "r");
	put("suid", "s");
	OK(chmod("suid", 06777));
	as(1000, 1001, 0, stranger);
	as(1000, 1001, 2000, member);
	YES(is("open/mine/file", "text"));
}

static void directory(void)
{
	char name[32], *seen = calloc(1, FILES);
	int n = 0, twice = 0, other = 0;
	struct dirent *e;
	long middle = 0;
	DIR *d;

	OK(mkdir("many", 0755));
	OK(chdir("many"));
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "a-file-with-number-%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
	d = opendir(".");
	YES(d != NULL);
	while ((e = readdir(d)) != NULL) {
		int k = -1;

		if (sscanf(e->d_name, "a-file-with-number-%d", &k) == 1 && k >= 0 && k < FILES)
			twice += seen[k]++;
		else
			other++;
		if (++n == FILES / 2)
			middle = telldir(d);
		if (k >= 0 && k % 3 == 0)
			unlink(e->d_name); /* what is removed meanwhile does not disturb the rest */
	}
	YES(n == FILES + 2 && other == 2 && twice == 0);
	seekdir(d, middle);
	for (n = 0; readdir(d) != NULL; n++)
		;
	YES(n > FILES / 4 && n < FILES / 2 + 3);
	rewinddir(d);
	for (n = 0; (e = readdir(d)) != NULL; n++)
		if (e->d_name[0] == 'a')
			unlink(e->d_name);
	YES(n == FILES - (FILES + 2) / 3 + 2);
	closedir(d);
	OK(chdir(".."));
	OK(rmdir("many"));
	free(seen);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } all[] = {
		{ "names", names }, { "special", special }, { "data", data }, { "attributes", attributes },
		{ "locks", locks }, { "rights", rights }, { "directory", directory },
	};

	if (argc != 2 || chdir(argv[1]) < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		mkdir(all[i].name, 0755);
		if (chdir(all[i].name) < 0)
			return 2;
		all[i].run();
		if (chdir(argv[1]) < 0)
			return 2;
	}
	printf("POSIX %d checks, %d wrong\n", checks, wrong);
	return wrong > 0;
}
