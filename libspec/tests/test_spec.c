/* SPDX-License-Identifier: Apache-2.0 */
/* Every member of a config, read into its place. */
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "libspec/tests/load.h"

static const char config[] =
	"{'ociVersion':'1.2.1','root':{'path':'rootfs','readonly':true},"
	"'hostname':'host','domainname':'domain','annotations':{'b.c':'2','a':''},"
	"'mounts':[{'destination':'/proc','type':'proc','source':'proc','options':['nosuid']},"
	"{'destination':'m','source':'/s','options':['rbind'],"
	"'uidMappings':[{'containerID':1,'hostID':2,'size':3}],"
	"'gidMappings':[{'containerID':4,'hostID':5,'size':6}]}],"
	"'process':{'terminal':true,'consoleSize':{'height':24,'width':80},"
	"'user':{'uid':7,'gid':8,'umask':18,'additionalGids':[9,10],'username':'ignored'},"
	"'args':['sh','-c',''],'env':['A=1','B=='],'cwd':'/srv','noNewPrivileges':true,"
	"'capabilities':{'bounding':['CAP_KILL'],'effective':['CAP_FOO'],'inheritable':[],"
	"'permitted':['CAP_KILL','CAP_CHOWN'],'ambient':null},"
	"'rlimits':[{'type':'RLIMIT_CORE','soft':9223372036854775808,'hard':18446744073709551615},"
	"{'type':'RLIMIT_NOFILE','soft':1,'hard':2}],"
	"'apparmorProfile':'prof','selinuxLabel':'label','oomScoreAdj':-500,"
	"'scheduler':{'policy':'SCHED_BATCH','nice':-5,'flags':['SCHED_FLAG_RESET_ON_FORK',"
	"'SCHED_FLAG_UTIL_CLAMP_MAX']},'ioPriority':{'class':'IOPRIO_CLASS_IDLE','priority':7},"
	"'execCPUAffinity':{'initial':'0-3,7','final':'1 , 2'}},"
	"'hooks':{'prestart':[{'path':'/1'}],'createRuntime':[{'path':'/2','args':['a','b'],"
	"'env':['C=3'],'timeout':5},{'path':'/3','args':[],'env':[]}],"
	"'createContainer':[{'path':'/4'}],'startContainer':[{'path':'/5'}],"
	"'poststart':[{'path':'/6'}],'poststop':[{'path':'/7'},{'path':'/8'},{'path':'/9'}]},"
	"'linux':{'namespaces':[{'type':'pid'},{'type':'network','path':'/n'},{'type':'mount'},"
	"{'type':'ipc','path':''},{'type':'uts'},{'type':'user'},{'type':'cgroup'},{'type':'time'}],"
	"'uidMappings':[{'containerID':0,'hostID':1000,'size':10},"
	"{'containerID':10,'hostID':5000,'size':1}],"
	"'gidMappings':[{'containerID':0,'hostID':4294967200,'size':95}],"
	"'timeOffsets':{'monotonic':{'secs':-172800,'nanosecs':999999999},'boottime':{}},"
	"'devices':[{'path':'/dev/a','type':'c','major':10,'minor':229,'fileMode':438,'uid':1,"
	"'gid':2},{'path':'/dev/b','type':'b','major':8,'minor':0,'fileMode':24960},"
	"{'path':'/dev/p','type':'p'},{'path':'/dev/u','type':'u','major':4095,'minor':1048575}],"
	"'netDevices':{'eth0':{'name':'cont%d'},'eth1':{}},"
	"'sysctl':{'net/ipv4/conf/eth0.1/forwarding':'1','kernel.shm_rmid_forced':'1',"
	"'kernel.msgmax':'8','kernel.sem':'1','fs.mqueue.msg_max':'5','kernel.domainname':'domain',"
	"'user.max_user_namespaces':'3'},"
	"'cgroupsPath':'/a/b','rootfsPropagation':'rshared','maskedPaths':['/proc/kcore'],"
	"'readonlyPaths':['/proc/sys','/proc/bus'],'mountLabel':'ml',"
	"'personality':{'domain':'LINUX32','flags':[]},"
	"'memoryPolicy':{'mode':'MPOL_INTERLEAVE','nodes':'0-1','flags':['MPOL_F_STATIC_NODES']},"
	"'intelRdt':{'closID':'/','l3CacheSchema':'L3:0=f','memBwSchema':'MB:0=20',"
	"'schemata':['L2:0=f'],'enableMonitoring':true},"
	"'resources':{'devices':[{'allow':false},{'allow':true,'type':'c','major':-1,'minor':3,"
	"'access':'rw'},{'allow':true,'type':'','access':''}],"
	"'memory':{'limit':-1,'reservation':2,'swap':3,'kernel':4,'kernelTCP':5,'swappiness':60,"
	"'disableOOMKiller':false,'useHierarchy':true,'checkBeforeUpdate':true},"
	"'cpu':{'shares':1024,'quota':-1,'burst':7,'period':100000,'realtimeRuntime':950000,"
	"'realtimePeriod':18446744073709551615,'cpus':'0-3','mems':'','idle':1},"
	"'pids':{'limit':0},'blockIO':{'weight':0,'leafWeight':1000,"
	"'weightDevice':[{'major':8,'minor':1,'weight':500},{'major':8,'minor':2,'leafWeight':10}],"
	"'throttleReadBpsDevice':[{'major':1,'minor':2,'rate':3}],"
	"'throttleWriteBpsDevice':[{'major':4,'minor':5,'rate':6}],"
	"'throttleReadIOPSDevice':[{'major':7,'minor':8,'rate':9}],"
	"'throttleWriteIOPSDevice':[{'major':10,'minor':11,'rate':18446744073709551615}]},"
	"'hugepageLimits':[{'pageSize':'2MB','limit':18446744073709551615}],"
	"'network':{'classID':4294967295,'priorities':[{'name':'eth0','priority':500}]},"
	"'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000},'rxe3':{'hcaObjects':1}},"
	"'unified':{'memory.high':'1\\n2'}},"
	"'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
	"'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_SHEB'],"
	"'flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],"
	"'listenerPath':'/run/l','listenerMetadata':'m','syscalls':[{'names':['nosuch','clone'],"
	"'action':'SCMP_ACT_NOTIFY','args':[{'index':5,'value':18446744073709551615,"
	"'valueTwo':9223372036854775808,'op':'SCMP_CMP_MASKED_EQ'}]},"
	"{'names':['x'],'action':'SCMP_ACT_TRACE','errnoRet':65535}]}},"
	"'unknown':{'deep':[1e999,-99999999999999999999,{}]},'windows':{}}";

