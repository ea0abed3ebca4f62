/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cpu_affinity.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>

#include "base/log.h"

#define LONG_BITS (sizeof(long) * CHAR_BIT)

/* NR_CPUS is at most 8192 on the largest builds. */
#define CPUS_MAX 8192

/* Digits at *AT, below LIMIT; steps over them. */
static int read_number(const char **at, size_t limit, size_t *ret_number)
{
	const char *p = *at;
	size_t number = 0;

	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9'; p++) {
		number = number * 10 + (size_t)(*p - '0');
		if (number >= limit)
			return -1;
	}
	*at = p;
	*ret_number = number;
	return 0;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t\n");
}

int cpu_affinity_parse(const char *list, unsigned long *bits, size_t count)
{
	size_t limit = count * LONG_BITS, first, last, highest = 0;
	const char *p = skip_blanks(list);

	memset(bits, 0, count * sizeof(*bits));
	for (;;) {
		if (read_number(&p, limit, &first) < 0)
			return -1;
		last = first;
		if (*p == '-' && (p++, read_number(&p, limit, &last) < 0))
			return -1;
		if (last < first)
			return -1;
		for (size_t i = first; i <= last; i++)
			bits[i / LONG_BITS] |= 1UL << i % LONG_BITS;
		if (last > highest)
			highest = last;
		p = skip_blanks(p);
		if (!*p)
			return (int)(highest / LONG_BITS) + 1;
		if (*p != ',')
			return -1;
		p = skip_blanks(p + 1);
	}
}

static int apply(const char *list, struct error *err)
{
	unsigned long bits[CPUS_MAX / LONG_BITS];
	int used = cpu_affinity_parse(list, bits, array_size(bits));

	if (used < 0)
		return error_set(err, ERROR_SPEC, "'%s' is no list of CPUs below %d, such as 0-3,7",
			list, CPUS_MAX);
	if (sched_setaffinity(0, (size_t)used * sizeof(long), (const cpu_set_t *)bits) == 0)
		return 0;
	if (errno == EINVAL)
		return error_set(err, ERROR_SPEC,
			"none of the CPUs %s is there and in the cgroup's cpuset", list);
	return error_set_errno(err, "set the CPU affinity to %s", list);
}

void cpu_affinity_reset(void)
{
	unsigned long bits[CPUS_MAX / LONG_BITS];

	/* The kernel drops what the machine lacks, and at each change what the cpuset lacks. */
	memset(bits, 0xff, sizeof(bits));
	if (sched_setaffinity(0, sizeof(bits), (const cpu_set_t *)bits) < 0)
		log_warning(
			"the process keeps the CPU affinity of the runtime: %s", strerror(errno));
}

int cpu_affinity_apply_initial(const struct spec_process *process, struct error *err)
{
	if (process->exec_affinity_initial && apply(process->exec_affinity_initial, err) < 0)
		return error_point(err, "%s/execCPUAffinity/initial", process->pointer);
	return 0;
}

int cpu_affinity_apply_final(const struct spec_process *process, struct error *err)
{
	if (process->exec_affinity_final && apply(process->exec_affinity_final, err) < 0)
		return error_point(err, "%s/execCPUAffinity/final", process->pointer);
	return 0;
}
