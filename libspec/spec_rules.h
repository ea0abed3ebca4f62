/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that span objects of a config: one function each, in one table.
 *
 * What the text of the spec demands, and what would otherwise be done to the
 * host: a mount, a sysctl or a host name without a namespace of its own.
 */
#ifndef KOGG_LIBSPEC_SPEC_RULES_H
#define KOGG_LIBSPEC_SPEC_RULES_H

#include "libspec/spec.h"

/* Fails with ERROR_SPEC and a pointer on the first rule that SPEC breaks. */
int spec_rules_check(const struct spec *spec, struct error *err) must_check;

#endif
