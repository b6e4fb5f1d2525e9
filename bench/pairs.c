/* SPDX-License-Identifier: MIT */
/**
 * DOC: pairs - time several commands side by side
 *
 * Runs N rounds; each round runs every command once, so a change of the
 * machine's load hits all of them alike.  The command that begins a round
 * rotates.  A command is a list of steps, each given as a plain argument
 * vector that is executed directly, without a shell:
 *
 *   pairs [OPTION...] @cmd NAME STEP... [@cmd NAME STEP...]...
 *
 *   @run ARGV...      timed, from just before the spawn to the end of wait4(2)
 *   @untimed ARGV...  not timed: set-up before, cleaning after, a wait between
 *   @reap FILE        not timed: wait for the process whose number is in FILE
 *
 * Every step must exit with status 0; anything else ends the measurement.  The time
 * of a round is the sum over its timed steps.  "{n}" inside an argument
 * becomes the slot number, 0 to P-1, of --parallel P; with P > 1 a timed step
 * starts P processes at once and lasts until the last one has ended.  "{i}"
 * becomes the number of the round, from 0, warming up included.
 *
 * The program is a child subreaper, so that containers whose creator has gone
 * become its children, as they become conmon's, and @reap works.
 *
 * Limit: peak memory is what wait4(2) reports.  That includes this program's own
 * size at the time of the spawn, which is why it is linked statically.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CMDS_MAX 8
#define STEPS_MAX 12
#define GOALS_MAX 8
#define PARALLEL_MAX 64
#define ROUNDS_MAX 100000

enum step_kind { STEP_RUN, STEP_UNTIMED, STEP_REAP };

struct step {
	enum step_kind kind;
	int argc;
	char **argv[PARALLEL_MAX]; /* one expanded copy per slot */
	bool by_round; /* an argument has "{i}" */
};

struct cmd {
	const char *name;
	struct step steps[STEPS_MAX];
	int nr_steps;
	double *ms; /* one sample per round, in round order */
	long peak_kib;
};

struct goal {
	char name[64], base[64];
	double ratio;
};

struct limit {
	char name[64];
	double ms;
};

struct bench {
	struct cmd cmds[CMDS_MAX];
	struct goal goals[GOALS_MAX];
	struct limit limits[GOALS_MAX];
	int nr_cmds, nr_goals, nr_limits;
	int rounds, warmup, parallel;
	bool json;
	const char *subject;
};

static void *alloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (p == NULL)
		errx(2, "out of memory");
	return p;
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double) ts.tv_sec * 1e3 + (double) ts.tv_nsec / 1e6;
}

/* A copy of @arg with its first @what, three bytes, replaced by @value */
static char *expand(const char *arg, const char *what, int value)
{
	const char *mark = strstr(arg, what);
	int before = mark == NULL ? (int) strlen(arg) : (int) (mark - arg);
	char number[12] = "", *out;

	if (mark != NULL)
		snprintf(number, sizeof(number), "%d", value);
	if (asprintf(&out, "%.*s%s%s", before, arg, number, mark == NULL ? "" : mark + 3) < 0)
		errx(2, "out of memory");
	return out;
}

static pid_t spawn(char **argv)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t sigs;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	sigfillset(&sigs);
	posix_spawnattr_setsigdefault(&attr, &sigs);
	r = posix_spawn(&pid, argv[0], &files, &attr, argv, environ);
	if (r != 0)
		errx(2, "run '%s': %s", argv[0], strerror(r));
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

