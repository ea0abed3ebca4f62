/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes libcap-ng's names of capabilities as the lines of a C array, while
 * kogg is built. Linked into kogg itself, that library would ask the kernel
 * eight times what it may do at the start of each call, and bring the C
 * library's databases of users along, for the sake of these names.
 *
 * The library names none that the running kernel lacks (before Linux 5.9, some
 * of those in its headers): then the build fails rather than leave one out.
 */
#include <cap-ng.h>
#include <ctype.h>
#include <linux/capability.h>
#include <stdio.h>

int main(void)
{
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		const char *name = capng_capability_to_name((unsigned)cap);

		if (!name || capng_name_to_capability(name) != cap) {
			fprintf(stderr, "this kernel or libcap-ng has no name for capability %d\n",
				cap);
			return 1;
		}
		printf("[%d] = \"CAP_", cap);
		for (; *name; name++)
			putchar(toupper((unsigned char)*name));
		puts("\",");
	}
	return 0;
}
