/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/passed_fds.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "libcontainer/kernel/descriptors.h"

/* The variables count only when they are meant for this process. */
static unsigned count_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	uint64_t value;

	if (!pid || !count || number_parse_u64(pid, INT32_MAX, &value) < 0 ||
		value != (uint64_t)getpid() ||
		number_parse_u64(count, DESCRIPTORS_PRESERVED_MAX, &value) < 0)
		return 0;
	return (unsigned)value;
}

int passed_fds_guard(unsigned preserve, struct passed_fds *ret_passed, struct error *err)
{
	unsigned listen = count_listen_fds();

	if (preserve > DESCRIPTORS_PRESERVED_MAX - listen)
		return error_set(err, ERROR_USAGE, "--preserve-fds must be at most %u",
			DESCRIPTORS_PRESERVED_MAX);
	if (descriptors_check_preserved(listen + preserve, err) < 0)
		return preserve ? error_wrap(err, "--preserve-fds %u", preserve) : -1;
	if (descriptors_mark_from(DESCRIPTORS_FIRST + listen + preserve, err) < 0)
		return -1;
	*ret_passed = (struct passed_fds){ listen, preserve };
	return 0;
}
