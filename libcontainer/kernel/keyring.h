/* SPDX-License-Identifier: Apache-2.0 */
/* Session keyring of the calling process (session-keyring(7), keyctl(2)). */
#ifndef KOGG_LIBCONTAINER_KERNEL_KEYRING_H
#define KOGG_LIBCONTAINER_KERNEL_KEYRING_H

#include "base/error.h"

/*
 * Leaves the caller's session keyring for one named "_ses.ID", which is made
 * when there is none of that name, so that the container cannot use the keys
 * of whoever started it. Called as the user who creates the container: the
 * keyring is then searchable for the container's own user. A kernel without
 * keyrings, or a sandbox that denies keyctl(2), has nothing to leave: fine.
 */
int keyring_join(const char *id, struct error *err) must_check;

#endif
