// SPDX-License-Identifier: GPL-2.0
/*
 * One sequence: chosen step by step, or given; carried out, and compared.  Chance has a part
 * in choosing only: one seed is one sequence, and a sequence can be carried out again.
 */
#include "engine.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

const struct ipc *const ipcs[2] = { &ipc_native, &ipc_kipc };

const struct who users[USERS] = {
	{ "root", 0, 0, -1, 0 },
	{ "alice", 1000, 1000, -1, 0 },
	{ "bob", 1001, 1001, 1000, 0 },
	{ "owner of all", 1002, 1002, -1, 1ull << CAP_IPC_OWNER },
};

/* What a step's look takes in. */
enum {
	LOOK_KIND = 1,		/* all objects of the call's kind */
	LOOK_ALL = 2,		/* all objects */
	LOOK_LISTING = 4,	/* the listing of the call's kind */
	LOOK_LISTINGS = 8,	/* all listings */
};

/* What there was to say of a call, by its kind and by an id. */
struct object {
	int step, id, number;
};

#define MOST_OBJECTS	12

struct actor actors[ACTORS];

static const struct plan *plan;
static struct record *record;

static struct {
	unsigned int seed;
	struct object objects[KINDS][MOST_OBJECTS];
	int n_objects[KINDS];
	int made[MOST_STEPS + 1];	/* ids, by the step that returned them */
	struct { int step; pid_t pid[2]; } births[MOST_STEPS];	/* of actors */
	int n_births;
	int shares[KINDS], all_shares;	/* how often which kind */
	bool tight;			/* a limit is not what it was to begin with */
} state;

int rnd(int n)
{
	return rand_r(&state.seed) % n;
}

bool chance(int percent)
{
	return rnd(100) < percent;
}

int this_step(void)
{
	return record->step;
}

void differ(const char *what, const char *format, ...)
{
	va_list ap;

	if (record->failed)
		return;
	snprintf(record->what, sizeof(record->what), "%s", what);
	va_start(ap, format);
	vsnprintf(record->detail, sizeof(record->detail), format, ap);
	va_end(ap);
	record->failed = true;
}

/* ---- Actors ---- */

static int slot_of(const struct actor *a)
{
	return a - actors;
}

static bool is_there(const struct actor *a)
{
	return a->pid[0];
}

const struct actor *actor_named(int name)
{
	int i;

	for (i = 0; i < ACTORS; i++)
		if (is_there(&actors[i]) && actors[i].name == name)
			return &actors[i];
	return NULL;
}

static struct actor *free_slot(void)
{
	int i;

	for (i = 0; i < ACTORS; i++)
		if (!is_there(&actors[i]))
			return &actors[i];
	return NULL;
}

static int count_actors(bool awake_only)
{
	int i, n = 0;

	for (i = 0; i < ACTORS; i++)
		n += is_there(&actors[i]) && !(awake_only && actors[i].asleep);
	return n;
}

static const struct actor *some_actor(bool asleep)
{
	const struct actor *list[ACTORS];
	int i, n = 0;

	for (i = 0; i < ACTORS; i++)
		if (is_there(&actors[i]) && actors[i].asleep == asleep)
			list[n++] = &actors[i];
	return n ? list[rnd(n)] : NULL;
}

const struct op *some_sleep(int type, int or_type)
{
	const struct op *list[ACTORS];
	int i, n = 0;

	for (i = 0; i < ACTORS; i++)
		if (is_there(&actors[i]) && actors[i].asleep &&
		    (actors[i].op.type == type || actors[i].op.type == or_type))
			list[n++] = &actors[i].op;
	return n ? list[rnd(n)] : NULL;
}

void by_root(struct op *op, int percent)
{
	int i;

	if (!chance(percent))
		return;
	for (i = 0; i < ACTORS; i++)
		if (is_there(&actors[i]) && !actors[i].asleep && !actors[i].user)
			op->actor = actors[i].name;
}

int who(int pid, int world)
{
	int i;

	if (pid <= 0)
		return pid;
	for (i = state.n_births - 1; i >= 0; i--)
		if (state.births[i].pid[world] == pid)
			return state.births[i].step + 1;
	return -2;
}

static void begin_actor(struct actor *a, int user, pid_t native, pid_t kipc)
{
	int k;

	a->name = record->step;
	a->user = user;
	a->pid[0] = native;
	a->pid[1] = kipc;
	state.births[state.n_births].step = record->step;
	memcpy(state.births[state.n_births++].pid, a->pid, sizeof(a->pid));
	a->asleep = false;
	for (k = 0; k < KINDS; k++)
		if (plan->kinds[k] && plan->kinds[k]->begun)
			plan->kinds[k]->begun(a, NULL);
}

