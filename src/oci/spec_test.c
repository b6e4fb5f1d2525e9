/* SPDX-License-Identifier: MIT */
#include "oci/spec_test.h"

#include "oci/spec_default.h"

#define NAMESPACES "'linux':{'namespaces':[{'type':'uts'},{'type':'user'}]," \
		   "'uidMappings':[{'containerID':0,'hostID':1,'size':1}]},"
#define MOUNT_HEAD SPEC_TOP_HEAD NAMESPACES "'mounts':[{"
#define MOUNT_TAIL "}]}"
#define NO_USERNS_HEAD SPEC_TOP_HEAD "'mounts':[{'destination':'/m',"

static struct oci_spec *top(const char *members)
{
	return spec_good(SPEC_TOP_HEAD, members, SPEC_TOP_TAIL);
}

static void versions(void **state)
{
	static const char *const good[] = { "1.0.0",	       "1.3.0",		  "1.99.12",
					    "1.0.2-dev",       "1.0.0-rc5",	  "1.1.0-rc.1+build.5",
					    "1.3.0+incompat.x" };
	static const struct spec_row bad[] = {
		{ "", "config.json: ociVersion: missing" },
		{ "'ociVersion':null,", "config.json: ociVersion: missing" },
		{ "'ociVersion':1,", "config.json: ociVersion: expected a string, got a number" },
		{ "'ociVersion':'',", "config.json: ociVersion: '' is not a version like '1.3.0'" },
		{ "'ociVersion':'1',", "config.json: ociVersion: '1' is not a version like '1.3.0'" },
		{ "'ociVersion':'1.0',",
		  "config.json: ociVersion: '1.0' is not a version like '1.3.0'" },
		{ "'ociVersion':'1.0.x',",
		  "config.json: ociVersion: '1.0.x' is not a version like '1.3.0'" },
		{ "'ociVersion':'v1.0.0',",
		  "config.json: ociVersion: 'v1.0.0' is not a version like '1.3.0'" },
		{ "'ociVersion':'1.01.0',",
		  "config.json: ociVersion: '1.01.0' is not a version like '1.3.0'" },
		{ "'ociVersion':'1.0.0-',",
		  "config.json: ociVersion: '1.0.0-' is not a version like '1.3.0'" },
		{ "'ociVersion':'1.0.0-a..b',",
		  "config.json: ociVersion: '1.0.0-a..b' is not a version like '1.3.0'" },
		{ "'ociVersion':'1.0.0-a.',",
		  "config.json: ociVersion: '1.0.0-a.' is not a version like '1.3.0'" },
		{ "'ociVersion':'1.0.0 ',",
		  "config.json: ociVersion: '1.0.0 ' is not a version like '1.3.0'" },
		{ "'ociVersion':'1.99999999999999999999.0',",
		  "config.json: ociVersion: '1.99999999999999999999.0' is not a version like '1.3.0'" },
		{ "'ociVersion':'0.9.0',",
		  "config.json: ociVersion: version '0.9.0' is not supported, only 1.x is" },
		{ "'ociVersion':'2.0.0',",
		  "config.json: ociVersion: version '2.0.0' is not supported, only 1.x is" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(oci_spec_freep) struct oci_spec *spec =
			spec_good("{'root':{'path':'r'},'ociVersion':'", good[i], "'}");

		assert_string_equal(spec->version, good[i]);
	}
	spec_check_rows("{", "'root':{'path':'rootfs'}}", bad, ARRAY_LEN(bad));
}

static void whole_text(void **state)
{
	static const struct spec_row rows[] = {
		{ "", "config.json: line 1 column 1: unexpected end" },
		{ "null", "config.json: config cannot be null" },
		{ "[]", "config.json: expected an object, got an array" },
		{ "{'ociVersion':'1.0.0'}", "config.json: root: root must be specified" },
		{ "{'ociVersion':'1.0.0','root':{}}", "config.json: root.path: missing or empty" },
		{ "{'ociVersion':'1.0.0','root':{'path':''}}",
		  "config.json: root.path: missing or empty" },
		{ "{'ociVersion':'1.0.0','root':{'path':'r','readonly':1}}",
		  "config.json: root.readonly: expected a boolean, got a number" },
		{ "{'ociVersion':'1.0.0','root':'r'}",
		  "config.json: root: expected an object, got a string" },
		{ "{'ociVersion':'1.0.0','root':{'path':'r\\u0000s'}}",
		  "config.json: root.path: contains null byte" },
		{ "{'ociVersion':'1.0.0','ociVersion':'1.0.0'}",
		  "config.json: ociVersion: given twice" },
		{ "{'OCIVERSION':'1.0.0','root':{'path':'r'}}", "config.json: ociVersion: missing" },
	};
	_cleanup_free_ char *big = calloc(1, OCI_SPEC_SIZE_MAX + 1);
	struct oci_spec *spec = NULL;
	struct err err = { 0 };

	(void) state;
	spec_check_rows("", "", rows, ARRAY_LEN(rows));
	assert_int_equal(oci_spec_parse("c", big, OCI_SPEC_SIZE_MAX + 1, &spec, &err), -EFBIG);
	assert_string_equal(err.text, "c: 16777217 bytes are over the limit 16777216");
	assert_int_equal(oci_spec_parse("c", "{", 1, &spec, NULL), -EINVAL);
	assert_null(spec);
	oci_spec_free(NULL);
}

static void smallest(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = top("'future':[{'x':1}]");

	(void) state;
	assert_false(spec->process_set);
	assert_string_equal(spec->root_path, "rootfs");
	assert_false(spec->root_readonly);
	assert_null(spec->hostname);
	assert_int_equal(spec->nr_mounts, 0);
	assert_null(spec->linux.seccomp);
	assert_null(spec->linux.cgroups_path);
	assert_false(spec->linux.resources_set);
	for (size_t i = 0; i < OCI_NS_N_; i++)
		assert_false(spec->linux.namespaces[i].set);
	assert_null(oci_spec_annotation(spec, "a"));
}

static void uts_names(void **state)
{
	static const struct spec_row rows[] = {
		{ "'hostname':'h'",
		  "config.json: hostname: unable to set hostname without a private UTS namespace" },
		{ "'domainname':'d'",
		  "config.json: domainname: unable to set domainname without a private UTS namespace" },
		{ "'linux':{'namespaces':[{'type':'uts'}],'sysctl':{'kernel/domainname':'e'}},'domainname':'d'",
		  "config.json: domainname: \"d\" conflicts with sysctl \"kernel.domainname\", \"e\"" },
		{ NAMESPACES "'hostname':"
			     "'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345'",
		  "config.json: hostname: 65 bytes are over the limit 64" },
	};
	_cleanup_(oci_spec_freep) struct oci_spec *spec =
		top(NAMESPACES "'hostname':'h','domainname':'d.e'");
	_cleanup_(oci_spec_freep) struct oci_spec *empty = top("'hostname':'','domainname':''");

	(void) state;
	assert_string_equal(spec->hostname, "h");
	assert_string_equal(spec->domainname, "d.e");
	assert_null(empty->hostname);
	spec_check_rows(SPEC_TOP_HEAD, SPEC_TOP_TAIL, rows, ARRAY_LEN(rows));
}

static void annotations(void **state)
{
	static const struct spec_row rows[] = {
		{ "'annotations':{'a':1}",
		  "config.json: annotations.a: expected a string, got a number" },
		{ "'annotations':{'a':null}",
		  "config.json: annotations.a: expected a string, got null" },
		{ "'annotations':{'':'x'}", "config.json: annotations: a name is empty" },
		{ "'annotations':{'a':'1','b':'','a':'2'}",
		  "config.json: annotations.a: given twice" },
		{ "'annotations':['a']",
		  "config.json: annotations: expected an object, got an array" },
	};
	_cleanup_(oci_spec_freep) struct oci_spec *spec =
		top("'annotations':{'org.x':'1','run.oci':''}");

	(void) state;
	assert_string_equal(oci_spec_annotation(spec, "org.x"), "1");
	assert_string_equal(oci_spec_annotation(spec, "run.oci"), "");
	assert_null(oci_spec_annotation(spec, "org"));
	spec_check_rows(SPEC_TOP_HEAD, SPEC_TOP_TAIL, rows, ARRAY_LEN(rows));
}

static void too_many_annotations(void **state)
{
	_cleanup_(str_fini) struct str s = { 0 };
	struct oci_spec *spec;
	struct err err = { 0 };

	(void) state;
	str_puts(&s, "'annotations':{");
	for (int i = 0; i <= 4096; i++)
		str_printf(&s, "%s'k%d':''", i > 0 ? "," : "", i);
	str_puts(&s, "}");
	assert_int_equal(spec_try(SPEC_TOP_HEAD, s.p, SPEC_TOP_TAIL, &spec, &err), -EINVAL);
	assert_string_equal(err.text,
			    "config.json: annotations: 4097 members are over the limit 4096");
}

static void mounts(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = top(
		"'mounts':[{'destination':'/proc','type':'proc','source':'proc'},"
		"{'destination':'rel/ative','options':['ro','mode=0755']},"
		"{'destination':'/b','source':'/s','options':['rbind'],"
		"'uidMappings':[{'containerID':1,'hostID':2,'size':4294967294}],"
		"'gidMappings':[{'containerID':0,'hostID':0,'size':1},"
		"{'containerID':4294967295,'hostID':4294967295,'size':1}]},"
		"{'destination':'/c','type':'bind','options':['idmap=uids=0-1-1']}]");

	(void) state;
	assert_int_equal(spec->nr_mounts, 4);
	assert_string_equal(spec->mounts[0].type, "proc");
	assert_int_equal(spec->mounts[0].options.n, 0);
	assert_null(spec->mounts[0].options.v[0]);
	assert_string_equal(spec->mounts[1].destination, "/rel/ative");
	assert_null(spec->mounts[1].type);
	assert_null(spec->mounts[1].source);
	assert_string_equal(spec->mounts[1].options.v[1], "mode=0755");
	assert_null(spec->mounts[1].options.v[2]);
	assert_int_equal(spec->mounts[2].uid_mappings.v[0].container, 1);
	assert_int_equal(spec->mounts[2].uid_mappings.v[0].host, 2);
	assert_int_equal(spec->mounts[2].uid_mappings.v[0].size, 4294967294u);
	assert_int_equal(spec->mounts[2].gid_mappings.n, 2);
}

static void mount_refusals(void **state)
{
	static const struct spec_row rows[] = {
		{ "", "config.json: mounts[0].destination: missing or empty" },
		{ "'destination':''", "config.json: mounts[0].destination: missing or empty" },
		{ "'destination':5",
		  "config.json: mounts[0].destination: expected a string, got a number" },
		{ "'destination':'/a\\u0000'", "config.json: mounts[0].destination: contains null byte" },
		{ "'destination':'/a','source':'\\u0000'",
		  "config.json: mounts[0].source: contains null byte" },
		{ "'destination':'/a','type':[]",
		  "config.json: mounts[0].type: expected a string, got an array" },
		{ "'destination':'/a','options':['ro',1]",
		  "config.json: mounts[0].options[1]: expected a string, got a number" },
		{ "'destination':'/a','options':'ro'",
		  "config.json: mounts[0].options: expected an array, got a string" },
		{ "'destination':'/a'},7,{",
		  "config.json: mounts[1]: expected an object, got a number" },
		{ "'destination':'/a','type':'tmpfs','options':['idmap']",
		  "config.json: mounts[0]: id-mapped mounts are only supported for bind-mounts" },
		{ "'destination':'/a','options':['bind'],"
		  "'uidMappings':[{'containerID':0,'hostID':1,'size':1}]",
		  "config.json: mounts[0]: id-mapped mounts must have both uid and gid mappings "
		  "specified" },
		{ "'destination':'/a','options':['bind'],'gidMappings':[{'containerID':0,'hostID':1}]",
		  "config.json: mounts[0].gidMappings[0].size: missing" },
		{ "'destination':'/a','gidMappings':[{'size':0}]",
		  "config.json: mounts[0].gidMappings[0].size: 0 is under the limit 1" },
		{ "'destination':'/a','gidMappings':[{'containerID':4294967295,'size':2}]",
		  "config.json: mounts[0].gidMappings[0].size: 2 ids end over the limit 4294967295" },
		{ "'destination':'/a','gidMappings':[{'hostID':4294967296,'size':2}]",
		  "config.json: mounts[0].gidMappings[0].hostID: 4294967296 is over the limit "
		  "4294967295" },
		{ "'destination':'/a','gidMappings':[3]",
		  "config.json: mounts[0].gidMappings[0]: expected an object, got a number" },
	};
	static const struct spec_row alone[] = {
		{ "'options':['rbind','ridmap']",
		  "config.json: mounts[0]: id-mapped mounts must have both uid and gid mappings "
		  "specified" },
	};

	(void) state;
	spec_check_rows(MOUNT_HEAD, MOUNT_TAIL, rows, ARRAY_LEN(rows));
	spec_check_rows(NO_USERNS_HEAD, MOUNT_TAIL, alone, ARRAY_LEN(alone));
	/* with a user namespace its mappings are meant */
	oci_spec_free(spec_good(MOUNT_HEAD, "'destination':'/a','options':['rbind','ridmap']",
				MOUNT_TAIL));
}

static void hooks(void **state)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = top(
		"'hooks':{'poststop':[{'path':'/p','args':['p','x'],'env':['A=1'],'timeout':3},"
		"{'path':'/q'}],'prestart':[{'path':'/r','timeout':2147483647}],"
		"'createRuntime':[],'createContainer':[{'path':'/s'}],'startContainer':null,"
		"'poststart':[{'path':'/t'}],'unknown':[5]}");

	(void) state;
	assert_int_equal(spec->hooks[OCI_HOOK_POSTSTOP].n, 2);
	assert_string_equal(spec->hooks[OCI_HOOK_POSTSTOP].v[0].args.v[1], "x");
	assert_string_equal(spec->hooks[OCI_HOOK_POSTSTOP].v[0].env.v[0], "A=1");
	assert_true(spec->hooks[OCI_HOOK_POSTSTOP].v[0].timeout.set);
	assert_int_equal(spec->hooks[OCI_HOOK_POSTSTOP].v[0].timeout.v, 3);
	assert_string_equal(spec->hooks[OCI_HOOK_POSTSTOP].v[1].path, "/q");
	assert_int_equal(spec->hooks[OCI_HOOK_POSTSTOP].v[1].args.n, 0);
	assert_false(spec->hooks[OCI_HOOK_POSTSTOP].v[1].timeout.set);
	assert_string_equal(spec->hooks[OCI_HOOK_PRESTART].v[0].path, "/r");
	assert_int_equal(spec->hooks[OCI_HOOK_CREATE_RUNTIME].n, 0);
	assert_string_equal(spec->hooks[OCI_HOOK_CREATE_CONTAINER].v[0].path, "/s");
	assert_int_equal(spec->hooks[OCI_HOOK_START_CONTAINER].n, 0);
	assert_string_equal(spec->hooks[OCI_HOOK_POSTSTART].v[0].path, "/t");
}