static struct spec_document *document;
static const struct spec *spec;

static void setup(void)
{
	struct error err = { 0 };
	struct place place;
	char *json = load_expand(config, &place);

	ck_assert_msg(load_config(json, &document, &spec, &err) == 0, "%s", err.text);
	free(json);
}

static void teardown(void)
{
	spec_document_free(document);
}

static void assert_mappings(
	const struct spec_id_mappings *got, size_t i, uint32_t inside, uint32_t outside, uint32_t n)
{
	ck_assert_uint_eq(got->items[i].container_id, inside);
	ck_assert_uint_eq(got->items[i].host_id, outside);
	ck_assert_uint_eq(got->items[i].size, n);
}

START_TEST(reads_the_top_level)
{
	ck_assert_str_eq(spec->oci_version, "1.2.1");
	ck_assert_str_eq(spec->root.path, "rootfs");
	ck_assert(spec->root.readonly);
	ck_assert_str_eq(spec->hostname, "host");
	ck_assert_str_eq(spec->domainname, "domain");
	ck_assert_uint_eq(spec->annotations.count, 2);
	ck_assert_str_eq(spec->annotations.items[0].key, "b.c");
	ck_assert_str_eq(spec->annotations.items[0].value, "2");
	ck_assert_str_eq(spec->annotations.items[1].key, "a");
	ck_assert_str_eq(spec->annotations.items[1].value, "");
}
END_TEST

