/* SPDX-License-Identifier: MIT */
/**
 * DOC: power
 *
 * A kernel forgets that the button was pressed when its driver for buttons is not there yet, or nobody listens to it,
 * and nothing tells us of that.  A press while the guest may still be starting is repeated, as a person would do.
 */
#include "vmm/dev/legacy/power.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/core/dev.h"
#include "vmm/core/loop.h"
#include "vmm/core/trace.h"
#include "vmm/core/vm.h"

#define SLEEP_ENABLE 0x20u
#define SLEEP_TYPE(v) ((v) >> 2 & 7u)
#define PANICKED 1u /* bits of POWER_PANIC */
#define CRASH_LOADED 2u
#define BUTTON_AGAIN_S 2
#define STARTING_S 120 /* after power-on or reset; a slow system has its services up by then */

/** struct power - @since: seconds of the host's clock at power-on; @timer: until the button is pressed again */
struct power {
	struct dev dev;
	struct vm *vm;
	uint8_t events;
	time_t since;
	int timer;
	struct loop_source tick;
};

static time_t seconds(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t); /* it exists */
	return t.tv_sec;
}

/* Press the button again after @after seconds; 0: not any more. */
static void press_after(const struct power *p, time_t after)
{
	const struct itimerspec t = { .it_value.tv_sec = after };

	(void) timerfd_settime(p->timer, 0, &t, NULL); /* valid arguments */
}

static uint64_t power_read(void *dev, uint64_t offset, unsigned size)
{
	struct power *p = dev;
	uint8_t v = 0;

	if (size == 1 && offset == POWER_EVENTS - POWER_SLEEP_CONTROL) {
		v = p->events;
		p->events = 0;
		accel_irq(p->vm->accel, POWER_IRQ, false);
	}
	return v;
}

static void power_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct power *p = dev;

	if (size != 1)
		return;
	TRACE(TRACE_POWER, "register %u gets %#x", (unsigned) offset, (unsigned) value);
	if (offset == 0 && (value & SLEEP_ENABLE) && SLEEP_TYPE(value) == POWER_SLEEP_TYPE_OFF)
		vm_request(p->vm, VM_CAUSE_POWER_OFF);
	if (offset == POWER_RESET - POWER_SLEEP_CONTROL && value == POWER_RESET_VALUE)
		vm_request(p->vm, VM_CAUSE_RESET);
}

static uint64_t panic_read(void *dev, uint64_t offset, unsigned size)
{
	(void) dev;
	(void) offset;
	(void) size;
	return PANICKED | CRASH_LOADED;
}

static void panic_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct power *p = dev;

	(void) offset;
	(void) size;
	if (value & PANICKED)
		vm_request(p->vm, VM_CAUSE_PANIC);
}

static const struct bus_ops power_bus = { .read = power_read, .write = power_write };
static const struct bus_ops panic_bus = { .read = panic_read, .write = panic_write };

static void power_reset(struct dev *d)
{
	struct power *p = (struct power *) d;

	p->events = 0;
	p->since = seconds();
	press_after(p, 0);
	accel_irq(p->vm->accel, POWER_IRQ, false);
}

static void power_free(struct vm *vm, struct dev *d)
{
	struct power *p = (struct power *) d;

	loop_remove(vm->loop, &p->tick);
	if (p->timer >= 0)
		(void) close(p->timer); /* nothing was written to it */
	bus_remove(&vm->pio, POWER_SLEEP_CONTROL, d);
	bus_remove(&vm->pio, POWER_PANIC, d);
	free(d);
}

static const struct dev_ops power_ops = { .name = "power", .reset = power_reset, .free = power_free };

static void press_again(void *arg, uint32_t events)
{
	struct power *p = arg;
	uint64_t n;

	(void) events;
	if (read(p->timer, &n, sizeof(n)) == sizeof(n))
		power_event(p, POWER_EVENT_BUTTON);
}

int power_add(struct vm *vm, struct power **ret, struct err *err)
{
	struct power *p = calloc(1, sizeof(*p));
	int r;

	if (p == NULL)
		return err_set(err, -ENOMEM, "make power registers");
	p->vm = vm;
	p->since = seconds();
	p->tick.fd = -1;
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	dev_add(vm, &p->dev, &power_ops);
	r = p->timer < 0 ? -errno : loop_add(vm->loop, &p->tick, p->timer, EPOLLIN, press_again, p);
	if (r < 0)
		return err_set(err, r, "make a timer for the power button");
	r = bus_add(&vm->pio, POWER_SLEEP_CONTROL, 4, &power_bus, p);
	if (r == 0)
		r = bus_add(&vm->pio, POWER_PANIC, 1, &panic_bus, p);
	if (r < 0)
		return err_set(err, r, "give ports to the power registers");
	*ret = p;
	return 0;
}

void power_event(struct power *p, uint8_t event)
{
	TRACE(TRACE_POWER, "event %#x", event);
	p->events |= event;
	if (event & POWER_EVENT_BUTTON)
		press_after(p, seconds() - p->since < STARTING_S ? BUTTON_AGAIN_S : 0);
	accel_irq(p->vm->accel, POWER_IRQ, true);
}
