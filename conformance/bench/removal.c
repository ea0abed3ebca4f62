/* SPDX-License-Identifier: Apache-2.0 */
/*
 * removal: what deleting a running container takes at the least, and nothing
 * else: kills its first process, waits for that, removes its cgroups.
 *
 *   removal PID DIRECTORY...
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAILED 125

int main(int argc, char **argv)
{
	struct pollfd exited = { .fd = -1, .events = POLLIN };

	if (argc < 3)
		return FAILED;
	exited.fd = (int)syscall(SYS_pidfd_open, strtol(argv[1], NULL, 10), 0);
	if (exited.fd < 0 || syscall(SYS_pidfd_send_signal, exited.fd, SIGKILL, NULL, 0) < 0 ||
		poll(&exited, 1, -1) != 1)
		return FAILED;
	for (int i = 2; i < argc; i++)
		while (rmdir(argv[i]) < 0) {
			/* What has ended may hold its group for a moment. */
			if (errno != EBUSY)
				return FAILED;
			sched_yield();
		}
	return 0;
}
