/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/rlimits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"

/* A number and its line end. */
#define NR_OPEN_MAX 32

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

/* The most that RLIMIT_NOFILE may be, whoever asks; UINT64_MAX where that can't be told. */
static uint64_t read_nr_open(struct procfs *procfs)
{
	cleanup_text struct text text = { 0 };
	struct error ignored = { 0 };
	cleanup_fd int fd = procfs_open(procfs, "sys/fs/nr_open", O_RDONLY, &ignored);
	uint64_t value;

	if (fd < 0 || file_read_fd(fd, "fs.nr_open", NR_OPEN_MAX, &text, &ignored) < 0)
		return UINT64_MAX;
	text.data[strcspn(text.data, "\n")] = '\0';
	return number_parse_u64(text.data, UINT64_MAX, &value) < 0 ? UINT64_MAX : value;
}

/* The kernel looks at fs.nr_open first (kernel/sys.c). */
static int explain_denial(const struct spec_rlimit *wanted, uint64_t hard_now,
	struct procfs *procfs, struct error *err)
{
	uint64_t nr_open = wanted->type == RLIMIT_NOFILE ? read_nr_open(procfs) : UINT64_MAX;

	if (wanted->hard > nr_open)
		return error_hint(
			err, "it can't be above the sysctl fs.nr_open, %" PRIu64, nr_open);
	if (wanted->hard > hard_now)
		return error_hint(err, "the runtime needs CAP_SYS_RESOURCE for that");
	return -1;
}

static int explain(const struct spec_rlimit *wanted, struct procfs *procfs, struct error *err)
{
	const char *name = spec_word_of(spec_rlimit_words, wanted->type);
	struct rlimit64 now = { .rlim_max = UINT64_MAX };
	int cause = errno;

	if (cause == EINVAL && wanted->soft > wanted->hard)
		return error_set(err, ERROR_SPEC, "%s: the soft limit %s is above the hard one, %s",
			name, write_limit(wanted->soft).text, write_limit(wanted->hard).text);
	if (prlimit64(0, wanted->type, NULL, &now) == 0 && cause == EPERM &&
		wanted->hard > now.rlim_max) {
		errno = cause;
		error_set_errno(err, "raise the hard limit of %s from %s to %s", name,
			write_limit(now.rlim_max).text, write_limit(wanted->hard).text);
	} else {
		errno = cause;
		error_set_errno(err, "set %s to %s and %s", name, write_limit(wanted->soft).text,
			write_limit(wanted->hard).text);
	}
	return cause == EPERM ? explain_denial(wanted, now.rlim_max, procfs, err) : -1;
}

int rlimits_apply(const struct spec_process *process, struct procfs *procfs, struct error *err)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct spec_rlimit *wanted = &process->rlimits[i];
		const struct rlimit64 limit = { wanted->soft, wanted->hard };

		if (prlimit64(0, wanted->type, &limit, NULL) == 0)
			continue;
		explain(wanted, procfs, err);
		return error_point(err, "%s/rlimits/%zu", process->pointer, i);
	}
	return 0;
}
