/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/hostname.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* __NEW_UTS_LEN of <linux/utsname.h> */
#define NAME_MAX_BYTES 64

static int set_name(
	int (*call)(const char *, size_t), const char *op, const char *name, struct error *err)
{
	size_t length = strlen(name);

	if (length > NAME_MAX_BYTES)
		return error_set(err, ERROR_SPEC, "%zu bytes are more than the kernel's %d", length,
			NAME_MAX_BYTES);
	return call(name, length) < 0 ? error_set_call(err, op, name) : 0;
}

int hostname_apply(const struct spec *spec, struct error *err)
{
	if (spec->hostname && set_name(sethostname, "sethostname", spec->hostname, err) < 0)
		return error_point(err, "/hostname");
	if (spec->domainname && set_name(setdomainname, "setdomainname", spec->domainname, err) < 0)
		return error_point(err, "/domainname");
	return 0;
}