START_TEST(reads_mounts)
{
	const struct spec_mount *mounts = spec->mounts;

	ck_assert_uint_eq(spec->n_mounts, 2);
	ck_assert_str_eq(mounts[0].destination, "/proc");
	ck_assert_str_eq(mounts[0].type, "proc");
	ck_assert_str_eq(mounts[0].source, "proc");
	ck_assert_uint_eq(mounts[0].options.count, 1);
	ck_assert_str_eq(mounts[0].options.items[0], "nosuid");
	ck_assert(!mounts[0].parsed.has_idmap);
	ck_assert_str_eq(mounts[1].destination, "m");
	ck_assert_ptr_null(mounts[1].type);
	ck_assert(mounts[1].parsed.is_bind && mounts[1].parsed.is_recursive);
	ck_assert(mounts[1].parsed.has_idmap);
	assert_mappings(&mounts[1].uid_mappings, 0, 1, 2, 3);
	assert_mappings(&mounts[1].gid_mappings, 0, 4, 5, 6);
}
END_TEST

START_TEST(reads_the_process)
{
	const struct spec_process *process = spec->process;

	ck_assert_str_eq(process->pointer, "/process");
	ck_assert(process->terminal);
	ck_assert_uint_eq(process->console_size->height, 24);
	ck_assert_uint_eq(process->console_size->width, 80);
	ck_assert_uint_eq(process->user.uid, 7);
	ck_assert_uint_eq(process->user.gid, 8);
	ck_assert(process->user.umask.is_set);
	ck_assert_uint_eq(process->user.umask.value, 18);
	ck_assert_uint_eq(process->user.additional_gids.count, 2);
	ck_assert_uint_eq(process->user.additional_gids.items[1], 10);
	ck_assert_uint_eq(process->args.count, 3);
	ck_assert_str_eq(process->args.items[1], "-c");
	ck_assert_ptr_null(process->args.items[3]);
	ck_assert_uint_eq(process->env.count, 2);
	ck_assert_str_eq(process->env.items[1], "B==");
	ck_assert_str_eq(process->cwd, "/srv");
	ck_assert(process->no_new_privileges);
	ck_assert_str_eq(process->apparmor_profile, "prof");
	ck_assert_str_eq(process->selinux_label, "label");
	ck_assert(process->oom_score_adj.is_set);
	ck_assert_int_eq(process->oom_score_adj.value, -500);
}
END_TEST

START_TEST(reads_what_the_process_is_given)
{
	const struct spec_process *process = spec->process;

	ck_assert_str_eq(process->capabilities->bounding.items[0], "CAP_KILL");
	ck_assert_str_eq(process->capabilities->effective.items[0], "CAP_FOO");
	ck_assert_uint_eq(process->capabilities->permitted.count, 2);
	ck_assert_uint_eq(process->capabilities->inheritable.count, 0);
	ck_assert_ptr_nonnull(process->capabilities->inheritable.items);
	ck_assert_ptr_null(process->capabilities->ambient.items);
	ck_assert_uint_eq(process->n_rlimits, 2);
	ck_assert_uint_eq(process->rlimits[0].type, RLIMIT_CORE);
	ck_assert_uint_eq(process->rlimits[0].soft, UINT64_C(9223372036854775808));
	ck_assert_uint_eq(process->rlimits[0].hard, UINT64_MAX);
	ck_assert_uint_eq(process->rlimits[1].type, RLIMIT_NOFILE);
	ck_assert_uint_eq(process->scheduler->policy, SCHED_BATCH);
	ck_assert_int_eq(process->scheduler->nice, -5);
	ck_assert_uint_eq(process->scheduler->flags, 0x41);
	ck_assert_uint_eq(process->io_priority->class, 3);
	ck_assert_int_eq(process->io_priority->priority, 7);
	ck_assert_str_eq(process->exec_affinity_initial, "0-3,7");
	ck_assert_str_eq(process->exec_affinity_final, "1 , 2");
}
END_TEST

