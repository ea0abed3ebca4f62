/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked into a copy of the program for the fault trials: the N-th allocation
 * fails, counted over the program and all that it forks.
 *
 * STARVE_FILE names a file whose first word counts, and STARVE_TURN is N. The
 * linker puts these in the place of malloc(3) and its kin (--wrap).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static atomic_ulong *counter;
static unsigned long turn;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("STARVE_FILE"), *number = getenv("STARVE_TURN");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *page;

	if (fd < 0)
		return;
	page = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	turn = number ? strtoul(number, NULL, 10) : 0;
	counter = page == MAP_FAILED ? NULL : page;
}

static int is_turn(void)
{
	if (!counter || atomic_fetch_add(counter, 1) + 1 != turn)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *__wrap_malloc(size_t size)
{
	return is_turn() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_turn() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return is_turn() ? NULL : __real_realloc(memory, size);
}
