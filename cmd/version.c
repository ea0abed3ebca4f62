/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/version.h"

#include <seccomp.h>

#include "libspec/spec.h"

/* KOGG_VERSION and KOGG_COMMIT come from meson.build. */
void version_describe(struct text *ret_text)
{
	const struct scmp_version *library = seccomp_version();

	text_append(ret_text, "kogg version " KOGG_VERSION "\n");
	text_append(ret_text, "commit: " KOGG_COMMIT "\n");
	text_append(ret_text, "spec: " SPEC_VERSION_MAX "\n");
	if (library)
		text_appendf(ret_text, "libseccomp: %u.%u.%u\n", library->major, library->minor,
			library->micro);
}