START_TEST(reads_hooks)
{
	const struct spec_hook_list *lists = spec->hooks.lists;
	const struct spec_hook *hook = &lists[SPEC_HOOK_CREATE_RUNTIME].items[0];

	ck_assert_uint_eq(lists[SPEC_HOOK_PRESTART].count, 1);
	ck_assert_ptr_null(lists[SPEC_HOOK_PRESTART].items[0].args.items);
	ck_assert_ptr_null(lists[SPEC_HOOK_PRESTART].items[0].env.items);
	ck_assert(!lists[SPEC_HOOK_PRESTART].items[0].timeout.is_set);
	ck_assert_str_eq(hook->path, "/2");
	ck_assert_str_eq(hook->args.items[1], "b");
	ck_assert_str_eq(hook->env.items[0], "C=3");
	ck_assert(hook->timeout.is_set);
	ck_assert_int_eq(hook->timeout.value, 5);
	ck_assert_ptr_null(hook[1].args.items); /* [] is no argv */
	ck_assert_ptr_nonnull(hook[1].env.items);
	ck_assert_str_eq(lists[SPEC_HOOK_CREATE_CONTAINER].items[0].path, "/4");
	ck_assert_str_eq(lists[SPEC_HOOK_START_CONTAINER].items[0].path, "/5");
	ck_assert_str_eq(lists[SPEC_HOOK_POSTSTART].items[0].path, "/6");
	ck_assert_uint_eq(lists[SPEC_HOOK_POSTSTOP].count, 3);
}
END_TEST

START_TEST(reads_namespaces)
{
	const struct spec_linux *platform = &spec->platform;

	ck_assert_uint_eq(platform->n_namespaces, 8);
	ck_assert_uint_eq(platform->namespaces[0].flag, CLONE_NEWPID);
	ck_assert_ptr_null(platform->namespaces[0].path);
	ck_assert_str_eq(spec_find_namespace(spec, CLONE_NEWNET)->path, "/n");
	ck_assert_ptr_null(spec_find_namespace(spec, CLONE_NEWIPC)->path);
	ck_assert_ptr_nonnull(spec_find_namespace(spec, CLONE_NEWTIME));
	ck_assert_ptr_null(spec_find_namespace(spec, CLONE_FILES));
	assert_mappings(&platform->uid_mappings, 1, 10, 5000, 1);
	assert_mappings(&platform->gid_mappings, 0, 0, 4294967200U, 95);
	ck_assert_uint_eq(platform->n_time_offsets, 2);
	ck_assert_str_eq(platform->time_offsets[0].clock, "monotonic");
	ck_assert_int_eq(platform->time_offsets[0].seconds, -172800);
	ck_assert_uint_eq(platform->time_offsets[0].nanoseconds, 999999999);
	ck_assert_str_eq(platform->time_offsets[1].clock, "boottime");
	ck_assert_uint_eq(platform->n_net_devices, 2);
	ck_assert_str_eq(platform->net_devices[0].host_name, "eth0");
	ck_assert_str_eq(platform->net_devices[0].name, "cont%d");
	ck_assert_ptr_null(platform->net_devices[1].name);
	ck_assert_uint_eq(platform->sysctl.count, 7);
	ck_assert_str_eq(platform->sysctl.items[0].key, "net/ipv4/conf/eth0.1/forwarding");
}
END_TEST

START_TEST(reads_devices)
{
	const struct spec_device *devices = spec->platform.devices;

	ck_assert_uint_eq(spec->platform.n_devices, 4);
	ck_assert_str_eq(devices[0].path, "/dev/a");
	ck_assert_uint_eq(devices[0].type, S_IFCHR);
	ck_assert_int_eq(devices[0].major, 10);
	ck_assert_int_eq(devices[0].minor, 229);
	ck_assert_uint_eq(devices[0].file_mode.value, 0666);
	ck_assert_uint_eq(devices[0].uid, 1);
	ck_assert_uint_eq(devices[0].gid, 2);
	ck_assert_uint_eq(devices[1].type, S_IFBLK);
	ck_assert_uint_eq(devices[1].file_mode.value, 0600); /* without S_IFBLK */
	ck_assert_uint_eq(devices[2].type, S_IFIFO);
	ck_assert(!devices[2].file_mode.is_set);
	ck_assert_uint_eq(devices[3].type, S_IFCHR);
}
END_TEST

