/* SPDX-License-Identifier: MIT */
/* Archives made block by block, so that they can be as wrong as wanted. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/layer.h"
#include "image/stream.h"

static void checksum(char h[512])
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char) h[i];
	(void) snprintf(h + 148, 8, "%06o", sum);
}

static void add(struct str *tar, char type, const char *name, const char *link, const char *data)
{
	static const char zero[512];
	size_t n = data != NULL ? strlen(data) : 0;
	char h[512] = { 0 };

	memcpy(h, name, strlen(name));
	(void) snprintf(h + 100, 8, "%07o", type == '5' ? 0755 : 0644);
	(void) snprintf(h + 108, 8, "%07o", 0);
	(void) snprintf(h + 116, 8, "%07o", 0);
	(void) snprintf(h + 124, 12, "%011o", (unsigned) n);
	(void) snprintf(h + 136, 12, "%011o", 1000);
	h[156] = type;
	memcpy(h + 157, link, strlen(link));
	memcpy(h + 257,
	       "ustar\0"
	       "00",
	       8);
	checksum(h);
	str_add(tar, h, sizeof(h));
	str_add(tar, data != NULL ? data : "", n);
	str_add(tar, zero, -n % 512);
}

static void end(struct str *tar)
{
	static const char zero[1024];

	str_add(tar, zero, sizeof(zero));
}

static int fixture(void **state)
{
	char *dir = strdup("/tmp/cleave-layer.XXXXXX");

	if (dir == NULL || mkdtemp(dir) == NULL)
		return -1;
	*state = dir;
	return 0;
}

static int clean(void **state)
{
	int r = dir_remove(AT_FDCWD, *state);

	free(*state);
	return r;
}

/* Unpack into a new directory below @dir, whose descriptor is kept in @ret_fd. */
static int unpack(const char *dir, const struct str *tar, int *ret_fd, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	_cleanup_close_ int file = memfd_create("tar", MFD_CLOEXEC);
	struct img_stream_sum sum;
	char path[256];
	uint64_t size;
	int r;

	(void) snprintf(path, sizeof(path), "%s/fs", dir);
	assert_int_equal(dir_remove(AT_FDCWD, path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(*ret_fd >= 0 && file >= 0);
	assert_int_equal(fd_write_full(file, tar->p, tar->len), 0);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	r = img_stream_open(file, -EBADF, &s, err);
	if (r == 0)
		r = img_layer_unpack(s, *ret_fd, IMG_LAYER_ROOT, &size, err);
	return r < 0 ? r : img_stream_finish(s, &sum, err);
}

static void ordinary(void **state)
{
	_cleanup_(str_fini) struct str tar = { 0 }, text = { 0 };
	_cleanup_close_ int fd = -EBADF;
	struct err err = { 0 };
	struct stat st, other;
	char link[16] = "";

	add(&tar, '5', "./", "", NULL);
	add(&tar, '5', "./etc/", "", NULL);
	add(&tar, '0', "./etc/hosts", "", "old");
	add(&tar, '0', "etc/hosts", "", "hello");
	add(&tar, '1', "./etc/same", "./etc/hosts", NULL);
	add(&tar, '2', "./abs", "/etc/hosts", NULL);
	add(&tar, '2', "./up", "../../../outside",
	    NULL); /* a link may say anything, nobody follows it */
	add(&tar, '0', "deep/er/file", "", "x");
	add(&tar, '0', "//root/one", "", "x"); /* from the root, as ko and buildpacks write names */
	add(&tar, '1', "two", "/root/one", NULL);
	end(&tar);
	assert_int_equal(unpack(*state, &tar, &fd, &err), 0);
	assert_int_equal(file_read(fd, "etc/hosts", 100, &text), 0);
	assert_string_equal(text.p, "hello");
	assert_int_equal(fstatat(fd, "etc/hosts", &st, 0), 0);
	assert_int_equal(fstatat(fd, "etc/same", &other, 0), 0);
	assert_true(st.st_ino == other.st_ino && st.st_mtime == 1000);
	assert_int_equal(fstatat(fd, "etc", &st, 0), 0);
	assert_int_equal(st.st_mtime, 1000); /* set after the files in it were made */
	assert_int_equal(readlinkat(fd, "abs", link, sizeof(link)), 10);
	assert_int_equal(fstatat(fd, "deep/er/file", &st, 0), 0);
	assert_int_equal(fstatat(fd, "root/one", &st, 0), 0);
	assert_int_equal(fstatat(fd, "two", &other, 0), 0);
	assert_true(st.st_ino == other.st_ino);
}

static void check_refused(const char *dir, struct str *tar, const char *why)
{
	_cleanup_close_ int fd = -EBADF;
	struct err err = { 0 };

	end(tar);
	assert_true(unpack(dir, tar, &fd, &err) < 0);
	if (strstr(err.text, why) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, why);
	str_fini(tar);
}

static void hostile(void **state)
{
	_cleanup_(str_fini) struct str tar = { 0 };

	add(&tar, '0', "../x", "", "x");
	check_refused(*state, &tar, "'..'");
	add(&tar, '0', "a/../../x", "", "x");
	check_refused(*state, &tar, "'..'");
	add(&tar, '2', "out", "../..", NULL);
	add(&tar, '0', "out/x", "", "x");
	check_refused(*state, &tar, "leads outside");
	add(&tar, '2', "out", "/tmp", NULL);
	add(&tar, '0', "out/x", "", "x");
	check_refused(*state, &tar, "leads outside");
	add(&tar, '2', "one", "two", NULL);
	add(&tar, '2', "two", "..", NULL);
	add(&tar, '0', "one/x/y", "", "x");
	check_refused(*state, &tar, "leads outside");
	add(&tar, '1', "x", "../../etc/passwd", NULL);
	check_refused(*state, &tar, "'..'");
	add(&tar, '0', "/../x", "", "x");
	check_refused(*state, &tar, "'..'");
	add(&tar, '1', "x", "/etc/passwd", NULL);
	check_refused(*state, &tar, "unpack '/etc/passwd': no such file");
	add(&tar, '2', "out", "/etc", NULL);
	add(&tar, '1', "x", "out/passwd", NULL);
	check_refused(*state, &tar, "leads outside");
	add(&tar, '0', "etc/.wh.passwd", "", "");
	check_refused(*state, &tar, "whiteout");
	add(&tar, '2', "./", "/tmp", NULL);
	check_refused(*state, &tar, "is the root and no directory");
	add(&tar, 'Z', "x", "", NULL);
	check_refused(*state, &tar, "kind 'Z'");
	check_refused(*state, &tar, "empty");
}

static void damaged(void **state)
{
	static const char *const pax[] = { "10 path=a", "999999999999 path=a\n", "0 a=b\n",
					   "x",         "12 size=-1xx\n",        "8 pathx\n" };
	_cleanup_(str_fini) struct str tar = { 0 };

	add(&tar, '0', "x", "", "x");
	tar.p[0] = 'y';
	check_refused(*state, &tar, "checksum");
	str_puts(&tar, "this is no archive");
	check_refused(*state, &tar, "no valid tar");
	for (size_t i = 0; i < ARRAY_LEN(pax); i++) {
		add(&tar, 'x', "h", "", pax[i]);
		add(&tar, '0', "x", "", "x");
		check_refused(*state, &tar, "extended header");
	}
	add(&tar, 'x', "h", "", "22 GNU.sparse.major=1\n");
	add(&tar, '0', "x", "", "x");
	check_refused(*state, &tar, "sparse");
}

static void overlay_xattr(void **state)
{
	static const char record[] = " SCHILY.xattr.trusted.overlay.redirect=/etc\n";
	_cleanup_(str_fini) struct str tar = { 0 };
	char text[128];

	(void) snprintf(text, sizeof(text), "%zu%s", sizeof(record) - 1 + 2, record);
	add(&tar, 'x', "h", "", text);
	add(&tar, '5', "d", "", NULL);
	check_refused(*state, &tar, "reserved");
}

static void long_names(void **state)
{
	_cleanup_(str_fini) struct str tar = { 0 }, name = { 0 };
	_cleanup_close_ int fd = -EBADF;
	struct err err = { 0 };
	char record[600];
	struct stat st;

	for (int i = 0; i < 20; i++)
		str_puts(&name, "directory-of-some-len/");
	str_puts(&name, "f");
	(void) snprintf(record, sizeof(record), "%zu path=%s\n", name.len + 10, name.p);
	add(&tar, 'x', "h", "", record);
	add(&tar, '0', "short", "", "data");
	str_puts(&name, "2");
	add(&tar, 'L', "././@LongLink", "", name.p);
	add(&tar, '0', "short", "", "data");
	end(&tar);
	assert_int_equal(unpack(*state, &tar, &fd, &err), 0);
	assert_int_equal(fstatat(fd, name.p, &st, 0), 0);
	name.p[name.len - 1] = '\0';
	assert_int_equal(fstatat(fd, name.p, &st, 0), 0);
}

static void gzip_bytes(const struct str *in, struct str *out)
{
	z_stream z = { 0 };
	char buf[65536];

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *) in->p;
	z.avail_in = (unsigned) in->len;
	z.next_out = (unsigned char *) buf;
	z.avail_out = sizeof(buf);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	str_add(out, buf, sizeof(buf) - z.avail_out);
	(void) deflateEnd(&z);
}

static void gzip(void **state)
{
	_cleanup_(str_fini) struct str tar = { 0 }, packed = { 0 };
	char want[SHA256_HEX_LEN + 1], blob[SHA256_HEX_LEN + 1];
	_cleanup_close_ int file = memfd_create("gz", MFD_CLOEXEC),
			    copy = memfd_create("copy", MFD_CLOEXEC);
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	struct img_stream_sum sum;
	struct err err = { 0 };
	int fd = -EBADF;

	add(&tar, '0', "x", "", "data");
	end(&tar);
	gzip_bytes(&tar, &packed);
	sha256_hex(tar.p, tar.len, want);
	sha256_hex(packed.p, packed.len, blob);
	assert_int_equal(fd_write_full(file, packed.p, packed.len), 0);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_int_equal(img_stream_open(file, copy, &s, &err), 0);
	assert_int_equal(img_stream_finish(s, &sum, &err), 0);
	assert_string_equal(sum.diff_id + 7, want);
	assert_string_equal(sum.blob + 7, blob);
	assert_int_equal(sum.unpacked_size, tar.len);
	assert_int_equal(sum.blob_size, packed.len);
	assert_int_equal(lseek(copy, 0, SEEK_CUR), packed.len);
	packed.len -= 20; /* cut short */
	assert_int_equal(unpack(*state, &packed, &fd, &err), -EBADMSG);
	(void) close(fd);
	packed.p[packed.len / 2] ^= 0x55;
	packed.p[packed.len / 2 + 1] ^= 0x55;
	assert_int_equal(unpack(*state, &packed, &fd, &err), -EBADMSG);
	(void) close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ordinary, fixture, clean),
		cmocka_unit_test_setup_teardown(hostile, fixture, clean),
		cmocka_unit_test_setup_teardown(damaged, fixture, clean),
		cmocka_unit_test_setup_teardown(overlay_xattr, fixture, clean),
		cmocka_unit_test_setup_teardown(long_names, fixture, clean),
		cmocka_unit_test_setup_teardown(gzip, fixture, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
