/* SPDX-License-Identifier: MIT */
#include "oci/spec_test.h"

#define HEAD SPEC_TOP_HEAD "'linux':{'resources':{"
#define TAIL "}}}"

static struct oci_spec *resources(const char *members)
{
	return spec_good(HEAD, members, TAIL);
}

static void empty(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = resources("");
	const struct oci_resources *r = &spec->linux.resources;

	(void) state;
	assert_true(spec->linux.resources_set);
	assert_false(r->memory.limit.set || r->memory.disable_oom_killer_set || r->cpu.shares.set ||
		     r->pids_limit.set || r->block_io.weight.set || r->net_class_id.set);
	assert_int_equal(r->nr_devices + r->nr_hugepages + r->nr_rdma + r->unified.n, 0);
	assert_null(r->cpu.cpus);
}

static void device_rules(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = resources(
		"'devices':[{'allow':false,'access':'rwm'},"
		"{'allow':true,'type':'c','major':4095,'minor':1048575,'access':'r'},"
		"{'allow':true,'type':'b','major':-1,'minor':0,'access':'mw'},"
		"{'type':'a','access':'m'}]");
	const struct oci_device_rule *d = spec->linux.resources.devices;

	(void) state;
	assert_int_equal(spec->linux.resources.nr_devices, 4);
	assert_true(!d[0].allow && d[0].type == 'a' && d[0].major == -1 && d[0].minor == -1);
	assert_true(d[0].read && d[0].write && d[0].mknod);
	assert_true(d[1].allow && d[1].type == 'c' && d[1].major == 4095 && d[1].minor == 1048575);
	assert_true(d[1].read && !d[1].write && !d[1].mknod);
	assert_true(d[2].type == 'b' && d[2].major == -1 && d[2].minor == 0);
	assert_true(!d[2].read && d[2].write && d[2].mknod);
}

