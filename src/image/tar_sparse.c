/* SPDX-License-Identifier: MIT */
#include "image/tar_sparse.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/err.h"

void tar_sparse_reset(struct tar_sparse *s)
{
	s->n = 0;
	s->real_size = 0;
	s->on = s->half = s->major = false;
}

void tar_sparse_fini(struct tar_sparse *s)
{
	free(s->spans);
	*s = (struct tar_sparse) { 0 };
}

int tar_sparse_number(struct tar_sparse *s, uint64_t v, struct err *err)
{
	if (s->half) {
		s->spans[s->n++].size = v;
		s->half = false;
		return 0;
	}
	if (s->n == TAR_SPANS_MAX)
		return err_msg(err, -EFBIG, "the archive has a sparse file of over %u pieces",
			       TAR_SPANS_MAX);
	if (s->n == s->room) {
		size_t room = s->room * 2 + 16;
		struct tar_span *more = reallocarray(s->spans, room, sizeof(*more));

		if (more == NULL)
			return err_set(err, -ENOMEM, "read a sparse file");
		s->spans = more;
		s->room = room;
	}
	s->spans[s->n].offset = v;
	s->half = true;
	return 0;
}

static int damaged(const char *why, struct err *err)
{
	return err_msg(err, -EBADMSG, "the archive is no valid tar: the map of a sparse file %s",
		       why);
}

int tar_sparse_list(struct tar_sparse *s, const char *text, struct err *err)
{
	for (const char *p = text; *p != '\0';) {
		char *end;
		uint64_t v;
		int r;

		errno = 0;
		v = strtoull(p, &end, 10);
		if (errno != 0 || *p < '0' || *p > '9' || (*end != ',' && *end != '\0'))
			return damaged("has no valid number", err);
		r = tar_sparse_number(s, v, err);
		if (r < 0)
			return r;
		p = end + (*end == ',');
	}
	return 0;
}

int tar_sparse_check(const struct tar_sparse *s, uint64_t stored, struct err *err)
{
	uint64_t end = 0, sum = 0;

	if (s->half)
		return damaged("ends inside of a piece", err);
	if (s->real_size > TAR_SPARSE_MAX)
		return err_msg(err, -EFBIG,
			       "the archive has a sparse file of %llu bytes, limit %llu",
			       (unsigned long long) s->real_size, TAR_SPARSE_MAX);
	for (size_t i = 0; i < s->n; i++) {
		const struct tar_span *p = &s->spans[i];

		if (p->offset < end || p->offset > s->real_size ||
		    p->size > s->real_size - p->offset)
			return damaged("is out of order or leaves the file", err);
		end = p->offset + p->size;
		sum += p->size;
	}
	return sum == stored ? 0 : damaged("does not fit its content", err);
}
