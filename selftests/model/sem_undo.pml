/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SEM_UNDO without a system call, with death, SETVAL and operations of the kernel.
 * What stands for what is told in undo.h.
 *
 * Bounds: one semaphore, at 4; two processes with undo; one operation or two a thread;
 * one death a process (or none), at any instruction; one SETVAL, one operation of
 * somebody else, one scribble.  No bound on retries of the CAS.  Always there: the worker.
 *
 *   SIBLINGS		two threads of A, kernel operation, death, the parent's operation
 *   SETTING		two threads of A, SETVAL, death, the parent's operation
 *   SETTING_AND_OP	two threads of A, SETVAL and kernel operation, death
 *   PROCESSES		A, and B in user space and in the kernel at once, death of A, parent
 *   DEATHS		A and B, both die, the parent's operation
 *   SLEEPERS		sleepers that the undo of A lets go; one of A's own is killed asleep;
 *			B in user space meanwhile
 *   HANDLER		a handler on A's thread, at any instruction, operates on this and on
 *			another semaphore; SETVAL, death
 *   LONGJMP		the same, and the handler leaves by siglongjmp
 *   BOGUS_IDLE		a BUSY that names nobody's operation: everything still holds
 *   BOGUS_ANY		a BUSY that names anybody: nothing wedges
 *   TSO		stores of a thread are seen late; final() as it was decided
 *   FORWARD		and partly forwarded to its own loads; final() as in undo.h
 *
 * Checked: at each death the undo value is the sum of the operations since the last
 * SETVAL, no more and no less, and it is applied once; the parent's operation after
 * wait() comes after it; every access of the kernel meets the value that the operations
 * so far make, and the right sempid; once nothing moves: undo values of the living,
 * no BUSY, no intent, HELD only where somebody sleeps, nobody sleeps who could go.
 *
 * MUTANT_*: a deliberate fault, which must fail an assertion; scripts/check-model has
 * the list.
 */
#if defined(SIBLINGS)
#define A1	-1, 2
#define A2	-2, 0
#define C1	1
#define PARENT
#elif defined(SETTING)
#define A1	-1, 2
#define A2	-2, 0
#define S1	6
#define PARENT
#elif defined(SETTING_AND_OP)
#define A1	-1, 0
#define A2	-2, 0
#define C1	1
#define S1	6
#elif defined(PROCESSES)
#define A1	-1, 2
#define B1	-1, 0
#define B2	2
#define PARENT
#elif defined(DEATHS)
#define A1	-1, 0
#define B1	-2, 0
#define KILL_B
#define PARENT
#elif defined(SLEEPERS)
#define A1	-2, 0
#define A2	-9, 0
#define B1	1, 0
#define C1	-4
#elif defined(HANDLER)
#define OTHERS
#define A1	-1, ELSEWHERE
#define H1	-1, ELSEWHERE
#define S1	4
#elif defined(LONGJMP)
#define A1	-1, 2
#define H1	-1, 0
#define S1	6
#elif defined(BOGUS_IDLE)
#define A1	-1, 2
#define C1	1
#define S1	6
#elif defined(BOGUS_ANY)
#define A1	-1, 0
#define C1	1
#define S1	6
#elif defined(FORWARD)
#define TSO
#define A1	-1, -1
#define A2	-2, 0
#define S1	6
#elif defined(TSO)
#define FINAL_AS_DECIDED
#define A1	-1, -1
#define C1	1
#define S1	6
#endif

#include "undo.h"

#if defined(BOGUS_IDLE) || defined(BOGUS_ANY)
/* somebody who maps the set writes a BUSY */
proctype Scribbler()
{
	if
#ifdef BOGUS_IDLE
	:: atomic { w.slot == 0 -> w.token = A; w.slot = 2 }
	:: atomic { w.slot == 0 -> w.token = A; w.slot = 5 }
	:: atomic { w.slot == 0 -> w.token = C; w.slot = 1 }
#else
	:: atomic { w.token = A; w.slot = 1 }
	:: atomic { w.token = A; w.slot = 2 }
	:: atomic { w.token = B; w.slot = 3 }
	:: w.slot = 0
#endif
	:: skip
	fi
}
#endif

init
{
	atomic {
		w.val = 4;
		g_val = 4;
		on[A] = 1;
		on[B] = 1;
		run Kernel();
		live[A]++;
		run Thread(1, A, 1, 0, 1, 0, A1);
#ifdef A2
		live[A]++;
		run Thread(2, A, 2, 0, 1, 0, A2);
#endif
#ifdef H1
		live[A]++;
		run Thread(4, A, 1, 1, 1, 0, H1);
#endif
#ifdef B1
		live[B]++;
		run Thread(3, B, 3, 0, 2, 0, B1);
#endif
#ifdef B2
		run Caller(5, UNDO, B, B2);
#endif
#ifdef C1
		run Caller(6, SEMOP, C, C1);
#endif
#ifdef S1
		run Caller(7, SETVAL, S, S1);
#endif
#ifdef PARENT
		run Parent(8);
#endif
#ifdef KILL_B
		run Killer(B);
#endif
#if defined(BOGUS_IDLE) || defined(BOGUS_ANY)
		run Scribbler();
#endif
		run Killer(A)
	};

	timeout;
#if defined(BOGUS_IDLE) || defined(BOGUS_ANY)
	/* one more operation of the kernel: then the fast path is open */
	ask(6, SEMOP, C, 1);
	state[6] == DONE;
	timeout;
	state[6] = NONE;
	assert(!w.held && !w.kept);
#endif
	check_all();
	over = 1
}
