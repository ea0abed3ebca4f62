/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor: the kernel work that starting one container cannot avoid, and nothing else.
 *
 * It makes the container that config.json beside it asks for: new mount, PID,
 * IPC, UTS, network and cgroup namespaces, born in its cgroup with a device
 * program; proc, dev, devpts, shm, mqueue, sysfs, cgroup2; six device nodes;
 * masked and read-only paths; pivot_root; an rlimit; capabilities dropped; a
 * seccomp filter and bind mounts if asked for. It runs a command in it, waits,
 * and removes the cgroup. No JSON, no state, no hooks, no errors worth the
 * name. A runtime's own cost is what it needs beyond this program, measured
 * side by side in one run.
 *
 *   floor [-c CGROUP2_DIR] [-s FILTER] [-b COUNT] [-u] ROOTFS COMMAND [ARG...]
 *   floor [-c CGROUP_OF_PID] [-s FILTER] -x PID COMMAND [ARG...]
 *
 *   -c  directory in a cgroup v2 hierarchy; a child of it is made (with -x: the one to be born in)
 *   -s  file with a raw classic BPF filter to load
 *   -b  bind mounts ROOTFS/etc COUNT times, at ROOTFS/mnt/0 and on
 *   -u  in a user namespace with 65536 IDs from 100000
 *   -x  join the namespaces of PID, a running container, instead
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILED         125
#define HIGHEST_CAP    40
#define KEPT_CAPS      (1U << 5 | 1U << 10 | 1U << 29) /* kill, net_bind_service, audit_write */
#define NAMESPACES     (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
#define PROGRAM_LENGTH 60 /* of a default deny plus the default devices */

struct request {
	const char *root, *cgroup;
	struct sock_fprog filter;
	pid_t target;
	int binds;
	bool in_user_namespace;
	char **argv;
};

static int must(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
		_exit(FAILED);
	}
	return result;
}

static void mount_at(const char *target, const char *type, unsigned long flags, const char *data)
{
	must(mount(type, target, type, flags, data), target);
}

static void make_mounts(const struct request *request)
{
	const unsigned long inert = MS_NOSUID | MS_NOEXEC | MS_NODEV;
	char path[32];

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "propagation");
	must(mount(request->root, request->root, NULL, MS_BIND | MS_REC, NULL), "root");
	must(chdir(request->root), request->root);
	mount_at("proc", "proc", 0, NULL);
	mount_at("dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/mqueue", 0755);
	mount_at("dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		"newinstance,ptmxmode=0666,mode=0620,gid=5");
	mount_at("dev/shm", "tmpfs", inert, "mode=1777,size=65536k");
	mount_at("dev/mqueue", "mqueue", inert, NULL);
	mount_at("sys", "sysfs", inert | MS_RDONLY, NULL);
	mount_at("sys/fs/cgroup", "cgroup2", inert | MS_RDONLY, NULL);
	for (int i = 0; i < request->binds; i++) {
		snprintf(path, sizeof(path), "mnt/%d", i);
		must(mount("etc", path, NULL, MS_BIND | MS_REC, NULL), path);
		must(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), path);
	}
}

static const struct {
	const char *path, *host;
	unsigned major, minor;
} devices[] = {
	{ "dev/null", "/dev/null", 1, 3 },
	{ "dev/zero", "/dev/zero", 1, 5 },
	{ "dev/full", "/dev/full", 1, 7 },
	{ "dev/random", "/dev/random", 1, 8 },
	{ "dev/urandom", "/dev/urandom", 1, 9 },
	{ "dev/tty", "/dev/tty", 5, 0 },
};

static void make_devices(bool in_user_namespace)
{
	mode_t mask = umask(0);

	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		dev_t number = makedev(devices[i].major, devices[i].minor);

		must(mknod(devices[i].path, in_user_namespace ? S_IFREG | 0666 : S_IFCHR | 0666,
			     in_user_namespace ? 0 : number),
			devices[i].path);
		if (in_user_namespace)
			must(mount(devices[i].host, devices[i].path, NULL, MS_BIND, NULL),
				devices[i].path);
	}
	umask(mask);
	must(symlink("/proc/self/fd", "dev/fd"), "dev/fd");
	must(symlink("/proc/self/fd/0", "dev/stdin"), "dev/stdin");
	must(symlink("/proc/self/fd/1", "dev/stdout"), "dev/stdout");
	must(symlink("/proc/self/fd/2", "dev/stderr"), "dev/stderr");
	must(symlink("pts/ptmx", "dev/ptmx"), "dev/ptmx");
	must(sethostname("floor", 5), "hostname");
}

