/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that the probe may ask of the kernel without harm, to see what
 * a seccomp filter answers (seccomp(2)).
 *
 * Knows nothing of filters: it only reports.
 */
#ifndef KOGG_CONFORMANCE_PROBE_SYSCALLS_H
#define KOGG_CONFORMANCE_PROBE_SYSCALLS_H

/*
 * "0" for success, an errno's name, the name of the signal that it brought, or
 * "unknown" when the table has no such NAME. Static storage.
 */
const char *probe_syscalls_try(const char *name);

#endif