static void check_status(const struct cmd *cmd, const struct step *step, char **argv, int status)
{
	if (status == 0)
		return;
	fprintf(stderr, "pairs: %s: %s %d of:", cmd->name,
		WIFEXITED(status) ? "exit status" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	for (int i = 0; i < step->argc; i++)
		fprintf(stderr, " %s", argv[i]);
	fputc('\n', stderr);
	exit(1);
}

static void reap_file(const struct cmd *cmd, const char *path)
{
	FILE *f = fopen(path, "re");
	int pid = 0;

	if (f == NULL || fscanf(f, "%d", &pid) != 1 || pid <= 0)
		errx(2, "%s: no process number in '%s'", cmd->name, path);
	fclose(f);
	if (waitpid(pid, NULL, 0) < 0)
		err(2, "%s: wait for process %d", cmd->name, pid);
}

/* The arguments of @slot for @round; the caller frees with free_round() */
static char **for_round(const struct step *step, int slot, int round)
{
	char **argv;

	if (!step->by_round)
		return step->argv[slot];
	argv = alloc((size_t) step->argc + 1, sizeof(char *));
	for (int i = 0; i < step->argc; i++)
		argv[i] = expand(step->argv[slot][i], "{i}", round);
	return argv;
}

static void free_round(const struct step *step, char **argv)
{
	for (int i = 0; step->by_round && i < step->argc; i++)
		free(argv[i]);
	if (step->by_round)
		free(argv);
}

/* Returns the milliseconds that the timed steps of @cmd took */
static double run_once(const struct bench *b, struct cmd *cmd, int round)
{
	double total = 0;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		; /* what earlier rounds left */
	for (int s = 0; s < cmd->nr_steps; s++) {
		const struct step *step = &cmd->steps[s];
		int status[PARALLEL_MAX];
		pid_t pid[PARALLEL_MAX];
		char **argv[PARALLEL_MAX];
		double begin;

		if (step->kind == STEP_REAP) {
			for (int n = 0; n < b->parallel; n++)
				reap_file(cmd, step->argv[n][0]);
			continue;
		}
		for (int n = 0; n < b->parallel; n++)
			argv[n] = for_round(step, n, round);
		begin = now_ms();
		for (int n = 0; n < b->parallel; n++)
			pid[n] = spawn(argv[n]);
		for (int n = 0; n < b->parallel; n++) {
			struct rusage ru;

			if (wait4(pid[n], &status[n], 0, &ru) < 0)
				err(2, "wait4");
			if (step->kind == STEP_RUN && ru.ru_maxrss > cmd->peak_kib)
				cmd->peak_kib = ru.ru_maxrss;
		}
		if (step->kind == STEP_RUN)
			total += now_ms() - begin;
		for (int n = 0; n < b->parallel; n++)
			check_status(cmd, step, argv[n], status[n]);
		for (int n = 0; n < b->parallel; n++)
			free_round(step, argv[n]);
	}
	return total;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The value below which @share of the samples lie; between two of them, their mean by distance */
static double quantile(const double *samples, int n, double share)
{
	double *sorted = alloc((size_t) n, sizeof(*sorted)), at = share * (n - 1), v;
	int i = (int) at;

	memcpy(sorted, samples, (size_t) n * sizeof(*sorted));
	qsort(sorted, (size_t) n, sizeof(*sorted), by_value);
	v = sorted[i];
	if (i + 1 < n)
		v += (at - i) * (sorted[i + 1] - sorted[i]);
	free(sorted);
	return v;
}

struct ratio {
	double of_medians, pairwise; /* of the medians; median of the rounds' ratios */
};

static struct ratio ratio(const struct cmd *x, const struct cmd *base, int n)
{
	double *ratios = alloc((size_t) n, sizeof(*ratios));
	struct ratio r = { .of_medians = quantile(x->ms, n, 0.5) / quantile(base->ms, n, 0.5) };

	for (int i = 0; i < n; i++)
		ratios[i] = x->ms[i] / base->ms[i];
	r.pairwise = quantile(ratios, n, 0.5);
	free(ratios);
	return r;
}

static void report_cmd(const struct bench *b, const struct cmd *c)
{
	double min = quantile(c->ms, b->rounds, 0), p90 = quantile(c->ms, b->rounds, 0.9);
	double median = quantile(c->ms, b->rounds, 0.5), per_s = b->parallel * 1e3 / median;
	struct ratio r = ratio(c, &b->cmds[0], b->rounds);

	if (b->json)
		printf("{\"subject\":\"%s\",\"name\":\"%s\",\"rounds\":%d,\"parallel\":%d,"
		       "\"min_ms\":%.3f,\"median_ms\":%.3f,\"p90_ms\":%.3f,\"base\":\"%s\","
		       "\"of_medians\":%.3f,\"pairwise\":%.3f,\"peak_kib\":%ld,\"per_s\":%.1f}\n",
		       b->subject, c->name, b->rounds, b->parallel, min, median, p90,
		       b->cmds[0].name, r.of_medians, r.pairwise, c->peak_kib, per_s);
	else
		printf("  %-14s %9.2f %9.2f %9.2f %9.3f %9.3f %9ld %9.1f\n", c->name, min, median,
		       p90, r.of_medians, r.pairwise, c->peak_kib, per_s);
}

static const struct cmd *find_cmd(const struct bench *b, const char *name)
{
	for (int i = 0; i < b->nr_cmds; i++)
		if (strcmp(b->cmds[i].name, name) == 0)
			return &b->cmds[i];
	return NULL;
}

static void report_limits(const struct bench *b)
{
	for (int i = 0; i < b->nr_limits; i++) {
		const struct limit *l = &b->limits[i];
		const struct cmd *x = find_cmd(b, l->name);

		if (x != NULL)
			printf(b->json ? "{\"subject\":\"%s\",\"name\":\"%s\",\"median_ms\":%.3f,"
					 "\"goal_ms\":%g}\n"
				       : "  %s: %s takes %.2f ms, goal: at most %g ms\n",
			       b->subject, l->name, quantile(x->ms, b->rounds, 0.5), l->ms);
	}
}

static void report(const struct bench *b)
{
	if (!b->json)
		printf("%s (%d rounds, milliseconds, ratios to %s)\n  %-14s %9s %9s %9s %9s %9s %9s"
		       " %9s\n", b->subject, b->rounds, b->cmds[0].name, "", "min", "median",
		       "p90", "of medns", "pairwise", "peak KiB", "per s");
	for (int i = 0; i < b->nr_cmds; i++)
		report_cmd(b, &b->cmds[i]);
	for (int i = 0; i < b->nr_goals; i++) {
		const struct goal *g = &b->goals[i];
		const struct cmd *x = find_cmd(b, g->name), *base = find_cmd(b, g->base);
		struct ratio r;

		if (x == NULL || base == NULL)
			continue; /* one of the programs is absent; the caller has said so */
		r = ratio(x, base, b->rounds);
		printf(b->json ? "{\"subject\":\"%s\",\"name\":\"%s\",\"base\":\"%s\","
				 "\"of_medians\":%.3f,\"pairwise\":%.3f,\"goal\":%g}\n"
			       : "  %s: %s / %s = %.3f (pairwise %.3f), goal: at most %g\n",
		       b->subject, g->name, g->base, r.of_medians, r.pairwise, g->ratio);
	}
	report_limits(b);
}

static int number(const char *text, const char *what, int min, int max)
{
	char *end;
	long v;

	errno = 0;
	v = text == NULL ? 0 : strtol(text, &end, 10);
	if (text == NULL || errno != 0 || end == text || *end != '\0' || v < min || v > max)
		errx(2, "%s: '%s' is not a number from %d to %d", what, text ? text : "", min, max);
	return (int) v;
}

static void add_step(const struct bench *b, struct cmd *cmd, enum step_kind kind, char **argv,
		     int argc)
{
	struct step *step = &cmd->steps[cmd->nr_steps++];

	if (cmd->nr_steps > STEPS_MAX)
		errx(2, "%s: more than %d steps", cmd->name, STEPS_MAX);
	if (argc == 0 || argv[0][0] != '/')
		errx(2, "%s: step %d must begin with an absolute path", cmd->name, cmd->nr_steps);
	step->kind = kind;
	step->argc = argc;
	for (int i = 0; i < argc; i++)
		step->by_round |= strstr(argv[i], "{i}") != NULL;
	for (int n = 0; n < b->parallel; n++) {
		step->argv[n] = alloc((size_t) argc + 1, sizeof(char *));
		for (int i = 0; i < argc; i++)
			step->argv[n][i] = expand(argv[i], "{n}", n);
	}
}

static void parse_cmds(struct bench *b, char **argv)
{
	struct cmd *cmd = NULL;

	while (*argv != NULL) {
		char *word = *argv++, **args = argv;
		int argc = 0;

		while (args[argc] != NULL && args[argc][0] != '@')
			argc++;
		argv += argc;
		if (strcmp(word, "@cmd") == 0 && argc == 1 && b->nr_cmds < CMDS_MAX) {
			cmd = &b->cmds[b->nr_cmds++];
			cmd->name = args[0];
			cmd->ms = alloc((size_t) b->rounds, sizeof(*cmd->ms));
		} else if (cmd != NULL && strcmp(word, "@run") == 0)
			add_step(b, cmd, STEP_RUN, args, argc);
		else if (cmd != NULL && strcmp(word, "@untimed") == 0)
			add_step(b, cmd, STEP_UNTIMED, args, argc);
		else if (cmd != NULL && strcmp(word, "@reap") == 0 && argc == 1)
			add_step(b, cmd, STEP_REAP, args, argc);
		else
			errx(2, "'%s' with %d arguments does not fit here", word, argc);
	}
	if (b->nr_cmds == 0)
		errx(2, "no command given");
}

/* Returns the first argument that is no option */
static char **parse_options(struct bench *b, char **argv)
{
	for (; *argv != NULL && argv[0][0] == '-'; argv += 2) {
		const char *opt = argv[0], *val = argv[1];

		if (strcmp(opt, "--rounds") == 0)
			b->rounds = number(val, opt, 1, ROUNDS_MAX);
		else if (strcmp(opt, "--warmup") == 0)
			b->warmup = number(val, opt, 0, ROUNDS_MAX);
		else if (strcmp(opt, "--parallel") == 0)
			b->parallel = number(val, opt, 1, PARALLEL_MAX);
		else if (strcmp(opt, "--subject") == 0 && val != NULL)
			b->subject = val;
		else if (strcmp(opt, "--format") == 0 && val != NULL)
			b->json = strcmp(val, "json") == 0;
		else if (strcmp(opt, "--goal") == 0 && val != NULL && b->nr_goals < GOALS_MAX) {
			struct goal *g = &b->goals[b->nr_goals++];

			if (sscanf(val, "%63[^:]:%63[^:]:%lf", g->name, g->base, &g->ratio) != 3)
				errx(2, "--goal: '%s' is not NAME:BASE:RATIO", val);
		} else if (strcmp(opt, "--limit") == 0 && val != NULL && b->nr_limits < GOALS_MAX) {
			struct limit *l = &b->limits[b->nr_limits++];

			if (sscanf(val, "%63[^:]:%lf", l->name, &l->ms) != 2)
				errx(2, "--limit: '%s' is not NAME:MILLISECONDS", val);
		} else
			errx(2, "unknown option or missing value: '%s'", opt);
	}
	return argv;
}

int main(int argc, char **argv)
{
	static struct bench b = { .rounds = 30, .warmup = 3, .parallel = 1, .subject = "pairs" };

	(void) argc;
	parse_cmds(&b, parse_options(&b, argv + 1));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = -b.warmup; i < b.rounds; i++) {
		for (int k = 0; k < b.nr_cmds; k++) {
			struct cmd *cmd = &b.cmds[(i + b.warmup + k) % b.nr_cmds];
			double ms = run_once(&b, cmd, i + b.warmup);

			if (i >= 0)
				cmd->ms[i] = ms;
		}
	}
	report(&b);
	return 0;
}
