/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooks that run in the runtime's own namespaces and environment:
 * prestart, createRuntime, poststart, poststop.
 */
#ifndef KOGG_LIBCONTAINER_RUNTIME_HOOKS_H
#define KOGG_LIBCONTAINER_RUNTIME_HOOKS_H

#include "base/error.h"
#include "libspec/spec.h"
#include "libspec/state.h"

/* Runs those of KIND until one fails. Nothing when the config has none. */
int runtime_hooks_run(const struct spec *spec, enum spec_hook_kind kind, const struct state *state,
	struct error *err) must_check;

/*
 * Runs all poststop hooks; a failure is a warning (runtime.md, "Lifecycle",
 * step 13). STATE has no pid.
 */
void runtime_hooks_run_poststop(const struct spec *spec, const struct state *state);

#endif
