/* SPDX-License-Identifier: MIT */
#include "oci/spec_test.h"

#include <linux/mempolicy.h>
#include <sys/mount.h>
#include <sys/personality.h>

#define HEAD SPEC_TOP_HEAD "'linux':{"
#define TAIL "}}"
#define NS(type) "{'type':'" type "'}"
#define IDS "'uidMappings':[{'containerID':0,'hostID':1000,'size':1}]"
#define L "config.json: linux."

static struct oci_spec *linux(const char *members)
{
	return spec_good(HEAD, members, TAIL);
}

static void namespaces(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = linux(
		"'namespaces':[" NS("pid") "," NS("mount") "," NS("ipc") "," NS("uts") "," NS("cgroup")
		",{'type':'network','path':'/proc/1/ns/net'},{'type':'user'},"
		"{'type':'time','path':''}]," IDS
		",'timeOffsets':{'monotonic':{'secs':-5,'nanosecs':999999999},'boottime':{}}");
	const struct oci_namespace *ns = spec->linux.namespaces;

	(void) state;
	for (size_t i = 0; i < OCI_NS_N_; i++)
		assert_true(ns[i].set);
	assert_string_equal(ns[OCI_NS_NETWORK].path, "/proc/1/ns/net");
	assert_null(ns[OCI_NS_TIME].path);
	assert_int_equal(spec->linux.uid_mappings.v[0].host, 1000);
	assert_int_equal(spec->linux.gid_mappings.n, 0);
	assert_true(spec->linux.monotonic.set && spec->linux.boottime.set);
	assert_true(spec->linux.monotonic.secs == -5);
	assert_int_equal(spec->linux.monotonic.nanosecs, 999999999);
	assert_true(spec->linux.boottime.secs == 0);
}

static void namespace_refusals(void **state)
{
	static const struct spec_row rows[] = {
		{ "'namespaces':[{}]", L "namespaces[0].type: missing" },
		{ "'namespaces':[" NS("net") "]",
		  L "namespaces[0].type: namespace \"net\" does not exist" },
		{ "'namespaces':[" NS("") "]",
		  L "namespaces[0].type: namespace \"\" does not exist" },
		{ "'namespaces':[" NS("PID") "]",
		  L "namespaces[0].type: namespace \"PID\" does not exist" },
		{ "'namespaces':[" NS("pid") "," NS("pid") "]",
		  L "namespaces[1]: malformed spec file: duplicated ns \"pid\"" },
		{ "'namespaces':[{'type':'pid','path':'proc/1/ns/pid'}]",
		  L "namespaces[0].path: 'proc/1/ns/pid' is not an absolute path" },
		{ "'namespaces':{'pid':1}", L "namespaces: expected an array, got an object" },
		{ "'namespaces':['pid']", L "namespaces[0]: expected an object, got a string" },
		{ "'namespaces':[" NS("user") "]",
		  L "uidMappings: user namespaces enabled, but no namespace path to join nor mappings "
		    "to apply specified" },
		{ IDS, L "uidMappings: user namespace mappings specified, but user namespace isn't "
			 "enabled in the config" },
		{ "'gidMappings':[{'containerID':0,'hostID':1,'size':1}]",
		  L "gidMappings: user namespace mappings specified, but user namespace isn't enabled "
		    "in the config" },
		{ "'timeOffsets':{'monotonic':{'secs':1}}",
		  L "timeOffsets: time namespace offsets specified, but time namespace isn't enabled "
		    "in the config" },
		{ "'namespaces':[{'type':'time','path':'/x'}],'timeOffsets':{'boottime':{}}",
		  L "timeOffsets: time namespace enabled, but both namespace path and time offsets "
		    "specified -- you may only provide one" },
		{ "'namespaces':[" NS("time") "],'timeOffsets':{'realtime':{}}",
		  L "timeOffsets.realtime: no such clock" },
		{ "'namespaces':[" NS("time") "],'timeOffsets':{'boottime':{'nanosecs':1000000000}}",
		  L "timeOffsets.boottime.nanosecs: 1000000000 is over the limit 999999999" },
		{ "'namespaces':[" NS("time") "],'timeOffsets':{'boottime':{'secs':1.5}}",
		  L "timeOffsets.boottime.secs: expected an integer, got 1.5" },
		{ "'namespaces':[" NS("time") "],'timeOffsets':{'monotonic':5}",
		  L "timeOffsets.monotonic: expected an object, got a number" },
	};

	(void) state;
	spec_check_rows(HEAD, TAIL, rows, ARRAY_LEN(rows));
}

