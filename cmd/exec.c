/* SPDX-License-Identifier: Apache-2.0 */
/* kogg exec: another program in a running container. */
#include "cmd/command.h"

/* Engines take any other status to be the program's own. */
#define STATUS_NOT_EXECUTED 255

static const struct option_row options[] = {
	OPTION_STRING("process", 'p', "FILE", struct exec_options, process_file,
		"read the process object from FILE"),
	OPTION_STRING("cwd", 0, "DIR", struct exec_options, cwd, "working directory"),
	OPTION_STRINGS(
		"env", 'e', "NAME=VALUE", struct exec_options, env, "add to the environment"),
	OPTION_SWITCH("tty", 't', struct exec_options, tty, "give it a terminal"),
	OPTION_STRING("user", 'u', "UID[:GID]", struct exec_options, user, "run as this user"),
	OPTION_NUMBERS(
		"additional-gids", 'g', "GID", struct exec_options, additional_gids, "add a group"),
	OPTION_SWITCH("detach", 'd', struct exec_options, detach, "return when it has started"),
	OPTION_STRING(
		"pid-file", 0, "FILE", struct exec_options, pid_file, "where to write its pid"),
	OPTION_STRING("console-socket", 0, "SOCKET", struct exec_options, console_socket,
		"where to send the terminal's master end"),
	OPTION_STRING("pidfd-socket", 0, "SOCKET", struct exec_options, pidfd_socket,
		"where to send a pidfd of it"),
	OPTION_STRING(
		"process-label", 0, "LABEL", struct exec_options, process_label, "SELinux label"),
	OPTION_STRING("apparmor", 0, "PROFILE", struct exec_options, apparmor, "AppArmor profile"),
	OPTION_SWITCH("no-new-privs", 0, struct exec_options, no_new_privs, "set no_new_privs"),
	OPTION_STRINGS("cap", 'c', "CAP", struct exec_options, caps, "add a capability"),
	OPTION_STRINGS("cgroup", 0, "[CONTROLLER,...:]PATH", struct exec_options, cgroups,
		"run in a cgroup below the container's"),
	OPTION_SWITCH("ignore-paused", 0, struct exec_options, ignore_paused,
		"wait in a paused container instead of failing"),
	OPTION_NUMBER("preserve-fds", 0, "N", struct exec_options, preserve_fds,
		"pass N more descriptors, from 3 on"),
	{ 0 },
};

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	struct exec_options wanted = *(const struct exec_options *)call->values;

	if (wanted.process_file && call->n_args > 1)
		return error_set(
			err, ERROR_USAGE, "'exec' takes a command or a process file, not both");
	if (!wanted.process_file && call->n_args < 2)
		return error_set(err, ERROR_USAGE, "'exec' needs a command or a process file");
	wanted.args.items = call->args + 1;
	wanted.args.count = call->n_args - 1;
	return container_exec(call->runtime, call->args[0], &wanted, ret_exit_status, err);
}

const struct command command_exec = {
	.name = "exec",
	.arguments = "ID COMMAND [ARGUMENTS]",
	.summary = "run another program in a container",
	.options = options,
	.values_size = sizeof(struct exec_options),
	.min_args = 1,
	.max_args = COMMAND_ARGS_ANY,
	.place = OPTIONS_BEFORE_ARGUMENTS,
	.enters_container = true,
	.failure_status = STATUS_NOT_EXECUTED,
	.run = run,
};
