/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that runs as the container's process and says what is in force.
 *
 * Static, linked with nothing of ours, and indifferent to its arguments, so
 * that it can stand at the path of whatever program a config names. It reads
 * requests from stdin, one a line, up to "go" or the end; prints one line of
 * JSON with its own attributes and an answer to each request; then obeys what
 * follows: more requests and "go", or "exit N". At the end of stdin it exits.
 *
 *   stat PATH      type, mode, owner, device number, link target
 *   read PATH      how opening and reading it goes, and its first bytes
 *   write PATH     how opening it for writing (or making an entry in it) goes
 *   list PATH      the names in a directory
 *   syscall NAME   what that call answers when asked for something harmless
 *
 * As a hook, "PROBE --hook FILE [EXIT-STATUS]" keeps all of stdin as the
 * member "stdin", writes the JSON to FILE and exits.
 */
#include "conformance/probe_syscalls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef SYS_clone3
#	define SYS_clone3 435
#endif
#ifndef SYS_openat2
#	define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#	define SYS_mount_setattr 442
#endif
#ifndef SYS_set_mempolicy_home_node
#	define SYS_set_mempolicy_home_node 450
#endif

extern char **environ;

static FILE *out;
static bool is_first; /* whether the next JSON member or item needs no comma */

/* JSON */

static void json_separate(void)
{
	if (!is_first)
		putc(',', out);
	is_first = false;
}

static void json_bytes(const char *bytes, size_t length)
{
	putc('"', out);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f) /* bytes above are shown as Latin-1 */
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
	is_first = false;
}

static void json_key(const char *key)
{
	json_separate();
	json_bytes(key, strlen(key));
	putc(':', out);
	is_first = true;
}

static void json_string(const char *text)
{
	json_separate();
	json_bytes(text, strlen(text));
}

static void json_number(long long number)
{
	json_separate();
	fprintf(out, "%lld", number);
}

static void json_unsigned(unsigned long long number)
{
	json_separate();
	fprintf(out, "%llu", number);
}

static void json_open(char bracket)
{
	json_separate();
	putc(bracket, out);
	is_first = true;
}

static void json_close(char bracket)
{
	putc(bracket, out);
	is_first = false;
}

static void json_member(const char *key, const char *text)
{
	json_key(key);
	json_string(text);
}

static void json_member_number(const char *key, long long number)
{
	json_key(key);
	json_number(number);
}

/* The number, or the errno's name when the call that gave it failed. */
static void json_member_result(const char *key, long long result)
{
	json_key(key);
	if (result < 0)
		json_string(strerrorname_np(errno) ? strerrorname_np(errno) : "?");
	else
		json_number(result);
}

static void json_strings(const char *key, char **strings)
{
	json_key(key);
	json_open('[');
	for (; *strings; strings++)
		json_string(*strings);
	json_close(']');
}

/* Files */

/* At most SIZE - 1 bytes, ended by NUL; -1 with errno on failure. */
static ssize_t read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	size_t length = 0;
	ssize_t got = 0;
	while (length < size - 1 && (got = read(fd, buffer + length, size - 1 - length)) > 0)
		length += (size_t)got;
	int error = errno;
	close(fd);
	errno = error;
	buffer[length] = '\0';
	return got < 0 && length == 0 ? -1 : (ssize_t)length;
}

/* The file as one string without its last newline, or null. */
static void json_file(const char *key, const char *path)
{
	static char buffer[65536];
	ssize_t length = read_file(path, buffer, sizeof(buffer));
	json_key(key);
	if (length < 0) {
		json_separate();
		fputs("null", out);
		return;
	}
	if (length > 0 && buffer[length - 1] == '\n')
		length--;
	json_separate();
	json_bytes(buffer, (size_t)length);
}

static const char *file_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFLNK:
		return "link";
	default:
		return "unknown";
	}
}

