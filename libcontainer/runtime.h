/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the whole program, which every operation is given. */
#ifndef KOGG_LIBCONTAINER_RUNTIME_H
#define KOGG_LIBCONTAINER_RUNTIME_H

#include <stdbool.h>

#include "libcontainer/kernel/cgroup.h"

struct runtime {
	const char *root; /* absolute; the state directories lie in it */
	enum cgroup_driver cgroup_driver;
	bool is_root_given; /* --root was used: then list wants it to exist */
};

#endif
