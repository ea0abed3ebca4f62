/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/time_offsets.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"

/* One write: the kernel takes all clocks or none. */
static int write_offsets(
	struct procfs *procfs, const struct spec_linux *platform, struct error *err)
{
	cleanup_text struct text lines = { 0 };

	for (size_t i = 0; i < platform->n_time_offsets; i++) {
		const struct spec_time_offset *offset = &platform->time_offsets[i];

		text_appendf(&lines, "%s %" PRId64 " %" PRIu32 "\n", offset->clock, offset->seconds,
			offset->nanoseconds);
	}
	if (text_check(&lines, err) < 0)
		return -1;
	return procfs_write(procfs, "self/timens_offsets", lines.data, err);
}

static int explain(const struct error *cause, struct error *err)
{
	switch (cause->sys_errno) {
	case ENOENT:
		return error_set(err, ERROR_UNSUPPORTED, "this kernel has no time namespaces");
	case ERANGE:
		return error_set(err, ERROR_SPEC,
			"a clock would start before 0 or end too soon with this offset");
	case EPERM:
		*err = *cause;
		return error_hint(err, "the runtime needs CAP_SYS_TIME in the user namespace");
	default:
		*err = *cause;
		return -1;
	}
}

int time_offsets_write(struct procfs *procfs, const struct spec_linux *platform, struct error *err)
{
	struct error cause = { 0 };

	if (platform->n_time_offsets == 0 || write_offsets(procfs, platform, &cause) == 0)
		return 0;
	explain(&cause, err);
	return error_point(err, "/linux/timeOffsets");
}
