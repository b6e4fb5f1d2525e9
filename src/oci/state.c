/* SPDX-License-Identifier: MIT */
#include "oci/state.h"

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#define STATE_FILE "state.json"
#define STATE_SIZE_MAX ((size_t) 16 << 20) /* bytes; annotations may be long */

const char *oci_status_name(enum oci_status status)
{
	static const char *const names[] = { "creating", "created", "running", "paused", "stopped" };

	return names[status];
}

static void put(struct str *s, const char *key, const char *value)
{
	str_json(s, key);
	str_puts(s, ":");
	str_json(s, value);
	str_puts(s, ",");
}

static void put_annotations(struct str *s, const struct oci_pairs *pairs, const char *sep, const char *end)
{
	str_puts(s, "{");
	for (size_t i = 0; i < pairs->n; i++) {
		str_printf(s, "%s%s", i != 0 ? "," : "", sep);
		str_json(s, pairs->v[i].key);
		str_puts(s, *sep != '\0' ? ": " : ":");
		str_json(s, pairs->v[i].value);
	}
	str_printf(s, "%s}", pairs->n != 0 ? end : "");
}

int oci_state_save(int dir_fd, const struct oci_state *st, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int r;

	str_puts(&s, "{");
	put(&s, "ociVersion", st->version);
	put(&s, "id", st->id);
	put(&s, "bundle", st->bundle);
	put(&s, "rootfs", st->rootfs);
	put(&s, "created", st->created);
	str_printf(&s, "\"pid\":%d,\"startTime\":%" PRIu64 ",\"owner\":%u,\"annotations\":", (int) st->pid,
		   st->start_time, (unsigned) st->owner);
	put_annotations(&s, &st->annotations, "", "");
	if (st->cgroup != NULL) {
		str_puts(&s, ",\"cgroup\":");
		str_json(&s, st->cgroup);
	}
	str_puts(&s, "}\n");
	r = s.failed ? -ENOMEM : file_replace(dir_fd, STATE_FILE, s.p, s.len, 0600);
	return r < 0 ? err_set(err, r, "write %s of container '%s'", STATE_FILE, st->id) : 0;
}


static bool load_annotations(struct oci_state *st, struct json_in *in)
{
	const struct json *obj = json_get_object(in, in->root, "annotations");

	if (obj == NULL || obj->len == 0)
		return in->code == 0;
	st->annotations.v = arena_alloc(&st->arena, obj->len, sizeof(*st->annotations.v));
	if (st->annotations.v == NULL)
		return json_nomem(in);
	for (const struct json *e = obj->first; e != NULL; e = e->next)
		st->annotations.v[st->annotations.n++] = (struct oci_pair){
			.key = json_to_key(in, e), .value = json_to_str(in, e),
		};
	return in->code == 0;
}

static int load(struct oci_state *st, struct json_in *in)
{
	const struct { const char *key; char **to; } texts[] = {
		{ "ociVersion", &st->version }, { "id", &st->id }, { "bundle", &st->bundle },
		{ "rootfs", &st->rootfs }, { "created", &st->created },
	};
	uint64_t pid = 0;

	if (!json_to_object(in, in->root))
		return in->code;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (json_need(in, in->root, texts[i].key))
			*texts[i].to = json_get_str(in, in->root, texts[i].key);
	st->cgroup = json_get_str(in, in->root, "cgroup");
	(void) json_need(in, in->root, "pid"); /* in->code tells */
	(void) json_get_u64(in, in->root, "pid", INT32_MAX, &pid);
	(void) json_get_u64(in, in->root, "startTime", UINT64_MAX, &st->start_time);
	(void) json_get_u32(in, in->root, "owner", &st->owner);
	st->pid = (pid_t) pid;
	(void) load_annotations(st, in);
	return in->code;
}

int oci_state_load(int dir_fd, struct oci_state *ret, struct err *err)
{
	_cleanup_(oci_state_fini) struct oci_state st = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	_cleanup_(json_fini) struct json_in in = { 0 };
	int r = file_read(dir_fd, STATE_FILE, STATE_SIZE_MAX, &text);

	if (r < 0)
		return err_set(err, r, "read %s", STATE_FILE);
	r = json_parse(&in, STATE_FILE, &st.arena, text.p, text.len, err);
	if (r == 0)
		r = load(&st, &in);
	if (r < 0)
		return r;
	*ret = st;
	st = (struct oci_state){ 0 };
	return 0;
}

void oci_state_json(const struct oci_state *st, enum oci_status status, const char *owner,
		    bool indent, struct str *ret)
{
	const char *nl = indent ? "\n  " : "", *sp = indent ? " " : "";
	const struct { const char *key, *value; } head[] = {
		{ "ociVersion", st->version }, { "id", st->id },
	}, tail[] = {
		{ "status", oci_status_name(status) }, { "bundle", st->bundle },
		{ "rootfs", owner != NULL ? st->rootfs : NULL }, { "created", owner != NULL ? st->created : NULL },
	};

	str_puts(ret, "{");
	for (size_t i = 0; i < ARRAY_LEN(head); i++) {
		str_printf(ret, "%s\"%s\":%s", nl, head[i].key, sp);
		str_json(ret, head[i].value);
		str_puts(ret, ",");
	}
	str_printf(ret, "%s\"pid\":%s%d", nl, sp, status == OCI_STATUS_STOPPED ? 0 : (int) st->pid);
	for (size_t i = 0; i < ARRAY_LEN(tail); i++) {
		if (tail[i].value == NULL)
			continue;
		str_printf(ret, ",%s\"%s\":%s", nl, tail[i].key, sp);
		str_json(ret, tail[i].value);
	}
	if (st->annotations.n != 0) {
		str_printf(ret, ",%s\"annotations\":%s", nl, sp);
		put_annotations(ret, &st->annotations, indent ? "\n    " : "", nl);
	}
	if (owner != NULL) {
		str_printf(ret, ",%s\"owner\":%s", nl, sp);
		str_json(ret, owner);
	}
	str_puts(ret, indent ? "\n}\n" : "}");
}

void oci_state_fini(struct oci_state *st)
{
	arena_fini(&st->arena);
}
