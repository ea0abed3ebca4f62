/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_newer.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>

#include "base/attributes.h"
#include "libcontainer/kernel/tests/seccomp_compare.h"
#include "libcontainer/kernel/tests/seccomp_profile.h"
#include "libcontainer/kernel/tests/suite.h"

#define X32(number) (SYSCALL_FILTER_X32_BIT | (number))

#define DENIED     (SECCOMP_RET_ERRNO | EPERM)
#define NEWER      (SECCOMP_RET_ERRNO | ENOSYS)
#define OTHER_ARCH SECCOMP_RET_KILL_THREAD
#define ALLOWED    SECCOMP_RET_ALLOW
#define NATIVE     0

/* faccessat2 is 439, or 4439, 5439 and 6439; ioctl is 16 on x86_64, 54 on x86, 514 on x32. */
#define ALLOW(names)              "{\"names\":[" names "],\"action\":\"SCMP_ACT_ALLOW\"}"
#define SOME                      ALLOW("\"read\",\"ioctl\",\"faccessat2\"")
#define WITH(first, rules)        "{" first ",\"syscalls\":[" rules "]}"
#define DEFAULT(word)             "\"defaultAction\":\"SCMP_ACT_" word "\""
#define THREE                     "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"]"
#define ONE(word)                 "\"architectures\":[\"SCMP_ARCH_" word "\"]"
#define BY_ERRNO(rules)           WITH(DEFAULT("ERRNO") "," THREE, rules)
#define BY_ERRNO_OF(archs, rules) WITH(DEFAULT("ERRNO") "," archs, rules)

struct want {
	uint32_t arch, number, action;
};