static void hook_refusals(void **state)
{
	static const struct spec_row rows[] = {
		{ "'prestart':[{}]", "config.json: hooks.prestart[0].path: missing or empty" },
		{ "'poststop':[{'path':''}]",
		  "config.json: hooks.poststop[0].path: missing or empty" },
		{ "'createRuntime':[{'path':'bin/x'}]",
		  "config.json: hooks.createRuntime[0].path: 'bin/x' is not an absolute path" },
		{ "'createContainer':[{'path':'/x','timeout':0}]",
		  "config.json: hooks.createContainer[0].timeout: 0 is under the limit 1" },
		{ "'startContainer':[{'path':'/x','timeout':-1}]",
		  "config.json: hooks.startContainer[0].timeout: -1 is under the limit 1" },
		{ "'startContainer':[{'path':'/x','timeout':2147483648}]",
		  "config.json: hooks.startContainer[0].timeout: 2147483648 is over the limit "
		  "2147483647" },
		{ "'poststart':[{'path':'/x','args':[null]}]",
		  "config.json: hooks.poststart[0].args[0]: expected a string, got null" },
		{ "'poststart':{'path':'/x'}",
		  "config.json: hooks.poststart: expected an array, got an object" },
		{ "'poststart':['/x']",
		  "config.json: hooks.poststart[0]: expected an object, got a string" },
	};

	(void) state;
	spec_check_rows(SPEC_TOP_HEAD "'hooks':{", "}}", rows, ARRAY_LEN(rows));
}

