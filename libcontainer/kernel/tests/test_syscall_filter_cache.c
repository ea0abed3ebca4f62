/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/kernel/syscall_filter.h"
#include "libcontainer/kernel/tests/seccomp_profile.h"
#include "libcontainer/kernel/tests/suite.h"

#define RULE(names, rest) "{\"names\":[" names "],\"action\":\"SCMP_ACT_" rest "}"
#define PROFILE(action, more, rules) \
	"{\"defaultAction\":\"SCMP_ACT_" action "\"" more ",\"syscalls\":[" rules "]}"
#define ARCHS(archs) "\"architectures\":[" archs "]"
#define ARG(index, op, value, more) \
	"{\"index\":" index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" value more "}"

/* Each differs from the first in one thing alone, which a key must tell. */
static const char *const profiles[] = {
	PROFILE("ALLOW", "", RULE("\"read\",\"write\"", "ERRNO\"")),
	PROFILE("LOG", "", RULE("\"read\",\"write\"", "ERRNO\"")),
	PROFILE("ALLOW", "," ARCHS("\"SCMP_ARCH_X86\""), RULE("\"read\",\"write\"", "ERRNO\"")),
	PROFILE("ALLOW", "," ARCHS("\"SCMP_ARCH_X86_64\""), RULE("\"read\",\"write\"", "ERRNO\"")),
	PROFILE("ALLOW", "", RULE("\"read\",\"writev\"", "ERRNO\"")),
	PROFILE("ALLOW", "", RULE("\"read\"", "ERRNO\"") "," RULE("\"write\"", "ERRNO\"")),
	PROFILE("ALLOW", "", RULE("\"readwrite\"", "ERRNO\"")),
	PROFILE("ALLOW", "", RULE("\"read\",\"write\"", "KILL\"")),
	PROFILE("ALLOW", "", RULE("\"read\",\"write\"", "ERRNO\",\"errnoRet\":1")),
	PROFILE("ALLOW", "", RULE("\"read\",\"write\"", "ERRNO\",\"errnoRet\":2")),
	PROFILE("ALLOW", "",
		RULE("\"read\",\"write\"", "ERRNO\",\"args\":[" ARG("0", "EQ", "1", "") "]")),
	PROFILE("ALLOW", "",
		RULE("\"read\",\"write\"", "ERRNO\",\"args\":[" ARG("1", "EQ", "1", "") "]")),
	PROFILE("ALLOW", "",
		RULE("\"read\",\"write\"", "ERRNO\",\"args\":[" ARG("0", "NE", "1", "") "]")),
	PROFILE("ALLOW", "",
		RULE("\"read\",\"write\"", "ERRNO\",\"args\":[" ARG("0", "EQ", "2", "") "]")),
	PROFILE("ALLOW", "",
		RULE("\"read\",\"write\"",
			"ERRNO\",\"args\":[" ARG("0", "EQ", "1", ",\"valueTwo\":3") "]")),
	PROFILE("ERRNO", "", ""),
	PROFILE("ERRNO", ",\"defaultErrnoRet\":1", ""),
	PROFILE("ERRNO", ",\"defaultErrnoRet\":38", ""),
};

static struct error err;
static int dir;

static void set_up(void)
{
	dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
}

/* Nothing else is left in the directory. */
static void tear_down(void)
{
	char name[24];

	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "%d", i);
		(void)unlinkat(dir, name, 0);
	}
	close(dir);
	snprintf(name, sizeof(name), "../%d", (int)getpid());
	ck_assert_int_eq(rmdir(name), 0);
}

static struct text key_of(const char *json)
{
	struct text key = { 0 };

	suite_assert_done(syscall_filter_cache_key(json, strlen(json), &key, &err), err);
	return key;
}

START_TEST(every_difference_is_in_the_key)
{
	cleanup_text struct text own = key_of(profiles[_i]);

	for (int i = 0; i < (int)array_size(profiles); i++) {
		cleanup_text struct text other = key_of(profiles[i]);
		bool is_equal =
			own.length == other.length && !memcmp(own.data, other.data, own.length);

		ck_assert_msg(is_equal == (i == _i), "'%s' and '%s'", profiles[_i], profiles[i]);
	}
}
END_TEST

#define FLAGS 6U

static const struct sock_filter code[] = { { 6, 0, 0, 0x7fff0000 }, { 6, 0, 0, 0x50001 } };

