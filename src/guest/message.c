/* SPDX-License-Identifier: MIT */
#include "guest/message.h"

#include "guest/os.h"

void message_send(int sock, struct guest_out *o)
{
	if (sock >= 0 && guest_end(o) == 0)
		(void) sys_write_all(sock, o->p, o->len); /* who does not hear it is gone */
}

void message_plain(int sock, enum guest_type type)
{
	uint8_t buf[GUEST_HEADER];
	struct guest_out o = { .p = buf, .room = sizeof(buf) };

	guest_begin(&o, type);
	message_send(sock, &o);
}

void message_failed(int sock, uint64_t step, int error)
{
	uint8_t buf[128];
	struct guest_out o = { .p = buf, .room = sizeof(buf) };

	guest_begin(&o, GUEST_FAILED);
	guest_put_number(&o, GUEST_STEP, step);
	guest_put_number(&o, GUEST_ERROR, (uint64_t) (error < 0 ? -error : error));
	message_send(sock, &o);
	if (sock >= 0)
		(void) sys_close(sock); /* a socket */
}
