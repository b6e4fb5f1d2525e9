/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/oci/verb.h"
#include "cli/oci/owner.h"
#include "oci/container.h"

struct list_opts {
	const char *format;
	bool quiet;
};

static const struct opt list_table[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct list_opts, format), "FORMAT", "table or json" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct list_opts, quiet), NULL, "print ids only" },
	{ 0 },
};


static void ids_freep(char ***ids)
{
	oci_container_list_free(*ids);
}

static void print_table(struct oci_container *const *list, size_t n)
{
	int id_width = 2, bundle_width = 6;

	for (size_t i = 0; i < n; i++) {
		int a = (int) strlen(list[i]->id), b = (int) strlen(list[i]->state.bundle);

		id_width = a > id_width ? a : id_width;
		bundle_width = b > bundle_width ? b : bundle_width;
	}
	printf("%-*s   %-9s   %-9s   %-*s   %-30s   %s\n", id_width, "ID", "PID", "STATUS", bundle_width, "BUNDLE",
	       "CREATED", "OWNER");
	for (size_t i = 0; i < n; i++) {
		enum oci_status status = oci_container_status(list[i]);
		char owner[64];

		oci_owner_name(list[i]->state.owner, owner, sizeof(owner));
		printf("%-*s   %-9d   %-9s   %-*s   %-30s   %s\n", id_width, list[i]->id,
		       status == OCI_STATUS_STOPPED ? 0 : (int) list[i]->state.pid, oci_status_name(status),
		       bundle_width, list[i]->state.bundle, list[i]->state.created, owner);
	}
}

static int print_json(struct oci_container *const *list, size_t n, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };

	for (size_t i = 0; i < n; i++) {
		char owner[64];

		str_puts(&s, i == 0 ? "[" : ",");
		oci_owner_name(list[i]->state.owner, owner, sizeof(owner));
		oci_state_json(&list[i]->state, oci_container_status(list[i]), owner, false, &s);
	}
	str_puts(&s, n == 0 ? "null" : "]");
	if (s.failed)
		return err_set(err, -ENOMEM, "print the list");
	fputs(s.p, stdout);
	return 0;
}

static int list_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct list_opts *o = data;
	_cleanup_(ids_freep) char **ids = NULL;
	_cleanup_free_ struct oci_container **list = NULL;
	int n = oci_container_list(cli->root, &ids, err), r = 0;
	size_t found = 0;

	(void) argc;
	(void) argv;
	if (o->format != NULL && strcmp(o->format, "table") != 0 && strcmp(o->format, "json") != 0)
		return err_msg(err, -EINVAL, "invalid format option '%s': table and json are known", o->format);
	if (n == -ENOENT && !cli->root_given)
		n = 0; /* nothing was ever created */
	if (n < 0)
		return n;
	list = calloc((size_t) n + 1, sizeof(struct oci_container *));
	if (list == NULL)
		return err_set(err, -ENOMEM, "list containers");
	for (int i = 0; i < n; i++) /* one may be removed meanwhile, or be half made */
		if (oci_container_open(cli->root, ids[i], &list[found], NULL) == 0 && list[found]->has_state)
			found++;
		else if (list[found] != NULL) {
			oci_container_free(list[found]);
			list[found] = NULL;
		}
	if (o->quiet)
		for (size_t i = 0; i < found; i++)
			puts(list[i]->id);
	else if (o->format != NULL && strcmp(o->format, "json") == 0)
		r = print_json(list, found, err);
	else
		print_table(list, found);
	for (size_t i = 0; i < found; i++)
		oci_container_free(list[i]);
	return r;
}

OCI_VERB(verb_list) = {
	.name = "list",
	.args = "",
	.summary = "list the containers of this root",
	.opts = list_table,
	.opts_size = sizeof(struct list_opts),
	.run = list_run,
};
