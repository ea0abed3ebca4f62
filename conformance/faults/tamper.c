/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program and does something to one of its system calls, or lists them.
 *
 *   tamper [--attach PID] --report FILE [--at PROCESS:CALL WHAT] -- PROGRAM [ARGUMENT...]
 *
 * Processes count from 0, the program, in the order of their appearance; PID,
 * when given, is 1. Calls count from 1 for each process by itself, from the
 * return of PROGRAM's execve(2) or from PID's next call on, and for all others
 * up to their execve(2). WHAT is
 *
 *   kill      the process gets SIGKILL, and the call is not made
 *   error=E   the call is not made and returns the error number E
 *   hold      the process waits before the call while we stop ourselves
 *             (SIGSTOP); it and we go on at SIGCONT
 *
 * Without --at the report has a line "PROCESS CALL NAME" for each call, else
 * the one line of the call that was tampered with, or none. Ends with the
 * program, with its status (128 + N for signal N); what it leaves behind goes
 * on untraced. strace(1) counts the calls of all processes alike, so that a
 * point in one of them can't be named.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#	error "the registers of this architecture are not known"
#endif

#define PROCESSES_MAX 256
#define NO_CALL       (-1LL)
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
		PTRACE_O_TRACEEXEC)

enum action { ACTION_LIST, ACTION_KILL, ACTION_ERROR, ACTION_HOLD };

struct process {
	pid_t pid;
	bool is_counted; /* its calls are those of PROGRAM's text */
	bool is_failing; /* its call is skipped, and the error comes with its exit */
	unsigned n_calls;
};

static struct process processes[PROCESSES_MAX];
static size_t n_processes;

static enum action action;
static unsigned at_process, at_call;
static int at_error;
static bool is_done;
static FILE *report;

static void die(const char *what)
{
	perror(what);
	exit(125);
}

static struct process *find_process(pid_t pid)
{
	for (size_t i = 0; i < n_processes; i++)
		if (processes[i].pid == pid)
			return &processes[i];
	if (n_processes == PROCESSES_MAX)
		return NULL;
	processes[n_processes] = (struct process){ .pid = pid, .is_counted = n_processes > 0 };
	return &processes[n_processes++];
}

static void write_line(const struct process *process, long long number)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);

	fprintf(report, "%td %u %s\n", process - processes, process->n_calls, name ? name : "?");
	free(name);
}

/* A call number that is none makes the kernel skip it. close(2) always closes, whatever it returns.
 */
static void skip_call(struct process *process, long long number)
{
	struct user_regs_struct regs;

	process->is_failing = number == SYS_close;
	if (process->is_failing || ptrace(PTRACE_GETREGS, process->pid, NULL, &regs) < 0)
		return;
	regs.orig_rax = (unsigned long long)NO_CALL;
	process->is_failing = ptrace(PTRACE_SETREGS, process->pid, NULL, &regs) == 0;
}

static void act(struct process *process, long long number)
{
	is_done = true;
	switch (action) {
	case ACTION_KILL:
		kill(process->pid, SIGKILL);
		break;
	case ACTION_ERROR:
		skip_call(process, number);
		break;
	case ACTION_HOLD:
		raise(SIGSTOP);
		break;
	case ACTION_LIST:
		break;
	}
}

static void enter_call(struct process *process, long long number)
{
	process->n_calls++;
	if (action == ACTION_LIST) {
		write_line(process, number);
	} else if (!is_done && process - processes == at_process && process->n_calls == at_call) {
		write_line(process, number);
		act(process, number);
	}
}

static void leave_call(struct process *process)
{
	struct user_regs_struct regs;

	if (!process->is_failing || ptrace(PTRACE_GETREGS, process->pid, NULL, &regs) < 0)
		return;
	process->is_failing = false;
	regs.rax = (unsigned long long)-at_error;
	ptrace(PTRACE_SETREGS, process->pid, NULL, &regs);
}

static void see_call(struct process *process)
{
	struct __ptrace_syscall_info info;

	if (!process->is_counted ||
		ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		enter_call(process, (long long)info.entry.nr);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave_call(process);
}

static bool is_watched(const struct process *process)
{
	if (process->is_failing)
		return true;
	if (!process->is_counted)
		return process == processes;
	return action == ACTION_LIST || (!is_done && process - processes == at_process);
}

/* Lets PROCESS go on after the stop that STATUS of waitpid(2) tells of. */
static void resume(struct process *process, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	enum __ptrace_request request = is_watched(process) ? PTRACE_SYSCALL : PTRACE_CONT;
	bool is_stopping =
		signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;

	if (event == PTRACE_EVENT_STOP && is_stopping)
		request = PTRACE_LISTEN;
	if (event || signal == (SIGTRAP | 0x80))
		signal = 0;
	ptrace(request, process->pid, NULL, (void *)(ptrdiff_t)signal);
}

static void attach(pid_t pid)
{
	if (!find_process(pid))
		die("attach");
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) < 0)
		die("ptrace");
	if (pid != processes[0].pid && ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		die("ptrace");
}

/* The child goes on when it is traced. */
static pid_t start(char **argv)
{
	int gate[2];
	char byte;
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(gate[1]);
		if (read(gate[0], &byte, 1) != 0)
			_exit(125);
		execv(argv[0], argv);
		die(argv[0]);
	}
	close(gate[0]);
	attach(pid);
	close(gate[1]);
	return pid;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int trace(pid_t program)
{
	struct process *process;
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0)
			die("waitpid");
		if (!WIFSTOPPED(status) && pid == program)
			return exit_status(status);
		if (!WIFSTOPPED(status))
			continue;
		process = find_process(pid);
		if (!process)
			die("too many processes");
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			see_call(process);
		if (status >> 16 == PTRACE_EVENT_EXEC)
			process->is_counted = pid == program;
		resume(process, status);
	}
}

static void read_action(const char *point, const char *what)
{
	if (sscanf(point, "%u:%u", &at_process, &at_call) != 2)
		die(point);
	if (strcmp(what, "kill") == 0)
		action = ACTION_KILL;
	else if (strcmp(what, "hold") == 0)
		action = ACTION_HOLD;
	else if (sscanf(what, "error=%d", &at_error) == 1)
		action = ACTION_ERROR;
	else
		die(what);
}

int main(int argc, char **argv)
{
	pid_t attached = 0, program;
	int i = 1;

	for (; i + 2 < argc && strcmp(argv[i], "--") != 0; i += 2) {
		if (strcmp(argv[i], "--attach") == 0) {
			attached = (pid_t)strtol(argv[i + 1], NULL, 10);
		} else if (strcmp(argv[i], "--report") == 0) {
			report = fopen(argv[i + 1], "we");
		} else if (strcmp(argv[i], "--at") == 0) {
			read_action(argv[i + 1], argv[i + 2]);
			i++;
		}
	}
	if (!report || i + 1 >= argc) {
		fprintf(stderr, "usage: see the head of tamper.c\n");
		return 125;
	}
	setvbuf(report, NULL, _IOLBF, 0);
	program = start(argv + i + 1);
	if (attached)
		attach(attached);
	return trace(program);
}
