// SPDX-License-Identifier: GPL-2.0
/* What to run, and what was met: see oracle.h. */
#include "engine.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Calls, after which everything must have been met. */
#define ENOUGH		25000

#define FEW	20		/* calls of one kind, of which nothing is demanded */
#define MOST_TOLD	2	/* sequences that differ, after which no more are tried */

const struct kind *const all_kinds[KINDS] = { &shm_kind, &sem_kind, &msg_kind };

const struct kind *kind_of(int type)
{
	int k;

	for (k = 0; k < KINDS; k++)
		if (type >= all_kinds[k]->base && type < all_kinds[k]->base + all_kinds[k]->n_calls)
			return all_kinds[k];
	return NULL;
}

const struct call_info *call_of_type(int type)
{
	const struct kind *kind = kind_of(type);

	return kind ? &kind->calls[type - kind->base] : NULL;
}

const char *name_of_type(int type)
{
	static const char *const names[OPS_OF_PROCESSES] = {
		"begins", "forks", "executes", "exits", "is killed", "is signalled", "is stopped",
		"relaxes",
	};

	return type < OPS_OF_PROCESSES ? names[type] : call_of_type(type)->name;
}

/* ---- What was met ---- */

/* What is not met so far: anything at all, and the types of steps that may bring it about. */
static struct {
	bool quietly, any;
	bool types[OP_TYPES];
} lacking;

static void missing(int type, const char *format, const char *a, const char *b, const char *c)
{
	lacking.any = true;
	lacking.types[type] = true;
	if (lacking.quietly)
		return;
	printf("# never: ");
	printf(format, a, b, c);
	printf("\n");
}

static const char *end_name(int err)
{
	return err ? strerrorname_np(err) : "ok";
}

static unsigned int total(const unsigned int *ends)
{
	unsigned int sum = 0, e;

	for (e = 0; e < MOST_ERRNOS; e++)
		sum += ends[e];
	return sum;
}

static void tell(const char *name, const unsigned int *ends)
{
	unsigned int all = total(ends), e;

	printf("# %-16s%7u %3u %%", name, all, all ? ends[0] * 100 / all : 0);
	for (e = 0; e < MOST_ERRNOS; e++)
		if (ends[e])
			printf(" %s %u", end_name(e), ends[e]);
	printf("\n");
}

static void check_call(int type, const struct met *met)
{
	const struct call_info *c = call_of_type(type);
	const unsigned int *ends = met->end[type];
	unsigned int bad = met->plain[type][0], good = met->plain[type][1];
	int i;

	if (!ends[0] && !c->fails)
		missing(type, "%s, %s%s", c->name, "ok", "");
	/* That is not to be had by trying more often. */
	if (!lacking.quietly && good + bad > FEW && !c->fails && good * 100 < (good + bad) * 30)
		missing(type, "%s, %s%s", c->name, "30 % successes", "");
	for (i = 0; c->errnos && c->errnos[i]; i++)
		if (!ends[c->errnos[i]])
			missing(type, "%s, %s%s", c->name, end_name(c->errnos[i]), "");
	for (i = 0; c->flags && c->flags[i]; i++)
		if (!met->flag[type][i])
			missing(type, "%s with %s%s", c->name, c->flags[i], "");
	if (c->sleeps && !met->slept[type])
		missing(type, "%s%s%s", c->name, ", asleep", "");
}

static void tell_calls(const struct kind *kind, const struct met *met)
{
	int i, f;

	for (i = 0; i < kind->n_calls; i++) {
		const struct call_info *c = &kind->calls[i];

		tell(c->name, met->end[kind->base + i]);
		if (!c->flags && !c->sleeps)
			continue;
		printf("#   %-14s", "");
		if (c->sleeps)
			printf(" slept %u", met->slept[kind->base + i]);
		for (f = 0; c->flags && c->flags[f]; f++)
			printf(" %s %u", c->flags[f], met->flag[kind->base + i][f]);
		printf("\n");
	}
}

static void tell_woken(const struct met *met)
{
	int t, s, e;

	for (t = 0; t < OP_TYPES; t++)
		for (s = 0; s < OP_TYPES; s++)
			for (e = 0; e < MOST_ERRNOS; e++)
				if (met->woken[t][s][e])
					printf("# %s of %s by %s: %u\n", end_name(e),
					       name_of_type(s), name_of_type(t),
					       met->woken[t][s][e]);
}

