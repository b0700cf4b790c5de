/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What runs the kinds.  Calls go down only: oracle.c (what to run, what was met), shrink.c
 * (fewer steps that still differ), run.c (one sequence), process.c (the actors' processes).
 */
#ifndef KIPC_SELFTESTS_ORACLE_ENGINE_H
#define KIPC_SELFTESTS_ORACLE_ENGINE_H

#include "oracle.h"

#define KINDS		3
#define MOST_STEPS	6000		/* of a run */
#define MOST_ERRNOS	140
#define MOST_FLAGS	8

extern const struct kind *const all_kinds[KINDS];

const struct kind *kind_of(int type);
/* Of a call, or NULL. */
const struct call_info *call_of_type(int type);
const char *name_of_type(int type);

/* ---- process.c ---- */

long seconds_now(void);

enum rest { DONE_IT, ASLEEP, DEAD, HUNG };

/**
 * struct desk - where a pair of processes finds what to do, and each answers
 * @told: number of the order, the same for both: one call wakes them
 * @done: the last one that each has carried out; it is at work while that is not @told
 * @busy: within the call
 * @awaited: somebody sleeps on @done
 */
struct desk {
	struct op op;
	unsigned int told;
	struct {
		unsigned int done;
		int busy, awaited;
		struct out out;
	} of[2];
};

int desks_set_up(void);
const struct out *answer_of_process(int slot, int world);
/* A process executed by one of ours; does not return. */
int serve_again(int slot, int world);
/* New processes are to find an empty desk. */
void desk_clear(int slot);
pid_t process_start(int slot, int world, int user);
/* Both. */
void processes_order(int slot, const struct op *op);
bool process_answered(int slot, int world);
/* Until it answers; false if it does not within so many seconds. */
bool process_await(int slot, int world, int seconds);
/* Until it has answered, or sleeps in its call; or for so many seconds. */
enum rest process_rest(int slot, int world, pid_t pid, int seconds);

/* ---- run.c ---- */

struct end {
	long ret;
	int err;
};

/**
 * struct step - a step and what came of it
 * @left_out: it is not to be carried out
 * @done: it was
 * @rest, @end: of the actor, in each world
 * @woken: who was woken, and how their calls ended
 */
struct step {
	struct op op;
	bool left_out, done;
	enum rest rest[2];
	struct end end[2];
	int n_woken;
	struct { int actor; enum rest rest[2]; struct end end[2]; } woken[ACTORS];
};

/**
 * struct record - a run, shared between the process that makes it and who watches
 * @n_steps: how many there are
 * @step: the one under way
 * @calls: how many are the kinds' calls; @beside: ones while another sleeps
 * @hash: of all steps and their results
 * @alive: counts on while it goes on
 * @suspect, @id: the kind of what is compared now, and its id or -1
 * @failed: a difference, @what and @detail
 */
struct record {
	int n_steps, step;
	long calls, beside;
	uint64_t hash;
	unsigned long alive;
	const struct kind *suspect;
	int id;
	bool failed;
	char what[80], detail[1024];
	struct step steps[MOST_STEPS];
};

/* What was met, in all runs. */
struct met {
	unsigned int end[OP_TYPES][MOST_ERRNOS];	/* 0 is success */
	unsigned int flag[OP_TYPES][MOST_FLAGS];
	unsigned int slept[OP_TYPES];
	unsigned int woken[OP_TYPES][OP_TYPES][MOST_ERRNOS];
	unsigned int plain[OP_TYPES][2];	/* failures and successes where nothing is sought */
	long calls, beside;
};

/**
 * struct plan - what to run
 * @kinds: NULL for one that is not
 * @seed: of a run
 * @calls: of that run
 * @wanted: types of steps that are to come more often, @n_wanted of them
 * @replay: the steps that there are; else they are chosen, and recorded
 * @patience: seconds until something counts as hung
 */
struct plan {
	const struct kind *kinds[KINDS];
	unsigned int seed;
	long calls;
	int wanted[OP_TYPES], n_wanted;
	bool replay;
	int patience;
	struct record *record;
	struct met *met;
};

/* In a process of its own.  Return: an exit status. */
int run(const struct plan *plan);

/* ---- shrink.c ---- */

/* Run in a child.  Return: whether it failed; the record tells. */
bool run_in_child(const struct plan *plan);
/*
 * The record's run differs.  Leave out what steps one can within so many seconds, and tell
 * the rest; or the last ones if it does not happen again.
 */
void shrink(struct plan *plan, int seconds);

#endif /* KIPC_SELFTESTS_ORACLE_ENGINE_H */
