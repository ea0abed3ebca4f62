/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launcher: starts programs for bench.py and says what they cost.
 *
 * A small static program, because a process keeps the peak size of the parent
 * that it was born from across execve(2) (getrusage(2), ru_maxrss), and because
 * a child of an interpreter costs the interpreter's fork.
 *
 * Each line of standard input is a request, its fields separated by tabs:
 *
 *   JOBS COUNT PAUSE PROGRAM ARGUMENT...
 *
 * runs PROGRAM COUNT times, JOBS at once, with PAUSE milliseconds before each.
 * "@" in an argument becomes the number of the job's slot, 0 to JOBS - 1, and
 * "#" that of the run. The answer is a line for each run as it ends, and one
 * for all:
 *
 *   SLOT STATUS WALL_NS USER_US SYSTEM_US MAXRSS_KIB MINOR_FAULTS
 *   = WALL_NS
 *
 * Programs get /dev/null as standard input and output and the launcher's
 * standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS_MAX     256
#define ARGUMENTS_MAX 64
#define LINE_MAX_SIZE 8192

extern char **environ;

struct slot {
	pid_t pid;
	long long started;
};

struct request {
	int jobs, count, pause_ms;
	char *arguments[ARGUMENTS_MAX + 1];
};

static struct slot slots[SLOTS_MAX];
static posix_spawn_file_actions_t quiet;

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "launcher: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ARGUMENT with the numbers put in; nothing here is ever freed. */
static char *expand(const char *argument, int slot, int run)
{
	char text[LINE_MAX_SIZE] = "";
	size_t used = 0;

	for (const char *p = argument; *p; p++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
			*p == '@' || *p == '#' ? "%d" : "%c",
			*p == '@'   ? slot
			: *p == '#' ? run
				    : *p);
	return strdup(text);
}

static void start(const struct request *request, int slot, int run)
{
	char *arguments[ARGUMENTS_MAX + 1] = { 0 };

	for (int i = 0; request->arguments[i]; i++)
		arguments[i] = expand(request->arguments[i], slot, run);
	if (request->pause_ms)
		nanosleep(&(struct timespec){ request->pause_ms / 1000,
				  request->pause_ms % 1000 * 1000000L },
			NULL);
	slots[slot].started = now_ns();
	errno = posix_spawn(&slots[slot].pid, arguments[0], &quiet, NULL, arguments, environ);
	if (errno)
		fail(arguments[0]);
	for (int i = 0; arguments[i]; i++)
		free(arguments[i]);
}

static long long microseconds(const struct timeval *t)
{
	return t->tv_sec * 1000000LL + t->tv_usec;
}

/* Waits for one to end; returns its slot. */
static int finish(int jobs)
{
	struct rusage usage;
	int status, slot = 0;
	long long now;
	pid_t pid;

	do
		pid = wait4(-1, &status, 0, &usage);
	while (pid < 0 && errno == EINTR);
	now = now_ns();
	if (pid < 0)
		fail("wait");
	while (slot < jobs && slots[slot].pid != pid)
		slot++;
	if (slot == jobs)
		return finish(jobs); /* somebody's orphan */
	slots[slot].pid = 0;
	printf("%d %d %lld %lld %lld %ld %ld\n", slot,
		WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
		now - slots[slot].started, microseconds(&usage.ru_utime),
		microseconds(&usage.ru_stime), usage.ru_maxrss, usage.ru_minflt);
	return slot;
}

static void serve(const struct request *request)
{
	long long began = now_ns();
	int started = 0, ended = 0;

	while (started < request->count && started < request->jobs)
		start(request, started, started), started++;
	while (ended < request->count) {
		int slot = finish(request->jobs);

		ended++;
		if (started < request->count)
			start(request, slot, started++);
	}
	printf("= %lld\n", now_ns() - began);
	fflush(stdout);
}

static void read_request(char *line, struct request *ret_request)
{
	char *fields[ARGUMENTS_MAX + 4] = { 0 }, *rest = line;
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < ARGUMENTS_MAX + 3 && rest)
		fields[n++] = strsep(&rest, "\t");
	if (n < 4 || rest) {
		errno = EINVAL;
		fail("request");
	}
	*ret_request = (struct request){
		.jobs = (int)strtol(fields[0], NULL, 10),
		.count = (int)strtol(fields[1], NULL, 10),
		.pause_ms = (int)strtol(fields[2], NULL, 10),
	};
	memcpy(ret_request->arguments, fields + 3, (n - 3) * sizeof(*fields));
	if (ret_request->jobs < 1 || ret_request->jobs > SLOTS_MAX) {
		errno = ERANGE;
		fail("jobs");
	}
}

int main(void)
{
	static char line[LINE_MAX_SIZE];
	struct request request;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	while (fgets(line, sizeof(line), stdin)) {
		read_request(line, &request);
		serve(&request);
	}
	return 0;
}
