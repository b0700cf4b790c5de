/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A live process's mapping of the set is cut, at any moment; it goes on by system
 * calls, or maps again; it dies.  What stands for what is told in undo.h.
 *
 * The mapping is marked, its pages are zapped (the entry first; until the flush is over
 * an access may still use the old translation, or fault, as it likes), then its undo
 * is settled.  A fault looks at the mark and inserts the page under one lock.  From the
 * zap on accesses of the page land in a throw-away page whose words are all HELD; the
 * cells and intents are not cut.  Its death may come at any instruction, so before,
 * between and after all these.
 *
 * Bounds: as sem_undo.pml; one mapping of A is cut once.
 *
 *   SIBLINGS	two threads of A
 *   SETTING	one thread of A, SETVAL and kernel operation
 *   PROCESSES	A, and B, whose mapping stays
 *   REMAP	one thread of A in the old mapping, another maps again; SETVAL
 *   EXEC	two threads of A die in execve at any instruction; the new image maps again,
 *		with intents of its own, before the old mapping goes or after
 *   EXEC_SETTING  one thread, execve, SETVAL
 *
 * Checked: as sem_undo.pml.
 */
#if defined(SIBLINGS)
#define A1	-1, 2
#define A2	-2, 0
#elif defined(SETTING)
#define A1	-1, 0
#define C1	1
#define S1	6
#elif defined(PROCESSES)
#define A1	-1, 0
#define B1	-2, 0
#elif defined(REMAP)
#define A1	-1, 0
#define A3	-2, 0
#define S1	6
#elif defined(EXEC)
#define A1	-1, 0
#define A2	-2, 0
#define A4	-2, 0
#elif defined(EXEC_SETTING)
#define EXEC
#define A1	-1, 0
#define A4	-2, 0
#define S1	6
#endif

#define CUT
#include "undo.h"

/* the mapping of A is cut */
proctype Cutter(byte me)
{
	/* under the lock that a fault takes from its look at the mark to the insertion */
	cut[1] = 1;
	/* the zap: the entry goes; then the other CPUs forget it */
	atomic { stale[1] = (pte[1] == REAL); pte[1] = EMPTY };
#ifndef MUTANT_SETTLED_BEFORE_FLUSH
	stale[1] = 0;
#endif
	ask(me, SETTLE, A, 1);
	answered(me, 0);
#ifdef MUTANT_SETTLED_BEFORE_FLUSH
	stale[1] = 0
#endif
}

init
{
	atomic {
		w.val = 4;
		g_val = 4;
		on[A] = 1;
		on[B] = 1;
		mapping[A] = 1;
		mapping[B] = 2;
		pte[1] = EMPTY;
		pte[2] = REAL;
		pte[3] = EMPTY;
		run Kernel();
		live[A]++;
		run Thread(1, A, 1, 0, 1, 0, A1);
#ifdef A2
		live[A]++;
		run Thread(2, A, 2, 0, 1, 0, A2);
#endif
#ifdef A3
		live[A]++;
		run Thread(4, A, 2, 0, 3, 0, A3);
#endif
#ifdef A4
		exec = 1;
		live[A]++;
		run Thread(4, A, 1, 0, 3, IMAGE, A4);
#endif
#ifdef B1
		live[B]++;
		run Thread(3, B, 3, 0, 2, 0, B1);
#endif
#ifdef C1
		run Caller(6, SEMOP, C, C1);
#endif
#ifdef S1
		run Caller(7, SETVAL, S, S1);
#endif
		run Killer(A);
		run Cutter(5)
	};
#ifdef A4
	execd = 1;
#endif

	timeout;
	check_all();
	over = 1
}
