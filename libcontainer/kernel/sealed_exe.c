/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/sealed_exe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OWN_EXE "/proc/self/exe"

/* Linux 6.3, newer than the C library's headers. */
#ifndef MFD_EXEC
#	define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#	define F_SEAL_EXEC 0x0020
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#define STATVFS_MARKS (ST_RDONLY | ST_NODEV | ST_NOATIME | ST_NODIRATIME)

/*
 * That the mount is in no namespace has shown in open_tree(2) failing. It then
 * is one that lives on after its last descriptor, and nobody can change it: not
 * even one in the container who may mount and has got at it by /proc/PID/exe.
 */
static bool has_marks(void)
{
	struct statvfs fs;

	return statvfs(OWN_EXE, &fs) == 0 && (fs.f_flag & STATVFS_MARKS) == STATVFS_MARKS;
}

static int execute(int fd, char *const argv[], char *const envp[], struct error *err)
{
	execveat(fd, "", argv, envp, AT_EMPTY_PATH);
	return error_set_errno(err, "execute the sealed copy of the runtime");
}

static int make_sealed_copy(int exe, off_t size, struct error *err)
{
	cleanup_fd int fd = memfd_create("kogg", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	off_t done = 0;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("kogg", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		error_set_errno(err, "make a file in memory for the runtime");
		return error_hint(err, "the sysctl vm.memfd_noexec must not be 2");
	}
	while (done < size) {
		ssize_t n = sendfile(fd, exe, &done, (size_t)(size - done));

		if (n < 0 && errno != EINTR)
			return error_set_errno(err, "copy the runtime into memory");
		if (n == 0)
			return error_set(err, ERROR_SYSTEM, "the runtime's file became shorter");
	}
	/* Before Linux 6.3 there is no F_SEAL_EXEC, nor a way to lose the permission. */
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_EXEC) < 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return error_set_errno(err, "seal the copy of the runtime");
	return take_fd(&fd);
}

/* What is open for writing can't be executed (ETXTBSY), sealed or not. */
static int reopen_for_reading(int fd, struct error *err)
{
	char path[32];
	int reopened;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reopened = open(path, O_RDONLY | O_CLOEXEC);
	return reopened < 0 ? error_set_call(err, "open", path) : reopened;
}

/* Neither the caller nor whoever it may become in a container can write to it. */
static bool is_out_of_reach(const struct stat *st)
{
	return geteuid() != 0 && st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int ensure_copy(char *const argv[], char *const envp[], struct error *err)
{
	cleanup_fd int exe = open(OWN_EXE, O_RDONLY | O_CLOEXEC);
	cleanup_fd int copy = -1, reopened = -1;
	struct stat st;
	int seals;

	if (exe < 0)
		return error_set_call(err, "open", OWN_EXE);
	seals = fcntl(exe, F_GET_SEALS);
	if (seals >= 0 && (seals & SEALS) == SEALS)
		return 0;
	if (fstat(exe, &st) < 0)
		return error_set_call(err, "fstat", OWN_EXE);
	if (is_out_of_reach(&st))
		return 0;
	copy = make_sealed_copy(exe, st.st_size, err);
	if (copy < 0)
		return -1;
	reopened = reopen_for_reading(copy, err);
	if (reopened < 0)
		return -1;
	close(take_fd(&copy));
	return execute(reopened, argv, envp, err);
}

int sealed_exe_ensure(char *const argv[], char *const envp[], struct error *err)
{
	struct mount_attr read_only = { .attr_set = SEALED_EXE_MARKS,
		.attr_clr = MOUNT_ATTR__ATIME };
	cleanup_fd int mount = open_tree(AT_FDCWD, OWN_EXE, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (mount < 0 && errno == EINVAL && has_marks()) {
		/* The kernel has named the process after a descriptor's number. */
		prctl(PR_SET_NAME, program_invocation_short_name);
		return 0;
	}
	if (mount >= 0 &&
		mount_setattr(mount, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) == 0)
		return execute(mount, argv, envp, err);
	return ensure_copy(argv, envp, err);
}
