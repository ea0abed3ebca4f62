/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "libcontainer/kernel/path_in_root.h"

/* The inode of ptmx in every devpts (fs/devpts/inode.c), and its device number. */
#define PTMX_INODE  2
#define PTMX_DEVICE makedev(5, 2)

/* How long a console socket whose queue is full is waited for. */
#define CONNECT_SECONDS 10

static int fail_without_devpts(struct error *err)
{
	error_set(err, ERROR_SPEC, "a terminal needs a devpts file system at '/dev/pts'");
	return error_hint(err, "/mounts has to hold one of type devpts with this destination");
}

/* Opens the multiplexer of the devpts at dev/pts, and of nothing else. */
static int open_multiplexer(int root_fd, struct error *err)
{
	cleanup_fd int dir = path_try_open(root_fd, "dev/pts", O_PATH | O_DIRECTORY, PATH_IN_ROOT);
	cleanup_fd int fd = -1;
	struct statfs fs;
	struct stat st;

	if (dir < 0 && errno == ENOENT)
		return fail_without_devpts(err);
	if (dir < 0)
		return path_fail_to_open("dev/pts", err);
	if (fstatfs(dir, &fs) < 0)
		return error_set_call(err, "fstatfs", "/dev/pts");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return fail_without_devpts(err);
	fd = path_try_open(dir, "ptmx", O_RDWR | O_NOCTTY, PATH_BENEATH);
	if (fd < 0)
		return error_set_call(err, "open", "/dev/pts/ptmx");
	if (fstat(fd, &st) < 0)
		return error_set_call(err, "fstat", "/dev/pts/ptmx");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != PTMX_DEVICE || st.st_ino != PTMX_INODE)
		return error_set(
			err, ERROR_SYSTEM, "'/dev/pts/ptmx' is not the pseudoterminal multiplexer");
	return take_fd(&fd);
}

static int open_slave(struct terminal *terminal, struct error *err)
{
	unsigned number;
	int unlocked = 0;

	if (ioctl(terminal->master, TIOCGPTN, &number) < 0)
		return error_set_errno(err, "ask for the terminal's number");
	snprintf(terminal->name, sizeof(terminal->name), "/dev/pts/%u", number);
	if (ioctl(terminal->master, TIOCSPTLCK, &unlocked) < 0)
		return error_set_call(err, "unlock", terminal->name);
	/* Not by its name, which the image may have taken (CVE-2025-52565). */
	terminal->slave = ioctl(terminal->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal->slave < 0)
		return error_set_call(err, "open", terminal->name);
	return 0;
}

static int set_size(int fd, const struct spec_process *process, struct error *err)
{
	const struct spec_console_size *size = process->console_size;
	struct winsize window = { 0 };

	if (!size)
		return 0;
	window.ws_row = (unsigned short)size->height;
	window.ws_col = (unsigned short)size->width;
	if (ioctl(fd, TIOCSWINSZ, &window) < 0)
		return error_set_errno(err, "set the terminal's size");
	return 0;
}

int terminal_open(int root_fd, const struct spec_process *process, struct terminal *ret_terminal,
	struct error *err)
{
	cleanup_terminal struct terminal terminal = TERMINAL_CLOSED;

	terminal.master = open_multiplexer(root_fd, err);
	if (terminal.master < 0 || open_slave(&terminal, err) < 0 ||
		set_size(terminal.master, process, err) < 0)
		return error_point(err, "%s/terminal", process->pointer);
	*ret_terminal = terminal;
	terminal.master = terminal.slave = -1;
	return 0;
}

int terminal_give_to(const struct terminal *terminal, unsigned uid, struct error *err)
{
	if (fchown(terminal->slave, uid, (gid_t)-1) < 0)
		return error_set_call(err, "chown", terminal->name);
	return 0;
}

int terminal_control(const struct terminal *terminal, struct error *err)
{
	if (ioctl(terminal->slave, TIOCSCTTY, 0) < 0)
		return error_set_call(err, "take as controlling terminal", terminal->name);
	return 0;
}

int terminal_attach(const struct terminal *terminal, struct error *err)
{
	for (int fd = 0; fd <= 2; fd++) {
		/* Onto itself, dup2(2) would leave close-on-exec as it is. */
		int result =
			fd == terminal->slave ? fcntl(fd, F_SETFD, 0) : dup2(terminal->slave, fd);

		if (result < 0)
			return error_set_call(err, "dup2", terminal->name);
	}
	return 0;
}

/*
 * A longer path than struct sockaddr_un holds goes by way of its directory.
 * Engines keep sockets deep below /run, so this does happen.
 */
static int connect_beyond(int fd, const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *slash = strrchr(path, '/');
	cleanup_free char *directory = NULL;
	cleanup_fd int dir = -1;
	int n;

	/* Without a directory, the name itself is what is too long. */
	directory = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;
	if (!directory) {
		errno = slash ? ENOMEM : ENAMETOOLONG;
		return error_set_call(err, "connect", path);
	}
	dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_set_call(err, "open", directory);
	n = snprintf(
		address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir, slash + 1);
	if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return error_set_call(err, "connect", path);
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set_call(err, "connect", path);
	return 0;
}

int terminal_connect(const char *path, struct error *err)
{
	static const struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t length = strlen(path);

	if (fd < 0)
		return error_set_errno(err, "make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return error_set_errno(err, "set a time limit for '%s'", path);
	if (length >= sizeof(address.sun_path))
		return connect_beyond(fd, path, err) < 0 ? -1 : take_fd(&fd);
	memcpy(address.sun_path, path, length + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set_call(err, "connect", path);
	return take_fd(&fd);
}

int terminal_send_fd(int socket, int fd, const char *payload, struct error *err)
{
	if (fd_send(socket, payload, strlen(payload), &fd, 1) < 0)
		return error_set_errno(err, "send a descriptor for '%s'", payload);
	return 0;
}

int terminal_send(const struct terminal *terminal, int socket, struct error *err)
{
	return terminal_send_fd(socket, terminal->master, terminal->name, err);
}

int terminal_copy_size(int from, int to, struct error *err)
{
	struct winsize window;

	if (ioctl(from, TIOCGWINSZ, &window) < 0 || ioctl(to, TIOCSWINSZ, &window) < 0)
		return error_set_errno(err, "copy the terminal's size");
	return 0;
}

int terminal_keep_line_ends(int fd, struct error *err)
{
	struct termios modes;

	if (tcgetattr(fd, &modes) < 0)
		return error_set_errno(err, "read the terminal's modes");
	modes.c_oflag &= ~(tcflag_t)ONLCR;
	if (tcsetattr(fd, TCSANOW, &modes) < 0)
		return error_set_errno(err, "set the terminal's modes");
	return 0;
}

void terminal_close(struct terminal *terminal)
{
	close_at(&terminal->master);
	close_at(&terminal->slave);
	terminal->master = terminal->slave = -1;
}