static void numbers(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = resources(
		"'memory':{'limit':-1,'reservation':9223372036854775807,'swap':0,'kernel':5,"
		"'kernelTCP':6,'swappiness':100,'disableOOMKiller':false,'useHierarchy':true,"
		"'checkBeforeUpdate':true},"
		"'cpu':{'shares':18446744073709551615,'quota':-1,'burst':3,'period':4,"
		"'realtimeRuntime':5,'realtimePeriod':6,'cpus':'0-1','mems':'0','idle':1},"
		"'pids':{'limit':-1},"
		"'blockIO':{'weight':65535,'leafWeight':10,"
		"'weightDevice':[{'major':8,'minor':1,'weight':7},{'major':8,'minor':2,"
		"'leafWeight':9}],'throttleReadBpsDevice':[{'major':1,'minor':2,'rate':3}],"
		"'throttleWriteBpsDevice':[{'major':4,'minor':5,'rate':18446744073709551615}],"
		"'throttleReadIOPSDevice':[{'major':7,'minor':8}],"
		"'throttleWriteIOPSDevice':[{'major':9,'minor':9,'rate':1},"
		"{'major':9,'minor':8,'rate':2}]},"
		"'hugepageLimits':[{'pageSize':'2MB','limit':9},{'pageSize':'64KB','limit':0}],"
		"'network':{'classID':4294967295,'priorities':[{'name':'eth0','priority':500}]},"
		"'rdma':{'mlx5_1':{'hcaHandles':3},'mlx4_0':{'hcaObjects':4}},"
		"'unified':{'memory.high':'1','io.max':'8:0 rbps=1\\n8:1 wbps=2'}");
	const struct oci_resources *r = &spec->linux.resources;

	(void) state;
	assert_true(r->memory.limit.set && r->memory.limit.v == -1);
	assert_true(r->memory.reservation.v == INT64_MAX);
	assert_true(r->memory.swap.set && r->memory.swap.v == 0);
	assert_int_equal(r->memory.kernel.v, 5);
	assert_int_equal(r->memory.kernel_tcp.v, 6);
	assert_int_equal(r->memory.swappiness.v, 100);
	assert_true(r->memory.disable_oom_killer_set && !r->memory.disable_oom_killer);
	assert_true(r->memory.check_before_update);
	assert_true(r->cpu.shares.v == UINT64_MAX);
	assert_true(r->cpu.quota.set && r->cpu.quota.v == -1);
	assert_int_equal(r->cpu.burst.v, 3);
	assert_int_equal(r->cpu.period.v, 4);
	assert_int_equal(r->cpu.rt_runtime.v, 5);
	assert_int_equal(r->cpu.rt_period.v, 6);
	assert_int_equal(r->cpu.idle.v, 1);
	assert_string_equal(r->cpu.cpus, "0-1");
	assert_string_equal(r->cpu.mems, "0");
	assert_true(r->pids_limit.set && r->pids_limit.v == -1);
	assert_int_equal(r->block_io.weight.v, 65535);
	assert_int_equal(r->block_io.leaf_weight.v, 10);
	assert_int_equal(r->block_io.nr_weight_devices, 2);
	assert_int_equal(r->block_io.weight_devices[0].weight.v, 7);
	assert_false(r->block_io.weight_devices[0].leaf_weight.set);
	assert_int_equal(r->block_io.weight_devices[1].minor, 2);
	assert_int_equal(r->block_io.weight_devices[1].leaf_weight.v, 9);
	assert_int_equal(r->block_io.throttle[OCI_READ_BPS].v[0].rate, 3);
	assert_true(r->block_io.throttle[OCI_WRITE_BPS].v[0].rate == UINT64_MAX);
	assert_int_equal(r->block_io.throttle[OCI_READ_IOPS].v[0].minor, 8);
	assert_int_equal(r->block_io.throttle[OCI_WRITE_IOPS].n, 2);
	assert_int_equal(r->block_io.throttle[OCI_WRITE_IOPS].v[1].rate, 2);
	assert_int_equal(r->nr_hugepages, 2);
	assert_string_equal(r->hugepages[1].page_size, "64KB");
	assert_int_equal(r->hugepages[0].limit, 9);
	assert_true(r->net_class_id.set && r->net_class_id.v == UINT32_MAX);
	assert_string_equal(r->net_priorities.v[0].key, "eth0");
	assert_string_equal(r->net_priorities.v[0].value, "500");
	assert_int_equal(r->nr_rdma, 2);
	assert_string_equal(r->rdma[0].device, "mlx5_1");
	assert_true(r->rdma[0].hca_handles.set && !r->rdma[0].hca_objects.set);
	assert_int_equal(r->rdma[1].hca_objects.v, 4);
	assert_string_equal(r->unified.v[1].value, "8:0 rbps=1\n8:1 wbps=2");
}

