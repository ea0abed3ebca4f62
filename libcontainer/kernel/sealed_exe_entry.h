/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed_exe_ensure() before the program has really started.
 *
 * Executing oneself again means to start twice, and a static program's start
 * is not free: relocation, the C library's look at the processor (each cpuid
 * is a trap to the hypervisor of a virtual machine), some forty page faults;
 * together a twentieth of a container's start. So the program's entry point,
 * where the kernel jumps to, does it in two system calls with nothing set up,
 * and goes on to the C library's _start when the program is sealed already or
 * need not be. It decides nothing: main() calls sealed_exe_ensure() all the
 * same, which also knows what to do where this failed.
 *
 * For static programs on x86-64 and arm64, linked with
 * -Wl,-e,sealed_exe_entry; others do without.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SEALED_EXE_ENTRY_H
#define KOGG_LIBCONTAINER_KERNEL_SEALED_EXE_ENTRY_H

#include <stdbool.h>

/* The entry point; called by the kernel alone. */
void sealed_exe_entry(void);

/*
 * Whether one of the arguments is a command that comes near a hostile program.
 * It may be an option's value, then the program starts twice for nothing.
 */
bool sealed_exe_entry_applies(char *const argv[]);

#endif
