/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/rollback.h"

#include <assert.h>

void rollback_push(struct rollback *rollback, void (*undo)(void *context), void *context)
{
	assert(rollback->count < ROLLBACK_MAX);
	rollback->steps[rollback->count++] = (struct rollback_step){ undo, context };
}

void rollback_commit(struct rollback *rollback)
{
	rollback->count = 0;
}

void rollback_run(struct rollback *rollback)
{
	while (rollback->count) {
		const struct rollback_step *step = &rollback->steps[--rollback->count];

		step->undo(step->context);
	}
}
