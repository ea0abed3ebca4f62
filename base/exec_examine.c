/* SPDX-License-Identifier: Apache-2.0 */
#include "base/exec_examine.h"

#include <ctype.h>
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/cleanup.h"

/* BINPRM_BUF_SIZE of <linux/binfmts.h>: a "#!" line beyond it is cut. */
#define SCRIPT_LINE_MAX 256

/* Program headers beyond these bounds are not looked at; real files have some 13. */
#define PROGRAM_HEADERS_MAX 128

#if __BYTE_ORDER == __LITTLE_ENDIAN
#	define OWN_ELFDATA ELFDATA2LSB
#else
#	define OWN_ELFDATA ELFDATA2MSB
#endif

/* Those of images that are in use, each with the name that they go by. */
static const struct {
	unsigned machine;
	const char *name;
} machines[] = {
	{ EM_386, "x86 (32-bit)" }, { EM_X86_64, "x86_64" }, { EM_ARM, "arm" },
	{ EM_AARCH64, "aarch64" }, { EM_PPC, "ppc" }, { EM_PPC64, "ppc64" }, { EM_S390, "s390x" },
	{ EM_RISCV, "riscv" }, { EM_MIPS, "mips" }, { EM_SPARCV9, "sparc64" }, { EM_IA_64, "ia64" },
	{ EM_68K, "m68k" },
	{ 258, "loongarch" }, /* EM_LOONGARCH, newer than the C library's <elf.h> */
};

/* What this kernel runs: the build's own machine, and its 32-bit sibling. */
static bool is_own_machine(unsigned machine)
{
#if defined(__x86_64__)
	return machine == EM_X86_64 || machine == EM_386;
#elif defined(__aarch64__)
	return machine == EM_AARCH64 || machine == EM_ARM;
#elif defined(__i386__)
	return machine == EM_386;
#elif defined(__arm__)
	return machine == EM_ARM;
#elif defined(__powerpc64__)
	return machine == EM_PPC64 || machine == EM_PPC;
#elif defined(__s390x__)
	return machine == EM_S390;
#elif defined(__riscv)
	return machine == EM_RISCV;
#else
	(void)machine;
	return true;
#endif
}

int exec_check_access(const char *path)
{
	int result = faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);

	/* No file gives EPERM for X_OK; the C library has its own way round ENOSYS alone. */
	return result < 0 && errno == EPERM ? access(path, X_OK) : result;
}

static void find(struct exec_findings *findings, enum exec_obstacle obstacle)
{
	findings->obstacle = obstacle;
}

/* Copies LENGTH bytes of a hostile file so that they can stand in one line. */
static void set_name(struct exec_findings *findings, const char *bytes, size_t length)
{
	size_t n = length < sizeof(findings->name) - 1 ? length : sizeof(findings->name) - 1;

	for (size_t i = 0; i < n; i++)
		findings->name[i] = isprint((unsigned char)bytes[i]) ? bytes[i] : '?';
	findings->name[n] = '\0';
}

/* Whether PATH, the interpreter or loader of the file, can be executed. */
static void examine_helper(struct exec_findings *findings, const char *path, size_t length,
	enum exec_obstacle missing, enum exec_obstacle denied)
{
	if (exec_check_access(path) == 0)
		return;
	if (errno == ENOENT || errno == ENOTDIR)
		find(findings, missing);
	else if (errno == EACCES)
		find(findings, denied);
	set_name(findings, path, length);
}

static void examine_script(struct exec_findings *findings, const char *head, size_t size)
{
	char line[SCRIPT_LINE_MAX + 1];
	const char *path;
	size_t length;

	if (size > SCRIPT_LINE_MAX)
		size = SCRIPT_LINE_MAX;
	memcpy(line, head, size);
	line[size] = '\0';
	line[strcspn(line, "\n")] = '\0';
	path = line + 2 + strspn(line + 2, " \t");
	length = strcspn(path, " \t");
	line[(size_t)(path - line) + length] = '\0';
	if (length == 0)
		return find(findings, EXEC_OBSTACLE_INTERPRETER_EMPTY);
	examine_helper(findings, path, length, EXEC_OBSTACLE_INTERPRETER_MISSING,
		EXEC_OBSTACLE_INTERPRETER_DENIED);
	if (findings->obstacle == EXEC_OBSTACLE_INTERPRETER_MISSING && path[length - 1] == '\r') {
		find(findings, EXEC_OBSTACLE_CARRIAGE_RETURN);
		set_name(findings, path, length - 1);
	}
}

