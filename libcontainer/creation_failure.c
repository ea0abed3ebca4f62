/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/creation_failure.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/sync.h"

/*
 * With so much a static shell starts in a container with some 20 mounts and
 * masks. Measured on Linux 6.18 with two CPUs, v1 and v2 alike: 192 KiB are
 * enough; with 128 the program is killed, with 64 the process before it.
 */
#define MEMORY_LIMIT_LEAST_KIB 256

static int explain_lack_of_memory(const struct spec *spec, struct error *err)
{
	const struct spec_resources *resources = spec->platform.resources;
	const struct spec_memory *memory = resources ? resources->memory : NULL;

	error_set(err, ERROR_SYSTEM,
		"the kernel has killed the container's first process for lack of memory");
	if (!memory || !memory->limit.is_set)
		return -1;
	error_point(err, "/linux/resources/memory/limit");
	if (memory->limit.value >= MEMORY_LIMIT_LEAST_KIB * 1024)
		return -1;
	return error_hint(err,
		"no process can start with so little; the limit must be at least %d KiB",
		MEMORY_LIMIT_LEAST_KIB);
}

uint64_t creation_count_kills(struct cgroup *cgroup, const struct cgroup_oom_watch *kills)
{
	return kills->count_fd < 0 ? cgroup_oom_kills(cgroup) : cgroup_oom_count_kills(kills);
}

int creation_explain_birth(const struct spec *spec, uint64_t kills, struct error *err)
{
	/* The process between, if one is needed, lives in the same group. */
	if (sync_is_end(err) && kills > 0) {
		*err = (struct error){ 0 };
		return explain_lack_of_memory(spec, err);
	}
	/* The container's own limit is never too low for its birth. */
	if (err->sys_errno == EAGAIN)
		error_hint(err, "pids.max of a cgroup above, or RLIMIT_NPROC, is reached");
	return -1;
}

/*
 * A call that kogg needs was denied: of write(2), so that nothing could be said,
 * or of exit_group(2) too, which the C library answers by a segmentation fault.
 */
static int explain_filter(const struct spec *spec, struct error *err)
{
	if (!spec->platform.has_seccomp)
		return -1;
	error_hint(err,
		"the likely cause is the seccomp profile, which has to allow read(2), write(2), "
		"execve(2) and exit_group(2)%s",
		spec->process && spec->process->no_new_privileges
			? ""
			: "; without noNewPrivileges also capset(2) and prctl(2)");
	return error_point(err, "/linux/seccomp");
}

static int explain_signal(const struct spec *spec, uint64_t kills, int signal, struct error *err)
{
	if (signal == SIGKILL && kills > 0)
		return explain_lack_of_memory(spec, err);
	error_set(err, ERROR_SYSTEM,
		"the container's first process ended unexpectedly: killed by signal %d (SIG%s)",
		signal, sigabbrev_np(signal) ?: "?");
	if (signal == SIGSEGV)
		return explain_filter(spec, err);
	if (signal != SIGSYS)
		return -1;
	if (spec->platform.has_seccomp)
		error_point(err, "/linux/seccomp");
	return error_hint(err,
		"a seccomp filter, of this config or of the caller, kills for a call that kogg needs");
}

int creation_explain_death(
	const struct spec *spec, uint64_t kills, struct launched *first, struct error *err)
{
	struct error ignored = { 0 };
	int status, signal;

	if (pidfd_reap(first->pidfd, PIDFD_DEATH_MS, &status, &signal, &ignored) < 0)
		return -1;
	close_at(&first->pidfd);
	first->pidfd = -1;
	*err = (struct error){ 0 };
	if (signal)
		return explain_signal(spec, kills, signal, err);
	error_set(err, ERROR_SYSTEM,
		"the container's first process ended unexpectedly: exit status %d", status);
	return explain_filter(spec, err);
}

void creation_watch_memory(
	const struct spec *spec, struct cgroup *cgroup, struct cgroup_oom_watch *ret_kills)
{
	const struct spec_resources *resources = spec->platform.resources;

	*ret_kills = CGROUP_OOM_WATCH_CLOSED;
	if ((resources && resources->memory && resources->memory->limit.is_set) ||
		cgroup_oom_may_be_old(cgroup))
		cgroup_oom_count_open(cgroup, ret_kills);
}

int creation_check_memory(
	const struct spec *spec, const struct cgroup_oom_watch *kills, struct error *err)
{
	return cgroup_oom_count_kills(kills) > 0 ? explain_lack_of_memory(spec, err) : 0;
}