static void other_files(void **state)
{
	static const char process[] = "{\"cwd\":\"/\",\"args\":[\"sh\"],\"user\":{\"uid\":5}}";
	static const char bad[] = "{\"cwd\":\"/\"}";
	static const char limits[] = "{\"memory\":{\"limit\":4096}}";
	_cleanup_(oci_spec_freep) struct oci_spec *spec = top("'x':0");
	struct oci_process p = { .uid = 9 };
	struct oci_resources r = { 0 };
	struct err err = { 0 };

	(void) state;
	assert_int_equal(oci_process_parse(spec, "p.json", bad, strlen(bad), &p, &err), -EINVAL);
	assert_string_equal(err.text, "p.json: args: args must not be empty");
	assert_int_equal(p.uid, 9);
	assert_int_equal(oci_process_parse(spec, "p.json", "[]", 2, &p, &err), -EINVAL);
	assert_string_equal(err.text, "p.json: expected an object, got an array");
	assert_int_equal(oci_process_parse(spec, "p.json", process, strlen(process), &p, &err), 0);
	assert_int_equal(p.uid, 5);
	assert_string_equal(p.args.v[0], "sh");

	assert_int_equal(oci_resources_parse(spec, "r.json", "5", 1, &r, &err), -EINVAL);
	assert_string_equal(err.text, "r.json: expected an object, got a number");
	assert_int_equal(oci_resources_parse(spec, "r.json", "{", 1, &r, &err), -EINVAL);
	assert_string_equal(err.text, "r.json: line 1 column 2: expected a name in double quotes");
	assert_int_equal(oci_resources_parse(spec, "r.json", limits, strlen(limits), &r, &err), 0);
	assert_int_equal(r.memory.limit.v, 4096);
	assert_int_equal(oci_process_parse(spec, "p", process, OCI_SPEC_SIZE_MAX + 1, &p, &err),
			 -EFBIG);
	assert_int_equal(oci_resources_parse(spec, "r", limits, OCI_SPEC_SIZE_MAX + 1, &r, &err),
			 -EFBIG);
}

