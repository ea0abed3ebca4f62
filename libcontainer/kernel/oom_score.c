/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/oom_score.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/kernel/procfs.h"

#define FILE_NAME "self/oom_score_adj"

static int read_score(struct procfs *procfs, char *ret_score, size_t size, struct error *err)
{
	cleanup_fd int fd = procfs_open(procfs, FILE_NAME, O_RDONLY, err);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, ret_score, size - 1);
	if (n < 0)
		return error_set_call(err, "read", FILE_NAME);
	ret_score[n] = '\0';
	ret_score[strcspn(ret_score, "\n")] = '\0';
	return 0;
}

static int change_score(
	struct procfs *procfs, int wanted, struct oom_score *ret_score, struct error *err)
{
	char now[sizeof(ret_score->before)], value[sizeof(now)];

	if (read_score(procfs, now, sizeof(now), err) < 0)
		return -1;
	snprintf(value, sizeof(value), "%d", wanted);
	if (strcmp(now, value) == 0)
		return 0;
	if (procfs_write(procfs, FILE_NAME, value, err) < 0) {
		error_wrap(err, "change oom_score_adj from %s to %s", now, value);
		return error_hint(err, "a lower value needs CAP_SYS_RESOURCE");
	}
	memcpy(ret_score->before, now, sizeof(now));
	return 0;
}

int oom_score_lend(
	const struct spec_process *process, struct oom_score *ret_score, struct error *err)
{
	struct procfs procfs = PROCFS_INIT;
	int result;

	*ret_score = (struct oom_score){ "" };
	if (!process || !process->oom_score_adj.is_set)
		return 0;
	result = change_score(&procfs, (int)process->oom_score_adj.value, ret_score, err);
	procfs_release(&procfs);
	return result < 0 ? error_point(err, "%s/oomScoreAdj", process->pointer) : 0;
}

void oom_score_take_back(const struct oom_score *score)
{
	struct procfs procfs = PROCFS_INIT;
	struct error err = { 0 };

	if (!score->before[0])
		return;
	if (procfs_write(&procfs, FILE_NAME, score->before, &err) < 0)
		log_debug("the runtime keeps its oom_score_adj: %s", err.text);
	procfs_release(&procfs);
}
