/* SPDX-License-Identifier: MIT */
#include "registry/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#define SCOPES_MAX 4096
#define RULES_MAX 64 /* of a scope */
#define KEYS_MAX 64 /* of a requirement */

static const struct {
	const char *type;
	enum reg_identity identity;
	const char *name, *with; /* fields */
} identities[] = {
	{ "matchExact", REG_IDENTITY_EXACT, NULL, NULL },
	{ "matchRepoDigestOrExact", REG_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL },
	{ "matchRepository", REG_IDENTITY_REPOSITORY, NULL, NULL },
	{ "exactReference", REG_IDENTITY_REFERENCE, "dockerReference", NULL },
	{ "exactRepository", REG_IDENTITY_EXACT_REPOSITORY, "dockerRepository", NULL },
	{ "remapIdentity", REG_IDENTITY_REMAP, "prefix", "signedPrefix" },
};

static void read_identity(struct json_in *in, const struct json *o, struct reg_rule *r)
{
	const char *type = json_get_str(in, o, "type");

	for (size_t i = 0; type != NULL && i < ARRAY_LEN(identities); i++) {
		if (strcmp(identities[i].type, type) != 0)
			continue;
		r->identity = identities[i].identity;
		if (identities[i].name != NULL && json_need(in, o, identities[i].name))
			r->name = json_get_str(in, o, identities[i].name);
		if (identities[i].with != NULL && json_need(in, o, identities[i].with))
			r->with = json_get_str(in, o, identities[i].with);
		return;
	}
	(void) json_fail(in, o, "type", "'%.100s' is no kind of identity", type != NULL ? type : ""); /* kept in in->code */
}

/* One text, or a list of them */
static void read_keys(struct json_in *in, const struct json *node, struct arena *arena, struct img_words *ret)
{
	const struct json *it = node->kind == JSON_KIND_ARRAY ? node->first : node;
	size_t n = node->kind == JSON_KIND_ARRAY ? node->len : 1;

	if (ret->n > 0)
		(void) json_fail(in, node, NULL, "there are other keys"); /* as above */
	if (n > KEYS_MAX)
		(void) json_fail(in, node, NULL, "%zu keys are over the limit %d", n, KEYS_MAX); /* as above */
	if (in->code < 0)
		return;
	ret->v = arena_alloc(arena, n + 1, sizeof(*ret->v));
	if (ret->v == NULL)
		(void) json_nomem(in); /* as above */
	for (size_t i = 0; in->code == 0 && i < n; i++, it = it->next)
		ret->v[ret->n++] = json_to_str(in, it);
}

/* Others are in the format's description, and nowhere else */
static void read_key_type(struct json_in *in, const struct json *node, struct reg_rule *r)
{
	const char *type = json_to_str(in, node);

	if (type != NULL && strcmp(type, "GPGKeys") != 0)
		r->unsupported = type;
}

/* A field that is not known may make the requirement stricter: then nothing meets it. */
static void read_signed(struct json_in *in, const struct json *o, struct arena *arena, struct reg_rule *r)
{
	for (const struct json *it = o->first; it != NULL && in->code == 0; it = it->next) {
		(void) json_get(in, o, it->key); /* refuses what is there twice */
		if (strcmp(it->key, "keyPath") == 0 || strcmp(it->key, "keyPaths") == 0)
			read_keys(in, it, arena, &r->paths);
		else if (strcmp(it->key, "keyData") == 0 || strcmp(it->key, "keyDatas") == 0)
			read_keys(in, it, arena, &r->texts);
		else if (strcmp(it->key, "signedIdentity") == 0 && json_to_object(in, it))
			read_identity(in, it, r);
		else if (r->kind == REG_RULE_GPG && strcmp(it->key, "keyType") == 0)
			read_key_type(in, it, r);
		else if (strcmp(it->key, "type") != 0)
			r->unsupported = json_to_key(in, it);
	}
	if (in->code == 0 && r->paths.n + r->texts.n == 0 && r->unsupported == NULL)
		(void) json_fail(in, o, NULL, "it names no key"); /* as above */
}

static void read_rule(struct json_in *in, const struct json *o, struct arena *arena, struct reg_rule *r)
{
	if (!json_to_object(in, o) || !json_need(in, o, "type"))
		return;
	r->type = json_get_str(in, o, "type");
	if (r->type == NULL)
		return;
	if (strcmp(r->type, "insecureAcceptAnything") == 0)
		r->kind = REG_RULE_ACCEPT;
	else if (strcmp(r->type, "reject") == 0)
		r->kind = REG_RULE_REJECT;
	else if (strcmp(r->type, "sigstoreSigned") == 0)
		r->kind = REG_RULE_SIGSTORE;
	else if (strcmp(r->type, "signedBy") == 0 && json_need(in, o, "keyType"))
		r->kind = REG_RULE_GPG;
	else
		r->unsupported = r->type;
	if (r->kind == REG_RULE_SIGSTORE || r->kind == REG_RULE_GPG)
		read_signed(in, o, arena, r);
}

