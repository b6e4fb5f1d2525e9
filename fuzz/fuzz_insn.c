/* SPDX-License-Identifier: MIT */
/**
 * DOC: instructions
 *
 * The input is a seed of 8 bytes and an instruction; without an instruction the seed makes one.  It leaves the
 * same on the host's processor and on the one in software, which translates if DIFFER_TRANSLATE is set.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "vmm/accel/soft/differ/compare.h"

/* What was covered so far, printed at the end. */
static struct differ_totals totals;

static void print(void)
{
	differ_print(&totals);
}

static void begin(void)
{
	static bool begun;

	if (begun)
		return;
	begun = true;
	if (differ_init(getenv("DIFFER_TRANSLATE") != NULL) < 0 || atexit(print) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct differ_case k;
	uint64_t seed;

	begin();
	if (size < sizeof(seed))
		return 0;
	memcpy(&seed, data, sizeof(seed));
	seed |= 1;
	k.row = -1;
	if (size == sizeof(seed))
		generate_case(DIFFER_ANY, &seed, &k);
	else if (!generate_from(data + sizeof(seed), size - sizeof(seed), &seed, &k))
		return 0;
	if (!differ_run(&k, &totals))
		abort();
	return 0;
}
