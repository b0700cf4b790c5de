// SPDX-License-Identifier: GPL-2.0
/*
 * Every instruction that objdump lists in the section of the fast paths: on all ways that
 * lead through it a child is killed there, and stopped while others do what may be done
 * to a set.  What nobody reached is named and fails the run.  Some minutes; sem_step.c
 * has a short share.
 */
#include "common/harness.h"

#include <sys/mman.h>

#include "section.h"
#include "step.h"

#define TIMEOUT	3000	/* for a test, on an emulated processor */

/* A fault that is found a hundred times is told once. */
static int *failed;

static __attribute__((constructor)) void share_failed(void)
{
	failed = mmap(NULL, sizeof(*failed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (failed == MAP_FAILED)
		abort();
}

#define FAILED_MAX	3

#define PLAIN(n)	.op = { 0, n, 0 }
#define NOWAIT(n)	.op = { 0, n, IPC_NOWAIT }
#define UNDO(n)		.op = { 0, n, SEM_UNDO }
#define UNDO_NOWAIT(n)	.op = { 0, n, SEM_UNDO | IPC_NOWAIT }

/* ---- Without undo ---- */

static const struct scene plain[] = {
	{ "up", PLAIN(1), .value = 5 },
	{ "down to zero", PLAIN(-1), .value = 1 },
	{ "wait for zero", PLAIN(0) },
	{ "swap lost", PLAIN(-1), .value = 5, .meddle = OPERATE },
};

static const struct scene plain_more[] = {
	{ "down", PLAIN(-1), .value = 5 },
	{ "in a handler", PLAIN(1), .value = 5, .flags = STEP_IN_HANDLER },
	{ "swap lost to zero", PLAIN(0), .meddle = SET_VALUE, .flags = STEP_SLEEPS },
};

static const struct scene plain_calls[] = {
	{ "would sleep", NOWAIT(-1) },
	{ "not zero", NOWAIT(0), .value = 5 },
	{ "above the maximum", PLAIN(1), .value = SEMVMX },
	{ "no such semaphore", .op = { 7, 1, 0 }, .value = 5, .flags = STEP_REFUSED },
	{ "not mapped", PLAIN(1), .value = 5, .flags = STEP_COLD },
	{ "wakes one", PLAIN(1), .before = COME_DOWN },
	{ "wakes the first of two", PLAIN(1), .before = COME_BOTH },
	{ "wakes who waits for zero", PLAIN(-1), .value = 1, .before = COME_ZERO },
	{ "wakes nobody", PLAIN(-1), .value = 5, .before = COME_ZERO },
	{ "swap lost to a sleeper", PLAIN(-1), .value = 5, .meddle = COME_ZERO },
	{ "swap lost to the end", PLAIN(1), .value = 5, .meddle = REMOVE, .flags = STEP_REFUSED },
	{ "cut before", PLAIN(1), .value = 5, .before = SET_MODE },
	{ "removed before", PLAIN(1), .value = 5, .before = REMOVE, .flags = STEP_REFUSED },
	{ "the word is busy", PLAIN(1), .value = 5, .before = HOLD },
	{ "sleeps", PLAIN(-1), .flags = STEP_SLEEPS },
};

/* ---- With it ---- */

static const struct scene undo[] = {
	{ "undo: up", UNDO(1), .value = 5 },
	{ "undo: down to zero", UNDO(-1), .value = 1 },
	{ "undo: swap lost", UNDO(1), .value = 5, .meddle = OPERATE },
};

static const struct scene undo_more[] = {
	{ "undo: down", UNDO(-1), .value = 5 },
	{ "undo: by the largest change", UNDO(64), .value = 5 },
	{ "undo: wait for zero", UNDO(0) },
	{ "undo: in a handler", UNDO(-1), .value = 5, .flags = STEP_IN_HANDLER },
};

static const struct scene undo_calls[] = {
	{ "undo: would sleep", UNDO_NOWAIT(-1) },
	{ "undo: above the maximum", UNDO(1), .value = SEMVMX },
	{ "undo: no such semaphore", .op = { 7, 1, SEM_UNDO }, .value = 5, .flags = STEP_REFUSED },
	{ "undo: none so far", UNDO(1), .value = 5, .flags = STEP_PLAIN },
	{ "undo: no slot", UNDO(1), .value = 5, .flags = STEP_NO_SLOT },
	{ "undo: a large change", UNDO(100), .value = 5 },
	{ "undo: its own part is large", UNDO(-1), .value = 5, .flags = STEP_BIG_FAST },
	{ "undo: the kernel's part is large", UNDO(-1), .value = 5, .flags = STEP_BIG_SLOW },
	{ "undo: wakes one", UNDO(1), .before = COME_DOWN },
	{ "undo: wakes the first of two", UNDO(1), .before = COME_BOTH },
	{ "undo: wakes who waits for zero", UNDO(-1), .value = 1, .before = COME_ZERO },
	{ "undo: swap lost to a sleeper", UNDO(-1), .value = 5, .meddle = COME_ZERO },
	{ "undo: swap lost to the end", UNDO(1), .value = 5, .meddle = REMOVE,
	  .flags = STEP_REFUSED },
	{ "undo: swap lost, memory shared", UNDO(1), .value = 5, .meddle = SUSPEND },
	{ "undo: cut before", UNDO(1), .value = 5, .before = SET_MODE },
	{ "undo: removed before", UNDO(1), .value = 5, .before = REMOVE, .flags = STEP_REFUSED },
	{ "undo: the word is busy", UNDO(1), .value = 5, .before = HOLD },
	{ "undo: sleeps", UNDO(-1), .flags = STEP_SLEEPS },
};

/* ---- GETVAL ---- */

static const struct scene getval[] = {
	{ "GETVAL", PLAIN(0), .value = 5, .flags = STEP_LOOKS },
	{ "GETVAL: none such", .op = { 7, 0, 0 }, .value = 5, .flags = STEP_LOOKS | STEP_REFUSED },
	{ "GETVAL: not mapped", PLAIN(0), .value = 5, .flags = STEP_LOOKS | STEP_COLD },
	{ "GETVAL: somebody sleeps", PLAIN(0), .value = 5, .flags = STEP_LOOKS,
	  .before = COME_ZERO },
	{ "GETVAL: the word is busy", PLAIN(0), .value = 5, .flags = STEP_LOOKS, .before = HOLD },
	{ "GETVAL: cut before", PLAIN(0), .value = 5, .flags = STEP_LOOKS, .before = SET_MODE },
};

/* ---- A handler's operation in the middle of another ---- */

static const struct scene nested[] = {
	{ "undo in undo", UNDO(1), .inner = { 0, -1, SEM_UNDO }, .value = 5, .meddle = SIGNAL },
	{ "plain in undo", UNDO(-1), .inner = { 0, 1, 0 }, .value = 5, .meddle = SIGNAL },
	{ "undo in plain", PLAIN(1), .inner = { 0, -1, SEM_UNDO }, .value = 5, .meddle = SIGNAL },
	/* When it is over the word is as it was.  Killed in between it has not happened. */
	{ "undo and back in undo", UNDO(1), .inner = { 0, -1, SEM_UNDO }, .value = 5,
	  .meddle = SIGNAL, .flags = STEP_AND_BACK },
};

static int runs(struct __test_metadata *_metadata, const struct scene *scene, enum act act,
		unsigned int ends, int at)
{
	const char *only = getenv("KIPC_SCENE");	/* to look at one alone */
	int steps = 0, wrong;

	if (*failed >= FAILED_MAX || (only && strcmp(only, scene->name)))
		return 0;
	wrong = step_scene(scene, act, ends, at, &steps);
	EXPECT_EQ(0, wrong)
		TH_LOG("%s", scene->name);
	*failed += !!wrong;
	return steps;
}

static void every(struct __test_metadata *_metadata, const struct scene *scene, int count,
		  enum act first, enum act last, unsigned int ends)
{
	enum act act;
	int steps, i;

	for (i = 0; i < count; i++) {
		steps = 0;
		for (act = first; act <= last; act++)
			steps = runs(_metadata, &scene[i], act, ends, WAY_AT_SWAP);
		TH_LOG("%s: %d instructions", scene[i].name, steps);
	}
	/* After a fault the rest is not looked at. */
	EXPECT_EQ(0, *failed);
}

FIXTURE(step) { int unused; };
FIXTURE_SETUP(step)
{
	ASSERT_GT(section_list(), 50) TH_LOG("no list of the section, or of another program");
}
FIXTURE_TEARDOWN(step) { }

#define IN_TURNS	(STEP_END(KILLED) | STEP_END(WENT_ON) | STEP_IN_TURNS)
#define EVERY(scenes, first, last, ends) \
	every(_metadata, scenes, ARRAY_SIZE(scenes), first, last, ends)

TEST_F_TIMEOUT(step, killed, TIMEOUT)
{
	EVERY(plain, NOTHING, NOTHING, STEP_ALL_ENDS);
	EVERY(plain_more, NOTHING, NOTHING, STEP_ALL_ENDS);
	EVERY(plain_calls, NOTHING, NOTHING, STEP_END(KILLED_SEEN) | STEP_END(WENT_ON));
}

TEST_F_TIMEOUT(step, killed_undo, TIMEOUT)
{
	EVERY(undo, NOTHING, NOTHING, STEP_ALL_ENDS);
	EVERY(undo_more, NOTHING, NOTHING, STEP_ALL_ENDS);
	EVERY(undo_calls, NOTHING, NOTHING, STEP_END(KILLED_SEEN) | STEP_END(WENT_ON));
}

TEST_F_TIMEOUT(step, getval, TIMEOUT)
{
	EVERY(getval, NOTHING, NOTHING, STEP_ALL_ENDS);
	EVERY(getval, OPERATE, REMOVE, STEP_END(WENT_ON));
}

TEST_F_TIMEOUT(step, stopped, TIMEOUT)
{
	EVERY(plain, OPERATE, COME_BOTH, IN_TURNS);
}

TEST_F_TIMEOUT(step, stopped_undo, TIMEOUT)
{
	EVERY(undo, OPERATE, COME_BOTH, IN_TURNS);
}

/* What stands between them and the kernel, and what is behind it. */
TEST_F_TIMEOUT(step, stopped_calls, TIMEOUT)
{
	EVERY(plain_calls, SET_VALUE, SET_VALUE, STEP_END(WENT_ON));
	EVERY(undo_calls, REMOVE, REMOVE, STEP_END(WENT_ON));
}

TEST_F_TIMEOUT(step, interrupted, TIMEOUT)
{
	unsigned int i;
	int steps, at;

	for (i = 0; i < ARRAY_SIZE(nested); i++) {
		struct scene outer = nested[i];

		outer.meddle = NOTHING;
		steps = runs(_metadata, &outer, NOTHING, 0, WAY_AT_SWAP);
		EXPECT_GT(steps, 20);
		/* Of the first each instruction of both ways, of their pairs every fifth. */
		for (at = i; at < steps; at += i ? 3 : 1)
			runs(_metadata, &nested[i], NOTHING,
			     STEP_END(outer.flags & STEP_AND_BACK ? KILLED : at % ENDS), at);
		TH_LOG("%s: in %d instructions", nested[i].name, steps);
	}
	EXPECT_EQ(0, *failed);
}

/* After the others. */
TEST_F(step, covered)
{
	int count = section_list();

	TH_LOG("%d instructions are listed", count);
	EXPECT_EQ(0, section_uncovered());
}

TEST_HARNESS_MAIN
