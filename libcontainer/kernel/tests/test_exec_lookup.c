/* SPDX-License-Identifier: Apache-2.0 */
/* exec_lookup.c, exec_explain.c and base/exec_examine.c: what is run, and why it can't be. */
#include "libcontainer/kernel/exec_lookup.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/suite.h"

static struct error err;

static void make_file(const char *name, mode_t mode, const void *content, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

/* What the kernel itself says to an execve(2) of NAME: the errno, or 0 when it ran. */
static int try_to_execute(const char *name)
{
	int status, result[2], cause = 0;
	pid_t pid;

	ck_assert_int_eq(pipe2(result, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		execl(name, name, (char *)NULL);
		cause = errno;
		_exit(write(result[1], &cause, sizeof(cause)) < 0);
	}
	close(result[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (read(result[0], &cause, sizeof(cause)) != sizeof(cause))
		cause = 0;
	close(result[0]);
	return cause;
}

/* As the last line of init would: execve(2) fails, and it is explained. */
static void assert_explained(const char *name, const char *text)
{
	struct exec_findings findings;
	int cause = try_to_execute(name);

	err = (struct error){ 0 };
	ck_assert_int_ne(cause, 0);
	exec_examine(name, &findings);
	ck_assert_int_eq(exec_explain(name, cause, &findings, &err), -1);
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.kind, ERROR_COMMAND);
	err = (struct error){ 0 };
	exec_explain(name, cause, NULL, &err);
	ck_assert_str_eq(err.text, text);
}

static const struct {
	const char *content;
	const char *text;
	mode_t mode;
} files[] = {
	{ "#!/bin/no-such-shell -e\n",
		"exec: \"./file\": it is a script whose interpreter '/bin/no-such-shell' is missing: "
		"no such file or directory",
		0755 },
	{ "#! \t/bin/sh\r\necho\r\n",
		"exec: \"./file\": its \"#!\" line ends with a carriage return after '/bin/sh', as on "
		"Windows: no such file or directory",
		0755 },
	{ "#!/etc/passwd\n",
		"exec: \"./file\": its interpreter '/etc/passwd' may not be executed: permission "
		"denied",
		0755 },
	{ "#!\n", "exec: \"./file\": its \"#!\" line names no interpreter: exec format error",
		0755 },
	{ "echo hello\n",
		"exec: \"./file\": it is a text file without a \"#!\" line: exec format error",
		0755 },
	{ "", "exec: \"./file\": the file is empty: exec format error", 0755 },
	{ "\001\002\003 stuff", "exec: \"./file\": the file's format is unknown: exec format error",
		0755 },
	{ "#!/bin/sh\n",
		"exec: \"./file\": the file has no execute permission for anyone: permission denied",
		0644 },
	{ "\177ELF", "exec: \"./file\": it is an ELF file, but no valid program: exec format error",
		0755 },
	{ "#!/bin/\x1b[31mred\n",
		"exec: \"./file\": it is a script whose interpreter '/bin/?[31mred' is missing: no such "
		"file or directory",
		0755 },
};

START_TEST(files_are_explained)
{
	make_file("file", files[_i].mode, files[_i].content, strlen(files[_i].content));
	assert_explained("./file", files[_i].text);
}
END_TEST

START_TEST(other_obstacles_are_explained)
{
	static const char zeros[512]; /* what a crash of the host may leave of a file */

	make_file("zeros", 0755, zeros, sizeof(zeros));
	assert_explained(
		"./zeros", "exec: \"./zeros\": the file's format is unknown: exec format error");
	ck_assert_int_eq(mkdir("dir", 0755), 0);
	ck_assert_int_eq(mkfifo("fifo", 0755), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	assert_explained("./missing", "exec: \"./missing\": no such file or directory");
	assert_explained("./dir", "exec: \"./dir\": it is a directory: permission denied");
	assert_explained("./fifo", "exec: \"./fifo\": it is not a regular file: permission denied");
	assert_explained("./dangling",
		"exec: \"./dangling\": it is a symbolic link to 'nowhere', which is missing: no such "
		"file or directory");
}
END_TEST

START_TEST(noexec_mounts_are_explained)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir("mnt", 0755), 0);
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", "mnt", "tmpfs", MS_NOEXEC, NULL), 0);
	make_file("mnt/file", 0755, "#!/bin/sh\n", 10);
	assert_explained("./mnt/file",
		"exec: \"./mnt/file\": it lies on a mount with the option noexec: permission denied");
}
END_TEST

/* A 64-bit ELF file for this machine, whose only segment names LOADER. */
struct elf_file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	char loader[64];
};

static struct elf_file make_elf(const char *loader)
{
	struct elf_file file = { 0 };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	/* Class, data and machine are those of this test. */
	ck_assert_int_eq(pread(fd, &file.header, sizeof(file.header), 0), sizeof(file.header));
	close(fd);
	file.header.e_type = ET_DYN;
	file.header.e_phoff = offsetof(struct elf_file, segment);
	file.header.e_phnum = 1;
	file.header.e_phentsize = sizeof(file.segment);
	file.segment.p_type = PT_INTERP;
	file.segment.p_offset = offsetof(struct elf_file, loader);
	file.segment.p_filesz = strlen(loader) + 1;
	snprintf(file.loader, sizeof(file.loader), "%s", loader);
	return file;
}

START_TEST(a_missing_loader_is_named)
{
	struct elf_file file = make_elf("/lib/ld-kogg.so.1");

	make_file("file", 0755, &file, sizeof(file));
	assert_explained("./file",
		"exec: \"./file\": it is a program whose ELF loader '/lib/ld-kogg.so.1' is missing: no "
		"such file or directory");
	ck_assert_str_ne(err.hint, "");
}
END_TEST

START_TEST(another_machine_is_named)
{
	static const struct {
		unsigned machine;
		const char *name;
	} others[] = { { EM_AARCH64, "aarch64" }, { EM_S390, "s390x" },
		{ 4711, "machine number 4711" } };
	struct elf_file file = make_elf("/bin/sh");
	char text[128];

	if (file.header.e_machine == others[_i].machine)
		return;
	file.header.e_machine = (Elf64_Half)others[_i].machine;
	make_file("file", 0755, &file, sizeof(file));
	snprintf(text, sizeof(text),
		"exec: \"./file\": it is a program built for %s: exec format error",
		others[_i].name);
	assert_explained("./file", text);
}
END_TEST

START_TEST(another_byte_order_is_named)
{
	struct elf_file file = make_elf("/bin/sh");

	file.header.e_ident[EI_DATA] = ELFDATA2MSB;
	file.header.e_type = 0x0200;
	file.header.e_machine = 0x1600;
	make_file("file", 0755, &file, sizeof(file));
	assert_explained(
		"./file", "exec: \"./file\": it is a program built for s390x: exec format error");
}
END_TEST

/* Headers that lie: nothing is read beyond the file, and no loop is long. */
START_TEST(lying_headers_do_no_harm)
{
	struct elf_file file = make_elf("/bin/sh");
	struct exec_findings findings;

	switch (_i) {
	case 0:
		file.header.e_phoff = UINT64_MAX;
		break;
	case 1:
		file.header.e_phoff = INT64_MAX - 8;
		break;
	case 2:
		file.header.e_phentsize = 0;
		break;
	case 3:
		file.header.e_phnum = 65535;
		file.segment.p_type = PT_NULL;
		break;
	case 4:
		file.segment.p_filesz = UINT64_MAX;
		break;
	case 5:
		file.segment.p_filesz = PATH_MAX + 1;
		break;
	case 6:
		file.segment.p_offset = UINT64_MAX;
		break;
	case 7:
		file.segment.p_filesz = 7; /* no NUL */
		break;
	case 8:
		file.segment.p_filesz = 0;
		break;
	case 9:
		file.header.e_type = ET_CORE;
		break;
	default:
		ck_abort();
	}
	make_file("file", 0755, &file, sizeof(file));
	exec_examine("./file", &findings);
	ck_assert_int_eq(findings.obstacle, EXEC_OBSTACLE_NOT_A_PROGRAM);
}
END_TEST

START_TEST(truncated_files_do_no_harm)
{
	struct elf_file file = make_elf("/bin/sh");
	struct exec_findings findings;

	for (size_t size = 0; size <= sizeof(file); size++) {
		make_file("file", 0755, &file, size);
		exec_examine("./file", &findings);
	}
	ck_assert_int_eq(findings.obstacle, EXEC_OBSTACLE_NONE);
}
END_TEST

START_TEST(long_lines_are_cut)
{
	struct exec_findings findings;
	char line[600];

	memset(line, 'a', sizeof(line));
	memcpy(line, "#!/", 3);
	make_file("file", 0755, line, sizeof(line));
	exec_examine("./file", &findings);
	ck_assert_int_eq(findings.obstacle, EXEC_OBSTACLE_INTERPRETER_MISSING);
	ck_assert_uint_lt(strlen(findings.name), sizeof(findings.name));
}
END_TEST

START_TEST(fine_files_have_no_obstacle)
{
	struct exec_findings findings;

	exec_examine("/bin/sh", &findings);
	ck_assert_int_eq(findings.obstacle, EXEC_OBSTACLE_NONE);
	make_file("file", 0755, "#!/bin/sh\n", 10);
	exec_examine("./file", &findings);
	ck_assert_int_eq(findings.obstacle, EXEC_OBSTACLE_NONE);
	/* Then the kernel's word stands alone. */
	exec_explain("./file", E2BIG, NULL, &err);
	ck_assert_str_eq(err.text, "exec: \"./file\": argument list too long");
}
END_TEST

static int look_up(const char *name, const char *path, struct text *ret_path)
{
	char variable[256];
	const char *env[] = { "A=b", variable, NULL };
	const char *args[] = { name, NULL };
	const struct spec_process process = {
		.pointer = "/process", .args = { args, 1 }, .env = { env, path ? 2 : 1 }
	};

	snprintf(variable, sizeof(variable), "PATH=%s", path ?: "");
	return exec_lookup(&process, ret_path, &err);
}

static const struct {
	const char *name;
	const char *path; /* NULL: no PATH */
	const char *found;
	const char *text;
} lookups[] = {
	{ "sh", "/nonexistent:/bin", "/bin/sh", NULL },
	{ "tool", "bin:/bin", "bin/tool", NULL },
	{ "here", ":/bin", "./here", NULL },
	{ "here", "", "./here", NULL },
	{ "tool", "first:second:bin", "bin/tool", NULL },
	{ "./here", "/bin", "./here", NULL },
	{ "bin/tool", "", "bin/tool", NULL },
	{ "link", "bin", "bin/link", NULL },
	{ "foo", "/bin", NULL, "exec: \"foo\": executable file not found in $PATH" },
	{ "", "/bin", NULL, "exec: \"\": executable file not found in $PATH" },
	{ "sub", "bin", NULL, "exec: \"sub\": executable file not found in $PATH" },
	{ "/no/such", "/bin", NULL, "exec: \"/no/such\": no such file or directory" },
	{ "here/below", "/bin", NULL,
		"exec: \"here/below\": a part of the path is a file: no such file or directory" },
	{ "./bin", "/bin", NULL, "exec: \"./bin\": it is a directory: permission denied" },
	{ "./plain", "/bin", NULL,
		"exec: \"./plain\": the file has no execute permission for anyone: permission "
		"denied" },
	{ "plain", "first", NULL,
		"exec: \"first/plain\": the file has no execute permission for anyone: permission "
		"denied" },
};

START_TEST(names_are_looked_up)
{
	cleanup_text struct text found = { 0 };
	int result;

	ck_assert_int_eq(mkdir("bin", 0755) + mkdir("first", 0755) + mkdir("bin/sub", 0755), 0);
	make_file("bin/tool", 0755, "#!/bin/sh\n", 10);
	make_file("first/plain", 0644, "#!/bin/sh\n", 10);
	make_file("first/tool", 0644, "#!/bin/sh\n", 10);
	make_file("plain", 0644, "#!/bin/sh\n", 10);
	make_file("here", 0755, "#!/bin/sh\n", 10);
	ck_assert_int_eq(symlink("tool", "bin/link"), 0);
	result = look_up(lookups[_i].name, lookups[_i].path, &found);
	if (lookups[_i].found) {
		suite_assert_done(result, err);
		ck_assert_str_eq(found.data, lookups[_i].found);
		return;
	}
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err.kind, ERROR_COMMAND);
	ck_assert_str_eq(err.text, lookups[_i].text);
	ck_assert_str_eq(err.pointer, "/process/args/0");
}
END_TEST