static void defaults(void **state)
{
	(void) state;
	for (int rootless = 0; rootless <= 1; rootless++) {
		_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
		_cleanup_(str_fini) struct str text = { 0 };
		struct err err = { 0 };

		oci_spec_default(rootless == 1, &text);
		assert_int_equal(oci_spec_parse("config.json", text.p, text.len, &spec, &err), 0);
		assert_string_equal(spec->version, OCI_SPEC_VERSION);
		assert_true(spec->process.terminal && spec->process.no_new_privileges);
		assert_string_equal(spec->process.args.v[0], "sh");
		assert_int_equal(spec->process.env.n, 2);
		assert_true(spec->process.caps->bounding == (1ull << 29 | 1ull << 5 | 1ull << 10));
		assert_true(spec->process.caps->effective == spec->process.caps->permitted);
		assert_true(spec->process.caps->ambient == 0);
		assert_int_equal(spec->process.rlimits[0].soft, 1024);
		assert_true(spec->root_readonly);
		assert_int_equal(spec->nr_mounts, 7);
		assert_int_equal(spec->linux.masked_paths.n, 10);
		assert_int_equal(spec->linux.readonly_paths.n, 5);
		assert_int_equal(spec->linux.namespaces[OCI_NS_NETWORK].set, !rootless);
		assert_int_equal(spec->linux.namespaces[OCI_NS_USER].set, rootless);
		assert_int_equal(spec->linux.resources_set, !rootless);
		assert_int_equal(spec->linux.resources.nr_devices, !rootless);
		assert_int_equal(spec->mounts[2].options.n, rootless ? 5 : 6); /* gid=5 */
		assert_string_equal(spec->mounts[5].type, rootless ? "none" : "sysfs");
		assert_string_equal(spec->mounts[5].options.v[0], rootless ? "rbind" : "nosuid");
		assert_string_equal(spec->mounts[6].options.v[4], "ro");
		assert_int_equal(oci_spec_check_host(spec, rootless == 1, &err), 0);
		if (rootless)
			assert_int_equal(spec->linux.uid_mappings.v[0].host, geteuid());
	}
}