static bool find(const struct text *key)
{
	struct sock_filter *found;
	unsigned flags;
	size_t length;
	bool is_equal;

	if (!syscall_filter_cache_find(dir, key, &found, &length, &flags))
		return false;
	is_equal =
		length == array_size(code) && !memcmp(found, code, sizeof(code)) && flags == FLAGS;
	free(found);
	ck_assert(is_equal);
	return true;
}

/* The only file in the directory. */
static void find_file(char ret_name[static 16])
{
	for (int i = 0; i < 64; i++) {
		snprintf(ret_name, 16, "%d", i);
		if (faccessat(dir, ret_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return;
	}
	ck_abort_msg("nothing was kept");
}

START_TEST(finds_what_was_kept_and_nothing_else)
{
	cleanup_text struct text key = key_of(profiles[0]), other = key_of(profiles[1]);

	ck_assert(!find(&key));
	syscall_filter_cache_keep(dir, &key, code, array_size(code), FLAGS);
	ck_assert(find(&key));
	ck_assert(!find(&other));
}
END_TEST

/* The digest only chooses the file: two keys in one file are told apart. */
START_TEST(another_key_in_the_same_file_is_not_taken)
{
	cleanup_text struct text key = key_of(profiles[0]), other = key_of(profiles[1]);
	char name[16], other_name[16];

	syscall_filter_cache_keep(dir, &key, code, array_size(code), FLAGS);
	find_file(name);
	for (int i = 0; i < 64; i++) {
		snprintf(other_name, sizeof(other_name), "%d", i);
		if (strcmp(name, other_name) != 0)
			ck_assert_int_eq(linkat(dir, name, dir, other_name, 0), 0);
	}
	ck_assert(!find(&other));
	ck_assert(find(&key));
}
END_TEST

START_TEST(damage_is_noticed_at_every_byte)
{
	cleanup_text struct text key = key_of(profiles[0]), file = { 0 };
	char name[16];

	syscall_filter_cache_keep(dir, &key, code, array_size(code), FLAGS);
	find_file(name);
	suite_assert_done(file_read_at(dir, name, 1 << 20, &file, &err), err);
	for (size_t i = 0; i < file.length; i++) {
		file.data[i] ^= 0x10;
		suite_assert_done(
			file_replace_at(dir, name, file.data, file.length, 0600, &err), err);
		ck_assert_msg(!find(&key), "byte %zu of %zu", i, file.length);
		file.data[i] ^= 0x10;
		suite_assert_done(file_replace_at(dir, name, file.data, i, 0600, &err), err);
		ck_assert_msg(!find(&key), "cut at byte %zu", i);
	}
	suite_assert_done(file_replace_at(dir, name, file.data, file.length, 0600, &err), err);
	ck_assert(find(&key));
}
END_TEST

START_TEST(only_ones_own_file_is_taken)
{
	cleanup_text struct text key = key_of(profiles[0]);
	char name[16];

	if (geteuid() != 0)
		return;
	syscall_filter_cache_keep(dir, &key, code, array_size(code), FLAGS);
	find_file(name);
	ck_assert_int_eq(fchmodat(dir, name, 0620, 0), 0);
	ck_assert(!find(&key));
	ck_assert_int_eq(fchmodat(dir, name, 0600, 0), 0);
	ck_assert_int_eq(fchownat(dir, name, 54321, 54321, 0), 0);
	ck_assert(!find(&key));
	ck_assert_int_eq(fchownat(dir, name, 0, 0, 0), 0);
	ck_assert(find(&key));
	ck_assert_int_eq(renameat(dir, name, dir, "elsewhere"), 0);
	ck_assert_int_eq(symlinkat("elsewhere", dir, name), 0);
	ck_assert(!find(&key));
	ck_assert_int_eq(unlinkat(dir, "elsewhere", 0), 0);
	ck_assert_int_eq(unlinkat(dir, name, 0), 0);
	ck_assert_int_eq(mkfifoat(dir, name, 0600), 0);
	ck_assert(!find(&key));
}
END_TEST

static struct text own_key(const struct spec_document *document)
{
	struct text key = { 0 };
	size_t size;
	const char *text = spec_document_seccomp_text(document, &size);

	suite_assert_done(syscall_filter_cache_key(text, size, &key, &err), err);
	return key;
}

/* What comes out of the cache is what compiling gives, and it is the cache that it comes from. */
START_TEST(a_filter_is_prepared_from_it)
{
	struct seccomp_profile profile = seccomp_profile_parse(profiles[0]);
	cleanup_text struct text key = own_key(profile.document);
	struct syscall_filter first, second, planted;

	suite_assert_done(syscall_filter_prepare(profile.document, dir, &first, &err), err);
	suite_assert_done(syscall_filter_prepare(profile.document, dir, &second, &err), err);
	ck_assert_uint_eq(first.length, second.length);
	ck_assert_mem_eq(first.code, second.code, first.length * sizeof(*first.code));
	ck_assert_uint_eq(first.flags, second.flags);
	syscall_filter_cache_keep(dir, &key, code, array_size(code), FLAGS);
	suite_assert_done(syscall_filter_prepare(profile.document, dir, &planted, &err), err);
	ck_assert_uint_eq(planted.length, array_size(code));
	ck_assert_uint_eq(planted.flags, FLAGS);
	syscall_filter_release(&first);
	syscall_filter_release(&second);
	syscall_filter_release(&planted);
	seccomp_profile_free(&profile);
}
END_TEST

/*
 * A config whose profile is only seen when all of it is read, and whose whole
 * text was the profile of another one.
 */
START_TEST(a_config_is_no_profile)
{
	static const char config[] =
		"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{\"secc\\u006fmp\":"
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\"}},\"defaultAction\":\"SCMP_ACT_ALLOW\"}";
	struct seccomp_profile other = seccomp_profile_parse(config);
	struct spec_document *document;
	const struct spec *spec;
	struct syscall_filter allowing, filter;
	char path[64];
	int fd = memfd_create("config", 0);

	ck_assert_int_eq(write(fd, config, strlen(config)), (ssize_t)strlen(config));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	suite_assert_done(spec_load(AT_FDCWD, path, &document, &spec, &err), err);
	suite_assert_done(syscall_filter_prepare(other.document, dir, &allowing, &err), err);
	suite_assert_done(syscall_filter_prepare(document, dir, &filter, &err), err);
	ck_assert(allowing.length != filter.length ||
		  memcmp(allowing.code, filter.code, filter.length * sizeof(*filter.code)) != 0);
	syscall_filter_release(&allowing);
	syscall_filter_release(&filter);
	seccomp_profile_free(&other);
	spec_document_free(document);
	close(fd);
}
END_TEST

/* A process that was born meanwhile has it when its parent has. */
START_TEST(one_that_is_begun_is_had_by_children)
{
	struct seccomp_profile profile = seccomp_profile_parse(profiles[0]);
	struct syscall_filter filter;
	int go[2], status;
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(go), 0);
	suite_assert_done(syscall_filter_begin(profile.document, dir, &filter, &err), err);
	ck_assert(syscall_filter_is_pending(&filter));
	pid = fork();
	if (pid == 0) {
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		syscall_filter_take(&filter);
		_exit(syscall_filter_is_pending(&filter) || !filter.length);
	}
	suite_assert_done(syscall_filter_finish(&filter, &err), err);
	ck_assert(!syscall_filter_is_pending(&filter));
	ck_assert_int_eq(write(go[1], "x", 1), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	syscall_filter_release(&filter);
	seccomp_profile_free(&profile);
}
END_TEST

/* Who has an agent is asked about it each time. */
START_TEST(one_with_an_agent_is_not_kept)
{
	struct seccomp_profile profile = seccomp_profile_parse(PROFILE(
		"ALLOW", ",\"listenerPath\":\"/run/agent\"", RULE("\"mkdir\"", "NOTIFY\"")));
	cleanup_text struct text key = own_key(profile.document);
	struct syscall_filter filter;

	suite_assert_done(syscall_filter_prepare(profile.document, dir, &filter, &err), err);
	ck_assert(filter.needs_listener);
	ck_assert(!find(&key));
	syscall_filter_release(&filter);
	seccomp_profile_free(&profile);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("syscall filter cache");

	suite_use_folders(tests);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, every_difference_is_in_the_key, 0, array_size(profiles));
	tcase_add_test(tests, finds_what_was_kept_and_nothing_else);
	tcase_add_test(tests, another_key_in_the_same_file_is_not_taken);
	tcase_add_test(tests, damage_is_noticed_at_every_byte);
	tcase_add_test(tests, only_ones_own_file_is_taken);
	tcase_add_test(tests, a_filter_is_prepared_from_it);
	tcase_add_test(tests, a_config_is_no_profile);
	tcase_add_test(tests, one_that_is_begun_is_had_by_children);
	tcase_add_test(tests, one_with_an_agent_is_not_kept);
	return suite_run(tests);
}
