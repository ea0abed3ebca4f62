/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command is to main(): a row with a name, options and a function.
 *
 * A command does not open the log, print errors or exit: it writes its result
 * to standard output and returns, and main() does the rest.
 */
#ifndef KOGG_CMD_COMMAND_H
#define KOGG_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "cmd/options.h"
#include "libcontainer/container.h"

#define COMMAND_ARGS_ANY 1000000U

struct command_call {
	const struct runtime *runtime;
	const void *values; /* the struct that the options filled in */
	const char **args;  /* as many as the command wants; ends with NULL */
	size_t n_args;
};

struct command {
	const char *name;
	const char *arguments; /* as help shows them: "ID [SIGNAL]" */
	const char *summary;
	const struct option_row *options; /* ends with an empty row */
	size_t values_size;               /* of the struct the options fill in; 0: none */
	unsigned min_args;
	unsigned max_args;
	enum options_place place; /* of its options */
	const char *option_hint;  /* for an option that it does not know, or NULL */
	bool takes_no_id;         /* the first argument, if any, names no container */
	bool enters_container;    /* may come near a hostile program */
	int failure_status;       /* exit status when it fails, if not 1 */

	/* Gives the exit status of a success, which is 0 unless it says otherwise. */
	int (*run)(const struct command_call *call, int *ret_exit_status, struct error *err);
};

extern const struct command command_create;
extern const struct command command_delete;
extern const struct command command_events;
extern const struct command command_exec;
extern const struct command command_features;
extern const struct command command_kill;
extern const struct command command_list;
extern const struct command command_pause;
extern const struct command command_ps;
extern const struct command command_resume;
extern const struct command command_run;
extern const struct command command_spec;
extern const struct command command_start;
extern const struct command command_state;
extern const struct command command_stats;
extern const struct command command_update;

/* For commands that have no options. */
extern const struct option_row command_no_options[];

/*
 * The part of the option table that create and run share. VALUES is a struct
 * container_options.
 */
#define COMMAND_CREATE_OPTIONS                                                                     \
	OPTION_STRING("bundle", 'b', "DIR", struct container_options, bundle,                      \
		"the bundle's directory (default: the current one)"),                              \
		OPTION_STRING("config", 'f', "FILE", struct container_options, config,             \
			"what to read instead of config.json, seen from the bundle"),              \
		OPTION_STRING("console-socket", 0, "SOCKET", struct container_options,             \
			console_socket, "where to send the terminal's master end"),                \
		OPTION_STRING("pidfd-socket", 0, "SOCKET", struct container_options, pidfd_socket, \
			"where to send a pidfd of the container's process"),                       \
		OPTION_STRING("pid-file", 0, "FILE", struct container_options, pid_file,           \
			"where to write the pid of the container's process"),                      \
		OPTION_SWITCH("no-pivot", 0, struct container_options, no_pivot,                   \
			"move the root instead of pivot_root(2), for a root on initramfs"),        \
		OPTION_SWITCH("no-new-keyring", 0, struct container_options, no_new_keyring,       \
			"keep the caller's session keyring"),                                      \
		OPTION_NUMBER("preserve-fds", 0, "N", struct container_options, preserve_fds,      \
			"pass N more descriptors, from 3 on, to the container")

/* Writes TEXT to standard output, and frees it. */
int command_print(struct text *text, struct error *err) must_check;

/* Of list and ps: FORMAT may be NULL, "table" or "json". */
int command_check_format(const char *format, struct error *err) must_check;

#endif
