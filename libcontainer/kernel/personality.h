/* SPDX-License-Identifier: Apache-2.0 */
/* Execution domain of the calling process (personality(2)). */
#ifndef KOGG_LIBCONTAINER_KERNEL_PERSONALITY_H
#define KOGG_LIBCONTAINER_KERNEL_PERSONALITY_H

#include "base/error.h"
#include "libspec/spec_linux.h"

/* Sets linux.personality on the caller, with no flags; nothing when it is not set. */
int personality_apply(struct spec_i64 domain, struct error *err) must_check;

#endif
