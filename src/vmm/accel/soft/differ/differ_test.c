/* SPDX-License-Identifier: MIT */
/*
 * The interpreter and the translator beside the host's processor: random instructions from fixed seeds.
 *
 * Without cmocka, which takes the signals that end an instruction.  With an argument, a number of seconds:
 * other instructions every time, for that long, interpreted or, with DIFFER_TRANSLATE in the environment, translated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vmm/accel/soft/differ/compare.h"

#define CASES 150000u
#define SECONDS 7 /* per kind; a slow machine runs fewer cases */
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

static int for_a_while(bool translate, time_t seconds)
{
	uint64_t seed = (uint64_t) time(NULL) << 1 | 1;
	bool same;

	if (differ_init(translate) < 0)
		return 1;
	printf("differ: seed %llu\n", (unsigned long long) seed);
	same = run(DIFFER_ANY, seed, -1ul, seconds);
	differ_print(&totals);
	return same ? 0 : 1;
}

/* All kinds of instructions; once per process. */
static int all_kinds(bool translate)
{
	static const char *const kinds[] = { "integer", "vector", "x87", "sequences of" };
	int status = 0;

	if (differ_init(translate) < 0) {
		printf("not ok - the processors cannot be prepared\n");
		return 1;
	}
	for (unsigned kind = 0; kind < DIFFER_ANY; kind++) {
		bool same = run((enum differ_kind) kind, kind + 1, CASES, SECONDS);

		printf("%sok %u - %s instructions, %s\n", same ? "" : "not ", kind + 1 + translate * DIFFER_ANY, kinds[kind],
		       translate ? "translated" : "interpreted");
		status |= !same;
	}
	differ_print(&totals);
	return status;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return for_a_while(getenv("DIFFER_TRANSLATE") != NULL, (time_t) strtoul(argv[1], NULL, 10));
	printf("1..%u\n", 2 * DIFFER_ANY);
	return differ_apart(all_kinds, false) | differ_apart(all_kinds, true);
}
