/* SPDX-License-Identifier: MIT */
/**
 * DOC: the protocol between engine and guest, as both sides read it
 *
 * The input is a message.  Read as a request, all that a program is made of must lie in the message; as an answer, numbers
 * and fields must.  Made again from its fields, a message is the same.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "engine/vm/link.h"
#include "guest/os.h"
#include "guest/request.h"

/* What the guest takes from its kernel. */
void *os_alloc(size_t n)
{
	return calloc(1, n);
}

void os_free(void *p, size_t n)
{
	(void) n;
	free(p);
}

static void check_inside(const struct guest_in *in, const void *p, size_t n)
{
	const uint8_t *at = p;

	if (at < in->p || n > in->len || at > in->p + in->len - n)
		abort();
}

static void check_text(const struct guest_in *in, const char *text)
{
	check_inside(in, text, strlen(text) + 1);
}

static void read_request(const struct guest_in *in)
{
	struct request r;

	if (request_parse(in, &r) < 0)
		return;
	for (uint32_t i = 0; i < r.argc; i++)
		check_text(in, r.argv[i]);
	for (uint32_t i = 0; i < r.envc; i++)
		check_text(in, r.envp[i]);
	if (r.argc == 0 || r.argv[r.argc] != NULL || r.envp[r.envc] != NULL || r.cwd[0] != '/')
		abort();
	if (r.hostname != NULL)
		check_text(in, r.hostname);
	if (r.filter.len > 0)
		check_inside(in, r.filter.p, r.filter.len);
	if (r.entropy.len > 0)
		check_inside(in, r.entropy.p, r.entropy.len);
	request_fini(&r);
}

static void read_fields(const struct guest_in *in)
{
	struct guest_in rest = *in;
	const char *texts[4];
	struct guest_field f;
	uint64_t v;

	while (guest_next(&rest, &f) == 1) {
		check_inside(in, f.p, f.len);
		if (guest_number(&f, &v) == 0 && f.len != 8)
			abort();
		if (guest_text(&f) != NULL)
			check_text(in, guest_text(&f));
		for (unsigned n = 1; n <= 4; n++)
			if (f.len >= 8 && guest_texts(&f, 8, texts, n) == 0)
				for (unsigned i = 0; i < n; i++)
					check_text(in, texts[i]);
	}
}

static void make_again(const struct guest_head *head, const struct guest_in *in)
{
	struct guest_out o = { .room = GUEST_HEADER + in->len };
	struct guest_in rest = *in;
	struct guest_field f;
	int n;

	o.p = malloc(o.room);
	if (o.p == NULL)
		return;
	guest_begin(&o, (enum guest_type) head->type);
	while ((n = guest_next(&rest, &f)) == 1)
		guest_put(&o, (enum guest_tag) f.tag, f.p, f.len);
	if (n == 0 && (guest_end(&o) < 0 || o.len != o.room || memcmp(o.p + GUEST_HEADER, in->p, in->len) != 0))
		abort();
	free(o.p);
}

static void read_answer(const struct guest_head *head, const struct guest_in *in)
{
	struct vm_reply reply;

	if (head->len > sizeof(reply.body))
		return;
	reply.head = *head;
	memcpy(reply.body, in->p, in->len);
	for (uint32_t tag = 0; tag <= GUEST_TAG_N_; tag++)
		(void) vm_reply_number(&reply, (enum guest_tag) tag, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_head head;
	struct guest_in in;
	uint8_t *copy;

	if (size < GUEST_HEADER || guest_head_get(data, GUEST_BODY_MAX, &head) < 0 || head.len > size - GUEST_HEADER)
		return 0;
	copy = malloc(head.len + 1); /* what is read beyond the end is seen */
	if (copy == NULL)
		return 0;
	memcpy(copy, data + GUEST_HEADER, head.len);
	in = (struct guest_in) { realloc(copy, head.len > 0 ? head.len : 1), head.len };
	if (in.p != NULL) {
		read_request(&in);
		read_fields(&in);
		read_answer(&head, &in);
		make_again(&head, &in);
	}
	free((void *) (uintptr_t) in.p);
	return 0;
}