/* Program headers of either class, as far as they are needed. */
struct segment {
	uint32_t type;
	uint64_t offset;
	uint64_t size;
};

/* Where the program headers lie, from the file header of either class. */
struct segments {
	uint64_t offset;
	size_t entry_size;
	size_t count;
	bool is_64;
};

static bool read_segment(int fd, const struct segments *all, size_t i, struct segment *ret_segment)
{
	union {
		Elf64_Phdr wide;
		Elf32_Phdr narrow;
	} header;
	size_t size = all->is_64 ? sizeof(header.wide) : sizeof(header.narrow);
	uint64_t at;

	/* The kernel refuses other entry sizes too (fs/binfmt_elf.c). */
	if (all->entry_size != size || __builtin_add_overflow(all->offset, i * size, &at) ||
		at > INT64_MAX || pread(fd, &header, size, (off_t)at) != (ssize_t)size)
		return false;
	if (all->is_64)
		*ret_segment = (struct segment){ header.wide.p_type, header.wide.p_offset,
			header.wide.p_filesz };
	else
		*ret_segment = (struct segment){ header.narrow.p_type, header.narrow.p_offset,
			header.narrow.p_filesz };
	return true;
}

static void examine_loader(struct exec_findings *findings, int fd, const struct segment *segment)
{
	char path[PATH_MAX];

	/* With its NUL, as the kernel wants it. */
	if (segment->size < 2 || segment->size > sizeof(path) || segment->offset > INT64_MAX ||
		pread(fd, path, segment->size, (off_t)segment->offset) != (ssize_t)segment->size ||
		path[segment->size - 1] != '\0')
		return find(findings, EXEC_OBSTACLE_NOT_A_PROGRAM);
	examine_helper(findings, path, strlen(path), EXEC_OBSTACLE_LOADER_MISSING,
		EXEC_OBSTACLE_LOADER_DENIED);
}

static void examine_segments(
	struct exec_findings *findings, int fd, const struct segments *segments)
{
	struct segment segment;

	for (size_t i = 0; i < segments->count && i < PROGRAM_HEADERS_MAX; i++) {
		if (!read_segment(fd, segments, i, &segment))
			return find(findings, EXEC_OBSTACLE_NOT_A_PROGRAM);
		if (segment.type == PT_INTERP)
			return examine_loader(findings, fd, &segment);
	}
}

static void set_machine(struct exec_findings *findings, unsigned machine)
{
	find(findings, EXEC_OBSTACLE_OTHER_MACHINE);
	snprintf(findings->name, sizeof(findings->name), "machine number %u", machine);
	for (size_t i = 0; i < array_size(machines); i++)
		if (machines[i].machine == machine)
			snprintf(findings->name, sizeof(findings->name), "%s", machines[i].name);
}

static void examine_elf(struct exec_findings *findings, int fd, const char *head, size_t size)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf64_Ehdr wide;
		Elf32_Ehdr narrow;
	} header = { 0 };
	struct segments segments;
	unsigned type, machine;
	bool is_foreign;

	memcpy(&header, head, size < sizeof(header) ? size : sizeof(header));
	is_foreign = header.ident[EI_DATA] != OWN_ELFDATA;
	/* Type and machine lie at the same place in both classes. */
	type = is_foreign ? __builtin_bswap16(header.wide.e_type) : header.wide.e_type;
	machine = is_foreign ? __builtin_bswap16(header.wide.e_machine) : header.wide.e_machine;
	if (size < sizeof(header.narrow) || (type != ET_EXEC && type != ET_DYN))
		return find(findings, EXEC_OBSTACLE_NOT_A_PROGRAM);
	if (is_foreign || !is_own_machine(machine))
		return set_machine(findings, machine);

	segments.is_64 = header.ident[EI_CLASS] == ELFCLASS64;
	if (segments.is_64) {
		segments.offset = header.wide.e_phoff;
		segments.entry_size = header.wide.e_phentsize;
		segments.count = header.wide.e_phnum;
	} else {
		segments.offset = header.narrow.e_phoff;
		segments.entry_size = header.narrow.e_phentsize;
		segments.count = header.narrow.e_phnum;
	}
	examine_segments(findings, fd, &segments);
}

static bool is_text(const char *head, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)head[i];

		/* To strchr(3) a NUL is a part of any text. */
		if (c == '\0' || (c < ' ' && !strchr("\t\n\r\f\b\033", c)))
			return false;
	}
	return true;
}

