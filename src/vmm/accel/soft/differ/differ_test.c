/* SPDX-License-Identifier: MIT */
/*
 * The interpreter beside the host's processor: random instructions from fixed seeds.
 *
 * Without cmocka, which takes the signals that end an instruction.  With an argument, a number of seconds:
 * other instructions every time, for that long.  With DIFFER_TRANSLATE in the environment, the translator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vmm/accel/soft/differ/compare.h"

#define CASES 150000u
#define SECONDS 14 /* per kind; a slow machine runs fewer cases */
#define DIFFERENT_MAX 10 /* that are printed */

static struct differ_totals totals;

static bool run(enum differ_kind kind, uint64_t seed, unsigned long cases, time_t seconds)
{
	static struct differ_case k;
	time_t until = time(NULL) + seconds;
	uint64_t before = totals.different;

	for (unsigned long n = 0; n < cases && totals.different - before < DIFFERENT_MAX; n++) {
		if (n % 256 == 0 && time(NULL) >= until)
			break;
		generate_case(kind, &seed, &k);
		(void) differ_run(&k, &totals);
	}
	return totals.different == before;
}

static int for_a_while(time_t seconds)
{
	uint64_t seed = (uint64_t) time(NULL) << 1 | 1;
	bool same;

	printf("differ: seed %llu\n", (unsigned long long) seed);
	same = run(DIFFER_ANY, seed, -1ul, seconds);
	differ_print(&totals);
	return same ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "integer", "vector", "x87", "sequences of" };
	int status = 0;

	if (differ_init(getenv("DIFFER_TRANSLATE") != NULL) < 0) {
		printf("not ok - the processors cannot be prepared\n");
		return 1;
	}
	if (argc > 1)
		return for_a_while((time_t) strtoul(argv[1], NULL, 10));
	printf("1..4\n");
	for (unsigned kind = 0; kind < DIFFER_ANY; kind++) {
		bool same = run((enum differ_kind) kind, kind + 1, CASES, SECONDS);

		printf("%sok %u - %s instructions\n", same ? "" : "not ", kind + 1, kinds[kind]);
		status |= !same;
	}
	differ_print(&totals);
	return status;
}