/* ---- Objects ---- */

static int number_of_kind(const struct kind *kind)
{
	int k;

	for (k = 0; all_kinds[k] != kind; k++)
		;
	return k;
}

void remember(const struct op *op, int id, int number)
{
	const struct kind *kind = kind_of(op->type);
	int k = number_of_kind(kind), i, *n = &state.n_objects[k];

	state.made[record->step] = id;
	for (i = 0; i < *n; i++)
		if (state.objects[k][i].id == id)
			break;
	if (i == *n)
		i = *n < kind->objects ? (*n)++ : op->dice % kind->objects;
	else if (number == state.objects[k][i].number)
		return;
	state.objects[k][i] = (struct object){ record->step, id, number };
}

int some_object(struct op *op)
{
	int k = number_of_kind(kind_of(op->type)), i;

	op->object = NOTHING;
	if (chance(2) || !state.n_objects[k]) {
		op->a[0] = chance(50) ? -1 : rnd(40) + (chance(30) ? 1 << 24 : 0);
		return -1;
	}
	i = rnd(state.n_objects[k]);
	op->object = state.objects[k][i].step;
	op->a[0] = state.objects[k][i].id;
	return state.objects[k][i].number;
}

void same_object(struct op *op, const struct op *other)
{
	op->object = other->object;
	op->a[0] = other->a[0];
}

const char *object_name(const struct op *op)
{
	static char name[32];

	if (op->object == NOTHING)
		snprintf(name, sizeof(name), "%ld", op->a[0]);
	else
		snprintf(name, sizeof(name), "%s of %d", op->is_index ? "index" : "id", op->object);
	return name;
}

void limits_are_tight(void)
{
	state.tight = true;
}

/* The id that the step means, in this sequence.  Return: whether there is one. */
static bool resolve(struct op *op)
{
	if (op->object == NOTHING)
		return true;
	if (state.made[op->object] < 0)
		return false;
	op->a[0] = state.made[op->object];
	if (op->is_index)
		op->a[0] &= 0xffffff;
	return true;
}

/* ---- What comes next ---- */

/* Whether the step can be carried out as things are. */
static bool is_fit(const struct op *op)
{
	const struct actor *a = actor_named(op->actor);
	const struct kind *kind;

	if (op->type == OP_SPAWN)
		return free_slot();
	if (op->type == OP_RELAX)
		return true;
	if (!a)
		return false;
	switch (op->type) {
	case OP_KILL:
		/* Never the last two: somebody has to go on. */
		return count_actors(false) > 2;
	case OP_SIGNAL:
	case OP_STOP:
		return a->asleep;
	case OP_EXIT:
		return !a->asleep && count_actors(true) > 2;
	case OP_FORK:
		return !a->asleep && free_slot();
	case OP_EXEC:
		return !a->asleep;
	}
	kind = kind_of(op->type);
	return !a->asleep && (!kind->is_fit || kind->is_fit(op));
}

static int by_weight(const struct call_info *calls, int n)
{
	int i, r, sum = 0;

	for (i = 0; i < n; i++)
		sum += calls[i].weight;
	for (r = rnd(sum), i = 0; r >= calls[i].weight; i++)
		r -= calls[i].weight;
	return i;
}

/* A fifth of all steps, while there is something: nothing comes of what is done to nothing. */
static int some_wanted(void)
{
	return plan->n_wanted && chance(20) ? plan->wanted[rnd(plan->n_wanted)] : NOTHING;
}

static void choose_process(struct op *op, int wanted)
{
	static const struct call_info ways[OPS_OF_PROCESSES] = {
		[OP_SPAWN] = { .weight = 40 }, [OP_FORK] = { .weight = 12 },
		[OP_EXEC] = { .weight = 5 }, [OP_EXIT] = { .weight = 16 },
		[OP_KILL] = { .weight = 22 }, [OP_SIGNAL] = { .weight = 11 },
		[OP_STOP] = { .weight = 7 }, [OP_RELAX] = { .weight = 25 },
	};
	const struct actor *a;

	op->type = wanted != NOTHING ? wanted : by_weight(ways, OPS_OF_PROCESSES);
	op->object = NOTHING;
	switch (op->type) {
	case OP_SPAWN:
		op->a[0] = rnd(USERS);
		break;
	case OP_RELAX:
		if (!state.tight)
			op->type = OP_SPAWN;
		break;
	case OP_KILL:
		/* Asleep or not. */
		a = some_actor(chance(30));
		op->actor = a ? a->name : op->actor;
		break;
	case OP_SIGNAL:
	case OP_STOP:
		a = some_actor(true);
		op->actor = a ? a->name : NOTHING;
		break;
	}
}

