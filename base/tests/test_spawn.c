/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spawn.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct error err;
static struct spawn_result result;

static int run_script(const char *script, const char *input, int64_t timeout_ms)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "GREETING=hi", NULL };
	const struct spawn_request request = {
		.path = "/bin/sh",
		.argv = argv,
		.env = env,
		.cwd = "/",
		.umask = 027,
		.input = input,
		.input_size = input ? strlen(input) : 0,
		.timeout_ms = timeout_ms,
	};

	memset(&err, 0, sizeof(err));
	return spawn_run(&request, &result, &err);
}

/* One row per thing a program may do or see. */
static const struct {
	const char *script;
	const char *input;
	int exit_status;
	int signal;
	const char *output;
} runs[] = {
	{ "exit 0", "", 0, 0, "" },
	{ "exit 3", "", 3, 0, "" },
	{ "cat", "some input", 0, 0, "some input" },
	{ "echo out; echo err >&2", "", 0, 0, "out\nerr\n" },
	{ "pwd", "", 0, 0, "/\n" },
	{ "umask", "", 0, 0, "0027\n" },
	{ "echo $GREETING $HOME", "", 0, 0, "hi\n" },
	{ "kill -9 $$", "", -1, SIGKILL, "" },
	{ "kill -PIPE $$", "", -1, SIGPIPE, "" },
	{ "exec <&-; sleep 0.1", "never read", 0, 0, "" },
	{ "ps -o sid= -p $$ | grep -qw $$ && echo own session", "", 0, 0, "own session\n" },
	{ "grep -E '^Sig(Blk|Ign)' /proc/thread-self/status | tr -d '\\t' | tr '\\n' ' '", "", 0, 0,
		"SigBlk:0000000000000000 SigIgn:0000000000000000 " },
};

START_TEST(runs_and_reports)
{
	ck_assert_int_eq(run_script(runs[_i].script, runs[_i].input, 5000), 0);
	ck_assert_int_eq(result.has_timed_out, 0);
	ck_assert_int_eq(result.exit_status, runs[_i].exit_status);
	ck_assert_int_eq(result.signal, runs[_i].signal);
	ck_assert_str_eq(result.output, runs[_i].output);
}
END_TEST

START_TEST(passes_no_other_descriptor)
{
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as callers leave them */

	ck_assert_int_eq(run_script("ls /proc/self/fd | tr '\\n' ' '", "", 5000), 0);
	ck_assert_str_eq(result.output, "0 1 2 3 "); /* 3 is the directory that ls(1) reads */
	close(fd);
}
END_TEST

static char *make_big(size_t size)
{
	char *big = malloc(size + 1);

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', size);
	big[size] = '\0';
	return big;
}

START_TEST(feeds_more_than_a_pipe_holds)
{
	char *big = make_big(300000);

	ck_assert_int_eq(run_script("wc -c", big, 5000), 0);
	ck_assert_str_eq(result.output, "300000\n");
	free(big);
}
END_TEST

/* With SIGPIPE at its default, since nothing may rely on main() here. */
START_TEST(survives_input_that_is_never_read)
{
	char *big = make_big(300000);

	signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(run_script("exec <&-; exit 4", big, 5000), 0);
	ck_assert_int_eq(result.exit_status, 4);
	free(big);
}
END_TEST

START_TEST(keeps_the_end_of_the_output)
{
	ck_assert_int_eq(
		run_script("i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done", "", 5000), 0);
	ck_assert_uint_eq(result.output_size, SPAWN_OUTPUT_MAX);
	ck_assert_str_eq(result.output + SPAWN_OUTPUT_MAX - 8, "498\n499\n");
	ck_assert_int_eq(run_script("head -c 5000000 /dev/zero; echo end", "", 5000), 0);
	ck_assert_uint_eq(result.output_size, SPAWN_OUTPUT_MAX);
	ck_assert_str_eq(result.output + SPAWN_OUTPUT_MAX - 4, "end\n");
}
END_TEST

/* A zombie, which somebody's init may leave for a while, is not. */
static bool is_alive(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return line[0] && !strstr(line, ") Z");
}

