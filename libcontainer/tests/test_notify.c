/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/notify.h"
#include "libcontainer/state_dir.h"

static char root[] = "/tmp/test-notify-XXXXXX";
static char manager_path[sizeof(root) + 16], inside_path[sizeof(root) + 32];
static char warned[LOG_TEXT_MAX];
static struct error err;
static int dir, manager;
static char *notify_path;

static void keep_warning(void *context, enum log_level level, const char *text)
{
	(void)context;
	(void)level;
	snprintf(warned, sizeof(warned), "%s", text);
}

/* What a service manager listens at. */
static int open_manager(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(manager_path, sizeof(manager_path), "%s/manager", root);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", manager_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static void setup(void)
{
	const struct log_sink sink = { LOG_LEVEL_WARNING, keep_warning, NULL };

	ck_assert_ptr_nonnull(mkdtemp(root));
	err = (struct error){ 0 };
	warned[0] = '\0';
	log_set_sink(&sink);
	manager = open_manager();
	setenv("NOTIFY_SOCKET", manager_path, 1);
	snprintf(inside_path, sizeof(inside_path), "%s/box", root);
	ck_assert_int_eq(mkdir(inside_path, 0700), 0);
	dir = open(inside_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(inside_path, sizeof(inside_path), "%s/box/notify/notify.sock", root);
}

static void teardown(void)
{
	const char *const files[] = { "box/notify/notify.sock", "manager", NULL };
	const char *const dirs[] = { "box/notify", "box", ".", NULL };
	cleanup_fd int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	log_set_sink(NULL);
	for (const char *const *file = files; *file; file++)
		unlinkat(fd, *file, 0);
	for (const char *const *name = dirs; *name; name++)
		unlinkat(fd, *name, AT_REMOVEDIR);
	rmdir(root);
	memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
	free(notify_path);
	notify_path = NULL;
	close(dir);
	close(manager);
}

static void open_notify(struct notify *notify)
{
	ck_assert_int_eq(notify_make_dir(dir, root, "box", &notify_path, &err), 0);
	ck_assert_int_eq(notify_open(dir, notify, &err), 0);
	ck_assert_int_ge(notify->socket, 0);
}

/* As the container's program does. */
static void say(const char *message, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", inside_path);
	ck_assert_int_eq(sendto(fd, message, size, 0, (struct sockaddr *)&address, sizeof(address)),
		(ssize_t)size);
}

/* What the manager gets; -1 in *RET_FD when no descriptor came along. */
static const char *hear(int *ret_fd)
{
	static char message[4096];
	int fd = -1;
	ssize_t n = fd_receive(manager, message, sizeof(message) - 1, &fd, 1);

	ck_assert_int_ge(n, 0);
	message[n] = '\0';
	if (ret_fd)
		*ret_fd = fd;
	else
		close_at(&fd);
	return message;
}

static bool has_heard(void)
{
	char byte;

	return recv(manager, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

static void serve_once(struct notify *notify)
{
	struct pollfd fd;

	notify_watch(notify, &fd);
	ck_assert_int_ge(poll(&fd, 1, 0), 0);
	notify_serve(notify, &fd);
}

START_TEST(nobody_wants_to_know)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;

	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(notify_make_dir(dir, root, "box", &notify_path, &err), 0);
	ck_assert_ptr_null(notify_path);
	ck_assert_int_eq(faccessat(dir, "notify", F_OK, 0), -1);
	ck_assert_int_eq(notify_open(dir, &notify, &err), 0);
	ck_assert_int_eq(notify.socket, -1);
	ck_assert_int_eq(notify_wait(&notify, -1, 1, &err), 0);
}
END_TEST

START_TEST(created_without_and_started_with_it)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;

	ck_assert_int_eq(notify_open(dir, &notify, &err), 0);
	ck_assert_int_eq(notify.socket, -1);
}
END_TEST

START_TEST(anybody_inside_may_write)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	char expected[sizeof(root) + 16];
	struct stat st;
	mode_t mask = umask(077);

	open_notify(&notify);
	umask(mask);
	snprintf(expected, sizeof(expected), "%s/box/notify", root);
	ck_assert_str_eq(notify_path, expected);
	ck_assert_int_eq(stat(notify_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0755);
	ck_assert_int_eq(stat(inside_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0777);
}
END_TEST

static const struct {
	const char *said;
	size_t size; /* 0: up to the NUL */
	const char *heard;
} messages[] = {
	{ "READY=1", 0, "READY=1" },
	{ "READY=1\n", 0, "READY=1" },
	{ "READY=1", 8, "READY=1" },
	{ "STATUS=x\nREADY=1\nMAINPID=1", 0, "STATUS=x\nREADY=1" },
	{ "FDSTORE=1\nSTATUS=x", 0, "STATUS=x" },
	{ "WATCHDOG=1", 0, "WATCHDOG=1" },
	{ "WATCHDOG=trigger", 0, NULL },
	{ "WATCHDOG_USEC=1", 0, NULL },
	{ "MAINPID=1\nSTOPPING=1", 0, "STOPPING=1" },
	{ "RELOADING=1\nMONOTONIC_USEC=5", 0, "RELOADING=1\nMONOTONIC_USEC=5" },
	{ "EXTEND_TIMEOUT_USEC=9\nBARRIER=1\nNOTIFYACCESS=all\nMAINPIDFD=1", 0, NULL },
	{ "XREADY=1", 0, NULL },
	{ "READY=1\0MAINPID=1", 17, NULL },
	{ "\n\n\n", 0, NULL },
};

START_TEST(passes_on_what_is_of_the_program)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	const char *said = messages[_i].said;

	open_notify(&notify);
	say(said, messages[_i].size ? messages[_i].size : strlen(said));
	serve_once(&notify);
	if (messages[_i].heard)
		ck_assert_str_eq(hear(NULL), messages[_i].heard);
	else
		ck_assert_int_ge(notify.socket, 0);
	ck_assert(!has_heard());
}
END_TEST

/* As a program does that has become ready, and goes on to say how it is. */
START_TEST(listens_until_the_end)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;

	open_notify(&notify);
	say("READY=1", 7);
	serve_once(&notify);
	ck_assert_str_eq(hear(NULL), "READY=1");
	say("STATUS=busy", 11);
	serve_once(&notify);
	ck_assert_str_eq(hear(NULL), "STATUS=busy");
	ck_assert_int_eq(notify_timeout(&notify), -1);
}
END_TEST

START_TEST(a_flood_is_not_read)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	struct pollfd fd;

	open_notify(&notify);
	for (int i = 0; i < 10 * NOTIFY_MESSAGES_PER_SECOND && notify_timeout(&notify) < 0; i++) {
		say("MAINPID=1", 9);
		serve_once(&notify);
	}
	notify_watch(&notify, &fd);
	ck_assert_int_eq(fd.fd, -1);
	ck_assert_int_gt(notify_timeout(&notify), 0);
	ck_assert_int_le(notify_timeout(&notify), 1000);
	poll(NULL, 0, notify_timeout(&notify));
	say("READY=1", 7);
	serve_once(&notify);
	ck_assert_str_eq(hear(NULL), "READY=1");
}
END_TEST