static void check_kind(const struct kind *kind, const struct met *met)
{
	int i;

	for (i = 0; i < kind->n_calls; i++)
		check_call(kind->base + i, met);
	for (i = 0; i < kind->n_wakes; i++) {
		const struct wake *w = &kind->wakes[i];

		if (met->woken[w->type][w->sleeper][w->err])
			continue;
		missing(w->type, "%s of %s by %s", end_name(w->err), name_of_type(w->sleeper),
			name_of_type(w->type));
		lacking.types[w->sleeper] = true;
	}
	/* With new objects, for others end; and some ends come only where a limit is tight. */
	for (i = 0; i < kind->n_calls; i++)
		if (lacking.types[kind->base + i])
			lacking.types[kind->base] = lacking.types[kind->base + kind->n_calls - 1] = true;
}

static void check_all(const struct plan *plan, bool quietly)
{
	int t, k;

	memset(&lacking, 0, sizeof(lacking));
	lacking.quietly = quietly;
	for (t = 0; t < OPS_OF_PROCESSES; t++)
		if (!plan->met->end[t][0])
			missing(t, "%s%s%s", name_of_type(t), "", "");
	for (k = 0; k < KINDS; k++)
		if (plan->kinds[k])
			check_kind(plan->kinds[k], plan->met);
}

/* The next run is to look for what was not met so far. */
static void seek(struct plan *plan)
{
	int t;

	check_all(plan, true);
	/* For deaths to have an effect others must live. */
	if (lacking.types[OP_EXIT] || lacking.types[OP_KILL])
		lacking.types[OP_SPAWN] = true;
	for (t = plan->n_wanted = 0; t < OP_TYPES; t++)
		if (lacking.types[t])
			plan->wanted[plan->n_wanted++] = t;
}

/* Return: whether everything was met, or the run was too short to demand it. */
static bool check_met(const struct plan *plan)
{
	const struct met *met = plan->met;
	int t, k;

	for (t = 0; t < OPS_OF_PROCESSES; t++)
		tell(name_of_type(t), met->end[t]);
	for (k = 0; k < KINDS; k++)
		if (plan->kinds[k])
			tell_calls(plan->kinds[k], met);
	tell_woken(met);
	check_all(plan, false);
	ksft_print_msg("%ld calls, %ld of them while another slept\n", met->calls, met->beside);
	if (met->calls < ENOUGH && lacking.any) {
		ksft_print_msg("of less than %d calls nothing is demanded\n", ENOUGH);
		return true;
	}
	return !lacking.any;
}

/* ---- What to run ---- */

static int parse_kinds(struct plan *plan, char *list)
{
	char *name;
	int k;

	memset(plan->kinds, 0, sizeof(plan->kinds));
	while ((name = strsep(&list, ","))) {
		for (k = 0; k < KINDS && strcmp(name, all_kinds[k]->name); k++)
			;
		if (k == KINDS)
			return -1;
		plan->kinds[k] = all_kinds[k];
	}
	return 0;
}

/*
 * The actors go first, and none may be stopped for having had the processor for too long a
 * part of a second, but for a minute.
 */
#define RT_PERIOD	"/proc/sys/kernel/sched_rt_period_us"
#define RT_RUNTIME	"/proc/sys/kernel/sched_rt_runtime_us"

static long rt_period, rt_runtime;

static void let_them_go_first(void)
{
	rt_period = read_number(RT_PERIOD);
	rt_runtime = read_number(RT_RUNTIME);
	write_text(RT_PERIOD, "60000000");
	write_text(RT_RUNTIME, "57000000");
}

static void let_go(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", rt_runtime);
	write_text(RT_RUNTIME, text);
	snprintf(text, sizeof(text), "%ld", rt_period);
	write_text(RT_PERIOD, text);
}

static void *share(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		ksft_exit_fail_msg("cannot set up: %s\n", strerror(errno));
	return p;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: oracle [-n CALLS] [-s SEED] [-k shm,sem,msg] [-w TYPE,…] [-l CALLS] [-t SECONDS]\n"
		"  -n  calls in all; -l  calls of one run\n"
		"  -s  the seed of the first run; the next has the next\n"
		"  -k  the kinds of objects\n"
		"  -w  steps that are to come more often in the first run, as it is told\n"
		"  -t  seconds to make a sequence that differs as short as it goes\n");
	exit(KSFT_FAIL);
}

