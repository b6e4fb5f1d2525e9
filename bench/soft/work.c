// SPDX-License-Identifier: MIT
/*
 * Workloads for a guest: work NAME [COUNT] prints NAME and how many milliseconds it took.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;

static void getpids(unsigned n)
{
	while (n-- > 0)
		(void) syscall(SYS_getpid);
}

/* A byte to a child and back. */
static void pipes(unsigned n)
{
	int there[2], back[2];
	char byte = 0;

	if (pipe(there) < 0 || pipe(back) < 0)
		exit(1);
	if (fork() == 0) {
		while (n-- > 0 && read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {
		}
		_exit(0);
	}
	while (n-- > 0 && write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1) {
	}
	(void) wait(NULL);
}

static void execs(unsigned n)
{
	while (n-- > 0) {
		if (fork() == 0) {
			(void) execl("/bin/busybox", "true", (char *) NULL);
			_exit(1);
		}
		(void) wait(NULL);
	}
}

static void pages(unsigned n)
{
	while (n-- > 0) {
		char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*p = 1;
		(void) munmap(p, 4096);
	}
}

static void bodies(unsigned n)
{
	static double at[5][3], speed[5][3];
	static const double mass[5] = { 39.5, 0.037, 0.011, 0.0017, 0.002 };

	for (unsigned i = 0; i < 15; i++)
		at[i / 3][i % 3] = 1.0 + i * 1.37, speed[i / 3][i % 3] = (double) i / 100;
	while (n-- > 0) {
		for (unsigned i = 0; i < 5; i++)
			for (unsigned j = i + 1; j < 5; j++) {
				double dx = at[i][0] - at[j][0], dy = at[i][1] - at[j][1], dz = at[i][2] - at[j][2];
				double d = dx * dx + dy * dy + dz * dz, m = 0.01 / (d * __builtin_sqrt(d));

				speed[i][0] -= dx * mass[j] * m;
				speed[i][1] -= dy * mass[j] * m;
				speed[i][2] -= dz * mass[j] * m;
				speed[j][0] += dx * mass[i] * m;
				speed[j][1] += dy * mass[i] * m;
				speed[j][2] += dz * mass[i] * m;
			}
		for (unsigned i = 0; i < 15; i++)
			at[i / 3][i % 3] += 0.01 * speed[i / 3][i % 3];
	}
	sink = (uint64_t) at[0][0];
}

struct item {
	struct item *next;
	int key;
};

static struct item *sort(struct item *list, unsigned n)
{
	struct item *a = list, *b = list, *head = NULL, **tail = &head;

	if (n < 2) {
		if (n == 1)
			list->next = NULL;
		return list;
	}
	for (unsigned i = 0; i < n / 2; i++)
		b = b->next;
	b = sort(b, n - n / 2);
	a = sort(a, n / 2);
	while (a != NULL && b != NULL) {
		struct item **least = a->key <= b->key ? &a : &b;

		*tail = *least;
		tail = &(*least)->next;
		*least = (*least)->next;
	}
	*tail = a != NULL ? a : b;
	return head;
}

static unsigned crc(unsigned c, unsigned v)
{
	for (unsigned i = 0; i < 16; i++, v >>= 1)
		c = (c ^ v) & 1 ? c >> 1 ^ 0xA001 : c >> 1;
	return c;
}

/* A state machine over text, as parsers are. */
static unsigned parse(const char *s)
{
	unsigned state = 0, count = 0;

	for (; *s != '\0'; s++) {
		switch (state) {
		case 0:
			state = *s >= '0' && *s <= '9' ? 1 : *s == '-' || *s == '+' ? 2 : 3;
			break;
		case 1:
			state = *s == '.' ? 4 : *s == ',' ? 0 : *s >= '0' && *s <= '9' ? 1 : 3;
			break;
		case 2:
			state = *s >= '0' && *s <= '9' ? 1 : 3;
			break;
		case 4:
			state = *s == ',' ? 0 : *s == 'e' ? 2 : 4;
			break;
		default:
			state = *s == ',' ? 0 : 3;
		}
		count += state;
	}
	return count;
}

/* Lists, matrices, a state machine and a checksum: what CoreMark does. */
static void core(unsigned n)
{
	static struct item item[400];
	static int a[24][24], b[24][24], c[24][24];
	unsigned sum = 0;

	for (unsigned round = 0; round < n; round++) {
		struct item *list = item;

		for (unsigned i = 0; i < 400; i++) {
			item[i].next = i < 399 ? &item[i + 1] : NULL;
			item[i].key = (int) (i * 7919 + round) % 1009;
		}
		list = sort(list, 400);
		for (; list != NULL; list = list->next)
			sum = crc(sum, (unsigned) list->key);
		for (unsigned i = 0; i < 576; i++)
			a[i / 24][i % 24] = (int) (i + round), b[i / 24][i % 24] = (int) (i ^ round);
		for (unsigned i = 0; i < 24; i++)
			for (unsigned j = 0; j < 24; j++) {
				int t = 0;

				for (unsigned k = 0; k < 24; k++)
					t += a[i][k] * b[k][j];
				c[i][j] = t;
			}
		sum = crc(sum, (unsigned) c[round % 24][3]);
		sum = crc(sum, parse("5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,T0.3e-1F,1T3.4e4z"));
	}
	sink = sum;
}

static void reads(unsigned n)
{
	size_t size = 64u << 20;
	uint64_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), x = 1, sum = 0;

	(void) memset(p, 1, size);
	while (n-- > 0) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		sum += p[x >> 41];
	}
	sink = sum;
}

static const struct {
	const char *name;
	void (*run)(unsigned n);
	unsigned n;
} works[] = {
	{ "getpid", getpids, 1000000 }, { "pipe", pipes, 20000 },   { "exec", execs, 400 },
	{ "page", pages, 50000 },	{ "nbody", bodies, 500000 }, { "core", core, 3000 },
	{ "reads", reads, 2000000 },
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < sizeof(works) / sizeof(works[0]); i++) {
		struct timespec a, b;

		if (strcmp(works[i].name, argv[1]) != 0)
			continue;
		(void) clock_gettime(CLOCK_MONOTONIC, &a);
		works[i].run(argc > 2 ? (unsigned) strtoul(argv[2], NULL, 0) : works[i].n);
		(void) clock_gettime(CLOCK_MONOTONIC, &b);
		(void) printf("%s %ld\n", argv[1], (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
		return 0;
	}
	return 1;
}