static void json_stat(const char *path, const struct stat *st)
{
	json_member("type", file_type(st->st_mode));
	json_member_number("mode", st->st_mode & 07777);
	json_member_number("uid", st->st_uid);
	json_member_number("gid", st->st_gid);
	json_member_number("size", st->st_size);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		json_key("device");
		json_separate();
		fprintf(out, "\"%u:%u\"", major(st->st_rdev), minor(st->st_rdev));
		is_first = false;
	}
	char target[4096];
	ssize_t length = path ? readlink(path, target, sizeof(target)) : -1;
	if (length >= 0) {
		json_key("target");
		json_separate();
		json_bytes(target, (size_t)length);
	}
}

/* Attributes of the process */

static void put_ids(void)
{
	uid_t uids[3];
	gid_t gids[3];
	getresuid(&uids[0], &uids[1], &uids[2]);
	getresgid(&gids[0], &gids[1], &gids[2]);
	json_key("uids");
	json_open('[');
	for (size_t i = 0; i < 3; i++)
		json_number(uids[i]);
	json_close(']');
	json_key("gids");
	json_open('[');
	for (size_t i = 0; i < 3; i++)
		json_number(gids[i]);
	json_close(']');
	static gid_t groups[65536];
	int count = getgroups(65536, groups);
	json_key("groups");
	json_open('[');
	for (int i = 0; i < count; i++)
		json_number(groups[i]);
	json_close(']');
	mode_t mask = umask(0);
	umask(mask);
	json_member_number("umask", mask);
	json_member_number("pid", getpid());
	json_member_number("ppid", getppid());
	json_member_number("session", getsid(0));
	json_member_number("process_group", getpgrp());
}

static void put_capability_set(const char *key, uint64_t set)
{
	json_key(key);
	json_separate();
	fprintf(out, "\"%016llx\"", (unsigned long long)set);
	is_first = false;
}

static void put_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	syscall(SYS_capget, &header, data);
	uint64_t bounding = 0, ambient = 0;
	for (int i = 0; i < 64; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			bounding |= UINT64_C(1) << i;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			ambient |= UINT64_C(1) << i;
	}
	json_key("capabilities");
	json_open('{');
	put_capability_set("effective", data[0].effective | (uint64_t)data[1].effective << 32);
	put_capability_set("permitted", data[0].permitted | (uint64_t)data[1].permitted << 32);
	put_capability_set(
		"inheritable", data[0].inheritable | (uint64_t)data[1].inheritable << 32);
	put_capability_set("bounding", bounding);
	put_capability_set("ambient", ambient);
	json_close('}');
	json_member_result("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	json_member_result("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	json_member_result("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
}

static void put_rlimits(void)
{
	static const char *const names[] = { "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS",
		"NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE",
		"RTPRIO", "RTTIME" };
	json_key("rlimits");
	json_open('{');
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct {
			uint64_t soft, hard;
		} limit = { 0, 0 };
		syscall(SYS_prlimit64, 0, i, NULL, &limit);
		json_key(names[i]);
		json_open('[');
		json_unsigned(limit.soft);
		json_unsigned(limit.hard);
		json_close(']');
	}
	json_close('}');
}

static void put_scheduling(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} attr = { 0 };
	long result = syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0);
	json_key("scheduler");
	json_open('{');
	json_member_result("result", result);
	json_member_number("policy", attr.policy);
	json_member_number("flags", (long long)attr.flags);
	json_member_number("nice", attr.nice);
	json_member_number("priority", attr.priority);
	json_member_number("runtime", (long long)attr.runtime);
	json_member_number("deadline", (long long)attr.deadline);
	json_member_number("period", (long long)attr.period);
	json_close('}');
	json_member_result("io_priority", syscall(SYS_ioprio_get, 1, 0));
	cpu_set_t cpus;
	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	json_key("affinity");
	json_open('[');
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &cpus))
			json_number(i);
	json_close(']');
	json_member_result("personality", syscall(SYS_personality, 0xffffffffUL));
	int mode = -1;
	unsigned long nodes[16] = { 0 };
	long got = syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0);
	json_member_result("memory_policy", got < 0 ? got : mode);
	json_key("memory_nodes");
	json_unsigned(nodes[0]);
}

