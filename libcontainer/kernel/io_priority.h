/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O priority of the calling process (ioprio_set(2),
 * Documentation/block/ioprio.rst).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_IO_PRIORITY_H
#define KOGG_LIBCONTAINER_KERNEL_IO_PRIORITY_H

#include "base/error.h"
#include "libspec/spec_process.h"

/*
 * Sets process.ioPriority on the caller, whose children inherit it; nothing
 * when it is absent. Class RT needs CAP_SYS_NICE or CAP_SYS_ADMIN.
 */
int io_priority_apply(const struct spec_process *process, struct error *err) must_check;

#endif