START_TEST(reads_the_rest_of_linux)
{
	const struct spec_linux *platform = &spec->platform;

	ck_assert_str_eq(platform->cgroups_path, "/a/b");
	ck_assert_uint_eq(platform->rootfs_propagation, MS_SHARED | MS_REC);
	ck_assert_str_eq(platform->masked_paths.items[0], "/proc/kcore");
	ck_assert_uint_eq(platform->readonly_paths.count, 2);
	ck_assert_str_eq(platform->mount_label, "ml");
	ck_assert(platform->personality.is_set);
	ck_assert_int_eq(platform->personality.value, 8);
	ck_assert_uint_eq(platform->memory_policy->mode, MPOL_INTERLEAVE);
	ck_assert_str_eq(platform->memory_policy->nodes, "0-1");
	ck_assert_uint_eq(platform->memory_policy->flags, MPOL_F_STATIC_NODES);
	ck_assert_str_eq(platform->intel_rdt->clos_id, "/");
	ck_assert_str_eq(platform->intel_rdt->l3_cache_schema, "L3:0=f");
	ck_assert_str_eq(platform->intel_rdt->mem_bw_schema, "MB:0=20");
	ck_assert_str_eq(platform->intel_rdt->schemata.items[0], "L2:0=f");
	ck_assert(platform->intel_rdt->enable_monitoring);
}
END_TEST

START_TEST(reads_memory_and_cpu)
{
	const struct spec_memory *memory = spec->platform.resources->memory;
	const struct spec_cpu *cpu = spec->platform.resources->cpu;

	ck_assert_int_eq(memory->limit.value, -1);
	ck_assert_int_eq(memory->reservation.value, 2);
	ck_assert_int_eq(memory->swap.value, 3);
	ck_assert_int_eq(memory->kernel.value, 4);
	ck_assert_int_eq(memory->kernel_tcp.value, 5);
	ck_assert_uint_eq(memory->swappiness.value, 60);
	ck_assert(memory->disable_oom_killer.is_set && !memory->disable_oom_killer.value);
	ck_assert(memory->use_hierarchy.value && memory->check_before_update.value);
	ck_assert_uint_eq(cpu->shares.value, 1024);
	ck_assert_int_eq(cpu->quota.value, -1);
	ck_assert_uint_eq(cpu->burst.value, 7);
	ck_assert_uint_eq(cpu->period.value, 100000);
	ck_assert_int_eq(cpu->realtime_runtime.value, 950000);
	ck_assert_uint_eq(cpu->realtime_period.value, UINT64_MAX);
	ck_assert_str_eq(cpu->cpus, "0-3");
	ck_assert_ptr_null(cpu->mems);
	ck_assert_int_eq(cpu->idle.value, 1);
}
END_TEST

START_TEST(reads_device_rules)
{
	const struct spec_resources *resources = spec->platform.resources;
	const struct spec_device_rule *rules = resources->devices;
	const unsigned all = SPEC_DEVICE_READ | SPEC_DEVICE_WRITE | SPEC_DEVICE_MKNOD;

	ck_assert_str_eq(resources->pointer, "/linux/resources");
	ck_assert(resources->has_devices);
	ck_assert_uint_eq(resources->n_devices, 3);
	ck_assert(!rules[0].allow && rules[0].type == 'a' && rules[0].access == all);
	ck_assert(!rules[0].major.is_set && !rules[0].minor.is_set);
	ck_assert(rules[1].allow && rules[1].type == 'c');
	ck_assert(!rules[1].major.is_set); /* -1 is all */
	ck_assert(rules[1].minor.is_set && rules[1].minor.value == 3);
	ck_assert_uint_eq(rules[1].access, SPEC_DEVICE_READ | SPEC_DEVICE_WRITE);
	ck_assert(rules[2].type == 'a' && rules[2].access == all);
}
END_TEST