static const struct row {
	const char *profile;
	struct want wants[16]; /* ends with one that has no action, arch and number */
} rows[] = {
	{ BY_ERRNO(SOME),
		{ { AUDIT_ARCH_X86_64, 0, ALLOWED }, { AUDIT_ARCH_X86_64, 438, DENIED },
			{ AUDIT_ARCH_X86_64, 439, ALLOWED }, { AUDIT_ARCH_X86_64, 440, NEWER },
			{ AUDIT_ARCH_X86_64, 4095, NEWER },
			{ AUDIT_ARCH_X86_64, X32(0) - 1, NEWER },
			{ AUDIT_ARCH_RISCV64, 440, OTHER_ARCH } } },
	{ BY_ERRNO(SOME),
		{ { AUDIT_ARCH_X86_64, X32(0), ALLOWED }, { AUDIT_ARCH_X86_64, X32(1), DENIED },
			{ AUDIT_ARCH_X86_64, X32(439), ALLOWED },
			{ AUDIT_ARCH_X86_64, X32(440), NEWER },
			{ AUDIT_ARCH_X86_64, X32(511), NEWER },
			{ AUDIT_ARCH_X86_64, X32(512), DENIED }, /* rt_sigaction */
			{ AUDIT_ARCH_X86_64, X32(514), ALLOWED },
			{ AUDIT_ARCH_X86_64, X32(547), DENIED }, /* pwritev2 */
			{ AUDIT_ARCH_X86_64, X32(548), NEWER },
			{ AUDIT_ARCH_X86_64, UINT32_MAX, NEWER } } },
	{ BY_ERRNO(SOME),
		{ { AUDIT_ARCH_I386, 3, ALLOWED }, { AUDIT_ARCH_I386, 4, DENIED },
			{ AUDIT_ARCH_I386, 439, ALLOWED }, { AUDIT_ARCH_I386, 440, NEWER },
			{ AUDIT_ARCH_I386, UINT32_MAX, NEWER } } },
	{ BY_ERRNO_OF(ONE("X86_64"), SOME),
		{ { AUDIT_ARCH_X86_64, 438, DENIED }, { AUDIT_ARCH_X86_64, 440, NEWER } } },
	/* The machine's own is there without a word. */
	{ WITH(DEFAULT("ERRNO"), SOME), { { NATIVE, 438, DENIED }, { NATIVE, 440, NEWER } } },
	/* Whatever the default action is, unless it lets calls through. */
	{ WITH(DEFAULT("KILL") "," THREE, SOME),
		{ { AUDIT_ARCH_X86_64, 438, SECCOMP_RET_KILL_THREAD },
			{ AUDIT_ARCH_X86_64, 440, NEWER }, { AUDIT_ARCH_I386, 440, NEWER },
			{ AUDIT_ARCH_X86_64, X32(440), NEWER } } },
	{ WITH(DEFAULT("KILL_PROCESS") "," ONE("X86_64"), SOME),
		{ { AUDIT_ARCH_X86_64, 438, SECCOMP_RET_KILL_PROCESS },
			{ AUDIT_ARCH_X86_64, 440, NEWER } } },
	{ WITH(DEFAULT("TRAP") "," THREE, SOME), { { AUDIT_ARCH_X86_64, 438, SECCOMP_RET_TRAP },
							 { AUDIT_ARCH_X86_64, 440, NEWER } } },
	{ WITH(DEFAULT("ERRNO") ",\"defaultErrnoRet\":13," THREE, SOME),
		{ { AUDIT_ARCH_X86_64, 438, SECCOMP_RET_ERRNO | 13 },
			{ AUDIT_ARCH_X86_64, 440, NEWER } } },
	{ WITH(DEFAULT("ERRNO") ",\"defaultErrnoRet\":38," THREE, SOME),
		{ { AUDIT_ARCH_X86_64, 438, NEWER }, { AUDIT_ARCH_X86_64, 440, NEWER },
			{ AUDIT_ARCH_X86_64, X32(512), NEWER } } },
	{ WITH(DEFAULT("ALLOW") "," THREE, "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\"}"),
		{ { AUDIT_ARCH_X86_64, 0, DENIED }, { AUDIT_ARCH_X86_64, 440, ALLOWED },
			{ AUDIT_ARCH_X86_64, X32(440), ALLOWED },
			{ AUDIT_ARCH_I386, 440, ALLOWED } } },
	{ WITH(DEFAULT("LOG") "," THREE, SOME), { { AUDIT_ARCH_X86_64, 440, SECCOMP_RET_LOG } } },
	{ WITH(DEFAULT("TRACE") "," THREE, SOME),
		{ { AUDIT_ARCH_X86_64, 440, SECCOMP_RET_TRACE | EPERM } } },
	/* A profile knows what it names, also where that changes nothing, or with conditions. */
	{ BY_ERRNO(ALLOW("\"read\"") ",{\"names\":[\"faccessat2\"],\"action\":\"SCMP_ACT_ERRNO\"}"),
		{ { AUDIT_ARCH_X86_64, 438, DENIED }, { AUDIT_ARCH_X86_64, 439, DENIED },
			{ AUDIT_ARCH_X86_64, 440, NEWER }, { AUDIT_ARCH_X86_64, X32(439), DENIED },
			{ AUDIT_ARCH_X86_64, X32(440), NEWER }, { AUDIT_ARCH_I386, 439, DENIED },
			{ AUDIT_ARCH_I386, 440, NEWER } } },
	{ BY_ERRNO(
		  "{\"names\":[\"faccessat2\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,"
		  "\"op\":\"SCMP_CMP_EQ\",\"value\":7}]}"),
		{ { AUDIT_ARCH_X86_64, 438, DENIED }, { AUDIT_ARCH_X86_64, 439, DENIED },
			{ AUDIT_ARCH_X86_64, 440, NEWER }, { AUDIT_ARCH_I386, 440, NEWER } } },
	/* Nothing is newer than a profile that knows nothing. */
	{ BY_ERRNO(""), { { AUDIT_ARCH_X86_64, 0, DENIED }, { AUDIT_ARCH_X86_64, 4095, DENIED },
				{ AUDIT_ARCH_I386, 4095, DENIED },
				{ AUDIT_ARCH_X86_64, X32(4095), DENIED } } },
	{ BY_ERRNO(ALLOW("\"no_such_call\"")),
		{ { AUDIT_ARCH_X86_64, 0, DENIED }, { AUDIT_ARCH_X86_64, 4095, DENIED } } },
	{ BY_ERRNO_OF(ONE("X86_64"), ALLOW("\"waitpid\"")), /* not of x86_64 */
		{ { AUDIT_ARCH_X86_64, 0, DENIED }, { AUDIT_ARCH_X86_64, 4095, DENIED } } },
	/* Calls of a shared number are known under it, and under the number they have since. */
	{ BY_ERRNO(ALLOW("\"read\",\"socketcall\"")),
		{ { AUDIT_ARCH_I386, 4, DENIED }, { AUDIT_ARCH_I386, 102, ALLOWED },
			{ AUDIT_ARCH_I386, 103, NEWER }, { AUDIT_ARCH_X86_64, 1, NEWER } } },
	{ BY_ERRNO(ALLOW("\"read\",\"socket\"")),
		{ { AUDIT_ARCH_I386, 4, DENIED }, { AUDIT_ARCH_I386, 102, DENIED },
			{ AUDIT_ARCH_I386, 359, ALLOWED }, { AUDIT_ARCH_I386, 440, NEWER } } },
	/* Numbers apart, and numbers that begin elsewhere. */
	{ BY_ERRNO_OF(ONE("ARM"), ALLOW("\"read\",\"faccessat2\"")),
		{ { AUDIT_ARCH_ARM, 438, DENIED }, { AUDIT_ARCH_ARM, 440, NEWER },
			{ AUDIT_ARCH_ARM, 0xeffff, NEWER }, { AUDIT_ARCH_ARM, 0xf0001, DENIED },
			{ AUDIT_ARCH_ARM, 0xf0005, DENIED },
			{ AUDIT_ARCH_ARM, UINT32_MAX, DENIED } } },
	{ BY_ERRNO_OF(ONE("ARM"), ALLOW("\"read\",\"faccessat2\",\"breakpoint\"")),
		{ { AUDIT_ARCH_ARM, 440, NEWER }, { AUDIT_ARCH_ARM, 0xeffff, NEWER },
			{ AUDIT_ARCH_ARM, 0xf0001, ALLOWED },
			{ AUDIT_ARCH_ARM, 0xf0002, DENIED } } },
	{ BY_ERRNO_OF(ONE("MIPSEL"), SOME),
		{ { AUDIT_ARCH_MIPSEL, 100, DENIED }, { AUDIT_ARCH_MIPSEL, 4438, DENIED },
			{ AUDIT_ARCH_MIPSEL, 4439, ALLOWED },
			{ AUDIT_ARCH_MIPSEL, 4440, NEWER } } },
	{ BY_ERRNO_OF(ONE("MIPSEL64"), SOME),
		{ { AUDIT_ARCH_MIPSEL64, 440, DENIED }, { AUDIT_ARCH_MIPSEL64, 5438, DENIED },
			{ AUDIT_ARCH_MIPSEL64, 5440, NEWER } } },
	{ BY_ERRNO_OF(ONE("MIPSEL64N32"), SOME),
		{ { AUDIT_ARCH_MIPSEL64N32, 5440, DENIED },
			{ AUDIT_ARCH_MIPSEL64N32, 6438, DENIED },
			{ AUDIT_ARCH_MIPSEL64N32, 6440, NEWER } } },
	/* An architecture of whose calls none is named has no newer ones either. */
	{ BY_ERRNO_OF(ONE("AARCH64"), ALLOW("\"arch_prctl\"")),
		{ { AUDIT_ARCH_AARCH64, 5000, DENIED } } },
};

