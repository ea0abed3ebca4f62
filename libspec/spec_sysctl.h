/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of kernel parameters (config-linux.md, "Sysctl"; sysctl(8)), and which
 * of them belong to a namespace. Knows nothing of their values.
 */
#ifndef KOGG_LIBSPEC_SPEC_SYSCTL_H
#define KOGG_LIBSPEC_SPEC_SYSCTL_H

#include "base/error.h"

/* Longer than any name below /proc/sys. */
#define SPEC_SYSCTL_MAX 256

/*
 * The path below /proc/sys of KEY, which has "." or "/" between its parts: the
 * first of them separates, the other one is part of a name, as sysctl(8) reads
 * it: "net.ipv4.conf.eth0/100.forwarding" is net/ipv4/conf/eth0.100/forwarding.
 * Returns -1 when it is too long or a part is no file name.
 */
int spec_sysctl_path(const char *key, char ret_path[static SPEC_SYSCTL_MAX]) must_check;

/* The CLONE_NEW* type of namespace that the parameter at PATH belongs to; 0: to none. */
unsigned spec_sysctl_namespace(const char *path);

#endif
