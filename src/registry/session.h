/* SPDX-License-Identifier: MIT */
/*
 * A conversation with one registry about one repository: how it is reached, who asks, and what is tried again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "registry/http.h"

struct err;
struct reg_place;
struct reg_session;
struct reg_settings;
struct str;

/**
 * struct reg_access - what the user says about reaching a registry
 * @no_verify: --tls-verify=false: certificates are not checked, and plain HTTP will do
 * @cert_dir: --cert-dir, or NULL
 * @creds: --creds USER[:PASSWORD], or NULL: what is kept
 * @authfile: --authfile, where passwords are kept, or NULL
 */
struct reg_access {
	bool no_verify;
	const char *cert_dir, *creds, *authfile;
};

/**
 * struct reg_want - a conversation that is wanted
 * @place: borrows
 * @actions: "pull" or "pull,push", NULL for none: then nothing is said about a repository
 */
struct reg_want {
	const struct reg_settings *settings;
	const struct reg_place *place;
	const struct reg_access *access;
	const char *actions;
};

/**
 * reg_session_open() - find out how a registry is reached
 * @want: what it points to must outlive the session
 * @ret: returns; free with reg_session_free()
 * Return: 0; -ECOMM; -errno; with a message.
 */
int reg_session_open(const struct reg_want *want, struct reg_session **ret, struct err *err);

/** reg_session_scope() - ask for one more right from here on: "repository:a/b:pull" */
void reg_session_scope(struct reg_session *s, const char *scope);

/** reg_session_log_in() - see whether the registry accepts the user: 0; -EACCES it does not; -errno; with a message */
int reg_session_log_in(struct reg_session *s, struct err *err);

/**
 * reg_send() - http_send() with the rights that the registry wants to see
 * @request: its @url may be a path; the rest of how the registry is reached is filled in
 * What may pass is tried again, but for requests with a sink.
 * Context: many threads may do so.
 * Return: as of http_send(); -EACCES with a message.
 */
int reg_send(struct reg_session *s, struct http_request *request, struct http_answer *ret,
	     struct err *err);

/** reg_path() - append "/v2/PATH/" and @rest */
void reg_path(const struct reg_session *s, struct str *ret, const char *rest);

/**
 * reg_wait() - before something is tried once more
 * @settings: has the time
 * @attempt: from 0
 * @after: seconds that the registry asks for, 0 for none
 * Return: 0; -ECANCELED @cancel became true.
 */
int reg_wait(const struct reg_settings *settings, unsigned attempt, uint64_t after,
	     const atomic_bool *cancel);

/** reg_refused() - -ENOENT, -EACCES, -ECOMM with a message: an answer is not the one that was wanted */
int reg_refused(const struct http_answer *a, const char *what, struct err *err);

/** reg_session_settings() - of @want */
const struct reg_settings *reg_session_settings(const struct reg_session *s);

/** reg_session_free() - release; NULL is fine */
void reg_session_free(struct reg_session *s);

static inline void reg_session_freep(struct reg_session **s)
{
	reg_session_free(*s);
}