START_TEST(answers_newer_numbers)
{
	struct seccomp_profile profile = seccomp_profile_parse(rows[_i].profile);
	struct seccomp_program program = seccomp_compile(profile.seccomp);

	for (size_t i = 0; i < array_size(rows[_i].wants); i++) {
		const struct want *want = &rows[_i].wants[i];
		uint32_t arch = want->arch == NATIVE ? seccomp_arch_native() : want->arch;
		uint32_t action;

		if (!want->arch && !want->number && !want->action)
			break;
		action = seccomp_action(&program, arch, want->number);
		ck_assert_msg(action == want->action, "%s: number %#x of %08x: %08x, not %08x",
			rows[_i].profile, want->number, arch, action, want->action);
	}
	free(program.code);
	seccomp_profile_free(&profile);
}
END_TEST

/* Of programs this long ours would be longer than the kernel takes (BPF_MAXINSNS). */
#define LONG_NAMES       180
#define LONG_NAMES_THREE 110

static char *long_profile(const char *archs, size_t n_names)
{
	char *json = NULL;
	size_t size, count = 0;
	FILE *file = open_memstream(&json, &size);

	ck_assert_ptr_nonnull(file);
	fprintf(file, "{" DEFAULT("ERRNO") ",%s,\"syscalls\":[", archs);
	for (int number = 0; count < n_names; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);

		for (int i = 0; name && i < 3; i++)
			fprintf(file,
				"%s{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
				"{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":%d},"
				"{\"index\":1,\"op\":\"SCMP_CMP_GT\",\"value\":%llu}]}",
				count || i ? "," : "", name, number * 7 + i,
				(unsigned long long)(number * 7 + i) << 33);
		count += name ? 1 : 0;
		free(name);
	}
	fprintf(file, "]}");
	fclose(file);
	return json;
}

