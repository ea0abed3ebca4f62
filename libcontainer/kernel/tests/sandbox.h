/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root file system to play in, on a tmpfs in a mount namespace of the test's
 * own process, which takes it away when it ends.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_TESTS_SANDBOX_H
#define KOGG_LIBCONTAINER_KERNEL_TESTS_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Where the tmpfs is; the root lies in it, and files of "the host" beside it. */
#define SANDBOX      "/mnt"
#define SANDBOX_ROOT SANDBOX "/root"

/* Why the tests can't be run here, or NULL. */
const char *sandbox_obstacle(void);

/* Makes the namespace and an empty SANDBOX_ROOT. Returns an O_PATH descriptor of it. */
int sandbox_enter(void);

/* The same, with SANDBOX a shared mount, that other namespaces get events from. */
int sandbox_enter_shared(void);

/*
 * Enters a new user namespace in which 0 to COUNT - 1 are the host's 100000 and
 * on, and a mount namespace of it.
 */
void sandbox_enter_user(unsigned count);

void sandbox_make_dir(const char *path);
void sandbox_make_file(const char *path, const char *content);
void sandbox_make_link(const char *target, const char *path);

/* The content of PATH, static; NULL and errno when it can't be read. */
const char *sandbox_read(const char *path);

bool sandbox_exists(const char *path);

/* What mountinfo says of the topmost mount at a point. */
struct sandbox_mount {
	char root[256];
	char options[256];
	char tags[128]; /* "shared:1 master:2", or "" */
	char type[64];
	char source[256];
	char super[256];
};

/* False when nothing is mounted at POINT. */
bool sandbox_find_mount(const char *point, struct sandbox_mount *ret_mount);

/* Fails the test unless there is a mount at POINT, and OPTIONS are its per-mount ones. */
void sandbox_assert_mount(const char *point, const char *type, const char *options);

/* From here on SYSCALL_NUMBER fails with SYS_ERRNO, as a sandbox's filter has it. */
void sandbox_deny(int syscall_number, int sys_errno);

/*
 * A child that exchanges paths A and B until it is ended, and its end. The first
 * exchange is done when this returns.
 */
pid_t sandbox_start_exchange(const char *a, const char *b);
void sandbox_stop(pid_t pid);

/* Fails the test unless ERR is of that pointer and its text holds TEXT. */
void sandbox_assert_error(const struct error *err, const char *pointer, const char *text);

#endif