START_TEST(without_a_path_the_usual_places_are_searched)
{
	cleanup_text struct text found = { 0 };

	suite_assert_done(look_up("sh", NULL, &found), err);
	ck_assert_msg(strstr(found.data, "/bin/sh") != NULL, "%s", found.data);
}
END_TEST

static const struct {
	const char *name, *path, *text, *hint;
} denials[] = {
	{ "./mine", NULL, "exec: \"./mine\": permission denied",
		"its permissions deny it to uid 54321, gid 54322: mode 0700, owner 0:7, of "
		"'./mine'" },
	{ "mine", "secret:.", "exec: \"./mine\": permission denied",
		"its permissions deny it to uid 54321, gid 54322: mode 0700, owner 0:7, of "
		"'./mine'" },
	{ "./open/secret//tool", NULL, "exec: \"./open/secret//tool\": permission denied",
		"a directory may not be searched by uid 54321, gid 54322: mode 0750, owner 0:0, of "
		"'./open/secret'" },
	{ "tool", "open:open/secret", "exec: \"tool\": executable file not found in $PATH",
		"a directory may not be searched by uid 54321, gid 54322: mode 0750, owner 0:0, of "
		"'open/secret'" },
	{ "missing", "open", "exec: \"missing\": executable file not found in $PATH", "" },
};