#define ALL_NS "'namespaces':[" NS("ipc") "," NS("network") "," NS("uts") "," NS("user") "]," IDS
#define SYSCTL(key) "'sysctl':{'" key "':'1'}"

static void sysctls(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = linux(
		ALL_NS ",'sysctl':{'kernel.msgmax':'1','kernel/shm_rmid_forced':'1',"
		       "'fs.mqueue.msg_max':'2','fs/mqueue/queues_max':'2',"
		       "'net.ipv4.ip_forward':'0','net/ipv4/conf/eno2.100/rp_filter':'1',"
		       "'net.ipv4.conf.eno2/100.rp_filter':'1','kernel.domainname':'d',"
		       "'user.max_user_namespaces':'9'}");

	(void) state;
	assert_int_equal(spec->linux.sysctl.n, 9);
	assert_string_equal(spec->linux.sysctl.v[1].key, "kernel/shm_rmid_forced");
}

static void sysctl_refusals(void **state)
{
	static const struct spec_row without[] = {
		{ SYSCTL("kernel.shmmax"),
		  L "sysctl: sysctl \"kernel.shmmax\" is not allowed in the hosts ipc namespace" },
		{ SYSCTL("fs/mqueue/msg_max"),
		  L "sysctl: sysctl \"fs.mqueue.msg_max\" is not allowed in the hosts ipc namespace" },
		{ SYSCTL("net.core.somaxconn"),
		  L "sysctl: sysctl \"net.core.somaxconn\" not allowed in host network namespace" },
		{ SYSCTL("user.max_mnt_namespaces"),
		  L "sysctl: setting ucounts without a user namespace not allowed: "
		    "user.max_mnt_namespaces" },
		{ SYSCTL("kernel.domainname"),
		  L "sysctl: sysctl \"kernel.domainname\" is not in a separate kernel namespace" },
		{ SYSCTL("kernel.hostname"),
		  L "sysctl: sysctl \"kernel.hostname\" is not in a separate kernel namespace" },
	};
	static const struct spec_row with[] = {
		{ SYSCTL("kernel.hostname"),
		  L "sysctl: sysctl \"kernel.hostname\" is not allowed as it conflicts with the OCI "
		    "\"hostname\" field" },
		{ SYSCTL("kernel.sysrq"),
		  L "sysctl: sysctl \"kernel.sysrq\" is not in a separate kernel namespace" },
		{ SYSCTL("vm.swappiness"),
		  L "sysctl: sysctl \"vm.swappiness\" is not in a separate kernel namespace" },
		{ SYSCTL("kernel.msgmaxx"),
		  L "sysctl: sysctl \"kernel.msgmaxx\" is not in a separate kernel namespace" },
		{ SYSCTL("network.x"),
		  L "sysctl: sysctl \"network.x\" is not in a separate kernel namespace" },
		{ SYSCTL("net"), L "sysctl: sysctl \"net\" is not in a separate kernel namespace" },
		{ SYSCTL("net/../kernel/sysrq"),
		  L "sysctl: sysctl \"net/../kernel/sysrq\" is not a valid key" },
		{ SYSCTL("net.//.kernel.sysrq"),
		  L "sysctl: sysctl \"net.//.kernel.sysrq\" is not a valid key" },
		{ SYSCTL("net./.x"), L "sysctl: sysctl \"net./.x\" is not a valid key" },
		{ SYSCTL("net..x"), L "sysctl: sysctl \"net..x\" is not a valid key" },
		{ SYSCTL("net."), L "sysctl: sysctl \"net.\" is not a valid key" },
		{ SYSCTL("/net/x"), L "sysctl: sysctl \"/net/x\" is not a valid key" },
		{ SYSCTL(""), L "sysctl: a name is empty" },
		{ "'sysctl':{'net.x':5}", L "sysctl.net.x: expected a string, got a number" },
	};
	char members[512], key[257];
	const struct spec_row row = { members,
				      L "sysctl: a key of 256 bytes is over the limit 255" };

	(void) state;
	spec_check_rows(HEAD, TAIL, without, ARRAY_LEN(without));
	spec_check_rows(HEAD ALL_NS ",", TAIL, with, ARRAY_LEN(with));
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	(void) snprintf(members, sizeof(members), "'sysctl':{'%s':''}", key);
	spec_check_rows(HEAD, TAIL, &row, 1);
}

