/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/oom_score.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FILE_NAME "self/oom_score_adj"

/* Also for one who may read the file and not write it, as long as the value is right. */
static int open_file(struct procfs *procfs, struct error *err)
{
	struct error denied = { 0 };
	int fd = procfs_open(procfs, FILE_NAME, O_RDWR, &denied);

	if (fd < 0 && denied.sys_errno == EACCES)
		return procfs_open(procfs, FILE_NAME, O_RDONLY, err);
	if (fd < 0)
		*err = denied;
	return fd;
}

static int write_score(struct procfs *procfs, const struct spec_process *process, struct error *err)
{
	cleanup_fd int fd = open_file(procfs, err);
	char now[16] = "", wanted[16];
	int length;

	if (fd < 0)
		return -1;
	length = snprintf(wanted, sizeof(wanted), "%d\n", (int)process->oom_score_adj.value);
	if (read(fd, now, sizeof(now) - 1) < 0)
		return error_set_call(err, "read", FILE_NAME);
	if (strcmp(now, wanted) == 0)
		return 0;
	if (pwrite(fd, wanted, (size_t)length, 0) == length)
		return 0;
	now[strcspn(now, "\n")] = '\0';
	/* EBADF: opened for reading, since writing is not for this caller. */
	if (errno == EBADF)
		errno = EACCES;
	error_set_errno(
		err, "change oom_score_adj from %s to %d", now, (int)process->oom_score_adj.value);
	return error_hint(err, "a lower value needs CAP_SYS_RESOURCE");
}

int oom_score_apply(struct procfs *procfs, const struct spec_process *process, struct error *err)
{
	if (!process->oom_score_adj.is_set || write_score(procfs, process, err) == 0)
		return 0;
	return error_point(err, "%s/oomScoreAdj", process->pointer);
}
