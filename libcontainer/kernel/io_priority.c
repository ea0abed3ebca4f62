/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/io_priority.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

int io_priority_apply(const struct spec_process *process, struct error *err)
{
	const struct spec_io_priority *wanted = process->io_priority;
	int cause;

	if (!wanted)
		return 0;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		    IOPRIO_PRIO_VALUE(wanted->class, (unsigned)wanted->priority)) == 0)
		return 0;
	cause = errno;
	error_set_errno(err, "set I/O priority %s %d",
		spec_word_of(spec_io_priority_words, wanted->class) ?: "?", (int)wanted->priority);
	if (cause == EPERM)
		error_hint(err, "class IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN");
	return error_point(err, "%s/ioPriority", process->pointer);
}