/* The lines of /proc/self/status that no call tells, as strings. */
static void put_status(void)
{
	static const char *const names[] = { "Seccomp", "Seccomp_filters", "SigBlk", "SigIgn",
		"SigPnd", "Groups", "NSpid", "Umask", "CapEff", "CapBnd" };
	static char status[65536];
	if (read_file("/proc/self/status", status, sizeof(status)) < 0)
		status[0] = '\0';
	json_key("status");
	json_open('{');
	char *rest = status;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (strcmp(line, names[i]) == 0)
				json_member(line, value);
	}
	json_close('}');
}

static void put_namespaces(void)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user",
		"uts" };
	json_key("namespaces");
	json_open('{');
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], target[64] = "";
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (readlink(path, target, sizeof(target) - 1) > 0)
			json_member(names[i], target);
	}
	json_close('}');
	struct utsname uts;
	uname(&uts);
	json_member("hostname", uts.nodename);
	json_member("domainname", uts.domainname);
	json_member("machine", uts.machine);
}

/* Each line of the file as one string. */
static void put_lines(const char *key, const char *path)
{
	static char buffer[1 << 20];
	json_key(key);
	json_open('[');
	if (read_file(path, buffer, sizeof(buffer)) > 0) {
		char *rest = buffer;
		for (char *line; (line = strsep(&rest, "\n"));)
			if (*line)
				json_string(line);
	}
	json_close(']');
}

static void put_descriptors(void)
{
	json_key("descriptors");
	json_open('{');
	DIR *directory = opendir("/proc/self/fd");
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		struct stat st;
		if (entry->d_name[0] == '.' || fd == dirfd(directory) ||
			(fd == fileno(out) && out != stdout) || fstat(fd, &st) < 0)
			continue;
		char path[64];
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		json_key(entry->d_name);
		json_open('{');
		json_stat(path, &st);
		json_member_number("flags", fcntl(fd, F_GETFL));
		json_member_number("is_terminal", isatty(fd));
		json_close('}');
	}
	if (directory)
		closedir(directory);
	json_close('}');
	struct winsize size = { 0 };
	json_key("terminal_size");
	json_open('[');
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
		json_number(size.ws_row);
		json_number(size.ws_col);
	}
	json_close(']');
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	json_member_result("controlling_terminal", terminal);
	if (terminal >= 0)
		close(terminal);
}

static void put_devices(void)
{
	json_key("devices");
	json_open('{');
	DIR *directory = opendir("/dev");
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		char path[512];
		struct stat st;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		if (entry->d_name[0] == '.' || lstat(path, &st) < 0)
			continue;
		json_key(entry->d_name);
		json_open('{');
		json_stat(S_ISLNK(st.st_mode) ? path : NULL, &st);
		json_close('}');
	}
	if (directory)
		closedir(directory);
	json_close('}');
}

static void put_keyring(void)
{
	char text[256] = "";
	long length = syscall(
		SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1, 0);
	json_key("session_keyring");
	json_string(length < 0 ? strerrorname_np(errno) : text);
}

static void put_process(char **argv)
{
	json_strings("argv", argv);
	json_strings("env", environ);
	char cwd[4096];
	json_member(
		"cwd", syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0 ? strerrorname_np(errno) : cwd);
	put_ids();
	put_capabilities();
	put_rlimits();
	put_scheduling();
	put_status();
	put_namespaces();
	put_lines("mounts", "/proc/self/mountinfo");
	put_lines("cgroup", "/proc/self/cgroup");
	put_lines("network_devices", "/proc/self/net/dev");
	put_descriptors();
	put_devices();
	put_keyring();
	json_file("oom_score_adj", "/proc/self/oom_score_adj");
	json_file("label", "/proc/self/attr/current");
	json_file("apparmor_label", "/proc/self/attr/apparmor/current");
	json_file("uid_map", "/proc/self/uid_map");
	json_file("gid_map", "/proc/self/gid_map");
	json_file("setgroups", "/proc/self/setgroups");
	json_file("time_offsets", "/proc/self/timens_offsets");
}

