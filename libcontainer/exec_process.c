/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/exec_process.h"

#include <fcntl.h>
#include <string.h>

#include "base/number.h"

/* "UID[:GID]": numbers only, for a name would be looked up in a hostile file. */
static int parse_user(const char *text, struct spec_user *user, struct error *err)
{
	const char *colon = strchr(text, ':');
	char uid[16];
	size_t length = colon ? (size_t)(colon - text) : strlen(text);

	if (length < sizeof(uid)) {
		memcpy(uid, text, length);
		uid[length] = '\0';
		if (number_parse_u32(uid, &user->uid) == 0 &&
			(!colon || number_parse_u32(colon + 1, &user->gid) == 0) &&
			user->uid != UINT32_MAX && user->gid != UINT32_MAX)
			return 0;
	}
	return error_set(err, ERROR_USAGE, "--user '%s': expected UID or UID:GID in numbers", text);
}

/* FIRST and then SECOND, in ARENA. */
static int join_lists(struct arena *arena, const struct spec_strings *first,
	const struct spec_strings *second, struct spec_strings *ret_list, struct error *err)
{
	size_t count = first->count + second->count;
	const char **items = arena_alloc(arena, count + 1, sizeof(*items));

	if (!items)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	if (first->count)
		memcpy(items, first->items, first->count * sizeof(*items));
	if (second->count)
		memcpy(items + first->count, second->items, second->count * sizeof(*items));
	*ret_list = (struct spec_strings){ items, count };
	return 0;
}

/*
 * --cap adds to what the container's process has; to the ambient set only
 * when that has inheritable ones, as runc does.
 */
static int add_capabilities(
	struct exec_process *exec, const struct spec_strings *added, struct error *err)
{
	static const struct spec_capabilities none;
	const struct spec_capabilities *given =
		exec->made.capabilities ? exec->made.capabilities : &none;
	struct spec_capabilities *sum = &exec->capabilities;

	if (!added->count)
		return 0;
	*sum = *given;
	if (join_lists(&exec->arena, &given->bounding, added, &sum->bounding, err) < 0 ||
		join_lists(&exec->arena, &given->effective, added, &sum->effective, err) < 0 ||
		join_lists(&exec->arena, &given->permitted, added, &sum->permitted, err) < 0)
		return -1;
	if (given->inheritable.count &&
		(join_lists(&exec->arena, &given->inheritable, added, &sum->inheritable, err) < 0 ||
			join_lists(&exec->arena, &given->ambient, added, &sum->ambient, err) < 0))
		return -1;
	exec->made.capabilities = sum;
	return 0;
}

static int check_environment(const struct spec_strings *env, struct error *err)
{
	for (size_t i = 0; i < env->count; i++)
		if (!strchr(env->items[i], '='))
			return error_set(
				err, ERROR_USAGE, "--env '%s': expected NAME=VALUE", env->items[i]);
	return 0;
}

static int build_from_flags(struct exec_process *exec, const struct spec *spec,
	const struct exec_options *options, struct error *err)
{
	struct spec_process *made = &exec->made;

	if (!spec->process)
		return error_set(err, ERROR_STATE,
			"the container's config has no process; give one with --process");
	if (options->cwd && options->cwd[0] != '/')
		return error_set(err, ERROR_USAGE, "--cwd '%s': must be absolute", options->cwd);
	*made = *spec->process;
	made->args = options->args;
	made->terminal = options->tty;
	made->console_size = NULL;
	if (options->cwd)
		made->cwd = options->cwd;
	if (options->process_label)
		made->selinux_label = options->process_label;
	if (options->apparmor)
		made->apparmor_profile = options->apparmor;
	if (options->no_new_privs)
		made->no_new_privileges = true;
	if (options->additional_gids.count)
		made->user.additional_gids = options->additional_gids;
	if (options->user && parse_user(options->user, &made->user, err) < 0)
		return -1;
	if (check_environment(&options->env, err) < 0 ||
		join_lists(&exec->arena, &spec->process->env, &options->env, &made->env, err) < 0)
		return -1;
	exec->process = made;
	return add_capabilities(exec, &options->caps, err);
}

int exec_process_build(struct exec_process *ret_process, const struct spec *spec,
	const struct exec_options *options, struct error *err)
{
	*ret_process = (struct exec_process){ 0 };
	if (options->process_file)
		return spec_load_process(AT_FDCWD, options->process_file, &ret_process->document,
			&ret_process->process, err);
	return build_from_flags(ret_process, spec, options, err);
}

void exec_process_release(struct exec_process *process)
{
	spec_document_free(process->document);
	arena_release(&process->arena);
	*process = (struct exec_process){ 0 };
}
