/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

/* Where counting up ends when there is neither close_range(2) nor a procfs. */
#define COUNT_MAX (1U << 20)

int descriptors_check_preserved(unsigned count, struct error *err)
{
	if (count > DESCRIPTORS_PRESERVED_MAX)
		return error_set(err, ERROR_USAGE, "%u preserved descriptors are more than %u",
			count, DESCRIPTORS_PRESERVED_MAX);
	for (unsigned i = 0; i < count; i++) {
		int flags = fcntl((int)(DESCRIPTORS_FIRST + i), F_GETFD);

		/* What has come through our execve(2) is not marked so; our own are. */
		if (flags < 0 || flags & FD_CLOEXEC)
			return error_set(err, ERROR_USAGE,
				"preserved descriptor %u (of %u) is not open: it would be number %u",
				i, count, DESCRIPTORS_FIRST + i);
	}
	return 0;
}

/* What is done to each of a range of descriptors: closing, or only a mark. */
static void treat(int fd, bool is_mark)
{
	if (is_mark)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	else
		close(fd);
}

/* Through /proc/self/fd; false when that is not to be had. */
static bool walk(unsigned first, unsigned last, bool is_mark)
{
	cleanup_dir DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	struct statfs fs;

	/* An image may hold a directory of that name. */
	if (!dir || fstatfs(dirfd(dir), &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	while (errno = 0, (entry = readdir(dir))) {
		uint32_t fd;

		if (number_parse_u32(entry->d_name, &fd) < 0 || (int)fd == dirfd(dir))
			continue;
		if (fd >= first && fd <= last)
			treat((int)fd, is_mark);
	}
	return errno == 0;
}

static int count_up(unsigned first, unsigned last, bool is_mark, struct error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return error_set_errno(err, "read RLIMIT_NOFILE");
	if (last >= limit.rlim_max)
		last = (unsigned)limit.rlim_max;
	if (last > COUNT_MAX)
		last = COUNT_MAX;
	for (unsigned fd = first; fd <= last; fd++)
		treat((int)fd, is_mark);
	return 0;
}

static int treat_range(unsigned first, unsigned last, bool is_mark, struct error *err)
{
	if (first > last || close_range(first, last, is_mark ? CLOSE_RANGE_CLOEXEC : 0) == 0)
		return 0;
	/* EINVAL: no CLOSE_RANGE_CLOEXEC before Linux 5.11; the others: a sandbox. */
	if (errno != EINVAL && errno != ENOSYS && errno != EPERM)
		return error_set_errno(err, "close descriptors from %u to %u", first, last);
	return walk(first, last, is_mark) ? 0 : count_up(first, last, is_mark, err);
}

int descriptors_mark_from(unsigned first, struct error *err)
{
	return treat_range(first, UINT_MAX, true, err);
}

/* The lowest of KEEP that is FIRST or above, or -1. */
static int next_kept(unsigned first, const int *keep, size_t count)
{
	int lowest = -1;

	for (size_t i = 0; i < count; i++)
		if (keep[i] >= (int)first && (lowest < 0 || keep[i] < lowest))
			lowest = keep[i];
	return lowest;
}

int descriptors_close_from(unsigned first, const int *keep, size_t count, struct error *err)
{
	for (;;) {
		int kept = next_kept(first, keep, count);

		if (kept < 0)
			return treat_range(first, UINT_MAX, false, err);
		if ((unsigned)kept > first &&
			treat_range(first, (unsigned)kept - 1, false, err) < 0)
			return -1;
		first = (unsigned)kept + 1;
	}
}
