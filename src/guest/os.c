/* SPDX-License-Identifier: MIT */
#include "guest/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>

#define LINE_MAX 400

long os_mkdir(const char *path, unsigned mode)
{
	long r = OS3(__NR_mkdirat, AT_FDCWD, path, mode);

	return r == -EEXIST ? 0 : r;
}

long os_open(const char *path, int flags, unsigned mode)
{
	return OS4(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

long os_write_file(const char *path, const char *text, size_t n)
{
	long fd = os_open(path, O_WRONLY, 0), r;

	if (fd < 0)
		return fd;
	r = sys_write((int) fd, text, n);
	(void) sys_close((int) fd); /* a control file: the write told */
	return r < 0 ? r : 0;
}

long os_read_file(const char *path, char *buf, size_t size)
{
	long fd = os_open(path, O_RDONLY, 0), n = 0, r = fd;

	buf[0] = '\0';
	if (fd < 0)
		return fd;
	while (n < (long) size - 1 && (r = sys_read((int) fd, buf + n, size - 1 - (size_t) n)) > 0)
		n += r;
	(void) sys_close((int) fd); /* read only */
	buf[n] = '\0';
	return r < 0 ? r : n;
}

void *os_alloc(size_t n)
{
	long r = sys_call(__NR_mmap, 0, (long) n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return r < 0 && r > -4096 ? NULL : (void *) r;
}

void os_free(void *p, size_t n)
{
	if (p != NULL)
		(void) OS2(__NR_munmap, p, n); /* it was mapped */
}

uint64_t os_number(const char *text)
{
	uint64_t v = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		v = v * 10 + (uint64_t) (*text - '0');
	return v;
}

const char *os_find(const char *text, const char *name)
{
	bool begins = true;

	for (; *text != '\0'; text++) {
		size_t i = 0;

		while (begins && name[i] != '\0' && text[i] == name[i])
			i++;
		if (begins && name[i] == '\0' && text[i] == ' ')
			return text + i + 1;
		begins = *text == '\n';
	}
	return NULL;
}

void os_say(const char *text, ...)
{
	char line[LINE_MAX] = "<3>cleave-guest: "; /* as an error: shown with "quiet" too */
	size_t n = text_len(line);
	long fd = os_open("/dev/kmsg", O_WRONLY, 0);
	va_list more;

	va_start(more, text);
	for (; text != NULL; text = va_arg(more, const char *))
		while (*text != '\0' && n < sizeof(line) - 1)
			line[n++] = *text++;
	va_end(more);
	line[n++] = '\n';
	if (fd < 0)
		return;
	(void) sys_write((int) fd, line, n); /* nobody else to tell */
	(void) sys_close((int) fd);
}

void os_be_patient(bool patient)
{
	static const struct sched_param none;
	static bool is;

	if (patient != is)
		(void) OS3(__NR_sched_setscheduler, 0, patient ? SCHED_BATCH : SCHED_OTHER, &none); /* it only takes longer */
	is = patient;
}
