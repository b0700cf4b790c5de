/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One operation on a mapped set, made by a child that is ended or stopped before a single
 * instruction of it, and everything that can be seen of it afterwards.
 *
 * The child runs to the instruction as way.h tells, and is killed there; or stopped by
 * SIGSTOP, no longer traced, while others do something to the set, and is then killed or
 * goes on.
 *
 * The same story is told natively: by a child that is stopped before its operation, and
 * by one that is stopped after it.  What is seen must be the one or the other, whole.
 */
#ifndef KIPC_SELFTESTS_STEP_H
#define KIPC_SELFTESTS_STEP_H

#include <sys/sem.h>

#include "way.h"

/* What others do. */
enum act {
	NOTHING,
	OPERATE,	/* add one, without a system call if the word is free */
	OPERATE_UNDO,
	SET_VALUE,
	SET_ALL,
	SET_MODE,
	REMOVE,
	COME_DOWN,	/* somebody comes who takes one, or sleeps */
	COME_ZERO,	/* who waits for zero */
	COME_BOTH,	/* two who want one, one after the other */
	HOLD,		/* another child is stopped with the word busy */
	SUSPEND,	/* add one, and the child is told that it shares its memory */
	SIGNAL,		/* a signal, whose handler makes an operation as well */
	ACTS
};

/* How it ends. */
enum end {
	KILLED,		/* and nobody has looked before */
	KILLED_SEEN,
	WENT_ON,	/* to the end of its operation, and is killed there */
	ENDS
};

/* How the child comes to its operation. */
#define STEP_LOOKS	(1u << 0)	/* it is not an operation but GETVAL */
#define STEP_IN_HANDLER	(1u << 1)	/* in a signal handler */
#define STEP_COLD	(1u << 2)	/* another set is mapped, not this one */
#define STEP_PLAIN	(1u << 3)	/* nothing with SEM_UNDO was done before */
#define STEP_NO_SLOT	(1u << 4)	/* its thread has no slot yet */
#define STEP_BIG_FAST	(1u << 5)	/* user space's part of the undo value is large */
#define STEP_BIG_SLOW	(1u << 6)	/* the kernel's is */
#define STEP_SLEEPS	(1u << 7)	/* the operation sleeps */
#define STEP_REFUSED	(1u << 8)	/* the kernel does not come to the set */
#define STEP_AND_BACK	(1u << 9)	/* the handler takes its operation back; who was last stays */

/**
 * struct scene - an operation, and what was before
 * @name: of the scene
 * @op: the operation
 * @inner: the one of the handler
 * @value: of the semaphore before
 * @flags: STEP_*
 * @before: what others have done when it begins
 * @meddle: what they do while it is under way: before its first compare and swap, or
 *	    before the instruction of the way that step_scene() is told
 */
struct scene {
	const char *name;
	struct sembuf op, inner;
	int value;
	unsigned int flags;
	enum act before, meddle;
};

/*
 * Carry a scene out for every instruction of the way; if @at tells the one where a signal
 * comes, for some of those behind it.  @act is what others do there, @ends how it ends
 * there, one after the other.  Says what is wrong.
 * Return: how much is wrong; @steps: the length of the way.
 */
int step_scene(const struct scene *scene, enum act act, unsigned int ends, int at, int *steps);
#define STEP_END(end)	(1u << (end))
#define STEP_ALL_ENDS	(STEP_END(ENDS) - 1)
#define STEP_IN_TURNS	STEP_END(ENDS)	/* killed before one, going on before the next */

/* Have the library map the set. */
int step_warm(int id, int flags);

#endif /* KIPC_SELFTESTS_STEP_H */
