/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter of a container (seccomp(2), config-linux.md, "Seccomp").
 *
 * A profile becomes a classic BPF program in the parent, before there is a
 * child; the container's process then needs one system call to load it. Names
 * and numbers of system calls are libseccomp's, and so is what the program
 * decides of those that the profile knows (see syscall_filter_layout.h). Knows nothing of agents:
 * where the notify descriptor goes is syscall_notify's business.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "libcontainer/kernel/syscall_filter_apart.h"
#include "libspec/spec.h"

/* A compiled program and how to load it. The empty value ({ 0 }) loads nothing. */
struct syscall_filter {
	struct sock_filter *code; /* NULL while it is compiled */
	size_t length;            /* in instructions */
	unsigned flags;           /* SECCOMP_FILTER_FLAG_* for seccomp(2) */
	bool needs_listener;      /* some action is NOTIFY: loading gives a descriptor */
	bool notifies_capset;     /* and for that call, as for prctl(2) */
	bool notifies_prctl;
	bool notifies_sendmsg;
	struct sock_filter *kept;          /* owned: where code lies if it was found, or */
	struct syscall_filter_apart apart; /* who compiles it, and where code lies then */
};

/*
 * Takes what an earlier call left in the directory CACHE_DIR_FD (mode 0700, the
 * caller's own; -1 for none) for the profile of DOCUMENT, a config that has
 * one; or has it compiled by a child of the caller's, which leaves it there. The
 * cache is never a reason to fail.
 *
 * The caller releases RET_FILTER with syscall_filter_release().
 */
int syscall_filter_begin(struct spec_document *document, int cache_dir_fd,
	struct syscall_filter *ret_filter, struct error *err) must_check;

/*
 * Waits until FILTER is compiled; for the process that began it. Fails where the
 * profile is wrong, and with the JSON pointer of the member that this kernel or
 * libseccomp cannot do.
 */
int syscall_filter_finish(struct syscall_filter *filter, struct error *err) must_check;

/* Both at once. */
int syscall_filter_prepare(struct spec_document *document, int cache_dir_fd,
	struct syscall_filter *ret_filter, struct error *err) must_check;

/*
 * For a process that was born in between: whether FILTER is still to be had, and
 * having it, which is only right when the parent's syscall_filter_finish() has
 * succeeded.
 */
bool syscall_filter_is_pending(const struct syscall_filter *filter);
void syscall_filter_take(struct syscall_filter *filter);

/*
 * Loads FILTER into the calling process with one seccomp(2), the last call
 * that the profile does not judge. Needs no_new_privs or CAP_SYS_ADMIN.
 * RET_LISTENER gets the notify descriptor (close-on-exec, owned by the
 * caller), or -1 when the filter has none.
 *
 * The kernel gives the lowest free number, so a process that opens and closes
 * a descriptor just before knows it in advance (see syscall_notify.h).
 */
int syscall_filter_load(const struct syscall_filter *filter, int *ret_listener, struct error *err)
	must_check;

/* FILTER may be empty, and is empty afterwards. */
void syscall_filter_release(struct syscall_filter *filter);

/*
 * The SECCOMP_FILTER_FLAG_* that the running kernel knows, of the four the
 * spec has; 0 when it has no filters at all.
 */
unsigned syscall_filter_supported_flags(void);

/*
 * Whether this build can make programs for the architecture WORD
 * ("SCMP_ARCH_ARM"): its libseccomp knows it, and it is of the machine's byte
 * order, as all of a program has to be (seccomp_arch_add(3), EDOM).
 */
bool syscall_filter_has_architecture(const char *word);

#endif