START_TEST(reads_the_other_resources)
{
	const struct spec_resources *resources = spec->platform.resources;
	const struct spec_block_io *block_io = resources->block_io;

	ck_assert(resources->pids_limit.is_set && resources->pids_limit.value == 0);
	ck_assert(block_io->weight.is_set && block_io->weight.value == 0);
	ck_assert_uint_eq(block_io->leaf_weight.value, 1000);
	ck_assert_uint_eq(block_io->n_weight_devices, 2);
	ck_assert_uint_eq(block_io->weight_devices[0].weight.value, 500);
	ck_assert(!block_io->weight_devices[0].leaf_weight.is_set);
	ck_assert_uint_eq(block_io->weight_devices[1].leaf_weight.value, 10);
	ck_assert_uint_eq(block_io->read_bps.items[0].rate, 3);
	ck_assert_int_eq(block_io->write_bps.items[0].major, 4);
	ck_assert_int_eq(block_io->read_iops.items[0].minor, 8);
	ck_assert_uint_eq(block_io->write_iops.items[0].rate, UINT64_MAX);
	ck_assert_str_eq(resources->hugepage_limits[0].page_size, "2MB");
	ck_assert_uint_eq(resources->hugepage_limits[0].limit, UINT64_MAX);
	ck_assert_uint_eq(resources->network->class_id.value, UINT32_MAX);
	ck_assert_str_eq(resources->network->priorities[0].name, "eth0");
	ck_assert_uint_eq(resources->network->priorities[0].priority, 500);
	ck_assert_uint_eq(resources->n_rdma, 2);
	ck_assert_str_eq(resources->rdma[0].device, "mlx5_1");
	ck_assert_uint_eq(resources->rdma[0].hca_handles.value, 3);
	ck_assert_uint_eq(resources->rdma[0].hca_objects.value, 10000);
	ck_assert(!resources->rdma[1].hca_handles.is_set);
	ck_assert_str_eq(resources->unified.items[0].key, "memory.high");
	ck_assert_str_eq(resources->unified.items[0].value, "1\n2");
}
END_TEST

