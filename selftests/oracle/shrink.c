// SPDX-License-Identifier: GPL-2.0
/*
 * A sequence that differs, made short: steps are left out, many at a time and then fewer, for
 * as long as what is left still differs when it is carried out anew in a fresh namespace.
 */
#include "engine.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOLD	40		/* steps, of a sequence that did not differ again */

/*
 * Who drives a run may hang himself, in a call that compares: it is then killed, and its
 * actors with it.
 */
bool run_in_child(const struct plan *plan)
{
	const struct timespec second = { .tv_sec = 1 };
	struct record *record = plan->record;
	unsigned long alive = record->alive;
	long since = seconds_now();
	int status = -1;
	sigset_t chld;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	record->failed = false;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_UNBLOCK, &chld, NULL);
		_exit(run(plan));
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		sigtimedwait(&chld, NULL, &second);
		if (alive != record->alive) {
			alive = record->alive;
			since = seconds_now();
		} else if (seconds_now() - since > 2 * plan->patience + 10) {
			kill(pid, SIGKILL);
			snprintf(record->what, sizeof(record->what), "ends");
			snprintf(record->detail, sizeof(record->detail),
				 "somebody hangs, or the one who compares");
			record->failed = true;
		}
	}
	if (status && !record->failed) {
		snprintf(record->what, sizeof(record->what), "ends");
		snprintf(record->detail, sizeof(record->detail), "the run died, status %#x",
			 status);
		record->failed = true;
	}
	return record->failed;
}

/* ---- In words ---- */

static const char *user_of(const struct record *record, int actor)
{
	const struct op *op;

	if (actor < 0)
		return "";
	op = &record->steps[actor].op;
	if (op->type == OP_FORK)
		return user_of(record, op->actor);
	return users[op->a[0]].name;
}

static void tell_end(char *text, size_t size, enum rest rest, const struct end *end)
{
	static const char *const names[] = {
		[ASLEEP] = "sleeps", [DEAD] = "dies", [HUNG] = "hangs",
	};

	if (rest != DONE_IT)
		snprintf(text, size, "%s", names[rest]);
	else if (end->err)
		snprintf(text, size, "= %s", strerrorname_np(end->err) ?: "an unknown errno");
	else
		snprintf(text, size, "= %ld", end->ret);
}

static void tell_ends(const char *verb, const enum rest *rest, const struct end *end)
{
	char text[2][32];
	int w;

	for (w = 0; w < 2; w++)
		tell_end(text[w], sizeof(text[w]), rest[w], &end[w]);
	if (!strcmp(text[0], text[1]))
		printf("%s %s", verb, text[0]);
	else
		printf("%s %s natively, %s on kipc", verb, text[0], text[1]);
}

static void tell_step(const struct record *record, int i)
{
	const struct step *s = &record->steps[i];
	const struct op *op = &s->op;
	char text[400] = "";
	int k;

	printf("#   %d: ", i);
	switch (op->type) {
	case OP_SPAWN:
		printf("process %d begins, of %s\n", i, user_of(record, i));
		return;
	case OP_FORK:
		printf("%d forks: process %d\n", op->actor, i);
		return;
	case OP_RELAX:
		printf("limits as they were\n");
		return;
	}
	printf("%d (%s) %s", op->actor, user_of(record, op->actor), name_of_type(op->type));
	if (kind_of(op->type)) {
		kind_of(op->type)->describe(op, text, sizeof(text));
		printf("(%s)", text);
		tell_ends("", s->rest, s->end);
	}
	for (k = 0; k < s->n_woken; k++) {
		printf("; %d", s->woken[k].actor);
		tell_ends(" wakes", s->woken[k].rest, s->woken[k].end);
	}
	printf("\n");
}

/* The last ones of those carried out. */
static void tell_steps(const struct record *record, int most)
{
	int i, n = 0;

	for (i = record->n_steps - 1; i > 0 && n < most; i--)
		n += record->steps[i].done && !record->steps[i].left_out;
	for (; i < record->n_steps; i++)
		if (record->steps[i].done && !record->steps[i].left_out)
			tell_step(record, i);
	if (record->step == record->n_steps)
		printf("#   then all are killed, one after the other\n");
}

/* ---- Fewer ---- */

static struct plan *plan;
static bool left_out[MOST_STEPS];	/* of the shortest one that differs */
static int replays;
static long deadline;

