/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/credentials.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcontainer/kernel/capabilities.h"

/* On 32-bit x86 and Arm the plain numbers are the calls with 16-bit IDs. */
#ifdef SYS_setgroups32
#	define CALL_SETGROUPS SYS_setgroups32
#	define CALL_SETRESGID SYS_setresgid32
#	define CALL_SETRESUID SYS_setresuid32
#else
#	define CALL_SETGROUPS SYS_setgroups
#	define CALL_SETRESGID SYS_setresgid
#	define CALL_SETRESUID SYS_setresuid
#endif

/* With CAP_SETGID nothing but the namespace itself makes setgroups(2) say EPERM. */
static bool may_set_groups(void)
{
	return capabilities_has(CAP_SETGID);
}

static int explain_groups(const struct spec_process *process, struct error *err)
{
	const struct spec_u32s *gids = &process->user.additional_gids;
	int cause = errno;

	for (size_t i = 0; cause == EINVAL && i < gids->count; i++) {
		if (syscall(CALL_SETGROUPS, 1, &gids->items[i]) == 0 || errno != EINVAL)
			continue;
		error_set(err, ERROR_SPEC, "gid %u is not mapped in the user namespace",
			gids->items[i]);
		return error_point(err, "%s/user/additionalGids/%zu", process->pointer, i);
	}
	errno = cause;
	if (gids->count)
		error_set_errno(err, "set %zu supplementary groups", gids->count);
	else
		error_set_errno(err, "leave all supplementary groups");
	if (cause == EPERM && !may_set_groups())
		error_hint(err, "the runtime needs CAP_SETGID for that");
	else if (cause == EPERM)
		error_hint(err, "a user namespace whose gid map was written without privilege "
				"denies supplementary groups");
	if (!gids->count)
		return error_point(err, "%s/user", process->pointer);
	return error_point(err, "%s/user/additionalGids", process->pointer);
}

static int set_groups(const struct spec_process *process, struct error *err)
{
	const struct spec_u32s *gids = &process->user.additional_gids;
	bool is_denied;

	if (syscall(CALL_SETGROUPS, gids->count, gids->items) == 0)
		return 0;
	/* The groups of the user who runs this stay then; there is no way to leave them. */
	is_denied = errno == EPERM && may_set_groups();
	if (is_denied && gids->count == 0)
		return 0;
	if (is_denied)
		errno = EPERM;
	return explain_groups(process, err);
}

static int explain_id(
	const struct spec_process *process, const char *member, uint32_t id, struct error *err)
{
	if (errno == EINVAL) {
		error_set(err, ERROR_SPEC, "%s %u is not mapped in the user namespace", member, id);
		error_hint(err, "add it to /linux/%sMappings", member);
	} else {
		error_set_errno(err, "set %s %u", member, id);
		if (err->sys_errno == EPERM)
			error_hint(err, "the runtime needs CAP_SET%s for that",
				member[0] == 'g' ? "GID" : "UID");
	}
	return error_point(err, "%s/user/%s", process->pointer, member);
}

int credentials_set_dumpable(bool is_dumpable, struct error *err)
{
	if (prctl(PR_SET_DUMPABLE, is_dumpable, 0, 0, 0) < 0)
		return error_set_errno(err, "set the dumpable flag");
	return 0;
}

int credentials_apply(const struct spec_process *process, struct error *err)
{
	const struct spec_user *user = &process->user;

	if (user->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, "keep capabilities over a change of user");
	if (set_groups(process, err) < 0)
		return -1;
	if (syscall(CALL_SETRESGID, user->gid, user->gid, user->gid) < 0)
		return explain_id(process, "gid", user->gid, err);
	if (syscall(CALL_SETRESUID, user->uid, user->uid, user->uid) < 0)
		return explain_id(process, "uid", user->uid, err);
	/* The kernel does as fs.suid_dumpable says (proc(5)), or nothing when all is as it was. */
	return credentials_set_dumpable(false, err);
}

int credentials_become_root(struct error *err)
{
	if (syscall(CALL_SETGROUPS, 0, NULL) < 0 && !(errno == EPERM && may_set_groups()))
		return error_set_errno(err, "leave all supplementary groups");
	if (syscall(CALL_SETRESGID, 0, 0, 0) < 0)
		return error_set_errno(err, "become gid 0 of the user namespace");
	if (syscall(CALL_SETRESUID, 0, 0, 0) < 0)
		return error_set_errno(err, "become uid 0 of the user namespace");
	/* Uid 0 may be the same outside, which is no change to the kernel. */
	return credentials_set_dumpable(false, err);
}

int credentials_forbid_new_privileges(struct error *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, "set no_new_privs");
	return 0;
}
