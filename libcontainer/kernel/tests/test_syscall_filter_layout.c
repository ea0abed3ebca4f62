/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_layout.h"

#include <check.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "libcontainer/kernel/tests/seccomp_compare.h"
#include "libcontainer/kernel/tests/seccomp_profile.h"

#define ENGINE_ARCHS "\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\""
#define LITTLE_ENDIAN_ARCHS                                                                    \
	ENGINE_ARCHS ",\"SCMP_ARCH_ARM\",\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_MIPSEL\","          \
		     "\"SCMP_ARCH_MIPSEL64\",\"SCMP_ARCH_MIPSEL64N32\",\"SCMP_ARCH_PPC64LE\"," \
		     "\"SCMP_ARCH_RISCV64\""
#define PROFILE(action, archs, rules)                                          \
	"{\"defaultAction\":\"SCMP_ACT_" action "\",\"architectures\":[" archs \
	"],\"syscalls\":[" rules "]}"
#define RULE(names, action) "{\"names\":[" names "],\"action\":\"SCMP_ACT_" action "\"}"
#define RULE_ERRNO(names, value) \
	"{\"names\":[" names "],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":" value "}"
#define RULE_IF(names, action, args) \
	"{\"names\":[" names "],\"action\":\"SCMP_ACT_" action "\",\"args\":[" args "]}"
#define RULE_ERRNO_IF(names, value, args)                                          \
	"{\"names\":[" names "],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":" value \
	",\"args\":[" args "]}"
#define ARG(index, op, value) "{\"index\":" index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" value "}"
#define ARG_MASKED(index, mask, value)                                       \
	"{\"index\":" index ",\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":" mask \
	",\"valueTwo\":" value "}"

/* Each operator with values in the low half, the high half, both, and at the ends. */
#define OPERATOR(op)                                                                               \
	RULE_IF("\"read\"", "ALLOW", ARG("0", op, "7"))                                            \
	"," RULE_IF("\"ioctl\"", "ALLOW", ARG("1", op, "12884901889")) "," RULE_IF(                \
		"\"lseek\"", "ALLOW", ARG("2", op, "4294967296")) "," RULE_IF("\"mmap\"", "ALLOW", \
		ARG("3", op, "0")) "," RULE_IF("\"futex\"", "ALLOW",                               \
		ARG("4", op, "18446744073709551615")) "," RULE_IF("\"mremap\"", "ALLOW",           \
		ARG("5", op, "4294967295")) "," RULE_IF("\"fcntl\"", "ALLOW",                      \
		ARG("0", op, "3") "," ARG("1", op, "12884901891"))

#define SOCKETS                                                                             \
	"\"socket\",\"bind\",\"connect\",\"listen\",\"accept\",\"accept4\",\"socketpair\"," \
	"\"send\",\"recv\",\"sendto\",\"recvfrom\",\"sendmsg\",\"recvmsg\",\"sendmmsg\","   \
	"\"recvmmsg\",\"shutdown\",\"setsockopt\",\"getsockopt\",\"getsockname\",\"getpeername\""
#define IPC                                                                                \
	"\"semop\",\"semget\",\"semctl\",\"semtimedop\",\"msgsnd\",\"msgrcv\",\"msgget\"," \
	"\"msgctl\",\"shmat\",\"shmdt\",\"shmget\",\"shmctl\""