static void parse_wanted(struct plan *plan, char *list)
{
	char *number;
	int type;

	while ((number = strsep(&list, ",")) && plan->n_wanted < OP_TYPES) {
		type = atoi(number);
		if (type < 0 || type >= OP_TYPES || (type >= OPS_OF_PROCESSES && !call_of_type(type)))
			usage();
		plan->wanted[plan->n_wanted++] = type;
	}
}

/* How to make the run once more. */
static void tell_again(const struct plan *plan, const char *kinds)
{
	int i;

	printf("# again: oracle -s %u -n %ld -k %s", plan->seed, plan->calls, kinds);
	for (i = 0; i < plan->n_wanted; i++)
		printf("%s%d", i ? "," : " -w ", plan->wanted[i]);
	printf("\n");
}

/* One run, told as a test.  Return: whether it found a difference. */
static bool test_run(struct plan *plan, const char *kinds, int seconds)
{
	const struct record *record = plan->record;
	bool failed = run_in_child(plan);

	if (failed) {
		ksft_print_msg("%s differ at step %d: %s\n", record->what, record->step,
			       record->detail);
		tell_again(plan, kinds);
		shrink(plan, seconds);
	} else {
		plan->met->calls += record->calls;
		plan->met->beside += record->beside;
	}
	ksft_test_result(!failed, "%ld calls from seed %u\n", plan->calls, plan->seed);
	return failed;
}

/* The first run once more, which must be the same to the last result. */
static void test_again(const struct plan *plan, uint64_t hash)
{
	static struct met ignored;
	struct plan again = *plan;
	bool failed;

	again.met = &ignored;
	failed = run_in_child(&again);
	ksft_print_msg("history %016lx, again %016lx\n", hash, plan->record->hash);
	ksft_test_result(!failed && hash == plan->record->hash, "one seed is one schedule\n");
}

int main(int argc, char **argv)
{
	struct plan plan = {
		.kinds = { &shm_kind, &sem_kind, &msg_kind },
		.seed = 1, .patience = 60,
	};
	char kinds[64] = "shm,sem,msg", list[64];
	long calls = 26000, length = 2000;
	int seconds = 300, differing = 0, opt, runs, i;
	struct record *record;

	if (argc == 4 && !strcmp(argv[1], "--serve"))
		return serve_again(atoi(argv[2]), atoi(argv[3]));
	while ((opt = getopt(argc, argv, "n:s:k:w:l:t:")) != -1)
		switch (opt) {
		case 'n':
			calls = atol(optarg);
			break;
		case 's':
			plan.seed = strtoul(optarg, NULL, 0);
			break;
		case 'k':
			snprintf(kinds, sizeof(kinds), "%s", optarg);
			break;
		case 'w':
			parse_wanted(&plan, optarg);
			break;
		case 'l':
			length = atol(optarg);
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		default:
			usage();
		}
	strcpy(list, kinds);
	if (parse_kinds(&plan, list) || calls < 1 || length < 1 || length > MOST_STEPS / 2)
		usage();
	runs = (calls + length - 1) / length;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ksft_set_plan(runs + 3);
	if (!native_ids_extended()) {
		for (i = 0; i < runs + 3; i++)
			ksft_test_result_skip("native ids have another shape: ipcmni_extend\n");
		ksft_finished();
	}
	let_them_go_first();
	plan.record = record = share(sizeof(*plan.record));
	plan.met = share(sizeof(*plan.met));
	for (i = 0; i < runs && differing < MOST_TOLD; i++, plan.seed++) {
		plan.calls = calls < length ? calls : length;
		calls -= plan.calls;
		/* What chance has not brought in the first half is sought in the second. */
		if (i && i >= runs / 2)
			seek(&plan);
		differing += test_run(&plan, kinds, seconds);
		if (i == 0 && !differing)
			test_again(&plan, record->hash);
		else if (i == 0)
			ksft_test_result_skip("one seed is one schedule\n");
		plan.n_wanted = 0;
	}
	/* Of many that differ most are the same. */
	for (; i < runs; i++)
		ksft_test_result_skip("not tried any more\n");
	ksft_test_result(check_met(&plan) || differing, "coverage\n");
	ksft_test_result(plan.met->beside * 5 >= plan.met->calls,
			 "a fifth of the calls while another slept\n");
	let_go();
	ksft_finished();
	return KSFT_FAIL;	/* not reached */
}
