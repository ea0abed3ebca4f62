/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"

/* A passwd file beyond this is no passwd file. */
#define PASSWD     "/etc/passwd"
#define PASSWD_MAX (1L << 20)

/* HOME, LISTEN_FDS, LISTEN_PID, NOTIFY_SOCKET */
#define ADDED_MAX 4

struct environment {
	const char **items;
	size_t count;
	struct arena *arena;
};

static size_t name_length(const char *variable)
{
	return (size_t)(strchrnul(variable, '=') - variable);
}

static bool has_name(const char *variable, const char *name, size_t length)
{
	return !strncmp(variable, name, length) && variable[length] == '=';
}

/* Adds VARIABLE, in place of an earlier one of its name. */
static void set_variable(struct environment *env, const char *variable)
{
	size_t length = name_length(variable);

	for (size_t i = 0; i < env->count; i++)
		if (has_name(env->items[i], variable, length)) {
			env->items[i] = variable;
			return;
		}
	env->items[env->count++] = variable;
}

static int add_variable(
	struct environment *env, const char *name, const char *value, struct error *err)
{
	size_t size = strlen(name) + strlen(value) + 2;
	char *variable = arena_alloc(env->arena, size, 1);

	if (!variable)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	snprintf(variable, size, "%s=%s", name, value);
	set_variable(env, variable);
	return 0;
}

/* The N-th of the fields that ":" separates, or NULL; ends it with a NUL. */
static char *cut_field(char *line, unsigned n)
{
	char *field = line;

	while (n-- && field)
		field = (field = strchr(field, ':')) ? field + 1 : NULL;
	if (field)
		*strchrnul(field, ':') = '\0';
	return field;
}

/* The home directory of UID in the text of a passwd file, or NULL (passwd(5)). */
static const char *find_home(char *passwd, uint32_t uid)
{
	char *rest;

	for (char *line = strtok_r(passwd, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *home = cut_field(line, 5); /* from the end: each cut ends the line */
		char *number = cut_field(line, 2);
		uint32_t value;

		if (home && home[0] == '/' && number && number_parse_u32(number, &value) == 0 &&
			value == uid)
			return home;
	}
	return NULL;
}

/* What an image, or the user in it, makes of the file, and no fault of the machine. */
static bool is_of_the_image(int cause)
{
	return cause == ENOENT || cause == ENOTDIR || cause == ELOOP || cause == EACCES ||
	       cause == ENXIO;
}

/* Reads /etc/passwd; leaves RET_TEXT empty where the image has none. */
static int read_passwd(struct text *ret_text, struct error *err)
{
	cleanup_fd int fd = open(PASSWD, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return is_of_the_image(errno) ? 0 : error_set_call(err, "open", PASSWD);
	if (fstat(fd, &st) < 0)
		return error_set_call(err, "stat", PASSWD);
	/* Only a regular file: an image may put a FIFO or a device there. */
	if (!S_ISREG(st.st_mode) || st.st_size > PASSWD_MAX)
		return 0;
	return file_read_fd(fd, PASSWD, PASSWD_MAX, ret_text, err);
}

static int add_home(struct environment *env, uint32_t uid, struct error *err)
{
	cleanup_text struct text passwd = { 0 };
	const char *home = NULL;

	if (read_passwd(&passwd, err) < 0)
		return error_wrap(err, "look for the home directory of uid %u", uid);
	if (passwd.data)
		home = find_home(passwd.data, uid);
	return add_variable(env, "HOME", home ? home : "/", err);
}

static bool has_home(const struct environment *env)
{
	for (size_t i = 0; i < env->count; i++)
		if (has_name(env->items[i], "HOME", 4))
			return true;
	return false;
}

static int add_listen_fds(struct environment *env, unsigned count, struct error *err)
{
	char number[16];

	if (!count)
		return 0;
	snprintf(number, sizeof(number), "%u", count);
	if (add_variable(env, "LISTEN_FDS", number, err) < 0)
		return -1;
	snprintf(number, sizeof(number), "%d", (int)getpid());
	return add_variable(env, "LISTEN_PID", number, err);
}

int environment_build(const struct environment_request *request, struct arena *arena,
	const char *const **ret_env, struct error *err)
{
	const struct spec_strings *given = &request->process->env;
	struct environment env = { .arena = arena };

	env.items = arena_alloc(arena, given->count + ADDED_MAX + 1, sizeof(*env.items));
	if (!env.items)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	for (size_t i = 0; i < given->count; i++)
		set_variable(&env, given->items[i]);
	if (!has_home(&env) && add_home(&env, request->process->user.uid, err) < 0)
		return -1;
	if (add_listen_fds(&env, request->listen_fds, err) < 0)
		return -1;
	if (request->notify_socket &&
		add_variable(&env, "NOTIFY_SOCKET", request->notify_socket, err) < 0)
		return -1;
	*ret_env = env.items;
	return 0;
}