#define NET_SYSCTL(path) "'linux':{'namespaces':[{'type':'network'" path "}]," \
			 "'sysctl':{'net.ipv4.ip_forward':'1'}}"
#define USERNS(more) "'linux':{'namespaces':[{'type':'user'},{'type':'network'}]," more "}"
#define ONE_ID "[{'containerID':0,'hostID':1,'size':1}]"

static void host_checks(void **state)
{
	static const struct {
		const char *members;
		bool rootless;
		int code;
		const char *message;
	} rows[] = {
		{ NET_SYSCTL(""), false, 0, NULL },
		{ NET_SYSCTL(",'path':'/proc/self/ns/net'"), false, -EINVAL,
		  "linux.sysctl: net.* keys not allowed in host network namespace, which is "
		  "'/proc/self/ns/net'" },
		{ NET_SYSCTL(",'path':'/nowhere'"), false, -ENOENT,
		  "invalid netns path: stat '/nowhere': no such file or directory" },
		{ NET_SYSCTL(",'path':'/proc/self/ns/uts'"), false, 0, NULL },
		{ "'linux':{'namespaces':[{'type':'network','path':'/nowhere'}]}", false, 0, NULL },
		{ "'x':0", false, 0, NULL },
		{ "'x':0", true, -EINVAL, "rootless container requires user namespaces" },
		{ USERNS("'gidMappings':" ONE_ID), true, -EINVAL,
		  "rootless containers requires at least one UID mapping" },
		{ USERNS("'uidMappings':" ONE_ID), true, -EINVAL,
		  "rootless containers requires at least one GID mapping" },
		{ USERNS("'uidMappings':" ONE_ID ",'gidMappings':" ONE_ID), true, 0, NULL },
		{ "'linux':{'namespaces':[{'type':'user','path':'/x'}]}", true, 0, NULL },
		{ USERNS("'uidMappings':" ONE_ID ",'gidMappings':" ONE_ID ",'netDevices':{'e':{}}"),
		  true, -EINVAL, "network devices are not supported for rootless containers" },
		{ USERNS("'uidMappings':" ONE_ID ",'gidMappings':" ONE_ID)
		  ",'mounts':[{'destination':'/a','options':['bind'],'uidMappings':" ONE_ID
		  ",'gidMappings':" ONE_ID "}]",
		  true, -EINVAL,
		  "mounts[0]: id-mapped mounts are not supported for rootless containers" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(oci_spec_freep) struct oci_spec *spec = top(rows[i].members);
		struct err err = { 0 };

		assert_int_equal(oci_spec_check_host(spec, rows[i].rootless, &err), rows[i].code);
		if (rows[i].message != NULL)
			assert_string_equal(err.text, rows[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),	   cmocka_unit_test(whole_text),
		cmocka_unit_test(smallest),	   cmocka_unit_test(uts_names),
		cmocka_unit_test(annotations),	   cmocka_unit_test(too_many_annotations),
		cmocka_unit_test(mounts),	   cmocka_unit_test(mount_refusals),
		cmocka_unit_test(hooks),	   cmocka_unit_test(hook_refusals),
		cmocka_unit_test(other_files),	   cmocka_unit_test(defaults),
		cmocka_unit_test(host_checks),
	};

	(void) log_open(NULL, LOG_FORMAT_TEXT, LOG_LEVEL_NONE, NULL); /* never fails without a path */
	return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
