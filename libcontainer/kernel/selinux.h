/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux labels of the program to be executed and of its keys
 * (setexeccon(3), setkeycreatecon(3); /proc/PID/attr).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SELINUX_H
#define KOGG_LIBCONTAINER_KERNEL_SELINUX_H

#include <stdbool.h>

#include "base/error.h"
#include "libcontainer/kernel/procfs.h"
#include "libspec/spec_process.h"

bool selinux_is_enabled(void);

/* Fails when process.selinuxLabel is there and SELinux is not; with the host's /sys in view. */
int selinux_check(const struct spec_process *process, struct error *err) must_check;

/* The same for linux.mountLabel, which may be NULL. */
int selinux_check_mount_label(const char *label, struct error *err) must_check;

/* Has the next execve(2) of the caller take process.selinuxLabel; nothing when it is absent. */
int selinux_set_on_exec(
	struct procfs *procfs, const struct spec_process *process, struct error *err) must_check;

/*
 * Has keyrings that the caller makes take process.selinuxLabel; nothing when it
 * is absent. Goes before keyring_join().
 */
int selinux_set_on_key_creation(
	struct procfs *procfs, const struct spec_process *process, struct error *err) must_check;

#endif