static void hide_paths(void)
{
	static const char *const masked[] = { "proc/acpi", "proc/kcore", "proc/keys",
		"proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug",
		"sys/firmware", "proc/scsi" };
	static const char *const readonly[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys",
		"proc/sysrq-trigger" };
	struct stat st;

	for (size_t i = 0; i < sizeof(masked) / sizeof(*masked); i++) {
		if (stat(masked[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			mount_at(masked[i], "tmpfs", MS_RDONLY, "size=0k");
		else
			must(mount("/dev/null", masked[i], NULL, MS_BIND, NULL), masked[i]);
	}
	for (size_t i = 0; i < sizeof(readonly) / sizeof(*readonly); i++) {
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			must(mount(NULL, readonly[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
				readonly[i]);
	}
}

static void switch_root(void)
{
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
	must(chdir("/"), "chdir");
	must(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "read-only root");
}

static void confine(struct sock_fprog *filter)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { 0 };

	for (unsigned cap = 0; cap <= HIGHEST_CAP; cap++)
		if (cap > 31 || !(KEPT_CAPS & 1U << cap))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 1024, 1024 }), "rlimit");
	must(setsid(), "setsid");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	caps[0].effective = caps[0].permitted = KEPT_CAPS;
	must((int)syscall(SYS_capset, &header, caps), "capset");
	if (filter->len)
		must((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter), "seccomp");
}

/* A device program of the usual size; it allows all. */
static void attach_device_program(int cgroup)
{
	struct bpf_insn code[PROGRAM_LENGTH];
	union bpf_attr attr = { 0 };
	int program;

	for (int i = 0; i < PROGRAM_LENGTH - 1; i++)
		code[i] = (struct bpf_insn){
			.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = i
		};
	code[PROGRAM_LENGTH - 2] =
		(struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 };
	code[PROGRAM_LENGTH - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = PROGRAM_LENGTH;
	attr.license = (uintptr_t) "Apache-2.0";
	program = must((int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)), "load program");
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	must((int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)), "attach program");
	close(program);
}

static void write_map(pid_t pid, const char *name)
{
	const char map[] = "0 100000 65536\n";
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = must(open(path, O_WRONLY | O_CLOEXEC), path);
	must((int)write(fd, map, sizeof(map) - 1), path);
	close(fd);
}

static void wait_for(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0), "wait");
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= FAILED)
		_exit(FAILED);
}

static void become_mapped(int fd)
{
	char byte;

	must((int)read(fd, &byte, 1), "wait for maps");
	must(setresgid(0, 0, 0), "setresgid");
	must(setresuid(0, 0, 0), "setresuid");
}

static void run(struct request *request)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.flags = NAMESPACES | CLONE_NEWCGROUP | CLONE_INTO_CGROUP |
			 (request->in_user_namespace ? CLONE_NEWUSER : 0),
	};
	char path[512];
	int cgroup, maps[2];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/floor-%d", request->cgroup, getpid());
	must(mkdir(path, 0755), path);
	cgroup = must(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
	attach_device_program(cgroup);
	must(pipe2(maps, O_CLOEXEC), "pipe");
	args.cgroup = (uint64_t)cgroup;
	pid = must((int)syscall(SYS_clone3, &args, sizeof(args)), "clone3");
	if (!pid) {
		if (request->in_user_namespace)
			become_mapped(maps[0]);
		make_mounts(request);
		make_devices(request->in_user_namespace);
		hide_paths();
		switch_root();
		confine(&request->filter);
		execv(request->argv[0], request->argv);
		_exit(FAILED);
	}
	if (request->in_user_namespace) {
		write_map(pid, "uid_map");
		write_map(pid, "gid_map");
		must((int)write(maps[1], "", 1), "maps written");
	}
	wait_for(pid);
	close(cgroup);
	must(rmdir(path), path);
}

static void run_beside(struct request *request)
{
	struct clone_args args = { .exit_signal = SIGCHLD, .flags = CLONE_INTO_CGROUP };
	int target, cgroup;
	pid_t pid;

	cgroup = must(open(request->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), request->cgroup);
	args.cgroup = (uint64_t)cgroup;
	target = must((int)syscall(SYS_pidfd_open, request->target, 0), "pidfd_open");
	must(setns(target, NAMESPACES), "setns");
	close(target);
	pid = must((int)syscall(SYS_clone3, &args, sizeof(args)), "clone3");
	if (!pid) {
		confine(&request->filter);
		execv(request->argv[0], request->argv);
		_exit(FAILED);
	}
	wait_for(pid);
	close(cgroup);
}

static void read_filter(const char *path, struct sock_fprog *filter)
{
	static struct sock_filter code[BPF_MAXINSNS];
	int fd = must(open(path, O_RDONLY | O_CLOEXEC), path);
	ssize_t size = must((int)read(fd, code, sizeof(code)), path);

	close(fd);
	filter->len = (unsigned short)((size_t)size / sizeof(*code));
	filter->filter = code;
}

int main(int argc, char **argv)
{
	struct request request = { 0 };
	int option;

	while ((option = getopt(argc, argv, "+c:s:b:ux:")) >= 0) {
		if (option == 'c')
			request.cgroup = optarg;
		else if (option == 's')
			read_filter(optarg, &request.filter);
		else if (option == 'b')
			request.binds = (int)strtol(optarg, NULL, 10);
		else if (option == 'u')
			request.in_user_namespace = true;
		else if (option == 'x')
			request.target = (pid_t)strtol(optarg, NULL, 10);
		else
			return FAILED;
	}
	argv += optind;
	if (!request.target && argv[0])
		request.root = *argv++;
	request.argv = argv;
	if (!argv[0] || !request.cgroup) {
		fprintf(stderr, "floor: needs -c, a root file system or -x, and a command\n");
		return FAILED;
	}
	if (request.target)
		run_beside(&request);
	else
		run(&request);
	return 0;
}
