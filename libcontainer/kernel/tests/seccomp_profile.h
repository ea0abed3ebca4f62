/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles for the tests of the syscall filter: written in a test, or in a config. */
#ifndef KOGG_LIBCONTAINER_KERNEL_TESTS_SECCOMP_PROFILE_H
#define KOGG_LIBCONTAINER_KERNEL_TESTS_SECCOMP_PROFILE_H

#include "libspec/spec.h"

struct seccomp_profile {
	struct spec_document *document;
	const struct spec_seccomp *seccomp; /* NULL: the config has none, or is no config */
};

/* Reads JSON, the value of linux.seccomp; ends the test when it is wrong. */
struct seccomp_profile seccomp_profile_parse(const char *json);

struct seccomp_profile seccomp_profile_load(const char *path);
void seccomp_profile_free(struct seccomp_profile *profile);

#endif
