/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;
static int root = -1;
static const struct spec_console_size size = { 25, 80 };
static const struct spec_process process = { .pointer = "/process", .console_size = &size };
static struct terminal terminal = TERMINAL_CLOSED;

/* A root with an empty /dev/pts, in a mount namespace of the test's own. */
static void make_root(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", "/mnt", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mkdir("/mnt/dev", 0755) + mkdir("/mnt/dev/pts", 0755), 0);
	root = open("/mnt", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
}

static void mount_devpts(void)
{
	make_root();
	ck_assert_int_eq(mount("devpts", "/mnt/dev/pts", "devpts", 0,
				 "newinstance,ptmxmode=0666,mode=0620,gid=5"),
		0);
}

START_TEST(a_pair_is_opened_inside)
{
	struct winsize window;
	struct stat st;
	char byte;

	mount_devpts();
	suite_assert_done(terminal_open(root, &process, &terminal, &err), err);
	ck_assert_str_eq(terminal.name, "/dev/pts/0");
	ck_assert_int_eq(fcntl(terminal.master, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(terminal.slave, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(ioctl(terminal.slave, TIOCGWINSZ, &window), 0);
	ck_assert_uint_eq(window.ws_row, 25);
	ck_assert_uint_eq(window.ws_col, 80);
	suite_assert_done(terminal_give_to(&terminal, 1234, &err), err);
	ck_assert_int_eq(stat("/mnt/dev/pts/0", &st), 0);
	ck_assert_uint_eq(st.st_uid, 1234);
	ck_assert_uint_eq(st.st_gid, 5);
	suite_assert_done(terminal_keep_line_ends(terminal.slave, &err), err);
	ck_assert_int_eq(write(terminal.slave, "\n", 1), 1);
	ck_assert_int_eq(read(terminal.master, &byte, 1), 1);
	ck_assert_int_eq(byte, '\n');
	terminal_close(&terminal);
	ck_assert_int_eq(terminal.master, -1);
	terminal_close(&terminal);
}
END_TEST

START_TEST(it_becomes_the_controlling_terminal)
{
	int status, tty;
	pid_t pid;

	mount_devpts();
	suite_assert_done(terminal_open(root, &process, &terminal, &err), err);
	pid = fork();
	if (pid == 0) {
		bool is_done = setsid() > 0 && terminal_control(&terminal, &err) == 0 &&
			       terminal_attach(&terminal, &err) == 0;

		terminal_close(&terminal);
		tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
		is_done = is_done && tty >= 0 && isatty(0) && isatty(1) && isatty(2) &&
			  fcntl(0, F_GETFD) == 0 && tcgetsid(0) == getpid();
		_exit(is_done ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* A slave that is one of the three already loses close-on-exec too. */
START_TEST(attaching_a_low_descriptor_works)
{
	int status;
	pid_t pid;

	mount_devpts();
	suite_assert_done(terminal_open(root, &process, &terminal, &err), err);
	pid = fork();
	if (pid == 0) {
		dup3(terminal.slave, 1, O_CLOEXEC);
		terminal.slave = 1;
		_exit(terminal_attach(&terminal, &err) == 0 && fcntl(1, F_GETFD) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static void put_nothing(void)
{
	make_root();
}

static void put_no_directory(void)
{
	make_root();
	ck_assert_int_eq(rmdir("/mnt/dev/pts"), 0);
}

static void put_host_directory_by_link(void)
{
	make_root();
	ck_assert_int_eq(rmdir("/mnt/dev/pts"), 0);
	ck_assert_int_eq(symlink("/dev/pts", "/mnt/dev/pts"), 0);
}

static void put_multiplexer_without_devpts(void)
{
	make_root();
	ck_assert_int_eq(mknod("/mnt/dev/pts/ptmx", S_IFCHR | 0666, makedev(5, 2)), 0);
}

static void bind_other_device(void)
{
	mount_devpts();
	ck_assert_int_eq(mount("/dev/null", "/mnt/dev/pts/ptmx", NULL, MS_BIND, NULL), 0);
}

static const struct {
	void (*make)(void);
	const char *text;
} hostile[] = {
	{ put_no_directory, "a terminal needs a devpts file system at '/dev/pts'" },
	{ put_nothing, "a terminal needs a devpts file system at '/dev/pts'" },
	{ put_host_directory_by_link, NULL },
	{ put_multiplexer_without_devpts, "a terminal needs a devpts file system at '/dev/pts'" },
	{ bind_other_device, "open '/dev/pts/ptmx': invalid cross-device link" },
};

START_TEST(nothing_else_is_opened)
{
	hostile[_i].make();
	ck_assert_int_eq(terminal_open(root, &process, &terminal, &err), -1);
	ck_assert_str_eq(err.pointer, "/process/terminal");
	if (hostile[_i].text)
		ck_assert_str_eq(err.text, hostile[_i].text);
	ck_assert_int_eq(terminal.master, -1);
}
END_TEST

static int listen_at(const char *directory, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(chdir(directory), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* One message, one descriptor, and the name as payload: what console sockets take. */
START_TEST(the_master_is_sent)
{
	char long_path[256] = "/mnt/";
	cleanup_fd int listener = -1, client = -1, server = -1;
	int fds[2];
	char name[64];
	ssize_t n;

	mount_devpts();
	/* The second time by a path that no socket address holds. */
	if (_i == 1) {
		memset(long_path + 5, 'd', 200);
		ck_assert_int_eq(mkdir(long_path, 0755), 0);
	}
	listener = listen_at(long_path, "socket");
	strncat(long_path, "/socket", 8);
	client = terminal_connect(long_path, &err);
	ck_assert_msg(client >= 0, "%s", err.text);
	ck_assert_int_eq(fcntl(client, F_GETFD), FD_CLOEXEC);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	suite_assert_done(terminal_open(root, &process, &terminal, &err), err);
	suite_assert_done(terminal_send(&terminal, client, &err), err);
	n = fd_receive(server, name, sizeof(name) - 1, fds, 2);
	ck_assert_int_eq(n, (ssize_t)strlen("/dev/pts/0"));
	name[n] = '\0';
	ck_assert_str_eq(name, "/dev/pts/0");
	ck_assert_int_ge(fds[0], 0);
	ck_assert_int_eq(fds[1], -1);
	ck_assert(isatty(fds[0]));
	close(fds[0]);
}
END_TEST

#define D32 "dddddddddddddddddddddddddddddddd"

static const char *const bad_sockets[] = { "/nonexistent/socket", "/dev/null", (D32 D32 D32 D32) };

START_TEST(bad_sockets_are_named)
{
	ck_assert_int_eq(terminal_connect(bad_sockets[_i], &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
	ck_assert_str_eq(err.path, bad_sockets[_i]);
}
END_TEST

START_TEST(sizes_are_copied)
{
	struct terminal other = TERMINAL_CLOSED;
	const struct spec_process no_size = { .pointer = "/process" };
	struct winsize window;

	mount_devpts();
	suite_assert_done(terminal_open(root, &process, &terminal, &err), err);
	suite_assert_done(terminal_open(root, &no_size, &other, &err), err);
	ck_assert_str_eq(other.name, "/dev/pts/1");
	suite_assert_done(terminal_copy_size(terminal.master, other.master, &err), err);
	ck_assert_int_eq(ioctl(other.slave, TIOCGWINSZ, &window), 0);
	ck_assert_uint_eq(window.ws_row, 25);
	terminal_close(&other);
}
END_TEST

int main(void)
{
	TCase *tests;

	if (geteuid() != 0)
		return suite_skip("mounting a devpts needs root");
	tests = tcase_create("terminal");
	tcase_add_test(tests, a_pair_is_opened_inside);
	tcase_add_test(tests, it_becomes_the_controlling_terminal);
	tcase_add_test(tests, attaching_a_low_descriptor_works);
	tcase_add_loop_test(tests, nothing_else_is_opened, 0, array_size(hostile));
	tcase_add_loop_test(tests, the_master_is_sent, 0, 2);
	tcase_add_loop_test(tests, bad_sockets_are_named, 0, array_size(bad_sockets));
	tcase_add_test(tests, sizes_are_copied);
	return suite_run(tests);
}