static void devices(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = linux(
		"'devices':[{'path':'/dev/a','type':'c','major':1,'minor':2},"
		"{'path':'/dev/b','type':'b','major':4095,'minor':1048575,'fileMode':25008,'uid':5,"
		"'gid':4294967295},{'path':'/d','type':'u','major':0,'minor':0},"
		"{'path':'/f','type':'p'}]");
	const struct oci_device *d = spec->linux.devices;

	(void) state;
	assert_int_equal(spec->linux.nr_devices, 4);
	assert_true(d[0].type == 'c' && d[0].major == 1 && d[0].minor == 2 && d[0].mode == 0666);
	assert_true(d[1].type == 'b' && d[1].mode == (25008 & 07777) && d[1].uid == 5);
	assert_int_equal(d[1].gid, UINT32_MAX);
	assert_true(d[2].type == 'c');
	assert_true(d[3].type == 'p');
	assert_string_equal(d[3].path, "/f");
}

static void net_devices(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec =
		linux("'namespaces':[" NS("network") "],'netDevices':{'eth0':{'name':'ctr%d'},"
		      "'eth1':{}}");
	_cleanup_(oci_spec_freep) struct oci_spec *none = linux("'netDevices':{}");

	(void) state;
	assert_int_equal(spec->linux.nr_net_devices, 2);
	assert_string_equal(spec->linux.net_devices[0].host_name, "eth0");
	assert_string_equal(spec->linux.net_devices[0].container_name, "ctr%d");
	assert_string_equal(spec->linux.net_devices[1].container_name, "eth1");
	assert_int_equal(none->linux.nr_net_devices, 0);
}

static void device_refusals(void **state)
{
	static const struct spec_row rows[] = {
		{ "'devices':[{'type':'c'}]", L "devices[0].path: missing" },
		{ "'devices':[{'path':'/a'}]", L "devices[0].type: missing" },
		{ "'devices':[{'path':'','type':'p'}]", L "devices[0].path: missing or empty" },
		{ "'devices':[{'path':'dev/a','type':'p'}]",
		  L "devices[0].path: 'dev/a' is not an absolute path" },
		{ "'devices':[{'path':'/a','type':'x'}]",
		  L "devices[0].type: invalid device type \"x\"" },
		{ "'devices':[{'path':'/a','type':''}]",
		  L "devices[0].type: invalid device type \"\"" },
		{ "'devices':[{'path':'/a','type':'cc'}]",
		  L "devices[0].type: invalid device type \"cc\"" },
		{ "'devices':[{'path':'/a','type':'c'}]", L "devices[0].major: missing" },
		{ "'devices':[{'path':'/a','type':'b','major':1}]", L "devices[0].minor: missing" },
		{ "'devices':[{'path':'/a','type':'b','major':-1,'minor':0}]",
		  L "devices[0].major: -1 is under the limit 0" },
		{ "'devices':[{'path':'/a','type':'b','major':1,'minor':1048576}]",
		  L "devices[0].minor: 1048576 is over the limit 1048575" },
		{ "'netDevices':{'e':{}}",
		  L "netDevices: unable to move network devices without a NET namespace" },
		{ "'namespaces':[" NS("network") "],'netDevices':{'':{}}",
		  L "netDevices: a name is empty" },
		{ "'namespaces':[" NS("network") "],'netDevices':{'a/b':{}}",
		  L "netDevices.a/b: invalid network device name \"a/b\"" },
		{ "'namespaces':[" NS("network") "],'netDevices':{'..':{}}",
		  L "netDevices...: invalid network device name \"..\"" },
		{ "'namespaces':[" NS("network") "],'netDevices':{'e':{'name':'a b'}}",
		  L "netDevices.e: invalid network device name \"a b\"" },
		{ "'namespaces':[" NS("network") "],'netDevices':{'e':{'name':'a:1'}}",
		  L "netDevices.e: invalid network device name \"a:1\"" },
		{ "'namespaces':[" NS("network") "],'netDevices':{'e234567890123456':{}}",
		  L "netDevices.e234567890123456: invalid network device name \"e234567890123456\"" },
		{ "'namespaces':[" NS("network") "],'netDevices':{'e':5}",
		  L "netDevices.e: expected an object, got a number" },
	};

	(void) state;
	spec_check_rows(HEAD, TAIL, rows, ARRAY_LEN(rows));
}