/* What is looked at after it: everything would cost more than the step. */
static void choose_look(struct op *op)
{
	if (op->type == OP_SPAWN || op->type == OP_RELAX || op->type == OP_FORK)
		return;
	if (op->type < OPS_OF_PROCESSES) {
		op->look = LOOK_ALL | (chance(15) ? LOOK_LISTINGS : 0);
		return;
	}
	/* What changes mappings names no object. */
	if (chance(op->object == NOTHING ? 30 : 12))
		op->look |= LOOK_KIND;
	if (chance(kind_of(op->type)->listed))
		op->look |= LOOK_LISTING;
}

static void choose_any(struct op *op)
{
	const struct actor *a = some_actor(false);
	int wanted = some_wanted(), r, k;

	memset(op, 0, sizeof(*op));
	op->dice = rnd(256);
	op->actor = a ? a->name : NOTHING;
	op->object = NOTHING;
	if (record->step < USERS) {
		op->type = OP_SPAWN;
		op->a[0] = record->step;
	} else if (wanted != NOTHING && wanted < OPS_OF_PROCESSES) {
		choose_process(op, wanted);
	} else if (!a || (wanted == NOTHING && chance(9))) {
		choose_process(op, NOTHING);
	} else {
		for (r = rnd(state.all_shares), k = 0; r >= state.shares[k]; k++)
			r -= state.shares[k];
		if (wanted != NOTHING)
			k = number_of_kind(kind_of(wanted));
		op->type = wanted != NOTHING ? wanted : plan->kinds[k]->base +
			   by_weight(plan->kinds[k]->calls, plan->kinds[k]->n_calls);
		/* One who is awake is needed to go on. */
		plan->kinds[k]->choose(op, count_actors(true) > 2);
	}
	choose_look(op);
}

static void choose(struct op *op)
{
	do
		choose_any(op);
	while (!is_fit(op));
}

/* ---- What there is to be seen ---- */

static void count(const struct op *op, int err)
{
	plan->met->end[op->type][err > 0 && err < MOST_ERRNOS ? err : 0]++;
	if (!plan->n_wanted)
		plan->met->plain[op->type][!err]++;
}

static void count_flags(const struct op *op, unsigned int flags)
{
	int i;

	for (i = 0; i < MOST_FLAGS; i++)
		plan->met->flag[op->type][i] += flags >> i & 1;
}

static void add_to_hash(const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size--)
		record->hash = (record->hash ^ *p++) * 0x100000001b3;
}

static void hash_number(long number)
{
	add_to_hash(&number, sizeof(number));
}

static void hash_op(const struct op *op)
{
	int i;

	hash_number(op->type << 16 | op->look << 8 | op->dice);
	hash_number(op->actor);
	hash_number(op->object);
	for (i = 0; i < 4; i++)
		hash_number(op->a[i]);
	add_to_hash(op->data, sizeof(op->data));
}

/* Everything of one; most of those remembered must be alive. */
static void compare_object(const struct op *op, int k, int i)
{
	struct object *o = &state.objects[k][i];

	record->suspect = all_kinds[k];
	record->id = o->id;
	if (!all_kinds[k]->compare_object(o->id) && (op->dice + i) % 5 < 2)
		*o = state.objects[k][--state.n_objects[k]];
}

static void compare_objects(const struct op *op, bool has_object)
{
	int k, i;

	for (k = 0; k < KINDS; k++) {
		bool is_kind = kind_of(op->type) == all_kinds[k];
		bool all = (op->look & LOOK_ALL) || (is_kind && op->look & LOOK_KIND);

		if (!plan->kinds[k] || !(all || is_kind))
			continue;
		for (i = state.n_objects[k] - 1; i >= 0 && !record->failed; i--)
			if (all || (has_object && state.objects[k][i].id == op->a[0]))
				compare_object(op, k, i);
	}
}

