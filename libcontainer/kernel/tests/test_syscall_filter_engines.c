/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profiles that podman, docker and containerd write, from the folder
 * KOGG_SHARED, or ../shared beside the source root that is the argument.
 */
#include <check.h>
#include <errno.h>
#include <glob.h>
#include <linux/audit.h>
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

#define EPERM_RESULT  (SECCOMP_RET_ERRNO | EPERM)
#define ENOSYS_RESULT (SECCOMP_RET_ERRNO | ENOSYS)

/*
 * Numbers that x86_64, x86 and, with its bit, x32 have in common. Two actions
 * where a name that the profile allows may be newer than this libseccomp
 * (452 is fchmodat2, 462 mseal).
 */
static const struct {
	const char *file;
	uint32_t number, action, other_action;
} newer[] = {
	{ "docker20-run-exit7", 449, SECCOMP_RET_ALLOW, SECCOMP_RET_ALLOW },
	{ "docker20-run-exit7", 430, EPERM_RESULT, EPERM_RESULT },   /* fsopen */
	{ "docker20-run-exit7", 435, ENOSYS_RESULT, ENOSYS_RESULT }, /* clone3: a rule of its own */
	{ "docker20-run-exit7", 452, ENOSYS_RESULT, ENOSYS_RESULT }, /* fchmodat2 */
	{ "docker20-run-exit7", 500, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "docker20-run-exit7", 4095, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "docker20-cap-add", 452, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "containerd1.6-seccomp", 449, SECCOMP_RET_ALLOW, SECCOMP_RET_ALLOW },
	{ "containerd1.6-seccomp", 452, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "containerd1.6-seccomp", 500, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "containerd2.1-seccomp", 500, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "docker28-run", 450, EPERM_RESULT, EPERM_RESULT }, /* set_mempolicy_home_node */
	{ "docker28-run", 452, SECCOMP_RET_ALLOW, ENOSYS_RESULT },
	{ "docker28-run", 462, SECCOMP_RET_ALLOW, ENOSYS_RESULT },
	{ "docker28-run", 500, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "docker28-run", 4095, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "podman4-net-host", 452, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "podman5.8-run", 500, ENOSYS_RESULT, ENOSYS_RESULT },
	{ "podman5.8-seccomp-file", 500, SECCOMP_RET_ALLOW, SECCOMP_RET_ALLOW },
};

START_TEST(answers_newer_calls)
{
	static const struct {
		uint32_t arch, bit;
	} abis[] = { { AUDIT_ARCH_X86_64, 0 }, { AUDIT_ARCH_I386, 0 },
		{ AUDIT_ARCH_X86_64, 0x40000000 } };
	struct seccomp_profile profile;
	struct seccomp_program program;
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s.json", configs, newer[_i].file);
	profile = seccomp_profile_load(path);
	ck_assert_ptr_nonnull(profile.seccomp);
	program = seccomp_compile(profile.seccomp);
	for (size_t i = 0; i < array_size(abis); i++) {
		uint32_t action =
			seccomp_action(&program, abis[i].arch, newer[_i].number | abis[i].bit);

		ck_assert_msg(action == newer[_i].action || action == newer[_i].other_action,
			"%s: number %u of %08x, bit %x: %08x", newer[_i].file, newer[_i].number,
			abis[i].arch, abis[i].bit, action);
	}
	free(program.code);
	seccomp_profile_free(&profile);
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
	tcase_add_loop_test(tcase, answers_newer_calls, 0, array_size(newer));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
