/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a container where it was made, as `run` does; see creation.h. */
#ifndef KOGG_LIBCONTAINER_CREATION_START_H
#define KOGG_LIBCONTAINER_CREATION_START_H

#include "base/error.h"
#include "libcontainer/creation_data.h"

/*
 * Lets the first process go, waits until it is the program, and runs the poststart hooks.
 * Others may have the container from then on: exec, kill, delete.
 */
int creation_start(struct creation *creation, struct error *err) must_check;

#endif
