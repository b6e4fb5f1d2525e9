/* SPDX-License-Identifier: MIT */
#include "guest/request.h"

#include <errno.h>

#include "guest/os.h"

/* Where the number of a tag goes; NULL: it has none. */
static uint64_t *number_of(struct request *r, uint32_t tag)
{
	switch (tag) {
	case GUEST_UID:
		return &r->uid;
	case GUEST_GID:
		return &r->gid;
	case GUEST_UMASK:
		return &r->umask;
	case GUEST_CAPS:
		return &r->caps;
	case GUEST_CAPS_BOUND:
		return &r->caps_bound;
	case GUEST_FLAGS:
		return &r->flags;
	case GUEST_OOM_SCORE:
		return &r->oom_score;
	case GUEST_ROWS:
		return &r->rows;
	case GUEST_COLUMNS:
		return &r->columns;
	case GUEST_TIME:
		return &r->time;
	case GUEST_PIDS_MAX:
		return &r->pids_max;
	case GUEST_NUMBER:
		return &r->number;
	default:
		return NULL;
	}
}

static const char **text_of(struct request *r, uint32_t tag)
{
	switch (tag) {
	case GUEST_ARG:
		return r->argv != NULL ? &r->argv[r->argc++] : NULL;
	case GUEST_ENV:
		return r->envp != NULL ? &r->envp[r->envc++] : NULL;
	case GUEST_CWD:
		return &r->cwd;
	case GUEST_HOSTNAME:
		return &r->hostname;
	case GUEST_DOMAINNAME:
		return &r->domainname;
	default:
		return NULL;
	}
}

static int add_group(struct request *r, const struct guest_field *f)
{
	uint64_t v;

	if (guest_number(f, &v) < 0 || v > UINT32_MAX)
		return -EPROTO;
	if (r->nr_groups == GUEST_GROUPS_MAX)
		return -E2BIG;
	r->groups[r->nr_groups++] = (uint32_t) v;
	return 0;
}

static int add_rlimit(struct request *r, const struct guest_field *f)
{
	struct request_rlimit *l = &r->rlimits[r->nr_rlimits];

	if (f->len != 24)
		return -EPROTO;
	if (r->nr_rlimits == REQUEST_RLIMITS_MAX)
		return -E2BIG;
	l->resource = guest_get64(f->p);
	l->limit[0] = guest_get64(f->p + 8);
	l->limit[1] = guest_get64(f->p + 16);
	r->nr_rlimits++;
	return 0;
}

static int take_field(struct request *r, const struct guest_field *f)
{
	uint64_t *number = number_of(r, f->tag);
	const char **text;

	if (number != NULL)
		return guest_number(f, number);
	if (f->tag == GUEST_GROUP)
		return add_group(r, f);
	if (f->tag == GUEST_RLIMIT)
		return add_rlimit(r, f);
	if (f->tag == GUEST_FILTER)
		r->filter = *f;
	if (f->tag == GUEST_ENTROPY)
		r->entropy = *f;
	text = text_of(r, f->tag);
	if (text != NULL)
		*text = guest_text(f);
	return text != NULL && *text == NULL ? -EPROTO : 0;
}

/* Room for the words: their number is known after a first look. */
static int count(const struct guest_in *in, struct request *r)
{
	struct guest_in rest = *in;
	struct guest_field f;
	uint32_t args = 0, vars = 0;
	int n;

	while ((n = guest_next(&rest, &f)) == 1) {
		args += f.tag == GUEST_ARG;
		vars += f.tag == GUEST_ENV;
	}
	if (n < 0)
		return n;
	if (args == 0 || args > GUEST_WORDS_MAX || vars > GUEST_WORDS_MAX)
		return args == 0 ? -EPROTO : -E2BIG;
	r->size = (args + vars + 2) * sizeof(char *);
	r->memory = os_alloc(r->size);
	if (r->memory == NULL)
		return -ENOMEM;
	r->argv = r->memory;
	r->envp = r->argv + args + 1;
	return 0;
}

int request_parse(const struct guest_in *in, struct request *ret)
{
	struct guest_in rest = *in;
	struct guest_field f;
	int n;

	__builtin_memset(ret, 0, sizeof(*ret));
	ret->fields = *in;
	ret->umask = 022;
	ret->cwd = "/";
	n = count(in, ret);
	while (n == 0 && (n = guest_next(&rest, &f)) == 1)
		n = take_field(ret, &f);
	if (n == 0 && (ret->cwd[0] != '/' || ret->argv[0][0] == '\0' || ret->uid > UINT32_MAX || ret->gid > UINT32_MAX))
		n = ret->argv[0][0] == '\0' ? -ENOENT : -EPROTO;
	if (n < 0)
		request_fini(ret);
	return n;
}

void request_fini(struct request *r)
{
	os_free(r->memory, r->size);
	r->memory = NULL;
}
