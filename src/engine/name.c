/* SPDX-License-Identifier: MIT */
#include "engine/name.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/err.h"

static const char *const first[] = {
	"able",   "agile",  "airy",   "amber",  "bold",    "brave",  "brief",  "bright", "brisk",
	"calm",   "clear",  "clever", "cool",   "cosy",    "crisp",  "deft",   "early",  "easy",
	"fair",   "fast",   "fine",   "firm",   "fond",    "frank",  "free",   "fresh",  "gentle",
	"glad",   "golden", "grand",  "green",  "happy",   "hardy",  "honest", "jolly",  "keen",
	"kind",   "late",   "light",  "lively", "loyal",   "lucky",  "mellow", "merry",  "mild",
	"modest", "neat",   "nimble", "noble",  "patient", "plain",  "polite", "proud",  "quick",
	"quiet",  "rapid",  "ready",  "rosy",   "round",   "sharp",  "shiny",  "silent", "silver",
	"simple", "sleek",  "smooth", "snug",   "sober",   "solid",  "spry",   "steady", "still",
	"stout",  "sunny",  "sure",   "swift",  "tall",    "tender", "tidy",   "tiny",   "trim",
	"true",   "warm",   "wise",   "witty",  "young",   "zesty",
};

static const char *const second[] = {
	"adder",   "alder",  "ash",     "aspen",   "badger",  "bass",  "beaver", "beech", "birch",
	"bison",   "cedar",  "condor",  "crane",   "cricket", "crow",  "deer",   "dove",  "eagle",
	"egret",   "elk",    "elm",     "falcon",  "fern",    "finch", "fir",    "fox",   "frog",
	"gecko",   "goose",  "grouse",  "hare",    "hawk",    "hazel", "heron",  "holly", "ibex",
	"ibis",    "jay",    "juniper", "kestrel", "kite",    "lark",  "larch",  "lemur", "linden",
	"lizard",  "lynx",   "magpie",  "maple",   "marten",  "mink",  "mole",   "moose", "newt",
	"oak",     "orca",   "osprey",  "otter",   "owl",     "perch", "pike",   "pine",  "plover",
	"poplar",  "puffin", "quail",   "raven",   "robin",   "rowan", "salmon", "seal",  "shrew",
	"sparrow", "spruce", "stoat",   "stork",   "swan",    "tapir", "teal",   "tern",  "thrush",
	"toad",    "trout",  "vole",    "walrus",  "willow",  "wren",  "yew",    "zebra",
};

void eng_name_random(char ret[ENG_NAME_MAX + 1])
{
	uint32_t r[3] = { 0 };

	(void) getrandom(r, sizeof(r), 0); /* a name that is taken is tried again */
	(void) snprintf(ret, ENG_NAME_MAX + 1, "%s_%s%u", first[r[0] % ARRAY_LEN(first)],
			second[r[1] % ARRAY_LEN(second)], r[2] % 100);
}

bool eng_name_valid(const char *name, size_t min, size_t max)
{
	size_t n = strlen(name);
	bool ok = n >= min && n <= max && isalnum((unsigned char) name[0]);

	for (size_t i = 0; ok && i < n; i++)
		ok = isalnum((unsigned char) name[i]) || strchr("_.-", name[i]) != NULL;
	return ok;
}

int eng_name_check(const char *name, struct err *err)
{
	if (eng_name_valid(name, 2, ENG_NAME_MAX))
		return 0;
	return err_msg(
		err, -EINVAL,
		"invalid name '%.200s': 2 to %d letters, digits, '_', '.', '-' are allowed, the first a letter or digit",
		name, ENG_NAME_MAX);
}

int eng_id_random(char ret[ENG_ID_LEN + 1], struct err *err)
{
	unsigned char raw[ENG_ID_LEN / 2];

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t) sizeof(raw))
		return err_set(err, -EIO, "get random bytes");
	for (size_t i = 0; i < sizeof(raw); i++)
		(void) snprintf(ret + 2 * i, 3, "%02x", raw[i]);
	return 0;
}