static void compare_listings(const struct op *op)
{
	int k;

	for (k = 0; k < KINDS && !record->failed; k++) {
		bool is_kind = kind_of(op->type) == all_kinds[k];

		if (!plan->kinds[k] || !(op->look & LOOK_LISTINGS ||
					 (is_kind && op->look & LOOK_LISTING)))
			continue;
		record->suspect = all_kinds[k];
		record->id = -1;
		all_kinds[k]->compare_listings();
	}
}

/* ---- A step ---- */

static enum rest rest_of(const struct actor *a, int world)
{
	return process_rest(slot_of(a), world, a->pid[world], plan->patience);
}

/*
 * Both twins; one that seems to sleep while the other has answered is looked at closely.
 * Whom the end of a process wakes may be woken a moment later, by kipc's worker.
 */
static void same_rest(const struct actor *a, const struct op *cause, enum rest *rest)
{
	bool late = cause->type == OP_KILL || cause->type == OP_EXIT;
	int w;

	for (w = 0; w < 2 && rest[0] != rest[1]; w++)
		while (rest[w] == ASLEEP && rest[!w] == DONE_IT &&
		       (!task_asleep(a->pid[w]) ||
			(late && process_await(slot_of(a), w, plan->patience / 5)))) {
			wait_a_little();
			rest[w] = rest_of(a, w);
		}
}

/* Both twins of an actor: asleep alike, or with the same answer. */
static void compare_actor(struct actor *a, const struct op *cause, struct step *step)
{
	static const char *const names[] = { "has answered", "sleeps", "is dead", "hangs" };
	const struct op *op = &a->op;
	const struct kind *kind = kind_of(op->type);
	const struct out *out[2];
	enum rest rest[2];
	struct end end[2];
	int w, err;
	bool same;

	record->suspect = kind;
	record->id = op->object == NOTHING ? -1 : op->a[0];
	for (w = 0; w < 2; w++) {
		rest[w] = rest_of(a, w);
		out[w] = answer_of_process(slot_of(a), w);
	}
	same_rest(a, cause, rest);
	for (w = 0; w < 2; w++)
		end[w] = rest[w] == DONE_IT ? (struct end){ out[w]->ret, out[w]->err }
					    : (struct end){};
	if (a->asleep && (rest[0] == DONE_IT || rest[1] == DONE_IT)) {
		step->woken[step->n_woken].actor = a->name;
		memcpy(step->woken[step->n_woken].rest, rest, sizeof(rest));
		memcpy(step->woken[step->n_woken++].end, end, sizeof(end));
	} else if (!a->asleep) {
		memcpy(step->rest, rest, sizeof(rest));
		memcpy(step->end, end, sizeof(end));
	}
	if (rest[0] != rest[1] || rest[0] > ASLEEP) {
		char text[2][80];

		for (w = 0; w < 2; w++)
			if (rest[w] == DONE_IT)
				snprintf(text[w], sizeof(text[w]), "%ld, errno %d", end[w].ret,
					 end[w].err);
			else
				snprintf(text[w], sizeof(text[w]), "%s", names[rest[w]]);
		differ("sleepers", "%s of %d: native %s, kipc %s", name_of_type(op->type), a->name,
		       text[0], text[1]);
		return;
	}
	if (rest[0] == ASLEEP) {
		if (!a->asleep)
			plan->met->slept[op->type]++;
		a->asleep = true;
		hash_number(ASLEEP);
		return;
	}
	err = end[0].err;
	if (err < 0 || err >= MOST_ERRNOS)
		err = 0;
	if (a->asleep)
		plan->met->woken[cause->type][op->type][err]++;
	a->asleep = false;
	if (kind->is_pid && kind->is_pid(op) && end[0].ret > 0)
		same = who(end[0].ret, 0) == who(end[1].ret, 1);
	else if (kind->is_place && kind->is_place(op))
		same = (end[0].ret == -1) == (end[1].ret == -1);
	else
		same = end[0].ret == end[1].ret;
	if (!same || end[0].err != end[1].err)
		differ("results", "%s of %d: native %ld, errno %d; kipc %ld, errno %d",
		       name_of_type(op->type), a->name, end[0].ret, end[0].err, end[1].ret,
		       end[1].err);
	/* With what was there before the call. */
	if (!end[0].err)
		count_flags(op, kind->flags(op, out[0]));
	kind->compare(op, out[0], out[1]);
	hash_number(end[0].err);
	if (kind->is_pid && kind->is_pid(op))
		hash_number(who(end[0].ret, 0));
	else if (!(kind->is_place && kind->is_place(op)))
		hash_number(end[0].ret);
	count(op, end[0].err);
}