/* It has as many messages waiting as the kernel lets it (net.unix.max_dgram_qlen). */
START_TEST(a_manager_that_does_not_read_holds_nobody)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;

	open_notify(&notify);
	alarm(5);
	for (int i = 0; i < NOTIFY_MESSAGES_PER_SECOND; i++) {
		say("READY=1\nSTATUS=x", 16);
		serve_once(&notify);
	}
	alarm(0);
	ck_assert_str_eq(hear(NULL), "READY=1\nSTATUS=x");
	ck_assert_str_eq(warned, "");
}
END_TEST

START_TEST(a_message_that_is_too_long_is_no_message)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	static char message[5000];

	memset(message, 'x', sizeof(message));
	memcpy(message, "READY=1\n", 8);
	open_notify(&notify);
	say(message, sizeof(message));
	serve_once(&notify);
	ck_assert(!has_heard());
}
END_TEST

/* sd_notify_barrier(3) in the container waits for the descriptor that it sends to be closed. */
START_TEST(descriptors_are_dropped)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ends[2];
	char byte;

	open_notify(&notify);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", inside_path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fd_send(fd, "BARRIER=1", 9, &ends[1], 1), 0);
	close(ends[1]);
	serve_once(&notify);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}
END_TEST

START_TEST(a_detached_service_gets_its_main_process)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	cleanup_fd int pidfd = pidfd_open_child(getpid(), &err);
	char expected[32];
	pid_t child;
	int status, barrier;

	open_notify(&notify);
	child = fork();
	if (child == 0)
		_exit(notify_wait(&notify, pidfd, getppid(), &err) < 0 || warned[0]);
	say("STATUS=starting", 15);
	say("READY=1", 7);
	ck_assert_str_eq(hear(NULL), "READY=1");
	snprintf(expected, sizeof(expected), "MAINPID=%d", (int)getpid());
	ck_assert_str_eq(hear(NULL), expected);
	ck_assert_str_eq(hear(&barrier), "BARRIER=1");
	ck_assert_int_ge(barrier, 0);
	poll(NULL, 0, 100);
	ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
	close(barrier);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(the_end_of_the_process_ends_the_wait)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	cleanup_fd int pidfd = -1;
	pid_t child = fork();

	if (child == 0) {
		poll(NULL, 0, 100);
		_exit(0);
	}
	pidfd = pidfd_open_child(child, &err);
	open_notify(&notify);
	ck_assert_int_eq(notify_wait(&notify, pidfd, child, &err), 0);
	ck_assert(!has_heard());
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(a_manager_that_has_gone_is_a_warning)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	cleanup_fd int pidfd = pidfd_open_child(getpid(), &err);

	open_notify(&notify);
	close(manager);
	manager = -1;
	say("READY=1", 7);
	ck_assert_int_eq(notify_wait(&notify, pidfd, getpid(), &err), 0);
	ck_assert_str_eq(warned, "notify the service manager: connection refused");
}
END_TEST

