/* SPDX-License-Identifier: MIT */
/**
 * DOC: fields that are missing
 *
 * Docker reads a template first with its own types, and then with the data as it is printed.  So a field that
 * it knows is never a mistake, even where it is left out, and a key of a map is not either; all else is.
 */
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/format/template_parts.h"

/* Members whose keys somebody chose */
static const char *const maps[] = {
	"Annotations", "Attributes", "Data", "ExposedPorts", "Labels", "Networks", "Options", "PortBindings",
	"Ports", "StorageOpt", "Sysctls", "Tmpfs", "Volumes",
};

/* What Docker's objects have and ours leave out, always or when there is nothing to say */
static const char *const known[] = {
	/* of an instance */
	"Health", "SizeRootFs", "SizeRw",
	/* of its Config, and that of an image */
	"Annotations", "ArgsEscaped", "ExposedPorts", "Healthcheck", "MacAddress", "NetworkDisabled", "OnBuild",
	"Shell", "StopSignal", "StopTimeout", "Volumes",
	/* of that of an image */
	"AttachStderr", "AttachStdin", "AttachStdout", "Cmd", "Config", "Domainname", "Entrypoint", "Env", "Hostname",
	"Image", "Labels", "OpenStdin", "StdinOnce", "Tty", "User", "WorkingDir",
	/* of its HostConfig */
	"Capabilities", "Cgroup", "ConsoleSize", "ContainerIDFile", "CpuCount", "CpuPercent", "CpuRealtimePeriod",
	"CpuRealtimeRuntime", "DeviceRequests", "Init", "Isolation", "IOMaximumBandwidth", "IOMaximumIOps",
	"KernelMemory", "KernelMemoryTCP", "Links", "MaskedPaths", "MemorySwappiness", "Mounts", "PortBindings",
	"ReadonlyPaths", "Runtime", "StorageOpt", "Sysctls", "Tmpfs", "VolumeDriver",
	/* of its NetworkSettings */
	"Bridge", "EndpointID", "Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen", "HairpinMode",
	"IPPrefixLen", "IPv6Gateway", "LinkLocalIPv6Address", "LinkLocalIPv6PrefixLen", "SandboxID", "SandboxKey",
	"SecondaryIPAddresses", "SecondaryIPv6Addresses",
	/* of an image */
	"Author", "Comment", "Container", "ContainerConfig", "DockerVersion", "Metadata", "OsVersion", "Parent",
	"RepoDigests", "RepoTags", "Variant", "VirtualSize",
	/* of a volume */
	"ClusterVolume", "Options", "Status", "UsageData",
	/* of an event, and of what is known of the host */
	"Attributes", "From", "Status", "Swarm", "Warnings",
};

bool tpl_may_lack(const struct json *object, const char *name)
{
	for (size_t i = 0; object->key != NULL && i < ARRAY_LEN(maps); i++)
		if (strcmp(object->key, maps[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcasecmp(name, known[i]) == 0)
			return true;
	return false;
}