static void examine_content(struct exec_findings *findings, int fd)
{
	char head[SCRIPT_LINE_MAX];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	size_t size = n > 0 ? (size_t)n : 0;

	if (n < 0)
		return;
	if (size == 0)
		find(findings, EXEC_OBSTACLE_EMPTY);
	else if (size >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		examine_elf(findings, fd, head, size);
	else if (size >= 2 && head[0] == '#' && head[1] == '!')
		examine_script(findings, head, size);
	else
		find(findings,
			is_text(head, size) ? EXEC_OBSTACLE_TEXT : EXEC_OBSTACLE_UNKNOWN_FORMAT);
}

/* PATH, a file or a directory, may be there: whose it is, and who is kept out. */
static void set_permissions(struct exec_findings *findings, const char *path)
{
	char text[sizeof(findings->name)];
	struct stat st;
	int n;

	n = snprintf(text, sizeof(text), "uid %u, gid %u: ", geteuid(), getegid());
	if (stat(path, &st) == 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "mode %04o, owner %u:%u, of ",
			st.st_mode & 07777, st.st_uid, st.st_gid);
	snprintf(text + n, sizeof(text) - (size_t)n, "'%s'", path);
	set_name(findings, text, strlen(text));
}

/* The first directory on the way to PATH that the caller may not search. */
static void examine_way(struct exec_findings *findings, const char *path)
{
	char directory[PATH_MAX];

	for (size_t i = 0; i < sizeof(directory) - 1 && path[i]; i++) {
		directory[i] = path[i];
		directory[i + 1] = '\0';
		if (path[i] != '/' && path[i + 1] != '/')
			continue;
		if (exec_check_access(directory) == 0)
			continue;
		if (errno != EACCES)
			return;
		find(findings, EXEC_OBSTACLE_DIRECTORY_DENIED);
		return set_permissions(findings, directory);
	}
}

static void examine_missing(struct exec_findings *findings, const char *path)
{
	char target[sizeof(findings->name)];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n > 0) {
		find(findings, EXEC_OBSTACLE_DANGLING);
		set_name(findings, target, (size_t)n);
	} else if (errno == ENOENT || errno == ENOTDIR) {
		find(findings, EXEC_OBSTACLE_MISSING);
	} else if (errno == EACCES) {
		examine_way(findings, path);
	}
}

/* What the inode and its mount say; true when there is no need to read on. */
static bool examine_inode(struct exec_findings *findings, const char *path)
{
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) < 0)
		examine_missing(findings, path);
	else if (S_ISDIR(st.st_mode))
		find(findings, EXEC_OBSTACLE_DIRECTORY);
	else if (!S_ISREG(st.st_mode))
		find(findings, EXEC_OBSTACLE_NOT_REGULAR);
	else if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
		find(findings, EXEC_OBSTACLE_NOEXEC_MOUNT);
	else if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		find(findings, EXEC_OBSTACLE_NO_EXEC_BIT);
	else if (exec_check_access(path) == 0 || errno != EACCES)
		return false;
	else {
		find(findings, EXEC_OBSTACLE_DENIED);
		set_permissions(findings, path);
	}
	return true;
}