static void plain_fields(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = linux(
		"'namespaces':[" NS("mount") "],'maskedPaths':['/proc/kcore'],"
		"'readonlyPaths':['/proc/sys','/x'],'mountLabel':'l','cgroupsPath':'a:b:c',"
		"'rootfsPropagation':'rslave','personality':{'domain':'LINUX32','flags':['x']},"
		"'intelRdt':{'closID':'/','l3CacheSchema':'L3:0=f','memBwSchema':'MB:0=20',"
		"'schemata':['L3:0=1','MB:0=9'],'enableMonitoring':true},"
		"'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-1','flags':['MPOL_F_STATIC_NODES']}");
	const struct oci_linux *l = &spec->linux;

	(void) state;
	assert_string_equal(l->masked_paths.v[0], "/proc/kcore");
	assert_int_equal(l->readonly_paths.n, 2);
	assert_string_equal(l->mount_label, "l");
	assert_string_equal(l->cgroups_path, "a:b:c");
	assert_int_equal(l->rootfs_propagation, MS_SLAVE);
	assert_true(l->personality_set && l->personality == PER_LINUX32);
	assert_string_equal(l->intel_rdt->clos_id, "/");
	assert_string_equal(l->intel_rdt->l3_cache_schema, "L3:0=f");
	assert_string_equal(l->intel_rdt->mem_bw_schema, "MB:0=20");
	assert_int_equal(l->intel_rdt->schemata.n, 2);
	assert_true(l->intel_rdt->enable_monitoring);
	assert_int_equal(l->memory_policy->mode, MPOL_BIND | MPOL_F_STATIC_NODES);
	assert_string_equal(l->memory_policy->nodes, "0-1");
}

static void propagations(void **state)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} rows[] = {
		{ "", 0 },
		{ "shared", MS_SHARED },	 { "rshared", MS_SHARED },
		{ "slave", MS_SLAVE },		 { "private", MS_PRIVATE },
		{ "rprivate", MS_PRIVATE },	 { "unbindable", MS_UNBINDABLE },
		{ "runbindable", MS_UNBINDABLE },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(oci_spec_freep) struct oci_spec *spec =
			spec_good(HEAD "'rootfsPropagation':'", rows[i].name, "'}}");

		assert_int_equal(spec->linux.rootfs_propagation, rows[i].flag);
	}
}

static void memory_policies(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *local = linux("'memoryPolicy':{'mode':'MPOL_LOCAL'}");
	_cleanup_(oci_spec_freep) struct oci_spec *preferred =
		linux("'memoryPolicy':{'mode':'MPOL_PREFERRED','nodes':'0'}");
	_cleanup_(oci_spec_freep) struct oci_spec *nowhere =
		linux("'memoryPolicy':{'mode':'MPOL_PREFERRED'}");
	_cleanup_(oci_spec_freep) struct oci_spec *weighted =
		linux("'memoryPolicy':{'mode':'MPOL_WEIGHTED_INTERLEAVE','nodes':'3'}");

	(void) state;
	assert_int_equal(local->linux.memory_policy->mode, MPOL_LOCAL);
	assert_null(local->linux.memory_policy->nodes);
	assert_int_equal(preferred->linux.memory_policy->mode, MPOL_PREFERRED);
	assert_null(nowhere->linux.memory_policy->nodes);
	assert_int_equal(weighted->linux.memory_policy->mode, 6);
}

