/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as people and engines write them (signal(7), kill(1)). */
#ifndef KOGG_CMD_SIGNALS_H
#define KOGG_CMD_SIGNALS_H

#include "base/error.h"

/*
 * Reads a number from 0 to 64, or a name in any case, with or without "SIG":
 * "KILL", "sigterm", "RTMIN+1", "SIGRTMAX-2".
 */
int signals_parse(const char *text, int *ret_signal, struct error *err) must_check;

#endif
