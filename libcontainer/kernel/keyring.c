/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From the kernel's include/linux/key.h; keyctl_setperm(3) describes them. */
#define POSSESSOR_ALL 0x3f000000U
#define USER_VIEW     0x00010000U
#define USER_READ     0x00020000U
#define USER_SEARCH   0x00080000U
#define USER_LINK     0x00100000U

/* Names are at most 4095 bytes, IDs of containers far shorter. */
#define NAME_SIZE 1100

int keyring_join(const char *id, struct error *err)
{
	char name[NAME_SIZE];
	int n = snprintf(name, sizeof(name), "_ses.%s", id);
	long ring;

	if (n < 0 || (size_t)n >= sizeof(name))
		return error_set(err, ERROR_SYSTEM, "'%s' is too long to name a keyring", id);
	ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	if (ring < 0) {
		/* EPERM is not this call's own: a seccomp filter around the runtime says it. */
		if (errno == ENOSYS || errno == EPERM)
			return 0;
		error_set_call(err, "join session keyring", name);
		return error_hint(err,
			"the sysctls kernel.keys.maxkeys and maxbytes bound the keys "
			"of a user; --no-new-keyring does without one");
	}

	/*
	 * What the kernel gives it, and search: inside, the container's user does
	 * not possess the keyring of exec's later processes, only its name.
	 */
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, ring,
		    POSSESSOR_ALL | USER_VIEW | USER_READ | USER_SEARCH | USER_LINK) < 0)
		return error_set_call(err, "set the permissions of keyring", name);
	return 0;
}
