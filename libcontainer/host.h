/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program asks of the host for itself, not for a container.
 *
 * The command line sees kernel facilities only through libcontainer; this is
 * the door to those that belong to no operation.
 */
#ifndef KOGG_LIBCONTAINER_HOST_H
#define KOGG_LIBCONTAINER_HOST_H

#include <stdbool.h>

#include "base/error.h"
#include "libspec/features.h"

/*
 * Makes sure that no container can write to the executable that enters it
 * (CVE-2019-5736). May execute it anew with ARGV and ENVP and not return; to be
 * called first thing in main(), before descriptors are opened.
 */
int host_protect_program(char *const argv[], char *const envp[], struct error *err) must_check;

/* Whether /sys/fs/cgroup is cgroup v2 alone (cgroups(7)), without v1 hierarchies. */
bool host_has_only_cgroup_v2(void);

#define HOST_SECCOMP_ARCHS_MAX 32
#define HOST_SECCOMP_FLAGS_MAX 16

/* The facts point into it: not to be copied. */
struct host_features {
	struct features_facts facts;
	const char *seccomp_archs[HOST_SECCOMP_ARCHS_MAX + 1];
	const char *seccomp_flags[HOST_SECCOMP_FLAGS_MAX + 1];
};

/* Fills in what the kernel and the kernel modules know; versions stay NULL. */
void host_fill_features(struct host_features *ret_features);

#endif