/* Whether it still differs; the steps after the difference are left out as well. */
static bool differs(const bool *without)
{
	struct record *record = plan->record;
	int i;

	for (i = 0; i < record->n_steps; i++) {
		record->steps[i].left_out = without[i];
		record->steps[i].done = false;
		record->steps[i].n_woken = 0;
	}
	replays++;
	if (!run_in_child(plan))
		return false;
	/* A step that was not carried out is no part of it. */
	for (i = 0; i < record->n_steps; i++)
		left_out[i] = !record->steps[i].done;
	return true;
}

static bool is_maker(const struct op *op)
{
	return op->type == OP_SPAWN || op->type == OP_FORK ||
	       (op->type >= OPS_OF_PROCESSES && op->type == kind_of(op->type)->base);
}

/*
 * Once over the sequence, so many steps at a time; what makes objects and actors only if
 * asked, for nearly everything hangs on it.  Return: whether some could be left out.
 */
static bool leave_out(int chunk, bool makers)
{
	static bool without[MOST_STEPS];
	bool shorter = false;
	int i = plan->record->n_steps, n;

	while (i > 0 && seconds_now() < deadline) {
		memcpy(without, left_out, sizeof(without));
		for (n = 0; i > 0 && n < chunk; ) {
			i--;
			if (without[i] || (!makers && is_maker(&plan->record->steps[i].op)))
				continue;
			without[i] = true;
			n++;
		}
		if (n && differs(without))
			shorter = true;
	}
	return shorter;
}

static int count_steps(void)
{
	int i, n = 0;

	for (i = 0; i < plan->record->n_steps; i++)
		n += !left_out[i];
	return n;
}

/* Whether a call had to do with the id, in the run that was recorded. */
static bool concerns(const struct step *step, const struct step *steps, int id)
{
	const struct op *op = &step->op;

	if (op->type == kind_of(op->type)->base)
		return step->end[0].ret == id;
	/* With none: a limit, a mapping. */
	if (op->object == NOTHING)
		return !step->end[0].err;
	return steps[op->object].end[0].ret == id;
}

/*
 * Nearly always it is about one object, or one kind: leave out all calls of others, and the
 * processes that make none of these calls.  Return: whether it still differs.
 */
static bool keep_suspects(const struct kind *kind, int id)
{
	static bool without[MOST_STEPS], acts[MOST_STEPS];
	const struct record *record = plan->record;
	int i;

	memset(acts, 0, sizeof(acts));
	for (i = record->n_steps - 1; i >= 0; i--) {
		const struct step *step = &record->steps[i];
		const struct op *op = &step->op;
		const struct kind *k = kind_of(op->type);

		without[i] = k && (k != kind || (id >= 0 && !concerns(step, record->steps, id)));
		/* Whoever forks one that does something comes before him. */
		if (op->actor >= 0 && ((k && !without[i]) || (op->type == OP_FORK && acts[i])))
			acts[op->actor] = true;
	}
	for (i = 0; i < record->n_steps; i++) {
		const struct op *op = &record->steps[i].op;

		if (op->type == OP_SPAWN || op->type == OP_FORK)
			without[i] = !acts[i];
		else if (op->type < OPS_OF_PROCESSES && op->type != OP_RELAX)
			without[i] = !acts[op->actor];
	}
	return differs(without);
}

static bool begin_with_fewer(void)
{
	const struct kind *kind = plan->record->suspect;
	int id = plan->record->id, i;

	if (kind && id >= 0 && keep_suspects(kind, id))
		return true;
	if (kind && keep_suspects(kind, -1))
		return true;
	for (i = 0; i < 3; i++)
		if (differs(left_out))
			return true;
	return false;
}

void shrink(struct plan *p, int seconds)
{
	static struct met ignored;
	struct record *record = p->record;
	struct plan replay = *p;
	int chunk, i;

	tell_steps(record, 5);
	plan = &replay;
	replay.replay = true;
	replay.met = &ignored;
	replay.patience = p->patience < 10 ? p->patience : 10;
	replays = 0;
	deadline = seconds_now() + seconds;
	memset(left_out, 0, sizeof(left_out));
	if (!begin_with_fewer()) {
		ksft_print_msg("it does not differ when it is carried out again\n");
		return;
	}
	for (chunk = count_steps() / 2; chunk; chunk /= 2)
		leave_out(chunk, false);
	for (chunk = count_steps() / 2; chunk; chunk /= 2)
		leave_out(chunk, true);
	while (seconds_now() < deadline && leave_out(1, true))
		;
	/* Its results, and what differs, are those of the shortest one. */
	for (i = 0; i < 3 && !differs(left_out); i++)
		;
	ksft_print_msg("the shortest that differs, of %d tried%s: %s differ: %s\n", replays,
		       seconds_now() < deadline ? "" : " in the time there was", record->what,
		       record->detail);
	tell_steps(record, MOST_STEPS);
}
