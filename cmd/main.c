/* SPDX-License-Identifier: Apache-2.0 */
/* The program: the table of commands, and what all of them have in common. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cmd/command.h"
#include "cmd/global_options.h"
#include "cmd/help.h"
#include "cmd/log_output.h"
#include "cmd/version.h"
#include "libcontainer/host.h"
#include "libspec/near_word.h"

#define STATUS_FAILED          1
#define STATUS_UNKNOWN_COMMAND 3

/* In the order that help shows. */
static const struct command *const commands[] = {
	&command_create,
	&command_start,
	&command_run,
	&command_exec,
	&command_kill,
	&command_delete,
	&command_state,
	&command_list,
	&command_ps,
	&command_pause,
	&command_resume,
	&command_update,
	&command_events,
	&command_stats,
	&command_spec,
	&command_features,
	NULL,
};

/* One call of the program, as far as it has come. */
struct program {
	struct log_output log;
	struct global_options options;
	struct options_rest rest; /* the command's name and all that follows */
	const struct command *command;
	const char *container; /* that the command is about, or NULL */
	int status;            /* to exit with */
};

static const struct command *find_command(const char *name)
{
	for (const struct command *const *command = commands; *command; command++)
		if (strcmp((*command)->name, name) == 0)
			return *command;
	return NULL;
}

/*
 * A descriptor that we open must never become standard input, output or error
 * of a container or hook because the caller had closed its own.
 */
static int open_standard_streams(struct error *err)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", O_RDWR) < 0)
			return error_set_call(err, "open", "/dev/null");
	}
	return 0;
}

/*
 * A reader of our output that goes away must not end us between two steps, nor
 * a limit on the size of files (RLIMIT_FSIZE), so SIGPIPE and SIGXFSZ are ignored;
 * what executes a program sets them back (execve(2) keeps ignored signals
 * ignored). An ignored SIGCHLD, which we may have inherited,
 * would make the kernel throw away the exit statuses we wait for.
 */
static void set_signals(void)
{
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	const struct sigaction normal = { .sa_handler = SIG_DFL };

	sigaction(SIGPIPE, &ignored, NULL);
	sigaction(SIGXFSZ, &ignored, NULL);
	sigaction(SIGCHLD, &normal, NULL);
}

/* jansson would read /dev/urandom for its tables; the kernel has given us random bytes before. */
static void seed_tables(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	size_t seed;

	if (!random)
		return;
	memcpy(&seed, random, sizeof(seed));
	json_object_seed(seed | 1); /* 0 would mean "read /dev/urandom" */
}

static void append_help(const struct command *command, struct text *ret_text)
{
	if (command)
		help_command(command, ret_text);
	else
		help_program(commands, global_options_table, ret_text);
}

static int show_help(const struct command *command, struct error *err)
{
	struct text text = { 0 };

	append_help(command, &text);
	return command_print(&text, err);
}

static int show_version(struct error *err)
{
	struct text text = { 0 };

	version_describe(&text);
	return command_print(&text, err);
}

/* The help that goes with a wrong command line; the error itself is the log's. Returns -1. */
static int refuse_usage(const struct command *command)
{
	struct text text = { 0 };
	struct error ignored = { 0 };

	text_append(&text, "Incorrect Usage.\n\n");
	append_help(command, &text);
	/* A closed standard output must not hide what is wrong. */
	(void)!command_print(&text, &ignored);
	return -1;
}

static int refuse_unknown_command(struct program *program, const char *name, struct error *err)
{
	struct near_word near = { .typed = name };

	for (const struct command *const *command = commands; *command; command++)
		near_word_try(&near, (*command)->name);
	if (near.best)
		error_hint(err, "did you mean '%s'", near.best);
	program->status = STATUS_UNKNOWN_COMMAND;
	return error_set(err, ERROR_USAGE, "No help topic for '%s'", name);
}

static int check_count(const struct command *command, size_t n_args, struct error *err)
{
	bool is_too_few = n_args < command->min_args;
	unsigned limit = is_too_few ? command->min_args : command->max_args;
	const char *how = command->min_args == command->max_args ? "exactly"
			  : is_too_few                           ? "at least"
								 : "at most";

	if (!is_too_few && n_args <= command->max_args)
		return 0;
	return error_set(err, ERROR_USAGE, "'%s' takes %s %u argument%s, found %zu", command->name,
		how, limit, limit == 1 ? "" : "s", n_args);
}