static void refusals(void **state)
{
#define R "config.json: linux.resources."
	static const struct spec_row rows[] = {
		{ "'devices':[{'allow':true,'access':'r'},{'allow':true}]",
		  R "devices[1].access: device access at 1 field cannot be empty" },
		{ "'devices':[{'access':'rx'}]",
		  R "devices[0].access: invalid device permissions: \"rx\"" },
		{ "'devices':[{'access':'r','type':'p'}]",
		  R "devices[0].type: invalid cgroup device type \"p\"" },
		{ "'devices':[{'access':'r','type':'cb'}]",
		  R "devices[0].type: invalid cgroup device type \"cb\"" },
		{ "'devices':[{'access':'r','major':4096}]",
		  R "devices[0].major: 4096 is over the limit 4095" },
		{ "'devices':[{'access':'r','minor':-2}]",
		  R "devices[0].minor: -2 is under the limit -1" },
		{ "'memory':{'limit':-2}", R "memory.limit: -2 is under the limit -1" },
		{ "'memory':{'limit':9223372036854775808}",
		  R "memory.limit: 9223372036854775808 is over the limit 9223372036854775807" },
		{ "'memory':{'limit':1e9}", R "memory.limit: expected an integer, got 1e9" },
		{ "'memory':{'swappiness':101}",
		  R "memory.swappiness: 101 is over the limit 100" },
		{ "'memory':{'useHierarchy':1}",
		  R "memory.useHierarchy: expected a boolean, got a number" },
		{ "'memory':5", R "memory: expected an object, got a number" },
		{ "'cpu':{'shares':-1}", R "cpu.shares: -1 is under the limit 0" },
		{ "'cpu':{'idle':2}", R "cpu.idle: 2 is over the limit 1" },
		{ "'cpu':{'cpus':'0-1x'}", R "cpu.cpus: '0-1x' is not a list of numbers" },
		{ "'cpu':{'mems':'../x'}", R "cpu.mems: '../x' is not a list of numbers" },
		{ "'pids':{'limit':'5'}", R "pids.limit: expected an integer, got a string" },
		{ "'blockIO':{'weight':65536}", R "blockIO.weight: 65536 is over the limit 65535" },
		{ "'blockIO':{'weightDevice':[{'major':1}]}",
		  R "blockIO.weightDevice[0].minor: missing" },
		{ "'blockIO':{'throttleReadBpsDevice':[{'minor':1}]}",
		  R "blockIO.throttleReadBpsDevice[0].major: missing" },
		{ "'blockIO':{'throttleWriteIOPSDevice':[{'major':-1,'minor':1}]}",
		  R "blockIO.throttleWriteIOPSDevice[0].major: -1 is under the limit 0" },
		{ "'hugepageLimits':[{'pageSize':'2MB'}]", R "hugepageLimits[0].limit: missing" },
		{ "'hugepageLimits':[{'limit':1}]", R "hugepageLimits[0].pageSize: missing" },
		{ "'hugepageLimits':[{'pageSize':'../../x','limit':1}]",
		  R "hugepageLimits[0].pageSize: '../../x' is not a size like '2MB'" },
		{ "'hugepageLimits':[{'pageSize':'0MB','limit':1}]",
		  R "hugepageLimits[0].pageSize: '0MB' is not a size like '2MB'" },
		{ "'hugepageLimits':[{'pageSize':'2','limit':1}]",
		  R "hugepageLimits[0].pageSize: '2' is not a size like '2MB'" },
		{ "'hugepageLimits':[{'pageSize':'2MBs','limit':1}]",
		  R "hugepageLimits[0].pageSize: '2MBs' is not a size like '2MB'" },
		{ "'network':{'classID':4294967296}",
		  R "network.classID: 4294967296 is over the limit 4294967295" },
		{ "'network':{'priorities':[{'priority':1}]}",
		  R "network.priorities[0].name: missing" },
		{ "'network':{'priorities':[{'name':'a/b'}]}",
		  R "network.priorities[0].name: invalid network device name \"a/b\"" },
		{ "'rdma':{'a b':{}}", R "rdma.a b: not a device name" },
		{ "'rdma':{'m':{'hcaHandles':4294967296}}",
		  R "rdma.m.hcaHandles: 4294967296 is over the limit 4294967295" },
		{ "'rdma':{'m':5}", R "rdma.m: expected an object, got a number" },
		{ "'rdma':{'':{}}", R "rdma: a name is empty" },
		{ "'unified':{'a/b':'1'}",
		  R "unified: unified resource \"a/b\" must be a file name (no slashes)" },
		{ "'unified':{'..':'1'}",
		  R "unified: unified resource \"..\" must be a file name (no slashes)" },
		{ "'unified':{'a':1}", R "unified.a: expected a string, got a number" },
	};
#undef R

	(void) state;
	spec_check_rows(HEAD, TAIL, rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(device_rules),
		cmocka_unit_test(numbers),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("spec_resources", tests, NULL, NULL);
}