START_TEST(rights_are_those_of_the_caller)
{
	cleanup_text struct text found = { 0 };

	if (geteuid() != 0)
		return;
	make_file("mine", 0700, "#!/bin/sh\n", 10);
	ck_assert_int_eq(chown("mine", 0, 7), 0);
	ck_assert_int_eq(mkdir("open", 0755) + mkdir("open/secret", 0750), 0);
	ck_assert_int_eq(chmod("open/secret", 0750), 0);
	make_file("open/secret/tool", 0755, "#!/bin/sh\n", 10);
	ck_assert_int_eq(setgroups(0, NULL) + setresgid(54322, 54322, 54322), 0);
	ck_assert_int_eq(setresuid(54321, 54321, 54321), 0);
	ck_assert_int_eq(look_up(denials[_i].name, denials[_i].path, &found), -1);
	ck_assert_str_eq(err.text, denials[_i].text);
	ck_assert_str_eq(err.hint, denials[_i].hint);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("exec");

	suite_use_folders(tests);
	tcase_add_loop_test(tests, files_are_explained, 0, array_size(files));
	tcase_add_test(tests, other_obstacles_are_explained);
	tcase_add_test(tests, noexec_mounts_are_explained);
	tcase_add_test(tests, a_missing_loader_is_named);
	tcase_add_loop_test(tests, another_machine_is_named, 0, 3);
	tcase_add_test(tests, another_byte_order_is_named);
	tcase_add_loop_test(tests, lying_headers_do_no_harm, 0, 10);
	tcase_add_test(tests, truncated_files_do_no_harm);
	tcase_add_test(tests, long_lines_are_cut);
	tcase_add_test(tests, fine_files_have_no_obstacle);
	tcase_add_loop_test(tests, names_are_looked_up, 0, array_size(lookups));
	tcase_add_test(tests, without_a_path_the_usual_places_are_searched);
	tcase_add_loop_test(tests, rights_are_those_of_the_caller, 0, array_size(denials));
	return suite_run(tests);
}