static void read_rules(struct json_in *in, const struct json *list, struct arena *arena, struct reg_rules *ret)
{
	if (list->kind != JSON_KIND_ARRAY || list->len == 0 || list->len > RULES_MAX) {
		(void) json_fail(in, list, NULL, "expected a list of 1 to %d requirements", RULES_MAX); /* as above */
		return;
	}
	ret->v = arena_alloc(arena, list->len, sizeof(*ret->v));
	if (ret->v == NULL)
		(void) json_nomem(in); /* as above */
	for (const struct json *it = list->first; it != NULL && in->code == 0; it = it->next)
		read_rule(in, it, arena, &ret->v[ret->n++]);
}

static void read_policy(struct json_in *in, struct reg_policy *p)
{
	const struct json *transports, *docker = NULL, *fallback;

	if (!json_to_object(in, in->root) || !json_need(in, in->root, "default"))
		return;
	fallback = json_get(in, in->root, "default");
	if (fallback == NULL)
		return;
	p->fallback.scope = "default";
	read_rules(in, fallback, &p->arena, &p->fallback);
	transports = json_get_object(in, in->root, "transports");
	if (transports != NULL)
		docker = json_get_object(in, transports, "docker");
	if (docker == NULL || docker->len == 0)
		return;
	if (docker->len > SCOPES_MAX) {
		(void) json_fail(in, docker, NULL, "%u scopes are over the limit %d", docker->len, SCOPES_MAX); /* as above */
		return;
	}
	p->scopes = arena_alloc(&p->arena, docker->len, sizeof(*p->scopes));
	if (p->scopes == NULL)
		(void) json_nomem(in); /* as above */
	for (const struct json *it = docker->first; it != NULL && in->code == 0; it = it->next) {
		struct reg_rules *rules = &p->scopes[p->nr_scopes++];

		(void) json_get(in, docker, it->key); /* as above */
		rules->scope = it->key_len > 0 ? json_to_key(in, it) : "";
		read_rules(in, it, &p->arena, rules);
	}
}

int reg_policy_parse(const char *name, const char *text, size_t len, struct reg_policy *ret, struct err *err)
{
	struct reg_policy p = { 0 };
	struct json_in in;
	int r = json_parse(&in, name, &p.arena, text, len, err);

	if (r == 0) {
		read_policy(&in, &p);
		r = in.code;
	}
	json_fini(&in);
	if (r == 0 && (p.path = arena_strdup(&p.arena, name)) == NULL)
		r = err_set(err, -ENOMEM, "read '%s'", name);
	if (r == 0)
		*ret = p;
	else
		reg_policy_fini(&p);
	return r;
}

int reg_policy_read(const char *path, struct reg_policy *ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	const char *home = getenv("HOME");
	char own[4096] = "";
	int r;

	if (path == NULL && home != NULL) {
		(void) snprintf(own, sizeof(own), "%s/.config/containers/policy.json", home); /* longer: not found */
		path = access(own, F_OK) == 0 ? own : NULL;
	}
	if (path == NULL && access("/etc/containers/policy.json", F_OK) == 0)
		path = "/etc/containers/policy.json";
	if (path == NULL) {
		*ret = (struct reg_policy) { 0 };
		return 0;
	}
	r = file_read(AT_FDCWD, path, REG_POLICY_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read '%s'", path);
	return reg_policy_parse(path, text.p != NULL ? text.p : "", text.len, ret, err);
}

/* 0: the scope is not for this image; else the higher the nearer */
static size_t nearness(const char *scope, const char *name, const char *mark)
{
	size_t n = strlen(scope), whole = strlen(name), host = strcspn(name, "/");

	if (n == 0)
		return 1;
	if (scope[0] == '*')
		return n > 2 && host > n - 1 && memcmp(name + host - (n - 1), scope + 1, n - 1) == 0 ? 1 + n : 0;
	if (n == whole + strlen(mark) && memcmp(scope, name, whole) == 0 && strcmp(scope + whole, mark) == 0)
		return SIZE_MAX;
	return n <= whole && memcmp(scope, name, n) == 0 && (name[n] == '\0' || name[n] == '/')
		       ? REG_POLICY_MAX + n /* nearer than any "*.example.org" */
		       : 0;
}

const struct reg_rules *reg_policy_of(const struct reg_policy *p, const char *name, const char *mark)
{
	const struct reg_rules *found = &p->fallback;
	size_t best = 0;

	for (size_t i = 0; i < p->nr_scopes; i++) {
		size_t n = nearness(p->scopes[i].scope, name, mark);

		if (n > best) {
			best = n;
			found = &p->scopes[i];
		}
	}
	return found;
}

void reg_policy_fini(struct reg_policy *p)
{
	arena_fini(&p->arena);
}
