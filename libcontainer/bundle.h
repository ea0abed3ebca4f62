/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle: config.json and the root file system it names (bundle.md). */
#ifndef KOGG_LIBCONTAINER_BUNDLE_H
#define KOGG_LIBCONTAINER_BUNDLE_H

#include "base/error.h"
#include "libspec/spec.h"

struct bundle {
	char *path;   /* absolute, symlinks resolved */
	char *rootfs; /* absolute, symlinks resolved; a directory */
	struct spec_document *document;
	const struct spec *spec;
};

/*
 * Reads the bundle in PATH, whose config is in the file CONFIG, seen from
 * there. The caller gives it to bundle_release() in any case.
 */
int bundle_open(struct bundle *ret_bundle, const char *path, const char *config, struct error *err)
	must_check;

void bundle_release(struct bundle *bundle);

#endif
