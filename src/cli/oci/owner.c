/* SPDX-License-Identifier: MIT */
#include "cli/oci/owner.h"

#include <pwd.h>
#include <stdio.h>

#include "base/cleanup.h"

/* fgetpwent() reads the file alone: a static program has no name services. */
void oci_owner_name(uid_t uid, char *buf, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;

	(void) snprintf(buf, size, "#%u", (unsigned) uid);
	if (f == NULL)
		return;
	while ((pw = fgetpwent(f)) != NULL)
		if (pw->pw_uid == uid) {
			(void) snprintf(buf, size, "%s", pw->pw_name); /* cut is fine */
			return;
		}
}
