/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/personality.h"

#include <sys/personality.h>

int personality_apply(struct spec_i64 domain, struct error *err)
{
	if (!domain.is_set || personality((unsigned long)domain.value) >= 0)
		return 0;
	error_set_errno(err, "set the personality to %#llx", (unsigned long long)domain.value);
	return error_point(err, "/linux/personality/domain");
}
