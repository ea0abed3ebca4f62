/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User and group IDs of the calling process, and what it may gain
 * (credentials(7), setresuid(2), setgroups(2), prctl(2)).
 *
 * Uses raw system calls: glibc's wrappers signal all threads to do the same,
 * and the caller has but one.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CREDENTIALS_H
#define KOGG_LIBCONTAINER_KERNEL_CREDENTIALS_H

#include <stdbool.h>

#include "base/error.h"
#include "libspec/spec_process.h"

/*
 * Becomes process.user: supplementary groups, then gid, then uid. The
 * permitted capabilities outlive leaving uid 0 (PR_SET_KEEPCAPS, cleared again
 * by execve). Exactly the groups of the config are left, unless the user
 * namespace denies setgroups: then there must be none in the config. An ID
 * that the user namespace does not map is an error with its pointer. Whatever
 * the kernel makes of the change, the caller is not dumpable afterwards.
 */
int credentials_apply(const struct spec_process *process, struct error *err) must_check;

/*
 * Becomes uid 0 and gid 0 with no supplementary groups, after a user namespace
 * was entered: until then the caller has the IDs of outside, or overflow ones.
 * It is not dumpable afterwards.
 */
int credentials_become_root(struct error *err) must_check;

/* PR_SET_NO_NEW_PRIVS. */
int credentials_forbid_new_privileges(struct error *err) must_check;

/* PR_SET_DUMPABLE: whether others of the same user may trace the caller or read its memory. */
int credentials_set_dumpable(bool is_dumpable, struct error *err) must_check;

#endif
