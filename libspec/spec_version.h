/* SPDX-License-Identifier: Apache-2.0 */
/* Which ociVersion this build takes (config.md, "Specification version"; semver.org, 2.0.0). */
#ifndef KOGG_LIBSPEC_SPEC_VERSION_H
#define KOGG_LIBSPEC_SPEC_VERSION_H

#include <stdbool.h>

/*
 * Whether VERSION is a SemVer of the major version that this build knows. A
 * newer minor version is taken, too: what it adds is unknown here, and
 * unknown members are to be ignored.
 */
bool spec_version_is_known(const char *version);

#endif
