/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host may have set against user namespaces (user_namespaces(7);
 * Documentation/admin-guide/sysctl/user.rst; Debian's and Ubuntu's kernels).
 *
 * Only reads the settings; whether they are the cause is a guess that the
 * error's errno supports.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_USERNS_POLICY_H
#define KOGG_LIBCONTAINER_KERNEL_USERNS_POLICY_H

#include "base/error.h"

/*
 * For a container with a new user namespace that could not be made: adds the
 * setting that is in the way and its cure as the hint, if there is none yet.
 */
void userns_policy_explain(struct error *err);

#endif
