/* SPDX-License-Identifier: MIT */
/**
 * DOC: isolation, and what only a virtual machine has
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/backend.h"
#include "engine/config.h"

#define VCPUS_MAX 64

#define LABEL "io.cleave.isolation" /* of the image or --label */

/* Why it is that one */
struct choice {
	const char *isolation, *why;
};

static bool is_shared(const char *namespace)
{
	return namespace != NULL && (strcmp(namespace, "host") == 0 || str_starts(namespace, "container:"));
}

static const char *find_label(const struct eng_config *c)
{
	const char *found = NULL;

	for (size_t i = 0; i < c->labels.n; i++)
		if (str_starts(c->labels.v[i], LABEL "="))
			found = c->labels.v[i] + strlen(LABEL "=");
	return found;
}

static struct choice choose_auto(const struct run_opts *o, const struct eng_config *c)
{
	const char *label = find_label(c);

	if (o->kernel != NULL || o->append != NULL || o->accel != NULL || o->vcpus != 0)
		return (struct choice) { "vm", "a kernel, its command line, or processors are asked for" };
	if (is_shared(c->pid) || is_shared(c->ipc) || is_shared(c->uts) || is_shared(c->cgroupns) || is_shared(c->network))
		return (struct choice) { "container", "a namespace of the host or of another instance is asked for" };
	if (c->devices.n > 0 || c->device_rules.n > 0)
		return (struct choice) { "container", "devices of the host are asked for" };
	if (c->userns_size != 0)
		return (struct choice) { "container", "a user namespace is asked for" };
	if (label != NULL && eng_backend_find(label) != NULL)
		return (struct choice) { eng_backend_find(label)->name, "the label " LABEL " says so" };
	return (struct choice) { "container", "nothing asks for a kernel of its own" };
}

static struct choice choose(const struct run_opts *o, const struct eng_config *c)
{
	if (o->isolation != NULL && strcmp(o->isolation, "auto") == 0)
		return o->vm ? (struct choice) { "vm", "--vm asks for it" } : choose_auto(o, c);
	if (o->isolation != NULL)
		return (struct choice) { o->isolation, "--isolation asks for it" };
	return o->vm ? (struct choice) { "vm", "--vm asks for it" } : (struct choice) { "container", "it is the default" };
}

const char *run_isolation(const struct run_opts *o, const struct eng_config *c)
{
	return choose(o, c).isolation;
}

int run_machine(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	static const char *const accels[] = { "auto", "kvm", "soft" };
	struct choice choice = choose(o, c);
	bool vm = strcmp(choice.isolation, "vm") == 0;
	size_t i = 0;
	int r;

	if (eng_backend_find(choice.isolation) == NULL)
		return err_msg(err, -EINVAL, "invalid isolation '%.64s': use 'container', 'vm' or 'auto'", choice.isolation);
	if (o->vm && !vm)
		return err_msg(err, -EINVAL, "--vm and --isolation %s exclude each other", choice.isolation);
	if (o->explain)
		fprintf(stderr, "cleave: isolation is %s: %s\n", choice.isolation, choice.why);
	if (!vm && (o->kernel != NULL || o->append != NULL || o->accel != NULL || o->vcpus != 0))
		return err_msg(err, -EINVAL, "--%s is for virtual machines: add --vm",
			       o->kernel != NULL   ? "kernel"
			       : o->append != NULL ? "append"
			       : o->accel != NULL  ? "accel"
						   : "vcpus");
	while (o->accel != NULL && i < ARRAY_LEN(accels) && strcmp(accels[i], o->accel) != 0)
		i++;
	if (i == ARRAY_LEN(accels))
		return err_msg(err, -EINVAL, "--accel '%.64s': auto, kvm and soft are known", o->accel);
	if (o->vcpus > VCPUS_MAX)
		return err_msg(err, -EINVAL, "--vcpus: %llu is more than %d", (unsigned long long) o->vcpus, VCPUS_MAX);
	c->vcpus = o->vcpus;
	r = run_text(c, o->kernel, &c->kernel, err);
	if (r == 0)
		r = run_text(c, o->append, &c->append, err);
	return r == 0 ? run_text(c, o->accel, &c->accel, err) : r;
}
