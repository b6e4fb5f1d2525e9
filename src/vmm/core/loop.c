/* SPDX-License-Identifier: MIT */
/**
 * DOC: event loop
 *
 * Level-triggered epoll.  A callback may remove any source, also one whose event was fetched in the
 * same round: @pending holds what is still to be called, and loop_remove() strikes it out.
 *
 * What has time waits for one timer, which is set once for all that comes before it is due: in a machine that is a guest
 * itself, to set one costs as much as to handle an event.
 */
#include "vmm/core/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define ROUND_MAX 32 /* events fetched at a time */

struct loop {
	int epoll, wake, timer;
	bool stop, timed; /* the timer is set */
	struct loop_source tick;
	struct loop_later *later; /* those that wait */
	struct epoll_event pending[ROUND_MAX];
	int nr_pending;
	void (*lock)(void *arg);
	void (*unlock)(void *arg);
	void *lock_arg;
};

static void run_later(void *arg, uint32_t events)
{
	struct loop *l = arg;
	uint64_t times;

	(void) events;
	(void) !read(l->timer, &times, sizeof(times)); /* it is due */
	l->timed = false;
	while (l->later != NULL) {
		struct loop_later *one = l->later;

		l->later = one->next;
		one->waits = false;
		one->run(one->arg);
	}
}

int loop_new(struct loop **ret, void (*lock)(void *arg), void (*unlock)(void *arg), void *lock_arg,
	     struct err *err)
{
	_cleanup_close_ int epoll = epoll_create1(EPOLL_CLOEXEC);
	_cleanup_close_ int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	_cleanup_close_ int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	_cleanup_free_ struct loop *l = calloc(1, sizeof(*l));
	struct epoll_event e = { .events = EPOLLIN };
	int r;

	if (l == NULL)
		return err_set(err, -ENOMEM, "make event loop");
	if (epoll < 0 || wake < 0 || timer < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &e) < 0)
		return err_set(err, -errno, "make event loop");
	l->epoll = epoll;
	r = loop_add(l, &l->tick, timer, EPOLLIN, run_later, l);
	if (r < 0)
		return err_set(err, r, "make event loop");
	l->epoll = take_fd(epoll);
	l->wake = take_fd(wake);
	l->timer = take_fd(timer);
	l->lock = lock;
	l->unlock = unlock;
	l->lock_arg = lock_arg;
	*ret = take_ptr(l);
	return 0;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	(void) close(l->epoll);
	(void) close(l->wake);
	(void) close(l->timer);
	free(l);
}

int loop_add(struct loop *l, struct loop_source *s, int fd, uint32_t events,
	     void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	*s = (struct loop_source) { .fd = fd, .ready = ready, .arg = arg };
	return 0;
}

int loop_change(struct loop *l, struct loop_source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	return epoll_ctl(l->epoll, EPOLL_CTL_MOD, s->fd, &e) < 0 ? -errno : 0;
}

void loop_remove(struct loop *l, struct loop_source *s)
{
	if (s->ready == NULL || s->fd < 0)
		return;
	(void) epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL); /* it is watched */
	s->fd = -1;
	for (int i = 0; i < l->nr_pending; i++)
		if (l->pending[i].data.ptr == s)
			l->pending[i].data.ptr = NULL;
}

void loop_later(struct loop *l, struct loop_later *later)
{
	const struct itimerspec soon = { .it_value.tv_nsec = LOOP_LATER_MS * 1000000 };

	if (later->waits)
		return;
	later->waits = true;
	later->next = l->later;
	l->later = later;
	if (!l->timed)
		l->timed = timerfd_settime(l->timer, 0, &soon, NULL) == 0; /* fails for bad arguments only */
}

void loop_not_later(struct loop *l, struct loop_later *later)
{
	struct loop_later **at = &l->later;

	while (*at != NULL && *at != later)
		at = &(*at)->next;
	if (*at != NULL)
		*at = later->next;
	later->waits = false;
}

int loop_round(struct loop *l, int timeout_ms)
{
	int n = epoll_wait(l->epoll, l->pending, ROUND_MAX, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	l->lock(l->lock_arg);
	l->nr_pending = n;
	for (int i = 0; i < l->nr_pending; i++) {
		struct loop_source *s = l->pending[i].data.ptr;

		if (s != NULL)
			s->ready(s->arg, l->pending[i].events);
	}
	l->nr_pending = 0;
	l->unlock(l->lock_arg);
	return n;
}

int loop_run(struct loop *l)
{
	int r = 0;

	while (r >= 0 && !__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE))
		r = loop_round(l, -1);
	return r < 0 ? r : 0;
}

void loop_stop(struct loop *l)
{
	uint64_t one = 1;

	__atomic_store_n(&l->stop, true, __ATOMIC_RELEASE);
	(void) !write(l->wake, &one, sizeof(one)); /* full means that it is awake */
}
