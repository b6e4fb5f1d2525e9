/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct reg_policy;
struct reg_session;

/**
 * struct reg_subject - an image that is about to be taken
 * @name: "HOST/PATH"; @mark: ":TAG" or "@DIGEST" as asked for
 * @digests: of the index that was asked for and of the manifest, which may be the same; one of them has to be signed
 */
struct reg_subject {
	const char *name, *mark;
	const char *digests[2];
};

/**
 * reg_verify() - see whether a policy lets an image in
 * @s: conversation about its repository, which has signatures under the tags sha256-<hex>.sig
 * Return: 0; -EPERM it does not; -errno; with a message.
 * Spec: containers-policy.json(5); cosign's SIGNATURE_SPEC.
 */
int reg_verify(const struct reg_policy *policy, struct reg_session *s, const struct reg_subject *subject,
	       struct err *err);