static const char *const profiles[] = {
	PROFILE("ALLOW", "", ""),
	PROFILE("KILL_PROCESS", ENGINE_ARCHS, RULE("\"read\",\"write\",\"exit\"", "ALLOW")),
	PROFILE("ERRNO", "\"SCMP_ARCH_X86_64\"", RULE("\"read\",\"write\",\"getpid\"", "ALLOW")),
	PROFILE("ERRNO", "\"SCMP_ARCH_X86\"", RULE("\"read\",\"write\",\"getpid\"", "ALLOW")),
	PROFILE("ERRNO", "\"SCMP_ARCH_X32\"", RULE("\"read\",\"write\",\"getpid\"", "ALLOW")),
	PROFILE("ALLOW", ENGINE_ARCHS,
		RULE("\"mount\"", "KILL") "," RULE("\"umount\"", "KILL_THREAD") "," RULE(
			"\"ptrace\"", "KILL_PROCESS") "," RULE("\"reboot\"",
			"TRAP") "," RULE("\"swapon\"", "TRACE") "," RULE("\"swapoff\"",
			"LOG") "," RULE_ERRNO("\"bpf\"", "38") "," RULE("\"keyctl\"", "ERRNO")),
	/* One operator, then another: a name may have only one action for equal values. */
	PROFILE("ERRNO", ENGINE_ARCHS, OPERATOR("NE")),
	PROFILE("ERRNO", ENGINE_ARCHS, OPERATOR("LT")),
	PROFILE("ERRNO", ENGINE_ARCHS, OPERATOR("LE")),
	PROFILE("ERRNO", ENGINE_ARCHS, OPERATOR("EQ")),
	PROFILE("ERRNO", ENGINE_ARCHS, OPERATOR("GE")),
	PROFILE("ERRNO", ENGINE_ARCHS, OPERATOR("GT")),
	PROFILE("ERRNO", ENGINE_ARCHS,
		RULE_IF("\"clone\"", "ALLOW", ARG_MASKED("0", "2114060288", "0")) "," RULE_IF(
			"\"read\"", "ALLOW",
			ARG_MASKED(
				"1", "18446744069414584320", "8589934592")) "," RULE_IF("\"write\"",
			"ALLOW", ARG_MASKED("2", "4294967295", "17")) "," RULE_IF("\"open\"",
			"ALLOW", ARG_MASKED("3", "0", "0")) "," RULE_IF("\"openat\"", "ALLOW",
			ARG_MASKED("4", "12884901891", "4294967297"))),
	/* Several rules for a name: any of them; conditions that share a prefix. */
	PROFILE("ERRNO", ENGINE_ARCHS,
		RULE_IF("\"personality\"", "ALLOW", ARG("0", "EQ", "0")) "," RULE_IF(
			"\"personality\"", "ALLOW",
			ARG("0", "EQ", "8")) "," RULE_IF("\"personality\"", "ALLOW",
			ARG("0", "EQ", "131072")) "," RULE_IF("\"personality\"", "ALLOW",
			ARG("0", "EQ", "4294967295")) "," RULE_IF("\"prctl\"", "ALLOW",
			ARG("0", "EQ", "1") "," ARG("1", "GT", "5")) "," RULE_IF("\"prctl\"",
			"ALLOW",
			ARG("0", "EQ", "1") "," ARG("2", "NE", "5")) "," RULE_IF("\"prctl\"",
			"ALLOW", ARG("3", "LE", "2"))),
	/* Two conditions on one argument: any of them. */
	PROFILE("ERRNO", ENGINE_ARCHS,
		RULE_IF("\"ioctl\",\"socket\"", "ALLOW",
			ARG("1", "GE", "5") "," ARG("1", "LT", "3") "," ARG("0", "EQ", "9"))),
	/* With and without conditions, in both orders, and two actions for one name. */
	PROFILE("ERRNO", ENGINE_ARCHS,
		RULE("\"read\"", "ALLOW") "," RULE_IF(
			"\"read\"", "KILL", ARG("0", "EQ", "3")) "," RULE_IF("\"write\"", "KILL",
			ARG("0", "EQ", "3")) "," RULE("\"write\"", "ALLOW") "," RULE("\"getpid\"",
			"ALLOW") "," RULE("\"getpid\"", "KILL")),
	PROFILE("ERRNO", ENGINE_ARCHS,
		RULE_IF("\"socket\"", "ALLOW", ARG("0", "NE", "16")) "," RULE_ERRNO_IF("\"socket\"",
			"22",
			ARG("0", "EQ", "16") "," ARG("2", "EQ", "9")) "," RULE_IF("\"socket\"",
			"ALLOW", ARG("2", "NE", "9"))),
	PROFILE("ALLOW", ENGINE_ARCHS,
		RULE_ERRNO_IF("\"socket\"", "1", ARG("0", "GE", "40")) "," RULE_ERRNO_IF(
			"\"ioctl\"", "2", ARG("1", "EQ", "21522")) "," RULE_ERRNO_IF("\"ioctl\"",
			"3", ARG("1", "EQ", "21532"))),
	/* Calls that share one number on x86. */
	PROFILE("ERRNO", ENGINE_ARCHS, RULE(SOCKETS "," IPC, "ALLOW")),
	PROFILE("ERRNO", ENGINE_ARCHS, RULE(SOCKETS "," IPC ",\"socketcall\",\"ipc\"", "ALLOW")),
	PROFILE("ERRNO", ENGINE_ARCHS, RULE("\"socketcall\",\"ipc\"," SOCKETS "," IPC, "ALLOW")),
	PROFILE("ALLOW", ENGINE_ARCHS, RULE("\"socketpair\",\"shmat\"", "KILL")),
	PROFILE("ALLOW", ENGINE_ARCHS,
		RULE("\"socket\"", "KILL") "," RULE("\"bind\"", "TRAP") "," RULE("\"connect\"",
			"LOG") "," RULE_IF("\"semop\"", "TRACE", ARG("1", "EQ", "4"))),
	/* Of the rules that libseccomp decides on, only one that x86_64 does not have is certain.
	 */
	PROFILE("ALLOW", ENGINE_ARCHS,
		RULE("\"ipc\"", "KILL") "," RULE("\"read\"", "LOG") "," RULE_IF(
			"\"personality\"", "TRAP", ARG("0", "NE", "1"))),
	/* A rule that cannot matter, names nobody knows, names of one architecture only. */
	PROFILE("ERRNO", ENGINE_ARCHS,
		RULE_ERRNO("\"read\"", "1") "," RULE("\"no_such_call\",\"write\"", "ALLOW") "," RULE(
			"\"waitpid\",\"arch_prctl\",\"modify_ldt\",\"rt_sigaction\",\"stime\"",
			"ALLOW")),
	PROFILE("ERRNO", LITTLE_ENDIAN_ARCHS,
		RULE("\"read\",\"write\",\"close\",\"clone3\",\"futex_time64\",\"sync_file_range\","
		     "\"arm_fadvise64_64\",\"cacheflush\",\"breakpoint\"," SOCKETS,
			"ALLOW") "," OPERATOR("EQ")),
};

