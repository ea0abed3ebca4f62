/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor profile of the program to be executed
 * (Documentation/admin-guide/LSM/apparmor.rst; aa_change_onexec(2)).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_APPARMOR_H
#define KOGG_LIBCONTAINER_KERNEL_APPARMOR_H

#include <stdbool.h>

#include "base/error.h"
#include "libcontainer/kernel/procfs.h"
#include "libspec/spec_process.h"

bool apparmor_is_enabled(void);

/*
 * Fails when process.apparmorProfile names one and this kernel has no
 * AppArmor: dropping confinement in silence would be worse. To be called with
 * the host's /sys in view.
 */
int apparmor_check(const struct spec_process *process, struct error *err) must_check;

/*
 * Has the next execve(2) of the caller enter process.apparmorProfile; nothing
 * when it is absent, or "unconfined" on a kernel without AppArmor. Goes before
 * no_new_privs, which rules out some changes of profile.
 */
int apparmor_set_on_exec(
	struct procfs *procfs, const struct spec_process *process, struct error *err) must_check;

#endif
