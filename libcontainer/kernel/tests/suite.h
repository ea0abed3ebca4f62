/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of this folder share.
 *
 * Check runs each test in a process of its own (CK_FORK), so a test may change
 * IDs, limits and namespaces as it likes: they end with it. What a test forks
 * asserts nothing: it has a copy of the messages that Check has yet to write.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_TESTS_SUITE_H
#define KOGG_LIBCONTAINER_KERNEL_TESTS_SUITE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

/* What meson takes for "skipped". */
#define SUITE_SKIPPED 77

static inline int suite_skip(const char *why)
{
	printf("skipped: %s\n", why);
	return SUITE_SKIPPED;
}

static inline int suite_run(TCase *tests)
{
	Suite *suite = suite_create("kernel");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static char suite_folder[] = "/tmp/kogg-suite-XXXXXX";

static inline void suite_make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(suite_folder));
	ck_assert_int_eq(chmod(suite_folder, 0755), 0);
	ck_assert_int_eq(chdir(suite_folder), 0);
}

static inline void suite_remove_folder(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	if (fork() == 0) {
		execl("/bin/rm", "rm", "-rf", "--", suite_folder, (char *)NULL);
		_exit(1);
	}
	wait(NULL);
}

static inline void suite_enter_folder(void)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", (int)getpid());
	ck_assert_int_eq(mkdir(name, 0755), 0);
	ck_assert_int_eq(chdir(name), 0);
}

/*
 * Lets each test begin in an empty directory of its own. The program makes and
 * removes them all, and sees none of what tests mount: a test that fails can't.
 */
static inline void suite_use_folders(TCase *tests)
{
	tcase_add_unchecked_fixture(tests, suite_make_folder, suite_remove_folder);
	tcase_add_checked_fixture(tests, suite_enter_folder, NULL);
}

#define suite_assert_done(call, err) ck_assert_msg((call) == 0, "%s", (err).text)

#endif