static void refusals(void **state)
{
	static const struct spec_row rows[] = {
		{ "'rootfsPropagation':'Shared'",
		  L "rootfsPropagation: rootfsPropagation=Shared is not supported" },
		{ "'maskedPaths':['/a']",
		  L "maskedPaths: unable to restrict sys entries without a private MNT namespace" },
		{ "'readonlyPaths':['/a']",
		  L "readonlyPaths: unable to restrict sys entries without a private MNT namespace" },
		{ "'namespaces':[" NS("mount") "],'maskedPaths':['proc/kcore']",
		  L "maskedPaths: 'proc/kcore' is not an absolute path" },
		{ "'personality':{}", L "personality.domain: invalid personality domain " },
		{ "'personality':{'domain':'linux'}",
		  L "personality.domain: invalid personality domain linux" },
		{ "'intelRdt':{'closID':'..'}",
		  L "intelRdt.closID: invalid intelRdt.ClosID \"..\"" },
		{ "'intelRdt':{'closID':'.'}", L "intelRdt.closID: invalid intelRdt.ClosID \".\"" },
		{ "'intelRdt':{'closID':'a/../../b'}",
		  L "intelRdt.closID: invalid intelRdt.ClosID \"a/../../b\"" },
		{ "'intelRdt':{'memBwSchema':'L3:0=1'}",
		  L "intelRdt.memBwSchema: must start with 'MB:'" },
		{ "'intelRdt':{'memBwSchema':'MB:0=1\\nL3:0=1'}",
		  L "intelRdt.memBwSchema: contains a newline" },
		{ "'intelRdt':{'l3CacheSchema':'L3:0=1\\n'}",
		  L "intelRdt.l3CacheSchema: contains a newline" },
		{ "'intelRdt':{'schemata':['a','b\\nc']}",
		  L "intelRdt.schemata: contains a newline" },
		{ "'intelRdt':{'enableMonitoring':'x'}",
		  L "intelRdt.enableMonitoring: expected a boolean, got a string" },
		{ "'memoryPolicy':{}", L "memoryPolicy.mode: invalid memory policy mode \"\"" },
		{ "'memoryPolicy':{'mode':'INTERLEAVE','nodes':'0'}",
		  L "memoryPolicy.mode: invalid memory policy mode \"INTERLEAVE\"" },
		{ "'memoryPolicy':{'mode':'MPOL_PREFERRED','nodes':'0',"
		  "'flags':['MPOL_F_RELATIVE_NODES','badflag']}",
		  L "memoryPolicy.flags[1]: invalid memory policy flag: badflag" },
		{ "'memoryPolicy':{'mode':'MPOL_DEFAULT','nodes':'0-7'}",
		  L "memoryPolicy.nodes: invalid memory policy: mode requires 0 nodes but got 8" },
		{ "'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'0'}",
		  L "memoryPolicy.nodes: invalid memory policy: mode requires 0 nodes but got 1" },
		{ "'memoryPolicy':{'mode':'MPOL_INTERLEAVE'}",
		  L "memoryPolicy.nodes: invalid memory policy: mode requires at least one node but "
		    "got 0" },
		{ "'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-9876543210'}",
		  L "memoryPolicy.nodes: invalid memory policy nodes \"0-9876543210\"" },
		{ "'cgroupsPath':5", L "cgroupsPath: expected a string, got a number" },
		{ "'mountLabel':'a\\u0000'", L "mountLabel: contains null byte" },
	};

	(void) state;
	spec_check_rows(HEAD, TAIL, rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(namespaces),	   cmocka_unit_test(namespace_refusals),
		cmocka_unit_test(sysctls),	   cmocka_unit_test(sysctl_refusals),
		cmocka_unit_test(devices),	   cmocka_unit_test(net_devices),
		cmocka_unit_test(device_refusals), cmocka_unit_test(plain_fields),
		cmocka_unit_test(propagations),	   cmocka_unit_test(memory_policies),
		cmocka_unit_test(refusals),
	};

	(void) log_open(NULL, LOG_FORMAT_TEXT, LOG_LEVEL_NONE, NULL); /* never fails without a path */
	return cmocka_run_group_tests_name("spec_linux", tests, NULL, NULL);
}
