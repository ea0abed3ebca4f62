/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that ask a command to end while it waits for something else
 * (signalfd(2)): as long as there is no program yet that they could be
 * forwarded to, they end the wait, and with it the command.
 */
#ifndef KOGG_LIBCONTAINER_INTERRUPTS_H
#define KOGG_LIBCONTAINER_INTERRUPTS_H

#include <stdbool.h>

#include "base/error.h"

struct interrupts {
	int fd;     /* -1: none are watched for */
	int signal; /* the one that came, or 0 */
};

#define INTERRUPTS_CLOSED \
	{                 \
		.fd = -1  \
	}

#define cleanup_interrupts __attribute__((cleanup(interrupts_close)))

/* Whether SIGNAL ends a program that does nothing about it, as people send it. */
bool interrupts_include(int signal);

/*
 * Watches for them; they are blocked by now (foreground_catch_signals()). What
 * interrupts_check() has not taken stays for whoever reads signals afterwards.
 */
int interrupts_open(struct interrupts *ret_interrupts, struct error *err) must_check;

/* What poll(2) waits for, beside what the caller does; INTERRUPTS may be NULL. */
int interrupts_fd(const struct interrupts *interrupts);

/* Fails when one has come, which INTERRUPTS, not NULL then, keeps. */
int interrupts_check(struct interrupts *interrupts, struct error *err) must_check;

void interrupts_close(struct interrupts *interrupts);

#endif
