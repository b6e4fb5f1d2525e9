/* SPDX-License-Identifier: MIT */
/*
 * System calls for a program without a C library.  Every one returns the kernel's result: a value, or
 * -errno.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct iovec;
struct msghdr;
struct pollfd;

/** sys_call() - any system call, unused arguments 0 */
long sys_call(long nr, long a, long b, long c, long d, long e, long f);

/** sys_read() - read(2) */
long sys_read(int fd, void *buf, size_t n);
/** sys_write() - write(2) */
long sys_write(int fd, const void *buf, size_t n);
/** sys_write_all() - all of it, waiting as needed; 0 or -errno */
long sys_write_all(int fd, const void *buf, size_t n);
/** sys_close() - close(2) */
long sys_close(int fd);
/** sys_poll() - poll(2); @timeout_ms < 0 waits for ever */
long sys_poll(struct pollfd *fds, unsigned n, int timeout_ms);
/** sys_nonblock() - set O_NONBLOCK of the open file */
long sys_nonblock(int fd);
/** sys_send() - one record, without SIGPIPE */
long sys_send(int sock, const void *data, size_t n);
/** sys_send_parts() - one record of two parts, without SIGPIPE */
long sys_send_parts(int sock, const void *a, size_t a_len, const void *b, size_t b_len);
/** sys_send_to() - one datagram of @n parts to the socket at a path */
long sys_send_to(int sock, const char *path, const struct iovec *parts, size_t n);
/** sys_peek() - first byte of the next record, which stays; -errno, 0 at the end of the connection */
long sys_peek(int sock, char *ret);
/** sys_recv() - one record; @ret_fd gets a descriptor sent along or -1, NULL to take none */
long sys_recv(int sock, void *buf, size_t n, int *ret_fd);
/** sys_accept() - next connection, non-blocking */
long sys_accept(int sock);
/** sys_ioctl() - ioctl(2) */
long sys_ioctl(int fd, unsigned long request, void *arg);
/** sys_signals() - block @blocked (bit n-1 = signal n) and receive @wanted by a descriptor */
long sys_signals(uint64_t blocked, uint64_t wanted);
/** sys_signals_only() - block exactly these signals */
long sys_signals_only(uint64_t blocked);
/** sys_next_signal() - number of a signal from that descriptor; 0 none */
int sys_next_signal(int fd);
/** sys_kill() - kill(2) */
long sys_kill(int pid, int signal);
/** sys_wait() - reap one child; its pid, 0 none has ended, -ECHILD there is none */
long sys_wait(int *ret_status);
/** sys_now() - seconds since 1970 and nanoseconds */
void sys_now(int64_t *ret_s, uint32_t *ret_ns);
/** sys_now_ms() - milliseconds of a clock that is never set */
int64_t sys_now_ms(void);
/** sys_open_log() - create an empty file to append to; descriptor */
long sys_open_log(int dir, const char *name);
/** sys_rename() - within a directory */
long sys_rename(int dir, const char *from, const char *to);
/** sys_size() - bytes of a file */
long sys_size(int fd);
/** sys_truncate() - cut a file */
long sys_truncate(int fd, int64_t size);
/** sys_release() - give the whole pages of this memory back, they read as zero afterwards */
void sys_release(void *p, size_t n);
/** sys_pipe_size() - how much a pipe holds */
long sys_pipe_size(int fd, int bytes);
/** sys_replace() - make file @name of a directory have this content, atomically */
long sys_replace(int dir, const char *name, const char *text, size_t n);
/** sys_execute() - run the program of a descriptor; returns on failure only */
long sys_execute(int fd, const char *const *argv);
/** sys_exit() - end the process */
_Noreturn void sys_exit(int code);

/** program() - the program itself; returns its exit status */
int program(int argc, char **argv);

/** text_len() - bytes of a terminated text */
size_t text_len(const char *s);
/** text_number() - append a decimal number, at least @digits wide; returns the new end */
char *text_number(char *to, uint64_t v, unsigned digits);