void exec_examine(const char *path, struct exec_findings *ret_findings)
{
	cleanup_fd int fd = -1;

	*ret_findings = (struct exec_findings){ .obstacle = EXEC_OBSTACLE_NONE };
	if (examine_inode(ret_findings, path))
		return;
	/* In a race the file may have become a FIFO, which must not hold us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		examine_content(ret_findings, fd);
}

#define DIRECTORY_DENIED "a directory may not be searched by %s"

/*
 * How each is said, and what helps wherever the file lies. "%s" is .name, once in all.
 * Which errno an obstacle shows up as is the kernel's business.
 */
static const struct {
	const char *because;
	const char *hint;
} explanations[] = {
	[EXEC_OBSTACLE_NONE] = { NULL, NULL },
	[EXEC_OBSTACLE_MISSING] = { NULL, NULL },
	[EXEC_OBSTACLE_DANGLING] = { "it is a symbolic link to '%s', which is missing", NULL },
	[EXEC_OBSTACLE_DIRECTORY] = { "it names a directory", NULL },
	[EXEC_OBSTACLE_NOT_REGULAR] = { "it is not a regular file", NULL },
	[EXEC_OBSTACLE_NO_EXEC_BIT] = { "the file has no execute permission for anyone", NULL },
	[EXEC_OBSTACLE_NOEXEC_MOUNT] = { "it lies on a mount with the option noexec", NULL },
	[EXEC_OBSTACLE_DENIED] = { NULL, "its permissions deny it to %s" },
	[EXEC_OBSTACLE_DIRECTORY_DENIED] = { NULL, DIRECTORY_DENIED },
	[EXEC_OBSTACLE_EMPTY] = { "the file is empty", NULL },
	[EXEC_OBSTACLE_TEXT] = { "it is a text file without a \"#!\" line",
		"a script names its interpreter in the first line: #!/bin/sh" },
	[EXEC_OBSTACLE_CARRIAGE_RETURN] = { "its \"#!\" line ends with a carriage return after "
					    "'%s', as on Windows",
		"convert the script's line ends, with dos2unix(1) for instance" },
	[EXEC_OBSTACLE_INTERPRETER_EMPTY] = { "its \"#!\" line names no interpreter", NULL },
	[EXEC_OBSTACLE_INTERPRETER_MISSING] = { "it is a script whose interpreter '%s' is missing",
		NULL },
	[EXEC_OBSTACLE_INTERPRETER_DENIED] = { "its interpreter '%s' may not be executed", NULL },
	[EXEC_OBSTACLE_LOADER_MISSING] = { "it is a program whose ELF loader '%s' is missing",
		NULL },
	[EXEC_OBSTACLE_LOADER_DENIED] = { "its ELF loader '%s' may not be executed", NULL },
	[EXEC_OBSTACLE_OTHER_MACHINE] = { "it is a program built for %s", NULL },
	[EXEC_OBSTACLE_NOT_A_PROGRAM] = { "it is an ELF file, but no valid program", NULL },
	[EXEC_OBSTACLE_UNKNOWN_FORMAT] = { "the file's format is unknown", NULL },
};

/*
 * Whether what was found can be why this errno came. A file without fault that
 * exec refuses for another reason must not be given a made-up one.
 */
static bool is_cause(enum exec_obstacle obstacle, int sys_errno)
{
	switch (sys_errno) {
	case ENOENT:
		return obstacle == EXEC_OBSTACLE_DANGLING ||
		       obstacle == EXEC_OBSTACLE_CARRIAGE_RETURN ||
		       obstacle == EXEC_OBSTACLE_INTERPRETER_MISSING ||
		       obstacle == EXEC_OBSTACLE_LOADER_MISSING;
	case EACCES:
		return obstacle == EXEC_OBSTACLE_DIRECTORY ||
		       obstacle == EXEC_OBSTACLE_NOT_REGULAR ||
		       obstacle == EXEC_OBSTACLE_NO_EXEC_BIT ||
		       obstacle == EXEC_OBSTACLE_NOEXEC_MOUNT || obstacle == EXEC_OBSTACLE_DENIED ||
		       obstacle == EXEC_OBSTACLE_DIRECTORY_DENIED ||
		       obstacle == EXEC_OBSTACLE_INTERPRETER_DENIED ||
		       obstacle == EXEC_OBSTACLE_LOADER_DENIED;
	case ENOEXEC:
	case ELIBBAD:
	case EINVAL:
	case EIO:
		return obstacle == EXEC_OBSTACLE_EMPTY || obstacle == EXEC_OBSTACLE_TEXT ||
		       obstacle == EXEC_OBSTACLE_INTERPRETER_EMPTY ||
		       obstacle == EXEC_OBSTACLE_OTHER_MACHINE ||
		       obstacle == EXEC_OBSTACLE_NOT_A_PROGRAM ||
		       obstacle == EXEC_OBSTACLE_UNKNOWN_FORMAT;
	default:
		return false;
	}
}

/* FORMAT with NAME in the place of its only "%s", if it has one. */
static void fill_in(char *out, size_t size, const char *format, const char *name)
{
	const char *gap = strstr(format, "%s");

	if (gap)
		snprintf(out, size, "%.*s%s%s", (int)(gap - format), format, name, gap + 2);
	else
		snprintf(out, size, "%s", format);
}

void exec_hint_directory(const char *path, struct error *err)
{
	struct exec_findings findings = { .obstacle = EXEC_OBSTACLE_NONE };

	examine_way(&findings, path);
	if (findings.obstacle == EXEC_OBSTACLE_DIRECTORY_DENIED)
		error_hint(err, DIRECTORY_DENIED, findings.name);
}

bool exec_find_cause(
	int sys_errno, const struct exec_findings *findings, struct exec_cause *ret_cause)
{
	const char *because = explanations[findings->obstacle].because;
	const char *hint = explanations[findings->obstacle].hint;

	if (!is_cause(findings->obstacle, sys_errno))
		return false;
	fill_in(ret_cause->text, sizeof(ret_cause->text), because ?: "", findings->name);
	fill_in(ret_cause->hint, sizeof(ret_cause->hint), hint ?: "", findings->name);
	return true;
}
