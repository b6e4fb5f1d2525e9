// SPDX-License-Identifier: MIT
/*
 * The interpreter against the host's processor: [KIND [CASES [SEED]]].
 */
#include <stdio.h>
#include <stdlib.h>

#include "vmm/accel/soft/differ/compare.h"

int main(int argc, char **argv)
{
	static struct differ_totals totals;
	static struct differ_case k;
	enum differ_kind kind = argc > 1 ? (enum differ_kind) strtoul(argv[1], NULL, 0) : DIFFER_ANY;
	unsigned long cases = argc > 2 ? strtoul(argv[2], NULL, 0) : 200000;
	uint64_t seed = argc > 3 ? strtoul(argv[3], NULL, 0) : 1;
	int rc = differ_init();

	if (rc < 0) {
		fprintf(stderr, "differ: cannot begin: %d\n", rc);
		return 1;
	}
	for (unsigned long n = 0; n < cases && totals.different < 20; n++) {
		generate_case(kind, &seed, &k);
		(void) differ_run(&k, &totals);
	}
	differ_print(&totals);
	return totals.different != 0;
}
