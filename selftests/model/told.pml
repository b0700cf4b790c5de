/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sleepers are told their results once the mutex is free, by records that they have on their
 * own stacks.
 *
 * Stands for: kipc_finish_locked(), kipc_unlock_and_wake(), kipc_wait() and kipc_wait_told()
 * of kernel/wait.[ch] (finish, tell, Sleeper), as sets and queues use them.
 *
 * What is done in one hold of the mutex is one step.  After it each access of a record is
 * one, for then its sleeper may run.
 *
 * Bounds: three sleepers, each of whom a signal may wake at any time; two who finish what
 * sleeps then, and one who finishes the first only.
 *
 * Checked: no record is touched whose sleeper has returned, nor a task that has ended; a call
 * returns what was done with it: its result, if it was carried out, else EINTR; all return.
 *
 * MUTANT_*: a deliberate fault, which must fail an assertion; scripts/check-model has the
 * list.
 */
#define SLEEPERS	3
#define NOBODY		SLEEPERS

/* a record's status */
#define BEGINS		0
#define SLEEPS		1
#define FINISHES	2
#define RESULT		3
#define EINTR		4

byte status[SLEEPERS], result[SLEEPERS], next[SLEEPERS];
bit gone[SLEEPERS];		/* the record */
bit ended[SLEEPERS];		/* the task */
byte readers;			/* in an RCU section: no task goes for good */
byte first = NOBODY, last;	/* set->wakes */

/* ghost */
bit carried_out[SLEEPERS];

hidden byte i;

proctype Sleeper(byte me)
{
	byte ret;

	/* in the queue, and the mutex given back */
	status[me] = SLEEPS;
	do
	:: atomic { status[me] >= RESULT -> ret = status[me]; break }
	:: atomic {
		/* a signal; the mutex again */
		status[me] < RESULT ->
		if
		:: status[me] == SLEEPS -> status[me] = EINTR; ret = EINTR; break
#ifdef MUTANT_NOT_WAITED_TOLD
		:: status[me] == FINISHES -> ret = result[me]; break
#else
		:: status[me] == FINISHES
#endif
		fi
	   };
		/* not in the queue any more: until it is told */
		atomic { status[me] >= RESULT -> ret = status[me] };
		break
	od;
	atomic {
		assert((ret == RESULT) == carried_out[me] && (ret == RESULT || ret == EINTR));
		gone[me] = 1;
		ret = 0
	};
	/* a task is freed a grace period after it has ended */
	atomic { readers == 0 -> ended[me] = 1 }
}

/* who lets all go that sleep, or the first of them */
proctype Waker(bit all)
{
	byte at, then, task;

	atomic {
		i = 0;
		do
		:: i < SLEEPERS ->
			if
			:: status[i] == SLEEPS ->
				carried_out[i] = 1;
				status[i] = FINISHES;
				result[i] = RESULT;
				next[i] = NOBODY;
				if
				:: first == NOBODY -> first = i
				:: else -> next[last] = i
				fi;
				last = i;
				if
				:: !all -> break
				:: else
				fi
			:: else
			fi;
			i++
		:: else -> break
		od;
#ifndef MUTANT_LIST_LEFT
		at = first;
		first = NOBODY
#endif
	};
#ifdef MUTANT_LIST_LEFT
	/* the list is taken after the mutex was given back */
	at = first;
	first = NOBODY;
#endif
	do
	:: at != NOBODY ->
#ifndef MUTANT_NEXT_READ_LATE
		atomic { assert(!gone[at]); then = next[at] };
#endif
#ifndef MUTANT_TASK_NOT_KEPT
		readers++;
#endif
		/* the task, from the record */
		atomic { assert(!gone[at]); task = at };
		atomic { assert(!gone[at]); status[at] = result[at] };
#ifdef MUTANT_NEXT_READ_LATE
		atomic { assert(!gone[at]); then = next[at] };
#endif
		atomic { assert(!ended[task]) };
#ifndef MUTANT_TASK_NOT_KEPT
		readers--;
#endif
		at = then
	:: else -> break
	od
}

init
{
	atomic {
		run Sleeper(0);
		run Sleeper(1);
		run Sleeper(2);
		run Waker(1);
		run Waker(0);
		run Waker(1)
	};
	timeout;
	i = 0;
	do
	:: i < SLEEPERS ->
		assert(gone[i] || status[i] == SLEEPS);
		assert(!carried_out[i] || gone[i]);
		i++
	:: else -> break
	od
}
