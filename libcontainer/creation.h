/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container up to the point where its first process waits for
 * `start`: what create and run have in common.
 *
 * The parent's side of init.h. Everything that is made outside the process is
 * on the rollback stack, so that a creation that is released without having
 * been committed leaves nothing behind.
 */
#ifndef KOGG_LIBCONTAINER_CREATION_H
#define KOGG_LIBCONTAINER_CREATION_H

#include "libcontainer/container.h"
#include "libcontainer/creation_data.h"

/*
 * Does all of it; the first process waits afterwards. The caller gives
 * RET_CREATION to creation_release() in any case.
 */
int creation_make(struct creation *ret_creation, const struct runtime *runtime, const char *id,
	const struct container_options *options, enum creation_starter starter, struct error *err)
	must_check;

/* Tells the caller which process it got, in the ways that its options name. */
int creation_announce(struct creation *creation, struct error *err) must_check;

/* Puts on record that it is made to the end. */
int creation_set_ready(const struct creation *creation, struct error *err) must_check;

/* What was made stays. */
void creation_commit(struct creation *creation);

/* Frees the memory and descriptors, and undoes what has not been committed. */
void creation_release(struct creation *creation);

#endif
