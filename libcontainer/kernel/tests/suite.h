/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of this folder share.
 *
 * Check runs each test in a process of its own (CK_FORK), so a test may change
 * IDs, limits and namespaces as it likes: they end with it.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_TESTS_SUITE_H
#define KOGG_LIBCONTAINER_KERNEL_TESTS_SUITE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

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

#define suite_assert_done(call, err) ck_assert_msg((call) == 0, "%s", (err).text)

#endif
