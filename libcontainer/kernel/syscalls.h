/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that glibc 2.36 does not wrap, and nothing more: each
 * returns what the kernel returns, or -1 and errno.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALLS_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALLS_H

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2(2), Linux 5.6 */
static inline int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	return (int)syscall(SYS_openat2, dirfd, path, how, sizeof(*how));
}

/* pivot_root(2) */
static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

#endif
