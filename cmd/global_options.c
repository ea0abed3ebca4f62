/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/global_options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define SYSTEM_RUNTIME_DIR "/run"

const struct option_row global_options_table[] = {
	OPTION_STRING("root", 0, "DIR", struct global_options, root,
		"where the state of containers is kept"),
	OPTION_STRING(
		"log", 0, "FILE", struct global_options, log, "append errors and warnings to FILE"),
	OPTION_STRING("log-format", 0, "FORMAT", struct global_options, log_format,
		"text (default) or json"),
	OPTION_SWITCH(
		"debug", 0, struct global_options, debug, "also log what is done without and why"),
	OPTION_SWITCH("systemd-cgroup", 0, struct global_options, systemd_cgroup,
		"let systemd make the cgroups"),
	OPTION_STRING("cgroup-manager", 0, "NAME", struct global_options, cgroup_manager,
		"cgroupfs (default), systemd or disabled"),
	OPTION_STRING("rootless", 0, "WORD", struct global_options, rootless,
		"true, false or auto: accepted for callers that say it"),
	OPTION_SWITCH("version", 'v', struct global_options, version, "show what this is"),
	{ 0 },
};

/*
 * Root of a user namespace is not root of the host, and can't write to /run. The
 * initial namespace alone maps all IDs to themselves (user_namespaces(7)).
 */
static bool is_in_user_namespace(void)
{
	cleanup_fd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	char map[256] = "";
	unsigned inside, outside, length;

	if (fd < 0 || fd_read_all(fd, map, sizeof(map) - 1) <= 0)
		return false;
	if (sscanf(map, "%u %u %u", &inside, &outside, &length) != 3)
		return true;
	return inside != 0 || outside != 0 || length != UINT_MAX;
}

/* USER=root in a user namespace is the caller's way to ask for /run, as with runc. */
static const char *user_runtime_dir(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR"), *user;

	if (!dir || dir[0] != '/')
		return NULL;
	if (geteuid() != 0)
		return dir;
	user = getenv("USER");
	if (user && strcmp(user, "root") == 0)
		return NULL;
	return is_in_user_namespace() ? dir : NULL;
}

static int join(
	const char *dir, const char *name, char ret_path[static PATH_MAX], struct error *err)
{
	int n = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX)
		return error_set(err, ERROR_USAGE, "root '%s' is too long", name);
	return 0;
}

static int resolve_given_root(const char *root, char ret_root[static PATH_MAX], struct error *err)
{
	char cwd[PATH_MAX];
	struct stat given, top;

	if (root[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return error_set_errno(err, "find the current directory");
	if (root[0] == '/' ? join("", root + 1, ret_root, err) < 0
			   : join(cwd, root, ret_root, err) < 0)
		return -1;
	if (stat(ret_root, &given) == 0 && stat("/", &top) == 0 && given.st_dev == top.st_dev &&
		given.st_ino == top.st_ino)
		return error_set(err, ERROR_USAGE, "option '--root': '/' cannot hold the state");
	return 0;
}

static int resolve_root(
	const struct global_options *options, char ret_root[static PATH_MAX], struct error *err)
{
	const char *dir;

	if (options->root)
		return resolve_given_root(options->root, ret_root, err);
	dir = user_runtime_dir();
	return join(dir ? dir : SYSTEM_RUNTIME_DIR, "kogg", ret_root, err);
}

static int resolve_driver(
	const struct global_options *options, enum cgroup_driver *ret_driver, struct error *err)
{
	static const char *const names[] = {
		[CGROUP_DRIVER_CGROUPFS] = "cgroupfs",
		[CGROUP_DRIVER_SYSTEMD] = "systemd",
		[CGROUP_DRIVER_DISABLED] = "disabled",
	};

	*ret_driver = options->systemd_cgroup ? CGROUP_DRIVER_SYSTEMD : CGROUP_DRIVER_CGROUPFS;
	if (!options->cgroup_manager)
		return 0;
	for (size_t i = 0; i < array_size(names); i++) {
		if (strcmp(options->cgroup_manager, names[i]) == 0) {
			*ret_driver = (enum cgroup_driver)i;
			return 0;
		}
	}
	return error_set(err, ERROR_USAGE,
		"option '--cgroup-manager': '%s' is none of cgroupfs, systemd, disabled",
		options->cgroup_manager);
}

/* What a caller may do is found by doing it; the word changes nothing. */
static int check_rootless(const char *word, struct error *err)
{
	if (!word || strcmp(word, "auto") == 0 || strcmp(word, "true") == 0 ||
		strcmp(word, "false") == 0)
		return 0;
	return error_set(
		err, ERROR_USAGE, "option '--rootless': '%s' is none of true, false, auto", word);
}

int global_options_resolve(const struct global_options *options, char ret_root[static PATH_MAX],
	struct runtime *ret_runtime, struct error *err)
{
	enum cgroup_driver driver;

	if (check_rootless(options->rootless, err) < 0 ||
		resolve_driver(options, &driver, err) < 0 ||
		resolve_root(options, ret_root, err) < 0)
		return -1;
	*ret_runtime = (struct runtime){
		.root = ret_root,
		.cgroup_driver = driver,
		.is_root_given = options->root != NULL,
	};
	return 0;
}
