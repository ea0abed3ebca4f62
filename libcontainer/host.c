/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/host.h"

#include <assert.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "libcontainer/kernel/capabilities.h"
#include "libcontainer/kernel/cgroup_systemd.h"
#include "libcontainer/kernel/sealed_exe.h"
#include "libcontainer/kernel/syscall_filter.h"
#include "libspec/spec_seccomp.h"

int host_protect_program(char *const argv[], char *const envp[], struct error *err)
{
	return sealed_exe_ensure(argv, envp, err);
}

bool host_has_only_cgroup_v2(void)
{
	struct statfs top;

	return statfs("/sys/fs/cgroup", &top) == 0 && top.f_type == CGROUP2_SUPER_MAGIC;
}

static void list_seccomp_archs(const char **ret_names)
{
	size_t count = 0;

	for (const struct spec_word *arch = spec_seccomp_arch_words; arch->word; arch++) {
		assert(count < HOST_SECCOMP_ARCHS_MAX);
		if (syscall_filter_has_architecture(arch->word))
			ret_names[count++] = arch->word;
	}
	ret_names[count] = NULL;
}

static void list_seccomp_flags(const char **ret_names)
{
	unsigned supported = syscall_filter_supported_flags();
	size_t count = 0;

	for (const struct spec_word *flag = spec_seccomp_flag_words; flag->word; flag++) {
		assert(count < HOST_SECCOMP_FLAGS_MAX);
		if (flag->value & supported)
			ret_names[count++] = flag->word;
	}
	ret_names[count] = NULL;
}

void host_fill_features(struct host_features *ret_features)
{
	ret_features->facts = (struct features_facts){
		.has_apparmor = true,
		.has_selinux = true,
		.has_seccomp = true,
		.has_cgroup_systemd = cgroup_systemd_is_installed(),
		.has_cgroup_systemd_user = cgroup_systemd_is_installed(),
		.seccomp_archs = ret_features->seccomp_archs,
		.seccomp_flags = ret_features->seccomp_flags,
		.capabilities = capabilities_names(),
	};
	list_seccomp_archs(ret_features->seccomp_archs);
	list_seccomp_flags(ret_features->seccomp_flags);
}