/* Requests */

static void answer_syscall(const char *name)
{
	json_string(probe_syscalls_try(name));
}

static void answer_stat(const char *path)
{
	struct stat st;
	json_open('{');
	if (lstat(path, &st) < 0)
		json_member("error", strerrorname_np(errno));
	else
		json_stat(path, &st);
	json_close('}');
}

static void answer_list(const char *path)
{
	DIR *directory = opendir(path);
	if (!directory) {
		json_string(strerrorname_np(errno));
		return;
	}
	json_open('[');
	for (struct dirent *entry; (entry = readdir(directory));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			json_string(entry->d_name);
	json_close(']');
	closedir(directory);
}

static void answer_read(const char *path)
{
	char buffer[4096];
	json_open('{');
	ssize_t length = read_file(path, buffer, sizeof(buffer));
	if (length < 0) {
		json_member("error", strerrorname_np(errno));
	} else {
		json_key("text");
		json_separate();
		json_bytes(buffer, (size_t)length);
	}
	json_close('}');
}

/* Nothing is written: what can be opened could be. */
static void answer_write(const char *path)
{
	struct stat st;
	int result;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		char entry[4096];
		snprintf(entry, sizeof(entry), "%s/.probe", path);
		result = mkdir(entry, 0700);
		if (result == 0)
			rmdir(entry);
	} else {
		result = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (result >= 0)
			close(result);
	}
	json_string(result < 0 ? strerrorname_np(errno) : "ok");
}

struct request {
	const char *word;
	void (*answer)(const char *argument);
};

static const struct request requests[] = {
	{ "stat", answer_stat },
	{ "read", answer_read },
	{ "write", answer_write },
	{ "list", answer_list },
	{ "syscall", answer_syscall },
};

static void answer(const char *line)
{
	json_key(line);
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		size_t length = strlen(requests[i].word);
		if (strncmp(line, requests[i].word, length) == 0 && line[length] == ' ') {
			requests[i].answer(line + length + 1);
			return;
		}
	}
	json_string("unknown request");
}

/*
 * Answers one round of requests; false when it was the last. The first round
 * answers even without a request: stdin may be /dev/null.
 */
static bool serve(char **argv, bool is_again)
{
	static char line[8192];
	bool is_open = fgets(line, sizeof(line), stdin);
	if (!is_open && is_again)
		return false;
	fputs("{\"answers\":{", out);
	is_first = true;
	for (; is_open && strcmp(line, "go\n") != 0; is_open = fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "exit ", 5) == 0)
			_exit((int)strtol(line + 5, NULL, 10));
		answer(line);
	}
	json_close('}');
	put_process(argv);
	fputs("}\n", out);
	fflush(out);
	return is_open;
}

static int be_hook(char **argv)
{
	static char state[65536];
	out = fopen(argv[2], "we");
	if (!out)
		return 125;
	size_t length = fread(state, 1, sizeof(state), stdin);
	fputs("{", out);
	is_first = true;
	json_key("stdin");
	json_bytes(state, length);
	put_process(argv);
	fputs("}\n", out);
	fclose(out);
	return argv[3] ? (int)strtol(argv[3], NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_DFL);
	if (argc >= 3 && strcmp(argv[1], "--hook") == 0)
		return be_hook(argv);
	out = stdout;
	for (bool is_again = false; serve(argv, is_again); is_again = true)
		;
	return 0;
}
