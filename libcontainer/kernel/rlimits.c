/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/rlimits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

/* 2^64-1, and what takes its place in a message. */
struct limit_text {
	char text[24];
};

static struct limit_text write_limit(uint64_t value)
{
	struct limit_text out;

	if (value == UINT64_MAX)
		snprintf(out.text, sizeof(out.text), "unlimited");
	else
		snprintf(out.text, sizeof(out.text), "%" PRIu64, value);
	return out;
}

static int explain(const struct spec_rlimit *wanted, struct error *err)
{
	const char *name = spec_word_of(spec_rlimit_words, wanted->type);
	struct rlimit64 now = { 0 };
	int cause = errno;

	if (cause == EINVAL && wanted->soft > wanted->hard)
		return error_set(err, ERROR_SPEC, "%s: the soft limit %s is above the hard one, %s",
			name, write_limit(wanted->soft).text, write_limit(wanted->hard).text);
	if (cause == EPERM && prlimit64(0, wanted->type, NULL, &now) == 0 &&
		wanted->hard > now.rlim_max) {
		errno = cause;
		error_set_errno(err, "raise the hard limit of %s from %s to %s", name,
			write_limit(now.rlim_max).text, write_limit(wanted->hard).text);
		return error_hint(err, "the runtime needs CAP_SYS_RESOURCE for that");
	}
	errno = cause;
	error_set_errno(err, "set %s to %s and %s", name, write_limit(wanted->soft).text,
		write_limit(wanted->hard).text);
	if (cause == EPERM && wanted->type == RLIMIT_NOFILE)
		error_hint(err, "the sysctl fs.nr_open bounds it");
	return -1;
}

int rlimits_apply(const struct spec_process *process, struct error *err)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct spec_rlimit *wanted = &process->rlimits[i];
		const struct rlimit64 limit = { wanted->soft, wanted->hard };

		if (prlimit64(0, wanted->type, &limit, NULL) == 0)
			continue;
		explain(wanted, err);
		return error_point(err, "%s/rlimits/%zu", process->pointer, i);
	}
	return 0;
}
