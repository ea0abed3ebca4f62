/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/suite.h"

/* Above what Check uses for itself. */
#define FIRST 50U

static struct error err;

static void open_at(int fd)
{
	ck_assert_int_eq(dup2(0, fd), fd);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool is_marked(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

/* A sandbox without close_range(2), as old container hosts are. */
static void forbid_close_range(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Each runs twice: with close_range(2) and without. */
START_TEST(marks_all_from_a_number)
{
	open_at(FIRST - 1);
	open_at(FIRST);
	open_at(FIRST + 100);
	if (_i)
		forbid_close_range();
	suite_assert_done(descriptors_mark_from(FIRST, &err), err);
	ck_assert(is_open(FIRST - 1) && !is_marked(FIRST - 1));
	ck_assert(is_marked(FIRST));
	ck_assert(is_marked(FIRST + 100));
}
END_TEST

START_TEST(closes_all_but_those_to_keep)
{
	const int keep[] = { -1, FIRST + 20, FIRST + 3, 1, FIRST + 21 };

	for (int fd = FIRST - 1; fd < (int)FIRST + 30; fd++)
		open_at(fd);
	if (_i)
		forbid_close_range();
	suite_assert_done(descriptors_close_from(FIRST, keep, 5, &err), err);
	for (int fd = FIRST - 1; fd < (int)FIRST + 30; fd++) {
		bool is_kept =
			fd == FIRST - 1 || fd == FIRST + 3 || fd == FIRST + 20 || fd == FIRST + 21;

		ck_assert_msg(is_open(fd) == is_kept, "descriptor %d", fd);
	}
}
END_TEST

START_TEST(closes_everything)
{
	open_at(FIRST);
	open_at(FIRST + 1);
	if (_i)
		forbid_close_range();
	suite_assert_done(descriptors_close_from(FIRST, NULL, 0, &err), err);
	ck_assert(!is_open(FIRST) && !is_open(FIRST + 1));
}
END_TEST

START_TEST(preserved_ones_must_be_open)
{
	suite_assert_done(descriptors_check_preserved(0, &err), err);
	open_at(3);
	suite_assert_done(descriptors_check_preserved(1, &err), err);
	close(4);
	ck_assert_int_eq(descriptors_check_preserved(2, &err), -1);
	ck_assert_str_eq(
		err.text, "preserved descriptor 1 (of 2) is not open: it would be number 4");
	err = (struct error){ 0 };
	ck_assert_int_eq(fcntl(3, F_SETFD, FD_CLOEXEC), 0);
	ck_assert_int_eq(descriptors_check_preserved(1, &err), -1);
	ck_assert_str_eq(
		err.text, "preserved descriptor 0 (of 1) is not open: it would be number 3");
	err = (struct error){ 0 };
	ck_assert_int_eq(descriptors_check_preserved(4000000000U, &err), -1);
	ck_assert_str_eq(err.text, "4000000000 preserved descriptors are more than 1024");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("descriptors");

	tcase_add_loop_test(tests, marks_all_from_a_number, 0, 2);
	tcase_add_loop_test(tests, closes_all_but_those_to_keep, 0, 2);
	tcase_add_loop_test(tests, closes_everything, 0, 2);
	tcase_add_test(tests, preserved_ones_must_be_open);
	return suite_run(tests);
}
