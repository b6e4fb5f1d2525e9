/* SPDX-License-Identifier: MIT */
#include "oci/state.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
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
	if (st->cgroup != NULL)
		str_printf(&s, ",\"cgroup\":%s", st->cgroup);
	str_puts(&s, "}\n");
	r = s.failed ? -ENOMEM : file_replace(dir_fd, STATE_FILE, s.p, s.len, 0600);
	return r < 0 ? err_set(err, r, "write %s of container '%s'", STATE_FILE, st->id) : 0;
}


static int load_annotations(struct oci_state *st, const json_t *obj)
{
	const char *key;
	json_t *value;

	if (!json_is_object(obj))
		return 0;
	st->annotations.v = arena_alloc(&st->arena, json_object_size(obj), sizeof(*st->annotations.v));
	if (st->annotations.v == NULL)
		return -ENOMEM;
	json_object_foreach((json_t *) obj, key, value) {
		struct oci_pair *p = &st->annotations.v[st->annotations.n++];

		p->key = arena_strdup(&st->arena, key);
		p->value = arena_strdup(&st->arena, json_is_string(value) ? json_string_value(value) : "");
		if (p->key == NULL || p->value == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int load_cgroup(struct oci_state *st, const json_t *cgroup)
{
	_cleanup_free_ char *text = NULL;

	if (cgroup == NULL)
		return 0;
	text = json_dumps(cgroup, JSON_COMPACT);
	st->cgroup = text != NULL ? arena_strdup(&st->arena, text) : NULL;
	return st->cgroup == NULL ? -ENOMEM : 0;
}

int oci_state_load(int dir_fd, struct oci_state *ret, struct err *err)
{
	_cleanup_(oci_state_fini) struct oci_state st = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	const char *version, *id, *bundle, *rootfs, *created;
	json_t *annotations = NULL, *cgroup = NULL;
	json_int_t pid, start, owner;
	json_error_t je;
	int r = file_read(dir_fd, STATE_FILE, STATE_SIZE_MAX, &text);

	if (r < 0)
		return err_set(err, r, "read %s", STATE_FILE);
	_cleanup_(json_decrefp) json_t *doc = json_loadb(text.p, text.len, 0, &je);
	if (doc == NULL)
		return err_msg(err, -EINVAL, "%s is damaged: line %d: %s", STATE_FILE, je.line, je.text);
	if (json_unpack_ex(doc, &je, 0, "{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s?o,s?o}", "ociVersion", &version,
			   "id", &id, "bundle", &bundle, "rootfs", &rootfs, "created", &created, "pid",
			   &pid, "startTime", &start, "owner", &owner, "annotations", &annotations,
			   "cgroup", &cgroup) < 0)
		return err_msg(err, -EINVAL, "%s is damaged: %s", STATE_FILE, je.text);
	st.version = arena_strdup(&st.arena, version);
	st.id = arena_strdup(&st.arena, id);
	st.bundle = arena_strdup(&st.arena, bundle);
	st.rootfs = arena_strdup(&st.arena, rootfs);
	st.created = arena_strdup(&st.arena, created);
	st.pid = (pid_t) pid;
	st.start_time = (uint64_t) start;
	st.owner = (uid_t) owner;
	r = load_annotations(&st, annotations);
	if (r == 0)
		r = load_cgroup(&st, cgroup);
	if (r < 0 || st.version == NULL || st.id == NULL || st.bundle == NULL || st.rootfs == NULL ||
	    st.created == NULL)
		return err_set(err, -ENOMEM, "read %s", STATE_FILE);
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
