/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/userns_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"

static const struct {
	const char *path, *value; /* the setting, and what it is when it is in the way */
	int errnos[2];            /* how the kernel then answers */
	const char *hint;
} settings[] = {
	{ "/proc/sys/user/max_user_namespaces", "0\n", { ENOSPC, EUSERS },
		"this host allows no user namespaces: sysctl user.max_user_namespaces=15000 does" },
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0\n", { EPERM, EPERM },
		"this host keeps user namespaces to root: sysctl kernel.unprivileged_userns_clone=1 "
		"opens them to all" },
	/* The namespace is made then, but gives no capabilities. */
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", { EPERM, EACCES },
		"AppArmor restricts user namespaces here: load a profile for kogg that has the rule "
		"'userns,', or set sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
};

static bool is_set(const char *path, const char *value)
{
	cleanup_text struct text text = { 0 };
	struct error ignored = { 0 };

	return file_read_at(AT_FDCWD, path, 32, &text, &ignored) == 0 && text.data &&
	       strcmp(text.data, value) == 0;
}

void userns_policy_explain(struct error *err)
{
	for (size_t i = 0; i < array_size(settings); i++)
		if ((err->sys_errno == settings[i].errnos[0] ||
			    err->sys_errno == settings[i].errnos[1]) &&
			is_set(settings[i].path, settings[i].value))
			error_hint(err, "%s", settings[i].hint);
}
