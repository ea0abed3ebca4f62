/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "libcontainer/kernel/capabilities.h"
#include "libcontainer/kernel/cpu_affinity.h"
#include "libcontainer/kernel/credentials.h"
#include "libcontainer/kernel/descriptors.h"
#include "libcontainer/kernel/idmap.h"
#include "libcontainer/kernel/oom_score.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/kernel/time_offsets.h"
#include "libcontainer/sync.h"

/*
 * The cgroup namespace is unshared by the first process itself, once it is in
 * its cgroup: clone3(2) would root it in the caller's. A time namespace takes
 * offsets only before anybody is in it.
 */
#define NOT_BY_CLONE (CLONE_NEWCGROUP | CLONE_NEWTIME)

/* What a frozen process is given to be gone after SIGKILL. */
#define FROZEN_DEATH_MS 200

struct birth {
	uint64_t flags;
	int exit_signal; /* one that is born with CLONE_PARENT has its maker's */
	int birth_fd;
	int pidfd;
	bool is_in_cgroup;
	bool is_moved; /* as struct launch_request has it */
	int signal;    /* that has ended a stage process, or 0 */
};

static pid_t clone_once(struct birth *birth, uint64_t more_flags)
{
	struct clone_args args = {
		.flags = birth->flags | CLONE_PIDFD | more_flags,
		.pidfd = (uintptr_t)&birth->pidfd,
		.exit_signal = (uint64_t)birth->exit_signal,
		.cgroup = more_flags & CLONE_INTO_CGROUP ? (uint64_t)birth->birth_fd : 0,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* clone(2) knows neither cgroups nor a second flag word; its pidfd is Linux 5.2. */
static pid_t clone_old(struct birth *birth)
{
	unsigned long flags = birth->flags | CLONE_PIDFD | (unsigned long)birth->exit_signal;

	return (pid_t)syscall(SYS_clone, flags, 0, &birth->pidfd, 0, 0);
}

/*
 * fork() with the flags of BIRTH. Each refusal has its own way round: a cgroup
 * that can't be born into (no right, Linux < 5.7) is entered afterwards, and a
 * sandbox that hides clone3(2), whose arguments filters can't see, may still
 * let clone(2) pass.
 */
static pid_t give_birth(struct birth *birth, struct error *err)
{
	pid_t pid = -1;

	birth->pidfd = -1;
	if (birth->birth_fd >= 0 && !birth->is_moved) {
		birth->is_in_cgroup = true;
		pid = clone_once(birth, CLONE_INTO_CGROUP);
		if (pid >= 0)
			return pid;
	}
	birth->is_in_cgroup = birth->birth_fd < 0; /* nothing to be born in */
	pid = clone_once(birth, 0);
	if (pid < 0 && (errno == ENOSYS || errno == EPERM))
		pid = clone_old(birth);
	if (pid < 0)
		return error_set_errno(err, "clone a process for the container");
	return pid;
}

bool launch_needs_stage(const struct spec_linux *platform)
{
	unsigned joined = namespaces_to_join(platform);
	unsigned made = namespaces_to_make(platform);

	if (joined & (CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWTIME))
		return true;
	if (made & CLONE_NEWTIME)
		return true;
	/* In a new user namespace it would have no rights over the others. */
	return (made & CLONE_NEWUSER) && joined;
}

/* The other side's end: held by both, it would hide that the other side is gone. */
static void close_end(int *end)
{
	close_at(end);
	*end = -1;
}

/* The new process's first step, when it could not be born in its cgroup. */
static int ask_to_be_moved(
	const struct launch_request *request, const struct birth *birth, struct error *err)
{
	if (birth->is_in_cgroup)
		return 0;
	if (network_join(request->network, err) < 0)
		return -1;
	return sync_ask(request->sync[1], SYNC_MOVE, 0, err);
}

static void run_first(
	const struct launch_request *request, const struct birth *birth, bool is_mapped)
{
	struct error err = { 0 };

	close_end(&request->sync[0]);
	if (ask_to_be_moved(request, birth, &err) < 0) {
		error_phase(&err, "cgroup");
		sync_send_error(request->sync[1], &err);
		_exit(1);
	}
	request->run(request->context, is_mapped);
}

static int launch_directly(
	const struct launch_request *request, struct launched *launched, struct error *err)
{
	unsigned made = namespaces_to_make(request->platform);
	struct birth birth = {
		.flags = network_flags_of_birth(request->network, made) & ~NOT_BY_CLONE,
		.exit_signal = SIGCHLD,
		.birth_fd = cgroup_birth_fd(request->cgroup),
		.is_moved = request->is_moved,
	};
	pid_t pid = give_birth(&birth, err);

	if (pid < 0)
		return -1;
	if (pid == 0) {
		prctl(PR_SET_NAME, LAUNCH_NAME);
		run_first(request, &birth, !(made & CLONE_NEWUSER));
	}
	close_end(&request->sync[1]);
	*launched = (struct launched){
		.pid = pid,
		.pidfd = birth.pidfd,
		.is_born_in_cgroup = birth.birth_fd >= 0 && birth.is_in_cgroup,
	};
	return 0;
}

bool launch_was_stillborn(const struct launched *first, const struct error *err)
{
	int death_ms = sync_is_end(err) ? PIDFD_DEATH_MS : 0;
	struct error ignored = { 0 };
	siginfo_t info = { 0 };
	bool has_ended;

	return first->is_born_in_cgroup && first->pidfd >= 0 &&
	       pidfd_wait_exit(first->pidfd, death_ms, &has_ended, &ignored) == 0 && has_ended &&
	       waitid(P_PIDFD, (id_t)first->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_code == CLD_KILLED && info.si_status == SIGKILL;
}

static int unshare_user(const struct launch_request *request, struct error *err)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return error_set_errno(err, "make a user namespace");
	if (sync_ask(request->sync[1], SYNC_MAP_IDS, (int)getpid(), err) < 0)
		return -1;
	return credentials_become_root(err);
}

static int unshare_time(const struct launch_request *request, struct error *err)
{
	struct procfs procfs = PROCFS_INIT;
	int result;

	if (unshare(CLONE_NEWTIME) < 0)
		return error_set_errno(err, "make a time namespace");
	/* What is not dumpable has its files in /proc owned by a root that is not ours there. */
	if (namespaces_to_make(request->platform) & CLONE_NEWUSER &&
		credentials_set_dumpable(true, err) < 0)
		return -1;
	result = time_offsets_write(&procfs, request->platform, err);
	procfs_release(&procfs);
	return result < 0 ? -1 : credentials_set_dumpable(false, err);
}

/* All but the mount namespace of a new container, which clone3(2) makes. */
static int make_namespaces(const struct launch_request *request, struct error *err)
{
	unsigned made = namespaces_to_make(request->platform);

	if (namespaces_join(request->joined, err) < 0)
		return -1;
	/* As the host's root, which has no ID there, nothing could be made (EOVERFLOW). */
	if (namespaces_to_join(request->platform) & CLONE_NEWUSER &&
		credentials_become_root(err) < 0)
		return -1;
	if (made & CLONE_NEWUSER && unshare_user(request, err) < 0)
		return -1;
	return made & CLONE_NEWTIME ? unshare_time(request, err) : 0;
}

int launch_blame_cgroups_path(const struct spec_linux *platform, struct error *err)
{
	return platform->cgroups_path ? error_point(err, "/linux/cgroupsPath") : -1;
}

int launch_enter_cgroup(
	const struct cgroup *cgroup, const struct spec_process *affinity, struct error *err)
{
	if (cgroup_enter(cgroup, err) < 0)
		return -1;
	if (affinity && (affinity->exec_affinity_initial || affinity->exec_affinity_final))
		return cpu_affinity_apply_final(affinity, err);
	/* In a group of the caller's, its mask is as good as the group. */
	if (cgroup_has_group(cgroup))
		cpu_affinity_reset();
	return 0;
}

static unsigned flags_of_birth(const struct launch_request *request)
{
	if (request->target >= 0)
		return 0;
	return namespaces_to_make(request->platform) & ~(NOT_BY_CLONE | CLONE_NEWUSER);
}

/*
 * Goes to where the container's processes are, with nothing of the host's: a
 * link in the image to /proc/self/fd/N would lead out through a descriptor that
 * waits for execve(2) to close it (CVE-2024-21626), and who may trace there
 * could take it, and the capabilities of the process that is born there.
 */
static int join_container(const struct launch_request *request, struct error *err)
{
	const int keep[] = { request->sync[1], request->target, request->console_socket };

	if (descriptors_close_from(
		    DESCRIPTORS_FIRST + request->passed_fds, keep, array_size(keep), err) < 0 ||
		namespaces_join_process(request->target, request->target_namespaces, err) < 0)
		return -1;
	close(request->target);
	return capabilities_reduce(request->process, request->platform->has_seccomp, err);
}

/* The stage process, up to the birth. */
static int prepare_stage(const struct launch_request *request, struct error *err)
{
	bool waits_for_maps =
		request->target < 0 && namespaces_to_make(request->platform) & CLONE_NEWUSER;

	/* Parts of it will be within reach of a container that runs already. */
	if (!waits_for_maps && credentials_set_dumpable(false, err) < 0)
		return -1;
	/* First: inside a user namespace there would be no right to enter it. */
	if (launch_enter_cgroup(request->cgroup, request->affinity, err) < 0)
		return launch_blame_cgroups_path(request->platform, err);
	if (request->settle && request->settle(request->context, err) < 0)
		return -1;
	return request->target < 0 ? make_namespaces(request, err) : join_container(request, err);
}

/*
 * The new process holds its tongue until the runtime has been told of it: who
 * hears of a failure first would not know whom to reap.
 */
static void wait_for_announcement(const int announced[2])
{
	char byte;
	ssize_t n;

	close(announced[1]);
	do
		n = read(announced[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(1);
	close(announced[0]);
}

/* Gives birth, and tells the runtime. */
static int make_first(const struct launch_request *request, struct error *err)
{
	struct birth birth = {
		.flags = flags_of_birth(request) | CLONE_PARENT,
		.birth_fd = -1, /* where the stage process is */
	};
	int announced[2];
	pid_t pid;

	if (pipe2(announced, O_CLOEXEC) < 0)
		return error_set_errno(err, "make a pipe");
	pid = give_birth(&birth, err);
	if (pid < 0)
		return -1;
	if (pid == 0) {
		prctl(PR_SET_NAME, LAUNCH_NAME);
		wait_for_announcement(announced);
		run_first(request, &birth, true);
	}
	if (sync_send(request->sync[1], SYNC_BORN, 0, birth.pidfd, err) < 0)
		return -1;
	return fd_write_all(announced[1], "", 1) < 0 ? error_set_errno(err, "write to a pipe") : 0;
}

static void run_stage(const struct launch_request *request, const struct birth *own)
{
	struct error err = { 0 };

	close_end(&request->sync[0]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ask_to_be_moved(request, own, &err) == 0 && prepare_stage(request, &err) == 0 &&
		make_first(request, &err) == 0)
		_exit(0);
	error_phase(&err, "namespaces");
	sync_send_error(request->sync[1], &err);
	_exit(1);
}

/*
 * The pid behind a pidfd. The stage process may be in a PID namespace that
 * sees other numbers, and it is not asked: the kernel is (proc(5), fdinfo).
 */
static int read_pid(int pidfd, pid_t *ret_pid, struct error *err)
{
	cleanup_text struct text info = { 0 };
	const char *line;
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (file_read_at(AT_FDCWD, path, 4096, &info, err) < 0)
		return -1;
	line = info.data ? strstr(info.data, "\nPid:") : NULL;
	if (!line || sscanf(line + 5, "%d", &pid) != 1 || pid <= 0)
		return error_set(err, ERROR_SYSTEM, "the first process ended unexpectedly");
	*ret_pid = pid;
	return 0;
}

static int move_or_follow(const struct launch_request *request, pid_t pid, struct error *err)
{
	struct error cause = { 0 };

	if (cgroup_add(request->cgroup, pid, &cause) == 0)
		return 0;
	if (cause.sys_errno != EBUSY || !request->followed) {
		*err = cause;
		return -1;
	}
	if (cgroup_follow(request->cgroup, request->followed, err) < 0)
		return -1;
	return cgroup_add(request->cgroup, pid, err);
}

static int move(const struct launch_request *request, pid_t pid, struct error *err)
{
	if (move_or_follow(request, pid, err) == 0)
		return 0;
	return launch_blame_cgroups_path(request->platform, err);
}

int launch_serve(
	const struct launch_request *request, pid_t pid, enum sync_type type, struct error *err)
{
	const struct spec_linux *platform = request->platform;
	int result;

	if (type == SYNC_MOVE)
		result = move(request, pid, err);
	else
		result = idmap_write(
			pid, &platform->uid_mappings, &platform->gid_mappings, "/linux", err);
	return result < 0 ? -1 : sync_send(request->sync[0], SYNC_GO, 0, -1, err);
}

/*
 * Until the stage process says something, or there is nothing to join any more: it
 * may be held by the container's cgroup, and who kills the container is not to
 * wait for it.
 */
static int wait_for_stage(const struct launch_request *request, struct error *err)
{
	struct pollfd events[] = {
		{ .fd = request->sync[0], .events = POLLIN },
		{ .fd = request->target, .events = POLLIN },
		{ .fd = interrupts_fd(request->interrupts), .events = POLLIN },
	};
	int n;

	do
		n = poll(events, array_size(events), clock_poll_timeout(request->deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(err, "wait for the container's process");
	if (interrupts_check(request->interrupts, err) < 0)
		return -1;
	if (n > 0 && !events[0].revents)
		return error_set(err, ERROR_STATE, "the container has ended");
	return 0;
}

/* Serves the stage process until it has given birth. */
static int attend_stage(const struct launch_request *request, pid_t stage,
	struct launched *launched, struct error *err)
{
	struct sync_message message;

	for (;;) {
		cleanup_fd int fd = -1;

		if (wait_for_stage(request, err) < 0 ||
			sync_receive_any(request->sync[0], request->deadline, &message, &fd, err) <
				0)
			return -1;
		if (message.type == SYNC_WARNING || message.type == SYNC_DEBUG)
			continue;
		if (message.type == SYNC_MAP_IDS || message.type == SYNC_MOVE) {
			if (launch_serve(request, stage, message.type, err) < 0)
				return -1;
			continue;
		}
		if (message.type != SYNC_BORN || fd < 0)
			return sync_refuse(&message, err);
		launched->pidfd = take_fd(&fd);
		return read_pid(launched->pidfd, &launched->pid, err);
	}
}

/*
 * Reaps a first process whose stage process was killed before it could tell of
 * it. It ends by itself, unless somebody in the container has stopped it, but
 * not even its PID namespace could end before it is reaped. It is known by its
 * lack of an exit signal (clone(2), "__WCLONE"), unless there are others without.
 */
static void end_unannounced(int death_ms)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int64_t deadline = clock_now_ms() + death_ms;
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | __WCLONE) == 0 &&
		clock_now_ms() < deadline) {
		if (info.si_code == CLD_STOPPED)
			kill(info.si_pid, SIGKILL);
		else if (!info.si_pid)
			nanosleep(&pause, NULL);
		info = (siginfo_t){ 0 };
	}
}

/* Who executed this program may have left it such children, which are not ours to end. */
static bool has_foreign_children(void)
{
	siginfo_t ignored;

	return waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT | __WCLONE) == 0;
}

/* Nobody knows of it yet, though it may have become the program. */
static void end_first(struct launched *launched, int death_ms)
{
	struct error ignored = { 0 };
	bool has_ended;
	int status;

	if (launched->pidfd < 0)
		return;
	if (pidfd_signal(launched->pidfd, SIGKILL, &has_ended, &ignored) == 0)
		(void)!pidfd_reap(launched->pidfd, death_ms, &status, NULL, &ignored);
	close_at(&launched->pidfd);
	launched->pidfd = -1;
}

/*
 * The stage process is dead. It may have told of the first process when its
 * message could not be read, and that then goes on as if all were well.
 */
static void end_what_was_born(const struct launch_request *request, bool has_foreign_children,
	int death_ms, struct launched *launched)
{
	struct sync_message message;
	struct error ignored = { 0 };

	while (launched->pidfd < 0) {
		cleanup_fd int fd = -1;

		if (sync_receive(request->sync[0], clock_now_ms() + 1, &message, &fd, &ignored) < 0)
			break;
		if (message.type == SYNC_BORN)
			launched->pidfd = take_fd(&fd);
	}
	if (launched->pidfd < 0 && !has_foreign_children)
		end_unannounced(death_ms);
	end_first(launched, death_ms);
}

/*
 * The stage process has given birth, or failed. In the container's cgroup and user
 * namespace it may be stopped or frozen, and its parent is not to wait for that.
 */
static void end_stage(struct birth *birth, pid_t stage, bool has_failed, int death_ms)
{
	struct error ignored = { 0 };
	int status;

	if (has_failed)
		kill(stage, SIGKILL);
	if (pidfd_reap(birth->pidfd, death_ms, &status, &birth->signal, &ignored) < 0) {
		kill(stage, SIGKILL);
		(void)!pidfd_reap(birth->pidfd, death_ms, &status, NULL, &ignored);
	}
	close_end(&birth->pidfd);
}

int launch_find_patience(struct cgroup *cgroup, const struct interrupts *interrupts)
{
	bool is_interrupted = interrupts && interrupts->signal;

	return is_interrupted && cgroup && cgroup_is_frozen(cgroup) ? FROZEN_DEATH_MS
								    : PIDFD_DEATH_MS;
}

static int try_stage(const struct launch_request *request, struct birth *birth,
	struct launched *launched, struct error *err)
{
	bool has_foreign = has_foreign_children();
	pid_t stage = give_birth(birth, err);
	int result, death_ms;

	if (stage < 0)
		return -1;
	if (stage == 0)
		run_stage(request, birth);
	close_end(&request->sync[1]);
	result = attend_stage(request, stage, launched, err);
	death_ms = launch_find_patience(request->cgroup, request->interrupts);
	end_stage(birth, stage, result < 0, death_ms);
	if (result < 0)
		end_what_was_born(request, has_foreign, death_ms, launched);
	return result;
}

static int launch_by_stage(
	const struct launch_request *request, struct launched *launched, struct error *err)
{
	struct birth birth = { .birth_fd = cgroup_birth_fd(request->cgroup), .exit_signal = 0 };

	/* Before it is in the cgroup, where it is born (config.md, "execCPUAffinity"). */
	if (request->affinity && cpu_affinity_apply_initial(request->affinity, err) < 0)
		return -1;
	if (try_stage(request, &birth, launched, err) == 0)
		return 0;
	/* launch_was_stillborn(), perhaps; whoever was killed otherwise is so again. */
	if (!sync_is_end(err) || birth.signal != SIGKILL || birth.birth_fd < 0 ||
		!birth.is_in_cgroup)
		return -1;
	*err = (struct error){ 0 };
	close_end(&request->sync[0]);
	if (sync_open(request->sync, err) < 0)
		return -1;
	birth.is_moved = true;
	return try_stage(request, &birth, launched, err);
}

int launch(const struct launch_request *request, struct launched *ret_launched, struct error *err)
{
	struct oom_score score;
	int result;

	*ret_launched = (struct launched){ .pidfd = -1 };
	if (oom_score_lend(request->process, &score, err) < 0)
		return -1;
	if (request->target >= 0 || launch_needs_stage(request->platform))
		result = launch_by_stage(request, ret_launched, err);
	else
		result = launch_directly(request, ret_launched, err);
	oom_score_take_back(&score);
	return result;
}