/*
 * Whom the step woke has answered by now, and whom he woke in turn: they go first.
 * Return: a bit for each actor of whom one twin has.
 */
static unsigned int find_woken(void)
{
	unsigned int woken = 0;
	int i;

	for (i = 0; i < ACTORS; i++)
		if (is_there(&actors[i]) && actors[i].asleep &&
		    (process_answered(i, 0) || process_answered(i, 1)))
			woken |= 1u << i;
	return woken;
}

/* For one that has been killed, or exits. */
static void reap(struct actor *a, int world)
{
	waitpid(a->pid[world], NULL, 0);
	a->pid[world] = 0;
}

/* End both twins.  All that this does to others is done when it returns. */
static void end_actor(struct actor *a, const struct op *op)
{
	int w, i, k;

	if (op->type == OP_EXIT)
		processes_order(slot_of(a), op);
	for (w = 0; w < 2; w++) {
		if (op->type == OP_KILL)
			kill(a->pid[w], SIGKILL);
		reap(a, w);
	}
	a->asleep = false;
	for (i = 0; i < ACTORS; i++)
		for (k = 0; k < KINDS && is_there(&actors[i]) && actors[i].asleep; k++)
			if (kind_of(actors[i].op.type) == all_kinds[k] && all_kinds[k]->after_death)
				all_kinds[k]->after_death(&actors[i].op);
}

/* Seen while it is stopped, too. */
static void stop_and_go(struct actor *a, const struct op *op)
{
	int w;

	for (w = 0; w < 2; w++) {
		kill(a->pid[w], SIGSTOP);
		waitpid(a->pid[w], NULL, WUNTRACED);
	}
	compare_objects(op, false);
	for (w = 0; w < 2; w++)
		kill(a->pid[w], SIGCONT);
}

static void fork_actor(const struct actor *a, struct op *op)
{
	struct actor *child = free_slot();
	pid_t pid[2];
	int w, k;

	op->a[0] = slot_of(child);
	desk_clear(slot_of(child));
	processes_order(slot_of(a), op);
	for (w = 0; w < 2; w++) {
		pid[w] = -1;
		if (rest_of(a, w) == DONE_IT)
			pid[w] = answer_of_process(slot_of(a), w)->ret;
	}
	if (pid[0] <= 0 || pid[1] <= 0) {
		differ("forks", "native %d, kipc %d", pid[0], pid[1]);
		return;
	}
	begin_actor(child, a->user, pid[0], pid[1]);
	for (k = 0; k < KINDS; k++)
		if (plan->kinds[k] && plan->kinds[k]->begun)
			plan->kinds[k]->begun(child, a);
}

static void execute_actor(const struct actor *a, const struct op *op)
{
	int w, k;

	processes_order(slot_of(a), op);
	for (w = 0; w < 2; w++)
		if (rest_of(a, w) != DONE_IT)
			differ("lives after exec", "%s", ipcs[w]->name);
	for (k = 0; k < KINDS; k++)
		if (plan->kinds[k] && plan->kinds[k]->begun)
			plan->kinds[k]->begun(a, NULL);
}

static void make_call(struct actor *a, const struct op *op, struct step *step)
{
	int w;

	record->calls++;
	record->beside += count_actors(true) < count_actors(false);
	a->op = *op;
	processes_order(slot_of(a), op);
	/* A time-out that ends meanwhile ends in both. */
	for (w = 0; w < 2 && op->is_brief; w++)
		process_await(slot_of(a), w, plan->patience);
	compare_actor(a, op, step);
}

static void relax(void)
{
	int k, w;

	for (k = 0; k < KINDS; k++)
		for (w = 0; w < 2 && plan->kinds[k]; w++)
			if (plan->kinds[k]->relax(ipcs[w]))
				differ("limits", "%s of %s cannot be set", plan->kinds[k]->name,
				       ipcs[w]->name);
	state.tight = false;
}

