/* SPDX-License-Identifier: MIT */
/**
 * DOC: when and where the process runs
 * Spec: runtime-spec 1.3, config.md "Linux Process": scheduler, ioPriority, execCPUAffinity.
 */
#include <linux/sched.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/spec_internal.h"
#include "oci/spec_names.h"

#define NICE_MIN (-20)
#define NICE_MAX 19
#define IO_PRIORITY_MAX 7
#define DEADLINE_RUNTIME_MIN 1024ULL /* ns, of the kernel: shorter ones get lost in its arithmetic */
#define DEADLINE_RUNTIME_MAX (UINT64_MAX >> 1)

bool spec_list_count(const char *list, size_t *ret)
{
	size_t count = 0;

	for (const char *p = list; *p != '\0';) {
		unsigned long v[2] = { 0 };
		int n = 0;

		if (*p == ',' || *p == ' ') { /* runc takes empty elements and spaces, too */
			p++;
			continue;
		}
		do {
			if (n > 0)
				p++; /* the dash */
			if (*p < '0' || *p > '9')
				return false;
			for (; *p >= '0' && *p <= '9'; p++) {
				v[n] = v[n] * 10 + (unsigned long) (*p - '0');
				if (v[n] > SPEC_LIST_MAX)
					return false;
			}
			n++;
		} while (n < 2 && *p == '-');
		if (n == 1)
			v[1] = v[0];
		p += strspn(p, " ");
		if (v[1] < v[0] || (*p != '\0' && *p != ','))
			return false;
		count += v[1] - v[0] + 1;
	}
	*ret = count;
	return true;
}

/* What sched_setattr(2) would call an invalid argument */
static void check_deadline(struct json_in *in, const struct json *obj, const struct oci_scheduler *s)
{
	static const char *const needed[] = { "runtime", "deadline" };

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (json_get(in, obj, needed[i]) == NULL)
			(void) json_fail(in, obj, NULL, "sched_setattr: `SCHED_DEADLINE` requires `%s`", needed[i]);
	if (s->runtime == 0)
		(void) json_fail(in, obj, "runtime",
				 "sched_setattr: `SCHED_DEADLINE` runtime must be greater than 0");
	if (s->runtime < DEADLINE_RUNTIME_MIN || s->runtime > DEADLINE_RUNTIME_MAX)
		(void) json_fail(in, obj, "runtime",
				 "sched_setattr: `SCHED_DEADLINE` runtime %llu must be between %llu and %llu",
				 (unsigned long long) s->runtime, DEADLINE_RUNTIME_MIN,
				 (unsigned long long) DEADLINE_RUNTIME_MAX);
	if (s->runtime > s->deadline)
		(void) json_fail(in, obj, "runtime",
				 "sched_setattr: `SCHED_DEADLINE` runtime %llu must be <= deadline %llu",
				 (unsigned long long) s->runtime, (unsigned long long) s->deadline);
	if (s->period != 0 && s->deadline > s->period) /* no period: as long as the deadline */
		(void) json_fail(in, obj, "deadline",
				 "sched_setattr: `SCHED_DEADLINE` deadline %llu must be <= period %llu",
				 (unsigned long long) s->deadline, (unsigned long long) s->period);
}

static void parse_scheduler(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	struct oci_scheduler *s = arena_alloc(in->strings, 1, sizeof(*s));
	const char *policy = spec_str(in, obj, "policy");
	int64_t nice = 0, priority = 0;

	if (s == NULL)
		(void) json_nomem(in); /* kept in in->code */
	if (in->code == 0 && policy == NULL)
		(void) json_fail(in, obj, "policy", "scheduler policy is required");
	if (in->code == 0 && !oci_name_find(&oci_sched_names, policy, &s->policy))
		(void) json_fail(in, obj, "policy", "invalid scheduler policy: %.64s", policy);
	(void) json_get_i64(in, obj, "nice", INT32_MIN, INT32_MAX, &nice);
	(void) json_get_i64(in, obj, "priority", 0, INT32_MAX, &priority);
	if (in->code < 0)
		return;
	s->flags = spec_flags(in, obj, "flags", &oci_sched_flag_names, "invalid scheduler flag");
	(void) json_get_u64(in, obj, "runtime", UINT64_MAX, &s->runtime);
	(void) json_get_u64(in, obj, "deadline", UINT64_MAX, &s->deadline);
	(void) json_get_u64(in, obj, "period", UINT64_MAX, &s->period);
	if ((s->policy == SCHED_NORMAL || s->policy == SCHED_BATCH) &&
	    (nice < NICE_MIN || nice > NICE_MAX))
		(void) json_fail(in, obj, "nice",
				 "invalid scheduler.nice: %lld when scheduler.policy is %s",
				 (long long) nice, policy);
	if (priority != 0 && s->policy != SCHED_FIFO && s->policy != SCHED_RR)
		(void) json_fail(in, obj, "priority", "scheduler.priority can only be specified for "
						      "SchedFIFO or SchedRR policy");
	if (s->policy != SCHED_DEADLINE && (s->runtime | s->deadline | s->period) != 0)
		(void) json_fail(in, obj, NULL,
				 "scheduler runtime/deadline/period can only be specified for "
				 "SchedDeadline policy");
	if (s->policy == SCHED_DEADLINE)
		check_deadline(in, obj, s);
	s->nice = (int32_t) nice;
	s->priority = (uint32_t) priority;
	ret->scheduler = s;
}

static void parse_io_priority(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	const char *class = spec_str(in, obj, "class");
	int64_t priority = 0;
	uint32_t value = 0;

	(void) json_get_i64(in, obj, "priority", INT32_MIN, INT32_MAX, &priority);
	if (in->code < 0)
		return;
	if (priority < 0 || priority > IO_PRIORITY_MAX)
		(void) json_fail(in, obj, "priority", "invalid ioPriority.Priority: %lld",
				 (long long) priority);
	if (class == NULL || !oci_name_find(&oci_ioprio_names, class, &value))
		(void) json_fail(in, obj, "class", "invalid ioPriority.Class: \"%.64s\"",
				 class != NULL ? class : "");
	ret->io_priority.set = true;
	ret->io_priority.class = (int) value;
	ret->io_priority.priority = (int) priority;
}

static char *parse_cpu_list(struct json_in *in, const struct json *obj, const char *key,
			    const char *name)
{
	char *list = spec_str(in, obj, key);
	size_t count = 0;

	if (list != NULL && (!spec_list_count(list, &count) || count == 0))
		(void) json_fail(in, obj, key, "bad CPUAffinity.%s: '%.200s' is not a list of CPUs",
				 name, list);
	return list;
}

void spec_scheduler(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	const struct json *member;

	member = json_get_object(in, obj, "scheduler");
	if (member != NULL)
		parse_scheduler(in, member, ret);
	member = json_get_object(in, obj, "ioPriority");
	if (member != NULL)
		parse_io_priority(in, member, ret);
	member = json_get_object(in, obj, "execCPUAffinity");
	ret->cpu_affinity_initial = parse_cpu_list(in, member, "initial", "Initial");
	ret->cpu_affinity_final = parse_cpu_list(in, member, "final", "Final");
}