START_TEST(kills_the_group_at_the_deadline)
{
	pid_t grandchild;

	ck_assert_int_eq(run_script("sleep 30 & echo $!; sleep 30", "", 300), 0);
	ck_assert_int_eq(result.has_timed_out, 1);
	ck_assert_int_eq(result.signal, SIGKILL);
	ck_assert_int_ge(result.duration_ms, 300);
	ck_assert_int_lt(result.duration_ms, 3000);
	grandchild = (pid_t)strtol(result.output, NULL, 10);
	for (int i = 0; i < 200 && is_alive(grandchild); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	ck_assert(!is_alive(grandchild));
}
END_TEST

START_TEST(kills_a_program_that_floods)
{
	ck_assert_int_eq(run_script("exec cat /dev/zero", "", 300), 0);
	ck_assert_int_eq(result.has_timed_out, 1);
	ck_assert_int_lt(result.duration_ms, 3000);
}
END_TEST

START_TEST(does_not_wait_for_who_keeps_the_pipe)
{
	ck_assert_int_eq(run_script("sleep 3 & echo done", "", 10000), 0);
	ck_assert_str_eq(result.output, "done\n");
	ck_assert_int_lt(result.duration_ms, 2000);
}
END_TEST

START_TEST(collects_output_apart)
{
	const char *const argv[] = { "sh", "-c", "echo out; echo err >&2", NULL };
	struct text output = { 0 };
	struct spawn_request request = {
		.path = "/bin/sh",
		.argv = argv,
		.output = &output,
		.output_max = 4,
	};

	memset(&err, 0, sizeof(err));
	ck_assert_int_eq(spawn_run(&request, &result, &err), 0);
	ck_assert_str_eq(output.data, "out\n");
	ck_assert_str_eq(result.output, "err\n");

	ck_assert_int_eq(spawn_run(&request, &result, &err), -1);
	ck_assert_str_eq(err.text, "'/bin/sh' wrote more than 4 bytes");
	text_release(&output);
}
END_TEST

static const struct {
	const char *path;
	const char *cwd;
	int sys_errno;
	const char *text;
} failures[] = {
	{ "/nonexistent/program", NULL, ENOENT, "execute '/nonexistent/program': not found" },
	{ "/etc/passwd", NULL, EACCES,
		"execute '/etc/passwd': the file has no execute permission for anyone" },
	{ "/etc", NULL, EACCES, "execute '/etc': it names a directory" },
	{ "/bin/true", "/nonexistent", ENOENT, "enter '/nonexistent': not found" },
};

START_TEST(says_why_it_could_not_start)
{
	const char *const argv[] = { "x", NULL };
	const struct spawn_request request = {
		.path = failures[_i].path,
		.argv = argv,
		.cwd = failures[_i].cwd,
	};

	memset(&err, 0, sizeof(err));
	ck_assert_int_eq(spawn_run(&request, &result, &err), -1);
	ck_assert_int_eq(err.sys_errno, failures[_i].sys_errno);
	ck_assert_str_eq(err.text, failures[_i].text);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(leaves_no_descriptor_open)
{
	int before = dup(0), after;

	close(before);
	ck_assert_int_eq(run_script("exit 0", "x", 1000), 0);
	after = dup(0);
	close(after);
	ck_assert_int_eq(before, after);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spawn");
	TCase *tests = tcase_create("spawn");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, runs_and_reports, 0, (int)array_size(runs));
	tcase_add_test(tests, passes_no_other_descriptor);
	tcase_add_test(tests, feeds_more_than_a_pipe_holds);
	tcase_add_test(tests, survives_input_that_is_never_read);
	tcase_add_test(tests, keeps_the_end_of_the_output);
	tcase_add_test(tests, kills_the_group_at_the_deadline);
	tcase_add_test(tests, kills_a_program_that_floods);
	tcase_add_test(tests, does_not_wait_for_who_keeps_the_pipe);
	tcase_add_test(tests, collects_output_apart);
	tcase_add_loop_test(tests, says_why_it_could_not_start, 0, (int)array_size(failures));
	tcase_add_test(tests, leaves_no_descriptor_open);
	tcase_set_timeout(tests, 20);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
