/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_cache.h"

#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/kernel/syscall_filter_layout.h"

/* Many more than an engine has profiles; the files are of some 20 KiB. */
#define CACHE_FILES 64

/* A profile of 10,000 rules has less; more is not worth keeping. */
#define CACHE_FILE_MAX (1UL << 20)

/* What a file begins with; then come the key and the program. */
struct header {
	char magic[8];
	uint32_t key_length, code_length; /* in bytes, in instructions */
	uint64_t flags;
	uint64_t digest; /* of the flags and all that follows */
};

static const char magic[8] = "koggbpf2";

/*
 * FNV-1a of words and the rest: finds what a full disk or a bad one has done to
 * a file, and chooses a file. Whoever could make two alike on purpose could as
 * well write to the directory.
 */
static uint64_t digest(uint64_t seed, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t hash = seed ^ 0xcbf29ce484222325;

	for (; size >= sizeof(uint64_t); bytes += sizeof(uint64_t), size -= sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3;
		hash ^= hash >> 29;
	}
	for (; size; bytes++, size--)
		hash = (hash ^ *bytes) * 0x100000001b3;
	return hash ^ hash >> 32;
}

int syscall_filter_cache_key(
	const char *profile, size_t size, struct text *ret_key, struct error *err)
{
	const struct scmp_version *version = seccomp_version();
	struct utsname kernel;

	if (uname(&kernel) < 0)
		return error_set_errno(err, "ask for the kernel's version");
	/* KOGG_VERSION comes from meson.build. */
	text_appendf(ret_key, "%s %s %u.%u.%u " KOGG_VERSION " %d", kernel.release, kernel.machine,
		version->major, version->minor, version->micro, SYSCALL_FILTER_LAYOUT_VERSION);
	text_append_bytes(ret_key, "", 1);
	text_append_bytes(ret_key, profile, size);
	return text_check(ret_key, err);
}

static void name_file(const struct text *key, char ret_name[static 16])
{
	snprintf(ret_name, 16, "%u", (unsigned)(digest(0, key->data, key->length) % CACHE_FILES));
}

static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Whether FILE is whole and of KEY; then RET_HEADER is its header. */
static bool is_of_key(const struct text *file, const struct text *key, struct header *ret_header)
{
	const size_t rest = sizeof(*ret_header) + key->length;

	if (file->length < rest)
		return false;
	memcpy(ret_header, file->data, sizeof(*ret_header));
	return !memcmp(ret_header->magic, magic, sizeof(magic)) &&
	       ret_header->key_length == key->length && ret_header->code_length > 0 &&
	       ret_header->code_length <= BPF_MAXINSNS &&
	       file->length == rest + ret_header->code_length * sizeof(struct sock_filter) &&
	       !memcmp(file->data + sizeof(*ret_header), key->data, key->length) &&
	       ret_header->digest == digest(ret_header->flags, file->data + sizeof(*ret_header),
					     file->length - sizeof(*ret_header));
}

bool syscall_filter_cache_find(int dir_fd, const struct text *key, struct sock_filter **ret_code,
	size_t *ret_length, unsigned *ret_flags)
{
	cleanup_text struct text file = { 0 };
	struct error ignored = { 0 };
	cleanup_fd int fd = -1;
	struct header header;
	char name[16];
	size_t size;

	name_file(key, name);
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !is_ours(fd) || file_read_fd(fd, name, CACHE_FILE_MAX, &file, &ignored) < 0 ||
		!is_of_key(&file, key, &header))
		return false;
	size = header.code_length * sizeof(**ret_code);
	*ret_code = malloc(size);
	if (!*ret_code)
		return false;
	memcpy(*ret_code, file.data + file.length - size, size);
	*ret_length = header.code_length;
	*ret_flags = (unsigned)header.flags;
	return true;
}

void syscall_filter_cache_keep(int dir_fd, const struct text *key, const struct sock_filter *code,
	size_t length, unsigned flags)
{
	struct header header = {
		.key_length = (uint32_t)key->length,
		.code_length = (uint32_t)length,
		.flags = flags,
	};
	cleanup_text struct text file = { 0 };
	struct error ignored = { 0 };
	char name[16];

	memcpy(header.magic, magic, sizeof(magic));
	text_append_bytes(&file, &header, sizeof(header));
	text_append_bytes(&file, key->data, key->length);
	text_append_bytes(&file, code, length * sizeof(*code));
	if (text_check(&file, &ignored) < 0 || file.length > CACHE_FILE_MAX)
		return;
	header.digest = digest(flags, file.data + sizeof(header), file.length - sizeof(header));
	memcpy(file.data, &header, sizeof(header));
	name_file(key, name);
	(void)!file_replace_at(dir_fd, name, file.data, file.length, 0600, &ignored);
}
