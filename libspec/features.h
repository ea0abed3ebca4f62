/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features document (features.md, features-linux.md): what this build
 * understands in a config, from the same tables that read it.
 *
 * It says nothing of the host; what libraries and the upper layers alone know
 * comes in as facts.
 */
#ifndef KOGG_LIBSPEC_FEATURES_H
#define KOGG_LIBSPEC_FEATURES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/* Lists end with NULL. */
struct features_facts {
	const char *version; /* of kogg */
	const char *commit;  /* NULL: unknown */
	bool has_apparmor;   /* built in, as the next ones */
	bool has_selinux;
	bool has_seccomp;
	bool has_cgroup_systemd;
	bool has_cgroup_systemd_user; /* the systemd driver works for other users than root */
	bool has_checkpoint;
	const char *libseccomp_version;   /* "2.5.4"; NULL: not built in */
	const char *const *seccomp_archs; /* of the spec's, those that a config may name */
	const char *const *seccomp_flags; /* of the known ones, those that can be used here */
	const char *const *capabilities;  /* "CAP_CHOWN", ..., in the kernel's order */
};

/* Appends the document as JSON, like state_write(). Fails only for lack of memory. */
int features_write(const struct features_facts *facts, unsigned indent, struct text *ret_text,
	struct error *err) must_check;

#endif