START_TEST(reads_seccomp)
{
	const struct spec_seccomp *seccomp;
	const struct spec_seccomp_rule *rules;
	struct error err = { 0 };

	ck_assert(spec->platform.has_seccomp);
	ck_assert_msg(spec_load_seccomp(document, &seccomp, &err) == 0, "%s", err.text);
	rules = seccomp->rules;
	ck_assert_uint_eq(seccomp->default_action, SPEC_SECCOMP_ERRNO);
	ck_assert_uint_eq(seccomp->default_errno_ret.value, 38);
	ck_assert_uint_eq(seccomp->architectures.count, 2);
	ck_assert_str_eq(seccomp->architectures.items[1], "SCMP_ARCH_SHEB");
	ck_assert(seccomp->has_flags);
	ck_assert_uint_eq(
		seccomp->flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	ck_assert_str_eq(seccomp->listener_path, "/run/l");
	ck_assert_str_eq(seccomp->listener_metadata, "m");
	ck_assert_uint_eq(seccomp->n_rules, 2);
	ck_assert_str_eq(rules[0].names.items[0], "nosuch");
	ck_assert_uint_eq(rules[0].action, SPEC_SECCOMP_NOTIFY);
	ck_assert(!rules[0].errno_ret.is_set);
	ck_assert_uint_eq(rules[0].args[0].index, 5);
	ck_assert_uint_eq(rules[0].args[0].value, UINT64_MAX);
	ck_assert_uint_eq(rules[0].args[0].value_two, UINT64_C(9223372036854775808));
	ck_assert_uint_eq(rules[0].args[0].op, SPEC_SECCOMP_MASKED_EQ);
	ck_assert_uint_eq(rules[1].action, SPEC_SECCOMP_TRACE);
	ck_assert_uint_eq(rules[1].errno_ret.value, 65535);
	ck_assert_uint_eq(rules[1].n_args, 0);
}
END_TEST

START_TEST(keeps_the_text)
{
	struct place place;
	char *json = load_expand(config, &place);
	size_t size;
	const char *text = spec_document_text(document, &size);

	ck_assert_uint_eq(size, strlen(json));
	ck_assert_mem_eq(text, json, size);
	free(json);
}
END_TEST

START_TEST(locates_later_errors)
{
	struct error err = { 0 };
	char text[sizeof(err.text)];

	spec_document_locate(document, &err);
	ck_assert_int_eq(err.kind, ERROR_NONE);
	error_set(&err, ERROR_SYSTEM, "the kernel has none of that name");
	error_point(&err, "/linux/sysctl/net~1ipv4~1conf~1eth0.1~1forwarding");
	spec_document_locate(document, &err);
	ck_assert_uint_eq(err.line, 1);
	ck_assert_uint_gt(err.column, 1000);
	ck_assert_ptr_nonnull(strstr(err.text,
		": /linux/sysctl/net~1ipv4~1conf~1eth0.1~1forwarding: the kernel has none"));
	snprintf(text, sizeof(text), "%s", err.text);
	spec_document_locate(document, &err); /* once is enough */
	ck_assert_str_eq(err.text, text);
}
END_TEST

/* What the least config leaves open. */
START_TEST(leaves_absent_members_empty)
{
	static const char json[] =
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"hostname\":\"\",\"process\":null,"
		"\"linux\":{\"mountLabel\":\"\",\"cgroupsPath\":\"\",\"resources\":{},"
		"\"rootfsPropagation\":\"\"}}";
	struct spec_document *least_document;
	const struct spec *least;
	struct error err = { 0 };

	ck_assert_msg(load_config(json, &least_document, &least, &err) == 0, "%s", err.text);
	ck_assert_ptr_null(least->process);
	ck_assert_ptr_null(least->hostname);
	ck_assert_ptr_null(least->domainname);
	ck_assert_uint_eq(least->n_mounts, 0);
	ck_assert_ptr_null(least->platform.mount_label);
	ck_assert_ptr_null(least->platform.cgroups_path);
	ck_assert(!least->platform.has_seccomp);
	ck_assert_ptr_null(least->platform.masked_paths.items);
	ck_assert_uint_eq(least->platform.rootfs_propagation, 0);
	ck_assert(!least->platform.personality.is_set);
	ck_assert(!least->platform.resources->has_devices);
	ck_assert(!least->platform.resources->pids_limit.is_set);
	spec_document_free(least_document);
}
END_TEST

static char warning[LOG_TEXT_MAX];

static void note_warning(void *context, enum log_level level, const char *text)
{
	(void)context;
	ck_assert_int_eq(level, LOG_LEVEL_WARNING);
	snprintf(warning, sizeof(warning), "%s", text);
}

/* "SHOULD NOT contain newlines": that is no reason to refuse it. */
START_TEST(warns_of_a_schema_of_two_lines)
{
	static const char json[] =
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
		"\"linux\":{\"intelRdt\":{\"l3CacheSchema\":\"L3CODE:0=f\\nL3DATA:0=f\"}}}";
	static const struct log_sink sink = { .write = note_warning };
	struct spec_document *two_lines;
	const struct spec *read;
	struct error err = { 0 };

	log_set_sink(&sink);
	ck_assert_msg(load_config(json, &two_lines, &read, &err) == 0, "%s", err.text);
	ck_assert_str_eq(read->platform.intel_rdt->l3_cache_schema, "L3CODE:0=f\nL3DATA:0=f");
	ck_assert_str_eq(warning, "/linux/intelRdt/l3CacheSchema: holds a line feed; more than one "
				  "line belongs into 'schemata'");
	spec_document_free(two_lines);
}
END_TEST

static int load_process(const char *json, const struct spec_process **ret, struct error *err)
{
	char path[64];
	int fd = load_file(json, strlen(json), path, sizeof(path));
	int result = spec_load_process(AT_FDCWD, path, &document, ret, err);

	close(fd);
	return result;
}

/* There is no terminal in any: whatever they say of its size is ignored. */
static const char *const processes_alone[] = {
	"{\"args\":[\"a\"],\"cwd\":\"/\",\"consoleSize\":{\"height\":1,\"width\":2}}",
	"{\"args\":[\"a\"],\"cwd\":\"/\",\"consoleSize\":{\"height\":-1,\"width\":65536}}",
	"{\"args\":[\"a\"],\"cwd\":\"/\",\"consoleSize\":{\"height\":1}}",
	"{\"args\":[\"a\"],\"cwd\":\"/\",\"terminal\":false,\"consoleSize\":\"80x24\"}",
};

START_TEST(reads_a_process_alone)
{
	const struct spec_process *process;
	struct error err = { 0 };

	ck_assert_msg(load_process(processes_alone[_i], &process, &err) == 0, "%s", err.text);
	ck_assert_str_eq(process->pointer, "");
	ck_assert_ptr_null(process->console_size);
	ck_assert_ptr_null(process->capabilities);
	ck_assert_ptr_null(process->scheduler);
	ck_assert(!process->oom_score_adj.is_set && !process->user.umask.is_set);
	spec_document_free(document);
}
END_TEST

START_TEST(points_into_a_process_alone)
{
	const struct spec_process *process;
	struct error err = { 0 };
	struct place place = { 1, 21 };

	ck_assert_int_eq(load_process("{\"args\":[\"a\"],\"cwd\":\"x\"}", &process, &err), -1);
	load_assert_error(&err, &place, "/cwd", "must be absolute");
}
END_TEST

START_TEST(reads_resources_alone)
{
	static const char json[] = "{\"devices\":[],\"pids\":{\"limit\":-1}}";
	const struct spec_resources *resources;
	struct error err = { 0 };
	char path[64];
	int fd = load_file(json, strlen(json), path, sizeof(path));

	ck_assert_int_eq(spec_load_resources(fd, "standard input", &document, &resources, &err), 0);
	ck_assert_str_eq(resources->pointer, "");
	ck_assert(resources->has_devices);
	ck_assert_uint_eq(resources->n_devices, 0);
	ck_assert_int_eq(resources->pids_limit.value, -1);
	spec_document_free(document);
	close(fd);
}
END_TEST

START_TEST(names_a_missing_file)
{
	struct error err = { 0 };

	ck_assert_int_eq(
		spec_load(AT_FDCWD, "/nonexistent/config.json", &document, &spec, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
	ck_assert_str_eq(err.text, "open '/nonexistent/config.json': not found");
	spec_document_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spec");
	TCase *every = tcase_create("every member"), *others = tcase_create("other documents");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(every, setup, teardown);
	tcase_add_test(every, reads_the_top_level);
	tcase_add_test(every, reads_mounts);
	tcase_add_test(every, reads_the_process);
	tcase_add_test(every, reads_what_the_process_is_given);
	tcase_add_test(every, reads_hooks);
	tcase_add_test(every, reads_namespaces);
	tcase_add_test(every, reads_devices);
	tcase_add_test(every, reads_the_rest_of_linux);
	tcase_add_test(every, reads_memory_and_cpu);
	tcase_add_test(every, reads_device_rules);
	tcase_add_test(every, reads_the_other_resources);
	tcase_add_test(every, reads_seccomp);
	tcase_add_test(every, keeps_the_text);
	tcase_add_test(every, locates_later_errors);
	suite_add_tcase(suite, every);
	tcase_add_test(others, leaves_absent_members_empty);
	tcase_add_test(others, warns_of_a_schema_of_two_lines);
	tcase_add_loop_test(others, reads_a_process_alone, 0, array_size(processes_alone));
	tcase_add_test(others, points_into_a_process_alone);
	tcase_add_test(others, reads_resources_alone);
	tcase_add_test(others, names_a_missing_file);
	suite_add_tcase(suite, others);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
