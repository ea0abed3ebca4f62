/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/exec_process.h"

#include <fcntl.h>
#include <string.h>

#include "base/number.h"
#include "libcontainer/kernel/capabilities.h"
#include "libspec/spec_forms.h"

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

static int check_capabilities(const struct spec_strings *added, struct error *err)
{
	for (size_t i = 0; i < added->count; i++) {
		const char *const *name = capabilities_names();

		while (*name && strcmp(*name, added->items[i]) != 0)
			name++;
		if (!*name)
			return error_set(err, ERROR_USAGE,
				"--cap '%s': no capability has this name, such as CAP_KILL",
				added->items[i]);
	}
	return 0;
}

/* They are added to those of the container's process, as runc does. */
static int add_groups(struct exec_process *exec, const struct spec_u32s *added, struct error *err)
{
	struct spec_u32s *groups = &exec->made.user.additional_gids;
	uint32_t *all;

	if (!added->count)
		return 0;
	all = arena_alloc(&exec->arena, groups->count + added->count, sizeof(*all));
	if (!all)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	for (size_t i = 0; i < groups->count; i++)
		all[i] = groups->items[i];
	for (size_t i = 0; i < added->count; i++) {
		if (added->items[i] == UINT32_MAX)
			return error_set(err, ERROR_USAGE,
				"--additional-gids '%u': this number stands for none", UINT32_MAX);
		all[groups->count + i] = added->items[i];
	}
	*groups = (struct spec_u32s){ all, groups->count + added->count };
	return 0;
}

static int check_values(const struct exec_options *options, struct error *err)
{
	if (options->cwd && options->cwd[0] != '/')
		return error_set(err, ERROR_USAGE, "--cwd '%s': must be absolute", options->cwd);
	for (size_t i = 0; i < options->env.count; i++)
		if (spec_forms_variable(options->env.items[i]))
			return error_set(err, ERROR_USAGE, "--env '%s': expected NAME=VALUE",
				options->env.items[i]);
	return check_capabilities(&options->caps, err);
}

static int build_from_flags(struct exec_process *exec, const struct spec *spec,
	const struct exec_options *options, struct error *err)
{
	struct spec_process *made = &exec->made;

	if (!spec->process)
		return error_set(err, ERROR_STATE,
			"the container's config has no process; give one with --process");
	if (check_values(options, err) < 0)
		return -1;
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
	if (options->user && parse_user(options->user, &made->user, err) < 0)
		return -1;
	if (add_groups(exec, &options->additional_gids, err) < 0 ||
		join_lists(&exec->arena, &spec->process->env, &options->env, &made->env, err) < 0)
		return -1;
	exec->process = made;
	exec->known_capabilities = made->capabilities;
	return add_capabilities(exec, &options->caps, err);
}

/* What a process file says itself. A terminal may be asked for beside it. */
static int check_flags(const struct exec_options *options, struct error *err)
{
	const struct {
		bool is_given;
		const char *name;
	} flags[] = {
		{ options->cwd, "cwd" },
		{ options->env.count, "env" },
		{ options->user, "user" },
		{ options->additional_gids.count, "additional-gids" },
		{ options->process_label, "process-label" },
		{ options->apparmor, "apparmor" },
		{ options->no_new_privs, "no-new-privs" },
		{ options->caps.count, "cap" },
	};

	for (size_t i = 0; i < array_size(flags); i++)
		if (flags[i].is_given)
			return error_set(err, ERROR_USAGE,
				"--%s has no effect beside --process, whose file says it",
				flags[i].name);
	return 0;
}

static int build_from_file(
	struct exec_process *exec, const struct exec_options *options, struct error *err)
{
	if (check_flags(options, err) < 0 || spec_load_process(AT_FDCWD, options->process_file,
						     &exec->document, &exec->process, err) < 0)
		return -1;
	if (options->tty) {
		exec->made = *exec->process;
		exec->made.terminal = true;
		exec->process = &exec->made;
	}
	return 0;
}

int exec_process_build(struct exec_process *ret_process, const struct spec *spec,
	const struct exec_options *options, struct error *err)
{
	*ret_process = (struct exec_process){ 0 };
	if (options->process_file)
		return build_from_file(ret_process, options, err);
	return build_from_flags(ret_process, spec, options, err);
}

/* Whether the error is about this member of the container's own process. */
static bool is_about(const struct error *err, const char *pointer)
{
	return strncmp(err->pointer, pointer, strlen(pointer)) == 0;
}

int exec_process_blame(const struct exec_options *options, struct error *err)
{
	const struct {
		const char *pointer, *flag, *value;
	} rows[] = {
		{ "/process/cwd", "cwd", options->cwd },
		{ "/process/user", "user", options->user },
		{ "/process/apparmorProfile", "apparmor", options->apparmor },
		{ "/process/selinuxLabel", "process-label", options->process_label },
	};

	if (options->process_file)
		return -1;
	/* The command; its errors begin with its name, as engines know them. And what --env adds
	 * to. */
	if (is_about(err, "/process/args") || is_about(err, "/process/env"))
		err->pointer[0] = '\0';
	for (size_t i = 0; i < array_size(rows); i++) {
		if (!rows[i].value || !is_about(err, rows[i].pointer))
			continue;
		err->pointer[0] = '\0';
		return error_wrap(err, "--%s '%s'", rows[i].flag, rows[i].value);
	}
	return -1;
}

void exec_process_release(struct exec_process *process)
{
	spec_document_free(process->document);
	arena_release(&process->arena);
	*process = (struct exec_process){ 0 };
}