START_TEST(abstract_names_are_addresses)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int length = snprintf(name, sizeof(name), "@test-notify-%d", (int)getpid());

	memcpy(address.sun_path + 1, name + 1, (size_t)length - 1);
	close(manager);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address,
				 (socklen_t)(sizeof(address.sun_family) + (size_t)length)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	open_notify(&notify);
	say("READY=1", 7);
	serve_once(&notify);
	ck_assert_str_eq(hear(NULL), "READY=1");
}
END_TEST

static const struct {
	const char *address;
	const char *text;
} refused[] = {
	{ "relative", "NOTIFY_SOCKET 'relative': expected an absolute path or '@' and a name" },
	{ "vsock:2:1234", "NOTIFY_SOCKET 'vsock:2:1234': expected" },
	{ "/nonexistent/x", "connect '/nonexistent/x': not found" },
};

START_TEST(refuses_an_address_that_leads_nowhere)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;

	setenv("NOTIFY_SOCKET", refused[_i].address, 1);
	ck_assert_int_eq(notify_make_dir(dir, root, "box", &notify_path, &err), 0);
	ck_assert_int_eq(notify_open(dir, &notify, &err), -1);
	ck_assert_msg(
		!strncmp(err.text, refused[_i].text, strlen(refused[_i].text)), "%s", err.text);
}
END_TEST

START_TEST(goes_with_the_state_directory)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	struct state_dir state = STATE_DIR_CLOSED;

	ck_assert_int_eq(state_dir_create(&state, root, "other", &err), 0);
	ck_assert_int_eq(notify_make_dir(state.fd, root, "other", &notify_path, &err), 0);
	ck_assert_int_eq(notify_open(state.fd, &notify, &err), 0);
	ck_assert_int_eq(state_dir_remove(&state, &err), 0);
	ck_assert_int_eq(faccessat(state.root_fd, "other", F_OK, 0), -1);
	state_dir_close(&state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tcase = tcase_create("notify");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nobody_wants_to_know);
	tcase_add_test(tcase, created_without_and_started_with_it);
	tcase_add_test(tcase, anybody_inside_may_write);
	tcase_add_loop_test(tcase, passes_on_what_is_of_the_program, 0, array_size(messages));
	tcase_add_test(tcase, listens_until_the_end);
	tcase_add_test(tcase, a_flood_is_not_read);
	tcase_add_test(tcase, a_manager_that_does_not_read_holds_nobody);
	tcase_add_test(tcase, a_message_that_is_too_long_is_no_message);
	tcase_add_test(tcase, descriptors_are_dropped);
	tcase_add_test(tcase, a_detached_service_gets_its_main_process);
	tcase_add_test(tcase, the_end_of_the_process_ends_the_wait);
	tcase_add_test(tcase, a_manager_that_has_gone_is_a_warning);
	tcase_add_test(tcase, abstract_names_are_addresses);
	tcase_add_loop_test(tcase, refuses_an_address_that_leads_nowhere, 0, array_size(refused));
	tcase_add_test(tcase, goes_with_the_state_directory);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
