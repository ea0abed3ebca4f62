/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/sealed_exe_entry.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "libcontainer/kernel/sealed_exe.h"

/*
 * Nothing of the C library may be used here, nor what the compiler makes calls
 * of: it is not relocated and has no thread pointer yet. meson.build builds
 * this file accordingly.
 */
#if defined(__x86_64__)

/* The kernel's stack pointer is the only argument; _start finds all as it was. */
__asm__(".globl sealed_exe_entry\n"
	".type sealed_exe_entry, @function\n"
	"sealed_exe_entry:\n"
	"	mov %rsp, %rdi\n"
	"	push %rdx\n"
	"	sub $8, %rsp\n"
	"	call sealed_exe_entry_run\n"
	"	add $8, %rsp\n"
	"	pop %rdx\n"
	"	jmp _start\n"
	".size sealed_exe_entry, . - sealed_exe_entry\n");

static long call(long number, const long args[5])
{
	register long r10 __asm__("r10") = args[3];
	register long r8 __asm__("r8") = args[4];

	__asm__ volatile("syscall"
			 : "+a"(number)
			 : "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return number;
}

#elif defined(__aarch64__)

__asm__(".globl sealed_exe_entry\n"
	".type sealed_exe_entry, %function\n"
	"sealed_exe_entry:\n"
	"	str x0, [sp, #-16]!\n"
	"	add x0, sp, #16\n"
	"	bl sealed_exe_entry_run\n"
	"	ldr x0, [sp], #16\n"
	"	b _start\n"
	".size sealed_exe_entry, . - sealed_exe_entry\n");

static long call(long number, const long args[5])
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = args[0];
	register long x1 __asm__("x1") = args[1];
	register long x2 __asm__("x2") = args[2];
	register long x3 __asm__("x3") = args[3];
	register long x4 __asm__("x4") = args[4];

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}

#endif

static bool is_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

bool sealed_exe_entry_applies(char *const argv[])
{
	for (size_t i = 1; argv[0] && argv[i]; i++)
		if (is_equal(argv[i], "create") || is_equal(argv[i], "run") ||
			is_equal(argv[i], "exec"))
			return true;
	return false;
}

#if defined(__x86_64__) || defined(__aarch64__)

/* STACK is what the kernel has put there (elf(5)): argc, argv, NULL, envp, NULL. */
__attribute__((used)) void sealed_exe_entry_run(long *stack);

void sealed_exe_entry_run(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	struct mount_attr read_only = {
		.attr_set = SEALED_EXE_MARKS,
		.attr_clr = MOUNT_ATTR__ATIME,
	};
	long fd;

	if (!sealed_exe_entry_applies(argv))
		return;
	fd = call(SYS_open_tree, (const long[5]){ AT_FDCWD, (long)"/proc/self/exe",
					 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC });
	if (fd < 0)
		return; /* sealed already, or not to be sealed so */
	if (call(SYS_mount_setattr, (const long[5]){ fd, (long)"", AT_EMPTY_PATH, (long)&read_only,
					    sizeof(read_only) }) == 0)
		call(SYS_execveat,
			(const long[5]){ fd, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH });
	call(SYS_close, (const long[5]){ fd });
}

#endif
