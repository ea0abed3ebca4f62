/* SPDX-License-Identifier: Apache-2.0 */
/* Host and domain name of the caller's UTS namespace (uts_namespaces(7)). */
#ifndef KOGG_LIBCONTAINER_KERNEL_HOSTNAME_H
#define KOGG_LIBCONTAINER_KERNEL_HOSTNAME_H

#include "base/error.h"
#include "libspec/spec.h"

/* Sets what SPEC names of the two. That the namespace is the container's own is checked by libspec.
 */
int hostname_apply(const struct spec *spec, struct error *err) must_check;

#endif
