/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profiles that podman, docker and containerd write, from the folder
 * KOGG_SHARED, or ../shared beside the source root that is the argument.
 */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attributes.h"
#include "libcontainer/kernel/syscall_filter_export.h"
#include "libcontainer/kernel/tests/seccomp_compare.h"
#include "libcontainer/kernel/tests/seccomp_profile.h"

static char configs[4096];

/* Whether an equal program has been compared before: engines write few different ones. */
static bool is_known(const struct spec_seccomp *profile)
{
	static struct seccomp_program known[64];
	static size_t n_known;
	struct syscall_filter_rules rules;
	struct seccomp_program program;
	struct error err = { 0 };
	bool result = false;

	ck_assert_int_eq(syscall_filter_rules_init(&rules, profile, &err), 0);
	ck_assert_int_eq(
		syscall_filter_export(&rules, NULL, &program.code, &program.length, &err), 0);
	syscall_filter_rules_release(&rules);
	for (size_t i = 0; i < n_known && !result; i++)
		result = known[i].length == program.length &&
			 !memcmp(known[i].code, program.code,
				 program.length * sizeof(*program.code));
	if (result || n_known == array_size(known))
		free(program.code);
	else
		known[n_known++] = program;
	return result;
}

START_TEST(decides_as_libseccomp_for_engines)
{
	char pattern[4200];
	size_t n_profiles = 0, n_different = 0;
	glob_t files;

	snprintf(pattern, sizeof(pattern), "%s/*.json", configs);
	ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct seccomp_profile profile;

		if (strstr(files.gl_pathv[i], ".process.") ||
			strstr(files.gl_pathv[i], ".resources."))
			continue;
		profile = seccomp_profile_load(files.gl_pathv[i]);
		if (profile.seccomp) {
			n_profiles++;
			if (!is_known(profile.seccomp)) {
				n_different++;
				ck_assert(seccomp_compare(profile.seccomp));
			}
		}
		seccomp_profile_free(&profile);
	}
	printf("%zu profiles of engines, %zu of them different\n", n_profiles, n_different);
	ck_assert_uint_gt(n_profiles, 0);
	globfree(&files);
}
END_TEST

static bool find_configs(const char *source)
{
	const char *given = getenv("KOGG_SHARED");

	if (given)
		snprintf(configs, sizeof(configs), "%s/engine-configs", given);
	else
		snprintf(configs, sizeof(configs), "%s/../shared/engine-configs", source);
	return access(configs, R_OK) == 0;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("syscall_filter_engines");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	if (!find_configs(argc > 1 ? argv[1] : ".")) {
		printf("skipped: there is no folder '%s' (KOGG_SHARED)\n", configs);
		return 77;
	}
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, decides_as_libseccomp_for_engines);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