/*
 * For a sanitized build: libseccomp 2.5.4 loses nodes of its tree of arguments
 * when it merges some rules (a few of 96 bytes for one profile above), and all
 * of its memory comes from zmalloc(). Ours does not.
 */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:zmalloc";
}

START_TEST(decides_as_libseccomp)
{
	struct seccomp_profile profile = seccomp_profile_parse(profiles[_i]);

	ck_assert(seccomp_compare(profile.seccomp));
	seccomp_profile_free(&profile);
}
END_TEST

/* All names that libseccomp has, so that its program is as long as they get. */
static char *every_name_profile(bool has_conditions)
{
	char *json = NULL;
	size_t size;
	FILE *file = open_memstream(&json, &size);

	ck_assert_ptr_nonnull(file);
	fprintf(file, "{\"defaultAction\":\"SCMP_ACT_KILL\",\"architectures\":[%s],\"syscalls\":[",
		ENGINE_ARCHS);
	for (int number = 0; number < 600; number += has_conditions ? 5 : 1) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

		if (!name)
			continue;
		fprintf(file, "%s{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d",
			number ? "," : "", name, has_conditions ? number : number % 2);
		if (has_conditions)
			fprintf(file, ",\"args\":[" ARG("0", "EQ", "%d") "]", number);
		fprintf(file, "}");
		free(name);
	}
	fprintf(file, "]}");
	fclose(file);
	return json;
}

START_TEST(decides_for_every_name)
{
	char *json = every_name_profile(_i);
	struct seccomp_profile profile = seccomp_profile_parse(json);

	ck_assert(seccomp_compare(profile.seccomp));
	seccomp_profile_free(&profile);
	free(json);
}
END_TEST

/* The layout asks by name, libseccomp goes from name to native number to name to number. */
START_TEST(names_are_unambiguous)
{
	for (int number = -20000; number < 1200; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

		if (name)
			ck_assert_int_eq(seccomp_syscall_resolve_name(name), number);
		free(name);
	}
}
END_TEST

START_TEST(refuses_a_contradiction)
{
	struct seccomp_profile profile = seccomp_profile_parse(PROFILE("ERRNO", "",
		RULE("\"write\"", "ALLOW") "," RULE_IF("\"read\"", "ALLOW",
			ARG("0", "EQ", "3")) "," RULE_IF("\"read\"", "KILL", ARG("0", "EQ", "3"))));
	struct syscall_filter_rules rules;
	struct seccomp_program program;
	struct error err = { 0 };

	ck_assert_int_eq(syscall_filter_rules_init(&rules, profile.seccomp, &err), 0);
	ck_assert_int_eq(syscall_filter_layout(&rules, &program.code, &program.length, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SPEC);
	ck_assert_str_eq(err.pointer, "/linux/seccomp/syscalls/2");
	syscall_filter_rules_release(&rules);
	seccomp_profile_free(&profile);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("syscall_filter_layout");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, names_are_unambiguous);
	tcase_add_loop_test(tcase, decides_as_libseccomp, 0, array_size(profiles));
	tcase_add_loop_test(tcase, decides_for_every_name, 0, 2);
	tcase_add_test(tcase, refuses_a_contradiction);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
