/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cache and memory bandwidth shares (Documentation/arch/x86/resctrl.rst;
 * config-linux.md, "IntelRdt").
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_INTEL_RDT_H
#define KOGG_LIBCONTAINER_KERNEL_INTEL_RDT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"
#include "libspec/spec_linux.h"

/* What intel_rdt_apply() made and intel_rdt_remove() is to remove. */
struct intel_rdt_made {
	bool has_group;      /* the directory of the class of service */
	bool has_monitoring; /* the monitoring group in it */
	bool has_class;      /* one with a name from the config: for intel_rdt_undo() alone */
};

/*
 * Puts PID, the container's first process before it executes anything, into
 * the class of service that RDT names, with its schemata. ID is the
 * container's. On failure what was made is removed. Without RDT (NULL) nothing
 * is done or made.
 */
int intel_rdt_apply(const struct spec_intel_rdt *rdt, const char *id, pid_t pid,
	struct intel_rdt_made *ret_made, struct error *err) must_check;

/*
 * Puts PID, one more process of a container for which MADE was made, where its first
 * is. A class that is gone is none to be in: its processes are in the default one, as
 * this is already. Without RDT (NULL) nothing is done.
 */
int intel_rdt_join(const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, pid_t pid, struct error *err) must_check;

/* Removes what was made; a directory that is gone is fine. */
int intel_rdt_remove(const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, struct error *err) must_check;

/*
 * The same for a container that came to nothing and whose processes are gone: a class
 * with a name from the config, which else outlives who made it, goes as well, unless
 * others have joined it.
 */
int intel_rdt_undo(const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, struct error *err) must_check;

/*
 * Writes the cache and bandwidth schemas of RDT, whose list is not looked at,
 * to the class of a container that was given one by intel_rdt_apply().
 * RET_BEFORE gets all that its schemata were, for intel_rdt_restore().
 */
int intel_rdt_update(const struct spec_intel_rdt *rdt, const char *id, struct text *ret_before,
	struct error *err) must_check;
int intel_rdt_restore(const struct spec_intel_rdt *rdt, const char *id, const struct text *before,
	struct error *err) must_check;

/* The same below RESCTRL_FD, for whoever has it open: the unit tests. */
int intel_rdt_apply_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id, pid_t pid,
	struct intel_rdt_made *ret_made, struct error *err) must_check;
int intel_rdt_join_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, pid_t pid, struct error *err) must_check;
int intel_rdt_remove_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, struct error *err) must_check;
int intel_rdt_undo_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, struct error *err) must_check;
int intel_rdt_update_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	struct text *ret_before, struct error *err) must_check;
int intel_rdt_restore_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	const struct text *before, struct error *err) must_check;

#endif