static void carry_out(struct step *step)
{
	struct op op = step->op;
	struct actor *a;
	unsigned int woken;
	pid_t pid[2];
	int i, w;

	if (!resolve(&op) || !is_fit(&op))
		return;
	step->done = true;
	step->rest[0] = step->rest[1] = HUNG;	/* until it is known */
	hash_op(&op);
	a = (struct actor *)actor_named(op.actor);
	switch (op.type) {
	case OP_SPAWN:
		a = free_slot();
		desk_clear(slot_of(a));
		for (w = 0; w < 2; w++)
			pid[w] = process_start(slot_of(a), w, op.a[0]);
		begin_actor(a, op.a[0], pid[0], pid[1]);
		break;
	case OP_RELAX:
		relax();
		break;
	case OP_EXIT:
	case OP_KILL:
		end_actor(a, &op);
		break;
	case OP_SIGNAL:
		for (w = 0; w < 2; w++)
			kill(a->pid[w], SIGUSR1);
		break;
	case OP_STOP:
		stop_and_go(a, &op);
		break;
	case OP_EXEC:
		execute_actor(a, &op);
		break;
	case OP_FORK:
		fork_actor(a, &op);
		break;
	default:
		make_call(a, &op, step);
	}
	if (op.type < OPS_OF_PROCESSES)
		count(&op, 0);
	/* Awake, but perhaps still on its way out of the queue. */
	if (op.type == OP_SIGNAL || op.type == OP_STOP)
		compare_actor(a, &op, step);
	woken = find_woken();
	if (!record->failed)
		compare_objects(&op, op.object != NOTHING);
	for (i = 0; i < ACTORS && !record->failed; i++)
		if (woken & 1u << i)
			compare_actor(&actors[i], &op, step);
	compare_listings(&op);
}

/* ---- A sequence ---- */

static void carry_out_all(void)
{
	for (record->step = 0; record->step < record->n_steps; record->step++) {
		record->alive++;
		if (!record->steps[record->step].left_out)
			carry_out(&record->steps[record->step]);
		if (record->failed)
			return;
	}
}

static void make_up(void)
{
	for (record->step = 0; record->step < MOST_STEPS && record->calls < plan->calls;
	     record->step++) {
		struct step *step = &record->steps[record->step];

		memset(step, 0, sizeof(*step));
		record->alive++;
		record->n_steps = record->step + 1;
		choose(&step->op);
		carry_out(step);
		if (record->failed)
			return;
	}
}

/* One after the other; in the end nobody may wait, and all is undone alike. */
static void end_all(void)
{
	const struct op op = { .type = OP_KILL, .look = LOOK_ALL | LOOK_LISTINGS };
	int i, k, w;

	for (i = 0; i < ACTORS; i++) {
		if (!is_there(&actors[i]))
			continue;
		record->alive++;
		for (w = 0; w < 2; w++) {
			kill(actors[i].pid[w], SIGKILL);
			reap(&actors[i], w);
		}
		compare_objects(&op, false);
	}
	compare_listings(&op);
	for (k = 0; k < KINDS && !record->failed; k++)
		if (plan->kinds[k] && plan->kinds[k]->at_end)
			plan->kinds[k]->at_end();
}

/* A run leans to one kind or to none: the more of it the sooner its objects meet. */
static void share(void)
{
	int k;

	for (k = 0; k < KINDS; k++) {
		state.shares[k] = !plan->kinds[k] ? 0 : plan->seed % (KINDS + 1) == k + 1u ? 8 : 1;
		state.all_shares += state.shares[k];
	}
}

int run(const struct plan *p)
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	int i, w;

	plan = p;
	record = p->record;
	state.seed = p->seed;
	memset(state.made, -1, sizeof(state.made));
	record->calls = record->beside = record->step = 0;
	record->hash = 0xcbf29ce484222325;
	record->failed = false;
	share();
	/* One process runs at a time: process.c builds upon it. */
	stay_on_cpu();
	/* Desks of its own too: nothing of a run that failed is left in them. */
	if (unshare(CLONE_NEWIPC) || setrlimit(RLIMIT_MEMLOCK, &any) || desks_set_up() ||
	    shm_rows(&ipc_kipc, NULL, 0) || sem_rows(&ipc_kipc, NULL, 0) ||
	    msg_rows(&ipc_kipc, NULL, 0))
		differ("beginnings", "cannot begin: %s", strerror(errno));
	else
		relax();
	if (record->failed)
		return 1;
	if (plan->replay)
		carry_out_all();
	else
		make_up();
	if (!record->failed) {
		end_all();
		return record->failed;
	}
	for (i = 0; i < ACTORS; i++)
		for (w = 0; w < 2; w++)
			if (actors[i].pid[w])
				kill(actors[i].pid[w], SIGKILL);
	/* Of one that does not die the others must hear all the same. */
	for (i = 0; i < 1000 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		wait_a_little();
	return 1;
}
