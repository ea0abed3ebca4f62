/* SPDX-License-Identifier: Apache-2.0 */
/* What may name a container: IDs are names of files, cgroups and units. */
#ifndef KOGG_LIBCONTAINER_CONTAINER_ID_H
#define KOGG_LIBCONTAINER_CONTAINER_ID_H

#include "base/error.h"

#define CONTAINER_ID_MAX 200

/* Fails unless ID is [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, at most CONTAINER_ID_MAX bytes. */
int container_id_check(const char *id, struct error *err) must_check;

#endif