static int call_command(struct program *program, const void *values,
	const struct options_rest *rest, struct error *err)
{
	const struct command *command = program->command;
	char root[PATH_MAX];
	struct runtime runtime;
	const struct command_call call = {
		.runtime = &runtime,
		.values = values,
		.args = rest->args,
		.n_args = rest->n_args,
	};

	if (!command->takes_no_id)
		program->container = rest->args[0];
	if (global_options_resolve(&program->options, root, &runtime, err) < 0)
		return -1;
	return command->run(&call, &program->status, err);
}

/* What may have been meant by the option WORD, which COMMAND does not have. */
static void explain_option(const struct command *command, const char *word, struct error *err)
{
	const char *near = options_near(command->options, word);

	if (near)
		error_hint(err, "did you mean '--%s'", near);
	else if (options_know(global_options_table, word))
		error_hint(err, "that is a global option, which comes before the command");
	else if (command->option_hint)
		error_hint(err, "%s", command->option_hint);
	else if (!command->takes_no_id)
		error_hint(err, "an ID that begins with a dash needs -- before it");
}

static int read_command(
	struct program *program, void *values, struct options_rest *ret_rest, struct error *err)
{
	const struct command *command = program->command;

	if (options_parse(command->options, command->place, program->rest.args + 1, values,
		    ret_rest, err) < 0) {
		if (ret_rest->unknown)
			explain_option(command, ret_rest->unknown, err);
		return refuse_usage(command);
	}
	if (ret_rest->wants_help)
		return 0;
	if (check_count(command, ret_rest->n_args, err) < 0)
		return refuse_usage(command);
	return 0;
}

static int run_command(struct program *program, struct error *err)
{
	const struct command *command = program->command;
	cleanup_free void *values = calloc(1, command->values_size + 1);
	struct options_rest rest = { 0 };
	int result;

	if (!values)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	result = read_command(program, values, &rest, err);
	if (result == 0 && rest.wants_help)
		result = show_help(command, err);
	else if (result == 0)
		result = call_command(program, values, &rest, err);
	options_release(command->options, values, &rest);
	return result;
}

/* "help" and "help COMMAND" */
static int run_help(struct program *program, struct error *err)
{
	const char *topic = program->rest.args[1];
	const struct command *command = topic ? find_command(topic) : NULL;

	if (topic && !command)
		return refuse_unknown_command(program, topic, err);
	return show_help(command, err);
}

static int run_program(struct program *program, struct error *err)
{
	const char *name = program->rest.n_args ? program->rest.args[0] : NULL;

	if (program->options.version)
		return show_version(err);
	if (!name || program->rest.wants_help)
		return show_help(NULL, err);
	if (strcmp(name, "help") == 0)
		return run_help(program, err);
	if (!program->command)
		return refuse_unknown_command(program, name, err);
	return run_command(program, err);
}

/*
 * The log is opened before anything else can fail, but for the options that
 * name it, and for the protection of the executable: that starts the program
 * anew, and it would only be opened twice. The first error is the one kept.
 */
static int start_program(struct program *program, char *const *argv, struct error *err)
{
	const struct global_options *options = &program->options;
	int parsed = options_parse(global_options_table, OPTIONS_BEFORE_ARGUMENTS,
		(const char *const *)argv + 1, &program->options, &program->rest, err);
	int result = 0;

	if (program->rest.n_args)
		program->command = find_command(program->rest.args[0]);
	if (program->command && program->command->enters_container)
		result = host_protect_program(argv, environ, err);
	if (log_output_open(&program->log, options->log, options->log_format, options->debug, err) <
		0)
		result = -1;
	if (parsed < 0)
		return refuse_usage(NULL);
	return result;
}

static int serve(struct program *program, char *const *argv, struct error *err)
{
	set_signals();
	seed_tables();
	if (open_standard_streams(err) < 0 || start_program(program, argv, err) < 0)
		return -1;
	return run_program(program, err);
}

int main(int argc, char **argv)
{
	struct program program = {
		.log = { .file_fd = -1, .stderr_fd = STDERR_FILENO },
	};
	struct error err = { 0 };

	if (argc < 1)
		return STATUS_FAILED;
	if (serve(&program, argv, &err) == 0) {
		log_output_finish(&program.log);
	} else {
		log_output_fail(&program.log, &err, program.container);
		if (!program.status && program.command)
			program.status = program.command->failure_status;
		if (!program.status)
			program.status = STATUS_FAILED;
	}
	options_release(global_options_table, &program.options, &program.rest);
	log_output_release(&program.log);
	return program.status;
}