START_TEST(answers_before_a_program_of_libseccomp)
{
	char *json = long_profile(ONE("X86_64"), LONG_NAMES);
	struct seccomp_profile profile = seccomp_profile_parse(json);
	struct seccomp_program program = seccomp_compile(profile.seccomp);
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64, .args = { 0, 1 } };

	ck_assert_msg(program.length > BPF_MAXINSNS - 100, "%zu are not long", program.length);
	ck_assert_uint_eq(seccomp_emulate(&program, &data).action, ALLOWED);
	data.args[0] = 3;
	ck_assert_uint_eq(seccomp_emulate(&program, &data).action, DENIED);
	ck_assert_uint_eq(seccomp_action(&program, AUDIT_ARCH_X86_64, 1), DENIED);
	ck_assert_uint_eq(seccomp_action(&program, AUDIT_ARCH_X86_64, 440), NEWER);
	ck_assert_uint_eq(seccomp_action(&program, AUDIT_ARCH_X86_64, X32(0) - 1), NEWER);
	ck_assert_uint_eq(seccomp_action(&program, AUDIT_ARCH_X86_64, X32(0)), OTHER_ARCH);
	ck_assert_uint_eq(seccomp_action(&program, AUDIT_ARCH_I386, 440), OTHER_ARCH);
	free(program.code);
	seccomp_profile_free(&profile);
	free(json);
}
END_TEST

/* Each architecture has its own answers, and x32 those of the numbers that are its alone. */
START_TEST(answers_before_a_program_for_three)
{
	/* What the rules for read, rt_sigaction and ioctl ask of the first argument. */
	enum { READ, RT_SIGACTION = 13 * 7, IOCTL = 16 * 7 };
	static const struct {
		struct want want;
		uint64_t first;
	} rows_of_three[] = {
		{ { AUDIT_ARCH_X86_64, 16, ALLOWED }, IOCTL },
		{ { AUDIT_ARCH_X86_64, 440, NEWER }, 0 },
		{ { AUDIT_ARCH_X86_64, X32(0), ALLOWED }, READ },
		{ { AUDIT_ARCH_X86_64, X32(0), DENIED }, IOCTL },
		{ { AUDIT_ARCH_X86_64, X32(440), NEWER }, 0 },
		{ { AUDIT_ARCH_X86_64, X32(511), NEWER }, 0 },
		{ { AUDIT_ARCH_X86_64, X32(512), ALLOWED }, RT_SIGACTION },
		{ { AUDIT_ARCH_X86_64, X32(514), ALLOWED }, IOCTL },
		{ { AUDIT_ARCH_X86_64, X32(514), DENIED }, READ },
		{ { AUDIT_ARCH_X86_64, X32(547), DENIED }, 0 },
		{ { AUDIT_ARCH_X86_64, X32(548), NEWER }, 0 },
		{ { AUDIT_ARCH_I386, 54, ALLOWED }, IOCTL },
		{ { AUDIT_ARCH_I386, 440, NEWER }, 0 },
		{ { AUDIT_ARCH_RISCV64, 440, OTHER_ARCH }, 0 },
	};
	char *json = long_profile(THREE, LONG_NAMES_THREE);
	struct seccomp_profile profile = seccomp_profile_parse(json);
	struct seccomp_program program = seccomp_compile(profile.seccomp);

	ck_assert_msg(program.length > BPF_MAXINSNS - 100, "%zu are not long", program.length);
	for (size_t i = 0; i < array_size(rows_of_three); i++) {
		const struct want *want = &rows_of_three[i].want;
		struct seccomp_data data = { .nr = (int)want->number,
			.arch = want->arch,
			.args = { rows_of_three[i].first, UINT64_MAX } };
		uint32_t action = seccomp_emulate(&program, &data).action;

		ck_assert_msg(action == want->action, "number %#x of %08x: %08x, not %08x",
			want->number, want->arch, action, want->action);
	}
	free(program.code);
	seccomp_profile_free(&profile);
	free(json);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("syscall_filter_newer");

	tcase_set_timeout(tests, 300);
	tcase_add_loop_test(tests, answers_newer_numbers, 0, array_size(rows));
	tcase_add_test(tests, answers_before_a_program_of_libseccomp);
	tcase_add_test(tests, answers_before_a_program_for_three);
	return suite_run(tests);
}
